//! 5G AKA at the home network (TS 33.501 §6.1.3.2, Annexes A.2 and A.4).

use crate::kdf::kdf;
use crate::{AkaError, AuthVector, NetworkName};
use zeroize::Zeroizing;

/// FC of K_AUSF (TS 33.501 Annex A.2).
const FC_K_AUSF: u8 = 0x6a;
/// FC of RES* and XRES* (TS 33.501 Annex A.4).
const FC_RES_STAR: u8 = 0x6b;

/// What the home network keeps of a 5G AKA vector beside RAND and AUTN.
#[derive(Clone, PartialEq, Eq)]
pub struct FiveGAka {
    /// The answer that the phone of the right card gives.
    pub xres_star: Zeroizing<[u8; 16]>,
    /// The key from which all others of the access are derived.
    pub k_ausf: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for FiveGAka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FiveGAka(redacted)")
    }
}

impl AuthVector {
    /// XRES* and K_AUSF of this vector for a serving network (`5G:mnc…`).
    ///
    /// # Errors
    /// [`AkaError::SeparationBit`] when the vector was made without it (TS 33.501 §6.1.3.2: UDM sets it to 1).
    pub fn five_g_aka(&self, network: &NetworkName) -> Result<FiveGAka, AkaError> {
        if !self.autn.amf().separation_bit() {
            return Err(AkaError::SeparationBit);
        }
        let key = Zeroizing::new([self.ck.as_bytes().as_slice(), self.ik.as_bytes()].concat());
        let name = network.as_str().as_bytes();
        let k_ausf = kdf(&key, FC_K_AUSF, &[name, self.autn.sqn_xor_ak()])?;
        let full = kdf(&key, FC_RES_STAR, &[name, &self.rand.0, self.xres.as_bytes()])?;
        let mut xres_star = Zeroizing::new([0; 16]);
        xres_star.copy_from_slice(&full[16..]);
        Ok(FiveGAka { xres_star, k_ausf })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Algorithm, Amf, Rand, Sqn, generate_vector};
    use oxirush_security::milenage::{self, K, Milenage, Opc};
    use oxirush_security::nas_5gs::derive_kausf;
    use proptest::prelude::*;

    fn array<const N: usize>(text: &str) -> [u8; N] {
        hex::decode(text).expect("hexadecimal").try_into().expect("its length")
    }

    proptest! {
        /// Another implementation of the same annexes, over any card, challenge and network.
        #[test]
        fn as_another_implementation(k: [u8; 16], opc: [u8; 16], rand: [u8; 16], sqn in 0..1u64 << 48, mnc in 0..1000u16) {
            let name = format!("5G:mnc{mnc:03}.mcc410.3gppnetwork.org");
            let [_, _, sqn_bytes @ ..] = sqn.to_be_bytes();
            let card = Algorithm::milenage_from_hex(&hex::encode(k), &hex::encode(opc)).expect("valid");
            let ours = generate_vector(&card, Rand(rand), Sqn::from_bytes(sqn_bytes), Amf::EAP_AKA_PRIME);
            let ours_5g = ours.five_g_aka(&NetworkName::new(name.clone()).expect("valid")).expect("separated");
            let theirs = Milenage::new(&K::new(&k), &Opc::new(&opc)).authentication_vector(
                &oxirush_security::Rand::new(&rand),
                &milenage::Sqn::try_from(sqn).expect("48 bits"),
                &milenage::Amf::new(&[0x80, 0]),
            );
            let k_ausf = derive_kausf(theirs.ck(), theirs.ik(), name.as_bytes(), theirs.autn()).expect("a name");
            prop_assert_eq!(ours.autn.to_bytes(), *theirs.autn().as_octets());
            prop_assert_eq!(&ours_5g.k_ausf[..], &k_ausf.as_octets()[..]);
            let xres_star = theirs.xres_star(name.as_bytes()).expect("a name");
            prop_assert_eq!(&ours_5g.xres_star[..], &xres_star.as_octets()[..]);
        }
    }

    /// TS 35.208 test set 1 in the network 208/93.
    #[test]
    fn a_known_answer() {
        let card = Algorithm::milenage_from_hex("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf");
        let rand = Rand(array("23553cbe9637a89d218ae64dae47bf35"));
        let sqn = Sqn::from_bytes(array("ff9bb4d0b607"));
        let vector = generate_vector(&card.expect("valid"), rand, sqn, Amf(array("b9b9")));
        let network = NetworkName::new("5G:mnc093.mcc208.3gppnetwork.org").expect("valid");
        let keys = vector.five_g_aka(&network).expect("separated");
        assert_eq!(hex::encode(*keys.k_ausf), "f2e35260f85194d4f891504d02111e56689ac23dd393bee3abbcc5bfbc013ef9");
        assert_eq!(hex::encode(*keys.xres_star), "5cc9527f4d21c43bee83a15443acf1c4");
        assert_eq!(format!("{keys:?}"), "FiveGAka(redacted)");
        let plain = generate_vector(
            &Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid"),
            rand,
            sqn,
            Amf([0, 0]),
        );
        assert_eq!(plain.five_g_aka(&network), Err(AkaError::SeparationBit));
    }
}

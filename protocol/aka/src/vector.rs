//! Network side: making a challenge and reading a resynchronisation (TS 33.102 §6.3.2, §6.3.5).

use crate::eap_aka_prime::{EapAkaPrimeKeys, EapIdentity, EapVector};
use crate::secret::{AnonymityKey, CipherKey, IntegrityKey, Res};
use crate::{AkaError, Algorithm, Amf, Autn, Auts, NetworkName, Rand, Response, Sqn};
use subtle::ConstantTimeEq;

/// One authentication vector. RAND and AUTN go to the card; the rest stays with the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthVector {
    /// The challenge.
    pub rand: Rand,
    /// The network's proof to the card.
    pub autn: Autn,
    /// The answer the right card gives.
    pub xres: Res,
    /// Cipher key.
    pub ck: CipherKey,
    /// Integrity key.
    pub ik: IntegrityKey,
    /// What hides SQN in `autn`.
    pub ak: AnonymityKey,
}

impl AuthVector {
    /// The keys of EAP-AKA' for this vector.
    ///
    /// # Errors
    /// [`AkaError::SeparationBit`] when the vector was made without [`Amf::EAP_AKA_PRIME`].
    pub fn eap_aka_prime(&self, network: &NetworkName, identity: &EapIdentity) -> Result<EapAkaPrimeKeys, AkaError> {
        EapAkaPrimeKeys::derive(&self.ck, &self.ik, &self.autn, network, identity)
    }

    /// The same with the challenge, and without CK and IK.
    ///
    /// # Errors
    /// [`AkaError::SeparationBit`] as above.
    pub fn into_eap(self, network: &NetworkName, identity: &EapIdentity) -> Result<EapVector, AkaError> {
        let keys = self.eap_aka_prime(network, identity)?;
        Ok(EapVector { rand: self.rand, autn: self.autn, xres: self.xres, keys })
    }
}

/// Makes the vector for `rand` and `sqn`.
///
/// `rand` is fresh, `sqn` comes from [`crate::next_sqn`], whose new state is persisted *before* this
/// leaves the server. `amf` is [`Amf::EAP_AKA_PRIME`] for everything but 2G/3G interworking.
pub fn generate_vector(algorithm: &Algorithm, rand: Rand, sqn: Sqn, amf: Amf) -> AuthVector {
    let Response { res, ck, ik, ak } = algorithm.f2345(&rand);
    let autn = Autn::build(sqn, &ak, amf, algorithm.f1(&rand, sqn, amf));
    AuthVector { rand, autn, xres: res, ck, ik, ak }
}

/// Verifies AUTS against the RAND it answers and returns SQN_MS for [`crate::SqnState::resynchronised`].
///
/// MAC-S covers RAND, so an AUTS recorded for another challenge fails. The caller accepts at most one
/// AUTS for one RAND.
///
/// # Errors
/// [`AkaError::MacFailure`].
pub fn resynchronise(algorithm: &Algorithm, rand: &Rand, auts: &Auts) -> Result<Sqn, AkaError> {
    let sqn_ms = auts.sqn(&algorithm.f5_star(rand));
    let expected = algorithm.f1_star(rand, sqn_ms, Amf::ZERO);
    if bool::from(expected.ct_eq(auts.mac())) { Ok(sqn_ms) } else { Err(AkaError::MacFailure) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TS 35.208 set 19 is also the base of RFC 9048's case 1, whose AUTN is published there.
    #[test]
    fn the_published_autn() {
        let a = Algorithm::milenage_from_hex("5122250214c33e723a5dd523fc145fc0", "981d464c7c52eb6e5036234984ad0bcf")
            .expect("valid");
        let rand = Rand::from_slice(&hex::decode("81e92b6c0ee0e12ebceba8d92a99dfa5").expect("hex")).expect("16");
        let sqn = Sqn::from_bytes([0x16, 0xf3, 0xb3, 0xf7, 0x0f, 0xc2]);
        let v = generate_vector(&a, rand, sqn, Amf([0xc3, 0xab]));
        assert_eq!(hex::encode(v.autn.to_bytes()), "bb52e91c747ac3ab2a5c23d15ee351d5");
        assert_eq!(hex::encode(v.xres.as_bytes()), "28d7b0f2a2ec3de5");
        let keys = v
            .eap_aka_prime(
                &NetworkName::new("WLAN").expect("valid"),
                &EapIdentity::new("0555444333222111").expect("valid"),
            )
            .expect("separation bit is set");
        assert_eq!(hex::encode(keys.k_encr.as_bytes()), "766fa0a6c317174b812d52fbcd11a179");
    }

    #[test]
    fn without_the_separation_bit_there_are_no_eap_aka_prime_keys() {
        let a = Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid");
        let v = generate_vector(&a, Rand([3; 16]), Sqn::from_bytes([0; 6]), Amf([0x7f, 0xff]));
        let refused =
            v.eap_aka_prime(&NetworkName::new("WLAN").expect("valid"), &EapIdentity::new("i").expect("valid"));
        assert_eq!(refused.expect_err("no bit"), AkaError::SeparationBit);
    }

    #[test]
    fn debug_of_a_vector_shows_no_key() {
        let a = Algorithm::milenage_from_hex(&"01".repeat(16), &"02".repeat(16)).expect("valid");
        let v = generate_vector(&a, Rand([3; 16]), Sqn::from_bytes([0; 6]), Amf::EAP_AKA_PRIME);
        let shown = format!("{v:?}");
        assert_eq!(shown.matches("redacted").count(), 4, "{shown}");
    }
}

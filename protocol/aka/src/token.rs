//! What travels between network and card: RAND, AMF, AUTN and AUTS (TS 33.102 §6.3).

use crate::secret::AnonymityKey;
use crate::{AkaError, Sqn};
use rand_core::CryptoRngCore;
use std::fmt;

fn exactly<const N: usize>(what: &'static str, expected: &'static str, bytes: &[u8]) -> Result<[u8; N], AkaError> {
    bytes.try_into().map_err(|_| AkaError::WrongLength { what, expected, got: bytes.len() })
}

fn part<const N: usize>(bytes: &[u8], from: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[from + i])
}

fn hide(sqn: Sqn, ak: &AnonymityKey) -> [u8; 6] {
    let sqn = sqn.to_bytes();
    std::array::from_fn(|i| sqn[i] ^ ak.as_bytes()[i])
}

fn reveal(hidden: [u8; 6], ak: &AnonymityKey) -> Sqn {
    Sqn::from_bytes(std::array::from_fn(|i| hidden[i] ^ ak.as_bytes()[i]))
}

/// The network's random challenge, 16 bytes, never used twice for one card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rand(pub [u8; 16]);

impl Rand {
    /// A fresh challenge.
    pub fn random(rng: &mut dyn CryptoRngCore) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }
    /// From exactly 16 bytes.
    ///
    /// # Errors
    /// [`AkaError::WrongLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, AkaError> {
        exactly("RAND", "16 bytes", bytes).map(Self)
    }
}

/// Authentication management field, 16 bits (TS 33.102 Annex F and H).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amf(pub [u8; 2]);

impl Amf {
    /// All zero: what f1* is computed with in AUTS (TS 33.102 §6.3.3).
    pub const ZERO: Self = Self([0, 0]);
    /// Only the separation bit: EPS, 5G and EAP-AKA' (TS 33.401 §6.1.1, TS 33.402 §6.2).
    pub const EAP_AKA_PRIME: Self = Self([0x80, 0]);

    /// Whether the separation bit (bit 0, the most significant) is set.
    pub fn separation_bit(self) -> bool {
        self.0[0] & 0x80 != 0
    }
    /// The same with the separation bit set.
    pub fn with_separation_bit(self) -> Self {
        Self([self.0[0] | 0x80, self.0[1]])
    }
}

/// Authentication token, 16 bytes: `(SQN ⊕ AK) ‖ AMF ‖ MAC-A` (TS 33.102 §6.3.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Autn {
    sqn_xor_ak: [u8; 6],
    amf: Amf,
    mac: [u8; 8],
}

impl Autn {
    /// Length in bytes.
    pub const LEN: usize = 16;

    pub(crate) fn build(sqn: Sqn, ak: &AnonymityKey, amf: Amf, mac: [u8; 8]) -> Self {
        Self { sqn_xor_ak: hide(sqn, ak), amf, mac }
    }
    /// From exactly 16 bytes. Any 16 bytes have the form of an AUTN.
    ///
    /// # Errors
    /// [`AkaError::WrongLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, AkaError> {
        exactly("AUTN", "16 bytes", bytes).map(Self::from_bytes)
    }
    /// From its 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { sqn_xor_ak: part(&bytes, 0), amf: Amf(part(&bytes, 6)), mac: part(&bytes, 8) }
    }
    /// The 16 bytes.
    pub fn to_bytes(&self) -> [u8; 16] {
        let mut out = [0; 16];
        out[..6].copy_from_slice(&self.sqn_xor_ak);
        out[6..8].copy_from_slice(&self.amf.0);
        out[8..].copy_from_slice(&self.mac);
        out
    }
    /// SQN hidden by AK, which EAP-AKA' feeds into its key derivation as it is.
    pub fn sqn_xor_ak(&self) -> &[u8; 6] {
        &self.sqn_xor_ak
    }
    /// The management field; believable only once MAC-A is verified.
    pub fn amf(&self) -> Amf {
        self.amf
    }
    pub(crate) fn mac(&self) -> &[u8; 8] {
        &self.mac
    }
    pub(crate) fn sqn(&self, ak: &AnonymityKey) -> Sqn {
        reveal(self.sqn_xor_ak, ak)
    }
}
impl fmt::Debug for Autn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Autn({})", crate::hex_text::encode(&self.to_bytes()).as_str())
    }
}

/// Resynchronisation token, 14 bytes: `(SQN_MS ⊕ AK*) ‖ MAC-S` (TS 33.102 §6.3.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Auts {
    sqn_xor_ak: [u8; 6],
    mac: [u8; 8],
}

impl Auts {
    /// Length in bytes.
    pub const LEN: usize = 14;

    pub(crate) fn build(sqn: Sqn, ak: &AnonymityKey, mac: [u8; 8]) -> Self {
        Self { sqn_xor_ak: hide(sqn, ak), mac }
    }
    /// From exactly 14 bytes. Any 14 bytes have the form of an AUTS.
    ///
    /// # Errors
    /// [`AkaError::WrongLength`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self, AkaError> {
        exactly("AUTS", "14 bytes", bytes).map(Self::from_bytes)
    }
    /// From its 14 bytes.
    pub fn from_bytes(bytes: [u8; 14]) -> Self {
        Self { sqn_xor_ak: part(&bytes, 0), mac: part(&bytes, 6) }
    }
    /// The 14 bytes.
    pub fn to_bytes(&self) -> [u8; 14] {
        let mut out = [0; 14];
        out[..6].copy_from_slice(&self.sqn_xor_ak);
        out[6..].copy_from_slice(&self.mac);
        out
    }
    pub(crate) fn mac(&self) -> &[u8; 8] {
        &self.mac
    }
    pub(crate) fn sqn(&self, ak: &AnonymityKey) -> Sqn {
        reveal(self.sqn_xor_ak, ak)
    }
}
impl fmt::Debug for Auts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auts({})", crate::hex_text::encode(&self.to_bytes()).as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn autn_and_auts_round_trip_and_only_at_their_length(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            match Autn::from_slice(&bytes) {
                Ok(autn) => prop_assert_eq!(autn.to_bytes().to_vec(), bytes.clone()),
                Err(e) => {
                    prop_assert_ne!(bytes.len(), Autn::LEN);
                    let wrong = AkaError::WrongLength { what: "AUTN", expected: "16 bytes", got: bytes.len() };
                    prop_assert_eq!(e, wrong);
                }
            }
            match Auts::from_slice(&bytes) {
                Ok(auts) => prop_assert_eq!(auts.to_bytes().to_vec(), bytes.clone()),
                Err(_) => prop_assert_ne!(bytes.len(), Auts::LEN),
            }
        }

        #[test]
        fn hiding_a_sequence_number_is_undone_by_the_same_key(raw in any::<[u8; 6]>(), ak in any::<[u8; 6]>()) {
            let (sqn, ak) = (Sqn::from_bytes(raw), AnonymityKey::from_bytes(ak));
            prop_assert_eq!(Autn::build(sqn, &ak, Amf::ZERO, [0; 8]).sqn(&ak), sqn);
            prop_assert_eq!(Auts::build(sqn, &ak, [0; 8]).sqn(&ak), sqn);
        }
    }

    #[test]
    fn the_separation_bit_is_the_most_significant_one() {
        assert!(Amf::EAP_AKA_PRIME.separation_bit());
        assert!(!Amf([0x7f, 0xff]).separation_bit());
        assert_eq!(Amf([0x01, 0x02]).with_separation_bit(), Amf([0x81, 0x02]));
    }
}

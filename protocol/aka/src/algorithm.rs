//! One card's algorithm with its secrets, whichever of the two it is.

use crate::milenage::Milenage;
use crate::secret::{AnonymityKey, CipherKey, IntegrityKey, Key128, Key256, Opc, Res, Topc};
use crate::tuak::{Tuak, TuakIterations, TuakKey, TuakResLength, TuakSettings};
use crate::{AkaError, Amf, Rand, Sqn};
use zeroize::Zeroizing;

/// The authentication algorithm of one SIM with K and its operator constant.
///
/// The secrets are wiped when it is dropped; `Debug` shows only which algorithm it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Milenage (TS 35.206).
    Milenage {
        /// Subscriber key.
        k: Key128,
        /// Derived operator constant.
        opc: Opc,
    },
    /// TUAK (TS 35.231).
    Tuak {
        /// Subscriber key.
        k: TuakKey,
        /// Derived operator constant.
        topc: Topc,
        /// What card and network agreed on when the card was made.
        settings: TuakSettings,
    },
}

/// Output of f2, f3, f4 and f5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// f2: the answer to the challenge.
    pub res: Res,
    /// f3.
    pub ck: CipherKey,
    /// f4.
    pub ik: IntegrityKey,
    /// f5.
    pub ak: AnonymityKey,
}

const MILENAGE: u8 = 1;
const TUAK: u8 = 2;

impl Algorithm {
    /// Milenage from hexadecimal text, as in a SIM manufacturer's file.
    ///
    /// # Errors
    /// [`AkaError::NotHex`], [`AkaError::WrongLength`], naming the field.
    pub fn milenage_from_hex(k: &str, opc: &str) -> Result<Self, AkaError> {
        Ok(Self::Milenage { k: Key128::from_hex(k)?, opc: Opc::from_hex(opc)? })
    }

    /// TUAK from hexadecimal text; K has 32 or 64 digits, TOPc 64.
    ///
    /// # Errors
    /// [`AkaError::NotHex`], [`AkaError::WrongLength`], naming the field.
    pub fn tuak_from_hex(k: &str, topc: &str, settings: TuakSettings) -> Result<Self, AkaError> {
        Ok(Self::Tuak { k: TuakKey::from_hex(k)?, topc: Topc::from_hex(topc)?, settings })
    }

    /// `milenage` or `tuak`, for display and statistics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Milenage { .. } => "milenage",
            Self::Tuak { .. } => "tuak",
        }
    }

    /// f1: MAC-A.
    pub fn f1(&self, rand: &Rand, sqn: Sqn, amf: Amf) -> [u8; 8] {
        match self {
            Self::Milenage { k, opc } => Milenage::new(k, opc).f1(rand, sqn, amf),
            Self::Tuak { k, topc, settings } => Tuak::new(k, topc, *settings).f1(rand, sqn, amf),
        }
    }

    /// f1*: MAC-S.
    pub fn f1_star(&self, rand: &Rand, sqn: Sqn, amf: Amf) -> [u8; 8] {
        match self {
            Self::Milenage { k, opc } => Milenage::new(k, opc).f1_star(rand, sqn, amf),
            Self::Tuak { k, topc, settings } => Tuak::new(k, topc, *settings).f1_star(rand, sqn, amf),
        }
    }

    /// f2 to f5: RES, CK, IK and AK.
    pub fn f2345(&self, rand: &Rand) -> Response {
        match self {
            Self::Milenage { k, opc } => Milenage::new(k, opc).f2345(rand),
            Self::Tuak { k, topc, settings } => Tuak::new(k, topc, *settings).f2345(rand),
        }
    }

    /// f5*: AK for a resynchronisation.
    pub fn f5_star(&self, rand: &Rand) -> AnonymityKey {
        match self {
            Self::Milenage { k, opc } => Milenage::new(k, opc).f5_star(rand),
            Self::Tuak { k, topc, settings } => Tuak::new(k, topc, *settings).f5_star(rand),
        }
    }

    /// The bytes a vault seals; the inverse of [`Algorithm::decode`]. **Plaintext secrets.**
    ///
    /// Milenage: `01 ‖ K(16) ‖ OPc(16)`. TUAK: `02 ‖ iterations ‖ RES bytes ‖ K length ‖ K ‖ TOPc(32)`.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        // The longest form is 68 bytes; reserving it leaves no copy behind by growing.
        let mut out = Zeroizing::new(Vec::with_capacity(68));
        match self {
            Self::Milenage { k, opc } => {
                out.push(MILENAGE);
                out.extend_from_slice(k.as_bytes());
                out.extend_from_slice(opc.as_bytes());
            }
            Self::Tuak { k, topc, settings } => {
                let k = k.as_bytes();
                let res_bytes = (settings.res.bits() / 8) as u8;
                out.extend_from_slice(&[TUAK, settings.iterations.count(), res_bytes, k.len() as u8]);
                out.extend_from_slice(k);
                out.extend_from_slice(topc.as_bytes());
            }
        }
        out
    }

    /// Reads what [`Algorithm::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// [`AkaError::StoredAlgorithm`] for any other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, AkaError> {
        const BAD: AkaError = AkaError::StoredAlgorithm("unknown shape");
        match bytes {
            [MILENAGE, rest @ ..] if rest.len() == 32 => {
                Ok(Self::Milenage { k: Key128::from_slice(&rest[..16])?, opc: Opc::from_slice(&rest[16..])? })
            }
            [TUAK, iterations, res_bytes, k_len, rest @ ..] if rest.len() == usize::from(*k_len) + 32 => {
                let (k, topc) = rest.split_at(usize::from(*k_len));
                let k = match k.len() {
                    16 => TuakKey::K128(Key128::from_slice(k)?),
                    32 => TuakKey::K256(Key256::from_slice(k)?),
                    _ => return Err(BAD),
                };
                let settings = TuakSettings {
                    iterations: TuakIterations::try_from(*iterations).map_err(|_| BAD)?,
                    res: TuakResLength::try_from(u16::from(*res_bytes) * 8).map_err(|_| BAD)?,
                };
                Ok(Self::Tuak { k, topc: Topc::from_slice(topc)?, settings })
            }
            _ => Err(BAD),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_algorithm() -> impl Strategy<Value = Algorithm> {
        let settings = (any::<bool>(), 0..3usize).prop_map(|(two, res)| TuakSettings {
            iterations: if two { TuakIterations::Two } else { TuakIterations::One },
            res: [TuakResLength::Bits32, TuakResLength::Bits64, TuakResLength::Bits128][res],
        });
        let k = prop_oneof![
            any::<[u8; 16]>().prop_map(|k| TuakKey::K128(Key128::from_bytes(k))),
            any::<[u8; 32]>().prop_map(|k| TuakKey::K256(Key256::from_bytes(k))),
        ];
        prop_oneof![
            any::<([u8; 16], [u8; 16])>()
                .prop_map(|(k, opc)| Algorithm::Milenage { k: Key128::from_bytes(k), opc: Opc::from_bytes(opc) }),
            (k, any::<[u8; 32]>(), settings).prop_map(|(k, topc, settings)| Algorithm::Tuak {
                k,
                topc: Topc::from_bytes(topc),
                settings
            }),
        ]
    }

    proptest! {
        #[test]
        fn stored_bytes_round_trip_and_no_other_length_is_read(a in any_algorithm(), extra in any::<u8>()) {
            let bytes = a.encode();
            prop_assert_eq!(&Algorithm::decode(&bytes), &Ok(a));
            let mut longer = bytes.to_vec();
            longer.push(extra);
            prop_assert!(Algorithm::decode(&longer).is_err());
            for n in 0..bytes.len() {
                prop_assert!(Algorithm::decode(&bytes[..n]).is_err());
            }
        }

        #[test]
        fn whatever_decodes_encodes_back(bytes in proptest::collection::vec(any::<u8>(), 0..80), kind in 0..4u8) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = kind;
            }
            if let Ok(a) = Algorithm::decode(&bytes) {
                prop_assert_eq!(a.encode().to_vec(), bytes);
            }
        }
    }

    #[test]
    fn debug_names_the_algorithm_and_no_secret() {
        let a = Algorithm::milenage_from_hex(&"5a".repeat(16), &"a5".repeat(16)).expect("valid");
        assert_eq!(format!("{a:?}"), "Milenage { k: Key128(redacted), opc: Opc(redacted) }");
        assert_eq!(
            Algorithm::milenage_from_hex(&"5a".repeat(16), "a5").expect_err("short").to_string(),
            "OPc must be 32 hexadecimal digits, got 2"
        );
    }
}

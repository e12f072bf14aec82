//! A software SIM's identity and secrets, in a form that may be written to a file. No I/O here.
//!
//! This is the one place where K is serialised, on purpose: the file *is* the card. Whoever writes it
//! restricts or encrypts the file.

use crate::secret::{Key128, Opc, Topc};
use crate::tuak::{TuakIterations, TuakKey, TuakResLength, TuakSettings};
use crate::{AkaError, Algorithm, Iccid, Imsi};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::marker::PhantomData;
use zeroize::Zeroizing;

/// What a manufacturer writes into a card. Shape in JSON:
///
/// ```json
/// {"imsi": "410010123456789", "iccid": "8992410000000000014",
///  "algorithm": {"milenage": {"k": "<32 hex digits>", "opc": "<32 hex digits>"}}}
/// ```
/// or `"algorithm": {"tuak": {"k": "…", "topc": "…", "iterations": 1, "res_bits": 64}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwareSim {
    /// Subscriber.
    pub imsi: Imsi,
    /// Card.
    pub iccid: Iccid,
    /// Algorithm, K and operator constant.
    #[serde(with = "stored_algorithm")]
    pub algorithm: Algorithm,
}

/// A secret as hexadecimal text, read without an intermediate `String` of our own.
struct Hex<T>(T);

trait HexSecret: Sized {
    fn read(text: &str) -> Result<Self, AkaError>;
    fn write(&self) -> Zeroizing<String>;
}
macro_rules! hex_secret {
    ($($name:ident),+) => {$(
        impl HexSecret for $name {
            fn read(text: &str) -> Result<Self, AkaError> {
                Self::from_hex(text)
            }
            fn write(&self) -> Zeroizing<String> {
                crate::hex_text::encode(self.as_bytes())
            }
        }
    )+};
}
hex_secret!(Key128, Opc, Topc, TuakKey);

impl<T: HexSecret> Serialize for Hex<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0.write())
    }
}
impl<'de, T: HexSecret> Deserialize<'de> for Hex<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V<T>(PhantomData<T>);
        impl<T: HexSecret> de::Visitor<'_> for V<T> {
            type Value = Hex<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("hexadecimal digits")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hex<T>, E> {
                T::read(text).map(Hex).map_err(E::custom)
            }
        }
        d.deserialize_str(V(PhantomData))
    }
}

/// Externally tagged: serde buffers the content of the other kinds of enum, secrets included.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Stored {
    Milenage(StoredMilenage),
    Tuak(StoredTuak),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredMilenage {
    k: Hex<Key128>,
    opc: Hex<Opc>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTuak {
    k: Hex<TuakKey>,
    topc: Hex<Topc>,
    iterations: u8,
    res_bits: u16,
}

mod stored_algorithm {
    use super::*;

    pub(super) fn serialize<S: Serializer>(a: &Algorithm, s: S) -> Result<S::Ok, S::Error> {
        match a.clone() {
            Algorithm::Milenage { k, opc } => Stored::Milenage(StoredMilenage { k: Hex(k), opc: Hex(opc) }),
            Algorithm::Tuak { k, topc, settings } => Stored::Tuak(StoredTuak {
                k: Hex(k),
                topc: Hex(topc),
                iterations: settings.iterations.count(),
                res_bits: settings.res.bits(),
            }),
        }
        .serialize(s)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Algorithm, D::Error> {
        match Stored::deserialize(d)? {
            Stored::Milenage(m) => Ok(Algorithm::Milenage { k: m.k.0, opc: m.opc.0 }),
            Stored::Tuak(t) => {
                let iterations = TuakIterations::try_from(t.iterations).map_err(de::Error::custom)?;
                let res = TuakResLength::try_from(t.res_bits).map_err(de::Error::custom)?;
                let settings = TuakSettings { iterations, res };
                Ok(Algorithm::Tuak { k: t.k.0, topc: t.topc.0, settings })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sim(algorithm: Algorithm) -> SoftwareSim {
        SoftwareSim {
            imsi: Imsi::new("410010123456789").expect("valid"),
            iccid: Iccid::with_check_digit("899241000000000001").expect("valid"),
            algorithm,
        }
    }

    #[test]
    fn both_algorithms_round_trip() {
        let milenage = Algorithm::milenage_from_hex(&"5a".repeat(16), &"a5".repeat(16)).expect("valid");
        let json = serde_json::to_value(sim(milenage.clone())).expect("serialises");
        let stored = serde_json::json!({"milenage": {"k": "5a".repeat(16), "opc": "a5".repeat(16)}});
        assert_eq!(json["algorithm"], stored);
        let settings = TuakSettings { iterations: TuakIterations::Two, res: TuakResLength::Bits128 };
        let tuak = Algorithm::tuak_from_hex(&"5a".repeat(32), &"a5".repeat(32), settings).expect("valid");
        for sim in [sim(milenage), sim(tuak)] {
            let text = serde_json::to_string(&sim).expect("serialises");
            assert_eq!(serde_json::from_str::<SoftwareSim>(&text).expect("parses"), sim);
        }
    }

    #[test]
    fn a_bad_file_is_refused_with_the_field_and_without_the_secret() {
        let algorithm = Algorithm::milenage_from_hex(&"5a".repeat(16), &"a5".repeat(16)).expect("valid");
        let good = serde_json::to_string(&sim(algorithm)).expect("serialises");
        for (from, to, says) in [
            ("\"5a5a", "\"5a", "K must be 32 hexadecimal digits, got 30"),
            ("\"a5a5", "\"zza5", "OPc: character 1 is not a hexadecimal digit"),
            ("\"41001", "\"4100x", "IMSI: character 5"),
            ("\"89924", "\"99924", "ICCID: the check digit"),
            ("\"k\"", "\"kk\"", "unknown field"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            let err = serde_json::from_str::<SoftwareSim>(&bad).expect_err(says).to_string();
            assert!(err.contains(says), "{err}");
            assert!(!err.contains("5a5a") && !err.contains("a5a5"), "{err}");
        }
    }
}

//! Deterministic CBOR (RFC 8949 §4.2.1): one value has exactly one encoding, so a signature covers a meaning.

use crate::TrustError;
use ciborium::Value;
use serde::{Serialize, de::DeserializeOwned};

/// Encodes with map keys in bytewise order of their encodings, shortest integers and definite lengths.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, TrustError> {
    let mut tree = Value::serialized(value).map_err(|_| TrustError::TooLarge)?;
    sort(&mut tree)?;
    raw(&tree)
}

/// Decodes `bytes` (at most `max` of them) and refuses anything but the one deterministic encoding of the value.
///
/// `what` names the thing in the error.
pub fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8], max: usize, what: &'static str) -> Result<T, TrustError> {
    let malformed = TrustError::Malformed(what);
    if bytes.len() > max {
        return Err(malformed);
    }
    // Statements are shallow; a low limit keeps hostile nesting off the stack.
    let value: T = pakawaaz_tree::from_cbor_within(bytes, 16).map_err(|_| malformed)?;
    // Re-encoding catches trailing bytes, long-form integers, unsorted or unknown keys in one comparison.
    if encode(&value).map_err(|_| malformed)? != bytes {
        return Err(malformed);
    }
    Ok(value)
}

fn raw(value: &Value) -> Result<Vec<u8>, TrustError> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).map_err(|_| TrustError::TooLarge)?;
    Ok(out)
}

fn sort(value: &mut Value) -> Result<(), TrustError> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(sort),
        Value::Map(entries) => {
            let mut keyed = Vec::with_capacity(entries.len());
            for (key, mut item) in entries.drain(..) {
                sort(&mut item)?;
                keyed.push((raw(&key)?, key, item));
            }
            keyed.sort_by(|a, b| a.0.cmp(&b.0));
            entries.extend(keyed.into_iter().map(|(_, key, item)| (key, item)));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Serde helper for `[u8; N]` as a CBOR byte string.
pub mod array {
    use pakawaaz_base::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    /// Writes a byte string.
    pub fn serialize<S: Serializer, const N: usize>(value: &[u8; N], s: S) -> Result<S::Ok, S::Error> {
        Bytes(value.to_vec()).serialize(s)
    }
    /// Reads a byte string of exactly `N` bytes.
    pub fn deserialize<'de, D: Deserializer<'de>, const N: usize>(d: D) -> Result<[u8; N], D::Error> {
        Bytes::deserialize(d)?.array().ok_or_else(|| D::Error::custom("wrong length"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair {
        long_name: u32,
        b: Option<u8>,
    }

    #[test]
    fn keys_are_sorted_and_other_encodings_refused() {
        let bytes = encode(&Pair { long_name: 3, b: None }).expect("encodes");
        // {"b": null, "long_name": 3}: the shorter key first.
        assert_eq!(hex::encode(&bytes), "a26162f6696c6f6e675f6e616d6503");
        assert_eq!(decode::<Pair>(&bytes, 64, "pair").expect("decodes"), Pair { long_name: 3, b: None });
        for other in [
            "a2696c6f6e675f6e616d65036162f6",       // unsorted
            "a26162f6696c6f6e675f6e616d651803",     // 3 in two bytes
            "bf6162f6696c6f6e675f6e616d6503ff",     // indefinite length
            "a26162f6696c6f6e675f6e616d650300",     // trailing byte
            "a36162f66163f6696c6f6e675f6e616d6503", // unknown key
            "a1696c6f6e675f6e616d6503",             // optional key left out
        ] {
            let bytes = hex::decode(other).expect("hex");
            assert!(decode::<Pair>(&bytes, 64, "pair").is_err(), "{other}");
        }
        assert!(decode::<Pair>(&bytes, bytes.len() - 1, "pair").is_err(), "over the size limit");
    }
}

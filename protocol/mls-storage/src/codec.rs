//! How values are written: one tag byte, then the body.
//!
//! [`Format::Compact`] is postcard: byte strings cost their length plus one or two bytes, where CBOR writes the
//! `Vec<u8>`s of openmls as arrays of integers (nearly twice the size) and JSON as decimal text (nearly four times).
//! Postcard does not describe itself, and one openmls type (`PastEpochDeletionPolicy`, inside the join config)
//! can only be read from a format that does: those few rows are [`Format::Described`], CBOR. The tag byte also is
//! where a later openmls with other shapes gets its own number, so that old rows stay readable.

use crate::{StorageError, Value};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

/// Which body follows the tag byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// postcard 1; shapes of openmls 0.9.
    Compact = 1,
    /// CBOR; shapes of openmls 0.9.
    Described = 2,
}

/// Encodes `value` behind its tag. No partial copy of a secret is left in freed memory by the compact format.
pub fn encode<T: Serialize + ?Sized>(format: Format, value: &T) -> Result<Value, StorageError> {
    match format {
        Format::Compact => encode_compact(value),
        Format::Described => encode_described(value),
    }
}

/// Decodes what [`encode`] wrote, whichever format it was; trailing bytes are an error.
///
/// Whoever knows the format calls [`decode_compact`] or [`decode_described`]: a browser then loads one decoder for
/// each type of openmls instead of two.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StorageError> {
    match bytes.first() {
        Some(t) if *t == Format::Described as u8 => decode_described(bytes),
        _ => decode_compact(bytes),
    }
}

/// [`Format::Compact`].
pub fn encode_compact<T: Serialize + ?Sized>(value: &T) -> Result<Value, StorageError> {
    encode_behind(&[Format::Compact as u8], value)
}

/// postcard behind `prefix`.
pub(crate) fn encode_behind<T: Serialize + ?Sized>(prefix: &[u8], value: &T) -> Result<Value, StorageError> {
    let mut out = Wiped(Zeroizing::new(Vec::with_capacity(256)));
    out.append(prefix);
    postcard::serialize_with_flavor(value, out).map_err(|_| StorageError::Encode)
}

/// Where postcard writes to: a vector that grows without leaving secrets behind. Asking for the size first would need
/// a second encoder for every type of openmls.
struct Wiped(Value);

impl Wiped {
    fn append(&mut self, data: &[u8]) {
        let needed = self.0.len() + data.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            // The old one is wiped as it goes.
            self.0 = larger;
        }
        self.0.extend_from_slice(data);
    }
}

impl postcard::ser_flavors::Flavor for Wiped {
    type Output = Value;
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.append(data);
        Ok(())
    }
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.append(&[data]);
        Ok(())
    }
    fn finalize(self) -> postcard::Result<Value> {
        // Rows stay in memory for long: no room that is not needed.
        Ok(Zeroizing::new(self.0.to_vec()))
    }
}

/// [`Format::Described`].
pub fn encode_described<T: Serialize + ?Sized>(value: &T) -> Result<Value, StorageError> {
    let mut out = Zeroizing::new(Vec::with_capacity(256));
    out.push(Format::Described as u8);
    ciborium::into_writer(value, &mut *out).map_err(|_| StorageError::Encode)?;
    Ok(out)
}

/// What [`encode_compact`] wrote; trailing bytes and other formats are an error.
pub fn decode_compact<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StorageError> {
    let body = body(bytes, Format::Compact)?;
    let (value, rest) = postcard::take_from_bytes(body).map_err(|_| StorageError::Decode)?;
    if rest.is_empty() { Ok(value) } else { Err(StorageError::Decode) }
}

/// What [`encode_described`] wrote; trailing bytes and other formats are an error.
pub fn decode_described<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StorageError> {
    pakawaaz_tree::from_cbor(body(bytes, Format::Described)?).map_err(|_| StorageError::Decode)
}

fn body(bytes: &[u8], format: Format) -> Result<&[u8], StorageError> {
    bytes.split_first().filter(|(tag, _)| **tag == format as u8).map(|(_, body)| body).ok_or(StorageError::Decode)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Sample = (u64, Vec<u8>, Option<String>, Vec<(u32, Vec<u8>)>);

    proptest! {
        #[test]
        fn round_trips_in_both_formats(sample: Sample) {
            for format in [Format::Compact, Format::Described] {
                let bytes = encode(format, &sample).expect("encodes");
                prop_assert_eq!(decode::<Sample>(&bytes).expect("decodes"), sample.clone());
                let mut longer = bytes.to_vec();
                longer.push(0);
                prop_assert_eq!(decode::<Sample>(&longer), Err(StorageError::Decode));
            }
        }

        /// Whatever the sizes of its parts: growing changes nothing.
        #[test]
        fn it_is_postcard_behind_a_tag(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 0..6)) {
            let expected = [vec![Format::Compact as u8], postcard::to_stdvec(&parts).expect("encodes")].concat();
            prop_assert_eq!(&*encode_compact(&parts).expect("encodes"), &expected);
        }

        #[test]
        fn damaged_rows_are_errors_never_panics(bytes: Vec<u8>) {
            let _ = decode::<Sample>(&bytes);
            let _ = decode::<Vec<Vec<u8>>>(&bytes);
        }
    }

    #[test]
    fn unknown_tags_are_refused() {
        assert_eq!(decode::<u8>(&[]), Err(StorageError::Decode));
        assert_eq!(decode::<u8>(&[9, 1]), Err(StorageError::Decode));
    }
}

//! Trees out of CBOR (RFC 8949), by the parser under `ciborium`.
//!
//! Not by `ciborium` itself: how it says what it found instead of what it expected is more than all of this.

use crate::{NotThis, Tree};
use ciborium::Value;
use ciborium_ll::{Decoder, Header, simple};
use zeroize::Zeroizing;

/// Reads one item, which must be all there is.
pub(crate) fn read(cbor: &[u8], depth: usize) -> Result<Tree, NotThis> {
    let mut parser = Parser { decoder: Decoder::from(cbor), length: cbor.len() };
    let header = parser.header()?;
    let tree = parser.item(header, depth)?;
    if parser.decoder.offset() == cbor.len() { Ok(tree) } else { Err(NotThis) }
}

struct Parser<'a> {
    decoder: Decoder<&'a [u8]>,
    /// Of the whole input: nothing in it is longer.
    length: usize,
}

impl Parser<'_> {
    fn header(&mut self) -> Result<Header, NotThis> {
        self.decoder.pull().map_err(|_| NotThis)
    }

    fn item(&mut self, header: Header, depth: usize) -> Result<Tree, NotThis> {
        Ok(match header {
            Header::Positive(v) => Tree::Unsigned(v),
            Header::Negative(v) => Tree::Signed(!i64::try_from(v).map_err(|_| NotThis)?),
            Header::Float(v) => Tree::Float(v),
            Header::Simple(simple::FALSE) => Tree::Bool(false),
            Header::Simple(simple::TRUE) => Tree::Bool(true),
            Header::Simple(simple::NULL | simple::UNDEFINED) => Tree::Null,
            Header::Bytes(length) => Tree::Bytes(self.bytes(length)?),
            Header::Text(length) => {
                let mut bytes = self.bytes(length)?;
                let text = String::from_utf8(std::mem::take(&mut *bytes)).map_err(|e| {
                    *bytes = e.into_bytes();
                    NotThis
                })?;
                Tree::Text(Zeroizing::new(text))
            }
            Header::Tag(_) => {
                let header = self.header()?;
                self.item(header, deeper(depth)?)?
            }
            Header::Array(length) => {
                let (mut left, depth) = (length, deeper(depth)?);
                let mut out = Vec::new();
                while let Some(header) = self.next(&mut left)? {
                    out.push(self.item(header, depth)?);
                }
                Tree::Array(out)
            }
            Header::Map(length) => {
                let (mut left, depth) = (length, deeper(depth)?);
                let mut out = Vec::new();
                while let Some(header) = self.next(&mut left)? {
                    let key = self.item(header, depth)?;
                    let header = self.header()?;
                    out.push((key, self.item(header, depth)?));
                }
                Tree::Map(out)
            }
            Header::Simple(_) | Header::Break => return Err(NotThis),
        })
    }

    /// The header of the next item of an array or map: `left` many, or up to the break.
    fn next(&mut self, left: &mut Option<usize>) -> Result<Option<Header>, NotThis> {
        match left {
            Some(0) => Ok(None),
            Some(left) => {
                *left -= 1;
                self.header().map(Some)
            }
            None => match self.header()? {
                Header::Break => Ok(None),
                header => Ok(Some(header)),
            },
        }
    }

    fn bytes(&mut self, length: Option<usize>) -> Result<Zeroizing<Vec<u8>>, NotThis> {
        use ciborium_io::Read as _;
        // Room is made only for what can be there.
        let length = length.filter(|length| *length <= self.length).ok_or(NotThis)?;
        let mut out = Zeroizing::new(vec![0; length]);
        self.decoder.read_exact(&mut out).map_err(|_| NotThis)?;
        Ok(out)
    }
}

fn deeper(depth: usize) -> Result<usize, NotThis> {
    depth.checked_sub(1).ok_or(NotThis)
}

/// The same of CBOR that was read already.
pub(crate) fn tree_of(value: &Value, depth: usize) -> Result<Tree, NotThis> {
    Ok(match value {
        Value::Integer(v) => {
            let v = i128::from(*v);
            match u64::try_from(v) {
                Ok(v) => Tree::Unsigned(v),
                Err(_) => Tree::Signed(i64::try_from(v).map_err(|_| NotThis)?),
            }
        }
        Value::Bytes(v) => Tree::Bytes(Zeroizing::new(v.clone())),
        Value::Float(v) => Tree::Float(*v),
        Value::Text(v) => Tree::Text(Zeroizing::new(v.clone())),
        Value::Bool(v) => Tree::Bool(*v),
        Value::Null => Tree::Null,
        Value::Tag(_, v) => tree_of(v, deeper(depth)?)?,
        Value::Array(items) => {
            let depth = deeper(depth)?;
            Tree::Array(items.iter().map(|item| tree_of(item, depth)).collect::<Result<_, _>>()?)
        }
        Value::Map(entries) => {
            let depth = deeper(depth)?;
            let entry = |(key, value): &(Value, Value)| Ok((tree_of(key, depth)?, tree_of(value, depth)?));
            Tree::Map(entries.iter().map(entry).collect::<Result<_, NotThis>>()?)
        }
        _ => return Err(NotThis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DEPTH, from_cbor, from_value};
    use proptest::prelude::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("is equal to itself", |v| !v.is_nan()).prop_map(Value::from),
            prop::collection::vec(any::<u8>(), 0..300).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::vec((inner.clone(), inner), 0..4).prop_map(Value::Map),
            ]
        })
    }

    fn encoded(value: &Value) -> Vec<u8> {
        let mut out = Vec::new();
        ciborium::into_writer(value, &mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn what_ciborium_writes_is_read(value in value()) {
            let bytes = encoded(&value);
            prop_assert_eq!(from_cbor::<Value>(&bytes), Ok(value.clone()));
            prop_assert_eq!(from_value::<Value>(&value), Ok(value.clone()));
            for cut in 0..bytes.len() {
                prop_assert_eq!(from_cbor::<Value>(&bytes[..cut]), Err(NotThis));
            }
            prop_assert_eq!(from_cbor::<Value>(&[bytes, vec![0xf6]].concat()), Err(NotThis));
        }

        /// Nothing is read that `ciborium` would not read.
        #[test]
        fn damage_is_no_worse_than_for_ciborium(value in value(), at: prop::sample::Index, to: u8) {
            let mut bytes = encoded(&value);
            let at = at.index(bytes.len());
            bytes[at] = to;
            if from_cbor::<Value>(&bytes).is_ok() {
                prop_assert!(ciborium::from_reader::<Value, _>(&bytes[..]).is_ok());
            }
        }
    }

    #[test]
    fn arrays_and_maps_may_be_open() {
        assert_eq!(from_cbor::<Vec<u8>>(&[0x9f, 1, 2, 0xff]), Ok(vec![1, 2]));
        let map: std::collections::BTreeMap<String, u8> = from_cbor(&[0xbf, 0x61, b'a', 1, 0xff]).unwrap();
        assert_eq!(map["a"], 1);
        for bad in [&[0x9f, 1][..], &[0xbf, 0x61, b'a', 0xff], &[0xff], &[0x81, 0xff], &[0x7f, 0x61, b'a', 0xff]] {
            assert_eq!(from_cbor::<Value>(bad), Err(NotThis), "{bad:?}");
        }
    }

    #[test]
    fn what_is_announced_makes_no_room() {
        // Lengths of 2^63 and of 4 GiB.
        for bad in [&[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..], &[0x7a, 0xff, 0xff, 0xff, 0xff, b'a']]
        {
            assert_eq!(from_cbor::<Value>(bad), Err(NotThis));
        }
        assert_eq!(from_cbor::<Value>(&[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Err(NotThis));
        assert!(read(&[0x61, 0xff], DEPTH).is_err(), "not UTF-8");
    }
}

//! JSON and CBOR by way of a tree.
//!
//! serde writes a decoder for every type *and* every format, with the format's parser and the words of its errors woven
//! into each. In a browser that is a quarter of what has to be loaded. Here a document is first read into a [`Tree`], by
//! `serde_json` or the parser under `ciborium` and once for all types; the type is then made of the tree, by a decoder
//! that has no parser, one wordless error, and serves both formats.
//!
//! For small documents (rows, statements, answers); a tree costs about an allocation for each text in it.
//!
//! It is a little stricter than the parsers alone: a struct is a map, never an array, and the whole input must be one
//! document. CBOR tags are passed over, as `ciborium` does; numbers of more than 64 bits and texts in pieces are refused.
//!
//! **Invariant**: what a tree held is wiped when it is dropped, or has moved into the value that was made of it.

mod cbor;
pub mod fuzz;
mod typed;

use serde::de::{self, DeserializeOwned, MapAccess, SeqAccess};
use std::fmt;
use zeroize::Zeroizing;

/// A document is not what it should be. There is nothing more to say: the text could be anybody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document is not of this shape")]
pub struct NotThis;

/// Deepest nesting of CBOR that is read. JSON has `serde_json`'s own limit.
pub const DEPTH: usize = 64;

/// A document.
#[derive(Debug)]
enum Tree {
    Null,
    Bool(bool),
    Unsigned(u64),
    /// Below zero.
    Signed(i64),
    Float(f64),
    Bytes(Zeroizing<Vec<u8>>),
    Text(Zeroizing<String>),
    Array(Vec<Tree>),
    /// As written: whoever allows no key twice has to see both.
    Map(Vec<(Tree, Tree)>),
}

/// Decodes JSON.
///
/// # Errors
/// [`NotThis`].
pub fn from_json<T: DeserializeOwned>(json: &[u8]) -> Result<T, NotThis> {
    typed::make(serde_json::from_slice(json).map_err(|_| NotThis)?, true)
}

/// Decodes CBOR; the whole input must be one item.
///
/// # Errors
/// [`NotThis`].
pub fn from_cbor<T: DeserializeOwned>(cbor: &[u8]) -> Result<T, NotThis> {
    from_cbor_within(cbor, DEPTH)
}

/// [`from_cbor`] with another limit to nesting than [`DEPTH`].
///
/// # Errors
/// [`NotThis`].
pub fn from_cbor_within<T: DeserializeOwned>(cbor: &[u8], depth: usize) -> Result<T, NotThis> {
    typed::make(cbor::read(cbor, depth)?, false)
}

/// Makes a `T` of CBOR that was read already.
///
/// # Errors
/// [`NotThis`].
pub fn from_value<T: DeserializeOwned>(value: &ciborium::Value) -> Result<T, NotThis> {
    typed::make(cbor::tree_of(value, DEPTH)?, false)
}

impl<'de> de::Deserialize<'de> for Tree {
    fn deserialize<D: de::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        d.deserialize_any(Reader)
    }
}

/// What `serde_json` finds becomes a tree.
struct Reader;

impl<'de> de::Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document")
    }
    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(v))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Tree, E> {
        Ok(Tree::Unsigned(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Tree, E> {
        Ok(u64::try_from(v).map_or(Tree::Signed(v), Tree::Unsigned))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Tree, E> {
        Ok(Tree::Float(v))
    }
    fn visit_str<E>(self, v: &str) -> Result<Tree, E> {
        Ok(Tree::Text(Zeroizing::new(v.to_owned())))
    }
    fn visit_string<E>(self, v: String) -> Result<Tree, E> {
        Ok(Tree::Text(Zeroizing::new(v)))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        // No room is made for the number of items that the document claims to have.
        let mut out = Vec::new();
        while let Some(item) = items.next_element()? {
            out.push(item);
        }
        Ok(Tree::Array(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut out = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            out.push(entry);
        }
        Ok(Tree::Map(out))
    }
}

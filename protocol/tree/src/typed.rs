//! Types out of trees: a serde deserializer without a parser.

use crate::{NotThis, Tree};
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer as _, Visitor};
use std::fmt;
use std::mem::take;
use zeroize::Zeroizing;

/// Makes a `T` of `tree`; `readable` is what `is_human_readable` says (JSON).
pub(crate) fn make<T: DeserializeOwned>(tree: Tree, readable: bool) -> Result<T, NotThis> {
    T::deserialize(Node { tree, readable })
}

// Each of these would otherwise put words together.
impl de::Error for NotThis {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }
    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }
    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self
    }
    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }
    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }
    fn missing_field(_: &'static str) -> Self {
        Self
    }
    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

struct Node {
    tree: Tree,
    readable: bool,
}

impl Node {
    #[inline(never)]
    fn text(self) -> Result<Zeroizing<String>, NotThis> {
        match self.tree {
            Tree::Text(v) => Ok(v),
            _ => Err(NotThis),
        }
    }
}

macro_rules! number {
    ($($name:ident)*) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
            match self.tree {
                Tree::Unsigned(v) => visitor.visit_u64(v),
                Tree::Signed(v) => visitor.visit_i64(v),
                _ => Err(NotThis),
            }
        })*
    };
}

macro_rules! list {
    ($($name:ident($($more:ident: $type:ty),*))*) => {
        $(fn $name<V: Visitor<'de>>(self, $($more: $type,)* visitor: V) -> Result<V::Value, NotThis> {
            $(let _ = $more;)*
            match self.tree {
                Tree::Array(items) => items_to(items, self.readable, visitor),
                _ => Err(NotThis),
            }
        })*
    };
}

impl<'de> de::Deserializer<'de> for Node {
    type Error = NotThis;

    fn is_human_readable(&self) -> bool {
        self.readable
    }
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        match self.tree {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(v) => visitor.visit_bool(v),
            Tree::Unsigned(v) => visitor.visit_u64(v),
            Tree::Signed(v) => visitor.visit_i64(v),
            Tree::Float(v) => visitor.visit_f64(v),
            Tree::Bytes(v) => visitor.visit_bytes(&v),
            Tree::Text(v) => visitor.visit_str(&v),
            Tree::Array(items) => items_to(items, self.readable, visitor),
            Tree::Map(entries) => entries_to(entries, self.readable, visitor),
        }
    }
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        match self.tree {
            Tree::Bool(v) => visitor.visit_bool(v),
            _ => Err(NotThis),
        }
    }
    number! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }
    list! {
        deserialize_seq()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
    }
    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        self.deserialize_str(visitor)
    }
    // Lent, not given: a visitor that makes something else of a text would drop it without wiping it.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        visitor.visit_str(&self.text()?)
    }
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        visitor.visit_string(take(&mut *self.text()?))
    }
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        match self.tree {
            Tree::Bytes(v) => visitor.visit_bytes(&v),
            _ => Err(NotThis),
        }
    }
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        match self.tree {
            Tree::Bytes(mut v) => visitor.visit_byte_buf(take(&mut *v)),
            _ => Err(NotThis),
        }
    }
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        self.deserialize_str(visitor)
    }
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        match self.tree {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        match self.tree {
            Tree::Null => visitor.visit_unit(),
            _ => Err(NotThis),
        }
    }
    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NotThis> {
        self.deserialize_unit(visitor)
    }
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, NotThis> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        match self.tree {
            Tree::Map(entries) => entries_to(entries, self.readable, visitor),
            _ => Err(NotThis),
        }
    }
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotThis> {
        self.deserialize_map(visitor)
    }
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, NotThis> {
        visitor.visit_enum(variant_of(self)?)
    }
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        visitor.visit_unit()
    }
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        self.deserialize_f64(visitor)
    }
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, NotThis> {
        match self.tree {
            Tree::Float(v) => visitor.visit_f64(v),
            // JSON writes 1.0 as it likes.
            Tree::Unsigned(v) if self.readable => visitor.visit_u64(v),
            Tree::Signed(v) if self.readable => visitor.visit_i64(v),
            _ => Err(NotThis),
        }
    }
}

fn items_to<'de, V: Visitor<'de>>(items: Vec<Tree>, readable: bool, visitor: V) -> Result<V::Value, NotThis> {
    let mut items = Items { rest: items.into_iter(), readable };
    let value = visitor.visit_seq(&mut items)?;
    // A tuple of three is no pair.
    if items.rest.len() == 0 { Ok(value) } else { Err(NotThis) }
}

fn entries_to<'de, V: Visitor<'de>>(
    entries: Vec<(Tree, Tree)>,
    readable: bool,
    visitor: V,
) -> Result<V::Value, NotThis> {
    let mut entries = Entries { rest: entries.into_iter(), value: Tree::Null, readable };
    let value = visitor.visit_map(&mut entries)?;
    if entries.rest.len() == 0 { Ok(value) } else { Err(NotThis) }
}

struct Items {
    rest: std::vec::IntoIter<Tree>,
    readable: bool,
}

impl<'de> de::SeqAccess<'de> for &mut Items {
    type Error = NotThis;
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, NotThis> {
        match self.rest.next() {
            Some(tree) => seed.deserialize(Node { tree, readable: self.readable }).map(Some),
            None => Ok(None),
        }
    }
    // No `size_hint`: nothing is allocated for what is only announced, and serde grows what it fills anyway.
}

struct Entries {
    rest: std::vec::IntoIter<(Tree, Tree)>,
    value: Tree,
    readable: bool,
}

// Apart, so that they are there once and not for every type.
impl Entries {
    #[inline(never)]
    fn key(&mut self) -> Option<Node> {
        let (key, value) = self.rest.next()?;
        self.value = value;
        Some(Node { tree: key, readable: self.readable })
    }
    #[inline(never)]
    fn value(&mut self) -> Node {
        Node { tree: std::mem::replace(&mut self.value, Tree::Null), readable: self.readable }
    }
}

impl<'de> de::MapAccess<'de> for &mut Entries {
    type Error = NotThis;
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, NotThis> {
        self.key().map(|key| seed.deserialize(key)).transpose()
    }
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, NotThis> {
        seed.deserialize(self.value())
    }
}

/// A variant's name, and what it holds: `"name"` or `{"name": content}`.
struct Variant {
    name: Zeroizing<String>,
    content: Option<Node>,
}

fn variant_of(node: Node) -> Result<Variant, NotThis> {
    match node.tree {
        Tree::Text(name) => Ok(Variant { name, content: None }),
        Tree::Map(mut entries) => match (entries.pop(), entries.is_empty()) {
            (Some((Tree::Text(name), tree)), true) => {
                Ok(Variant { name, content: Some(Node { tree, readable: node.readable }) })
            }
            _ => Err(NotThis),
        },
        _ => Err(NotThis),
    }
}

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = NotThis;
    type Variant = Content;
    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Content), NotThis> {
        let name: de::value::StrDeserializer<'_, NotThis> = self.name.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.content)))
    }
}

struct Content(Option<Node>);

impl Content {
    fn node(self) -> Result<Node, NotThis> {
        self.0.ok_or(NotThis)
    }
}

impl<'de> de::VariantAccess<'de> for Content {
    type Error = NotThis;
    fn unit_variant(self) -> Result<(), NotThis> {
        match self.0 {
            None | Some(Node { tree: Tree::Null, .. }) => Ok(()),
            Some(_) => Err(NotThis),
        }
    }
    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, NotThis> {
        seed.deserialize(self.node()?)
    }
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, NotThis> {
        de::Deserializer::deserialize_tuple(self.node()?, len, visitor)
    }
    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, NotThis> {
        de::Deserializer::deserialize_map(self.node()?, visitor)
    }
}

#[cfg(test)]
mod tests {
    use crate::{NotThis, from_cbor, from_cbor_within, from_json};
    use proptest::prelude::*;
    use serde::de::DeserializeOwned;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(i64);
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Pair(u8, String);

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Unit,
        New(u32),
        Tuple(bool, i8),
        Struct { a: Option<u16>, b: Vec<Shape> },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "what", rename_all = "snake_case")]
    enum Tagged {
        Nothing,
        One { id: i32 },
        Two(Inner),
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        c: char,
        f: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        later: Option<Box<Inner>>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Everything {
        unit: Unit,
        wrapped: Wrapped,
        pair: Pair,
        shapes: Vec<Shape>,
        tagged: Vec<Tagged>,
        map: BTreeMap<String, Option<u64>>,
        array: [u8; 3],
        text: String,
        nothing: (),
    }

    fn shape() -> impl Strategy<Value = Shape> {
        let leaf = prop_oneof![
            Just(Shape::Unit),
            any::<u32>().prop_map(Shape::New),
            any::<(bool, i8)>().prop_map(|(a, b)| Shape::Tuple(a, b))
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            (any::<Option<u16>>(), prop::collection::vec(inner, 0..3)).prop_map(|(a, b)| Shape::Struct { a, b })
        })
    }

    fn inner() -> impl Strategy<Value = Inner> {
        // Numbers that have a short decimal form: `serde_json` alone does not read the others back exactly.
        let leaf = any::<(char, i32)>().prop_map(|(c, f)| Inner { c, f: f64::from(f) / 4.0, later: None });
        leaf.prop_recursive(2, 4, 1, |inner| {
            (any::<char>(), inner).prop_map(|(c, inner)| Inner { c, f: 0.5, later: Some(Box::new(inner)) })
        })
    }

    fn everything() -> impl Strategy<Value = Everything> {
        let tagged = prop_oneof![
            Just(Tagged::Nothing),
            any::<i32>().prop_map(|id| Tagged::One { id }),
            inner().prop_map(Tagged::Two)
        ];
        let parts = (
            any::<(i64, u8, String, [u8; 3], String)>(),
            prop::collection::vec(shape(), 0..4),
            prop::collection::vec(tagged, 0..4),
            any::<BTreeMap<String, Option<u64>>>(),
        );
        parts.prop_map(|((wrapped, a, b, array, text), shapes, tagged, map)| Everything {
            unit: Unit,
            wrapped: Wrapped(wrapped),
            pair: Pair(a, b),
            shapes,
            tagged,
            map,
            array,
            text,
            nothing: (),
        })
    }

    fn cbor<T: Serialize>(value: &T) -> Vec<u8> {
        let mut out = Vec::new();
        ciborium::into_writer(value, &mut out).unwrap();
        out
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(value in everything()) {
            prop_assert_eq!(from_json(&serde_json::to_vec(&value).unwrap()), Ok(value.clone()));
            prop_assert_eq!(from_cbor(&cbor(&value)), Ok(value.clone()));
            prop_assert_eq!(crate::from_value(&ciborium::Value::serialized(&value).unwrap()), Ok(value.clone()));
            let mut longer = cbor(&value);
            longer.push(0);
            prop_assert_eq!(from_cbor::<Everything>(&longer), Err(NotThis));
        }

        /// What the parsers alone read is read the same; JSON that they refuse is refused.
        #[test]
        fn damage_is_read_as_the_parsers_read_it(value in everything(), at: prop::sample::Index, to: u8) {
            let mut bytes = cbor(&value);
            let at_cbor = at.index(bytes.len());
            bytes[at_cbor] = to;
            if let (Ok(read), Ok(direct)) =
                (from_cbor::<Everything>(&bytes), ciborium::from_reader::<Everything, _>(&bytes[..]))
            {
                // By their text: what is no number is not equal to itself.
                prop_assert_eq!(format!("{read:?}"), format!("{direct:?}"));
            }
            let mut json = serde_json::to_vec(&value).unwrap();
            let at_json = at.index(json.len());
            json[at_json] = to;
            if let Ok(read) = from_json::<Everything>(&json) {
                prop_assert_eq!(read, serde_json::from_slice::<Everything>(&json).unwrap());
            }
        }

        #[test]
        fn anything_is_an_error_never_a_panic(data: Vec<u8>) {
            let _ = from_cbor::<Everything>(&data);
            let _ = from_json::<Everything>(&data);
            let _ = from_cbor::<Vec<Vec<Inner>>>(&data);
            let _ = from_json::<Vec<Vec<Inner>>>(&data);
        }
    }

    fn json<T: DeserializeOwned + Debug>(text: &str) -> Result<T, NotThis> {
        from_json(text.as_bytes())
    }

    #[test]
    fn structs_are_maps_with_each_key_once() {
        assert!(json::<Inner>(r#"{"c":"x","f":1}"#).is_ok());
        assert!(json::<Inner>(r#"{"c":"x","f":1,"later":null}"#).is_ok());
        for bad in [
            r#"["x",1,null]"#,
            r#"{"c":"x","f":1,"c":"y"}"#,
            r#"{"c":"x"}"#,
            r#"{"c":"x","f":1,"more":2}"#,
            r#"{"c":"xy","f":1}"#,
            r#"{"c":"x","f":"1"}"#,
            r#"{"c":"x","f":1} 2"#,
            "null",
            "",
        ] {
            assert_eq!(json::<Inner>(bad), Err(NotThis), "{bad}");
        }
    }

    #[test]
    fn numbers_keep_to_their_type() {
        assert_eq!(json::<Vec<u8>>("[0,255]"), Ok(vec![0, 255]));
        assert_eq!(json::<Vec<i8>>("[-128,127]"), Ok(vec![-128, 127]));
        assert_eq!(json::<Vec<f64>>("[1,-1,0.5]"), Ok(vec![1.0, -1.0, 0.5]));
        for bad in ["[256]", "[-1]", "[1.0]", "[\"1\"]", "[null]", "[true]"] {
            assert_eq!(json::<Vec<u8>>(bad), Err(NotThis), "{bad}");
        }
        assert_eq!(from_cbor::<u64>(&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Ok(u64::MAX));
        assert_eq!(from_cbor::<i64>(&[0x3b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), Ok(i64::MIN));
        assert_eq!(from_cbor::<i64>(&[0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0]), Err(NotThis), "below the smallest");
    }

    #[test]
    fn tuples_and_variants_have_all_and_no_more() {
        assert_eq!(json::<(u8, u8)>("[1,2]"), Ok((1, 2)));
        assert_eq!(json::<(u8, u8)>("[1,2,3]"), Err(NotThis));
        assert_eq!(json::<(u8, u8)>("[1]"), Err(NotThis));
        assert_eq!(json::<Shape>(r#""Unit""#), Ok(Shape::Unit));
        for bad in [r#""New""#, r#"{"New":1,"Unit":null}"#, r#"{"Unit":1}"#, r#""Other""#, "{}", "3"] {
            assert_eq!(json::<Shape>(bad), Err(NotThis), "{bad}");
        }
    }

    #[test]
    fn cbor_tags_are_passed_over_and_deep_nesting_refused() {
        assert_eq!(from_cbor::<u8>(&[0xc1, 0x05]), Ok(5));
        assert_eq!(from_cbor::<Vec<u8>>(&[0xc1, 0x82, 0xd8, 0x20, 0x01, 0x02]), Ok(vec![1, 2]));
        assert_eq!(from_cbor::<u64>(&[0xc2, 0x41, 0x05]), Err(NotThis), "a big number");
        assert_eq!(from_cbor::<u8>(&[0xc1]), Err(NotThis));
        let deep = |n: usize| [vec![0x81; n], vec![0x80]].concat();
        assert!(from_cbor::<serde::de::IgnoredAny>(&deep(20)).is_ok());
        assert!(from_cbor_within::<serde::de::IgnoredAny>(&deep(20), 16).is_err());
        assert!(from_cbor::<serde::de::IgnoredAny>(&deep(100_000)).is_err());
    }

    #[test]
    fn ids_and_bytes_are_text_in_json_and_bytes_in_cbor() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Both {
            id: pakawaaz_base::GroupId,
            bytes: pakawaaz_base::Bytes,
        }
        let both = Both { id: pakawaaz_base::GroupId::from_bytes([7; 16]), bytes: vec![1, 2, 3].into() };
        let text = serde_json::to_string(&both).unwrap();
        assert!(text.contains("AQID"));
        assert_eq!(json(&text), Ok(Both { ..both }));
        let both = Both { id: pakawaaz_base::GroupId::from_bytes([7; 16]), bytes: vec![1, 2, 3].into() };
        assert_eq!(from_cbor(&cbor(&both)), Ok(both));
    }
}

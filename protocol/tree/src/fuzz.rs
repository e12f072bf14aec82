//! Entry points of the fuzz workspace: each takes arbitrary bytes and must neither panic nor break its own law.

use crate::{from_cbor, from_json};

/// Documents of either format. JSON is read as `serde_json` alone reads it.
pub fn document(data: &[u8]) {
    if let Ok(read) = from_json::<serde_json::Value>(data) {
        assert_eq!(serde_json::from_slice::<serde_json::Value>(data).ok(), Some(read));
    }
    let _ = from_cbor::<ciborium::Value>(data);
    let _ = from_cbor::<Vec<(String, Option<u64>)>>(data);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_panics(data: Vec<u8>, text in "[\\[\\]{}\",:0-9a-z.e+-]{0,40}") {
            super::document(&data);
            super::document(text.as_bytes());
        }
    }
}

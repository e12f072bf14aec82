//! Entry points of the fuzz workspace.

use crate::model::{access, blob};

/// The access header of a download.
pub fn access_header(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(value) = access::parse(text)
    {
        assert_eq!(access::parse(&access::show(&value)), Some(value));
    }
}

/// A name found in the blob store.
pub fn blob_name(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data)
        && let Some(name) = blob::Name::parse(text)
    {
        assert_eq!(name.to_string(), text);
    }
}

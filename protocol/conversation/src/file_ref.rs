//! Where a file is and how it is opened: everything that its receivers need and the server must not learn.

use crate::ContentError;
use pakawaaz_base::{Bytes, FileId};
use pakawaaz_file_stream::MAX_CHUNK;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

/// Largest name in bytes.
pub const MAX_FILE_NAME: usize = 255;
/// Largest media type in bytes (RFC 6838 §4.2).
pub const MAX_MEDIA_TYPE: usize = 127;
/// Largest thumbnail in bytes.
pub const MAX_THUMBNAIL: usize = 48 * 1024;
/// Plaintext bytes per chunk that senders of this version use.
pub use pakawaaz_file_stream::CHUNK;
/// Chunk sizes that are read. Smaller ones would make a file of millions of requests; larger ones are not opened.
pub const CHUNKS: RangeInclusive<u32> = 64 * 1024..=MAX_CHUNK;
/// Media types of thumbnails: pictures that nothing runs in.
pub const THUMBNAIL_TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// A file at the server. `Debug` shows its id and size only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct FileRef {
    /// The file.
    pub file: FileId,
    /// Proves to the server that one may fetch it.
    pub access: [u8; 32],
    /// AES-256 key, of this file only.
    pub key: [u8; 32],
    /// Nonce prefix of the STREAM construction.
    pub nonce: [u8; 7],
    /// SHA-256 of the whole plaintext.
    pub sha256: [u8; 32],
    /// Plaintext bytes.
    pub size: u64,
    /// Plaintext bytes per chunk, within [`CHUNKS`].
    pub chunk: u32,
    /// Name, at most [`MAX_FILE_NAME`] bytes, without path separators and control characters.
    pub name: String,
    /// Media type, as the sender claims it; at most [`MAX_MEDIA_TYPE`] bytes.
    pub media_type: String,
    /// Small picture, at most [`MAX_THUMBNAIL`] bytes.
    pub thumbnail: Option<Vec<u8>>,
    /// One of [`THUMBNAIL_TYPES`]; with a thumbnail only.
    pub thumbnail_type: Option<String>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Length of sound or film.
    pub duration_ms: Option<u64>,
}

impl FileRef {
    /// Whether every limit holds.
    ///
    /// # Errors
    /// [`ContentError::TooLarge`], [`ContentError::Malformed`].
    pub fn check(&self) -> Result<(), ContentError> {
        let thumbnail = self.thumbnail.as_ref().map_or(0, Vec::len);
        if self.name.len() > MAX_FILE_NAME || self.media_type.len() > MAX_MEDIA_TYPE || thumbnail > MAX_THUMBNAIL {
            return Err(ContentError::TooLarge);
        }
        let picture = match (&self.thumbnail, &self.thumbnail_type) {
            (Some(_), Some(kind)) => THUMBNAIL_TYPES.contains(&kind.as_str()),
            (None, None) => true,
            _ => false,
        };
        // The chunk counter has 32 bits.
        let chunks = CHUNKS.contains(&self.chunk) && self.size.div_ceil(u64::from(self.chunk)) <= u64::from(u32::MAX);
        let media_type = !self.media_type.contains(|c: char| c.is_control());
        if name_is_good(&self.name) && media_type && picture && chunks { Ok(()) } else { Err(ContentError::Malformed) }
    }
}

/// Whether a name is one: somewhere a receiver will save it.
pub fn name_is_good(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_FILE_NAME
        && !matches!(name, "." | "..")
        && !name.contains(|c: char| c.is_control() || matches!(c, '/' | '\\'))
}

impl fmt::Debug for FileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileRef").field("file", &self.file).field("size", &self.size).finish_non_exhaustive()
    }
}

/// As it travels and is stored: byte strings, not arrays of numbers.
#[derive(Serialize, Deserialize)]
struct Wire {
    file: FileId,
    access: Bytes,
    key: Bytes,
    nonce: Bytes,
    sha256: Bytes,
    size: u64,
    chunk: u32,
    name: String,
    media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumbnail_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

impl From<FileRef> for Wire {
    fn from(f: FileRef) -> Self {
        Self {
            file: f.file,
            access: f.access.into(),
            key: f.key.into(),
            nonce: f.nonce.into(),
            sha256: f.sha256.into(),
            size: f.size,
            chunk: f.chunk,
            name: f.name,
            media_type: f.media_type,
            thumbnail: f.thumbnail.map(Bytes),
            thumbnail_type: f.thumbnail_type,
            width: f.width,
            height: f.height,
            duration_ms: f.duration_ms,
        }
    }
}

impl TryFrom<Wire> for FileRef {
    type Error = ContentError;
    fn try_from(w: Wire) -> Result<Self, ContentError> {
        Ok(Self {
            file: w.file,
            access: w.access.array().ok_or(ContentError::Malformed)?,
            key: w.key.array().ok_or(ContentError::Malformed)?,
            nonce: w.nonce.array().ok_or(ContentError::Malformed)?,
            sha256: w.sha256.array().ok_or(ContentError::Malformed)?,
            size: w.size,
            chunk: w.chunk,
            name: w.name,
            media_type: w.media_type,
            thumbnail: w.thumbnail.map(|t| t.0),
            thumbnail_type: w.thumbnail_type,
            width: w.width,
            height: w.height,
            duration_ms: w.duration_ms,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn file() -> FileRef {
        FileRef {
            file: FileId::from_bytes([1; 16]),
            access: [2; 32],
            key: [3; 32],
            nonce: [4; 7],
            sha256: [5; 32],
            size: 3_000_000,
            chunk: CHUNK,
            name: "Minutes of the meeting.pdf".into(),
            media_type: "application/pdf".into(),
            thumbnail: None,
            thumbnail_type: None,
            width: None,
            height: None,
            duration_ms: None,
        }
    }

    pub(crate) fn files() -> impl Strategy<Value = FileRef> {
        let thumbnail = proptest::option::of((any::<Vec<u8>>(), 0..THUMBNAIL_TYPES.len()));
        let sizes = (proptest::option::of(any::<u32>()), proptest::option::of(any::<u64>()));
        (any::<[u8; 32]>(), any::<[u8; 7]>(), 0..1u64 << 47, "[a-z\u{621}-\u{64a} .]{1,30}x", thumbnail, sizes)
            .prop_map(|(key, nonce, size, name, thumbnail, (width, duration_ms))| FileRef {
                key,
                nonce,
                size,
                name,
                thumbnail_type: thumbnail.as_ref().map(|(_, kind)| THUMBNAIL_TYPES[*kind].to_owned()),
                thumbnail: thumbnail.map(|(bytes, _)| bytes),
                width,
                height: width,
                duration_ms,
                ..file()
            })
    }

    #[test]
    fn every_limit_is_checked() {
        use ContentError::{Malformed, TooLarge};
        assert_eq!(file().check(), Ok(()));
        let bad = [
            (FileRef { name: "x".repeat(256), ..file() }, TooLarge),
            (FileRef { media_type: "x".repeat(128), ..file() }, TooLarge),
            (FileRef { thumbnail: Some(vec![0; MAX_THUMBNAIL + 1]), ..file() }, TooLarge),
            (FileRef { name: String::new(), ..file() }, Malformed),
            (FileRef { name: "a/b".into(), ..file() }, Malformed),
            (FileRef { name: "a\\b".into(), ..file() }, Malformed),
            (FileRef { name: "..".into(), ..file() }, Malformed),
            (FileRef { name: "a\nb".into(), ..file() }, Malformed),
            (FileRef { name: "a\u{85}b".into(), ..file() }, Malformed),
            (FileRef { media_type: "a\r\nb".into(), ..file() }, Malformed),
            (FileRef { chunk: 0, ..file() }, Malformed),
            (FileRef { chunk: 1024, ..file() }, Malformed),
            (FileRef { chunk: MAX_CHUNK + 1, ..file() }, Malformed),
            (FileRef { size: u64::MAX, ..file() }, Malformed),
            (FileRef { thumbnail: Some(vec![0]), ..file() }, Malformed),
            (FileRef { thumbnail_type: Some("image/png".into()), ..file() }, Malformed),
            (FileRef { thumbnail: Some(vec![0]), thumbnail_type: Some("image/svg+xml".into()), ..file() }, Malformed),
        ];
        for (file, expected) in bad {
            assert_eq!(file.check(), Err(expected), "{:?} {}", file, file.name);
        }
    }

    #[test]
    fn whatever_chunks_a_message_may_name_can_be_opened() {
        use pakawaaz_file_stream::Shape;
        for chunk in [*CHUNKS.start(), CHUNK, *CHUNKS.end()] {
            assert_eq!(FileRef { chunk, ..file() }.check(), Ok(()));
            assert!(Shape::new(file().size, chunk).is_ok(), "{chunk}");
        }
        assert!(Shape::new(file().size, CHUNKS.end() + 1).is_err(), "and larger ones are refused by both");
    }

    #[test]
    fn secrets_are_byte_strings_of_exact_length_and_not_in_debug() {
        let mut cbor = Vec::new();
        ciborium::into_writer(&file(), &mut cbor).unwrap();
        assert!(cbor.windows(34).any(|w| w[..2] == [0x58, 32] && w[2..] == [3; 32]), "a byte string, not an array");
        let at = cbor.windows(34).position(|w| w[..2] == [0x58, 32] && w[2..] == [3; 32]).unwrap();
        cbor[at + 1] = 31;
        cbor.remove(at + 33);
        assert!(ciborium::from_reader::<FileRef, _>(&cbor[..]).is_err(), "a key of 31 bytes");
        let shown = format!("{:?}", file());
        assert!(!shown.contains("Minutes") && !shown.contains("3, 3"), "{shown}");
    }
}

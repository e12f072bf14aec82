//! Names in the blob store: `ab/<file>/<number>-<first half of the SHA-256>`.
//!
//! The hash is in the name, so that two different uploads of one chunk at the same time never write to one place: the
//! row decides which of them is the chunk.

use pakawaaz_base::FileId;
use std::fmt;

/// Name of a blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The file.
    pub file: FileId,
    /// Which chunk.
    pub number: u32,
    /// First half of the SHA-256 of its bytes.
    pub hash: u128,
}

/// The folder of a file, without a slash at its end. The first level spreads folders by the random end of the id.
pub fn folder(file: FileId) -> String {
    format!("{}/{file}", shard(file.as_bytes()[15]))
}

/// One of the 256 folders of the first level.
pub fn shard(number: u8) -> String {
    format!("{number:02x}")
}

impl Name {
    /// The name of a chunk.
    pub fn new(file: FileId, number: u32, sha256: &[u8; 32]) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&sha256[..16]);
        Self { file, number, hash: u128::from_be_bytes(half) }
    }

    /// Reads a name; `None` for what this context never wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (_, file, last) = (parts.next()?, parts.next()?, parts.next()?);
        let (number, hash) = last.split_once('-')?;
        let name =
            Self { file: file.parse().ok()?, number: number.parse().ok()?, hash: u128::from_str_radix(hash, 16).ok()? };
        // One name, one spelling.
        (parts.next().is_none() && name.to_string() == text).then_some(name)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:08}-{:032x}", folder(self.file), self.number, self.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_has_one_spelling() {
        let name = Name::new(FileId::from_bytes([0xab; 16]), 7, &[0xcd; 32]);
        let text = name.to_string();
        assert_eq!(text, format!("ab/abababab-abab-abab-abab-abababababab/00000007-{}", "cd".repeat(16)));
        for other in
            [text.to_uppercase(), text.replacen("ab/", "ac/", 1), text.replace("00000007", "7"), format!("{text}/")]
        {
            assert_eq!(Name::parse(&other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn names_round_trip(file: [u8; 16], number: u32, hash: [u8; 32]) {
            let name = Name::new(FileId::from_bytes(file), number, &hash);
            prop_assert_eq!(Name::parse(&name.to_string()), Some(name));
        }

        #[test]
        fn garbage_is_no_name(text in "[0-9a-f/-]{0,90}") {
            crate::fuzz::blob_name(text.as_bytes());
        }
    }
}

//! What cards are made with, besides randomness: the operator's constants and the transport keys. The vault keeps them,
//! sealed under its own key.

use aes::Aes256;
use aes::cipher::{BlockEncrypt as _, KeyInit as _};

/// Longest name of a transport key.
pub const LONGEST_NAME: usize = 32;

/// What such a value is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssueKind {
    /// OP of Milenage, 16 bytes.
    Op,
    /// TOP of TUAK, 32 bytes.
    Top,
    /// A bureau's transport key: AES-256.
    Bureau,
    /// Transport keys for pySim's columns: AES-256 for KI, then AES-256 for OPC.
    Pysim,
}

impl IssueKind {
    /// As in names of files.
    pub fn text(self) -> &'static str {
        match self {
            Self::Op => "op",
            Self::Top => "top",
            Self::Bureau => "bureau",
            Self::Pysim => "pysim",
        }
    }
    /// Its number in what it is sealed with.
    pub fn number(self) -> u8 {
        match self {
            Self::Op => 0,
            Self::Top => 1,
            Self::Bureau => 2,
            Self::Pysim => 3,
        }
    }
    /// Bytes of such a value.
    pub fn length(self) -> usize {
        match self {
            Self::Op => 16,
            Self::Top | Self::Bureau => 32,
            Self::Pysim => 64,
        }
    }
}

/// One such value by name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IssueKey {
    kind: IssueKind,
    /// Zeros behind it.
    name: [u8; LONGEST_NAME],
}

impl IssueKey {
    /// The operator's constant of an algorithm.
    pub fn operator(kind: IssueKind) -> Self {
        Self { kind, name: [0; LONGEST_NAME] }
    }
    /// A transport key. Names are 1 to [`LONGEST_NAME`] of `a-z`, `0-9` and `-`.
    pub fn transport(kind: IssueKind, name: &str) -> Option<Self> {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(good) {
            return None;
        }
        let mut key = Self::operator(kind);
        key.name[..name.len()].copy_from_slice(name.as_bytes());
        Some(key)
    }
    /// What it is for.
    pub fn kind(&self) -> IssueKind {
        self.kind
    }
    /// The name's bytes, zeros behind them.
    pub fn name_bytes(&self) -> &[u8; LONGEST_NAME] {
        &self.name
    }
    /// Name of a file: `op`, or `bureau-NAME`.
    pub fn file_name(&self) -> String {
        let name = String::from_utf8_lossy(&self.name).trim_end_matches('\0').to_owned();
        if name.is_empty() { self.kind.text().to_owned() } else { format!("{}-{name}", self.kind.text()) }
    }
}

impl std::fmt::Debug for IssueKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file_name())
    }
}

/// Key check value of an AES key: the first three bytes of sixteen bytes 0x01 encrypted under it (GlobalPlatform Card
/// Specification, Amendment D §4.1.4 and §7.2).
pub fn check_value(cipher: &Aes256) -> [u8; 3] {
    let mut block = aes::Block::from([1; 16]);
    cipher.encrypt_block(&mut block);
    [block[0], block[1], block[2]]
}

/// The check values of a transport key's bytes, one for each AES-256 key in it.
pub fn check_values(key: &[u8]) -> Vec<[u8; 3]> {
    key.chunks_exact(32).filter_map(|key| Aes256::new_from_slice(key).ok()).map(|key| check_value(&key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        let key = IssueKey::transport(IssueKind::Bureau, "bureau-1").expect("a name");
        assert_eq!(key.file_name(), "bureau-bureau-1");
        assert_eq!(IssueKey::operator(IssueKind::Op).file_name(), "op");
        for bad in ["", "../key", "A", "a b", "a\0", &"a".repeat(33)] {
            assert!(IssueKey::transport(IssueKind::Bureau, bad).is_none(), "{bad}");
        }
    }

    /// The test key of GlobalPlatform cards, 40 to 4f, has the check value 504a77.
    #[test]
    fn the_check_value_that_card_tools_show() {
        let cipher = aes::Aes128::new_from_slice(&(0x40..=0x4f).collect::<Vec<u8>>()).expect("a key");
        let mut block = aes::Block::from([1; 16]);
        cipher.encrypt_block(&mut block);
        assert_eq!(hex::encode(&block[..3]), "504a77");
        assert_eq!(check_values(&[7; 64]), [check_value(&Aes256::new(&[7; 32].into())); 2]);
    }
}

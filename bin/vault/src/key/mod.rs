//! The key under which cards' secrets rest, and the form of what it seals.
//!
//! `2 ‖ key (8) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`, AES-256-GCM, with what it is bound to as associated data. The key's
//! name tells apart what another key has sealed; nonces are random, which is good for four thousand million cards.

pub mod file;
pub mod pkcs11;

use crate::config::{KeyConfig, KeyKind};
use anyhow::Result;
use pakawaaz_sim_vault::{Bound, Wrap, WrapError};
use rand::RngCore as _;
use rand::rngs::OsRng;
use zeroize::Zeroizing;

/// First byte. The server's own sealing has 1.
const FORMAT: u8 = 2;
const NONCE: usize = 12;
const HEADER: usize = 1 + 8 + NONCE;
/// Of AES-GCM.
const TAG: usize = 16;
/// Longer secrets than any card or key has are not sealed by us.
const MAX: usize = 1024;

/// AES-256-GCM by one key, wherever that is.
pub trait Cipher: Send + Sync {
    /// The key's name.
    fn id(&self) -> [u8; 8];
    /// Whether the key could be copied out of this process.
    fn is_software(&self) -> bool;
    /// `ciphertext ‖ tag`.
    ///
    /// # Errors
    /// [`WrapError::Down`].
    fn encrypt(&self, nonce: &[u8; NONCE], data: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, WrapError>;
    /// The inverse.
    ///
    /// # Errors
    /// [`WrapError`].
    fn decrypt(&self, nonce: &[u8; NONCE], data: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError>;
}

/// The configured key.
///
/// # Errors
/// Says what is missing.
pub fn open(config: &KeyConfig) -> Result<WrappingKey> {
    Ok(WrappingKey(match config.kind {
        KeyKind::File => Box::new(file::FileKey::read(&config.file)?),
        KeyKind::Pkcs11 => Box::new(pkcs11::Token::open(config)?),
    }))
}

/// Makes the configured key and says its name.
///
/// # Errors
/// It exists already, or cannot be made.
pub fn make(config: &KeyConfig) -> Result<[u8; 8]> {
    match config.kind {
        KeyKind::File => file::make(&config.file),
        KeyKind::Pkcs11 => pkcs11::make(config),
    }
}

/// A key with the form of what it seals.
pub struct WrappingKey(pub Box<dyn Cipher>);

impl Wrap for WrappingKey {
    fn seal(&self, bound: Bound, plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
        let mut nonce = [0; NONCE];
        OsRng.fill_bytes(&mut nonce);
        let mut out = vec![FORMAT];
        out.extend_from_slice(&self.0.id());
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&self.0.encrypt(&nonce, &data(bound, self.0.id()), plaintext)?);
        Ok(out)
    }

    fn open(&self, bound: Bound, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        if sealed.len() < HEADER + TAG || sealed.len() > HEADER + TAG + MAX {
            return Err(WrapError::NotOurs);
        }
        let (header, rest) = sealed.split_at(HEADER);
        if header[0] != FORMAT || header[1..9] != self.0.id() {
            return Err(WrapError::NotOurs);
        }
        let nonce = <&[u8; NONCE]>::try_from(&header[9..]).map_err(|_| WrapError::NotOurs)?;
        self.0.decrypt(nonce, &data(bound, self.0.id()), rest)
    }
}

/// Associated data: form, key, kind and name of what the secrets belong to.
fn data(bound: Bound, key: [u8; 8]) -> Vec<u8> {
    let mut out = b"pakawaaz vault".to_vec();
    out.push(FORMAT);
    out.extend_from_slice(&key);
    match bound {
        Bound::Card(card) => {
            out.push(1);
            out.extend_from_slice(card.as_bytes());
        }
        Bound::SuciKey(number) => out.extend_from_slice(&[2, number]),
        Bound::Issue(key) => {
            out.extend_from_slice(&[3, key.kind().number()]);
            out.extend_from_slice(key.name_bytes());
        }
    }
    out
}

/// Test help: what every kind of key has to do.
#[cfg(test)]
pub(crate) fn conformance(key: &WrappingKey, other: &WrappingKey) {
    use pakawaaz_sim_vault::making::{IssueKey, IssueKind};
    let card = Bound::Card(pakawaaz_base::SimId::from_bytes([3; 16]));
    let sealed = key.seal(card, b"secrets of a card").expect("seals");
    assert_eq!(key.open(card, &sealed).expect("opens").as_slice(), b"secrets of a card");
    assert_ne!(key.seal(card, b"secrets of a card").expect("seals"), sealed, "nonces differ");
    assert!(!sealed.windows(7).any(|window| window == b"secrets"));
    let issue = IssueKey::operator(IssueKind::Op);
    let others = [Bound::Card(pakawaaz_base::SimId::from_bytes([4; 16])), Bound::SuciKey(3), Bound::Issue(issue)];
    for bound in others {
        assert_eq!(key.open(bound, &sealed).err(), Some(WrapError::NotOurs));
    }
    assert_eq!(other.open(card, &sealed).err(), Some(WrapError::NotOurs));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(key.open(card, &changed).err(), Some(WrapError::NotOurs), "byte {at}");
        assert!(key.open(card, &sealed[..at]).is_err());
    }
    assert_eq!(key.open(card, &sealed).expect("still opens").as_slice(), b"secrets of a card");
    assert_eq!(key.open(card, &vec![2; 5000]).err(), Some(WrapError::NotOurs));
}

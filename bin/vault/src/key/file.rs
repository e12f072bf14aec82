//! The key in a file: for where there is no module. Whoever reads the file and the database has every card.

use super::{Cipher, NONCE};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use anyhow::{Context as _, Result, ensure};
use pakawaaz_sim_vault::WrapError;
use rand::RngCore as _;
use rand::rngs::OsRng;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

/// First word of the file; name and key follow, hexadecimal.
const MAGIC: &str = "pakawaaz-vault-key-1";

/// The key in this process's memory.
pub struct FileKey {
    id: [u8; 8],
    cipher: Aes256Gcm,
}

impl FileKey {
    /// Reads the file.
    ///
    /// # Errors
    /// It is missing, readable by others, or something else.
    pub fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let about = std::fs::metadata(path).with_context(|| format!("{shown} (key.file); `init` makes it"))?;
        ensure!(about.permissions().mode() & 0o077 == 0, "{shown} (key.file) is readable by others: chmod 600");
        let text = Zeroizing::new(std::fs::read_to_string(path).with_context(|| format!("{shown} (key.file)"))?);
        Self::from_text(&text).with_context(|| format!("{shown} (key.file) holds no key made by `init`"))
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        if words.next() != Some(MAGIC) {
            return None;
        }
        let (mut id, mut key) = ([0; 8], Zeroizing::new([0; 32]));
        hex::decode_to_slice(words.next()?, &mut id).ok()?;
        hex::decode_to_slice(words.next()?, &mut *key).ok()?;
        words.next().is_none().then(|| Self::new(id, &key))
    }

    /// From its parts.
    pub fn new(id: [u8; 8], key: &[u8; 32]) -> Self {
        Self { id, cipher: Aes256Gcm::new(key.into()) }
    }
}

/// Makes a key file that only its owner may read, and says the key's name.
pub(super) fn make(path: &Path) -> Result<[u8; 8]> {
    let (mut id, mut key) = ([0; 8], Zeroizing::new([0; 32]));
    OsRng.fill_bytes(&mut id);
    OsRng.fill_bytes(&mut *key);
    let mut digits = Zeroizing::new([0; 64]);
    hex::encode_to_slice(*key, &mut *digits).context("hexadecimal")?;
    let mut text = Zeroizing::new(Vec::with_capacity(256));
    write!(text, "{MAGIC} {} ", hex::encode(id))?;
    text.extend_from_slice(&*digits);
    text.push(b'\n');
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("making {} (key.file)", path.display()))?;
    file.write_all(&text)?;
    file.sync_all()?;
    Ok(id)
}

impl Cipher for FileKey {
    fn id(&self) -> [u8; 8] {
        self.id
    }

    fn is_software(&self) -> bool {
        true
    }

    fn encrypt(&self, nonce: &[u8; NONCE], data: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
        let payload = Payload { msg: plaintext, aad: data };
        self.cipher.encrypt(Nonce::from_slice(nonce), payload).map_err(|_| WrapError::Down)
    }

    fn decrypt(&self, nonce: &[u8; NONCE], data: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        let payload = Payload { msg: sealed, aad: data };
        self.cipher.decrypt(Nonce::from_slice(nonce), payload).map(Zeroizing::new).map_err(|_| WrapError::NotOurs)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{WrappingKey, conformance};
    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_belongs_to_its_owner() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("key");
        let id = make(&path).expect("makes");
        assert!(make(&path).is_err(), "never overwritten");
        let key = FileKey::read(&path).expect("reads");
        assert_eq!(key.id(), id);
        let other = folder.path().join("other");
        make(&other).expect("makes");
        let other = WrappingKey(Box::new(FileKey::read(&other).expect("reads")));
        conformance(&WrappingKey(Box::new(key)), &other);
        // The same name does not make the same key.
        let same = WrappingKey(Box::new(FileKey::new(id, &[1; 32])));
        conformance(&WrappingKey(Box::new(FileKey::read(&path).expect("reads"))), &same);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("changes");
        let refused = FileKey::read(&path).err().expect("readable by others").to_string();
        assert!(refused.contains("readable by others"), "{refused}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("changes");
        std::fs::write(&path, "something else").expect("writes");
        assert!(FileKey::read(&path).is_err());
        assert!(FileKey::read(&folder.path().join("missing")).is_err());
    }
}

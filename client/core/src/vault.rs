//! Encryption of the store: AES-256-GCM rows under a data key that only PIN *and* device secret open.
//!
//! ```text
//! wrapping key = HKDF-SHA256(salt = device secret, ikm = Argon2id(PIN, salt), info = "pakawaaz vault v1")
//! header row   = Argon2id parameters ‖ salt ‖ nonce ‖ AES-256-GCM(wrapping key, data key)
//! every row    = nonce (12) ‖ AES-256-GCM(data key, value, additional data = row key)
//! ```
//! The row key is authenticated, so somebody with the disk cannot put one row in another's place.

use crate::ClientError;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// Shortest PIN in characters.
pub const MIN_PIN: usize = 6;
const NONCE: usize = 12;

/// How much work one PIN guess costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes.
    pub passes: u32,
}

impl Default for PinCost {
    /// 64 MiB, three passes.
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3 }
    }
}

impl PinCost {
    /// Next to nothing; for tests only.
    pub const TESTS: Self = Self { memory_kib: 8, passes: 1 };
}

/// The plain header row: useless without PIN and device secret.
#[derive(Clone, Serialize, Deserialize)]
pub struct VaultHeader {
    version: u8,
    cost: PinCost,
    salt: [u8; 16],
    nonce: [u8; NONCE],
    #[serde(with = "serde_bytes_vec")]
    wrapped: Vec<u8>,
}

mod serde_bytes_vec {
    use pakawaaz_base::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    pub fn serialize<S: Serializer>(v: &[u8], s: S) -> Result<S::Ok, S::Error> {
        Bytes::from(v).serialize(s)
    }
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        Ok(Bytes::deserialize(d)?.0)
    }
}

#[cfg(any(test, feature = "testing"))]
impl VaultHeader {
    /// Whether opening it takes no noticeable time (a fuzzer tries many).
    pub(crate) fn is_cheap(&self) -> bool {
        self.cost.memory_kib <= 64 && self.cost.passes <= 2
    }
}

/// An opened vault. Its key is wiped on drop.
pub struct Vault {
    cipher: Aes256Gcm,
    key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

fn wrapping_key(pin: &str, device_secret: &[u8; 32], salt: &[u8; 16], cost: PinCost) -> Result<Aes256Gcm, ClientError> {
    // A damaged header must not make us allocate without bound.
    if cost.memory_kib > 1024 * 1024 || cost.passes > 64 {
        return Err(ClientError::Damaged);
    }
    let params = argon2::Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(|_| ClientError::Damaged)?;
    let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut stretched = Zeroizing::new([0u8; 32]);
    argon.hash_password_into(pin.as_bytes(), salt, &mut *stretched).map_err(|_| ClientError::Damaged)?;
    let mut key = Zeroizing::new([0u8; 32]);
    hkdf::Hkdf::<sha2::Sha256>::new(Some(device_secret), &*stretched)
        .expand(b"pakawaaz vault v1", &mut *key)
        .expect("32 bytes are a valid HKDF length");
    Ok(Aes256Gcm::new((&*key).into()))
}

impl Vault {
    /// A new vault and its header.
    ///
    /// # Errors
    /// [`ClientError::WeakPin`].
    pub fn create(
        pin: &str,
        device_secret: &[u8; 32],
        cost: PinCost,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<(Self, VaultHeader), ClientError> {
        let mut data_key = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(&mut *data_key);
        let header = Self::wrap(&data_key, pin, device_secret, cost, rng)?;
        Ok((Self::from_key(data_key), header))
    }

    fn wrap(
        data_key: &[u8; 32],
        pin: &str,
        device_secret: &[u8; 32],
        cost: PinCost,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<VaultHeader, ClientError> {
        if pin.chars().count() < MIN_PIN {
            return Err(ClientError::WeakPin);
        }
        let (mut salt, mut nonce) = ([0u8; 16], [0u8; NONCE]);
        rng.fill_bytes(&mut salt);
        rng.fill_bytes(&mut nonce);
        let wrapped = wrapping_key(pin, device_secret, &salt, cost)?
            .encrypt((&nonce).into(), &data_key[..])
            .map_err(|_| ClientError::Damaged)?;
        Ok(VaultHeader { version: 1, cost, salt, nonce, wrapped })
    }

    fn unwrap_key(
        header: &VaultHeader,
        pin: &str,
        device_secret: &[u8; 32],
    ) -> Result<Zeroizing<[u8; 32]>, ClientError> {
        if header.version != 1 {
            return Err(ClientError::Damaged);
        }
        let plain = wrapping_key(pin, device_secret, &header.salt, header.cost)?
            .decrypt((&header.nonce).into(), &header.wrapped[..])
            .map_err(|_| ClientError::WrongPin)?;
        let plain = Zeroizing::new(plain);
        let mut key = Zeroizing::new([0u8; 32]);
        if plain.len() != key.len() {
            return Err(ClientError::Damaged);
        }
        key.copy_from_slice(&plain);
        Ok(key)
    }

    /// Opens a vault.
    ///
    /// # Errors
    /// [`ClientError::WrongPin`] (also on another device), [`ClientError::Damaged`].
    pub fn open(header: &VaultHeader, pin: &str, device_secret: &[u8; 32]) -> Result<Self, ClientError> {
        let key = Self::unwrap_key(header, pin, device_secret)?;
        Ok(Self::from_key(key))
    }

    /// A vault whose data key is known: handed over by another process of the same profile, in memory only.
    pub fn from_key(key: Zeroizing<[u8; 32]>) -> Self {
        Self { cipher: Aes256Gcm::new((&*key).into()), key }
    }
    /// The data key, to hand over.
    pub fn key(&self) -> &Zeroizing<[u8; 32]> {
        &self.key
    }

    /// A header for the same data key under another PIN.
    ///
    /// # Errors
    /// As [`Vault::open`] and [`Vault::create`].
    pub fn change_pin(
        header: &VaultHeader,
        old: &str,
        new: &str,
        device_secret: &[u8; 32],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<VaultHeader, ClientError> {
        let key = Self::unwrap_key(header, old, device_secret)?;
        Self::wrap(&key, new, device_secret, header.cost, rng)
    }

    /// Seals the value of a row.
    pub fn seal(&self, row_key: &[u8], value: &[u8], rng: &mut dyn CryptoRngCore) -> Vec<u8> {
        let mut nonce = [0u8; NONCE];
        rng.fill_bytes(&mut nonce);
        let sealed = self
            .cipher
            .encrypt((&nonce).into(), Payload { msg: value, aad: row_key })
            .expect("a row is far shorter than the cipher's limit");
        [&nonce[..], &sealed].concat()
    }

    /// Opens the value of a row.
    ///
    /// # Errors
    /// [`ClientError::Damaged`] when it was changed, cut, or belongs to another key.
    pub fn open_row(&self, row_key: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ClientError> {
        let (nonce, body) = sealed.split_at_checked(NONCE).ok_or(ClientError::Damaged)?;
        let plain =
            self.cipher.decrypt(nonce.into(), Payload { msg: body, aad: row_key }).map_err(|_| ClientError::Damaged)?;
        Ok(Zeroizing::new(plain))
    }
}

impl Drop for VaultHeader {
    fn drop(&mut self) {
        self.wrapped.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::rngs::OsRng;

    #[test]
    fn only_pin_and_device_secret_together_open_it() {
        let (vault, header) = Vault::create("123456", &[1; 32], PinCost::TESTS, &mut OsRng).expect("creates");
        let row = vault.seal(b"k", b"secret", &mut OsRng);
        let again = Vault::open(&header, "123456", &[1; 32]).expect("opens");
        assert_eq!(&**again.open_row(b"k", &row).expect("opens"), b"secret");
        assert!(matches!(Vault::open(&header, "123457", &[1; 32]), Err(ClientError::WrongPin)));
        assert!(matches!(Vault::open(&header, "123456", &[2; 32]), Err(ClientError::WrongPin)));
        assert!(matches!(Vault::create("12345", &[1; 32], PinCost::TESTS, &mut OsRng), Err(ClientError::WeakPin)));
    }

    #[test]
    fn a_new_pin_opens_the_same_rows_and_the_old_one_nothing() {
        let (vault, header) = Vault::create("123456", &[1; 32], PinCost::TESTS, &mut OsRng).expect("creates");
        let row = vault.seal(b"k", b"v", &mut OsRng);
        let new = Vault::change_pin(&header, "123456", "abcdef", &[1; 32], &mut OsRng).expect("changes");
        assert!(Vault::open(&new, "123456", &[1; 32]).is_err());
        let opened = Vault::open(&new, "abcdef", &[1; 32]).expect("opens");
        assert_eq!(&**opened.open_row(b"k", &row).expect("opens"), b"v");
    }

    proptest! {
        #[test]
        fn a_row_opens_only_whole_and_in_its_own_place(value: Vec<u8>, flip in 0usize..64, bit in 0u8..8) {
            let (vault, _) = Vault::create("123456", &[1; 32], PinCost::TESTS, &mut OsRng).expect("creates");
            let row = vault.seal(b"here", &value, &mut OsRng);
            prop_assert_eq!(&**vault.open_row(b"here", &row).expect("opens"), &value[..]);
            prop_assert!(vault.open_row(b"there", &row).is_err());
            prop_assert!(vault.open_row(b"here", &row[..row.len() - 1]).is_err());
            let mut bad = row.clone();
            let at = flip % bad.len();
            bad[at] ^= 1 << bit;
            prop_assert!(vault.open_row(b"here", &bad).is_err());
        }
    }
}

//! Sealed state: what the server must remember between two requests, kept by the client.
//!
//! AES-256-GCM under a key derived for each message from the server's secret and 32 random bytes, so random nonces
//! never run out. Purpose, id and expiry are authenticated. Sealing does not make a state single-use: the server's
//! durable steps do (a vector drawn, a session inserted).

use crate::LoginError;
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use pakawaaz_base::Millis;
use rand_core::CryptoRngCore;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const FORMAT: u8 = 1;
const SALT: usize = 32;
const HEADER: usize = 1 + SALT + 8;
/// Longest sealed state in bytes.
pub const MAX_SEALED: usize = 8192;

/// The server's sealing secret; every node of an installation holds the same.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// From 32 secret bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(secret)
    }
    /// A new one.
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        let mut secret = [0u8; 32];
        rng.fill_bytes(&mut secret);
        Self(secret)
    }

    /// Seals `plaintext` for `purpose` (a constant of the caller: `"login password"`) and `id`.
    pub fn seal(
        &self,
        purpose: &str,
        id: &[u8],
        expires_at: Millis,
        plaintext: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Vec<u8>, LoginError> {
        let mut salt = [0u8; SALT];
        rng.fill_bytes(&mut salt);
        let (cipher, nonce, aad) = self.cipher(purpose, id, expires_at, &salt)?;
        let payload = Payload { msg: plaintext, aad: &aad };
        let sealed =
            cipher.encrypt(Nonce::from_slice(&*nonce), payload).map_err(|_| LoginError::Internal("sealing"))?;
        let mut out = Vec::with_capacity(HEADER + sealed.len());
        out.push(FORMAT);
        out.extend_from_slice(&salt);
        out.extend_from_slice(&expires_at.as_i64().to_be_bytes());
        out.extend_from_slice(&sealed);
        if out.len() > MAX_SEALED {
            return Err(LoginError::Internal("state too large"));
        }
        Ok(out)
    }

    /// Opens what [`SealKey::seal`] made for the same purpose and id, unless it has expired.
    pub fn open(&self, purpose: &str, id: &[u8], sealed: &[u8], now: Millis) -> Result<Opened, LoginError> {
        if sealed.len() < HEADER || sealed.len() > MAX_SEALED || sealed[0] != FORMAT {
            return Err(LoginError::BadState);
        }
        let salt: [u8; SALT] = sealed[1..1 + SALT].try_into().map_err(|_| LoginError::BadState)?;
        let expiry: [u8; 8] = sealed[1 + SALT..HEADER].try_into().map_err(|_| LoginError::BadState)?;
        let expires_at = Millis(i64::from_be_bytes(expiry));
        let (cipher, nonce, aad) = self.cipher(purpose, id, expires_at, &salt)?;
        let payload = Payload { msg: &sealed[HEADER..], aad: &aad };
        let plaintext = cipher.decrypt(Nonce::from_slice(&*nonce), payload).map_err(|_| LoginError::BadState)?;
        // After authentication, so that nobody learns anything about forged states.
        if now >= expires_at {
            return Err(LoginError::Expired);
        }
        Ok(Opened { plaintext: Zeroizing::new(plaintext), expires_at })
    }

    fn cipher(
        &self,
        purpose: &str,
        id: &[u8],
        expires_at: Millis,
        salt: &[u8; SALT],
    ) -> Result<(Aes256Gcm, Zeroizing<[u8; 12]>, Vec<u8>), LoginError> {
        let aad = crate::transcript::fields(&[
            b"pakawaaz sealed v1",
            purpose.as_bytes(),
            id,
            &expires_at.as_i64().to_be_bytes(),
        ]);
        let mut okm = Zeroizing::new([0u8; 44]);
        Hkdf::<Sha256>::new(Some(salt), &self.0)
            .expand(b"pakawaaz seal", &mut *okm)
            .map_err(|_| LoginError::Internal("hkdf"))?;
        let cipher = Aes256Gcm::new_from_slice(&okm[..32]).map_err(|_| LoginError::Internal("seal key"))?;
        let mut nonce = Zeroizing::new([0u8; 12]);
        nonce.copy_from_slice(&okm[32..]);
        Ok((cipher, nonce, aad))
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealKey").finish_non_exhaustive()
    }
}

/// An opened state.
pub struct Opened {
    /// What was sealed.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Its end; a state made from this one keeps it.
    pub expires_at: Millis,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> SealKey {
        SealKey::new([7; 32])
    }

    #[test]
    fn opens_only_for_the_same_key_purpose_and_id_and_in_time() {
        let sealed = key().seal("login", b"id", Millis(100), b"secret", &mut rand::rngs::OsRng).expect("seals");
        assert_eq!(key().open("login", b"id", &sealed, Millis(99)).expect("opens").plaintext.as_slice(), b"secret");
        assert_eq!(key().open("login", b"id", &sealed, Millis(100)).err(), Some(LoginError::Expired));
        assert_eq!(key().open("other", b"id", &sealed, Millis(0)).err(), Some(LoginError::BadState));
        assert_eq!(key().open("login", b"ie", &sealed, Millis(0)).err(), Some(LoginError::BadState));
        assert_eq!(SealKey::new([8; 32]).open("login", b"id", &sealed, Millis(0)).err(), Some(LoginError::BadState));
        assert_eq!(format!("{:?}", key()), "SealKey { .. }");
    }

    proptest! {
        #[test]
        fn every_changed_byte_is_noticed(at in 0usize..1000, bit in 0u8..8, len in 0usize..200) {
            let mut sealed =
                key().seal("p", b"i", Millis(i64::MAX), &vec![1; len], &mut rand::rngs::OsRng).expect("seals");
            let at = at % sealed.len();
            sealed[at] ^= 1 << bit;
            prop_assert!(key().open("p", b"i", &sealed, Millis(0)).is_err());
        }
        #[test]
        fn garbage_never_opens(data in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(key().open("p", b"i", &data, Millis(0)).is_err());
        }
    }
}

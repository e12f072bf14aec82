//! The key of one file, and sealing and opening of its chunks.

use crate::{FileStreamError, NONCE, Shape, TAG};
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::aead::stream::{NewStream as _, StreamBE32, StreamPrimitive as _};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Key and nonce prefix of one file. Never in logs; `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct FileKey {
    key: [u8; 32],
    nonce: [u8; NONCE],
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileKey").finish_non_exhaustive()
    }
}

impl FileKey {
    /// A fresh key: one for every transfer.
    pub fn generate(rng: &mut dyn rand_core::CryptoRngCore) -> Self {
        let mut fresh = Self { key: [0; 32], nonce: [0; NONCE] };
        rng.fill_bytes(&mut fresh.key);
        rng.fill_bytes(&mut fresh.nonce);
        fresh
    }
    /// From a message.
    pub fn new(key: [u8; 32], nonce: [u8; NONCE]) -> Self {
        Self { key, nonce }
    }
    /// The key, for the message that gives it away.
    pub fn key(&self) -> &[u8; 32] {
        &self.key
    }
    /// The nonce prefix.
    pub fn nonce(&self) -> &[u8; NONCE] {
        &self.nonce
    }
    fn stream(&self) -> StreamBE32<Aes256Gcm> {
        let aead = Aes256Gcm::new(GenericArray::from_slice(&self.key));
        StreamBE32::from_aead(aead, GenericArray::from_slice(&self.nonce))
    }

    /// The AES-GCM nonce of a chunk, for whoever has a faster AES than this crate (a browser's WebCrypto): AES-256-GCM
    /// with it and without further data is what [`FileKey::seal`] and [`FileKey::open`] do.
    pub fn chunk_nonce(&self, shape: &Shape, index: u32) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[..NONCE].copy_from_slice(&self.nonce);
        nonce[NONCE..11].copy_from_slice(&index.to_be_bytes());
        nonce[11] = shape.is_last(index).into();
        nonce
    }

    /// Seals a chunk in place; it grows by [`TAG`] bytes. See the crate's invariant on repeated positions.
    ///
    /// # Errors
    /// [`FileStreamError::WrongLength`] when the buffer is not exactly the plaintext of that chunk.
    pub fn seal(&self, shape: &Shape, index: u32, chunk: &mut Vec<u8>) -> Result<(), FileStreamError> {
        if shape.plain_len(index) != Some(chunk.len()) {
            return Err(FileStreamError::WrongLength);
        }
        chunk.reserve_exact(TAG);
        self.stream()
            .encrypt_in_place(index, shape.is_last(index), b"", chunk)
            .map_err(|_| FileStreamError::WrongLength)
    }

    /// Opens a chunk in place; it shrinks by [`TAG`] bytes. After an error the buffer is empty.
    ///
    /// # Errors
    /// [`FileStreamError::WrongLength`], [`FileStreamError::NotAuthentic`].
    pub fn open(&self, shape: &Shape, index: u32, chunk: &mut Vec<u8>) -> Result<(), FileStreamError> {
        let opened = if shape.sealed_len(index) == Some(chunk.len()) {
            self.stream()
                .decrypt_in_place(index, shape.is_last(index), b"", chunk)
                .map_err(|_| FileStreamError::NotAuthentic)
        } else {
            Err(FileStreamError::WrongLength)
        };
        if opened.is_err() {
            chunk.clear();
        }
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes_gcm::aead::Aead as _;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whoever_has_aes_gcm_seals_alike(plain in proptest::collection::vec(any::<u8>(), 1..60), key: [u8; 32], nonce: [u8; NONCE]) {
            let shape = Shape::new(plain.len() as u64, 7).expect("shape");
            let key = FileKey::new(key, nonce);
            for (index, part) in plain.chunks(7).enumerate() {
                let index = index as u32;
                let mut chunk = part.to_vec();
                key.seal(&shape, index, &mut chunk).expect("seals");
                let other = Aes256Gcm::new(GenericArray::from_slice(key.key()));
                let nonce = key.chunk_nonce(&shape, index);
                prop_assert_eq!(&other.encrypt(GenericArray::from_slice(&nonce), part).expect("seals"), &chunk);
            }
        }
    }
}

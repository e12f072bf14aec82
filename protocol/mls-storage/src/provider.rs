//! The provider that openmls functions take: RustCrypto, injected randomness, [`MemoryStore`].

use crate::MemoryStore;
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider;
use openmls_traits::random::OpenMlsRand;
use rand_core::CryptoRngCore;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Randomness handed in by the caller, as openmls wants it.
///
/// openmls draws group ids, reuse guards, GREASE and nonces from here; HPKE encapsulation and key generation draw
/// from a ChaCha20 generator inside the crypto provider, seeded by the operating system.
pub struct InjectedRand(Mutex<Box<dyn CryptoRngCore + Send>>);

impl fmt::Debug for InjectedRand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InjectedRand")
    }
}

/// The random source failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the random source failed")]
pub struct RandError;

impl OpenMlsRand for InjectedRand {
    type Error = RandError;
    fn random_array<const N: usize>(&self) -> Result<[u8; N], RandError> {
        let mut out = [0u8; N];
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rng.try_fill_bytes(&mut out).map_err(|_| RandError)?;
        Ok(out)
    }
    fn random_vec(&self, len: usize) -> Result<Vec<u8>, RandError> {
        let mut out = vec![0u8; len];
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rng.try_fill_bytes(&mut out).map_err(|_| RandError)?;
        Ok(out)
    }
}

/// Everything openmls needs; see [`MemoryStore`] for how its changes become durable.
#[derive(Debug)]
pub struct Provider {
    crypto: RustCrypto,
    rand: InjectedRand,
    store: MemoryStore,
}

impl Provider {
    /// A provider over `store`, drawing from `rng`.
    pub fn new(store: MemoryStore, rng: impl CryptoRngCore + Send + 'static) -> Self {
        Self { crypto: RustCrypto::default(), rand: InjectedRand(Mutex::new(Box::new(rng))), store }
    }
    /// The store with its concrete type.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }
    /// The crypto with its concrete type.
    pub fn rust_crypto(&self) -> &RustCrypto {
        &self.crypto
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = RustCrypto;
    type RandProvider = InjectedRand;
    type StorageProvider = MemoryStore;

    fn storage(&self) -> &MemoryStore {
        &self.store
    }
    fn crypto(&self) -> &RustCrypto {
        &self.crypto
    }
    fn rand(&self) -> &InjectedRand {
        &self.rand
    }
}

//! The provider that openmls functions take: [`MlsCrypto`], injected randomness, [`MemoryStore`].

use crate::MemoryStore;
use openmls_traits::OpenMlsProvider;
use openmls_traits::random::OpenMlsRand;
use pakawaaz_mls_crypto::{MlsCrypto, SharedRng};
use rand_core::CryptoRngCore;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Randomness handed in by the caller, as openmls wants it: group ids, reuse guards, GREASE, nonces and seeds of keys.
/// HPKE draws from the same source inside the crypto provider.
pub struct InjectedRand(SharedRng);

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
    crypto: MlsCrypto,
    rand: InjectedRand,
    store: MemoryStore,
}

impl Provider {
    /// A provider over `store`, drawing from `rng`.
    pub fn new(store: MemoryStore, rng: impl CryptoRngCore + Send + 'static) -> Self {
        let rng: SharedRng = Arc::new(Mutex::new(rng));
        Self { crypto: MlsCrypto::new(rng.clone()), rand: InjectedRand(rng), store }
    }
    /// The store with its concrete type.
    pub fn store(&self) -> &MemoryStore {
        &self.store
    }
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = MlsCrypto;
    type RandProvider = InjectedRand;
    type StorageProvider = MemoryStore;

    fn storage(&self) -> &MemoryStore {
        &self.store
    }
    fn crypto(&self) -> &MlsCrypto {
        &self.crypto
    }
    fn rand(&self) -> &InjectedRand {
        &self.rand
    }
}

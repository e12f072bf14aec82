//! The two tags of a commit that its author's signature does not cover (RFC 9420 §6.1, §6.2).
//!
//! Whoever carries a commit can change its membership tag and its confirmation tag while the signature stays good, so
//! a wrong tag alone says nothing about the author. openmls computes the right tags but gives out neither; they are
//! overheard by a crypto provider that notes the MACs which openmls has it compute.

use openmls::prelude::tls_codec::SecretVLBytes;
use openmls::prelude::{OpenMlsCrypto, OpenMlsProvider};
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeCiphertext, HpkeConfig, HpkeKeyPair, KemOutput,
    SignatureScheme,
};
use pakawaaz_mls_storage::{MemoryStore, Provider};
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// What was authenticated, and the MAC that is right for it.
pub(super) struct Mac {
    pub(super) message: Zeroizing<Vec<u8>>,
    pub(super) value: Zeroizing<Vec<u8>>,
}

/// [`Provider`] that notes every MAC.
pub(super) struct Listening<'a> {
    provider: &'a Provider,
    crypto: Listener<'a>,
}

pub(super) struct Listener<'a> {
    crypto: &'a <Provider as OpenMlsProvider>::CryptoProvider,
    heard: Mutex<Vec<Mac>>,
}

impl<'a> Listening<'a> {
    pub(super) fn new(provider: &'a Provider) -> Self {
        Self { provider, crypto: Listener { crypto: provider.crypto(), heard: Mutex::default() } }
    }
    /// Every MAC in the order of computation.
    pub(super) fn heard(self) -> Vec<Mac> {
        self.crypto.heard.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> OpenMlsProvider for Listening<'a> {
    type CryptoProvider = Listener<'a>;
    type RandProvider = <Provider as OpenMlsProvider>::RandProvider;
    type StorageProvider = MemoryStore;

    fn storage(&self) -> &MemoryStore {
        self.provider.storage()
    }
    fn crypto(&self) -> &Listener<'a> {
        &self.crypto
    }
    fn rand(&self) -> &Self::RandProvider {
        self.provider.rand()
    }
}

impl OpenMlsCrypto for Listener<'_> {
    fn hmac(&self, hash_type: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        let mac = self.crypto.hmac(hash_type, key, message)?;
        let heard = Mac { message: message.to_vec().into(), value: mac.as_slice().to_vec().into() };
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(heard);
        Ok(mac)
    }

    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        self.crypto.supports(ciphersuite)
    }
    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        self.crypto.supported_ciphersuites()
    }
    fn hkdf_extract(&self, hash_type: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.crypto.hkdf_extract(hash_type, salt, ikm)
    }
    fn hkdf_expand(
        &self,
        hash_type: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.crypto.hkdf_expand(hash_type, prk, info, okm_len)
    }
    fn hash(&self, hash_type: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.crypto.hash(hash_type, data)
    }
    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.crypto.aead_encrypt(alg, key, data, nonce, aad)
    }
    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.crypto.aead_decrypt(alg, key, ct_tag, nonce, aad)
    }
    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        self.crypto.signature_key_gen(alg)
    }
    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.crypto.verify_signature(alg, data, pk, signature)
    }
    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.crypto.sign(alg, data, key)
    }
    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        self.crypto.hpke_seal(config, pk_r, info, aad, ptxt)
    }
    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.crypto.hpke_open(config, input, sk_r, info, aad)
    }
    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        self.crypto.hpke_setup_sender_and_export(config, pk_r, info, exporter_context, exporter_length)
    }
    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.crypto.hpke_setup_receiver_and_export(config, enc, sk_r, info, exporter_context, exporter_length)
    }
    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        self.crypto.derive_hpke_keypair(config, ikm)
    }
}

//! [`MlsCrypto`]: openmls' `OpenMlsCrypto` for one suite.

use crate::symmetric::Refused;
use crate::{hpke, symmetric};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext, HpkeConfig,
    HpkeKdfType, HpkeKemType, HpkeKeyPair, KemOutput, SignatureScheme,
};
use rand_core::CryptoRngCore;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tls_codec::SecretVLBytes;
use zeroize::Zeroizing;

/// X25519 + ML-KEM-768 (X-Wing), AES-256-GCM, SHA-384, Ed25519 (draft-ietf-mls-pq-ciphersuites, 0x004E).
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// A message authentication code that was computed, and over what.
pub struct Mac {
    /// What was authenticated.
    pub message: Zeroizing<Vec<u8>>,
    /// The code that is right for it.
    pub value: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac")
    }
}

/// Where randomness comes from, shared with whoever else draws from it.
pub type SharedRng = Arc<Mutex<dyn CryptoRngCore + Send>>;

/// The primitives of [`SUITE`]. Whatever names another one is refused with the error that openmls has for it.
pub struct MlsCrypto {
    rng: SharedRng,
    heard: Mutex<Option<Vec<Mac>>>,
}

impl fmt::Debug for MlsCrypto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MlsCrypto")
    }
}

impl MlsCrypto {
    /// A provider that draws from `rng` what HPKE and new signature keys need.
    pub fn new(rng: SharedRng) -> Self {
        Self { rng, heard: Mutex::default() }
    }

    /// Runs `f`, and gives back every MAC that was computed meanwhile, in that order.
    ///
    /// openmls computes the tags of a commit but gives out none of them. This is a property of the provider, not a
    /// provider of its own around it: openmls is generic, and a second provider would be a second openmls in the
    /// browser's module.
    pub fn overhear<R>(&self, f: impl FnOnce() -> R) -> (R, Vec<Mac>) {
        *self.heard() = Some(Vec::new());
        let result = f();
        (result, self.heard().take().unwrap_or_default())
    }

    fn heard(&self) -> MutexGuard<'_, Option<Vec<Mac>>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn rng(&self) -> MutexGuard<'_, dyn CryptoRngCore + Send + 'static> {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sha_384(hash: HashType) -> Result<(), CryptoError> {
    if hash == HashType::Sha2_384 { Ok(()) } else { Err(CryptoError::UnsupportedHashAlgorithm) }
}

fn aes_256(alg: AeadType) -> Result<(), CryptoError> {
    if alg == AeadType::Aes256Gcm { Ok(()) } else { Err(CryptoError::UnsupportedAeadAlgorithm) }
}

fn ed25519(alg: SignatureScheme) -> Result<(), CryptoError> {
    if alg == SignatureScheme::ED25519 { Ok(()) } else { Err(CryptoError::UnsupportedSignatureScheme) }
}

fn ours(config: &HpkeConfig) -> Result<(), CryptoError> {
    match config {
        HpkeConfig(HpkeKemType::XWingKemDraft6, HpkeKdfType::HkdfSha384, HpkeAeadType::AesGcm256) => Ok(()),
        _ => Err(CryptoError::UnsupportedCiphersuite),
    }
}

impl OpenMlsCrypto for MlsCrypto {
    fn supports(&self, ciphersuite: Ciphersuite) -> Result<(), CryptoError> {
        if ciphersuite == SUITE { Ok(()) } else { Err(CryptoError::UnsupportedCiphersuite) }
    }
    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![SUITE]
    }

    fn hash(&self, hash_type: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        sha_384(hash_type)?;
        Ok(symmetric::hash(data))
    }
    fn hmac(&self, hash_type: HashType, key: &[u8], message: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        sha_384(hash_type)?;
        let mac = symmetric::hmac(key, message).map_err(|Refused| CryptoError::InvalidLength)?;
        if let Some(heard) = self.heard().as_mut() {
            heard.push(Mac { message: message.to_vec().into(), value: mac.clone().into() });
        }
        Ok(mac.into())
    }
    fn hkdf_extract(&self, hash_type: HashType, salt: &[u8], ikm: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        sha_384(hash_type)?;
        Ok(symmetric::extract(salt, ikm).into())
    }
    fn hkdf_expand(
        &self,
        hash_type: HashType,
        prk: &[u8],
        info: &[u8],
        okm_len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        sha_384(hash_type)?;
        let okm = symmetric::expand(prk, info, okm_len).map_err(|Refused| CryptoError::HkdfOutputLengthInvalid)?;
        Ok(okm.into())
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        aes_256(alg)?;
        symmetric::seal(key, nonce, aad, data).map_err(|Refused| CryptoError::CryptoLibraryError)
    }
    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        ct_tag: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        aes_256(alg)?;
        symmetric::open(key, nonce, aad, ct_tag).map_err(|Refused| CryptoError::AeadDecryptionError)
    }

    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        ed25519(alg)?;
        let mut seed = Zeroizing::new([0; ed25519_dalek::SECRET_KEY_LENGTH]);
        self.rng().try_fill_bytes(&mut *seed).map_err(|_| CryptoError::InsufficientRandomness)?;
        let public = SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        Ok((seed.to_vec(), public.to_vec()))
    }
    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        ed25519(alg)?;
        let key = VerifyingKey::try_from(pk).map_err(|_| CryptoError::CryptoLibraryError)?;
        let signature = Signature::from_slice(signature).map_err(|_| CryptoError::CryptoLibraryError)?;
        // Strict: keys of small order would make one signature good for many messages.
        key.verify_strict(data, &signature).map_err(|_| CryptoError::InvalidSignature)
    }
    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        ed25519(alg)?;
        let key = SigningKey::try_from(key).map_err(|_| CryptoError::CryptoLibraryError)?;
        Ok(key.sign(data).to_bytes().to_vec())
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        aad: &[u8],
        ptxt: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        ours(&config)?;
        let set_up = hpke::setup_sender(&mut *self.rng(), pk_r, info);
        let (kem_output, mut context) = set_up.map_err(|Refused| CryptoError::CryptoLibraryError)?;
        let ciphertext = context.seal(aad, ptxt).map_err(|_| CryptoError::CryptoLibraryError)?;
        Ok(HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() })
    }
    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk_r: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        ours(&config)?;
        let mut context = hpke::setup_receiver(input.kem_output.as_slice(), sk_r, info)
            .map_err(|Refused| CryptoError::HpkeDecryptionError)?;
        context.open(aad, input.ciphertext.as_slice()).map_err(|_| CryptoError::HpkeDecryptionError)
    }
    fn hpke_setup_sender_and_export(
        &self,
        config: HpkeConfig,
        pk_r: &[u8],
        info: &[u8],
        exporter_context: &[u8],
        exporter_length: usize,
    ) -> Result<(KemOutput, ExporterSecret), CryptoError> {
        ours(&config)?;
        let set_up = hpke::setup_sender(&mut *self.rng(), pk_r, info);
        let (kem_output, context) = set_up.map_err(|Refused| CryptoError::SenderSetupError)?;
        let secret = context.export(exporter_context, exporter_length).map_err(|_| CryptoError::ExporterError)?;
        Ok((kem_output, secret.into()))
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
        ours(&config)?;
        let context = hpke::setup_receiver(enc, sk_r, info).map_err(|Refused| CryptoError::ReceiverSetupError)?;
        let secret = context.export(exporter_context, exporter_length).map_err(|_| CryptoError::ExporterError)?;
        Ok(secret.into())
    }
    fn derive_hpke_keypair(&self, config: HpkeConfig, ikm: &[u8]) -> Result<HpkeKeyPair, CryptoError> {
        ours(&config)?;
        let (private, public) = hpke::derive_key_pair(ikm);
        Ok(HpkeKeyPair { private: private.as_slice().into(), public })
    }
}

//! The same as `openmls_rust_crypto`, operation by operation, where both have it, and in groups of both.

#![allow(clippy::unwrap_used)]

mod groups;

use openmls_rust_crypto::RustCrypto;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, HashType, HpkeCiphertext, HpkeConfig, SignatureScheme,
};
use pakawaaz_mls_crypto::{MlsCrypto, SUITE};
use proptest::prelude::*;
use rand::rngs::OsRng;
use std::sync::{Arc, Mutex};

const HASH: HashType = HashType::Sha2_384;
const AEAD: AeadType = AeadType::Aes256Gcm;
const ED: SignatureScheme = SignatureScheme::ED25519;

fn ours() -> MlsCrypto {
    MlsCrypto::new(Arc::new(Mutex::new(OsRng)))
}

fn both() -> (MlsCrypto, RustCrypto) {
    (ours(), RustCrypto::default())
}

fn config() -> HpkeConfig {
    SUITE.hpke_config()
}

/// Result as far as it can be compared.
fn secret<E>(result: Result<tls_codec::SecretVLBytes, E>) -> Result<Vec<u8>, E> {
    result.map(|s| s.as_slice().to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hash_hmac_and_hkdf(
        key in prop::collection::vec(any::<u8>(), 0..300),
        data in prop::collection::vec(any::<u8>(), 0..600),
        length in 0usize..13_000,
    ) {
        let (ours, theirs) = both();
        prop_assert_eq!(ours.hash(HASH, &data), theirs.hash(HASH, &data));
        prop_assert_eq!(secret(ours.hmac(HASH, &key, &data)), secret(theirs.hmac(HASH, &key, &data)));
        prop_assert_eq!(secret(ours.hkdf_extract(HASH, &key, &data)), secret(theirs.hkdf_extract(HASH, &key, &data)));
        prop_assert_eq!(
            secret(ours.hkdf_expand(HASH, &key, &data, length)),
            secret(theirs.hkdf_expand(HASH, &key, &data, length))
        );
    }

    #[test]
    fn aead_both_ways(
        key: [u8; 32],
        nonce: [u8; 12],
        text in prop::collection::vec(any::<u8>(), 0..400),
        aad in prop::collection::vec(any::<u8>(), 0..100),
        at: prop::sample::Index,
    ) {
        let (ours, theirs) = both();
        let sealed = ours.aead_encrypt(AEAD, &key, &text, &nonce, &aad).unwrap();
        prop_assert_eq!(&sealed, &theirs.aead_encrypt(AEAD, &key, &text, &nonce, &aad).unwrap());
        prop_assert_eq!(ours.aead_decrypt(AEAD, &key, &sealed, &nonce, &aad), Ok(text.clone()));
        prop_assert_eq!(theirs.aead_decrypt(AEAD, &key, &sealed, &nonce, &aad), Ok(text));
        let mut changed = sealed;
        let at = at.index(changed.len());
        changed[at] ^= 1;
        prop_assert_eq!(
            ours.aead_decrypt(AEAD, &key, &changed, &nonce, &aad),
            theirs.aead_decrypt(AEAD, &key, &changed, &nonce, &aad)
        );
        prop_assert_eq!(
            ours.aead_encrypt(AEAD, &key[1..], b"", &nonce, b""),
            theirs.aead_encrypt(AEAD, &key[1..], b"", &nonce, b"")
        );
    }

    #[test]
    fn signatures_both_ways(seed: [u8; 32], data in prop::collection::vec(any::<u8>(), 0..400), at in 0usize..64) {
        let (ours, theirs) = both();
        let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        let signature = ours.sign(ED, &data, &seed).unwrap();
        prop_assert_eq!(&signature, &theirs.sign(ED, &data, &seed).unwrap());
        prop_assert_eq!(ours.verify_signature(ED, &data, &public, &signature), Ok(()));
        prop_assert_eq!(theirs.verify_signature(ED, &data, &public, &signature), Ok(()));
        let mut changed = signature.clone();
        changed[at] ^= 1;
        for (key, signature) in [(&public[..], &changed[..]), (&public[..], &changed[1..]), (&public[1..], &changed[..])] {
            let refused = ours.verify_signature(ED, &data, key, signature);
            prop_assert!(refused.is_err());
            prop_assert_eq!(refused, theirs.verify_signature(ED, &data, key, signature));
        }
    }

    /// Keys of small order and encodings that are no point: refused by both or by none.
    #[test]
    fn odd_public_keys(key: [u8; 32], last in any::<u8>(), signature in prop::collection::vec(any::<u8>(), 64)) {
        let (ours, theirs) = both();
        let mut low = [0; 32];
        low[31] = last;
        for key in [key, low, [last; 32]] {
            prop_assert_eq!(
                ours.verify_signature(ED, b"data", &key, &signature),
                theirs.verify_signature(ED, b"data", &key, &signature)
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn hpke_across_providers(
        ikm in prop::collection::vec(any::<u8>(), 0..200),
        info in prop::collection::vec(any::<u8>(), 0..100),
        aad in prop::collection::vec(any::<u8>(), 0..100),
        text in prop::collection::vec(any::<u8>(), 0..300),
        length in 0usize..100,
    ) {
        let (ours, theirs) = both();
        let pair = ours.derive_hpke_keypair(config(), &ikm).unwrap();
        let same = theirs.derive_hpke_keypair(config(), &ikm).unwrap();
        prop_assert_eq!(&pair.public, &same.public);
        prop_assert_eq!(&*pair.private, &*same.private);

        for (from, to) in [(&ours as &dyn Seals, &theirs as &dyn Seals), (&theirs, &ours), (&ours, &ours)] {
            let sealed = from.seal(&pair.public, &info, &aad, &text).unwrap();
            prop_assert_eq!(to.open(&sealed, &pair.private, &info, &aad), Ok(text.clone()));
            let other = [&aad[..], b"!"].concat();
            prop_assert_eq!(to.open(&sealed, &pair.private, &info, &other), Err(CryptoError::HpkeDecryptionError));
            let (kem_output, exported) = from.export_to(&pair.public, &info, &aad, length).unwrap();
            prop_assert_eq!(to.export_from(&kem_output, &pair.private, &info, &aad, length), Ok(exported));
        }
    }
}

/// What of HPKE is compared, as an object.
trait Seals {
    fn seal(&self, public: &[u8], info: &[u8], aad: &[u8], text: &[u8]) -> Result<HpkeCiphertext, CryptoError>;
    fn open(&self, sealed: &HpkeCiphertext, private: &[u8], info: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError>;
    fn export_to(
        &self,
        public: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(Vec<u8>, Vec<u8>), CryptoError>;
    fn export_from(
        &self,
        kem_output: &[u8],
        private: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, CryptoError>;
}

impl<C: OpenMlsCrypto> Seals for C {
    fn seal(&self, public: &[u8], info: &[u8], aad: &[u8], text: &[u8]) -> Result<HpkeCiphertext, CryptoError> {
        self.hpke_seal(config(), public, info, aad, text)
    }
    fn open(&self, sealed: &HpkeCiphertext, private: &[u8], info: &[u8], aad: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.hpke_open(config(), sealed, private, info, aad)
    }
    fn export_to(
        &self,
        public: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        let (kem_output, secret) = self.hpke_setup_sender_and_export(config(), public, info, context, length)?;
        Ok((kem_output, secret.to_vec()))
    }
    fn export_from(
        &self,
        kem_output: &[u8],
        private: &[u8],
        info: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<Vec<u8>, CryptoError> {
        let secret = self.hpke_setup_receiver_and_export(config(), kem_output, private, info, context, length)?;
        Ok(secret.to_vec())
    }
}

#[test]
fn keys_and_ciphertexts_that_are_none_are_errors_of_the_same_name() {
    let (ours, theirs) = both();
    let pair = ours.derive_hpke_keypair(config(), b"ikm").unwrap();
    let sealed = ours.seal(&pair.public, b"", b"", b"text").unwrap();
    for public in [&pair.public[1..], &[], &[0xff; 1216]] {
        let refused = ours.seal(public, b"", b"", b"").unwrap_err();
        assert_eq!(refused, theirs.seal(public, b"", b"", b"").unwrap_err());
    }
    let short = HpkeCiphertext { kem_output: sealed.kem_output.as_slice()[1..].to_vec().into(), ..sealed.clone() };
    let empty = HpkeCiphertext { ciphertext: Vec::new().into(), ..sealed.clone() };
    for (sealed, private) in [(&short, &pair.private[..]), (&empty, &pair.private[..]), (&sealed, &pair.private[1..])] {
        let refused = ours.open(sealed, private, b"", b"").unwrap_err();
        assert_eq!(refused, theirs.open(sealed, private, b"", b"").unwrap_err());
    }
    let of = |crypto: &dyn Seals| crypto.export_to(&pair.public[1..], b"", b"", 32).unwrap_err();
    assert_eq!(of(&ours), of(&theirs));
    let of = |crypto: &dyn Seals| crypto.export_from(b"short", &pair.private, b"", b"", 32).unwrap_err();
    assert_eq!(of(&ours), of(&theirs));
}

/// RFC 8032 §7.1, TEST 3.
#[test]
fn ed25519_of_its_rfc() {
    let (ours, _) = both();
    let key = hex::decode("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7").unwrap();
    let public = hex::decode("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025").unwrap();
    let signature = hex::decode(concat!(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac",
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    ))
    .unwrap();
    assert_eq!(ours.sign(ED, &[0xaf, 0x82], &key).unwrap(), signature);
    assert_eq!(ours.verify_signature(ED, &[0xaf, 0x82], &public, &signature), Ok(()));
    assert_eq!(ours.verify_signature(ED, &[0xaf, 0x83], &public, &signature), Err(CryptoError::InvalidSignature));
}

#[test]
fn generated_keys_sign_for_the_other() {
    let (ours, theirs) = both();
    let (private, public) = ours.signature_key_gen(ED).unwrap();
    let signature = theirs.sign(ED, b"data", &private).unwrap();
    assert_eq!(ours.verify_signature(ED, b"data", &public, &signature), Ok(()));
    assert_eq!(theirs.verify_signature(ED, b"data", &public, &signature), Ok(()));
    assert_ne!(ours.signature_key_gen(ED).unwrap().0, private);
}

/// A message that names another suite, or a part of one, gets an error and reaches no code.
#[test]
fn there_is_one_suite() {
    let ours = ours();
    assert_eq!(ours.supported_ciphersuites(), [SUITE]);
    assert_eq!(ours.supports(SUITE), Ok(()));
    for suite in RustCrypto::default().supported_ciphersuites() {
        if suite == SUITE {
            continue;
        }
        assert_eq!(ours.supports(suite), Err(CryptoError::UnsupportedCiphersuite));
        let config = suite.hpke_config();
        assert!(ours.derive_hpke_keypair(config, &[1; 64]).is_err(), "{suite:?}");
    }
    assert!(ours.supports(Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519).is_err());
    for hash in [HashType::Sha2_256, HashType::Sha2_512] {
        assert_eq!(ours.hash(hash, b""), Err(CryptoError::UnsupportedHashAlgorithm));
        assert!(ours.hmac(hash, b"", b"").is_err());
        assert!(ours.hkdf_extract(hash, b"", b"").is_err());
        assert!(ours.hkdf_expand(hash, &[0; 64], b"", 32).is_err());
    }
    for aead in [AeadType::Aes128Gcm, AeadType::ChaCha20Poly1305] {
        assert_eq!(ours.aead_encrypt(aead, &[0; 32], b"", &[0; 12], b""), Err(CryptoError::UnsupportedAeadAlgorithm));
        assert!(ours.aead_decrypt(aead, &[0; 32], &[0; 16], &[0; 12], b"").is_err());
    }
    for scheme in [SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::MLDSA65] {
        assert_eq!(ours.signature_key_gen(scheme).unwrap_err(), CryptoError::UnsupportedSignatureScheme);
        assert!(ours.sign(scheme, b"", &[1; 32]).is_err());
        assert!(ours.verify_signature(scheme, b"", &[1; 32], &[0; 64]).is_err());
    }
}

#[test]
fn macs_are_overheard_only_while_somebody_listens() {
    let ours = ours();
    ours.hmac(HASH, b"key", b"before").unwrap();
    let (mac, heard) = ours.overhear(|| {
        ours.hkdf_extract(HASH, b"salt", b"no mac").unwrap();
        ours.hmac(HASH, b"key", b"one").unwrap();
        ours.hmac(HASH, b"key", b"two").unwrap()
    });
    ours.hmac(HASH, b"key", b"after").unwrap();
    let messages: Vec<_> = heard.iter().map(|mac| mac.message.as_slice()).collect();
    assert_eq!(messages, [b"one", b"two"]);
    assert_eq!(heard[1].value.as_slice(), mac.as_slice());
    assert!(ours.overhear(|| ()).1.is_empty());
    assert_eq!(format!("{heard:?}"), "[Mac, Mac]", "neither key nor message is printed");
}

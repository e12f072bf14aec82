//! HPKE (RFC 9180) in base mode with X-Wing, HKDF-SHA-384 and AES-256-GCM.
//!
//! Key schedule and contexts are those of `hpke-rs`; this is the backend that it asks for its primitives. What the suite
//! does not have is refused. Encapsulation is done here, because `hpke-rs` would draw its randomness from a generator of
//! its own.

use crate::symmetric::{self, Refused};
use hpke_rs::{Context, Hpke, Mode};
use hpke_rs_crypto::error::Error;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_crypto::{HpkeCrypto, HpkeTestRng, TryCryptoRng, TryRng};
use rand_core::CryptoRngCore;
use shake::{ExtendableOutput as _, Shake256, Update as _, XofReader as _};
use std::convert::Infallible;
use x_wing::{Ciphertext, Decapsulate as _, DecapsulationKey, Decapsulator as _, Encapsulate as _, EncapsulationKey};
use x_wing::{KeyExport as _, TryKeyInit as _};
use zeroize::{Zeroize, Zeroizing};

const KEM: KemAlgorithm = KemAlgorithm::XWingDraft06;
const KDF: KdfAlgorithm = KdfAlgorithm::HkdfSha384;
const AEAD: AeadAlgorithm = AeadAlgorithm::Aes256Gcm;

type Seed = [u8; x_wing::DECAPSULATION_KEY_SIZE];

/// `SetupBaseS` (RFC 9180 §5.1.1): what the receiver needs, and the context.
pub(crate) fn setup_sender(
    rng: &mut dyn CryptoRngCore,
    public: &[u8],
    info: &[u8],
) -> Result<(Vec<u8>, Context<Backend>), Refused> {
    let (secret, encapsulated) = encapsulate(public, &mut Lent(rng))?;
    Ok((encapsulated, context(&secret, info)?))
}

/// `SetupBaseR` (RFC 9180 §5.1.1).
pub(crate) fn setup_receiver(encapsulated: &[u8], private: &[u8], info: &[u8]) -> Result<Context<Backend>, Refused> {
    context(&decapsulate(encapsulated, private)?, info)
}

fn context(secret: &[u8], info: &[u8]) -> Result<Context<Backend>, Refused> {
    Hpke::new(Mode::Base, KEM, KDF, AEAD).key_schedule(secret, info, &[], &[]).map_err(|_| Refused)
}

/// `DeriveKeyPair` of X-Wing (draft-connolly-cfrg-xwing-kem-06 §5.6): private and public key.
pub(crate) fn derive_key_pair(ikm: &[u8]) -> (Zeroizing<Vec<u8>>, Vec<u8>) {
    let mut shake = Shake256::default();
    shake.update(ikm);
    let mut seed = Zeroizing::new(Seed::default());
    shake.finalize_xof().read(&mut *seed);
    key_pair(*seed)
}

fn key_pair(seed: Seed) -> (Zeroizing<Vec<u8>>, Vec<u8>) {
    let key = DecapsulationKey::from(seed);
    (Zeroizing::new(key.as_bytes().to_vec()), key.encapsulation_key().to_bytes().to_vec())
}

/// Shared secret and what the receiver needs for it.
fn encapsulate(public: &[u8], rng: &mut Lent<'_>) -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), Refused> {
    let key = EncapsulationKey::new_from_slice(public).map_err(|_| Refused)?;
    let (encapsulated, secret) = key.encapsulate_with_rng(rng);
    Ok((Zeroizing::new(secret.to_vec()), encapsulated.to_vec()))
}

fn decapsulate(encapsulated: &[u8], private: &[u8]) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let seed = Seed::try_from(private).map_err(|_| Refused)?;
    let encapsulated = Ciphertext::try_from(encapsulated).map_err(|_| Refused)?;
    Ok(Zeroizing::new(DecapsulationKey::from(seed).decapsulate(&encapsulated).to_vec()))
}

/// Our generator as the newer `rand_core` knows it.
struct Lent<'a>(&'a mut dyn CryptoRngCore);

impl TryRng for Lent<'_> {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(out);
        Ok(())
    }
}

impl TryCryptoRng for Lent<'_> {}

/// `hpke-rs` wants to have a generator. Nothing that is called here draws from it.
#[derive(Debug)]
pub(crate) struct NoRng;

impl TryRng for NoRng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("encapsulation has its own source")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("encapsulation has its own source")
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Infallible> {
        unreachable!("encapsulation has its own source")
    }
}

impl TryCryptoRng for NoRng {}

impl Zeroize for NoRng {
    fn zeroize(&mut self) {}
}

impl HpkeTestRng for NoRng {
    type Error = Infallible;
    fn try_fill_test_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.try_fill_bytes(out)
    }
    fn seed(&mut self, _: &[u8]) {}
}

/// The suite's primitives for `hpke-rs`.
#[derive(Debug)]
pub(crate) enum Backend {}

fn only<T: PartialEq>(asked: T, ours: T, refused: Error) -> Result<(), Error> {
    if asked == ours { Ok(()) } else { Err(refused) }
}

impl HpkeCrypto for Backend {
    type HpkePrng = NoRng;

    fn name() -> String {
        String::new()
    }
    fn prng() -> NoRng {
        NoRng
    }
    fn supports_kdf(alg: KdfAlgorithm) -> Result<(), Error> {
        only(alg, KDF, Error::UnknownKdfAlgorithm)
    }
    fn supports_kem(alg: KemAlgorithm) -> Result<(), Error> {
        only(alg, KEM, Error::UnknownKemAlgorithm)
    }
    fn supports_aead(alg: AeadAlgorithm) -> Result<(), Error> {
        only(alg, AEAD, Error::UnknownAeadAlgorithm)
    }

    fn kdf_extract(alg: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(alg)?;
        Ok(symmetric::extract(salt, ikm))
    }
    fn kdf_expand(alg: KdfAlgorithm, prk: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, Error> {
        Self::supports_kdf(alg)?;
        symmetric::expand(prk, info, length).map_err(|Refused| Error::HpkeInvalidOutputLength)
    }
    fn aead_seal(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(alg)?;
        symmetric::seal(key, nonce, aad, msg).map_err(|Refused| Error::AeadInvalidNonce)
    }
    fn aead_open(alg: AeadAlgorithm, key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Error> {
        Self::supports_aead(alg)?;
        symmetric::open(key, nonce, aad, msg).map_err(|Refused| Error::AeadOpenError)
    }

    // Encapsulation and keys do not go through `hpke-rs`, and there is no Diffie-Hellman KEM in the suite.
    fn kem_key_gen(_: KemAlgorithm, _: &mut NoRng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        Err(Error::UnsupportedKemOperation)
    }
    fn kem_key_gen_derand(_: KemAlgorithm, _: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        Err(Error::UnsupportedKemOperation)
    }
    fn kem_encaps(_: KemAlgorithm, _: &[u8], _: &mut NoRng) -> Result<(Vec<u8>, Vec<u8>), Error> {
        Err(Error::UnsupportedKemOperation)
    }
    fn kem_decaps(_: KemAlgorithm, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnsupportedKemOperation)
    }
    fn dh(_: KemAlgorithm, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnknownKemAlgorithm)
    }
    fn secret_to_public(_: KemAlgorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnknownKemAlgorithm)
    }
    fn dh_validate_sk(_: KemAlgorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::UnknownKemAlgorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::OsRng;
    use std::collections::BTreeMap;

    /// A test vector of draft-connolly-cfrg-xwing-kem-06.
    struct Vector(BTreeMap<String, String>);

    impl Vector {
        fn read() -> Self {
            Self(serde_json::from_str(include_str!("../tests/x_wing_draft_06.json")).unwrap())
        }
        fn of(&self, name: &str) -> Vec<u8> {
            hex::decode(&self.0[name]).unwrap()
        }
    }

    /// A generator that gives what it was given.
    struct Tape(Vec<u8>);

    impl rand_core::RngCore for Tape {
        fn next_u32(&mut self) -> u32 {
            rand_core::impls::next_u32_via_fill(self)
        }
        fn next_u64(&mut self) -> u64 {
            rand_core::impls::next_u64_via_fill(self)
        }
        fn fill_bytes(&mut self, out: &mut [u8]) {
            let rest = self.0.split_off(out.len());
            out.copy_from_slice(&std::mem::replace(&mut self.0, rest));
        }
        fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core::Error> {
            self.fill_bytes(out);
            Ok(())
        }
    }
    impl rand_core::CryptoRng for Tape {}

    #[test]
    fn x_wing_of_its_draft() {
        let vector = Vector::read();
        let (private, public) = key_pair(vector.of("seed").try_into().unwrap());
        assert_eq!((&*private, &public), (&vector.of("sk"), &vector.of("pk")));
        let (secret, encapsulated) = encapsulate(&public, &mut Lent(&mut Tape(vector.of("eseed")))).unwrap();
        assert_eq!((&*secret, &encapsulated), (&vector.of("ss"), &vector.of("ct")));
        assert_eq!(*decapsulate(&encapsulated, &private).unwrap(), *secret);
    }

    #[test]
    fn keys_and_ciphertexts_of_another_length_are_refused() {
        let vector = Vector::read();
        let of = |name| vector.of(name);
        let mut rng = OsRng;
        assert!(encapsulate(&of("pk"), &mut Lent(&mut rng)).is_ok());
        assert!(encapsulate(&of("pk")[1..], &mut Lent(&mut rng)).is_err());
        assert!(encapsulate(&[0xff; 1216], &mut Lent(&mut rng)).is_err(), "coefficients beyond the modulus");
        assert!(decapsulate(&of("ct")[1..], &of("sk")).is_err());
        assert!(decapsulate(&of("ct"), &of("sk")[1..]).is_err());
    }

    #[test]
    fn there_is_one_suite() {
        assert!(Backend::supports_kem(KEM).is_ok() && Backend::supports_kem(KemAlgorithm::DhKem25519).is_err());
        assert!(Backend::kdf_extract(KdfAlgorithm::HkdfSha256, b"", b"").is_err());
        assert!(Backend::kdf_expand(KdfAlgorithm::HkdfSha512, &[0; 64], b"", 1).is_err());
        assert!(Backend::aead_seal(AeadAlgorithm::Aes128Gcm, &[0; 16], &[0; 12], b"", b"").is_err());
        assert!(Backend::aead_open(AeadAlgorithm::ChaCha20Poly1305, &[0; 32], &[0; 12], b"", &[0; 16]).is_err());
    }
}

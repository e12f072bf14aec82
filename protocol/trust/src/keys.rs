//! Device keys: ECDSA P-256/SHA-256 with a label that says what is being signed.
//!
//! One key signs logins, statements, certificate requests and messages. Each use has a [`SignLabel`] that enters
//! the signed bytes, so that a signature made for one use never verifies for another.

use crate::{TrustError, ecdsa};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, VerifyingKey};
use p256::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use rand_core::CryptoRngCore;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// SEC1 uncompressed P-256 public key.
pub type PublicKeyBytes = [u8; 65];

/// What a signature is for.
///
/// Signed bytes are `label ‖ 0x00 ‖ payload`. [`SignLabel::Csr`], [`SignLabel::Certificate`] and [`SignLabel::Dpop`]
/// are formats of others that fix the signed bytes: their payload is signed as it is, and is told apart by its first
/// byte (DER `0x30`, JWS `e`; every label begins with `p`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignLabel {
    /// A [`crate::Statement`].
    Statement,
    /// First round of a login.
    LoginRound1,
    /// Second round of a login.
    LoginRound2,
    /// An MLS signature key of this device (sits in the MLS certificate).
    MlsKey,
    /// A request for an MLS certificate.
    MlsCertificateRequest,
    /// Start of an enrolment (voucher key).
    EnrolStart,
    /// A new password's registration upload.
    Password,
    /// Content of a message (the author's inner signature).
    Content,
    /// Anything the client proves to the server outside a login (support, diagnostics).
    Request,
    /// PKCS#10 request: raw DER.
    Csr,
    /// X.509 certificate: raw DER. Only CA keys sign these.
    Certificate,
    /// DPoP proof or access token: raw JWS signing input.
    Dpop,
}

impl SignLabel {
    fn text(self) -> &'static str {
        match self {
            Self::Statement => "pakawaaz statement v1",
            Self::LoginRound1 => "pakawaaz login round 1",
            Self::LoginRound2 => "pakawaaz login round 2",
            Self::MlsKey => "pakawaaz mls key v1",
            Self::MlsCertificateRequest => "pakawaaz mls certificate request v1",
            Self::EnrolStart => "pakawaaz enrolment start v1",
            Self::Password => "pakawaaz password v1",
            Self::Content => "pakawaaz content v1",
            Self::Request => "pakawaaz request v1",
            Self::Csr => "pakawaaz csr misuse",
            Self::Certificate => "pakawaaz certificate misuse",
            Self::Dpop => "pakawaaz dpop misuse",
        }
    }

    /// The bytes that are signed: what a hardware key hashes.
    ///
    /// A payload of a raw label that does not look like its format gets a label that nothing verifies, so that a
    /// confused caller cannot be made to sign a labelled message through a raw one.
    pub fn message(self, payload: &[u8]) -> Vec<u8> {
        let raw = match self {
            Self::Csr | Self::Certificate => payload.first() == Some(&0x30),
            Self::Dpop => payload.starts_with(b"ey"),
            _ => false,
        };
        if raw {
            return payload.to_vec();
        }
        let text = self.text().as_bytes();
        let mut out = Vec::with_capacity(text.len() + 1 + payload.len());
        out.extend_from_slice(text);
        out.push(0);
        out.extend_from_slice(payload);
        out
    }
}

/// A P-256 key that can sign: software ([`SigningKey`]) or hardware.
///
/// An implementation over hardware signs [`SignLabel::message`] with ECDSA/SHA-256 and passes the result through
/// [`low_s`] before returning it as r‖s.
pub trait DeviceSigner {
    /// The public key, SEC1 uncompressed.
    fn public_key(&self) -> PublicKeyBytes;
    /// Signs `payload` under `label`; r‖s, 64 bytes, low-S.
    fn sign(&self, label: SignLabel, payload: &[u8]) -> [u8; 64];
}

impl<T: DeviceSigner + ?Sized> DeviceSigner for &T {
    fn public_key(&self) -> PublicKeyBytes {
        (**self).public_key()
    }
    fn sign(&self, label: SignLabel, payload: &[u8]) -> [u8; 64] {
        (**self).sign(label, payload)
    }
}
impl<T: DeviceSigner + ?Sized> DeviceSigner for Box<T> {
    fn public_key(&self) -> PublicKeyBytes {
        (**self).public_key()
    }
    fn sign(&self, label: SignLabel, payload: &[u8]) -> [u8; 64] {
        (**self).sign(label, payload)
    }
}
impl<T: DeviceSigner + ?Sized> DeviceSigner for std::sync::Arc<T> {
    fn public_key(&self) -> PublicKeyBytes {
        (**self).public_key()
    }
    fn sign(&self, label: SignLabel, payload: &[u8]) -> [u8; 64] {
        (**self).sign(label, payload)
    }
}

/// A software P-256 key. Wiped on drop; `Debug` shows only the fingerprint of the public half.
#[derive(Clone)]
pub struct SigningKey(p256::ecdsa::SigningKey);

impl SigningKey {
    /// A new key.
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        Self(p256::ecdsa::SigningKey::random(&mut RngRef(rng)))
    }
    /// From PKCS#8 DER, as written by [`SigningKey::to_pkcs8`].
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, TrustError> {
        p256::ecdsa::SigningKey::from_pkcs8_der(der).map(Self).map_err(|_| TrustError::BadKey)
    }
    /// PKCS#8 DER. The caller encrypts it before it rests anywhere.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, TrustError> {
        let document = self.0.to_pkcs8_der().map_err(|_| TrustError::BadKey)?;
        Ok(Zeroizing::new(document.as_bytes().to_vec()))
    }
}

impl DeviceSigner for SigningKey {
    fn public_key(&self) -> PublicKeyBytes {
        let point = self.0.verifying_key().to_encoded_point(false);
        let mut out = [0u8; 65];
        out.copy_from_slice(point.as_bytes());
        out
    }
    fn sign(&self, label: SignLabel, payload: &[u8]) -> [u8; 64] {
        // Deterministic nonces (RFC 6979): no randomness to get wrong.
        let signature: Signature = self.0.sign(&label.message(payload));
        signature.normalize_s().unwrap_or(signature).to_bytes().into()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// Sized view of a `dyn CryptoRngCore`, for functions that take `impl CryptoRng`.
pub struct RngRef<'a>(pub &'a mut dyn CryptoRngCore);

impl rand_core::RngCore for RngRef<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }
    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.try_fill_bytes(dest)
    }
}
impl rand_core::CryptoRng for RngRef<'_> {}

/// Verifies a signature of a device, root or token key: `key` SEC1 uncompressed (65 bytes), `signature` r‖s.
///
/// Only the low-S form is accepted, so a signature cannot be turned into a second valid one.
pub fn verify(key: &[u8], label: SignLabel, payload: &[u8], signature: &[u8]) -> Result<(), TrustError> {
    let point = parse_key(key)?;
    let signature = Signature::from_slice(signature).map_err(|_| TrustError::BadSignature)?;
    if signature.normalize_s().is_some() {
        return Err(TrustError::BadSignature);
    }
    ecdsa::check(&point, key, &label.message(payload), &signature)
}

/// The low-S form of r‖s, for keys in hardware, which return either.
pub fn low_s(signature: [u8; 64]) -> Result<[u8; 64], TrustError> {
    let signature = Signature::from_slice(&signature).map_err(|_| TrustError::BadSignature)?;
    Ok(signature.normalize_s().unwrap_or(signature).to_bytes().into())
}

/// Checks that `key` is a SEC1 uncompressed point of P-256.
pub fn check_public_key(key: &[u8]) -> Result<PublicKeyBytes, TrustError> {
    parse_key(key)?;
    key.try_into().map_err(|_| TrustError::BadKey)
}

/// SHA-256 of the key's SubjectPublicKeyInfo (DER), the form in which keys are pinned.
pub fn spki_hash(key: &[u8]) -> Result<[u8; 32], TrustError> {
    use p256::pkcs8::EncodePublicKey as _;
    let der = parse_key(key)?.to_public_key_der().map_err(|_| TrustError::BadKey)?;
    Ok(Sha256::digest(der.as_bytes()).into())
}

pub(crate) fn parse_key(key: &[u8]) -> Result<VerifyingKey, TrustError> {
    // Compressed points are valid SEC1 too: the length check keeps one key in one form.
    if key.len() != 65 {
        return Err(TrustError::BadKey);
    }
    VerifyingKey::from_sec1_bytes(key).map_err(|_| TrustError::BadKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [SignLabel; 12] = [
        SignLabel::Statement,
        SignLabel::LoginRound1,
        SignLabel::LoginRound2,
        SignLabel::MlsKey,
        SignLabel::MlsCertificateRequest,
        SignLabel::EnrolStart,
        SignLabel::Password,
        SignLabel::Content,
        SignLabel::Request,
        SignLabel::Csr,
        SignLabel::Certificate,
        SignLabel::Dpop,
    ];

    #[test]
    fn a_signature_for_one_use_is_none_for_another() {
        let key = SigningKey::generate(&mut rand::rngs::OsRng);
        for made in LABELS {
            let signature = key.sign(made, b"payload");
            for checked in LABELS {
                let good = verify(&key.public_key(), checked, b"payload", &signature).is_ok();
                assert_eq!(good, made == checked, "{made:?} as {checked:?}");
            }
        }
    }

    #[test]
    fn raw_labels_cannot_produce_labelled_messages() {
        let labelled = SignLabel::Statement.message(b"x");
        for raw in [SignLabel::Csr, SignLabel::Certificate, SignLabel::Dpop] {
            assert_ne!(raw.message(&labelled), labelled);
        }
    }

    #[test]
    fn high_s_is_refused_and_normalised() {
        let key = SigningKey::generate(&mut rand::rngs::OsRng);
        let low = key.sign(SignLabel::Content, b"m");
        let parsed = Signature::from_slice(&low).expect("signature");
        let (r, s) = parsed.split_scalars();
        let high = Signature::from_scalars(r, -*s).expect("signature");
        let high: [u8; 64] = high.to_bytes().into();
        assert_ne!(high, low);
        assert_eq!(verify(&key.public_key(), SignLabel::Content, b"m", &high), Err(TrustError::BadSignature));
        assert_eq!(low_s(high).expect("normalises"), low);
    }

    #[test]
    fn keys_survive_pkcs8_and_stay_out_of_debug() {
        let key = SigningKey::generate(&mut rand::rngs::OsRng);
        let der = key.to_pkcs8().expect("encodes");
        let again = SigningKey::from_pkcs8(&der).expect("decodes");
        assert_eq!(again.public_key(), key.public_key());
        assert_eq!(format!("{key:?}"), "SigningKey { .. }");
        assert!(SigningKey::from_pkcs8(&der[..der.len() - 1]).is_err());
    }

    #[test]
    fn only_uncompressed_points_on_the_curve_are_keys() {
        let key = SigningKey::generate(&mut rand::rngs::OsRng).public_key();
        assert!(check_public_key(&key).is_ok());
        let mut off = key;
        off[64] ^= 1;
        assert_eq!(check_public_key(&off), Err(TrustError::BadKey));
        let mut compressed = key[..33].to_vec();
        compressed[0] = 2 + (key[64] & 1);
        assert_eq!(check_public_key(&compressed), Err(TrustError::BadKey));
        assert_eq!(check_public_key(&[]), Err(TrustError::BadKey));
    }
}

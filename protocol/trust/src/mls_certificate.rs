//! How a device vouches for its MLS signature key.
//!
//! Common hardware keys cannot do Ed25519, with which the MLS suite signs. So the MLS key is a software key whose
//! short-lived certificate carries the device key's signature over it.

use crate::TrustError;
use crate::enrol::fields;
use crate::keys::{DeviceSigner, SignLabel, verify};
use pakawaaz_base::{DeviceId, Millis};

/// `realm ‖ device ‖ mls_key`; the last two have fixed lengths.
pub fn key_payload(realm: &str, device: DeviceId, mls_key: &[u8; 32]) -> Vec<u8> {
    [realm.as_bytes(), device.as_bytes(), mls_key].concat()
}

/// The signature that sits in the MLS certificate.
pub fn sign_key(signer: &dyn DeviceSigner, realm: &str, device: DeviceId, mls_key: &[u8; 32]) -> [u8; 64] {
    signer.sign(SignLabel::MlsKey, &key_payload(realm, device, mls_key))
}

/// Verifies [`sign_key`].
pub fn verify_key(
    device_key: &[u8],
    realm: &str,
    device: DeviceId,
    mls_key: &[u8; 32],
    signature: &[u8],
) -> Result<(), TrustError> {
    verify(device_key, SignLabel::MlsKey, &key_payload(realm, device, mls_key), signature)
}

/// What a device signs ([`SignLabel::MlsCertificateRequest`]) to ask for an MLS certificate: every other field of
/// the contract's `MlsCertificateRequest`.
pub fn request_payload(
    realm: &str,
    device: DeviceId,
    mls_key: &[u8],
    at: Millis,
    nonce: &[u8],
    mls_key_signature: &[u8],
) -> Vec<u8> {
    fields(&[realm.as_bytes(), device.as_bytes(), mls_key, &at.as_i64().to_be_bytes(), nonce, mls_key_signature])
}

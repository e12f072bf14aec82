//! Payloads that are signed during enrolment and password changes.
//!
//! Every field enters with its length before it, so that no two different requests give the same bytes.

use crate::keys::SignLabel;
use crate::voucher::verify_voucher_signature;
use crate::{TrustError, VoucherKey};
use pakawaaz_base::VoucherId;

/// What the voucher key signs ([`SignLabel::EnrolStart`]) to start an enrolment: the fields of the request.
///
/// `registration_request`: OPAQUE RegistrationRequest, absent for an additional device.
pub fn start_payload(
    realm: &str,
    voucher: VoucherId,
    device_key: &[u8],
    nonce: &[u8],
    registration_request: Option<&[u8]>,
    imsi: &str,
) -> Vec<u8> {
    let present = [u8::from(registration_request.is_some())];
    fields(&[
        realm.as_bytes(),
        voucher.as_bytes(),
        device_key,
        nonce,
        &present,
        registration_request.unwrap_or_default(),
        imsi.as_bytes(),
    ])
}

/// Signs [`start_payload`] with the voucher's key (Ed25519).
pub fn sign_start(key: &VoucherKey, payload: &[u8]) -> [u8; 64] {
    key.sign(SignLabel::EnrolStart, payload)
}

/// Verifies the signature of [`sign_start`].
pub fn verify_start(voucher_key: &[u8; 32], payload: &[u8], signature: &[u8]) -> Result<(), TrustError> {
    verify_voucher_signature(voucher_key, SignLabel::EnrolStart, payload, signature)
}

/// What the device key (and, for a reset, the voucher key) signs under [`SignLabel::Password`]: the server's sealed
/// state, which ties the upload to one started change, and the OPAQUE RegistrationUpload.
pub fn password_payload(realm: &str, username: &str, state: &[u8], registration_upload: &[u8]) -> Vec<u8> {
    fields(&[realm.as_bytes(), username.as_bytes(), state, registration_upload])
}

/// Verifies the voucher's signature over [`password_payload`].
pub fn verify_password_voucher(voucher_key: &[u8; 32], payload: &[u8], signature: &[u8]) -> Result<(), TrustError> {
    verify_voucher_signature(voucher_key, SignLabel::Password, payload, signature)
}

pub(crate) fn fields(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::with_capacity(parts.iter().map(|p| p.len() + 4).sum());
    for part in parts {
        out.extend_from_slice(&(part.len() as u32).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_start_is_signed_by_the_voucher_for_this_use_only() {
        let key = VoucherKey::from_seed(&[3; 32]);
        let payload = start_payload("r", VoucherId::from_bytes([1; 16]), &[4; 65], &[5; 32], None, "001010000000001");
        let signature = sign_start(&key, &payload);
        assert!(verify_start(&key.public_key(), &payload, &signature).is_ok());
        assert!(verify_password_voucher(&key.public_key(), &payload, &signature).is_err());
        let other =
            start_payload("r", VoucherId::from_bytes([1; 16]), &[4; 65], &[5; 32], Some(&[]), "001010000000001");
        assert!(verify_start(&key.public_key(), &other, &signature).is_err(), "absent is not empty");
    }

    proptest! {
        #[test]
        fn field_boundaries_matter(a in proptest::collection::vec(any::<u8>(), 0..20), cut in 0usize..20) {
            let cut = cut.min(a.len());
            let joined = password_payload("r", "u", &a, &[]);
            let split = password_payload("r", "u", &a[..cut], &a[cut..]);
            prop_assert_eq!(joined == split, cut == a.len());
        }
    }
}

//! The generic 3GPP key derivation function (TS 33.220 Annex B.2).

use crate::AkaError;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// `HMAC-SHA-256(key, FC ‖ P0 ‖ L0 ‖ P1 ‖ L1 ‖ …)`, each `Li` the two-byte big-endian length of `Pi`.
///
/// `fc` is the one-byte function code that TS 33.220 B.2.2 allots: 0x20 CK'/IK' (TS 33.402), 0x80 to
/// 0x82 AKMA (TS 33.535), 0x69 to 0x7b 5G (TS 33.501).
///
/// # Errors
/// [`AkaError::ParameterTooLong`] for a parameter over 65535 bytes.
pub fn kdf(key: &[u8], fc: u8, parameters: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, AkaError> {
    let mut mac = hmac_sha256(key);
    mac.update(&[fc]);
    for p in parameters {
        let length = u16::try_from(p.len()).map_err(|_| AkaError::ParameterTooLong)?;
        mac.update(p);
        mac.update(&length.to_be_bytes());
    }
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

/// HMAC-SHA-256 keyed with `key`, of any length (RFC 2104 §2).
pub(crate) fn hmac_sha256(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_framed_by_their_lengths() {
        let key = [1; 32];
        let ab_c = kdf(&key, 0x20, &[b"ab", b"c"]).expect("short");
        assert_ne!(ab_c, kdf(&key, 0x20, &[b"a", b"bc"]).expect("short"));
        assert_ne!(ab_c, kdf(&key, 0x21, &[b"ab", b"c"]).expect("short"));
        let mut mac = hmac_sha256(&key);
        mac.update(&[0x20, b'a', b'b', 0, 2, b'c', 0, 1]);
        assert_eq!(ab_c.as_slice(), mac.finalize().into_bytes().as_slice());
    }

    #[test]
    fn a_parameter_too_long_for_its_length_field_is_refused() {
        assert!(kdf(&[1; 32], 0, &[&vec![0; 65_535]]).is_ok());
        assert_eq!(kdf(&[1; 32], 0, &[&vec![0; 65_536]]), Err(AkaError::ParameterTooLong));
    }
}

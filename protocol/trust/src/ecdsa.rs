//! Verifying ECDSA P-256/SHA-256 (FIPS 186-5 §6.4.2), the costliest thing a server does for a login.
//!
//! The portable implementation runs everywhere. With the feature `fast-p256`, and not on WASM, aws-lc does the
//! arithmetic, several times faster; what counts as a key and as a signature is decided by the portable code either
//! way, and the tests hold both to the same answers.

use crate::TrustError;
use crate::keys::parse_key;
use p256::ecdsa::{Signature, VerifyingKey};

/// Verifies r‖s over `message`; either form of s. `key` is SEC1 uncompressed.
///
/// Errors: [`TrustError::BadKey`] when the key is no point of the curve, [`TrustError::BadSignature`].
pub fn verify(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), TrustError> {
    let point = parse_key(key)?;
    let signature = Signature::from_slice(signature).map_err(|_| TrustError::BadSignature)?;
    check(&point, key, message, &signature)
}

/// The same with what was parsed already; `key` is `point` as it came.
pub(crate) fn check(point: &VerifyingKey, key: &[u8], message: &[u8], signature: &Signature) -> Result<(), TrustError> {
    #[cfg(all(feature = "fast-p256", not(target_arch = "wasm32")))]
    {
        let _ = point;
        fast(key, message, signature)
    }
    #[cfg(not(all(feature = "fast-p256", not(target_arch = "wasm32"))))]
    {
        let _ = key;
        portable(point, message, signature)
    }
}

#[cfg(any(test, not(all(feature = "fast-p256", not(target_arch = "wasm32")))))]
fn portable(point: &VerifyingKey, message: &[u8], signature: &Signature) -> Result<(), TrustError> {
    use p256::ecdsa::signature::Verifier as _;
    point.verify(message, signature).map_err(|_| TrustError::BadSignature)
}

#[cfg(all(feature = "fast-p256", not(target_arch = "wasm32")))]
fn fast(key: &[u8], message: &[u8], signature: &Signature) -> Result<(), TrustError> {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key)
        .verify(message, &signature.to_bytes())
        .map_err(|_| TrustError::BadSignature)
}

#[cfg(test)]
#[cfg(all(feature = "fast-p256", not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::keys::{DeviceSigner as _, SignLabel, SigningKey};
    use proptest::prelude::*;

    /// Order of the group, big-endian (SP 800-186 §3.2.1.3).
    const N: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];

    /// The answer of both, which must be the same. Asked without our own checks before it, aws-lc agrees as far as the
    /// key is one for us; it also takes keys in the hybrid form, which is why we look first.
    fn both(key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), TrustError> {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
        let parsed = parse_key(key)
            .and_then(|key| Ok((key, Signature::from_slice(signature).map_err(|_| TrustError::BadSignature)?)));
        let slow = parsed.and_then(|(point, signature)| portable(&point, message, &signature));
        let quick = parsed.and_then(|(_, signature)| fast(key, message, &signature));
        assert_eq!(slow, quick);
        let bare = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature);
        if parse_key(key).is_ok() {
            assert_eq!(bare.is_ok(), slow.is_ok());
        }
        assert_eq!(verify(key, message, signature), slow);
        slow
    }

    /// RFC 6979 §A.2.5: P-256 with SHA-256.
    #[test]
    fn published_signatures() {
        let key = hex::decode(concat!(
            "04",
            "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
            "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
        ))
        .unwrap();
        for (message, r, s) in [
            (
                "sample",
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
                "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
            ),
            (
                "test",
                "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
                "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
            ),
        ] {
            let signature = [hex::decode(r).unwrap(), hex::decode(s).unwrap()].concat();
            assert_eq!(both(&key, message.as_bytes(), &signature), Ok(()));
            assert_eq!(both(&key, b"another", &signature), Err(TrustError::BadSignature));
        }
    }

    #[test]
    fn edges_of_keys_and_signatures_are_judged_alike() {
        let signer = SigningKey::generate(&mut rand::rngs::OsRng);
        let (key, message) = (signer.public_key(), SignLabel::Content.message(b"m"));
        let good = signer.sign(SignLabel::Content, b"m");
        assert_eq!(both(&key, &message, &good), Ok(()));

        // The other form of s is a signature; only `keys::verify` refuses it.
        let parsed = Signature::from_slice(&good).unwrap();
        let (r, s) = parsed.split_scalars();
        let high: [u8; 64] = Signature::from_scalars(r, -*s).unwrap().to_bytes().into();
        assert_eq!(both(&key, &message, &high), Ok(()));
        assert_eq!(crate::keys::verify(&key, SignLabel::Content, b"m", &high), Err(TrustError::BadSignature));

        let with = |half: usize, value: [u8; 32]| {
            let mut changed = good;
            changed[half * 32..half * 32 + 32].copy_from_slice(&value);
            changed
        };
        let mut one = [0; 32];
        one[31] = 1;
        let (mut below, mut above) = (N, N);
        (below[31], above[31]) = (N[31] - 1, N[31] + 1);
        for value in [[0; 32], one, below, N, above, [0xff; 32]] {
            for half in 0..2 {
                assert_eq!(both(&key, &message, &with(half, value)), Err(TrustError::BadSignature), "{value:?}");
            }
        }
        for length in [0, 1, 32, 63, 65, 72] {
            assert_eq!(both(&key, &message, &vec![1; length]), Err(TrustError::BadSignature));
        }

        let mut off = key;
        off[64] ^= 1;
        let mut hybrid = key;
        hybrid[0] = 6 + (key[64] & 1);
        let mut wrong_tag = key;
        wrong_tag[0] = 5;
        let mut too_large = [0xff; 65];
        too_large[0] = 4;
        let mut zero = [0; 65];
        zero[0] = 4;
        let mut compressed = key[..33].to_vec();
        compressed[0] = 2 + (key[64] & 1);
        let bad: [&[u8]; 9] = [&off, &hybrid, &wrong_tag, &too_large, &zero, &compressed, &[0], &[], &key[..64]];
        for key in bad {
            assert_eq!(both(key, &message, &good), Err(TrustError::BadKey), "{key:?}");
        }
        let other = SigningKey::generate(&mut rand::rngs::OsRng).public_key();
        assert_eq!(both(&other, &message, &good), Err(TrustError::BadSignature));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_bytes_are_judged_alike(
            key in prop::collection::vec(any::<u8>(), 60..70),
            signature in prop::collection::vec(any::<u8>(), 60..68),
            message in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            prop_assert!(both(&key, &message, &signature).is_err());
        }

        #[test]
        fn a_changed_bit_is_judged_alike(message in prop::collection::vec(any::<u8>(), 0..64), bit in 0usize..(65 + 64) * 8) {
            let signer = SigningKey::generate(&mut rand::rngs::OsRng);
            let (mut key, mut signature) = (signer.public_key(), signer.sign(SignLabel::Content, &message));
            let (byte, mask) = (bit / 8, 1u8 << (bit % 8));
            if byte < 65 { key[byte] ^= mask } else { signature[byte - 65] ^= mask }
            prop_assert!(both(&key, &SignLabel::Content.message(&message), &signature).is_err());
        }
    }
}

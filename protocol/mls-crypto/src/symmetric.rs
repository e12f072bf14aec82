//! SHA-384, HMAC, HKDF and AES-256-GCM as openmls and `hpke-rs` want them.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha384};

/// Bytes of a nonce.
const NONCE: usize = 12;

/// Key, nonce or length that does not fit, or (opening) what was not sealed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

pub(crate) fn hash(data: &[u8]) -> Vec<u8> {
    Sha384::digest(data).to_vec()
}

pub(crate) fn hmac(key: &[u8], message: &[u8]) -> Result<Vec<u8>, Refused> {
    let mut mac = <Hmac<Sha384> as hmac::Mac>::new_from_slice(key).map_err(|_| Refused)?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().to_vec())
}

/// HKDF-Extract (RFC 5869 §2.2).
pub(crate) fn extract(salt: &[u8], ikm: &[u8]) -> Vec<u8> {
    Hkdf::<Sha384>::extract(Some(salt), ikm).0.to_vec()
}

/// HKDF-Expand (RFC 5869 §2.3). Refuses a key shorter than the hash and more than 255 hashes of output.
pub(crate) fn expand(prk: &[u8], info: &[u8], length: usize) -> Result<Vec<u8>, Refused> {
    let hkdf = Hkdf::<Sha384>::from_prk(prk).map_err(|_| Refused)?;
    let mut out = vec![0; length];
    hkdf.expand(info, &mut out).map_err(|_| Refused)?;
    Ok(out)
}

fn cipher(key: &[u8], nonce: &[u8]) -> Result<Aes256Gcm, Refused> {
    // A nonce of another length would be a panic further down.
    if nonce.len() != NONCE {
        return Err(Refused);
    }
    Aes256Gcm::new_from_slice(key).map_err(|_| Refused)
}

pub(crate) fn seal(key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Refused> {
    cipher(key, nonce)?.encrypt(Nonce::from_slice(nonce), Payload { msg, aad }).map_err(|_| Refused)
}

pub(crate) fn open(key: &[u8], nonce: &[u8], aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, Refused> {
    cipher(key, nonce)?.decrypt(Nonce::from_slice(nonce), Payload { msg, aad }).map_err(|_| Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    #[test]
    fn sha_384_of_fips_180() {
        assert_eq!(
            hash(b"abc"),
            hex("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7")
        );
    }

    #[test]
    fn hmac_of_rfc_4231() {
        assert_eq!(
            hmac(&[0x0b; 20], b"Hi There").unwrap(),
            hex("afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6")
        );
        assert_eq!(
            hmac(b"Jefe", b"what do ya want for nothing?").unwrap(),
            hex("af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649")
        );
    }

    /// Test case 16 of "The Galois/Counter Mode of Operation (GCM)".
    #[test]
    fn aes_256_gcm_of_its_specification() {
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = hex("cafebabefacedbaddecaf888");
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain = hex(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c9595680953",
            "2fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ));
        let sealed = hex(concat!(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d",
            "a7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b"
        ));
        assert_eq!(seal(&key, &nonce, &aad, &plain).unwrap(), sealed);
        assert_eq!(open(&key, &nonce, &aad, &sealed).unwrap(), plain);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let sealed = seal(&[1; 32], &[2; 12], b"a", b"text").unwrap();
        assert_eq!(open(&[1; 32], &[2; 12], b"b", &sealed), Err(Refused), "other authenticated data");
        assert_eq!(open(&[1; 32], &[2; 12], b"a", &sealed[1..]), Err(Refused));
        assert_eq!(open(&[1; 32], &[2; 12], b"a", &[]), Err(Refused));
        for (key, nonce) in [(&[1u8; 31][..], &[2u8; 12][..]), (&[1; 32], &[2; 11]), (&[1; 32], &[2; 13]), (&[], &[])] {
            assert_eq!(seal(key, nonce, b"", b""), Err(Refused));
            assert_eq!(open(key, nonce, b"", &sealed), Err(Refused));
        }
        assert_eq!(expand(&[1; 47], b"", 16), Err(Refused), "a key shorter than the hash");
        assert_eq!(expand(&[1; 48], b"", 255 * 48 + 1), Err(Refused));
        assert_eq!(expand(&[1; 48], b"", 255 * 48).unwrap().len(), 255 * 48);
    }
}

//! AKMA (TS 33.535): keys for applications from the phone's registration with the 5G core.
//!
//! K_AKMA is derived once from K_AUSF and lives until the next primary authentication. K_AF is static for one K_AKMA and
//! one application, so whoever uses it as proof binds fresh nonces of both sides into what is proven.

use crate::kdf::kdf;
use crate::{AkaError, Imsi};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// TS 33.535 Annex A.2, A.3, A.4.
const FC_K_AKMA: u8 = 0x80;
const FC_A_TID: u8 = 0x81;
const FC_K_AF: u8 = 0x82;

/// Ua* security protocol identifier (TS 33.535 Annex B.1: organisation octet 0xff is free for private use).
pub type UaStar = [u8; 5];

/// The AKMA anchor key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KAkma([u8; 32]);

impl std::fmt::Debug for KAkma {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KAkma(redacted)")
    }
}

/// AKMA temporary UE identifier: names the key, and nobody who does not have K_AUSF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ATid(pub [u8; 32]);

impl KAkma {
    /// From K_AUSF of the latest primary authentication, with its name.
    ///
    /// # Errors
    /// None for an [`Imsi`].
    pub fn derive(k_ausf: &[u8; 32], imsi: &Imsi) -> Result<(Self, ATid), AkaError> {
        // SUPI of the type IMSI as in TS 33.501 Annex A.7.0: `imsi-` is not part of it.
        let supi = imsi.as_str().as_bytes();
        let key = kdf(k_ausf, FC_K_AKMA, &[b"AKMA", supi])?;
        let name = kdf(k_ausf, FC_A_TID, &[b"A-TID", supi])?;
        Ok((Self(*key), ATid(*name)))
    }

    /// The key of one application function: its FQDN, and the protocol that it uses with the phone.
    ///
    /// # Errors
    /// [`AkaError::ParameterTooLong`] for an FQDN over 65530 bytes.
    pub fn k_af(&self, fqdn: &str, protocol: UaStar) -> Result<Zeroizing<[u8; 32]>, AkaError> {
        kdf(&self.0, FC_K_AF, &[&[fqdn.as_bytes(), &protocol].concat()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HMAC-SHA-256 of the strings of Annex A written out by hand, computed by another implementation of HMAC.
    #[test]
    fn known_answers() {
        let imsi = Imsi::new("410010123456789").expect("valid");
        let (key, name) = KAkma::derive(&[0x11; 32], &imsi).expect("derives");
        assert_eq!(hex::encode(key.0), "6f2cc252a0a1ffb77fba6777a3dc913ef8ef85dd8e2a30bf8f3cd7f13d1459a8");
        assert_eq!(hex::encode(name.0), "b059e5ad6bdd9098758438d7438c6f33274fccc3af287cbd614f45240cdf93da");
        let k_af = key.k_af("login.example", [0xff, 0, 0, 0, 1]).expect("derives");
        assert_eq!(hex::encode(*k_af), "7edd7279048b62fd19d02798349f4028d85f12b304f598569b0d9c8463b08b72");
        assert_eq!(format!("{key:?}"), "KAkma(redacted)");
    }

    #[test]
    fn every_input_matters() {
        let (one, other) = (Imsi::new("410010123456789").expect("valid"), Imsi::new("410010123456780").expect("valid"));
        let (key, name) = KAkma::derive(&[1; 32], &one).expect("derives");
        for (k_ausf, imsi) in [([2; 32], &one), ([1; 32], &other)] {
            let (k, n) = KAkma::derive(&k_ausf, imsi).expect("derives");
            assert!(k.0 != key.0 && n != name);
        }
        let base = key.k_af("a.example", [0; 5]).expect("derives");
        assert_ne!(base, key.k_af("b.example", [0; 5]).expect("derives"));
        assert_ne!(base, key.k_af("a.example", [0, 0, 0, 0, 1]).expect("derives"));
    }
}

//! Verifying certificates up to the pinned root, and MLS leaves.

use super::parse::Parsed;
use super::{CLOCK_SKEW, DeviceCertificate, MlsCertificate};
use crate::keys::{PublicKeyBytes, spki_hash};
use crate::{TrustAnchors, TrustError, mls_certificate};
use pakawaaz_base::{Bytes, DeviceId, Millis, OfficialId};
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// Most issuing CAs in a chain (an old one stays while certificates it issued are in use).
pub const MAX_ISSUING: usize = 4;

/// A verified root with its issuing CAs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaChain {
    realm: String,
    root_key: PublicKeyBytes,
    /// The newest last.
    issuing: Vec<PublicKeyBytes>,
}

impl CaChain {
    /// Verifies `chain` (DER; the root first, then one to four issuing CAs, the newest last) against the pin of the
    /// root's SubjectPublicKeyInfo.
    pub fn verify(chain: &[Bytes], ca_pin: &[u8; 32], now: Millis) -> Result<Self, TrustError> {
        let [root, issuing @ ..] = chain else { return Err(TrustError::UntrustedChain) };
        if issuing.is_empty() || issuing.len() > MAX_ISSUING {
            return Err(TrustError::UntrustedChain);
        }
        let root = Parsed::new(root)?;
        let (realm, root_key) = root.ca(1, true)?;
        if !bool::from(spki_hash(&root_key)?.ct_eq(ca_pin)) {
            return Err(TrustError::UntrustedChain);
        }
        let root_name = &root.certificate.tbs_certificate;
        if root_name.issuer != root_name.subject {
            return Err(TrustError::BadProfile);
        }
        root.verify_signature(&root_key)?;
        current(&root, now, CLOCK_SKEW)?;
        let mut keys = Vec::with_capacity(issuing.len());
        for der in issuing {
            let ca = Parsed::new(der)?;
            let (ca_realm, key) = ca.ca(0, false)?;
            if ca_realm != realm || ca.certificate.tbs_certificate.issuer != root_name.subject {
                return Err(TrustError::UntrustedChain);
            }
            ca.verify_signature(&root_key).map_err(|_| TrustError::UntrustedChain)?;
            current(&ca, now, CLOCK_SKEW)?;
            keys.push(key);
        }
        Ok(Self { realm, root_key, issuing: keys })
    }

    /// The same for a client that has pinned the root key already.
    pub fn verify_pinned(chain: &[Bytes], anchors: &TrustAnchors, now: Millis) -> Result<Self, TrustError> {
        let verified = Self::verify(chain, &spki_hash(&anchors.root_key)?, now)?;
        if verified.realm != anchors.realm { Err(TrustError::WrongRealm) } else { Ok(verified) }
    }

    /// Realm named by the root.
    pub fn realm(&self) -> &str {
        &self.realm
    }
    /// The root's key.
    pub fn root_key(&self) -> &PublicKeyBytes {
        &self.root_key
    }
    /// The newest issuing CA's key.
    pub fn issuing_key(&self) -> &PublicKeyBytes {
        &self.issuing[self.issuing.len() - 1]
    }
    /// SHA-256 of the newest issuing CA's SubjectPublicKeyInfo: part of the browser's channel binding.
    pub fn issuing_spki_hash(&self) -> Result<[u8; 32], TrustError> {
        spki_hash(self.issuing_key())
    }

    fn issued(&self, certificate: &Parsed) -> Result<(), TrustError> {
        let by_one = self.issuing.iter().rev().any(|key| certificate.verify_signature(key).is_ok());
        if by_one { Ok(()) } else { Err(TrustError::UntrustedChain) }
    }

    /// Verifies a device certificate that must be valid at `now` ± `skew`.
    pub fn verify_device_certificate(
        &self,
        der: &[u8],
        now: Millis,
        skew: Duration,
    ) -> Result<DeviceCertificate, TrustError> {
        let parsed = Parsed::new(der)?;
        let certificate = parsed.device()?;
        if certificate.realm != self.realm {
            return Err(TrustError::WrongRealm);
        }
        self.issued(&parsed)?;
        current(&parsed, now, skew)?;
        Ok(certificate)
    }
}

fn current(certificate: &Parsed, now: Millis, skew: Duration) -> Result<(), TrustError> {
    if begun(certificate, now, skew) && !ended(certificate, now, skew) { Ok(()) } else { Err(TrustError::NotValidNow) }
}
fn begun(certificate: &Parsed, now: Millis, skew: Duration) -> bool {
    now.plus(skew) >= certificate.not_before
}
fn ended(certificate: &Parsed, now: Millis, skew: Duration) -> bool {
    now.minus(skew) > certificate.not_after
}

/// An MLS leaf whose credential is in order. Whether the device is *believed* is another question: compare `device`,
/// `official` and `device_key` with a [`crate::VerifiedDevice`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedLeaf {
    /// Whose.
    pub official: OfficialId,
    /// Which device.
    pub device: DeviceId,
    /// The device's P-256 key.
    pub device_key: PublicKeyBytes,
    /// The leaf's Ed25519 key.
    pub mls_key: [u8; 32],
    /// When the shorter of the two certificates ends.
    pub not_after: Millis,
    /// It has ended: tolerated for members that are in the group already, never for a new leaf.
    pub expired: bool,
}

impl VerifiedLeaf {
    /// Refuses an expired leaf: for adds, joins and updates.
    pub fn require_current(&self) -> Result<&Self, TrustError> {
        if self.expired { Err(TrustError::NotValidNow) } else { Ok(self) }
    }
}

/// Verifies the X.509 credential of an MLS leaf (RFC 9420 §5.3): `chain` is `[MLS certificate, device certificate]`,
/// `leaf_key` the leaf's signature key.
///
/// Checks that both certificates lead to the pinned root, name the same official and device, that the MLS certificate
/// is for `leaf_key`, and that the device key signed that key. A certificate from the future is refused, an expired
/// one flagged.
pub fn verify_leaf(
    chain: &[Bytes],
    leaf_key: &[u8],
    anchors: &TrustAnchors,
    ca: &CaChain,
    now: Millis,
    skew: Duration,
) -> Result<VerifiedLeaf, TrustError> {
    let [mls_der, device_der] = chain else { return Err(TrustError::Malformed("leaf credential")) };
    if ca.root_key != anchors.root_key {
        return Err(TrustError::UntrustedChain);
    }
    let (mls_parsed, device_parsed) = (Parsed::new(mls_der)?, Parsed::new(device_der)?);
    let (mls, device): (MlsCertificate, DeviceCertificate) = (mls_parsed.mls()?, device_parsed.device()?);
    if mls.realm != anchors.realm || device.realm != anchors.realm || ca.realm != anchors.realm {
        return Err(TrustError::WrongRealm);
    }
    if mls.official != device.official || mls.device != device.device || mls.key != leaf_key {
        return Err(TrustError::Mismatch);
    }
    ca.issued(&mls_parsed)?;
    ca.issued(&device_parsed)?;
    mls_certificate::verify_key(&device.key, &device.realm, device.device, &mls.key, &mls.device_signature)?;
    if !begun(&mls_parsed, now, skew) || !begun(&device_parsed, now, skew) {
        return Err(TrustError::NotValidNow);
    }
    Ok(VerifiedLeaf {
        official: device.official,
        device: device.device,
        device_key: device.key,
        mls_key: mls.key,
        not_after: mls.not_after.min(device.not_after),
        expired: ended(&mls_parsed, now, skew) || ended(&device_parsed, now, skew),
    })
}

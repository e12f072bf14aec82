//! Whose leaf it is.
//!
//! A leaf's credential is X.509 (RFC 9420 §5.3): `Certificate chain<V>` with the MLS certificate first and the device
//! certificate second. openmls treats it as opaque; here it is taken apart. Reading an identity from a credential
//! is not believing it: a new leaf is believed only through [`crate::policy::LeafCheck`].

use crate::PolicyError;
use openmls::prelude::{Credential, CredentialType, CredentialWithKey, LeafNode, LeafNodeIndex};
use openmls::treesync::TreeSync;
use pakawaaz_base::{Bytes, DeviceId, OfficialId};
use pakawaaz_trust::x509::{DeviceCertificate, MAX_CERTIFICATE, MlsCertificate};
use std::collections::BTreeMap;

/// One member device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Position in the tree.
    pub index: LeafNodeIndex,
    /// Device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// The Ed25519 key that signs in MLS (32 bytes).
    pub mls_key: Vec<u8>,
}

/// The X.509 credential of a device, for its key packages and leaves.
pub fn credential(mls_certificate: &[u8], device_certificate: &[u8], mls_key: &[u8; 32]) -> CredentialWithKey {
    let mut chain = Vec::new();
    for certificate in [mls_certificate, device_certificate] {
        crate::external::put_vector(&mut chain, certificate);
    }
    // openmls writes the content as one vector, which is exactly the outer `<V>` of `Certificate chain<V>`.
    CredentialWithKey {
        credential: Credential::new(CredentialType::X509, chain),
        signature_key: mls_key.as_slice().into(),
    }
}

/// The certificates of a credential, MLS certificate first, as `trust::x509::verify_leaf` wants them.
pub fn chain(credential: &Credential) -> Result<Vec<Bytes>, PolicyError> {
    if credential.credential_type() != CredentialType::X509 {
        return Err(PolicyError::BadLeaf);
    }
    let mut rest = credential.serialized_content();
    let mut chain = Vec::with_capacity(2);
    while !rest.is_empty() {
        let (certificate, after) = crate::external::take_vector(rest).ok_or(PolicyError::BadLeaf)?;
        if chain.len() == 2 || certificate.len() > MAX_CERTIFICATE {
            return Err(PolicyError::BadLeaf);
        }
        chain.push(Bytes::from(certificate));
        rest = after;
    }
    if chain.len() == 2 { Ok(chain) } else { Err(PolicyError::BadLeaf) }
}

/// Reads device and official from a credential, and that its MLS certificate is for `signature_key`. Signatures and
/// validity are *not* checked.
pub fn identity(credential: &Credential, signature_key: &[u8]) -> Result<(DeviceId, OfficialId), PolicyError> {
    let chain = chain(credential)?;
    let mls = MlsCertificate::parse(&chain[0]).map_err(|_| PolicyError::BadLeaf)?;
    let device = DeviceCertificate::parse(&chain[1]).map_err(|_| PolicyError::BadLeaf)?;
    if mls.key != signature_key || mls.device != device.device || mls.official != device.official {
        return Err(PolicyError::BadLeaf);
    }
    Ok((device.device, device.official))
}

/// [`identity`] of a leaf node.
pub fn identity_of(leaf: &LeafNode) -> Result<(DeviceId, OfficialId), PolicyError> {
    identity(leaf.credential(), leaf.signature_key().as_slice())
}

/// The members of one epoch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    leaves: BTreeMap<u32, Leaf>,
}

impl Roster {
    /// Reads a tree (`MlsGroup::treesync` or `PublicGroup::treesync`). Fails when a credential is not ours or a
    /// device appears twice.
    pub fn of(tree: &TreeSync) -> Result<Self, PolicyError> {
        let mut roster = Self::default();
        for (index, node) in tree.full_leaves() {
            let (device, official) = identity_of(node)?;
            if roster.by_device(device).is_some() {
                return Err(PolicyError::DuplicateDevice);
            }
            let mls_key = node.signature_key().as_slice().to_vec();
            roster.leaves.insert(index.u32(), Leaf { index, device, official, mls_key });
        }
        Ok(roster)
    }
    /// The leaf at an index.
    pub fn at(&self, index: LeafNodeIndex) -> Option<&Leaf> {
        self.leaves.get(&index.u32())
    }
    /// The leaf of a device.
    pub fn by_device(&self, device: DeviceId) -> Option<&Leaf> {
        self.leaves.values().find(|leaf| leaf.device == device)
    }
    /// In tree order.
    pub fn iter(&self) -> impl Iterator<Item = &Leaf> {
        self.leaves.values()
    }
    /// Number of devices.
    pub fn len(&self) -> usize {
        self.leaves.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }
    /// Whether an official has any device here.
    pub fn has_official(&self, official: OfficialId) -> bool {
        self.iter().any(|leaf| leaf.official == official)
    }
}

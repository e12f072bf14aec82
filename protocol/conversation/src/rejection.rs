//! A member's signed statement that a commit cannot be applied.
//!
//! The delivery service cannot see whether a commit's encrypted path secrets are good. A malicious member could
//! brick a group that way. Members who cannot apply the commit sign this; when enough do, the server quarantines
//! the committer and the group continues as a successor.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::Signer;
use pakawaaz_base::{Bytes, DeviceId, ErrorClass, GroupId, StableError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::SUITE;

/// Largest encoded [`CommitRejection`] in bytes.
pub const MAX_REJECTION: usize = 512;
const LABEL: &[u8] = b"pakawaaz commit rejection v1\0";

/// Why a member could not apply a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    /// Path secrets do not decrypt or do not match the public keys.
    BadPath,
    /// The confirmation tag is wrong: the committer derived other secrets.
    BadConfirmation,
    /// The policy forbids it, although the server let it through.
    Forbidden,
    /// Something else in the message is wrong.
    Invalid,
}

/// What is signed (CBOR).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitRejection {
    /// The group.
    pub group: GroupId,
    /// Log position of the commit.
    pub seq: u64,
    /// Epoch that it would have ended.
    pub epoch: u64,
    /// SHA-256 of the MLS message: a rejection is of these very bytes.
    pub commit: Bytes,
    /// The rejecting device.
    pub device: DeviceId,
    /// Why.
    pub reason: RejectReason,
}

/// A rejection that is malformed or not signed by the member it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("commit rejection is not valid")]
pub struct RejectionError;

impl StableError for RejectionError {
    fn code(&self) -> &'static str {
        "conversation.bad_rejection"
    }
    fn class(&self) -> ErrorClass {
        ErrorClass::Invalid
    }
}

impl CommitRejection {
    /// A rejection of the commit `mls` at `seq`.
    pub fn new(group: GroupId, seq: u64, epoch: u64, mls: &[u8], device: DeviceId, reason: RejectReason) -> Self {
        let commit: [u8; 32] = Sha256::digest(mls).into();
        Self { group, seq, epoch, commit: commit.into(), device, reason }
    }
    /// Whether it is about the commit `mls`.
    pub fn is_of(&self, mls: &[u8]) -> bool {
        *self.commit == *Sha256::digest(mls)
    }
    /// Signs with the member's MLS key; the result travels in `ClientFrame::RejectCommit`.
    pub fn sign(&self, signer: &impl Signer) -> Result<Vec<u8>, RejectionError> {
        let mut payload = Vec::new();
        ciborium::into_writer(self, &mut payload).map_err(|_| RejectionError)?;
        let signature = signer.sign(&[LABEL, &payload].concat()).map_err(|_| RejectionError)?;
        SignedBytes { payload: payload.into(), signature: signature.into() }.encode()
    }
    /// Reads without believing.
    pub fn decode(bytes: &[u8]) -> Result<(Self, SignedBytes), RejectionError> {
        if bytes.len() > MAX_REJECTION {
            return Err(RejectionError);
        }
        let (payload, signature): (Bytes, Bytes) = uncbor(bytes)?;
        let rejection: Self = uncbor(&payload)?;
        let signed = SignedBytes { payload, signature };
        // One statement, one encoding.
        if rejection.commit.len() != 32 || signed.signature.len() != 64 || signed.encode()? != bytes {
            return Err(RejectionError);
        }
        Ok((rejection, signed))
    }
    /// Reads and verifies with the member's MLS key (of the epoch the commit would have ended).
    pub fn verify(bytes: &[u8], mls_key: &[u8], crypto: &impl OpenMlsCrypto) -> Result<Self, RejectionError> {
        let (rejection, signed) = Self::decode(bytes)?;
        let message = [LABEL, &signed.payload].concat();
        crypto
            .verify_signature(SUITE.signature_algorithm(), &message, mls_key, &signed.signature)
            .map_err(|_| RejectionError)?;
        Ok(rejection)
    }
}

/// Payload and signature of a rejection that was read but not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBytes {
    payload: Bytes,
    signature: Bytes,
}

impl SignedBytes {
    fn encode(&self) -> Result<Vec<u8>, RejectionError> {
        let mut out = Vec::new();
        ciborium::into_writer(&(&self.payload, &self.signature), &mut out).map_err(|_| RejectionError)?;
        Ok(out)
    }
}

fn uncbor<T: serde::de::DeserializeOwned>(mut bytes: &[u8]) -> Result<T, RejectionError> {
    let value = ciborium::de::from_reader_with_recursion_limit(&mut bytes, 8).map_err(|_| RejectionError)?;
    if bytes.is_empty() { Ok(value) } else { Err(RejectionError) }
}

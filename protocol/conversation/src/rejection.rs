//! A member's signed statement that a commit cannot be applied.
//!
//! The delivery service cannot see whether a commit's encrypted path secrets are good. A malicious member could
//! brick a group that way. Members who cannot apply the commit sign this; when enough do, the server quarantines
//! the committer and the group continues as a successor.

use openmls::ciphersuite::signable::Verifiable as _;
use openmls::ciphersuite::signature::OpenMlsSignaturePublicKey;
use openmls::prelude::tls_codec::Deserialize as _;
use openmls::prelude::{MlsMessageBodyIn, MlsMessageIn};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::Signer;
use pakawaaz_base::{Bytes, DeviceId, ErrorClass, GroupId, StableError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Leaf;
use crate::config::{SUITE, mls_group_id};

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

/// Whether `author` has signed this very confirmation tag for this very commit.
///
/// A commit's signature covers neither its confirmation tag nor its membership tag (RFC 9420 §6.1), so whoever carries
/// the commit can spoil them. But the GroupInfo that its author hands in with it holds the confirmation tag under the
/// author's signature (§12.4.3), and the delivery service takes no commit whose GroupInfo says another tag. So a wrong
/// tag counts against the author only if it stands in there too. `transcript` is the confirmed transcript hash after
/// the commit, which names the commit; `tag` is the TLS encoding of the tag. `None`: this is not the author's GroupInfo of
/// this commit.
pub fn confirmed_by(
    group_info: &[u8],
    group: GroupId,
    transcript: &[u8],
    tag: &[u8],
    author: &Leaf,
    crypto: &impl OpenMlsCrypto,
) -> Option<bool> {
    let MlsMessageBodyIn::GroupInfo(info) = MlsMessageIn::tls_deserialize_exact(group_info).ok()?.extract() else {
        return None;
    };
    let context = info.group_context();
    if context.group_id() != &mls_group_id(group) || context.confirmed_transcript_hash() != transcript {
        return None;
    }
    let key = OpenMlsSignaturePublicKey::new(author.mls_key.clone().into(), SUITE.signature_algorithm()).ok()?;
    info.verify_no_out(crypto, &key).ok()?;
    // GroupInfoTBS ends with confirmation_tag<V> ‖ signer (u32), which openmls does not give out.
    let tail = [tag, &author.index.u32().to_be_bytes()].concat();
    Some(info.unsigned_payload().ok()?.ends_with(&tail))
}

fn uncbor<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, RejectionError> {
    pakawaaz_tree::from_cbor_within(bytes, 8).map_err(|_| RejectionError)
}

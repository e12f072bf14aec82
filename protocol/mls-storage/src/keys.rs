//! Row keys.
//!
//! ```text
//! group row    'g' ‖ length of the group id (varint) ‖ group id ‖ kind ‖ rest
//! shared row   's' ‖ kind ‖ key, or SHA-256 of the key when it is longer than 64 bytes
//! ```
//! The length before the group id keeps one id from being a prefix of another. Shared rows belong to no group
//! (key packages, PSKs, encryption keys of pending updates): a client always loads them.

use crate::StorageError;
use crate::codec::encode_behind;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// First byte of every row of a group.
pub const GROUP: u8 = b'g';
/// First byte of every row that belongs to no group.
pub const SHARED: u8 = b's';

/// What a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Ratchet tree.
    Tree = 1,
    /// Group context.
    Context = 2,
    /// Interim transcript hash.
    InterimTranscriptHash = 3,
    /// Confirmation tag.
    ConfirmationTag = 4,
    /// References of queued proposals, in order.
    ProposalQueue = 5,
    /// One queued proposal.
    Proposal = 6,
    /// Join configuration.
    JoinConfig = 7,
    /// Own leaf nodes of pending updates.
    OwnLeafNodes = 8,
    /// Operational state, pending commit.
    GroupState = 9,
    /// Message secrets of this and past epochs.
    MessageSecrets = 10,
    /// Resumption PSKs.
    ResumptionPsks = 11,
    /// Own leaf index.
    OwnLeafIndex = 12,
    /// Epoch secrets.
    EpochSecrets = 13,
    /// HPKE key pairs of one epoch and leaf.
    EpochKeyPairs = 14,
    /// Shared: key package with its private keys.
    KeyPackage = 32,
    /// Shared: PSK.
    Psk = 33,
    /// Shared: HPKE key pair of a pending update.
    EncryptionKeyPair = 34,
    /// Shared: signature key pair.
    SignatureKeyPair = 35,
}

/// The prefix of all rows of the group whose MLS group id is `group_id` (raw bytes).
pub fn group_prefix(group_id: &[u8]) -> Vec<u8> {
    // The same bytes as postcard of openmls' `GroupId`: a varint length, then the id.
    encode_behind(&[GROUP], group_id).expect("a byte slice always encodes").to_vec()
}

pub(crate) fn group_row<G: Serialize>(group: &G, kind: Kind) -> Result<Vec<u8>, StorageError> {
    let mut key = encode_behind(&[GROUP], group)?.to_vec();
    key.push(kind as u8);
    Ok(key)
}

pub(crate) fn group_row_with<G: Serialize, R: Serialize>(
    group: &G,
    kind: Kind,
    rest: &R,
) -> Result<Vec<u8>, StorageError> {
    Ok(encode_behind(&group_row(group, kind)?, rest)?.to_vec())
}

pub(crate) fn shared_row<K: Serialize>(kind: Kind, key: &K) -> Result<Vec<u8>, StorageError> {
    let name = encode_behind(&[], key)?;
    let mut row = vec![SHARED, kind as u8];
    if name.len() > 64 {
        row.extend(Sha256::digest(&*name));
    } else {
        row.extend_from_slice(&name);
    }
    Ok(row)
}

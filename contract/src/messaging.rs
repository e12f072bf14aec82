//! Key packages and groups over HTTP (context `messaging`); the hot path is [`crate::frames`].

use pakawaaz_base::{Bytes, DeviceId, GroupId, Millis, OfficialId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/key-packages`: publish for this device. Answer: [`KeyPackageCount`].
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PublishKeyPackagesRequest {
    /// TLS-serialised RFC 9420 KeyPackage (the bare struct), at most 100.
    pub key_packages: Vec<Bytes>,
    /// One that may be handed out repeatedly when the others ran out (its `last_resort` extension is set).
    pub last_resort: Option<Bytes>,
}

/// How many one-time key packages the server still has for this device.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct KeyPackageCount {
    /// Unclaimed, unexpired, one-time.
    pub available: u32,
}

/// `POST /v1/officials/{official}/key-packages/claim`: one for every active device of an official, except the
/// caller's own device.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClaimedKeyPackages {
    /// One a device.
    pub key_packages: Vec<ClaimedKeyPackage>,
    /// Active devices without any key package (they join later).
    pub without: Vec<DeviceId>,
}

/// A claimed key package.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClaimedKeyPackage {
    /// Device it belongs to.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// TLS-serialised KeyPackage.
    pub key_package: Bytes,
}

/// `POST /v1/groups`: register a group at epoch 0 with its creator as the only leaf. Answer: [`GroupState`].
/// Idempotent by group id for the same creator and bytes.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreateGroupRequest {
    /// The group; equal to the MLS group id (16 bytes).
    pub group: GroupId,
    /// TLS-serialised MLSMessage(GroupInfo), signed by the creator, without the ratchet tree extension.
    pub group_info: Bytes,
    /// TLS-serialised ratchet tree (RFC 9420 §7.8).
    pub ratchet_tree: Bytes,
    /// The group this one succeeds (after a poisoned commit or a suite change).
    pub successor_of: Option<GroupId>,
}

/// `GET /v1/groups/{group}`: the newest state, for external commits. Members and returning devices only.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GroupState {
    /// The group.
    pub group: GroupId,
    /// Current epoch.
    pub epoch: u64,
    /// TLS-serialised MLSMessage(GroupInfo) of that epoch.
    pub group_info: Bytes,
    /// TLS-serialised ratchet tree of that epoch.
    pub ratchet_tree: Bytes,
    /// Log position of the last entry (0 = empty).
    pub head_seq: u64,
    /// Chained hash of the log up to `head_seq` (32 bytes).
    pub head_hash: Bytes,
    /// Successor, when this group is closed.
    pub successor: Option<GroupId>,
}

/// `GET /v1/groups/{group}/epochs/{epoch}/tree`: the tree a Welcome of that epoch needs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EpochTree {
    /// TLS-serialised ratchet tree.
    pub ratchet_tree: Bytes,
    /// Log position of the commit that made this epoch.
    pub seq: u64,
    /// Chained hash at that position.
    pub log_hash: Bytes,
}

/// `GET /v1/groups`: the groups this device is or was meant to be a leaf of.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GroupList {
    /// One a group.
    pub groups: Vec<GroupSummary>,
}

/// One membership.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct GroupSummary {
    /// The group.
    pub group: GroupId,
    /// Current epoch.
    pub epoch: u64,
    /// Last log position.
    pub head_seq: u64,
    /// When it was made.
    pub created_at: Millis,
}

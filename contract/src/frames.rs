//! WebSocket frames of `/v1/events`: CBOR in binary messages.
//!
//! The server speaks first ([`ServerFrame::Challenge`]); the client answers with [`ClientFrame::Hello`] within ten
//! seconds. The server stores before it pushes; a client acknowledges ([`ClientFrame::Ack`]) after it has stored.
//! Everything above a device's acknowledged positions is sent again after a reconnect, in order for each group.

use crate::identity::DeviceStatus;
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis, OfficialId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientFrame {
    /// First frame: proves the session. `dpop` is an RFC 9449 proof (`htm` = GET, `htu` = the socket's URL with
    /// http(s) scheme) over the challenge's nonce, with `ath`.
    Hello {
        /// Protocol version.
        version: u16,
        /// Access token.
        access_token: String,
        /// DPoP proof.
        dpop: String,
        /// Highest stored log position of each group; the server resumes after the lower of this and its own record.
        positions: Vec<(GroupId, u64)>,
        /// Highest stored inbox position.
        inbox: u64,
    },
    /// An application message. Idempotent by `(group, message)`.
    Send {
        /// Echoed in the answer.
        request: u64,
        /// The group.
        group: GroupId,
        /// Sender's message id.
        message: MessageId,
        /// Epoch it is encrypted in; only the group's current epoch is accepted.
        epoch: u64,
        /// TLS-serialised MLSMessage(PrivateMessage).
        mls: Bytes,
    },
    /// A commit, with everything that must be stored atomically with it.
    Commit {
        /// Echoed in the answer.
        request: u64,
        /// The group.
        group: GroupId,
        /// Idempotency key of the commit.
        message: MessageId,
        /// Epoch the commit ends; exactly one commit is accepted for each.
        epoch: u64,
        /// TLS-serialised MLSMessage(PublicMessage) with the commit.
        mls: Bytes,
        /// TLS-serialised MLSMessage(Welcome), when it adds.
        welcome: Option<Bytes>,
        /// Devices the Welcome is for.
        welcome_to: Vec<DeviceId>,
        /// TLS-serialised MLSMessage(GroupInfo) of the new epoch, signed by the committer.
        group_info: Bytes,
    },
    /// Stored up to these positions.
    Ack {
        /// Log positions.
        groups: Vec<(GroupId, u64)>,
        /// Inbox position.
        inbox: u64,
    },
    /// A commit that this member could not apply although it was valid in form: a signed rejection.
    RejectCommit {
        /// Echoed in the answer.
        request: u64,
        /// The group.
        group: GroupId,
        /// Its log position.
        seq: u64,
        /// `conversation::CommitRejection`, signed by this member's MLS key.
        statement: Bytes,
    },
    /// The official writes in a conversation, or has stopped. Passed on to members who are connected, kept nowhere,
    /// unsigned; left out when there are many.
    Typing {
        /// The group.
        group: GroupId,
        /// Writes, or has stopped.
        on: bool,
    },
    /// Keep-alive.
    Ping,
}

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerFrame {
    /// First frame.
    Challenge {
        /// 32 bytes; goes into the DPoP proof's `nonce` (base64url).
        nonce: Bytes,
        /// Server time.
        time: Millis,
    },
    /// Authenticated; pushes follow.
    Ready {
        /// One-time key packages left.
        key_packages: u32,
        /// Groups that this device is a leaf of and that its Hello gave no position of: new to it, or lost with its
        /// store.
        #[serde(default)]
        unnamed: Vec<GroupId>,
    },
    /// Durable.
    Accepted {
        /// The request.
        request: u64,
        /// Log position.
        seq: u64,
        /// Server time of the entry.
        at: Millis,
        /// Chained hash up to it (32 bytes).
        log_hash: Bytes,
    },
    /// Not done.
    Rejected {
        /// The request.
        request: u64,
        /// Stable code, for example `messaging.epoch_conflict`.
        code: String,
        /// The group's current epoch, where it matters.
        epoch: Option<u64>,
        /// Try again no sooner, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// An entry of a group's log.
    Log(LogEntry),
    /// An entry of this device's inbox.
    Inbox {
        /// Position, from 1.
        position: u64,
        /// Server time.
        at: Millis,
        /// What happened.
        notice: Notice,
    },
    /// Everything stored so far has been sent.
    CaughtUp,
    /// A member writes, or has stopped. The server's word only.
    Typing {
        /// The group.
        group: GroupId,
        /// Who.
        official: OfficialId,
        /// Writes, or has stopped.
        on: bool,
    },
    /// Keep-alive answer.
    Pong,
    /// The server ends the connection.
    Closing {
        /// Stable code, for example `identity.session_ended`.
        code: String,
    },
}

/// What an entry of the log carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogKind {
    /// Application message (PrivateMessage).
    Application,
    /// Commit (PublicMessage).
    Commit,
    /// Proposal by the server as external sender (PublicMessage).
    Proposal,
}

impl LogKind {
    /// The byte that enters the chained hash and the database.
    pub fn as_u8(self) -> u8 {
        match self {
            Self::Application => 1,
            Self::Commit => 2,
            Self::Proposal => 3,
        }
    }
    /// The reverse of [`Self::as_u8`].
    pub fn from_u8(value: u8) -> Option<Self> {
        [Self::Application, Self::Commit, Self::Proposal].into_iter().find(|k| k.as_u8() == value)
    }
}

/// One entry of a group's ordered log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The group.
    pub group: GroupId,
    /// Position, from 1, without gaps.
    pub seq: u64,
    /// Epoch in which it was accepted (for a commit: the epoch it ended).
    pub epoch: u64,
    /// What it is.
    pub kind: LogKind,
    /// Sender's id for it.
    pub message: MessageId,
    /// Server time.
    pub at: Millis,
    /// The MLS message.
    pub mls: Bytes,
    /// Chained hash up to and including this entry (`conversation::log`).
    pub log_hash: Bytes,
}

/// What a device is told outside any group's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// Added to a group.
    Welcome {
        /// The group.
        group: GroupId,
        /// Epoch the Welcome leads into.
        epoch: u64,
        /// TLS-serialised MLSMessage(Welcome).
        welcome: Bytes,
        /// Log position of the commit; the log is sent from the next one on.
        seq: u64,
        /// Chained hash at that position.
        log_hash: Bytes,
    },
    /// A device of this official changed its standing.
    Device {
        /// The device.
        device: DeviceId,
        /// Its official.
        official: OfficialId,
        /// Where it stands now.
        status: DeviceStatus,
    },
    /// A device of another member was revoked or suspended; its signed statement, if there is one.
    Revoked {
        /// The device.
        device: DeviceId,
        /// Its official.
        official: OfficialId,
        /// Groups shared with this device.
        groups: Vec<GroupId>,
        /// `trust::Signed` revocation: cut cryptographically once committed. Absent: cut by the server only.
        statement: Option<Bytes>,
    },
    /// A commit was rejected by enough members: the group continues as a successor that this device should make or wait for.
    Quarantined {
        /// The group.
        group: GroupId,
        /// The committer's device.
        device: DeviceId,
        /// Log position of the commit.
        seq: u64,
    },
    /// Publish more key packages.
    KeyPackagesLow {
        /// Left.
        available: u32,
    },
}

/// A frame could not be read.
#[derive(Debug, thiserror::Error)]
#[error("frame is not valid CBOR of this protocol")]
pub struct FrameError;

macro_rules! cbor {
    ($t:ty, $decode:path) => {
        impl $t {
            /// Encodes as CBOR.
            pub fn encode(&self) -> Vec<u8> {
                let mut out = Vec::with_capacity(256);
                ciborium::into_writer(self, &mut out).expect("writing CBOR to a Vec cannot fail");
                out
            }
            /// Decodes from CBOR; the whole input must be one item.
            pub fn decode(data: &[u8]) -> Result<Self, FrameError> {
                $decode(data)
            }
        }
    };
}
cbor!(ClientFrame, quickly);
cbor!(ServerFrame, small);
cbor!(Notice, small);

/// For what a server reads all day.
fn quickly<T: DeserializeOwned>(mut data: &[u8]) -> Result<T, FrameError> {
    let value = ciborium::from_reader(&mut data).map_err(|_| FrameError)?;
    if data.is_empty() { Ok(value) } else { Err(FrameError) }
}

/// For what a browser reads.
fn small<T: DeserializeOwned>(data: &[u8]) -> Result<T, FrameError> {
    pakawaaz_tree::from_cbor(data).map_err(|_| FrameError)
}

//! What the client needs of an MLS implementation (RFC 9420).
//!
//! Every method is synchronous and works on state in memory. After a call the caller takes [`MlsEngine::changes`],
//! stores them together with whatever else follows, and says [`MlsEngine::saved`]; when the store failed, it throws the
//! engine away and loads it again. So MLS state and the rest never part.

use crate::store::Key;
use openmls::prelude::LeafNodeIndex;
use pakawaaz_base::{Bytes, DeviceId, GroupId, Millis, OfficialId};
use pakawaaz_conversation::{CommitEffect, Kind, Leaf, LeafCheck, PolicyError, Roster};
use zeroize::Zeroizing;

/// Officials and devices whose evidence must be looked up before something can be judged.
pub(crate) type WhoIsNew = Vec<(OfficialId, DeviceId)>;

/// What a commit changes, besides its own update path.
#[derive(Clone, Debug, Default)]
pub(crate) struct CommitPlan {
    /// Key packages to add (TLS).
    pub add: Vec<Bytes>,
    /// Leaves to remove.
    pub remove: Vec<LeafNodeIndex>,
}

/// A commit ready to be sent. It is merged only after the server accepted it.
#[derive(Clone, Debug)]
pub(crate) struct OutgoingCommit {
    /// Epoch it ends.
    pub epoch: u64,
    /// MLSMessage(PublicMessage).
    pub mls: Bytes,
    /// MLSMessage(Welcome).
    pub welcome: Option<Bytes>,
    /// MLSMessage(GroupInfo) of the new epoch.
    pub group_info: Bytes,
}

/// What coming back needs.
pub(crate) struct Rejoin<'a> {
    /// MLSMessage(GroupInfo).
    pub group_info: &'a [u8],
    /// Ratchet tree.
    pub tree: &'a [u8],
    /// Identifier and secret shared with the members since the last epoch both had.
    pub psk: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
}

/// What a message turned out to be. Nothing has been applied yet.
#[derive(Debug)]
pub(crate) enum Processed {
    /// Application data from a member.
    Application {
        /// Sender's leaf.
        sender: Leaf,
        /// Epoch it was encrypted in.
        epoch: u64,
        /// Plaintext.
        content: Zeroizing<Vec<u8>>,
    },
    /// A proposal; see [`MlsEngine::keep_proposal`].
    Proposal,
    /// Another member's commit; see [`MlsEngine::accept_commit`].
    Commit {
        /// Whose evidence judging it needs.
        new: WhoIsNew,
        /// Its membership tag was wrong. Signature and confirmation tag are not, and they prove more.
        retagged: bool,
    },
    /// This device's own pending commit came back.
    OwnCommit {
        /// As in [`Processed::Commit`].
        retagged: bool,
    },
    /// This device's own application message came back.
    OwnMessage,
}

/// MLS refused. The text names the rule, never content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EngineError {
    #[error("not an mls message of this protocol")]
    Malformed,
    #[error("no such group")]
    NoGroup,
    #[error("the message is of another epoch")]
    WrongEpoch,
    #[error("the message does not decrypt or verify")]
    Invalid,
    /// Not as its author signed it, so it is not the author's doing.
    #[error("the author's signature does not cover these bytes")]
    NotSigned,
    /// Signed by its author, and cannot be applied.
    #[error("the commit's signed content cannot be applied")]
    BadCommit,
    /// Signed by its author and applicable, but for the confirmation tag, which the signature does not cover; see
    /// [`MlsEngine::author_confirmed`].
    #[error("the commit's confirmation tag is wrong")]
    BadConfirmation,
    /// It rests on a proposal that was not delivered.
    #[error("a proposal of the commit is missing")]
    MissingProposal,
    /// Under this device's own leaf, but not its pending commit.
    #[error("another commit of this very device")]
    OwnOther,
    /// It adds a key package whose time is over by now: the commit came late, or a clock is wrong.
    #[error("a key package in the commit has ended")]
    Expired,
    #[error("the key package was used already or is not ours")]
    NoKeyPackage,
    #[error("the group state is damaged")]
    Damaged,
    #[error("mls refused: {0}")]
    Refused(&'static str),
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl From<EngineError> for crate::ClientError {
    fn from(e: EngineError) -> Self {
        Self::Mls(match e {
            EngineError::Malformed => "not an mls message",
            EngineError::NoGroup => "no such group",
            EngineError::WrongEpoch => "another epoch",
            EngineError::Invalid => "does not decrypt or verify",
            EngineError::NotSigned => "not signed by its author",
            EngineError::BadCommit | EngineError::BadConfirmation => "commit cannot be applied",
            EngineError::MissingProposal => "a proposal is missing",
            EngineError::OwnOther => "a forgotten commit of this device",
            EngineError::Expired => "a key package has ended",
            EngineError::NoKeyPackage => "unknown key package",
            EngineError::Damaged => "damaged group state",
            EngineError::Refused(why) => why,
            EngineError::Policy(_) => "forbidden by the conversation's rules",
        })
    }
}

/// Rows to store and to delete.
pub(crate) type Changes = (Vec<(Key, Zeroizing<Vec<u8>>)>, Vec<Key>);

/// See the module.
pub(crate) trait MlsEngine {
    /// Takes rows from the store.
    fn load(&mut self, rows: Vec<(Key, Zeroizing<Vec<u8>>)>);
    /// What has changed since the last save.
    fn changes(&self) -> Changes;
    /// Whether there are changes that are not saved.
    fn is_dirty(&self) -> bool;
    /// The changes are durable.
    fn saved(&mut self);
    /// Forgets a group for good.
    fn delete_group(&mut self, group: GroupId);

    /// A key package for others to add this device with (TLS).
    fn key_package(&mut self, last_resort: bool, now: Millis) -> Result<Bytes, EngineError>;
    /// Deletes the private halves of key packages whose time was over at `before`.
    fn forget_key_packages(&mut self, before: Millis) -> Result<(), EngineError>;
    /// Judges somebody's key package: signatures, shape, and its leaf through `leaves`.
    fn check_key_package(
        &self,
        key_package: &[u8],
        now: Millis,
        leaves: &dyn LeafCheck,
    ) -> Result<(DeviceId, OfficialId), EngineError>;

    /// Creates a group with this device as its only leaf: GroupInfo message and ratchet tree.
    fn create(&mut self, group: GroupId, kind: Kind, now: Millis) -> Result<(Bytes, Bytes), EngineError>;
    /// Reads a Welcome and its tree: who is in there. Nothing is kept in memory but the staged welcome.
    fn stage_welcome(&mut self, group: GroupId, welcome: &[u8], tree: &[u8]) -> Result<WhoIsNew, EngineError>;
    /// Joins by the Welcome staged last, after judging every member.
    fn accept_welcome(&mut self, group: GroupId, leaves: &dyn LeafCheck) -> Result<u64, EngineError>;
    /// Judges every member (after [`MlsEngine::rejoin`]).
    fn check_members(&mut self, group: GroupId, leaves: &dyn LeafCheck) -> Result<(), EngineError>;
    /// Comes back by an external commit that removes this device's old leaf; merged in memory at once.
    fn rejoin(&mut self, group: GroupId, rejoin: Rejoin<'_>) -> Result<OutgoingCommit, EngineError>;

    /// Current epoch.
    fn epoch(&mut self, group: GroupId) -> Result<u64, EngineError>;
    /// Kind of conversation, from the group context.
    fn kind(&mut self, group: GroupId) -> Result<Kind, EngineError>;
    /// Epoch authenticator (RFC 9420 §8.7).
    fn epoch_authenticator(&mut self, group: GroupId) -> Result<Vec<u8>, EngineError>;
    /// Identifier and secret by which this device can prove later that it was in this epoch.
    fn rejoin_psk(&mut self, group: GroupId) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), EngineError>;
    /// Keeps a pre-shared key, so that commits of returning devices can be read.
    fn store_psk(&mut self, id: Vec<u8>, secret: &[u8]) -> Result<(), EngineError>;
    /// Every leaf.
    fn roster(&mut self, group: GroupId) -> Result<Roster, EngineError>;
    /// This device's leaf index.
    fn own_leaf(&mut self, group: GroupId) -> Result<LeafNodeIndex, EngineError>;
    /// Leaves whose removal the server has proposed in this epoch.
    fn pending_removals(&mut self, group: GroupId) -> Result<Vec<LeafNodeIndex>, EngineError>;
    /// Signs a rejection with the MLS key.
    fn sign_rejection(&self, rejection: &pakawaaz_conversation::CommitRejection) -> Result<Vec<u8>, EngineError>;

    /// Encrypts application data in the current epoch.
    fn encrypt(&mut self, group: GroupId, content: &[u8]) -> Result<Bytes, EngineError>;
    /// Makes a commit and keeps it pending. Kept proposals are always included.
    fn commit(&mut self, group: GroupId, plan: &CommitPlan) -> Result<OutgoingCommit, EngineError>;
    /// Merges the pending commit: the server accepted it.
    fn merge_pending(&mut self, group: GroupId) -> Result<(), EngineError>;
    /// Drops the pending commit: another one won.
    fn clear_pending(&mut self, group: GroupId) -> Result<(), EngineError>;

    /// The epoch a message says it is of.
    fn message_epoch(&self, mls: &[u8]) -> Option<u64>;
    /// Reads a message of the log. A commit or proposal is staged, not applied.
    fn process(&mut self, group: GroupId, mls: &[u8]) -> Result<Processed, EngineError>;
    /// After [`EngineError::BadConfirmation`]: whether `group_info` (MLSMessage), the author's own of the epoch that the
    /// commit leads into, carries that wrong tag under the author's signature. `None`: it is not that GroupInfo.
    fn author_confirmed(&mut self, group: GroupId, group_info: &[u8]) -> Option<bool>;
    /// Judges the staged commit and applies it; returns what it did and whether this device was removed by it.
    fn accept_commit(&mut self, group: GroupId, leaves: &dyn LeafCheck) -> Result<(CommitEffect, bool), EngineError>;
    /// Judges the staged proposal and keeps it; `revoked(statement, leaf)` verifies the revocation.
    fn keep_proposal(&mut self, group: GroupId, revoked: &dyn Fn(&[u8], &Leaf) -> bool) -> Result<Leaf, EngineError>;
    /// The authenticated data and the leaf of the staged proposal, for fetching what judging it needs.
    fn staged_removal(&mut self, group: GroupId) -> Option<(Vec<u8>, Leaf)>;
}

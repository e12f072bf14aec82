//! What members may read about their groups.

use super::Messaging;
use crate::MessagingError;
use crate::store::groups::{GroupRow, StateRow};
use crate::store::{groups, members};
use pakawaaz_base::{Actor, GroupId};
use pakawaaz_contract::messaging::{EpochTree, GroupList, GroupState};

impl Messaging {
    /// The newest state of a group, for its members and for a member's device that comes back.
    pub async fn group(&self, actor: &Actor, group: GroupId) -> Result<GroupState, MessagingError> {
        // One snapshot: head and state must be of the same moment.
        let mut read = self.inner.db.snapshot().await?;
        if !members::is_allowed(read.conn(), group, actor.device).await? {
            return Err(MessagingError::GroupNotFound);
        }
        let row = groups::get(read.conn(), group).await?.ok_or(MessagingError::GroupNotFound)?;
        let state = groups::state(read.conn(), group).await?.ok_or(MessagingError::GroupNotFound)?;
        Ok(group_state(group, &row, state))
    }

    /// The tree of an epoch, for those who were welcomed into it.
    pub async fn epoch_tree(&self, actor: &Actor, group: GroupId, epoch: u64) -> Result<EpochTree, MessagingError> {
        let mut read = self.inner.db.snapshot().await?;
        if !members::is_allowed(read.conn(), group, actor.device).await? {
            return Err(MessagingError::GroupNotFound);
        }
        let found = groups::tree(read.conn(), group, epoch).await?;
        let (tree, seq, log_hash) = found.ok_or(MessagingError::TreeNotFound)?;
        Ok(EpochTree { ratchet_tree: tree.into(), seq, log_hash: log_hash.into() })
    }

    /// The groups of the caller's device.
    pub async fn group_list(&self, actor: &Actor) -> Result<GroupList, MessagingError> {
        let mut read = self.inner.db.read().await?;
        Ok(GroupList { groups: groups::of_device(read.conn(), actor.device).await? })
    }
}

pub(super) fn group_state(group: GroupId, row: &GroupRow, state: StateRow) -> GroupState {
    GroupState {
        group,
        epoch: state.epoch,
        group_info: state.group_info.into(),
        ratchet_tree: state.ratchet_tree.into(),
        head_seq: row.head.chain.seq,
        head_hash: row.head.chain.hash.into(),
        successor: row.successor,
    }
}

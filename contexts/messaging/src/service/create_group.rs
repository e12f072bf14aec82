//! A new conversation.

use super::Messaging;
use super::cache::Cached;
use super::read_group::group_state;
use crate::MessagingError;
use crate::model::group::Tracked;
use crate::store::groups::StateRow;
use crate::store::{cuts, groups, members};
use pakawaaz_base::{Actor, ErrorClass, StableError};
use pakawaaz_contract::messaging::{CreateGroupRequest, GroupState};
use sha2::{Digest, Sha256};

/// Largest GroupInfo in bytes.
pub const MAX_GROUP_INFO: usize = 64 * 1024;
/// Largest tree of one leaf in bytes.
const MAX_FIRST_TREE: usize = 64 * 1024;

impl Messaging {
    /// Registers a group at epoch 0 whose only leaf is the caller. The same request again gives the same answer.
    ///
    /// Errors: `messaging.bad_group_info`, `messaging.group_exists`, `messaging.no_successor`,
    /// `messaging.too_many_groups`, a policy error.
    pub async fn create_group(&self, actor: &Actor, request: CreateGroupRequest) -> Result<GroupState, MessagingError> {
        let CreateGroupRequest { group, group_info, ratchet_tree, successor_of } = request;
        if group_info.len() > MAX_GROUP_INFO || ratchet_tree.len() > MAX_FIRST_TREE {
            return Err(MessagingError::TooLarge);
        }
        let fingerprint = Sha256::new()
            .chain_update(Sha256::digest(&*group_info))
            .chain_update(Sha256::digest(&*ratchet_tree))
            .finalize();
        let now = self.now();
        let mut place = self.inner.groups.lock(group).await;
        let existing = groups::get(self.inner.db.read().await?.conn(), group).await?;
        if let Some(row) = existing {
            return self.same_again(actor, &row, &fingerprint).await;
        }
        let (info, tree, device) = (group_info.clone(), ratchet_tree.clone(), actor.device);
        let tracked = self
            .inner
            .blocking(move |inner| {
                let check = inner.leaf_check(now);
                Tracked::register(&inner.crypto, group, device, &info, &tree, &inner.external_key(), &check)
            })
            .await
            .map_err(|e| if e.class() == ErrorClass::Internal { MessagingError::BadGroupInfo } else { e })?;
        let leaf = tracked.roster.by_device(actor.device).ok_or(MessagingError::BadGroupInfo)?;
        if leaf.official != actor.official {
            return Err(MessagingError::BadGroupInfo);
        }
        let index = leaf.index.u32();
        let state = StateRow {
            epoch: 0,
            version: 1,
            group_info: group_info.0,
            ratchet_tree: ratchet_tree.0,
            mls: tracked.state()?.to_vec(),
        };

        let mut tx = self.inner.db.begin().await?;
        if cuts::is_cut(tx.conn(), actor.device).await? {
            return Err(MessagingError::DeviceCut);
        }
        if !groups::insert(tx.conn(), group, actor.device, &fingerprint, now).await? {
            // Another node was faster.
            let row = groups::get(tx.conn(), group).await?.ok_or(MessagingError::GroupExists)?;
            drop(tx);
            return self.same_again(actor, &row, &fingerprint).await;
        }
        // A successor replaces a group that is of no use any more, and must never fail for a number.
        let count = groups::count_created(tx.conn(), actor.official).await?;
        if successor_of.is_none() && count > self.inner.config.groups_per_official {
            return Err(MessagingError::TooManyGroups);
        }
        groups::put_state(tx.conn(), group, &state).await?;
        members::enter(tx.conn(), group, actor.device, actor.official, index, 0).await?;
        if let Some(old) = successor_of {
            let row = groups::get(tx.conn(), old).await?.ok_or(MessagingError::NoSuccessor)?;
            let by_member = members::is_allowed(tx.conn(), old, actor.device).await?;
            let rightly = by_member && row.quarantined != Some(actor.device);
            if !rightly || !groups::set_successor(tx.conn(), old, group).await? {
                return Err(MessagingError::NoSuccessor);
            }
        }
        let row = groups::get(tx.conn(), group).await?.ok_or(MessagingError::GroupNotFound)?;
        tx.commit().await?;
        *place = Some(Cached { version: state.version, tracked });
        drop(place);
        self.inner.fanout.wake.follow(actor.device, [group]);
        self.inner.fanout.wake.inbox(actor.device);
        Ok(group_state(group, &row, state))
    }

    async fn same_again(
        &self,
        actor: &Actor,
        row: &groups::GroupRow,
        fingerprint: &[u8],
    ) -> Result<GroupState, MessagingError> {
        if row.creator != actor.device || row.fingerprint != fingerprint {
            return Err(MessagingError::GroupExists);
        }
        self.group(actor, row.head.chain.group).await
    }
}

//! External Remove proposals for revoked leaves: proposed in every epoch until the leaf is gone.

use super::cache::Cached;
use super::commit::entry;
use super::{Inner, Messaging};
use crate::MessagingError;
use crate::model::group::Tracked;
use crate::store::{groups, log, removals};
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis};
use pakawaaz_contract::frames::{LogEntry, LogKind};
use pakawaaz_conversation::{Chain, external};
use pakawaaz_storage::Tx;
use rand::rngs::OsRng;

/// In the log's `sender` column: the delivery service itself.
const SERVICE: [u8; 16] = [0; 16];

impl Messaging {
    /// Proposes whatever is due in all groups. Returns the number of groups.
    pub async fn propose_removals(&self) -> Result<usize, MessagingError> {
        let due = removals::due(self.inner.db.read().await?.conn()).await?;
        for group in &due {
            self.propose_in(*group).await?;
        }
        Ok(due.len())
    }

    async fn propose_in(&self, group: GroupId) -> Result<(), MessagingError> {
        let mut place = self.inner.groups.lock(group).await;
        let mut cached = self.inner.current(group, &mut place).await?;
        let now = self.now();
        let mut tx = self.inner.db.begin().await?;
        let head = groups::lock(&mut tx, &[group]).await?.remove(&group).ok_or(MessagingError::GroupNotFound)?;
        let stored = groups::state_version(tx.conn(), group).await?;
        if head.closed || stored != Some((cached.tracked.epoch(), cached.version)) {
            return Ok(()); // another node was faster; what is still due comes up again
        }
        let mut chain = head.chain;
        let entries = self.inner.propose_again(&mut tx, &mut cached.tracked, &mut chain, now).await?;
        if !entries.is_empty() {
            log::insert(tx.conn(), &entries).await?;
            cached.version += 1;
            groups::put_mls(tx.conn(), group, cached.version, &cached.tracked.state()?).await?;
            groups::advance(tx.conn(), &[(chain, head.epoch)]).await?;
        }
        tx.commit().await?;
        *place = Some(cached);
        drop(place);
        let entries: Vec<_> = entries.into_iter().map(|(entry, _)| entry).collect();
        self.inner.fanout.stored(&entries);
        Ok(())
    }
}

impl Inner {
    /// Inside the transaction that holds the group's lock: for every leaf that must go and is still there, a proposal
    /// of the group's current epoch, unless it was made already; forgets those that are gone.
    pub(super) async fn propose_again(
        &self,
        tx: &mut Tx,
        tracked: &mut Tracked,
        chain: &mut Chain,
        now: Millis,
    ) -> Result<Vec<(LogEntry, DeviceId)>, MessagingError> {
        let (group, epoch) = (chain.group, tracked.epoch());
        let mut entries = Vec::new();
        for removal in removals::of_group(tx.conn(), group).await? {
            let Some(leaf) = tracked.roster.by_device(removal.device).map(|leaf| leaf.index) else {
                removals::done(tx.conn(), group, removal.device).await?;
                continue;
            };
            if removal.proposed_epoch == Some(epoch) {
                continue;
            }
            let mls = external::remove_proposal(group, epoch, leaf, &removal.statement, &self.config.external_sender)
                .map_err(|_| MessagingError::State)?;
            tracked.propose(&self.crypto, &mls)?;
            let message = MessageId::new(now, &mut OsRng);
            let entry = entry(chain, epoch, LogKind::Proposal, message, Bytes(mls), now);
            entries.push((entry, DeviceId::from_bytes(SERVICE)));
            removals::proposed(tx.conn(), group, removal.device, epoch).await?;
        }
        Ok(entries)
    }

    /// For tests and jobs: the state as it is in memory or the database.
    pub(crate) async fn peek<T: Send + 'static>(
        self: &std::sync::Arc<Self>,
        group: GroupId,
        look: impl FnOnce(&Tracked) -> T + Send + 'static,
    ) -> Result<T, MessagingError> {
        let mut place = self.groups.lock(group).await;
        let cached: Cached = self.current(group, &mut place).await?;
        let seen = look(&cached.tracked);
        *place = Some(cached);
        Ok(seen)
    }
}

//! Poisoned commits: members who cannot apply one say so; when enough do, the group is closed.

use super::{Accepted, Messaging};
use crate::MessagingError;
use crate::model::quarantine::reached;
use crate::store::{groups, inbox, log, members, rejections};
use pakawaaz_base::{Actor, GroupId};
use pakawaaz_contract::frames::{LogKind, Notice};
use pakawaaz_conversation::CommitRejection;

impl Messaging {
    /// Records a member's signed rejection of the commit at `seq`. With a majority of the other members' officials
    /// the group is closed and every member told; a successor is made by anybody but the committer. Answers with the
    /// commit's own position.
    ///
    /// Errors: `messaging.bad_rejection`, `messaging.not_member`.
    pub async fn reject_commit(
        &self,
        actor: &Actor,
        group: GroupId,
        seq: u64,
        statement: &[u8],
    ) -> Result<Accepted, MessagingError> {
        let bad = || MessagingError::BadRejection;
        let mut read = self.inner.db.read().await?;
        if !members::is_allowed(read.conn(), group, actor.device).await? {
            return Err(MessagingError::NotMember);
        }
        let (entry, committer) = log::get(read.conn(), group, seq).await?.ok_or_else(bad)?;
        drop(read);
        if entry.kind != LogKind::Commit || committer == actor.device {
            return Err(bad());
        }
        let device = actor.device;
        let roster = self.inner.peek(group, |tracked| tracked.roster.clone()).await?;
        let key = roster.by_device(device).ok_or(MessagingError::NotMember)?.mls_key.clone();
        let said = CommitRejection::verify(statement, &key, &self.inner.crypto).map_err(|_| bad())?;
        let about = (said.group, said.seq, said.epoch, said.device) == (group, seq, entry.epoch, device);
        if !about || !said.is_of(&entry.mls) {
            return Err(bad());
        }

        let now = self.now();
        let mut tx = self.inner.db.begin().await?;
        groups::lock(&mut tx, &[group]).await?;
        rejections::put(tx.conn(), group, seq, device, actor.official, statement, now).await?;
        let against = rejections::officials(tx.conn(), group, seq).await?;
        let everyone = members::of_group(tx.conn(), group).await?;
        let by = everyone.iter().find(|(device, _)| *device == committer).map(|(_, official)| *official);
        let mut told = Vec::new();
        if let Some(by) = by
            && reached(&roster, by, &against)
            && groups::quarantine(tx.conn(), group, committer).await?
        {
            for (member, _) in everyone {
                inbox::put(tx.conn(), member, now, &Notice::Quarantined { group, device: committer, seq }).await?;
                told.push(member);
            }
        }
        tx.commit().await?;
        if !told.is_empty() {
            tracing::warn!("a group was quarantined");
            metrics::counter!("pakawaaz_messaging_quarantines_total").increment(1);
        }
        self.wake_inboxes(told);
        Ok(Accepted { seq, at: entry.at, log_hash: entry.log_hash })
    }
}

//! Coming back: an external commit that replaces this device's own leaf (design: self-heal).

use crate::mls::{MlsEngine as _, Rejoin};
use crate::records::{GroupRecord, Mode, PendingCommit};
use crate::sync::machine::Machine;
use crate::sync::trouble::is_local;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{GroupId, MessageId};
use pakawaaz_contract::messaging::GroupState;
use pakawaaz_conversation::Kind;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Makes and stores the commit that brings this device back. It is sent like any other commit.
    pub(crate) async fn heal(&self, m: &mut Machine, mut record: GroupRecord) -> Result<(), ClientError> {
        let group = record.group;
        let state: GroupState = match self.get(&format!("/v1/groups/{group}")).await {
            Ok(state) => state,
            // Not a member in the server's eyes: a member has to add this device again.
            Err(ClientError::Refused { status: 403 | 404 | 410, .. }) => return Ok(()),
            Err(e) => return Err(e),
        };
        let mut guard = self.mls_of(group).await?;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        // From the last epoch that this device shared with the others, if it still has that.
        let psk = mls.engine.rejoin_psk(group).ok();
        let rejoin = Rejoin { group_info: &state.group_info, tree: &state.ratchet_tree, psk };
        let Ok(commit) = mls.engine.rejoin(group, rejoin) else {
            // Half-made state must not be stored.
            *guard = None;
            return Ok(());
        };
        let members: Vec<_> = mls.engine.roster(group)?.iter().map(|l| (l.official, l.device)).collect();
        let judge = self.judge_of(&members).await?;
        if mls.engine.check_members(group, &|c: &_, k: &[u8], p| judge.leaf(c, k, p)).is_err() {
            // Somebody in there is not believed: better out than in. The alarm was raised when it happened; if this
            // device was away then, now.
            *guard = None;
            drop(guard);
            return self.alarm_once(m, crate::views::AlarmKind::DeviceWithoutEvidence, group, state.head_seq).await;
        }
        let pending = PendingCommit {
            message: MessageId::new(self.platform().now(), &mut self.db.rng()),
            epoch: commit.epoch,
            mls: commit.mls,
            welcome: None,
            welcome_to: Vec::new(),
            group_info: commit.group_info,
            intents: Vec::new(),
            external: true,
        };
        record.mode = Mode::Healing;
        record.direct = matches!(mls.engine.kind(group)?, Kind::Direct(..));
        let mut tx = self.db.tx();
        tx.put(keys::pending_commit(group), &pending);
        tx.put(keys::group(group), &record);
        self.commit_mls(&mut guard, tx).await
    }

    /// The external commit lost its race: its state is worthless, try again with the newest.
    pub(crate) async fn heal_again(&self, group: GroupId) -> Result<(), ClientError> {
        let Some(mut record) = self.group_record(group).await? else { return Ok(()) };
        let mut guard = self.mls_of(group).await?;
        if let Some(mls) = guard.as_mut() {
            mls.engine.delete_group(group);
        }
        record.mode = Mode::Lost;
        let mut tx = self.db.tx();
        tx.delete(keys::pending_commit(group));
        tx.put(keys::group(group), &record);
        self.commit_mls(&mut guard, tx).await
    }

    /// Of the groups that the server says this device is a leaf of, without a position of it: those that this device
    /// knows nothing about, because a Welcome was lost with the store. They are met as lost ones and healed.
    pub(crate) async fn find_lost_groups(&self, unnamed: &[GroupId]) -> Result<(), ClientError> {
        if unnamed.is_empty() || self.profile().await?.mls_certificate.is_none() {
            return Ok(());
        }
        for &group in unnamed {
            if self.group_record(group).await?.is_some() {
                continue;
            }
            let state: GroupState = match self.get(&format!("/v1/groups/{group}")).await {
                Ok(state) => state,
                Err(e) if is_local(&e) => continue,
                Err(e) => return Err(e),
            };
            let at = self.platform().now();
            let record = super::inbox::fresh(group, state.head_seq, state.head_hash, false, at, Mode::Lost);
            let mut tx = self.db.tx();
            tx.put(keys::group(group), &record);
            tx.commit().await?;
        }
        Ok(())
    }
}

//! Membership changes in the log.

use crate::inner::Mls;
use crate::mls::{EngineError, MlsEngine as _, Processed};
use crate::mls_state::Guard;
use crate::records::{Intent, Mode, PendingCommit};
use crate::sync::step::Step;
use crate::views::{AlarmKind, SystemLine};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use openmls::prelude::LeafNodeIndex;
use pakawaaz_base::{DeviceId, GroupId, MessageId, OfficialId};
use pakawaaz_contract::frames::{ClientFrame, LogEntry};
use pakawaaz_contract::messaging::GroupState;
use pakawaaz_conversation::{CommitEffect, CommitRejection, PolicyError, RejectReason};

/// Brings record and pre-shared keys to the engine's epoch. Returns who was there before and who is there now.
pub(crate) fn new_epoch<S: Store, P: Platform>(mls: &mut Mls, step: &mut Step<'_, S, P>) -> Result<(), ClientError> {
    let group = step.record.group;
    step.record.epoch = mls.engine.epoch(group)?;
    let roster = mls.engine.roster(group)?;
    step.record.members = roster.iter().map(|leaf| (leaf.official, leaf.device)).collect();
    // Who loses its state later proves with this that it was here.
    let (id, secret) = mls.engine.rejoin_psk(group)?;
    mls.engine.store_psk(id, &secret)?;
    let members: Vec<_> = step.record.members.iter().map(|(_, d)| *d).collect();
    step.record.revoked.retain(|d| members.contains(d));
    Ok(())
}

/// The leaf that an MLSMessage(PublicMessage) of one of our groups says it comes from (RFC 9420 §6: version,
/// wire format, group id<V>, epoch, sender). None for senders outside the tree.
fn sending_leaf(mls: &[u8]) -> Option<LeafNodeIndex> {
    const SENDER: usize = 2 + 2 + 1 + 16 + 8;
    let at = mls.get(SENDER..SENDER + 5)?;
    let member = mls.get(4) == Some(&16) && at[0] == 1;
    member.then(|| LeafNodeIndex::new(u32::from_be_bytes([at[1], at[2], at[3], at[4]])))
}

/// What a change of members shows: a line for each official, not for each of their devices.
fn member_lines<S: Store, P: Platform>(
    step: &mut Step<'_, S, P>,
    before: &[(OfficialId, DeviceId)],
    revoked: &[DeviceId],
) {
    if step.record.epoch == 1 {
        return first_members(step);
    }
    let after = step.record.members.clone();
    let mut told = Vec::new();
    for (official, device) in before.iter().copied().filter(|m| !after.contains(m)) {
        if !told.contains(&official) {
            told.push(official);
            let gone = after.iter().all(|(o, _)| *o != official);
            step.system(SystemLine::Left { official, device, revoked: revoked.contains(&device), gone });
        }
    }
    told.clear();
    for (official, device) in after.iter().copied().filter(|m| !before.contains(m)) {
        if !told.contains(&official) {
            told.push(official);
            let known = before.iter().any(|(o, _)| *o == official);
            step.system(if known {
                SystemLine::NewDevice { official, device }
            } else {
                SystemLine::Joined { official, device }
            });
        }
    }
}

/// Who is there from the beginning is one line in a group; between two everybody knows.
pub(crate) fn first_members<S: Store, P: Platform>(step: &mut Step<'_, S, P>) {
    let officials = step.record.officials();
    if !step.record.direct && officials.len() > 1 {
        step.system(SystemLine::Members { officials, names: Vec::new() });
    }
}

/// Why a commit of the log is not followed.
enum Refusal {
    /// Its author signed it so: evidence against the author.
    Author(AlarmKind, RejectReason),
    /// Not as the author signed it, or not resting on what the author saw: only whoever delivered it can have done
    /// that. It is not taken into the log; the true one may come yet.
    Delivery(AlarmKind),
    /// It stands in the log for everybody and nobody is proven to be at fault: this device comes back after it.
    Nobody(Option<AlarmKind>),
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Policy(PolicyError::BadLeaf | PolicyError::IdentityChanged) => {
                Self::Author(AlarmKind::DeviceWithoutEvidence, RejectReason::Forbidden)
            }
            EngineError::Policy(PolicyError::BadExternalCommit) => {
                Self::Author(AlarmKind::WrongRejoin, RejectReason::Forbidden)
            }
            // The delivery service lets no commit pass that leaves one out, so the author was never shown it.
            EngineError::Policy(PolicyError::RemovalLeftOut) => Self::Delivery(AlarmKind::LogForked),
            EngineError::Policy(_) => Self::Author(AlarmKind::PoisonedCommit, RejectReason::Forbidden),
            EngineError::BadCommit => Self::Author(AlarmKind::PoisonedCommit, RejectReason::BadPath),
            EngineError::MissingProposal => Self::Delivery(AlarmKind::LogGap),
            // The delivery service verifies all this before it takes a commit.
            EngineError::Malformed
            | EngineError::NotSigned
            | EngineError::WrongEpoch
            | EngineError::Invalid
            | EngineError::NoKeyPackage
            | EngineError::Refused(_) => Self::Delivery(AlarmKind::CommitDamaged),
            EngineError::BadConfirmation => Self::Nobody(Some(AlarmKind::CommitDamaged)),
            EngineError::OwnOther | EngineError::Expired | EngineError::NoGroup | EngineError::Damaged => {
                Self::Nobody(None)
            }
        }
    }
}

/// The engine is in the next epoch: record, pre-shared keys and lines follow.
fn entered<S: Store, P: Platform>(
    mls: &mut Mls,
    step: &mut Step<'_, S, P>,
    revoked: &[DeviceId],
) -> Result<(), ClientError> {
    let before = step.record.members.clone();
    new_epoch(mls, step)?;
    member_lines(step, &before, revoked);
    // Whatever this device wanted to commit in the epoch before is done or void; intents that are not done stay.
    step.tx.delete(keys::pending_commit(step.record.group));
    Ok(())
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// The server put this device's own commit into the log: now, and only now, it is merged.
    pub(crate) async fn own_commit(
        &self,
        guard: &mut Guard<'_>,
        step: &mut Step<'_, S, P>,
        pending: PendingCommit,
    ) -> Result<(), ClientError> {
        let group = step.record.group;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        let revoked: Vec<_> = step.record.revoked.iter().copied().collect();
        if pending.external {
            step.record.mode = Mode::Live;
            let profile = self.profile().await?;
            step.system(SystemLine::Healed { official: profile.official, device: profile.device });
        } else {
            mls.engine.merge_pending(group)?;
        }
        entered(mls, step, &revoked)?;
        step.record.updated_leaf = true;
        for intent in pending.intents {
            step.tx.delete(keys::intent(group, intent));
        }
        Ok(())
    }

    /// Another device's commit. An alarm is given back when it must not be taken into the log: then nothing of `step`
    /// may be stored.
    pub(crate) async fn foreign_commit(
        &self,
        guard: &mut Guard<'_>,
        step: &mut Step<'_, S, P>,
        entry: &LogEntry,
    ) -> Result<Option<AlarmKind>, ClientError> {
        let group = entry.group;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        if entry.epoch != step.record.epoch {
            let kind = if entry.epoch > step.record.epoch { AlarmKind::CommitWithheld } else { AlarmKind::LogReplayed };
            step.alarm(kind, None, None);
            return Ok(None);
        }
        let processed = mls.engine.process(group, &entry.mls);
        if let Ok(Processed::OwnCommit { retagged: true } | Processed::Commit { retagged: true, .. }) = processed
            && !self.inner.has_asked(group, entry.seq)
        {
            // It could be followed, but then this device's log would hold other bytes than everybody else's.
            return Ok(Some(AlarmKind::CommitDamaged));
        }
        let outcome = match processed {
            // The same commit under another id: the server's bookkeeping, not ours.
            Ok(Processed::OwnCommit { .. }) => {
                mls.engine.merge_pending(group)?;
                return entered(mls, step, &[]).map(|()| None);
            }
            Ok(Processed::Commit { new, .. }) => {
                let judge = self.judge_of(&new).await?;
                let check = |c: &openmls::prelude::Credential, k: &[u8], p| judge.leaf(c, k, p);
                mls.engine.accept_commit(group, &check)
            }
            Ok(_) => Err(EngineError::Malformed),
            Err(e) => Err(e),
        };
        let refusal = match outcome {
            Ok((effect, removed_me)) => return self.applied(guard, step, effect, removed_me).map(|()| None),
            Err(EngineError::BadConfirmation) => self.who_confirmed(mls, group).await?,
            Err(EngineError::OwnOther) if self.is_pending(entry).await? => Refusal::Delivery(AlarmKind::CommitDamaged),
            Err(e) => e.into(),
        };
        match refusal {
            Refusal::Delivery(kind) => return Ok(Some(kind)),
            Refusal::Nobody(kind) => {
                match kind {
                    Some(kind) => step.alarm(kind, None, None),
                    None => step.system(SystemLine::Unreadable),
                }
                step.record.mode = Mode::Lost;
                step.tx.delete(keys::pending_commit(group));
            }
            Refusal::Author(kind, reason) => self.refused_commit(guard, step, entry, kind, reason).await?,
        }
        Ok(None)
    }

    /// Whether an entry claims to be the commit that this device is waiting for.
    async fn is_pending(&self, entry: &LogEntry) -> Result<bool, ClientError> {
        let pending: Option<PendingCommit> = self.db.get(&keys::pending_commit(entry.group)).await?;
        Ok(pending.is_some_and(|p| p.message == entry.message))
    }

    /// The confirmation tag of a commit is wrong. Its author is at fault if the GroupInfo that belongs to the commit
    /// carries that tag too, under the author's signature, and not if it carries another one. When the server has no
    /// such GroupInfo any more, nobody is proven to be.
    async fn who_confirmed(&self, mls: &mut Mls, group: GroupId) -> Result<Refusal, ClientError> {
        let state: GroupState = match self.get(&format!("/v1/groups/{group}")).await {
            Ok(state) => state,
            Err(ClientError::Refused { status: 403 | 404 | 410, .. }) => return Ok(EngineError::BadConfirmation.into()),
            Err(e) => return Err(e),
        };
        Ok(match mls.engine.author_confirmed(group, &state.group_info) {
            Some(true) => Refusal::Author(AlarmKind::PoisonedCommit, RejectReason::BadConfirmation),
            Some(false) => Refusal::Delivery(AlarmKind::CommitDamaged),
            None => EngineError::BadConfirmation.into(),
        })
    }

    fn applied(
        &self,
        guard: &mut Guard<'_>,
        step: &mut Step<'_, S, P>,
        effect: CommitEffect,
        removed_me: bool,
    ) -> Result<(), ClientError> {
        let group = step.record.group;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        if removed_me {
            step.tx.delete(keys::pending_commit(group));
            step.record.mode = Mode::Left;
            step.record.epoch = effect.epoch;
            step.system(SystemLine::RemovedHere);
            mls.engine.delete_group(group);
            return Ok(());
        }
        entered(mls, step, &effect.revoked)?;
        if effect.external {
            step.system(SystemLine::Healed { official: effect.official, device: effect.committer });
        }
        Ok(())
    }

    /// A commit that its author signed but this device cannot or must not follow: signed rejection and alarm. From one
    /// that is broken the device comes back by an external commit; from one that is forbidden it stays away.
    async fn refused_commit(
        &self,
        guard: &mut Guard<'_>,
        step: &mut Step<'_, S, P>,
        entry: &LogEntry,
        kind: AlarmKind,
        reason: RejectReason,
    ) -> Result<(), ClientError> {
        let group = entry.group;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        step.alarm(kind, None, None);
        let device = self.profile().await?.device;
        let rejection = CommitRejection::new(group, entry.seq, entry.epoch, &entry.mls, device, reason);
        let statement = mls.engine.sign_rejection(&rejection)?;
        // What the server later says about this commit is held against this.
        let committer =
            sending_leaf(&entry.mls).and_then(|index| Some(mls.engine.roster(group).ok()?.at(index)?.device));
        step.tx.put(crate::keys::rejected(group, entry.seq), &committer);
        step.after.push(ClientFrame::RejectCommit {
            request: self.inner.serial(),
            group,
            seq: entry.seq,
            statement: statement.into(),
        });
        if reason == RejectReason::Forbidden {
            // Coming back would be coming back to the very members that were refused: better out than in.
            step.record.mode = Mode::Left;
            step.system(SystemLine::RemovedHere);
        } else {
            // The state of the epoch before stays for the pre-shared key that proves who comes back.
            step.record.mode = Mode::Lost;
        }
        step.tx.delete(keys::pending_commit(group));
        Ok(())
    }

    /// A proposal in the log: only the server makes them, only Removes, only with a signed revocation.
    pub(crate) async fn proposal(
        &self,
        guard: &mut Guard<'_>,
        step: &mut Step<'_, S, P>,
        entry: &LogEntry,
    ) -> Result<(), ClientError> {
        let group = entry.group;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        match mls.engine.process(group, &entry.mls) {
            Ok(Processed::Proposal) => {}
            Ok(_) | Err(EngineError::Malformed) => {
                step.alarm(AlarmKind::Garbage, None, None);
                return Ok(());
            }
            Err(EngineError::WrongEpoch) => return Ok(()),
            Err(_) => {
                step.alarm(AlarmKind::RemovalWithoutStatement, None, None);
                return Ok(());
            }
        }
        let Some((statement, leaf)) = mls.engine.staged_removal(group) else {
            step.alarm(AlarmKind::RemovalWithoutStatement, None, None);
            return Ok(());
        };
        let mut judge = self.judge_of(&[(leaf.official, leaf.device)]).await?;
        if let Ok(signed) = pakawaaz_trust::Signed::from_bytes(&statement) {
            judge = self.judge_statement(&signed).await?;
        }
        let kept = mls.engine.keep_proposal(group, &|s, l| judge.revokes(s, l));
        match kept {
            Ok(leaf) => {
                self.take_revocation(&statement).await?;
                step.record.revoked.insert(leaf.device);
                // A commit made before cannot carry the removal any more.
                if self.db.get::<PendingCommit>(&keys::pending_commit(group)).await?.is_some() {
                    mls.engine.clear_pending(group)?;
                    step.tx.delete(keys::pending_commit(group));
                }
            }
            Err(_) => step.alarm(AlarmKind::RemovalWithoutStatement, Some(leaf.device), Some(leaf.official)),
        }
        Ok(())
    }

    /// Keeps a change of membership to be committed.
    pub(crate) fn intend(&self, tx: &mut crate::db::Tx<'_, S, P>, group: GroupId, intent: &Intent) -> MessageId {
        let id = MessageId::new(self.platform().now(), &mut self.db.rng());
        tx.put(keys::intent(group, id), intent);
        id
    }
}

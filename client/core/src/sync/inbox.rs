//! Notices of this device's inbox.

use crate::mls::{EngineError, MlsEngine as _};
use crate::records::{GroupRecord, Intent, Mode};
use crate::sync::commit::{first_members, new_epoch};
use crate::sync::machine::Machine;
use crate::sync::step::Step;
use crate::sync::trouble::is_local;
use crate::views::{AlarmKind, SystemLine};
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport, keys};
use pakawaaz_base::{Bytes, DeviceId, GroupId, Millis, OfficialId};
use pakawaaz_contract::frames::Notice;
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_contract::messaging::EpochTree;
use pakawaaz_conversation::Kind;
use pakawaaz_trust::Subject;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    pub(crate) async fn take_notice(
        &self,
        m: &mut Machine,
        position: u64,
        at: Millis,
        notice: Notice,
    ) -> Result<(), ClientError> {
        if position <= self.inbox_position().await? {
            m.unacked_inbox = Some(self.inbox_position().await?);
            return Ok(());
        }
        let mut tx = self.db.tx();
        match self.notice(m, at, notice.clone()).await {
            Ok(()) => {}
            // A notice that could not be worked off would hold up everything behind it.
            Err(e) if is_local(&e) => self.defer(m, &mut tx, position, at, notice, e),
            Err(e) => return Err(e),
        }
        tx.put(keys::INBOX.to_vec(), &position);
        tx.commit().await?;
        m.unacked_inbox = Some(position);
        Ok(())
    }

    pub(super) async fn notice(&self, m: &mut Machine, at: Millis, notice: Notice) -> Result<(), ClientError> {
        match notice {
            Notice::Welcome { group, epoch, welcome, seq, log_hash } => {
                self.welcome(m, at, group, epoch, &welcome, seq, log_hash).await?;
            }
            Notice::Device { device, official, status } => self.own_device(m, device, official, status).await?,
            Notice::Revoked { device, official, groups, statement } => {
                self.revoked(m, device, official, groups, statement).await?;
            }
            Notice::Quarantined { group, device, seq } => self.quarantined(m, group, device, seq).await?,
            Notice::KeyPackagesLow { available } => match self.refill_key_packages(available).await {
                Err(ClientError::NotApproved | ClientError::Refused { .. }) => {}
                other => other?,
            },
        }
        Ok(())
    }

    async fn welcome(
        &self,
        m: &mut Machine,
        at: Millis,
        group: GroupId,
        epoch: u64,
        welcome: &Bytes,
        seq: u64,
        log_hash: Bytes,
    ) -> Result<(), ClientError> {
        let known = self.group_record(group).await?;
        if known.as_ref().is_some_and(|r| r.seq >= seq && matches!(r.mode, Mode::Live | Mode::Healing)) {
            return Ok(());
        }
        let tree: EpochTree = match self.get(&format!("/v1/groups/{group}/epochs/{epoch}/tree")).await {
            Ok(tree) => tree,
            // The epoch is long over: come back the other way.
            Err(ClientError::Refused { status: 404 | 409 | 410, .. }) => {
                if is_live(&known) {
                    return Ok(());
                }
                return self.lost(m, group, known, seq, log_hash, at).await;
            }
            Err(e) => return Err(e),
        };
        if tree.seq != seq || tree.log_hash != log_hash {
            return self.alarm_once(m, AlarmKind::LogForked, group, seq).await;
        }
        let mut guard = match self.mls_of(group).await {
            Ok(guard) => guard,
            // Invited before approved cannot be; the server mixes something up.
            Err(ClientError::NotApproved) => return Ok(()),
            Err(e) => return Err(e),
        };
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        let staged = mls.engine.stage_welcome(group, welcome, &tree.ratchet_tree);
        let joined = match staged {
            Ok(members) => {
                let judge = self.judge_of(&members).await?;
                mls.engine.accept_welcome(group, &|c: &_, k: &[u8], p| judge.leaf(c, k, p))
            }
            Err(e) => Err(e),
        };
        match joined {
            Ok(joined) if joined == epoch => {}
            Ok(_) | Err(EngineError::Policy(_)) => {
                // Somebody in there is not believed.
                *guard = None;
                drop(guard);
                return self.alarm_once(m, AlarmKind::DeviceWithoutEvidence, group, seq).await;
            }
            Err(_) => {
                // Its key package is gone, or the Welcome is damaged: the leaf is there, so come back by it.
                *guard = None;
                drop(guard);
                if is_live(&known) {
                    // A member in good standing does not give up its keys for a Welcome that nobody can open.
                    return self.alarm_once(m, AlarmKind::Garbage, group, seq).await;
                }
                return self.lost(m, group, known, seq, log_hash, at).await;
            }
        }
        let direct = matches!(mls.engine.kind(group)?, Kind::Direct(..));
        // A record without a line was made when the server first named the group.
        let from_beginning = epoch == 1 && known.as_ref().is_none_or(|k| k.last_line.is_none());
        let record = match known {
            Some(known) => GroupRecord { mode: Mode::Live, seq, hash: log_hash, base: seq, direct, ..known },
            None => fresh(group, seq, log_hash, direct, at, Mode::Live),
        };
        let mut step = Step::new(self.db.tx(), record, seq, at);
        new_epoch(mls, &mut step)?;
        if from_beginning {
            first_members(&mut step);
        } else {
            step.system(SystemLine::JoinedHere);
        }
        // A joiner's path is blank: until it commits once, every commit of others is larger.
        if step.record.members.len() <= 32 {
            self.intend(&mut step.tx, group, &Intent::Update);
        }
        let officials = step.record.officials();
        let record = self.store_step(m, Some(guard), step).await?;
        m.stored(group, record.seq);
        self.learn_names(officials).await;
        self.adopt(group).await?;
        // What was logged since may have come before the Welcome.
        match m.ahead.remove(&(group, record.seq + 1)) {
            Some(next) => Box::pin(self.take_entry(m, next)).await,
            None => Ok(()),
        }
    }

    /// A member without MLS state.
    async fn lost(
        &self,
        m: &mut Machine,
        group: GroupId,
        known: Option<GroupRecord>,
        seq: u64,
        log_hash: Bytes,
        at: Millis,
    ) -> Result<(), ClientError> {
        let record = match known {
            Some(known) => GroupRecord { mode: Mode::Lost, ..known },
            None => fresh(group, seq, log_hash, false, at, Mode::Lost),
        };
        let seq = record.seq;
        let mut step = Step::new(self.db.tx(), record, seq, at);
        step.system(SystemLine::JoinedHere);
        let record = self.store_step(m, None, step).await?;
        m.stored(group, record.seq);
        Ok(())
    }

    async fn own_device(
        &self,
        m: &mut Machine,
        device: DeviceId,
        official: OfficialId,
        status: DeviceStatus,
    ) -> Result<(), ClientError> {
        let profile = self.profile().await?;
        if official != profile.official {
            return Ok(());
        }
        if device == profile.device {
            self.update_profile(|p| p.status = status).await?;
            if status == DeviceStatus::Active {
                self.ensure_reachable().await?;
            }
        } else if status == DeviceStatus::Active {
            self.add_own_device(device).await?;
        }
        m.event(ClientEvent::OwnDevice { device });
        Ok(())
    }

    async fn revoked(
        &self,
        m: &mut Machine,
        device: DeviceId,
        official: OfficialId,
        groups: Vec<GroupId>,
        statement: Option<Bytes>,
    ) -> Result<(), ClientError> {
        // Without a statement the server has cut the device off by itself: its own business, no change of membership.
        let Some(statement) = statement else { return Ok(()) };
        self.judge_of(&[(official, device)]).await?;
        let ended = match self.take_revocation(&statement).await? {
            Some(Subject::Device(d)) => d == device,
            Some(Subject::Official(o)) => o == official,
            _ => false,
        };
        if !ended {
            let mut tx = self.db.tx();
            let place = crate::alarms::Place { device: Some(device), official: Some(official), ..Default::default() };
            let alarm = crate::alarms::raise(&mut tx, AlarmKind::RemovalWithoutStatement, place);
            tx.commit().await?;
            m.event(ClientEvent::Alarm(alarm));
            return Ok(());
        }
        for group in groups {
            if let Some(mut record) = self.group_record(group).await?
                && record.members.iter().any(|(_, d)| *d == device)
            {
                // New messages wait from now on, whether or not the server's proposal has come.
                record.revoked.insert(device);
                let mut tx = self.db.tx();
                tx.put(keys::group(group), &record);
                tx.commit().await?;
                m.event(ClientEvent::Conversation { group });
            }
        }
        Ok(())
    }
}

fn is_live(known: &Option<GroupRecord>) -> bool {
    known.as_ref().is_some_and(|record| record.mode == Mode::Live)
}

/// A record of a group that this device has just met.
pub(crate) fn fresh(group: GroupId, seq: u64, hash: Bytes, direct: bool, at: Millis, mode: Mode) -> GroupRecord {
    GroupRecord {
        group,
        mode,
        seq,
        hash,
        base: seq,
        epoch: 0,
        direct,
        title: None,
        members: Vec::new(),
        updated_at: at,
        last_line: None,
        unread: 0,
        alarms: 0,
        registered: true,
        registration: None,
        revoked: Default::default(),
        to_deliver: Vec::new(),
        to_read: Vec::new(),
        unread_ids: Vec::new(),
        mentions: 0,
        last_message: 0,
        updated_leaf: false,
        closed: None,
        claimed: None,
        successor: None,
        succeeds: None,
    }
}

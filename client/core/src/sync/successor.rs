//! After a poisoned commit: the server has closed the group, and it goes on as another one without the device that
//! made the commit.
//!
//! The first remaining member in tree order makes the successor; the others wait for its Welcome, each a little
//! longer than the one before. The server accepts one successor only.

use crate::mls::MlsEngine as _;
use crate::records::{GroupRecord, Intent, Line, LineRecord, Mode, NEVER, OutBody, OutItem};
use crate::store::Range;
use crate::sync::machine::Machine;
use crate::sync::step_fresh;
use crate::views::{AlarmKind, SystemLine};
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport, keys};
use pakawaaz_base::{DeviceId, GroupId, MessageId};
use pakawaaz_contract::messaging::GroupState;
use pakawaaz_conversation::{Kind, log};
use std::time::Duration;

/// How much longer each next member waits before making the successor itself.
const TURN: Duration = Duration::from_secs(30);

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// The server says that enough members rejected the commit of `bad` at `seq`.
    ///
    /// Its word alone would be a way to evict anybody, so only a device that has rejected that very commit makes a
    /// successor without `bad`. Others leave with an alarm and go on when somebody invites them.
    pub(crate) async fn quarantined(
        &self,
        m: &mut Machine,
        group: GroupId,
        bad: DeviceId,
        seq: u64,
    ) -> Result<(), ClientError> {
        let Some(mut record) = self.group_record(group).await? else { return Ok(()) };
        let me = self.profile().await?.device;
        if record.closed.is_some() {
            return Ok(());
        }
        if seq > record.seq {
            // The inbox comes before the log: judged when the log is there.
            record.claimed = Some((bad, seq));
            let mut tx = self.db.tx();
            tx.put(keys::group(group), &record);
            return tx.commit().await;
        }
        let rejected: Option<Option<DeviceId>> = self.db.get(&keys::rejected(group, seq)).await?;
        // Whoever came from outside the tree with it is not named in it.
        let seen = rejected.is_some_and(|committer| committer.is_none_or(|d| d == bad));
        if !seen {
            self.alarm_once(m, AlarmKind::ClosedWithoutCause, group, seq).await?;
            record = self.group_record(group).await?.ok_or(ClientError::Damaged)?;
        }
        let remaining: Vec<_> = record.members.iter().filter(|(_, d)| *d != bad).collect();
        let place = remaining.iter().position(|(_, d)| *d == me).unwrap_or_default() as u32;
        let turn = if seen { self.platform().now().plus(TURN * place) } else { NEVER };
        record.closed = Some((bad, turn));
        record.claimed = None;
        record.mode = Mode::Left;
        let mut tx = self.db.tx();
        tx.delete(keys::pending_commit(group));
        if bad == me {
            // Closed against this device: it goes on without it, and what waits is never said.
            for mut item in self.outbox_of(group).await? {
                item.failed = Some("messaging.group_closed".into());
                tx.put(keys::outbox(item.message), &item);
            }
        }
        for (key, _) in self.db.scan::<Intent>(Range::prefix(&keys::intents(group))).await? {
            tx.delete(key);
        }
        tx.put(keys::group(group), &record);
        tx.commit().await?;
        m.event(ClientEvent::Conversation { group });
        Ok(())
    }

    /// Makes the successor when it is this device's turn. Returns whether something is still to be done.
    pub(crate) async fn succeed(&self, m: &mut Machine, record: GroupRecord) -> Result<bool, ClientError> {
        let Some((bad, turn)) = record.closed else { return Ok(false) };
        let waits = m.not_before.get(&record.group).is_some_and(|until| *until > self.platform().now());
        if record.successor.is_some() || turn == NEVER || waits {
            return Ok(false);
        }
        if turn > self.platform().now() {
            m.not_before.insert(record.group, turn);
            // A one-shot command does not wait for somebody else's turn.
            return Ok(false);
        }
        let state: Result<GroupState, _> = self.get(&format!("/v1/groups/{}", record.group)).await;
        match state {
            Ok(GroupState { successor: Some(successor), .. }) => {
                if self.group_record(successor).await?.is_some() {
                    self.follow(record, successor).await?;
                } else {
                    // Its Welcome is to come; the server's word says nothing about who is in there.
                    m.not_before.insert(record.group, self.platform().now().plus(TURN));
                }
                return Ok(false);
            }
            Ok(_) => {}
            Err(ClientError::Refused { .. }) => return Ok(false),
            Err(e) => return Err(e),
        }
        self.make_successor(record, bad).await
    }

    async fn make_successor(&self, old: GroupRecord, bad: DeviceId) -> Result<bool, ClientError> {
        let profile = self.profile().await?;
        let officials = old.officials();
        let mut packages = Vec::new();
        for official in &officials {
            packages.extend(self.claim(*official).await?);
        }
        packages.retain(|(_, device, _)| *device != bad);
        if !packages.iter().any(|(official, _, _)| *official != profile.official) {
            // Nobody is left to talk to.
            let group = old.group;
            return self.follow(old, group).await.map(|()| false);
        }
        let now = self.platform().now();
        let group = GroupId::new(now, &mut self.db.rng());
        let other = officials.iter().copied().find(|o| *o != profile.official);
        let kind = match other {
            Some(other) if old.direct => Kind::Direct(profile.official, other),
            _ => Kind::Group,
        };
        let mut guard = self.mls_of(group).await?;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        let registration = mls.engine.create(group, kind, self.server_now())?;
        let mut record = step_fresh(group, 0, log::genesis(group).into(), old.direct, now, Mode::Live);
        record.registered = false;
        record.registration = Some(registration);
        record.succeeds = Some(old.group);
        record.members = vec![(profile.official, profile.device)];
        record.updated_leaf = true;
        record.last_line = (!old.direct).then_some((0, 0));
        let mut tx = self.db.tx();
        let line = if old.direct { Line::Hidden } else { Line::System(SystemLine::Created) };
        let row = LineRecord { hash: Some(record.hash.clone()), message: None, at: now, line };
        tx.put(keys::line(group, 0, 0), &row);
        tx.put(keys::group(group), &record);
        self.intend(&mut tx, group, &Intent::Add(packages));
        if let Some(title) = old.title.clone() {
            let message = MessageId::new(now, &mut self.db.rng());
            let body = OutBody::Title { title };
            tx.put(
                keys::outbox(message),
                &OutItem { group, message, body, queued_at: now, sealed: None, failed: None },
            );
        }
        self.commit_mls(&mut guard, tx).await?;
        drop(guard);
        self.follow(old, group).await?;
        self.inner.wake();
        Ok(true)
    }

    /// Remembers the successor; what waits to be said is said there, if nobody hears it there who would not have
    /// heard it here. The server names the successor: without this it could have words said in another conversation.
    async fn follow(&self, mut old: GroupRecord, successor: GroupId) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        let before = old.officials();
        let among_us = match self.group_record(successor).await? {
            Some(new) if successor != old.group => new.officials().iter().all(|o| before.contains(o)),
            _ => false,
        };
        for mut item in self.outbox_of(old.group).await? {
            if item.body.is_message() {
                if among_us {
                    item.group = successor;
                    item.sealed = None;
                } else {
                    item.failed = Some("messaging.group_closed".into());
                }
                tx.put(keys::outbox(item.message), &item);
            } else {
                tx.delete(keys::outbox(item.message));
            }
        }
        old.successor = Some(successor);
        tx.put(keys::group(old.group), &old);
        tx.commit().await
    }

    /// After joining a group: whether it succeeds one that this device waited for.
    pub(crate) async fn adopt(&self, group: GroupId) -> Result<(), ClientError> {
        for (_, record) in self.db.scan::<GroupRecord>(Range::prefix(keys::GROUPS)).await? {
            if record.closed.is_none() || record.successor.is_some() {
                continue;
            }
            let state: Result<GroupState, _> = self.get(&format!("/v1/groups/{}", record.group)).await;
            if let Ok(GroupState { successor: Some(successor), .. }) = state
                && successor == group
            {
                self.follow(record, successor).await?;
            }
        }
        Ok(())
    }

    /// Somebody else's successor was registered first: this one was never heard of.
    pub(crate) async fn abandon(&self, record: GroupRecord) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        let Some(old) = record.succeeds else { return Ok(()) };
        if let Some(mut old) = self.group_record(old).await? {
            old.successor = None;
            tx.put(keys::group(old.group), &old);
        }
        for mut item in self.outbox_of(record.group).await? {
            if item.body.is_message() {
                item.group = old;
                tx.put(keys::outbox(item.message), &item);
            } else {
                tx.delete(keys::outbox(item.message));
            }
        }
        for (key, _) in self.db.scan::<Intent>(Range::prefix(&keys::intents(record.group))).await? {
            tx.delete(key);
        }
        tx.delete(keys::line(record.group, 0, 0));
        tx.delete(keys::group(record.group));
        tx.commit().await
    }
}

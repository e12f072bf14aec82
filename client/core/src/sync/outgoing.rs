//! Outbox and own commits.
//!
//! Whatever is sent was stored first, together with the MLS state it left behind; after a crash the very same bytes
//! are sent again and the server recognises their id.

use crate::mls::{CommitPlan, MlsEngine as _};
use crate::records::{GroupRecord, Intent, Mode, OutBody, OutItem, PendingCommit, ReceiptRecord};
use crate::store::Range;
use crate::sync::content::RECEIPTS_UP_TO;
use crate::sync::machine::{InFlight, Machine};
use crate::sync::trouble::is_local;
use crate::views::SystemLine;
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport, keys};
use openmls::prelude::LeafNodeIndex;
use pakawaaz_base::{GroupId, MessageId, Millis, OfficialId, StableError as _};
use pakawaaz_contract::frames::{ClientFrame, LogKind};
use pakawaaz_contract::messaging::{CreateGroupRequest, GroupState};
use pakawaaz_conversation::policy::elected_committer;
use pakawaaz_conversation::{Content, ConversationKind, LogHead, Roster};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long the others wait for the elected committer of a removal, for each place in line.
const ELECTION: Duration = Duration::from_millis(1500);
/// Pause after an answer that says neither why nor when.
const PAUSE: Duration = Duration::from_millis(500);
/// How long each next member waits before removing somebody who has left.
const LET_GO: Duration = Duration::from_secs(10);
/// Most messages that one receipt acknowledges, of each kind.
const RECEIPTS: usize = 1000;
/// Messages of one group on their way at once.
const WINDOW: usize = 64;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Puts everything that can be sent now into the connection's queue. Returns whether anything is still to be done.
    pub(crate) async fn flush(&self, m: &mut Machine) -> Result<bool, ClientError> {
        m.out.extend(self.inner.take_passing(self.platform().now()));
        self.try_entries_again(m).await?;
        self.try_notices_again(m).await?;
        m.pending.extend(self.db.take_touched());
        if m.pending.is_empty() {
            return Ok(false);
        }
        let mut waiting: BTreeMap<GroupId, Vec<OutItem>> = BTreeMap::new();
        for (_, item) in self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await? {
            if item.failed.is_none() {
                waiting.entry(item.group).or_default().push(item);
            }
        }
        let mut rest = false;
        for group in std::mem::take(&mut m.pending) {
            let Some(record) = self.group_record(group).await? else { continue };
            let items = waiting.remove(&group).unwrap_or_default();
            let open = match self.flush_group(m, record, items).await {
                Ok(open) => open,
                Err(e) if is_local(&e) => {
                    self.put_off(m, group, Some(e));
                    false
                }
                Err(e) => return Err(e),
            };
            let intents = Range::prefix(&keys::intents(group)).limit(1);
            if open || m.not_before.contains_key(&group) || !self.db.scan_raw(intents).await?.is_empty() {
                m.pending.insert(group);
            }
            rest |= open;
        }
        Ok(rest)
    }

    async fn flush_group(
        &self,
        m: &mut Machine,
        record: GroupRecord,
        mut items: Vec<OutItem>,
    ) -> Result<bool, ClientError> {
        let group = record.group;
        if m.stopped.contains(&group) {
            // Its user is told by the alarm; nothing this device can do.
            return Ok(false);
        }
        if record.mode == Mode::Left {
            return self.succeed(m, record).await;
        }
        let pending: Option<PendingCommit> = self.db.get(&keys::pending_commit(group)).await?;
        let intents = self.db.scan::<Intent>(Range::prefix(&keys::intents(group))).await?;
        let must = !items.is_empty() || intents.iter().any(|(_, i)| !matches!(i, Intent::Update | Intent::LetGo(_)));
        let open = must || pending.is_some() || record.mode != Mode::Live;
        if let Some(until) = m.not_before.get(&group) {
            if *until > self.platform().now() {
                // Nobody waits for a group that keeps failing: its user is told by the error, once.
                return Ok(open && !self.inner.is_failing(group));
            }
            m.not_before.remove(&group);
        }
        if m.troubled.contains(&group) {
            return Ok(false);
        }
        if m.waiting_for.get(&group).is_some_and(|epoch| record.epoch < *epoch && record.mode == Mode::Live) {
            return Ok(open);
        }
        m.waiting_for.remove(&group);
        if !record.registered {
            self.register(record).await?;
            // The first commit can go at once; no frame of the server would remind us of it.
            self.inner.wake();
            return Ok(true);
        }
        if let Some(pending) = pending {
            self.send_commit(m, group, pending);
            return Ok(true);
        }
        match record.mode {
            Mode::Live => {}
            Mode::Lost if m.caught_up => {
                // Not more often than every few seconds, whatever the server answers.
                m.not_before.insert(group, self.platform().now().plus(10 * PAUSE));
                self.heal(m, record).await?;
                m.not_before.remove(&group);
                let healing: Option<PendingCommit> = self.db.get(&keys::pending_commit(group)).await?;
                let Some(pending) = healing else {
                    self.put_off(m, group, None);
                    // Nothing this device can do about it; its user is told by the conversation's state.
                    return Ok(false);
                };
                self.send_commit(m, group, pending);
                return Ok(true);
            }
            _ => return Ok(true),
        }
        if m.busy(group) && !intents.is_empty() {
            // Messages on their way first: a commit now would void them.
            return Ok(true);
        }
        if !m.caught_up {
            return Ok(open);
        }
        if self.commit_if_needed(m, &record, &intents).await? {
            return Ok(true);
        }
        if record.held_back() {
            // Until the removal is in the log; nothing this device does brings it about.
            return Ok(false);
        }
        items.extend(self.queue_receipts(&record).await?);
        let open = !items.is_empty();
        self.send_items(m, record, items).await?;
        Ok(open)
    }

    /// The messages of a group that wait, oldest first.
    pub(crate) async fn outbox_of(&self, group: GroupId) -> Result<Vec<OutItem>, ClientError> {
        let rows = self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await?;
        Ok(rows.into_iter().map(|(_, item)| item).filter(|i| i.group == group && i.failed.is_none()).collect())
    }

    async fn register(&self, mut record: GroupRecord) -> Result<(), ClientError> {
        let Some((group_info, ratchet_tree)) = record.registration.clone() else { return Err(ClientError::Damaged) };
        let body = CreateGroupRequest { group: record.group, group_info, ratchet_tree, successor_of: record.succeeds };
        match self.post::<_, GroupState>("/v1/groups", &body).await {
            Err(ClientError::Refused { code, .. }) if code == "messaging.no_successor" => {
                return self.abandon(record).await;
            }
            other => drop(other?),
        }
        record.registered = true;
        record.registration = None;
        let mut tx = self.db.tx();
        tx.put(keys::group(record.group), &record);
        tx.commit().await
    }

    fn send_commit(&self, m: &mut Machine, group: GroupId, pending: PendingCommit) {
        if m.is_sent(pending.message) {
            return;
        }
        let request = self.inner.serial();
        m.in_flight.insert(
            request,
            InFlight {
                group,
                message: pending.message,
                epoch: pending.epoch,
                kind: LogKind::Commit,
                mls: pending.mls.clone(),
                since: self.platform().now(),
            },
        );
        m.out.push_back(ClientFrame::Commit {
            request,
            group,
            message: pending.message,
            epoch: pending.epoch,
            mls: pending.mls,
            welcome: pending.welcome,
            welcome_to: pending.welcome_to,
            group_info: pending.group_info,
        });
    }

    /// Makes, stores and sends a commit when membership has to change. Returns whether the group must wait.
    async fn commit_if_needed(
        &self,
        m: &mut Machine,
        record: &GroupRecord,
        intents: &[(crate::store::Key, Intent)],
    ) -> Result<bool, ClientError> {
        let group = record.group;
        if intents.is_empty() && record.revoked.is_empty() {
            m.turns.remove(&group);
            return Ok(false);
        }
        let mut guard = self.mls_of(group).await?;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        let removals = mls.engine.pending_removals(group)?;
        let roster = mls.engine.roster(group)?;
        let own = mls.engine.own_leaf(group)?;
        if intents.is_empty() {
            if removals.is_empty() || removals.contains(&own) {
                // Known to be revoked but not proposed yet (the server does that), or it is about this device.
                return Ok(false);
            }
            let elected = elected_committer(&roster, &removals) == Some(own);
            if !elected && !self.inner.waited_for_election(group, record.epoch) {
                let place = roster.iter().position(|l| l.index == own).unwrap_or_default().min(20) as u32;
                m.not_before.insert(group, self.platform().now().plus(ELECTION * (place + 1)));
                return Ok(true);
            }
        }
        if !self.is_turn(m, record, intents, &roster, own) {
            return Ok(false);
        }
        let mut plan = CommitPlan::default();
        let mut welcome_to = Vec::new();
        let mut done = Vec::new();
        let mut update = false;
        for (key, intent) in intents {
            let id = key.get(17..).and_then(MessageId::from_slice).ok_or(ClientError::Damaged)?;
            match intent {
                Intent::Add(packages) => {
                    for (_, device, package) in packages {
                        if roster.by_device(*device).is_none() && !welcome_to.contains(device) {
                            plan.add.push(package.clone());
                            welcome_to.push(*device);
                        }
                    }
                }
                Intent::RemoveOfficial(official) | Intent::LetGo(official) => {
                    let leaves = roster.iter().filter(|l| l.official == *official && l.index != own);
                    plan.remove.extend(leaves.map(|l| l.index));
                }
                Intent::Update => update = true,
            }
            done.push(id);
        }
        plan.remove.sort_by_key(|index| index.u32());
        plan.remove.dedup();
        // The server's removals are in the commit anyway.
        plan.remove.retain(|index| !removals.contains(index));
        let needed =
            !plan.add.is_empty() || !plan.remove.is_empty() || !removals.is_empty() || (update && !record.updated_leaf);
        let mut tx = self.db.tx();
        if !needed {
            // Somebody else did it.
            done.into_iter().for_each(|id| tx.delete(keys::intent(group, id)));
            tx.commit().await?;
            return Ok(true);
        }
        let commit = match mls.engine.commit(group, &plan) {
            Ok(commit) => commit,
            Err(e) => {
                // A key package that cannot be used must not block the conversation for good.
                *guard = None;
                drop(guard);
                let code = ClientError::from(e).code();
                self.give_up(m, group, &done, code, self.db.tx()).await?.commit().await?;
                return Ok(true);
            }
        };
        let pending = PendingCommit {
            message: MessageId::new(self.platform().now(), &mut self.db.rng()),
            epoch: commit.epoch,
            mls: commit.mls,
            welcome: commit.welcome,
            welcome_to,
            group_info: commit.group_info,
            intents: done,
            external: false,
        };
        tx.put(keys::pending_commit(group), &pending);
        self.commit_mls(&mut guard, tx).await?;
        self.send_commit(m, group, pending);
        Ok(true)
    }

    /// Whether this device commits now when all there is to do is to let officials go who have left. The first of the
    /// others in tree order does it at once, each next one a little later; messages do not wait for it.
    fn is_turn(
        &self,
        m: &mut Machine,
        record: &GroupRecord,
        intents: &[(crate::store::Key, Intent)],
        roster: &Roster,
        own: LeafNodeIndex,
    ) -> bool {
        let of_leaver = |i: &Intent| match i {
            Intent::LetGo(official) => Some(*official),
            _ => None,
        };
        let leaving: Option<Vec<_>> = intents.iter().map(|(_, i)| of_leaver(i)).collect();
        let still_there = |l: &Vec<OfficialId>| roster.iter().any(|r| l.contains(&r.official));
        let Some(leaving) = leaving.filter(|l| record.revoked.is_empty() && still_there(l)) else { return true };
        let mut others = roster.iter().filter(|l| !leaving.contains(&l.official));
        let place = others.position(|l| l.index == own).unwrap_or_default().min(30) as u32;
        let now = self.platform().now();
        let turn = match m.turns.get(&record.group) {
            Some((epoch, turn)) if *epoch == record.epoch => *turn,
            _ => now.plus(LET_GO * place),
        };
        if turn <= now {
            m.turns.remove(&record.group);
            return true;
        }
        m.turns.insert(record.group, (record.epoch, turn));
        false
    }

    /// Receipts become one message for as much as goes into one; the rest follows with the next.
    async fn queue_receipts(&self, record: &GroupRecord) -> Result<Option<OutItem>, ClientError> {
        let group = record.group;
        if record.officials().len() > RECEIPTS_UP_TO {
            return Ok(None);
        }
        let mut tx = self.db.tx();
        let (mut delivered, mut read) = (Vec::new(), Vec::new());
        for (key, receipt) in
            self.db.scan::<ReceiptRecord>(Range::prefix(&keys::receipts(group)).limit(RECEIPTS)).await?
        {
            if receipt.read { &mut read } else { &mut delivered }.push(receipt.message);
            tx.delete(key);
        }
        if !record.to_deliver.is_empty() || !record.to_read.is_empty() {
            // From before there were rows.
            let mut record = record.clone();
            read.extend(take_some(&mut record.to_read, RECEIPTS.saturating_sub(read.len())));
            delivered.extend(take_some(&mut record.to_deliver, RECEIPTS.saturating_sub(delivered.len())));
            tx.put(keys::group(group), &record);
        }
        // Read implies delivered.
        let known: BTreeSet<_> = read.iter().copied().collect();
        delivered.retain(|id| !known.contains(id));
        if delivered.is_empty() && read.is_empty() {
            tx.commit().await?;
            return Ok(None);
        }
        let now = self.platform().now();
        let item = OutItem {
            group,
            message: MessageId::new(now, &mut self.db.rng()),
            body: OutBody::Receipt { delivered, read },
            queued_at: now,
            sealed: None,
            failed: None,
        };
        tx.put(keys::outbox(item.message), &item);
        tx.commit().await?;
        Ok(Some(item))
    }

    async fn send_items(&self, m: &mut Machine, record: GroupRecord, items: Vec<OutItem>) -> Result<(), ClientError> {
        // What changes a message follows when the message has its place in the log: before, nobody could apply it.
        let waiting: BTreeSet<_> = items.iter().map(|i| i.message).collect();
        let ready = |i: &OutItem| !m.is_sent(i.message) && i.body.target().is_none_or(|t| !waiting.contains(&t));
        let unsent: Vec<_> = items.into_iter().filter(ready).collect();
        let busy = m.in_flight.len();
        for mut item in unsent.into_iter().take(WINDOW.saturating_sub(busy)) {
            let mls = match &item.sealed {
                Some((epoch, mls)) if *epoch == record.epoch => mls.clone(),
                _ => {
                    if !self.seal(&record, &mut item).await? {
                        // Too long to encrypt: given up, and shown as such.
                        m.event(ClientEvent::Status { group: record.group, message: item.message });
                        continue;
                    }
                    match &item.sealed {
                        Some((_, mls)) => mls.clone(),
                        None => continue,
                    }
                }
            };
            let request = self.inner.serial();
            let (group, message, epoch) = (record.group, item.message, record.epoch);
            let entry = InFlight {
                group,
                message,
                epoch,
                kind: LogKind::Application,
                mls: mls.clone(),
                since: self.platform().now(),
            };
            m.in_flight.insert(request, entry);
            m.out.push_back(ClientFrame::Send { request, group, message, epoch, mls });
        }
        Ok(())
    }

    /// Signs and encrypts a message in the current epoch, and stores it with the MLS state that this left behind.
    async fn seal(&self, record: &GroupRecord, item: &mut OutItem) -> Result<bool, ClientError> {
        let profile = self.profile().await?;
        let mut guard = self.mls_of(record.group).await?;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        let kind = if record.direct { ConversationKind::Direct } else { ConversationKind::Group };
        let body = item.body.clone().into_body(kind);
        let content = Content {
            message: item.message,
            sent_at: self.server_now(),
            official: profile.official,
            device: profile.device,
            head: LogHead { seq: record.seq, hash: record.hash() },
            epoch_authenticator: mls.engine.epoch_authenticator(record.group)?.into(),
            body,
        };
        let mut tx = self.db.tx();
        match content.seal(record.group, record.epoch, &profile.signer()?) {
            Ok(plain) => {
                let plain = zeroize::Zeroizing::new(plain);
                item.sealed = Some((record.epoch, mls.engine.encrypt(record.group, &plain)?));
            }
            Err(_) => item.failed = Some("client.too_long".into()),
        }
        tx.put(keys::outbox(item.message), item);
        self.commit_mls(&mut guard, tx).await?;
        Ok(item.failed.is_none())
    }

    /// The server did not take a message or a commit.
    pub(crate) async fn rejected(
        &self,
        m: &mut Machine,
        group: GroupId,
        message: MessageId,
        kind: LogKind,
        code: &str,
        epoch: Option<u64>,
        retry_after_ms: Option<u64>,
    ) -> Result<(), ClientError> {
        let Some(record) = self.group_record(group).await? else { return Ok(()) };
        if let Some(epoch) = epoch
            && epoch > record.epoch
        {
            // The winning commit is on its way.
            m.waiting_for.insert(group, epoch);
        }
        let pause = retry_after_ms.map_or(PAUSE, |ms| Duration::from_millis(ms.min(60_000)));
        let until = self.platform().now().plus(pause);
        if kind == LogKind::Commit {
            let pending: Option<PendingCommit> = self.db.get(&keys::pending_commit(group)).await?;
            let Some(pending) = pending.filter(|p| p.message == message) else { return Ok(()) };
            if retry_after_ms.is_some() && epoch.is_none() {
                // Busy, not refused: the same commit again.
                m.not_before.insert(group, until);
                return Ok(());
            }
            if !m.waiting_for.contains_key(&group) || pending.external {
                m.not_before.insert(group, until);
            }
            if pending.external {
                m.waiting_for.remove(&group);
                return self.heal_again(group).await;
            }
            let mut guard = self.mls_of(group).await?;
            if let Some(mls) = guard.as_mut() {
                mls.engine.clear_pending(group)?;
            }
            let mut tx = self.db.tx();
            tx.delete(keys::pending_commit(group));
            if permanent(code) {
                // Forbidden or impossible: making it again would only be refused again.
                tx = self.give_up(m, group, &pending.intents, code, tx).await?;
            }
            return self.commit_mls(&mut guard, tx).await;
        }
        if permanent(code) {
            if let Some(mut item) = self.db.get::<OutItem>(&keys::outbox(message)).await? {
                let mut tx = self.db.tx();
                if matches!(item.body, OutBody::Receipt { .. } | OutBody::Reaction { .. }) {
                    // Nothing that anybody would send again by hand.
                    tx.delete(keys::outbox(message));
                } else {
                    item.failed = Some(code.to_owned());
                    tx.put(keys::outbox(message), &item);
                }
                if let OutBody::Title { .. } = item.body {
                    self.say_here(&mut tx, group, SystemLine::Failed { reason: code.to_owned() }).await?;
                }
                tx.commit().await?;
                m.event(ClientEvent::Status { group, message });
            }
        } else if !m.waiting_for.contains_key(&group) {
            m.not_before.insert(group, until);
        }
        Ok(())
    }

    /// Gives up changes of membership. Those that somebody asked for are said to have failed, in the conversation.
    async fn give_up<'a>(
        &self,
        m: &mut Machine,
        group: GroupId,
        intents: &[MessageId],
        code: &str,
        mut tx: crate::db::Tx<'a, S, P>,
    ) -> Result<crate::db::Tx<'a, S, P>, ClientError> {
        let mut asked = false;
        for id in intents {
            let key = keys::intent(group, *id);
            asked |= matches!(tx.get(&key).await?, Some(Intent::Add(_) | Intent::RemoveOfficial(_)));
            tx.delete(key);
        }
        if asked {
            self.say_here(&mut tx, group, SystemLine::Failed { reason: code.to_owned() }).await?;
            m.event(ClientEvent::Conversation { group });
        }
        Ok(tx)
    }

    /// The earliest moment at which something that waits can be tried again.
    pub(crate) fn next_try(&self, m: &Machine) -> Option<Millis> {
        m.not_before.values().chain(m.turns.values().map(|(_, turn)| turn)).copied().chain(m.notices_at).min()
    }
}

/// Takes up to `most` from the front.
fn take_some(from: &mut Vec<MessageId>, most: usize) -> Vec<MessageId> {
    let rest = from.split_off(from.len().min(most));
    std::mem::replace(from, rest)
}

/// Answers that trying again does not change.
fn permanent(code: &str) -> bool {
    const CODES: [&str; 8] = [
        "messaging.bad_commit",
        "messaging.bad_group_info",
        "messaging.bad_key_package",
        "messaging.bad_message",
        "messaging.device_cut",
        "messaging.device_not_active",
        "messaging.not_member",
        "messaging.too_large",
    ];
    CODES.contains(&code) || (code.starts_with("conversation.") && code != "conversation.removal_left_out")
}

//! Entries of a group's log.

use crate::mls::{EngineError, MlsEngine as _, Processed};
use crate::records::{GroupRecord, Line, LineRecord, MessageRecord, Mode, OutItem, PendingCommit};
use crate::sync::machine::Machine;
use crate::sync::step::Step;
use crate::sync::trouble::is_local;
use crate::views::{AlarmKind, SystemLine};
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport, keys};
use pakawaaz_contract::frames::{LogEntry, LogKind};
use pakawaaz_conversation::log::ChainError;
use pakawaaz_conversation::{Chain, ConversationKind};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Takes an entry, whether pushed or the answer to an own request, and then those that waited for it.
    pub(crate) async fn take_entry(&self, m: &mut Machine, entry: LogEntry) -> Result<(), ClientError> {
        let group = entry.group;
        let mut next = Some(entry);
        while let Some(entry) = next {
            let Some(record) = self.group_record(group).await? else {
                // Not ours yet: the Welcome says from where on to listen.
                self.keep_ahead(m, entry);
                return Ok(());
            };
            if record.mode == Mode::Left {
                return Ok(());
            }
            let mut chain = Chain::at(group, record.seq, record.hash());
            let accepted =
                chain.accept(entry.seq, entry.epoch, entry.kind.as_u8(), entry.message, &entry.mls, &entry.log_hash);
            match accepted {
                Ok(()) => {}
                Err(ChainError::Repeated) => return self.repeated(m, &record, &entry).await,
                Err(ChainError::Gap) => {
                    self.keep_ahead(m, entry);
                    return Ok(());
                }
                Err(ChainError::Broken) => {
                    return self.alarm_once(m, AlarmKind::LogReordered, group, entry.seq).await;
                }
            }
            let record = match self.apply(m, record, chain, &entry).await {
                Ok(Some(record)) => record,
                Ok(None) => {
                    m.ahead.retain(|(g, _), _| *g != group);
                    return Ok(());
                }
                // What judging it needs cannot be had: this conversation waits, the others go on.
                Err(e) if is_local(&e) => {
                    m.ahead.insert((group, entry.seq), entry);
                    m.troubled.insert(group);
                    self.put_off(m, group, Some(e));
                    return Ok(());
                }
                Err(e) => return Err(e),
            };
            self.inner.works(group);
            if let Some((device, seq)) = record.claimed.filter(|(_, seq)| *seq <= record.seq) {
                self.quarantined(m, group, device, seq).await?;
            }
            m.stored(group, record.seq);
            next = m.ahead.remove(&(group, record.seq + 1));
        }
        Ok(())
    }

    /// At-least-once delivery repeats entries; another entry under a known position is a rewritten log.
    async fn repeated(&self, m: &mut Machine, record: &GroupRecord, entry: &LogEntry) -> Result<(), ClientError> {
        m.stored(record.group, record.seq);
        let known: Option<LineRecord> = self.db.get(&keys::line(record.group, entry.seq, 0)).await?;
        let Some(hash) = known.and_then(|line| line.hash) else { return Ok(()) };
        if hash == entry.log_hash {
            return Ok(());
        }
        self.alarm_once(m, AlarmKind::LogReplayed, record.group, entry.seq).await
    }

    /// Stores an entry with everything that follows from it. `None`: it was not taken, and the conversation stands
    /// still until something else is delivered in its place.
    async fn apply(
        &self,
        m: &mut Machine,
        mut record: GroupRecord,
        chain: Chain,
        entry: &LogEntry,
    ) -> Result<Option<GroupRecord>, ClientError> {
        record.seq = chain.seq;
        record.hash = chain.hash.into();
        let mut step = Step::new(self.db.tx(), record, entry.seq, entry.at);
        step.message = Some(entry.message);
        let pending: Option<PendingCommit> = self.db.get(&keys::pending_commit(entry.group)).await?;
        let mine = pending.filter(|p| p.message == entry.message && p.mls == entry.mls);
        let mut guard = match (step.record.mode, &mine) {
            (Mode::Live, _) | (_, Some(_)) => self.mls_of(entry.group).await?,
            // Without keys an entry is only chained.
            _ => {
                step.line(match entry.kind {
                    LogKind::Application => Line::System(SystemLine::Unreadable),
                    LogKind::Commit | LogKind::Proposal => Line::Hidden,
                });
                return self.store_step(m, None, step).await.map(Some);
            }
        };
        match (entry.kind, mine) {
            (LogKind::Commit, Some(pending)) => self.own_commit(&mut guard, &mut step, pending).await?,
            (LogKind::Commit, None) => {
                if let Some(kind) = self.foreign_commit(&mut guard, &mut step, entry).await? {
                    drop((guard, step));
                    self.stand_still(m, entry, kind).await?;
                    return Ok(None);
                }
            }
            (LogKind::Proposal, _) => self.proposal(&mut guard, &mut step, entry).await?,
            (LogKind::Application, _) => {
                self.application(&mut guard, &mut step, entry).await?;
                if step.record.mode == Mode::Left {
                    // This official has left: the keys go.
                    guard.as_mut().ok_or(ClientError::Locked)?.engine.delete_group(entry.group);
                }
            }
        }
        self.store_step(m, Some(guard), step).await.map(Some)
    }

    /// An entry that only whoever delivered it can have made so: said, asked for again once, and waited for.
    async fn stand_still(&self, m: &mut Machine, entry: &LogEntry, kind: AlarmKind) -> Result<(), ClientError> {
        self.alarm_once(m, kind, entry.group, entry.seq).await?;
        m.stopped.insert(entry.group);
        m.resync |= !self.inner.asked_again(entry.group, entry.seq);
        Ok(())
    }

    /// Stores everything, then lets it be seen.
    pub(crate) async fn store_step(
        &self,
        m: &mut Machine,
        guard: Option<crate::mls_state::Guard<'_>>,
        step: Step<'_, S, P>,
    ) -> Result<GroupRecord, ClientError> {
        let (tx, record, events, after) = step.finish();
        match guard {
            Some(mut guard) => self.commit_mls(&mut guard, tx).await?,
            None => tx.commit().await?,
        }
        for event in events {
            m.event(event);
        }
        m.event(ClientEvent::Conversation { group: record.group });
        m.out.extend(after);
        Ok(record)
    }

    async fn application(
        &self,
        guard: &mut crate::mls_state::Guard<'_>,
        step: &mut Step<'_, S, P>,
        entry: &LogEntry,
    ) -> Result<(), ClientError> {
        let own: Option<OutItem> = self.db.get(&keys::outbox(entry.message)).await?;
        if let Some(item) = own.filter(|o| o.group == entry.group)
            && item.sealed.as_ref().is_some_and(|(_, mls)| *mls == entry.mls)
        {
            return self.own_message(step, item).await;
        }
        // Before MLS: a repeated message would look like a broken one there.
        let seen: Option<MessageRecord> = self.db.get(&keys::message(entry.group, entry.message)).await?;
        if let Some(seen) = seen {
            step.alarm(AlarmKind::LogReplayed, None, Some(seen.author));
            return Ok(());
        }
        if entry.epoch != step.record.epoch {
            // The log is a chain without holes: a higher epoch means that a commit was never put into it, a lower
            // one that somebody speaks who may no longer be a member.
            step.alarm(epoch_alarm(entry.epoch, step.record.epoch), None, None);
            return Ok(());
        }
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        match mls.engine.process(entry.group, &entry.mls) {
            Ok(Processed::Application { sender, epoch, content }) => {
                let authenticator = mls.engine.epoch_authenticator(entry.group)?;
                self.message_content(step, entry, sender, epoch, &authenticator, &content).await?;
            }
            // Everything this device says waits in the outbox until it has its place in the log: it has been here.
            Ok(Processed::OwnMessage) => {
                let me = self.profile().await?;
                step.alarm(AlarmKind::LogReplayed, Some(me.device), Some(me.official));
            }
            Ok(_) => step.alarm(AlarmKind::Garbage, None, None),
            Err(EngineError::WrongEpoch) => {
                let claimed = mls.engine.message_epoch(&entry.mls).unwrap_or_default();
                step.alarm(epoch_alarm(claimed, step.record.epoch), None, None);
            }
            Err(_) => step.alarm(AlarmKind::Garbage, None, None),
        }
        Ok(())
    }

    /// An own message has its place in the log.
    async fn own_message(&self, step: &mut Step<'_, S, P>, item: OutItem) -> Result<(), ClientError> {
        let me = self.profile().await?.official;
        let (group, message) = (item.group, item.message);
        step.tx.delete(keys::outbox(message));
        let kind = if step.record.direct { ConversationKind::Direct } else { ConversationKind::Group };
        if self.apply_body(step, message, me, item.body.into_body(kind)).await?.is_some() {
            step.events.push(ClientEvent::Status { group, message });
        }
        Ok(())
    }
}

fn epoch_alarm(found: u64, ours: u64) -> AlarmKind {
    if found > ours { AlarmKind::CommitWithheld } else { AlarmKind::RemovedMemberSpoke }
}

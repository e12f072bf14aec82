//! What one connection remembers, and the dispatch of frames. Nothing here outlives the connection: whatever matters
//! is in the store.

use crate::client::ClientEvent;
use crate::sync::trouble::is_local;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{Bytes, GroupId, MessageId, Millis};
use pakawaaz_contract::frames::{ClientFrame, LogEntry, LogKind, ServerFrame};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Entries kept while an earlier one is missing, at most.
const MAX_AHEAD: usize = 2000;

/// A message or commit on its way, as its log entry will look.
#[derive(Clone, Debug)]
pub(crate) struct InFlight {
    pub group: GroupId,
    pub message: MessageId,
    pub epoch: u64,
    pub kind: LogKind,
    pub mls: Bytes,
    pub since: Millis,
}

/// One connection.
#[derive(Default)]
pub(crate) struct Machine {
    /// Requests without an answer yet.
    pub in_flight: BTreeMap<u64, InFlight>,
    /// Entries that came before their predecessors.
    pub ahead: BTreeMap<(GroupId, u64), LogEntry>,
    /// Positions stored but not acknowledged.
    pub unacked: BTreeMap<GroupId, u64>,
    pub unacked_inbox: Option<u64>,
    /// Frames to send.
    pub out: VecDeque<ClientFrame>,
    pub events: Vec<ClientEvent>,
    /// The server has sent everything it had.
    pub caught_up: bool,
    /// The session was accepted.
    pub ready: bool,
    /// Groups that must reach an epoch before anything more is sent to them: a commit won against ours.
    pub waiting_for: BTreeMap<GroupId, u64>,
    /// Groups whose next entry was damaged on its way: nothing is sent to them.
    pub stopped: BTreeSet<GroupId>,
    /// Do not send to a group before.
    pub not_before: BTreeMap<GroupId, Millis>,
    /// When it is this device's turn, in an epoch, to remove officials who have left.
    pub turns: BTreeMap<GroupId, (u64, Millis)>,
    /// Groups that may have something to send. Every group when the connection begins, later those that were written
    /// to: a quiet conversation costs nothing.
    pub pending: BTreeSet<GroupId>,
    /// Groups whose next entry is here but could not be judged; tried again after a pause of their own.
    pub troubled: BTreeSet<GroupId>,
    /// When notices that could not be worked off are tried again; none: there are none.
    pub notices_at: Option<Millis>,
    /// What was put off, for a one-shot caller to be told.
    pub trouble: Option<ClientError>,
    /// Positions must be told again: close and reconnect.
    pub resync: bool,
    /// The server closed, with its code.
    pub closed: Option<String>,
}

impl Machine {
    /// Whether a request of this group waits for its answer.
    pub(crate) fn busy(&self, group: GroupId) -> bool {
        self.in_flight.values().any(|f| f.group == group)
    }
    /// Whether a request has waited for its answer since before `limit`.
    pub(crate) fn is_stuck(&self, limit: Millis) -> bool {
        self.in_flight.values().any(|f| f.since < limit)
    }
    /// Whether this message waits for its answer.
    pub(crate) fn is_sent(&self, message: MessageId) -> bool {
        self.in_flight.values().any(|f| f.message == message)
    }
    pub(crate) fn stored(&mut self, group: GroupId, seq: u64) {
        self.unacked.insert(group, seq);
    }
    /// Puts an acknowledgement of everything stored since the last one into the queue.
    pub(crate) fn acknowledge(&mut self, inbox: u64) {
        if self.unacked.is_empty() && self.unacked_inbox.is_none() {
            return;
        }
        let groups = std::mem::take(&mut self.unacked).into_iter().collect();
        let inbox = self.unacked_inbox.take().unwrap_or(inbox);
        self.out.push_back(ClientFrame::Ack { groups, inbox });
    }
    pub(crate) fn event(&mut self, event: ClientEvent) {
        if self.events.last() != Some(&event) {
            self.events.push(event);
        }
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Stored inbox position.
    pub(crate) async fn inbox_position(&self) -> Result<u64, ClientError> {
        Ok(self.db.get(keys::INBOX).await?.unwrap_or_default())
    }

    /// Takes one frame. Everything that follows from it is stored before this returns.
    pub(crate) async fn on_frame(&self, m: &mut Machine, frame: ServerFrame) -> Result<(), ClientError> {
        match frame {
            // Only the first frame may be a challenge; the connection has answered it.
            ServerFrame::Challenge { .. } => return Err(ClientError::BadAnswer),
            ServerFrame::Ready { key_packages, unnamed } => {
                m.ready = true;
                self.inner.renewed.set(false);
                m.event(ClientEvent::Connected);
                // Before anything of them arrives.
                match self.find_lost_groups(&unnamed).await {
                    // Only about conversations that this device knows nothing of yet.
                    Err(e) if is_local(&e) => {}
                    other => other?,
                }
                match self.refill_key_packages(key_packages).await {
                    // Nobody can add this device then, but it still reads and writes.
                    Err(ClientError::NotApproved | ClientError::Refused { .. }) => {}
                    other => other?,
                }
            }
            ServerFrame::Accepted { request, seq, at, log_hash } => {
                if let Some(InFlight { group, message, epoch, kind, mls, .. }) = m.in_flight.remove(&request) {
                    m.waiting_for.remove(&group);
                    self.take_entry(m, LogEntry { group, seq, epoch, kind, message, at, mls, log_hash }).await?;
                }
            }
            ServerFrame::Rejected { request, code, epoch, retry_after_ms } => {
                if let Some(InFlight { group, message, kind, .. }) = m.in_flight.remove(&request) {
                    self.rejected(m, group, message, kind, &code, epoch, retry_after_ms).await?;
                }
            }
            ServerFrame::Log(entry) => self.take_entry(m, entry).await?,
            ServerFrame::Inbox { position, at, notice } => self.take_notice(m, position, at, notice).await?,
            ServerFrame::CaughtUp => {
                m.caught_up = true;
                m.event(ClientEvent::CaughtUp);
            }
            ServerFrame::Typing { group, official, on } => self.is_typing(m, group, official, on).await?,
            ServerFrame::Pong => {}
            ServerFrame::Closing { code } => m.closed = Some(code),
        }
        self.look_for_gaps(m).await
    }

    /// Keeps an entry whose predecessor is missing.
    pub(crate) fn keep_ahead(&self, m: &mut Machine, entry: LogEntry) {
        if m.ahead.len() < MAX_AHEAD {
            m.ahead.insert((entry.group, entry.seq), entry);
        }
    }

    /// A missing entry may be on its way; after everything was sent it is not. First the positions are told again;
    /// an entry missing after that is left out on purpose.
    async fn look_for_gaps(&self, m: &mut Machine) -> Result<(), ClientError> {
        if !m.caught_up || m.ahead.is_empty() {
            return Ok(());
        }
        let groups: BTreeSet<_> = m.ahead.keys().map(|(group, _)| *group).collect();
        for group in groups {
            if m.busy(group) || m.troubled.contains(&group) {
                continue;
            }
            let Some(record) = self.group_record(group).await? else { continue };
            let missing = record.seq + 1;
            if m.ahead.keys().any(|(g, seq)| *g == group && *seq <= record.seq) {
                m.ahead.retain(|(g, seq), _| *g != group || *seq > record.seq);
                continue;
            }
            let broken = keys::alarm_mark(crate::views::AlarmKind::LogReordered, group, missing);
            if m.stopped.contains(&group) || self.db.get::<Bytes>(&broken).await?.is_some() {
                // It is there, but not as it was: said already.
                m.ahead.retain(|(g, _), _| *g != group);
            } else if self.inner.asked_again(group, missing) {
                self.alarm_once(m, crate::views::AlarmKind::LogGap, group, missing).await?;
            } else {
                m.resync = true;
            }
        }
        Ok(())
    }
}

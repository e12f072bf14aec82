//! Application messages: the hot path, by group commit.

use super::{Accepted, Fanout, Messaging};
use crate::MessagingError;
use crate::model::message;
use crate::store::{groups, log, members};
use async_trait::async_trait;
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis};
use pakawaaz_contract::MAX_APPLICATION_MESSAGE;
use pakawaaz_contract::frames::{LogEntry, LogKind};
use pakawaaz_storage::{BatchHandler, Tx};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// An application message.
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// The group.
    pub group: GroupId,
    /// Sender's id for it; the same id again gives the same answer.
    pub message: MessageId,
    /// Epoch it is encrypted in.
    pub epoch: u64,
    /// TLS-serialised MLSMessage(PrivateMessage).
    pub mls: Bytes,
}

/// A message on its way into a batch.
pub struct Append {
    request: SendRequest,
    sender: DeviceId,
    at: Millis,
}

/// What a batch gives back: the answer, and the entry when it is a new one.
pub struct Appended {
    accepted: Accepted,
    entry: Option<LogEntry>,
}

impl Messaging {
    /// Appends an application message to its group's log. Durable when it returns.
    ///
    /// Errors: `messaging.epoch_conflict`, `messaging.not_member`, `messaging.group_closed`, `messaging.duplicate`,
    /// `messaging.bad_message`, `messaging.too_large`.
    pub async fn send(&self, sender: DeviceId, request: SendRequest) -> Result<Accepted, MessagingError> {
        if request.mls.len() > MAX_APPLICATION_MESSAGE {
            return Err(MessagingError::TooLarge);
        }
        if message::application(&request.mls)? != (request.group, request.epoch) {
            return Err(MessagingError::BadMessage);
        }
        let append = Append { request, sender, at: self.now() };
        Ok(self.inner.sends.submit(append).await?.accepted)
    }
}

/// Appends of many groups in one transaction, in a handful of statements.
pub struct SendHandler {
    fanout: Arc<Fanout>,
}

impl SendHandler {
    pub(crate) fn new(fanout: Arc<Fanout>) -> Self {
        Self { fanout }
    }
}

#[async_trait]
impl BatchHandler for SendHandler {
    type Request = Append;
    type Response = Appended;
    type Error = MessagingError;

    async fn apply(
        &self,
        tx: &mut Tx,
        requests: &[Append],
    ) -> Result<Vec<Result<Appended, MessagingError>>, MessagingError> {
        let unique = |mut groups: Vec<GroupId>| {
            groups.sort_unstable();
            groups.dedup();
            groups
        };
        let groups = unique(requests.iter().map(|a| a.request.group).collect());
        // Under the lock nobody else appends, so what follows sees the final word on ids and membership.
        let mut heads = groups::lock(tx, &groups).await?;
        let ids: Vec<_> = requests.iter().map(|a| (a.request.group, a.request.message)).collect();
        let existing = log::existing(tx.conn(), &ids).await?;
        let senders: HashSet<_> = requests.iter().map(|a| (a.request.group, a.sender)).collect();
        let senders: Vec<_> = senders.into_iter().collect();
        let allowed = members::allowed(tx.conn(), &senders).await?;

        let mut entries: Vec<(LogEntry, DeviceId)> = Vec::with_capacity(requests.len());
        let mut taken: HashMap<(GroupId, MessageId), usize> = HashMap::new();
        let mut results = Vec::with_capacity(requests.len());
        for append in requests {
            let request = &append.request;
            let key = (request.group, request.message);
            // Members only learn about what is there.
            let result = if !allowed.contains(&(request.group, append.sender)) {
                Err(MessagingError::NotMember)
            } else if let Some(known) = existing.get(&key) {
                if known.sender == append.sender && known.kind == LogKind::Application {
                    let accepted = Accepted { seq: known.seq, at: known.at, log_hash: known.log_hash.into() };
                    Ok(Appended { accepted, entry: None })
                } else {
                    Err(MessagingError::Duplicate)
                }
            } else if let Some(index) = taken.get(&key) {
                let (entry, sender) = &entries[*index];
                if *sender == append.sender {
                    Ok(Appended { accepted: accepted(entry), entry: None })
                } else {
                    Err(MessagingError::Duplicate)
                }
            } else {
                match heads.get_mut(&request.group) {
                    None => Err(MessagingError::GroupNotFound),
                    Some(head) if head.closed => Err(MessagingError::GroupClosed),
                    Some(head) if head.epoch != request.epoch => {
                        Err(MessagingError::EpochConflict { current: head.epoch })
                    }
                    Some(head) => {
                        let kind = LogKind::Application;
                        let (seq, log_hash) =
                            head.chain.append(head.epoch, kind.as_u8(), request.message, &request.mls);
                        let entry = LogEntry {
                            group: request.group,
                            seq,
                            epoch: head.epoch,
                            kind,
                            message: request.message,
                            at: append.at,
                            mls: request.mls.clone(),
                            log_hash: log_hash.into(),
                        };
                        taken.insert(key, entries.len());
                        entries.push((entry.clone(), append.sender));
                        Ok(Appended { accepted: accepted(&entry), entry: Some(entry) })
                    }
                }
            };
            results.push(result);
        }
        if !entries.is_empty() {
            log::insert(tx.conn(), &entries).await?;
            let changed = unique(entries.iter().map(|(entry, _)| entry.group).collect());
            let advanced: Vec<_> = changed.iter().filter_map(|g| heads.get(g)).map(|h| (h.chain, h.epoch)).collect();
            groups::advance(tx.conn(), &advanced).await?;
        }
        Ok(results)
    }

    fn committed(&self, _: &[Append], results: &[Result<Appended, MessagingError>]) {
        let entries: Vec<LogEntry> =
            results.iter().filter_map(|r| r.as_ref().ok()).filter_map(|a| a.entry.clone()).collect();
        metrics::counter!("pakawaaz_messaging_appended_total").increment(entries.len() as u64);
        self.fanout.stored(&entries);
    }
}

fn accepted(entry: &LogEntry) -> Accepted {
    Accepted { seq: entry.seq, at: entry.at, log_hash: entry.log_hash.clone() }
}

//! What a message says, once MLS, the author's device signature and the log agree on it.

use crate::records::{Line, LineRecord, MessageRecord};
use crate::sync::step::Step;
use crate::views::{AlarmKind, SystemLine};
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport, keys};
use pakawaaz_base::MessageId;
use pakawaaz_contract::frames::LogEntry;
use pakawaaz_conversation::content::MAX_EMOJI;
use pakawaaz_conversation::{Body, Content, ContentError, Leaf, SealedContent, log};
use pakawaaz_trust::AdminLookup as _;

/// Receipts are not sent in conversations with more officials: they would outnumber the messages.
pub(crate) const RECEIPTS_UP_TO: usize = 32;
const MAX_REACTIONS: usize = 200;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    pub(crate) async fn message_content(
        &self,
        step: &mut Step<'_, S, P>,
        entry: &LogEntry,
        sender: Leaf,
        epoch: u64,
        authenticator: &[u8],
        plain: &[u8],
    ) -> Result<(), ClientError> {
        let sealed = match SealedContent::decode(plain) {
            Ok(sealed) => sealed,
            Err(_) => {
                step.alarm(AlarmKind::Garbage, Some(sender.device), Some(sender.official));
                return Ok(());
            }
        };
        // The sender's device was verified when it joined; without its key nothing can be believed.
        let judge = self.judge_of(&[(sender.official, sender.device)]).await?;
        let Some(known) = judge.known.device(sender.device) else {
            step.alarm(AlarmKind::DeviceWithoutEvidence, Some(sender.device), Some(sender.official));
            return Ok(());
        };
        let claimed = sealed.unverified().clone();
        let believed = match claimed.check_sender(&sender, authenticator) {
            Err(ContentError::WrongEpoch) => Err(AlarmKind::LogForked),
            Err(_) => Err(AlarmKind::WrongSender),
            Ok(()) if claimed.message != entry.message => Err(AlarmKind::WrongSender),
            Ok(()) => sealed.verify(entry.group, epoch, &known.key).map_err(|_| AlarmKind::WrongSender),
        };
        let content = match believed {
            Ok(content) => content,
            Err(kind) => {
                step.alarm(kind, Some(sender.device), Some(sender.official));
                return Ok(());
            }
        };
        self.compare_heads(step, &content).await?;
        self.body(step, content).await
    }

    /// The sender says which log it has seen. Another history there means that the server shows two.
    async fn compare_heads(&self, step: &mut Step<'_, S, P>, content: &Content) -> Result<(), ClientError> {
        let head = &content.head;
        if head.seq < step.record.base {
            // Before this device joined: it cannot know.
            return Ok(());
        }
        let ours = if head.seq >= step.seq {
            // Nobody can have seen what comes after their own message.
            None
        } else if head.seq == 0 {
            Some(log::genesis(step.record.group))
        } else {
            let line: Option<LineRecord> = self.db.get(&keys::line(step.record.group, head.seq, 0)).await?;
            match line.and_then(|l| l.hash).and_then(|h| h.array()) {
                Some(hash) => Some(hash),
                // The position of the join itself, or from before it.
                None => return Ok(()),
            }
        };
        if ours != Some(head.hash) {
            step.alarm(AlarmKind::LogForked, Some(content.device), Some(content.official));
        }
        Ok(())
    }

    async fn body(&self, step: &mut Step<'_, S, P>, content: Content) -> Result<(), ClientError> {
        let group = step.record.group;
        let me = self.profile().await?.official;
        let mine = content.official == me;
        let row = MessageRecord {
            seq: step.seq,
            author: content.official,
            mine,
            delivered: Default::default(),
            read: Default::default(),
            reactions: Vec::new(),
            edited: false,
            deleted: false,
        };
        step.tx.put(keys::message(group, content.message), &row);
        match content.body {
            Body::Text { text, reply_to, .. } => {
                step.line(Line::Text { author: content.official, text, reply_to });
                if !mine {
                    step.record.unread += 1;
                    step.record.unread_ids.push(content.message);
                    if step.record.officials().len() <= RECEIPTS_UP_TO {
                        step.record.to_deliver.push(content.message);
                    }
                }
                let author = content.official;
                step.events.push(ClientEvent::Message { group, message: content.message, author });
            }
            Body::Receipt { delivered, read } => {
                for (ids, is_read) in [(delivered, false), (read, true)] {
                    for id in ids {
                        self.receipt(step, id, content.official, mine, is_read).await?;
                    }
                }
            }
            Body::Settings { title, .. } => {
                if let Some(title) = title {
                    step.record.title = Some(title.clone());
                    step.system(SystemLine::Titled { official: content.official, title });
                }
            }
            Body::Edit { target, text, .. } => {
                self.change_text(step, target, content.official, Some(text)).await?;
            }
            Body::Delete { target } => self.change_text(step, target, content.official, None).await?,
            Body::Reaction { target, emoji, remove } => {
                if let Some(mut row) = step.tx.get::<MessageRecord>(&keys::message(group, target)).await? {
                    let reaction = (emoji, content.official);
                    row.reactions.retain(|r| *r != reaction);
                    if !remove && reaction.0.len() <= MAX_EMOJI && row.reactions.len() < MAX_REACTIONS {
                        row.reactions.push(reaction);
                    }
                    step.tx.put(keys::message(group, target), &row);
                }
            }
            Body::File { .. } | Body::Unknown { .. } => step.system(SystemLine::Unreadable),
        }
        Ok(())
    }

    async fn receipt(
        &self,
        step: &mut Step<'_, S, P>,
        id: MessageId,
        by: pakawaaz_base::OfficialId,
        by_me: bool,
        is_read: bool,
    ) -> Result<(), ClientError> {
        let group = step.record.group;
        if by_me {
            // Another device of this official: what was read there is read here.
            if is_read && step.record.unread_ids.contains(&id) {
                step.record.unread_ids.retain(|i| *i != id);
                step.record.unread = step.record.unread.saturating_sub(1);
            }
            return Ok(());
        }
        let Some(mut row) = step.tx.get::<MessageRecord>(&keys::message(group, id)).await? else { return Ok(()) };
        let news = if is_read { row.read.insert(by) } else { row.delivered.insert(by) };
        if news && row.mine {
            step.tx.put(keys::message(group, id), &row);
            step.events.push(ClientEvent::Status { group, message: id });
        }
        Ok(())
    }

    /// Only the author changes a message.
    async fn change_text(
        &self,
        step: &mut Step<'_, S, P>,
        target: MessageId,
        by: pakawaaz_base::OfficialId,
        new: Option<String>,
    ) -> Result<(), ClientError> {
        let group = step.record.group;
        let Some(mut row) = step.tx.get::<MessageRecord>(&keys::message(group, target)).await? else { return Ok(()) };
        if row.author != by || row.deleted {
            return Ok(());
        }
        let key = keys::line(group, row.seq, 0);
        let Some(mut line) = step.tx.get::<LineRecord>(&key).await? else { return Ok(()) };
        if let Line::Text { text, .. } = &mut line.line {
            match new {
                Some(new) => {
                    *text = new;
                    row.edited = true;
                }
                None => {
                    text.clear();
                    row.deleted = true;
                }
            }
            step.tx.put(key, &line);
            step.tx.put(keys::message(group, target), &row);
        }
        Ok(())
    }
}

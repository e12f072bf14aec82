//! What a message says, once MLS, the author's device signature and the log agree on it.

use crate::records::{Intent, Line, LineRecord, MessageRecord, Mode, ReceiptRecord, UnreadRecord};
use crate::store::Range;
use crate::sync::step::Step;
use crate::views::{AlarmKind, SystemLine};
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport, keys};
use pakawaaz_base::{MessageId, OfficialId};
use pakawaaz_contract::frames::LogEntry;
use pakawaaz_conversation::content::MAX_EMOJI;
use pakawaaz_conversation::{Body, Content, ContentError, Leaf, SealedContent, log};
use pakawaaz_trust::AdminLookup as _;

/// Receipts are not sent in conversations with more officials: they would outnumber the messages.
pub(crate) const RECEIPTS_UP_TO: usize = 32;
const MAX_REACTIONS: usize = 2000;
/// So that nobody fills a message with reactions alone.
const MAX_REACTIONS_EACH: usize = 20;

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
        self.proves_time(&mut step.tx, content.sent_at).await?;
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
        let (group, message, author) = (step.record.group, content.message, content.official);
        if let Some(mention) = self.apply_body(step, message, author, content.body).await? {
            step.events.push(ClientEvent::Message { group, message, author, mention });
        }
        Ok(())
    }

    /// What a believed message does, whether it is of this device, another one of this official, or somebody else.
    /// When it is words or a file, says whether it mentions this official.
    pub(crate) async fn apply_body(
        &self,
        step: &mut Step<'_, S, P>,
        message: MessageId,
        author: OfficialId,
        body: Body,
    ) -> Result<Option<bool>, ClientError> {
        let group = step.record.group;
        let mine = author == self.profile().await?.official;
        let row = MessageRecord {
            seq: step.seq,
            author,
            mine,
            delivered: Default::default(),
            read: Default::default(),
            reactions: Vec::new(),
            edited: false,
            deleted: false,
        };
        step.tx.put(keys::message(group, message), &row);
        match body {
            Body::Text { text, reply_to, mentions } => {
                let line = Line::Text { author, text, reply_to, mentions, file: None };
                return self.said(step, message, mine, line).await.map(Some);
            }
            Body::File { caption, reply_to, mentions, file } => {
                let line = Line::Text { author, text: caption, reply_to, mentions, file: Some(Box::new(file)) };
                return self.said(step, message, mine, line).await.map(Some);
            }
            Body::Receipt { delivered, read } => {
                for (ids, is_read) in [(delivered, false), (read, true)] {
                    for id in ids {
                        self.receipt(step, id, author, mine, is_read).await?;
                    }
                }
            }
            Body::Settings { title, .. } => {
                if let Some(title) = title {
                    step.record.title = Some(title.clone());
                    step.system(SystemLine::Titled { official: author, title });
                }
            }
            Body::Edit { target, text, mentions } => {
                self.change_text(step, target, author, Some((text, mentions))).await?;
            }
            Body::Delete { target } => self.change_text(step, target, author, None).await?,
            Body::Reaction { target, emoji, remove } => self.react_to(step, target, author, emoji, remove).await?,
            Body::Leave => self.leaves(step, author, mine).await?,
            Body::Unknown { .. } => step.system(SystemLine::Unreadable),
        }
        Ok(None)
    }

    /// Words or a file. Returns whether they mention this official.
    async fn said(
        &self,
        step: &mut Step<'_, S, P>,
        message: MessageId,
        mine: bool,
        line: Line,
    ) -> Result<bool, ClientError> {
        let me = self.profile().await?.official;
        let mention = !mine && matches!(&line, Line::Text { mentions, .. } if mentions.contains(&me));
        step.line(line);
        step.record.last_message = step.seq;
        if !mine {
            step.record.unread += 1;
            step.record.mentions += u32::from(mention);
            step.tx.put(keys::unread(step.record.group, step.seq), &UnreadRecord { message, mention });
            if step.record.officials().len() <= RECEIPTS_UP_TO {
                let receipt = ReceiptRecord { message, read: false };
                step.tx.put(keys::receipt(step.record.group, step.seq), &receipt);
            }
        }
        Ok(mention)
    }

    /// A message needs no reading any more.
    async fn not_unread(&self, step: &mut Step<'_, S, P>, message: MessageId, seq: u64) -> Result<(), ClientError> {
        let key = keys::unread(step.record.group, seq);
        if let Some(unread) = step.tx.get::<UnreadRecord>(&key).await?.filter(|u| u.message == message) {
            step.tx.delete(key);
            step.record.unread = step.record.unread.saturating_sub(1);
            step.record.mentions = step.record.mentions.saturating_sub(u32::from(unread.mention));
        } else if step.record.unread_ids.contains(&message) {
            step.record.unread_ids.retain(|i| *i != message);
            step.record.unread = step.record.unread.saturating_sub(1);
        }
        Ok(())
    }

    async fn receipt(
        &self,
        step: &mut Step<'_, S, P>,
        id: MessageId,
        by: OfficialId,
        by_me: bool,
        is_read: bool,
    ) -> Result<(), ClientError> {
        let group = step.record.group;
        let Some(mut row) = step.tx.get::<MessageRecord>(&keys::message(group, id)).await? else { return Ok(()) };
        if by_me {
            // Another device of this official: what was read there is read here.
            return if is_read { self.not_unread(step, id, row.seq).await } else { Ok(()) };
        }
        let news = if is_read { row.read.insert(by) } else { row.delivered.insert(by) };
        if news && row.mine {
            step.tx.put(keys::message(group, id), &row);
            step.events.push(ClientEvent::Status { group, message: id });
        }
        Ok(())
    }

    /// New words and whom they mention, or none: taken back. Only the author changes a message.
    async fn change_text(
        &self,
        step: &mut Step<'_, S, P>,
        target: MessageId,
        by: OfficialId,
        new: Option<(String, Vec<OfficialId>)>,
    ) -> Result<(), ClientError> {
        let group = step.record.group;
        let Some(mut row) = step.tx.get::<MessageRecord>(&keys::message(group, target)).await? else { return Ok(()) };
        if row.author != by || row.deleted {
            return Ok(());
        }
        let key = keys::line(group, row.seq, 0);
        let Some(mut line) = step.tx.get::<LineRecord>(&key).await? else { return Ok(()) };
        let Line::Text { text, mentions, file, .. } = &mut line.line else { return Ok(()) };
        match new {
            Some((words, officials)) => {
                let unread = keys::unread(group, row.seq);
                if let Some(mut record) = step.tx.get::<UnreadRecord>(&unread).await? {
                    step.record.mentions = step.record.mentions.saturating_sub(u32::from(record.mention));
                    record.mention = officials.contains(&self.profile().await?.official);
                    step.record.mentions += u32::from(record.mention);
                    step.tx.put(unread, &record);
                }
                *text = words;
                *mentions = officials;
                row.edited = true;
            }
            None => {
                self.not_unread(step, target, row.seq).await?;
                text.clear();
                mentions.clear();
                *file = None;
                row.reactions.clear();
                row.deleted = true;
            }
        }
        step.tx.put(key, &line);
        step.tx.put(keys::message(group, target), &row);
        Ok(())
    }

    async fn react_to(
        &self,
        step: &mut Step<'_, S, P>,
        target: MessageId,
        by: OfficialId,
        emoji: String,
        remove: bool,
    ) -> Result<(), ClientError> {
        let key = keys::message(step.record.group, target);
        let Some(mut row) = step.tx.get::<MessageRecord>(&key).await? else { return Ok(()) };
        if row.deleted || !is_reaction(&emoji) {
            return Ok(());
        }
        let before = row.reactions.len();
        let there = row.reactions.iter().any(|(e, o)| *e == emoji && *o == by);
        if remove {
            row.reactions.retain(|(e, o)| *e != emoji || *o != by);
        } else if !there
            && before < MAX_REACTIONS
            && row.reactions.iter().filter(|(_, o)| *o == by).count() < MAX_REACTIONS_EACH
        {
            row.reactions.push((emoji, by));
        }
        if row.reactions.len() != before {
            step.tx.put(key, &row);
        }
        Ok(())
    }

    /// An official leaves: every device of theirs is out at once by its own decision, and one of the others commits
    /// the removal.
    async fn leaves(&self, step: &mut Step<'_, S, P>, official: OfficialId, mine: bool) -> Result<(), ClientError> {
        let group = step.record.group;
        if step.record.direct {
            // Nobody may remove a party of these (`conversation::policy`).
            return Ok(());
        }
        if mine {
            step.record.mode = Mode::Left;
            step.system(SystemLine::RemovedHere);
            step.tx.delete(keys::pending_commit(group));
            for (key, _) in self.db.scan::<Intent>(Range::prefix(&keys::intents(group))).await? {
                step.tx.delete(key);
            }
        } else {
            self.intend(&mut step.tx, group, &Intent::LetGo(official));
        }
        Ok(())
    }
}

/// Whether it can stand under a message: something visible, and no sentence.
pub(crate) fn is_reaction(emoji: &str) -> bool {
    !emoji.is_empty() && emoji.len() <= MAX_EMOJI && !emoji.contains(|c: char| c.is_whitespace() || c.is_control())
}

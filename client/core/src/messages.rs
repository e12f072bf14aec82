//! What this official says and changes. Everything is stored in the outbox first and works offline; the connection
//! does the rest.

use crate::records::{GroupRecord, Line, LineRecord, MessageRecord, Mode, OutBody, OutItem};
use crate::store::Range;
use crate::sync::is_reaction;
use crate::views::MessageInfo;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{GroupId, MessageId, OfficialId};
use pakawaaz_conversation::FileRef;
use pakawaaz_conversation::content::{MAX_MENTIONS, MAX_TEXT, MAX_TITLE};

/// Where a message is that somebody wants to change.
enum Found {
    /// It has its place in the log.
    Logged(MessageRecord),
    /// On its way: the server may have it already.
    Leaving,
    /// Never left this device, or was refused for good.
    Here(OutItem),
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    pub(crate) fn item(&self, group: GroupId, body: OutBody) -> OutItem {
        let now = self.platform().now();
        let message = MessageId::new(now, &mut self.db.rng());
        OutItem { group, message, body, queued_at: now, sealed: None, failed: None }
    }

    /// The record of a conversation that this device is in.
    pub(crate) async fn live(&self, group: GroupId) -> Result<GroupRecord, ClientError> {
        let record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        if record.mode == Mode::Left { Err(ClientError::NotMember) } else { Ok(record) }
    }

    async fn queue(&self, item: OutItem) -> Result<MessageId, ClientError> {
        let mut tx = self.db.tx();
        tx.put(keys::outbox(item.message), &item);
        tx.commit().await?;
        self.inner.wake();
        Ok(item.message)
    }

    /// Queues a text. Works offline; it is durable when this returns.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`], [`ClientError::NotMember`], [`ClientError::TooLong`].
    pub async fn send(&self, group: GroupId, text: &str) -> Result<MessageId, ClientError> {
        self.send_message(group, text, None, &[]).await
    }

    /// As [`Client::send`], answering a message and mentioning officials. The conversation's draft is what was sent,
    /// and goes with it.
    ///
    /// # Errors
    /// As [`Client::send`]; too many mentions are too long as well.
    pub async fn send_message(
        &self,
        group: GroupId,
        text: &str,
        reply_to: Option<MessageId>,
        mentions: &[OfficialId],
    ) -> Result<MessageId, ClientError> {
        let mentions = checked(text, mentions)?;
        self.live(group).await?;
        let item = self.item(group, OutBody::Text { text: text.to_owned(), reply_to, mentions });
        let mut tx = self.db.tx();
        tx.put(keys::outbox(item.message), &item);
        // In one step: whatever ends this program, a text is either sent or still being written, never both.
        tx.delete(keys::draft(group));
        tx.commit().await?;
        self.inner.wake();
        Ok(item.message)
    }

    /// Queues the message of a file that is complete at the server.
    ///
    /// # Errors
    /// As [`Client::send_message`].
    pub async fn send_file_message(
        &self,
        group: GroupId,
        caption: &str,
        reply_to: Option<MessageId>,
        mentions: &[OfficialId],
        file: FileRef,
    ) -> Result<MessageId, ClientError> {
        self.live(group).await?;
        self.queue(self.file_item(group, caption, reply_to, mentions, file)?).await
    }

    /// The same, for callers that put it into a transaction of their own (and then wake the connection).
    pub(crate) fn file_item(
        &self,
        group: GroupId,
        caption: &str,
        reply_to: Option<MessageId>,
        mentions: &[OfficialId],
        file: FileRef,
    ) -> Result<OutItem, ClientError> {
        let mentions = checked(caption, mentions)?;
        file.check().map_err(|_| ClientError::TooLong)?;
        let file = Box::new(file);
        Ok(self.item(group, OutBody::File { caption: caption.to_owned(), reply_to, mentions, file }))
    }

    /// What opens the file of a message, sent or not.
    ///
    /// # Errors
    /// [`ClientError::NoSuchMessage`]: there is none, or it was taken back.
    pub async fn file_of(&self, group: GroupId, message: MessageId) -> Result<FileRef, ClientError> {
        let queued: Option<OutItem> = self.db.get(&keys::outbox(message)).await?;
        if let Some(OutItem { body: OutBody::File { file, .. }, .. }) = queued.filter(|i| i.group == group) {
            return Ok(*file);
        }
        let row: MessageRecord =
            self.db.get(&keys::message(group, message)).await?.ok_or(ClientError::NoSuchMessage)?;
        match self.db.get::<LineRecord>(&keys::line(group, row.seq, 0)).await?.map(|l| l.line) {
            Some(Line::Text { file: Some(file), .. }) => Ok(*file),
            _ => Err(ClientError::NoSuchMessage),
        }
    }

    /// Gives a conversation a title.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn set_title(&self, group: GroupId, title: &str) -> Result<MessageId, ClientError> {
        if title.len() > MAX_TITLE {
            return Err(ClientError::TooLong);
        }
        self.live(group).await?;
        self.queue(self.item(group, OutBody::Title { title: title.to_owned() })).await
    }

    async fn find_message(&self, group: GroupId, message: MessageId) -> Result<Found, ClientError> {
        let queued: Option<OutItem> = self.db.get(&keys::outbox(message)).await?;
        if let Some(item) = queued.filter(|i| i.group == group && i.body.is_message()) {
            let here = item.sealed.is_none() || item.failed.is_some();
            return Ok(if here { Found::Here(item) } else { Found::Leaving });
        }
        let row: Option<MessageRecord> = self.db.get(&keys::message(group, message)).await?;
        let row = row.ok_or(ClientError::NoSuchMessage)?;
        // Receipts, edits and the like have ids too.
        let line: Option<LineRecord> = self.db.get(&keys::line(group, row.seq, 0)).await?;
        let is_text = line.is_some_and(|l| l.message == Some(message) && matches!(l.line, Line::Text { .. }));
        if is_text && !row.deleted { Ok(Found::Logged(row)) } else { Err(ClientError::NoSuchMessage) }
    }

    /// New words for an own message (of a file: a new caption). One that has not left this device is changed itself.
    ///
    /// # Errors
    /// [`ClientError::NoSuchMessage`], [`ClientError::NotAuthor`], and those of [`Client::send_message`].
    pub async fn edit(
        &self,
        group: GroupId,
        message: MessageId,
        text: &str,
        mentions: &[OfficialId],
    ) -> Result<(), ClientError> {
        let mentions = checked(text, mentions)?;
        self.live(group).await?;
        // The connection must not encrypt the item between our reading and writing it.
        let _writing = self.inner.writing.lock().await;
        match self.find_message(group, message).await? {
            Found::Logged(row) if !row.mine => return Err(ClientError::NotAuthor),
            Found::Logged(_) | Found::Leaving => {}
            Found::Here(mut item) => {
                match &mut item.body {
                    OutBody::Text { text: old, mentions: before, .. }
                    | OutBody::File { caption: old, mentions: before, .. } => {
                        *old = text.to_owned();
                        *before = mentions;
                    }
                    _ => return Err(ClientError::NoSuchMessage),
                }
                item.sealed = None;
                return self.queue(item).await.map(drop);
            }
        }
        self.queue(self.item(group, OutBody::Edit { target: message, text: text.to_owned(), mentions })).await?;
        Ok(())
    }

    /// Takes an own message back, for everyone. One that has not left this device never does.
    ///
    /// # Errors
    /// [`ClientError::NoSuchMessage`], [`ClientError::NotAuthor`], [`ClientError::NotMember`].
    pub async fn delete(&self, group: GroupId, message: MessageId) -> Result<(), ClientError> {
        let _writing = self.inner.writing.lock().await;
        match self.find_message(group, message).await? {
            Found::Logged(row) if !row.mine => Err(ClientError::NotAuthor),
            Found::Here(_) => self.drop_items(group, message).await,
            Found::Logged(_) | Found::Leaving => {
                self.live(group).await?;
                self.queue(self.item(group, OutBody::Delete { target: message })).await.map(drop)
            }
        }
    }

    /// Puts an emoji under a message, or takes it away again.
    ///
    /// # Errors
    /// [`ClientError::NoSuchMessage`], [`ClientError::BadReaction`], [`ClientError::NotMember`].
    pub async fn react(
        &self,
        group: GroupId,
        message: MessageId,
        emoji: &str,
        remove: bool,
    ) -> Result<(), ClientError> {
        if !is_reaction(emoji) {
            return Err(ClientError::BadReaction);
        }
        self.live(group).await?;
        let _writing = self.inner.writing.lock().await;
        self.find_message(group, message).await?;
        // The opposite that still waits is not sent first: the last word counts.
        let mut tx = self.db.tx();
        let body = OutBody::Reaction { target: message, emoji: emoji.to_owned(), remove };
        let opposite = OutBody::Reaction { target: message, emoji: emoji.to_owned(), remove: !remove };
        for (key, item) in self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await? {
            if item.group == group && item.body == body {
                return Ok(());
            }
            if item.group == group && item.body == opposite && item.sealed.is_none() {
                tx.delete(key);
            }
        }
        let item = self.item(group, body);
        tx.put(keys::outbox(item.message), &item);
        tx.commit().await?;
        self.inner.wake();
        Ok(())
    }

    /// Leaves a conversation: nothing that is said from then on is read here; one of the others removes this official.
    /// A one-to-one conversation cannot be left (archive it).
    ///
    /// # Errors
    /// [`ClientError::DirectStays`], [`ClientError::NotMember`], [`ClientError::NoSuchConversation`].
    pub async fn leave(&self, group: GroupId) -> Result<(), ClientError> {
        let record = self.live(group).await?;
        if record.direct {
            return Err(ClientError::DirectStays);
        }
        if self.outbox_of(group).await?.iter().any(|i| i.body == OutBody::Leave) {
            return Ok(());
        }
        self.queue(self.item(group, OutBody::Leave)).await.map(drop)
    }

    /// Sends what was given up once more: a message, or edits and deletions of it.
    ///
    /// # Errors
    /// [`ClientError::NoSuchMessage`]: nothing of it failed. [`ClientError::NotMember`].
    pub async fn retry(&self, group: GroupId, message: MessageId) -> Result<(), ClientError> {
        self.live(group).await?;
        let _writing = self.inner.writing.lock().await;
        let mut tx = self.db.tx();
        let mut any = false;
        for (key, mut item) in self.about(group, message).await? {
            if item.failed.take().is_some() {
                // The same bytes would be refused again.
                item.sealed = None;
                tx.put(key, &item);
                any = true;
            }
        }
        tx.commit().await?;
        self.inner.wake();
        if any { Ok(()) } else { Err(ClientError::NoSuchMessage) }
    }

    /// Forgets what was given up: a message with everything that was to change it, or edits and deletions of one.
    ///
    /// # Errors
    /// [`ClientError::NoSuchMessage`]: nothing of it failed.
    pub async fn discard(&self, group: GroupId, message: MessageId) -> Result<(), ClientError> {
        let _writing = self.inner.writing.lock().await;
        let left = self.group_record(group).await?.is_some_and(|r| r.mode == Mode::Left);
        let items = self.about(group, message).await?;
        let given_up = |i: &OutItem| i.failed.is_some() || left;
        if items.iter().any(|(_, i)| i.message == message && given_up(i)) {
            return self.drop_items(group, message).await;
        }
        let mut tx = self.db.tx();
        let failed: Vec<_> = items.into_iter().filter(|(_, i)| given_up(i)).map(|(key, _)| key).collect();
        if failed.is_empty() {
            return Err(ClientError::NoSuchMessage);
        }
        failed.into_iter().for_each(|key| tx.delete(key));
        tx.commit().await
    }

    /// What waits of a message and of its changes.
    async fn about(
        &self,
        group: GroupId,
        message: MessageId,
    ) -> Result<Vec<(crate::store::Key, OutItem)>, ClientError> {
        let rows = self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await?;
        let about = |i: &OutItem| i.group == group && (i.message == message || i.body.target() == Some(message));
        Ok(rows.into_iter().filter(|(_, i)| about(i)).collect())
    }

    async fn drop_items(&self, group: GroupId, message: MessageId) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        for (key, _) in self.about(group, message).await? {
            tx.delete(key);
        }
        tx.commit().await
    }

    /// How far a message has come with each of the others. Only authors are told; of a message of somebody else, and
    /// in conversations that are too large for receipts, nobody is known.
    ///
    /// # Errors
    /// [`ClientError::NoSuchMessage`], [`ClientError::NoSuchConversation`].
    pub async fn message_info(&self, group: GroupId, message: MessageId) -> Result<MessageInfo, ClientError> {
        let record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let me = self.profile().await?.official;
        let others: Vec<_> = record.officials().into_iter().filter(|o| *o != me).collect();
        let queued: Option<OutItem> = self.db.get(&keys::outbox(message)).await?;
        if let Some(item) = queued.filter(|i| i.group == group && i.body.is_message()) {
            return Ok(MessageInfo {
                delivered: Vec::new(),
                read: Vec::new(),
                waiting: others,
                sent_at: item.queued_at,
            });
        }
        let row: MessageRecord =
            self.db.get(&keys::message(group, message)).await?.ok_or(ClientError::NoSuchMessage)?;
        let line: LineRecord = self.db.get(&keys::line(group, row.seq, 0)).await?.ok_or(ClientError::NoSuchMessage)?;
        let waiting = others.into_iter().filter(|o| row.mine && !row.read.contains(o) && !row.delivered.contains(o));
        Ok(MessageInfo {
            waiting: waiting.collect(),
            delivered: row.delivered.difference(&row.read).copied().collect(),
            read: row.read.into_iter().collect(),
            sent_at: line.at,
        })
    }
}

/// Text and mentions within their limits, nobody mentioned twice.
fn checked(text: &str, mentions: &[OfficialId]) -> Result<Vec<OfficialId>, ClientError> {
    let mut once = mentions.to_vec();
    once.sort();
    once.dedup();
    if text.len() > MAX_TEXT || once.len() > MAX_MENTIONS {
        return Err(ClientError::TooLong);
    }
    Ok(once)
}

//! What belongs to this device alone: drafts, pinned, muted and archived conversations, how far it was read, and
//! whether others are told that this official writes.

use crate::records::{FlagsRecord, LocalSettings, MessageRecord, ReceiptRecord, UnreadRecord};
use crate::store::Range;
use crate::sync::RECEIPTS_UP_TO;
use crate::sync::machine::Machine;
use crate::views::Flags;
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport, keys};
use pakawaaz_base::{GroupId, OfficialId};
use pakawaaz_conversation::content::MAX_TEXT;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Keeps words that were begun; empty ones are forgotten.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`], [`ClientError::TooLong`].
    pub async fn set_draft(&self, group: GroupId, text: &str) -> Result<(), ClientError> {
        if text.len() > MAX_TEXT {
            return Err(ClientError::TooLong);
        }
        self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let mut tx = self.db.tx();
        if text.is_empty() {
            tx.delete(keys::draft(group));
        } else {
            tx.put(keys::draft(group), &text);
        }
        tx.commit().await
    }

    /// Pins, mutes and archives. An archived conversation comes back by itself when something new is said in it,
    /// unless it is muted.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn set_flags(&self, group: GroupId, flags: Flags) -> Result<(), ClientError> {
        let record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let Flags { pinned, muted, archived } = flags;
        let row = FlagsRecord { pinned, muted, archived_at: archived.then_some(record.seq) };
        let mut tx = self.db.tx();
        if pinned || muted || archived {
            tx.put(keys::flags(group), &row);
        } else {
            tx.delete(keys::flags(group));
        }
        tx.commit().await
    }

    /// Whether new messages of a conversation announce nothing.
    ///
    /// # Errors
    /// Store errors.
    pub async fn is_muted(&self, group: GroupId) -> Result<bool, ClientError> {
        Ok(self.db.get::<FlagsRecord>(&keys::flags(group)).await?.is_some_and(|f| f.muted))
    }

    /// Position of the first unread message.
    pub(crate) async fn first_unread(&self, group: GroupId) -> Result<Option<u64>, ClientError> {
        let rows = self.db.scan::<UnreadRecord>(Range::prefix(&keys::unread_of(group)).limit(1)).await?;
        Ok(rows.first().and_then(|(key, _)| keys::seq_of(key)))
    }

    /// Marks everything in a conversation as read; receipts travel with the next synchronisation.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn mark_read(&self, group: GroupId) -> Result<(), ClientError> {
        self.mark_read_to(group, None).await
    }

    /// The same up to and including a position (none: everything).
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn mark_read_to(&self, group: GroupId, up_to: Option<u64>) -> Result<(), ClientError> {
        // An entry being applied would write an older record over this one.
        let _writing = self.inner.writing.lock().await;
        let mut record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        if record.unread == 0 && record.unread_ids.is_empty() {
            return Ok(());
        }
        let mut range = Range::prefix(&keys::unread_of(group));
        if let Some(up_to) = up_to {
            range = range.before(keys::unread(group, up_to.saturating_add(1)));
        }
        let mut tx = self.db.tx();
        let acknowledged = record.officials().len() <= RECEIPTS_UP_TO;
        let mut read: u32 = 0;
        for message in std::mem::take(&mut record.unread_ids) {
            let row: Option<MessageRecord> = self.db.get(&keys::message(group, message)).await?;
            if up_to.is_some_and(|up_to| row.as_ref().is_some_and(|r| r.seq > up_to)) {
                record.unread_ids.push(message);
                continue;
            }
            read = read.saturating_add(1);
            if let Some(row) = row.filter(|_| acknowledged) {
                tx.put(keys::receipt(group, row.seq), &ReceiptRecord { message, read: true });
            }
        }
        for (key, unread) in self.db.scan::<UnreadRecord>(range).await? {
            record.mentions = record.mentions.saturating_sub(u32::from(unread.mention));
            read = read.saturating_add(1);
            if let Some(seq) = keys::seq_of(&key).filter(|_| acknowledged) {
                tx.put(keys::receipt(group, seq), &ReceiptRecord { message: unread.message, read: true });
            }
            tx.delete(key);
        }
        record.unread = record.unread.saturating_sub(read);
        if up_to.is_none() {
            (record.unread, record.mentions) = (0, 0);
        }
        tx.put(keys::group(group), &record);
        tx.commit().await?;
        self.inner.wake();
        Ok(())
    }

    async fn settings(&self) -> Result<LocalSettings, ClientError> {
        Ok(self.db.get(keys::SETTINGS).await?.unwrap_or_default())
    }

    /// Whether others are told when this official writes, and shown here when they do.
    ///
    /// # Errors
    /// Store errors.
    pub async fn shares_typing(&self) -> Result<bool, ClientError> {
        Ok(self.settings().await?.typing)
    }

    /// Turns that on or off (both ways at once); on at first.
    ///
    /// # Errors
    /// Store errors.
    pub async fn share_typing(&self, on: bool) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        tx.put(keys::SETTINGS.to_vec(), &LocalSettings { typing: on });
        tx.commit().await
    }

    /// Tells the others that this official writes or has stopped. May be called for every key; only news is sent, and
    /// only over a connection that there is.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`], [`ClientError::NotMember`].
    pub async fn typing(&self, group: GroupId, on: bool) -> Result<(), ClientError> {
        self.live(group).await?;
        if self.settings().await?.typing && self.inner.set_typing(group, on, self.platform().now()) {
            self.inner.wake();
        }
        Ok(())
    }

    /// The server says that somebody writes. Nothing of it is kept.
    pub(crate) async fn is_typing(
        &self,
        m: &mut Machine,
        group: GroupId,
        official: OfficialId,
        on: bool,
    ) -> Result<(), ClientError> {
        let Some(record) = self.group_record(group).await? else { return Ok(()) };
        let other = official != self.profile().await?.official;
        if other && record.members.iter().any(|(o, _)| *o == official) && self.settings().await?.typing {
            m.event(ClientEvent::Typing { group, official, on });
        }
        Ok(())
    }
}

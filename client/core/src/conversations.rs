//! Conversations: what the shells call. The work is done by the sync machine.

use crate::client::ClientEvent;
use crate::views::{ConversationView, MemberView, TimelinePage};
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{GroupId, MessageId, OfficialId};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Starts a conversation with `officials` (this official is added). With one other official and no title an
    /// existing one-to-one conversation is returned. The invitation travels with the next synchronisation.
    ///
    /// # Errors
    /// [`ClientError::NobodyElse`], [`ClientError::NoDevice`], [`ClientError::LoginRequired`].
    pub async fn new_conversation(
        &self,
        officials: &[OfficialId],
        title: Option<&str>,
    ) -> Result<GroupId, ClientError> {
        let _ = (officials, title);
        Err(ClientError::LoginRequired)
    }
    /// Queues a text. Works offline; it is durable when this returns.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`], [`ClientError::NotMember`], [`ClientError::TooLong`].
    pub async fn send(&self, group: GroupId, text: &str) -> Result<MessageId, ClientError> {
        self.reply(group, text, None).await
    }
    /// As [`Client::send`], answering a message.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn reply(
        &self,
        group: GroupId,
        text: &str,
        reply_to: Option<MessageId>,
    ) -> Result<MessageId, ClientError> {
        let _ = (group, text, reply_to);
        Err(ClientError::NoSuchConversation)
    }
    /// Conversations, most recent first. Works offline.
    ///
    /// # Errors
    /// Store errors.
    pub async fn conversations(&self) -> Result<Vec<ConversationView>, ClientError> {
        Ok(Vec::new())
    }
    /// The newest `limit` lines before position `before` (none: the newest). Works offline.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn read(&self, group: GroupId, before: Option<u64>, limit: usize) -> Result<TimelinePage, ClientError> {
        let _ = (group, before, limit);
        Err(ClientError::NoSuchConversation)
    }
    /// Marks everything in a conversation as read; receipts travel with the next synchronisation.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn mark_read(&self, group: GroupId) -> Result<(), ClientError> {
        let _ = group;
        Err(ClientError::NoSuchConversation)
    }
    /// Members of a conversation. Works offline.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn members(&self, group: GroupId) -> Result<Vec<MemberView>, ClientError> {
        let _ = group;
        Err(ClientError::NoSuchConversation)
    }
    /// Adds every device of `officials` (committed with the next synchronisation).
    ///
    /// # Errors
    /// [`ClientError::NoDevice`].
    pub async fn add_members(&self, group: GroupId, officials: &[OfficialId]) -> Result<(), ClientError> {
        let _ = (group, officials);
        Err(ClientError::NoSuchConversation)
    }
    /// Removes every device of an official (committed with the next synchronisation).
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`].
    pub async fn remove_member(&self, group: GroupId, official: OfficialId) -> Result<(), ClientError> {
        let _ = (group, official);
        Err(ClientError::NoSuchConversation)
    }
    /// Connects, catches up, keeps listening and sending; reconnects with exponential back-off and jitter. Returns
    /// only on errors that waiting does not cure ([`ClientError::LoginRequired`], store errors). May be dropped at
    /// any await point.
    ///
    /// # Errors
    /// See above.
    pub async fn run(&self, events: &mut dyn FnMut(ClientEvent)) -> Result<(), ClientError> {
        let _ = events;
        Err(ClientError::LoginRequired)
    }
    /// Connects, catches up, sends until everything queued is accepted, and returns. For one-shot commands.
    ///
    /// # Errors
    /// Transport errors, [`ClientError::LoginRequired`].
    pub async fn sync_once(&self, events: &mut dyn FnMut(ClientEvent)) -> Result<(), ClientError> {
        let _ = events;
        Err(ClientError::LoginRequired)
    }
}

//! The client: one profile of one official on one device.

use crate::db::Db;
use crate::views::Alarm;
use crate::{ClientError, Platform, Store, Transport};
use pakawaaz_base::{DeviceId, GroupId, MessageId, OfficialId, TransferId};
use std::time::Duration;

/// What [`Client::run`] tells its shell. Everything in it is durable already; a screen re-reads the view it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEvent {
    /// Connected and authenticated.
    Connected,
    /// Everything the server had has been processed.
    CaughtUp,
    /// The connection is gone; the next attempt follows after this pause.
    Disconnected {
        /// Pause.
        retry_in: Duration,
    },
    /// A message arrived.
    Message {
        /// Conversation.
        group: GroupId,
        /// Message.
        message: MessageId,
        /// Author.
        author: OfficialId,
        /// Whether it mentions this official.
        mention: bool,
    },
    /// Somebody writes, or has stopped. The server's word only; forget it after ten seconds.
    Typing {
        /// Conversation.
        group: GroupId,
        /// Who.
        official: OfficialId,
        /// Writes, or has stopped.
        on: bool,
    },
    /// A message of this official is at the server, or was delivered or read.
    Status {
        /// Conversation.
        group: GroupId,
        /// Message.
        message: MessageId,
    },
    /// Members, title or state of a conversation changed, or it is new.
    Conversation {
        /// Conversation.
        group: GroupId,
    },
    /// A device of this official waits for approval, was approved, or was cut off.
    OwnDevice {
        /// Device.
        device: DeviceId,
    },
    /// A file's transfer moved, stopped or ended.
    Transfer {
        /// Which.
        transfer: TransferId,
    },
    /// Something an honest server or member never does.
    Alarm(Alarm),
}

/// A client over a store, a transport and a platform. Not `Send`: one thread owns it. Methods may run concurrently
/// on that thread (a screen sends while [`Client::run`] listens).
pub struct Client<S, T, P> {
    pub(crate) db: Db<S, P>,
    pub(crate) transport: T,
    pub(crate) inner: crate::inner::Inner,
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// A client over `store`; it may hold a profile or be empty.
    pub fn new(store: S, transport: T, platform: P) -> Self {
        Self { db: Db::new(store, platform), transport, inner: crate::inner::Inner::default() }
    }
    /// The transport.
    pub fn transport(&self) -> &T {
        &self.transport
    }
    /// The platform.
    pub fn platform(&self) -> &P {
        self.db.platform()
    }
    /// Alarms, newest first.
    ///
    /// # Errors
    /// Store errors, [`ClientError::Locked`].
    pub async fn alarms(&self) -> Result<Vec<Alarm>, ClientError> {
        crate::alarms::all(&self.db).await
    }
}

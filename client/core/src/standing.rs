//! Small questions of a shell about where things stand.

use crate::records::OutItem;
use crate::store::Range;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_contract::identity::ServerInfo;

/// How the server ended a session from its side. Its word alone: nothing is deleted because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// An administrator suspended official, device or SIM, and can undo it.
    Suspended,
    /// For good.
    Revoked,
}

impl CutOff {
    /// From the code with which a refresh is refused; none for sessions that ended in another way.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        match code {
            "identity.suspended" => Some(Self::Suspended),
            "identity.device_not_active" => Some(Self::Revoked),
            _ => None,
        }
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// What the server at the other end says about itself. Nothing of it is believed; see [`Client::enrol`].
    ///
    /// # Errors
    /// Transport errors, [`ClientError::WrongVersion`].
    pub async fn server(&self) -> Result<ServerInfo, ClientError> {
        self.server_info().await
    }
    /// Whether the server said that it ended the last session because this official, device or SIM was cut off. Only
    /// for telling that from a session that ran out; nothing after a restart.
    pub fn cut_off(&self) -> Option<CutOff> {
        self.inner.cut_off.get()
    }
    /// Messages written here that the server does not have yet and that have not been given up.
    ///
    /// # Errors
    /// Store errors, [`ClientError::Locked`].
    pub async fn queued(&self) -> Result<u32, ClientError> {
        let rows = self.db.scan::<OutItem>(Range::prefix(keys::OUTBOX)).await?;
        let waiting = rows.iter().filter(|(_, item)| item.body.is_message() && item.failed.is_none()).count();
        Ok(u32::try_from(waiting).unwrap_or(u32::MAX))
    }
}

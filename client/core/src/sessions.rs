//! The official's own sessions, on every device, and the own SIM cards.

use crate::http::Empty;
use crate::views::SessionView;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::SessionId;
use pakawaaz_contract::identity::{MyCards, SessionList};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Sessions of this official that go on, newest first.
    ///
    /// # Errors
    /// Transport errors, [`ClientError::LoginRequired`].
    pub async fn sessions(&self) -> Result<Vec<SessionView>, ClientError> {
        let list: SessionList = self.get("/v1/sessions").await?;
        let here = self.session().await?.tokens.session;
        let view = |s: pakawaaz_contract::identity::SessionRecord| SessionView {
            session: s.session,
            device: s.device,
            started_at: s.started_at,
            ends_at: s.ends_at,
            this_session: s.session == here,
            sim: s.sim,
            network: s.network,
        };
        Ok(list.sessions.into_iter().map(view).collect())
    }

    /// Ends one of them. Ending this client's own is [`Client::logout`].
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `identity.not_found`: no such session of this official.
    pub async fn end_session(&self, session: SessionId) -> Result<(), ClientError> {
        self.post_empty(&format!("/v1/sessions/{session}/end"), &Empty {}).await
    }

    /// The official's own SIM cards, each with the phone it is in. What the server says, shown as it is: neither a proof of
    /// anything nor signed by anybody.
    ///
    /// # Errors
    /// As [`Client::sessions`].
    pub async fn my_cards(&self) -> Result<MyCards, ClientError> {
        self.get("/v1/me/phone").await
    }
}

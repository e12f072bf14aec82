//! An official's own sessions: seeing them, ending one.

use super::Identity;
use super::cut::Cut;
use crate::error::{Error, Result};
use crate::store::sessions::{self, Which};
use pakawaaz_base::{Actor, SessionId};
use pakawaaz_contract::identity::{SessionList, SessionRecord, SimProvenBy};

impl Identity {
    /// Sessions of the caller's official that go on, newest first.
    pub async fn sessions_of(&self, actor: &Actor) -> Result<SessionList> {
        let mut read = self.db().read().await?;
        let open = sessions::open_of(read.conn(), actor.official, self.now()).await?;
        let record = |s: sessions::Session| SessionRecord {
            session: s.session,
            device: s.device,
            started_at: s.authenticated_at,
            ends_at: s.chain.ends_at,
            sim: if s.by_phone.is_some() { SimProvenBy::Phone } else { SimProvenBy::Card },
            network: s.network,
        };
        Ok(SessionList { sessions: open.into_iter().map(record).collect() })
    }

    /// Ends one of them. One that has ended already stays so; one of another official does not exist for the caller.
    pub async fn end_session(&self, actor: &Actor, session: SessionId) -> Result<()> {
        let now = self.now();
        let mut cut = Cut::default();
        let mut tx = self.db().begin().await?;
        let found = sessions::get(tx.conn(), session).await?;
        if found.is_none_or(|s| s.official != actor.official) {
            return Err(Error::NotFound("session"));
        }
        cut.sessions(&mut tx, Which::Session(session), "ended by the official", now).await?;
        cut.commit(self, tx, now).await
    }
}

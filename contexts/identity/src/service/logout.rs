//! Logging out: this session, or every session of the official.

use super::Identity;
use super::cut::Cut;
use crate::error::Result;
use crate::store::sessions::Which;
use pakawaaz_base::Actor;

impl Identity {
    /// Ends the caller's session, or all of the official's.
    pub async fn logout(&self, actor: &Actor, everywhere: bool) -> Result<()> {
        let now = self.now();
        let which = if everywhere { Which::Official(actor.official) } else { Which::Session(actor.session) };
        let mut cut = Cut::default();
        let mut tx = self.db().begin().await?;
        cut.sessions(&mut tx, which, "logout", now).await?;
        cut.commit(self, tx, now).await
    }
}

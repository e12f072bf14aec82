//! A phone left the network: whatever its card has proven here ends.

use super::Identity;
use super::cut::Cut;
use crate::error::Result;
use crate::store::sessions::Which;
use crate::store::sims;
use pakawaaz_contract::facts::PhoneLeft;
use pakawaaz_storage::Tx;

impl Identity {
    /// Ends the sessions that the card has proven, in the transaction that takes note of it. Every node obeys within a
    /// quarter second. Doing it twice, or for a card that nobody knows, changes nothing. What the card has proven after
    /// the phone had left stays; a session that the phone's key has opened does not, however late it was opened.
    pub async fn phone_left(&self, tx: &mut Tx, fact: &PhoneLeft) -> Result<()> {
        let Some(card) = sims::by_imsi(tx.conn(), &fact.imsi).await? else { return Ok(()) };
        sims::left(tx.conn(), card.sim, fact.at).await?;
        let mut cut = Cut::default();
        cut.sessions(tx, Which::SimBefore(card.sim, fact.at), "phone_left", self.now()).await?;
        cut.write(tx, self.now()).await
    }
}

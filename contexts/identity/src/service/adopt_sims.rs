//! Moving the SIMs into a vault of their own.

use super::Identity;
use crate::error::{Error, Result};
use crate::sim_vault::{sealed, suci_key};
use crate::store::{sims, suci_keys};
use crate::vault::SoftwareVault;
use pakawaaz_base::SimId;
use pakawaaz_sim_vault::{Ask, Bound, Secret, Wrap};

impl Identity {
    /// Seals every card and every key for concealed identities anew, in the vault that is asked from now on: once, when an
    /// installation gets one. What `before` has not sealed is left as it is, so doing it twice changes nothing. How many
    /// cards and keys were moved; all or none.
    ///
    /// Errors: [`Error::VaultUnavailable`].
    pub async fn adopt_sims(&self, before: &SoftwareVault) -> Result<(usize, usize)> {
        let now = self.now();
        let mut tx = self.db().begin().await?;
        let (mut cards, mut keys, mut asks) = (Vec::<SimId>::new(), Vec::<u8>::new(), Vec::new());
        for card in sims::list(tx.conn()).await? {
            if let Ok(plain) = before.open(Bound::Card(card.sim), &card.sealed) {
                cards.push(card.sim);
                asks.push(Ask::SealCard { card: card.sim, algorithm: Secret::new(&plain) });
            }
        }
        for key in suci_keys::list(tx.conn()).await? {
            if let Ok(plain) = before.open(Bound::SuciKey(key.number), &key.sealed) {
                keys.push(key.number);
                let (number, scheme) = (key.number, key.scheme);
                asks.push(Ask::SealSuciKey { number, scheme, private: Secret::new(&plain) });
            }
        }
        let count = asks.len();
        if count == 0 {
            return Ok((0, 0));
        }
        let mut answers = self.sim_vault().ask(asks).await?.into_iter();
        if answers.len() != count {
            return Err(Error::VaultUnavailable);
        }
        for (card, answer) in cards.iter().zip(answers.by_ref()) {
            sims::set_sealed(tx.conn(), *card, &sealed(answer)?).await?;
        }
        for (key, answer) in keys.iter().zip(answers) {
            suci_keys::set_sealed(tx.conn(), *key, &suci_key(answer)?.0).await?;
        }
        let detail = serde_json::json!({ "cards": cards.len(), "suci_keys": keys.len() });
        self.audit(&mut tx, None, "identity.sims_adopted", "vault".to_owned(), detail, now).await?;
        tx.commit().await?;
        Ok((cards.len(), keys.len()))
    }
}

//! What single cards may do.

use super::{Cellular, read_imsi, require_operator};
use crate::model::subscriber;
use crate::runner::Ask;
use crate::{CellularError, store};
use pakawaaz_base::Actor;
use pakawaaz_contract::cellular::{CellularQuery, CellularSubscriber, CellularSubscriberList};
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::io::{Command, Subscription};
use std::sync::Arc;

/// Rows of a page, when the question does not say.
pub(super) const USUAL: u32 = 100;
/// Most rows of a page.
pub(super) const MOST: u32 = 1000;

impl Cellular {
    /// Cards with a profile of their own.
    ///
    /// Errors: `Forbidden`, `BadImsi`.
    pub async fn subscribers(
        &self,
        actor: &Actor,
        query: &CellularQuery,
    ) -> Result<CellularSubscriberList, CellularError> {
        require_operator(actor)?;
        let mut read = self.inner.db.read().await?;
        if let Some(imsi) = &query.imsi {
            let imsi = read_imsi(imsi)?;
            let profile = store::subscribers::get(read.conn(), &imsi).await?;
            let one = profile.map(|profile| CellularSubscriber { imsi: imsi.as_str().to_owned(), profile });
            return Ok(CellularSubscriberList { subscribers: one.into_iter().collect(), more: false });
        }
        let limit = i64::from(query.limit.unwrap_or(USUAL).clamp(1, MOST));
        let after = query.after.clone().unwrap_or_default();
        let mut subscribers = store::subscribers::page(read.conn(), &after, limit + 1).await?;
        let more = subscribers.len() as i64 > limit;
        subscribers.truncate(limit as usize);
        Ok(CellularSubscriberList { subscribers, more })
    }

    /// Writes a card's profile; its phone, if it is registered, is treated accordingly at once. A card that is blocked is
    /// detached, and what it has proven ends.
    ///
    /// Errors: `Forbidden`, `BadImsi`, `BadProfile`.
    pub async fn set_subscriber(&self, actor: &Actor, subscriber: &CellularSubscriber) -> Result<(), CellularError> {
        require_operator(actor)?;
        let imsi = read_imsi(&subscriber.imsi)?;
        let profile = &subscriber.profile;
        subscriber::check(profile, &self.decided().compiled)?;
        let now = self.now();
        let mut tx = self.inner.db.begin().await?;
        store::subscribers::put(tx.conn(), &imsi, profile, now).await?;
        if profile.blocked {
            store::cuts::put(tx.conn(), &imsi, now).await?;
        }
        let detail = serde_json::json!({
            "blocked": profile.blocked,
            "equipment": profile.equipment.len(),
            "data_networks": profile.data_networks.as_ref().map(Vec::len),
        });
        self.audit(&mut tx, actor, "cellular.subscriber_set", imsi.as_str().to_owned(), detail).await?;
        tx.commit().await?;
        if profile.blocked {
            self.inner.cuts.notify_one();
        } else if self.has_core() {
            let subscription = Arc::new(subscriber::subscription(Some(profile), &self.decided().compiled));
            self.ask(|done| Ask::Command(Command::Subscription { imsi, subscription }, done)).await?;
        }
        Ok(())
    }

    /// What a card may do.
    pub(crate) async fn subscription(&self, imsi: &Imsi) -> Result<Subscription, CellularError> {
        let profile = store::subscribers::get(self.inner.db.read().await?.conn(), imsi).await?;
        Ok(subscriber::subscription(profile.as_ref(), &self.decided().compiled))
    }
}

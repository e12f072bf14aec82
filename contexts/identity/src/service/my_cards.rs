//! An official's own cards, and where the phones with them are: context for displays, never a proof.

use super::Identity;
use crate::error::Result;
use crate::store::sims;
use async_trait::async_trait;
use pakawaaz_base::{Actor, Millis};
use pakawaaz_contract::identity::{MyCard, MyCards, MyPhone};

/// A phone that is registered in the cellular network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPhone {
    /// The equipment it claims to be.
    pub equipment: Option<String>,
    /// NR cell identity, 36 bits (TS 38.413 §9.3.1.7).
    pub cell: u64,
    /// Tracking area.
    pub tac: u32,
    /// Registered since.
    pub since: Millis,
    /// Last time that it was heard of from elsewhere.
    pub seen: Millis,
}

/// The cellular network, as far as an official may ask it about the own phone. Connected by bin/server.
#[async_trait]
pub trait PhoneNetwork: Send + Sync + 'static {
    /// The phone that a card is in now, if it is registered.
    ///
    /// Errors: [`crate::Error::Busy`] when the network cannot say.
    async fn phone(&self, imsi: &str) -> Result<Option<NetworkPhone>>;
}

impl Identity {
    /// The caller's own cards with their phones. Nobody learns here where another official is.
    pub async fn cards_of(&self, actor: &Actor, network: &dyn PhoneNetwork) -> Result<MyCards> {
        // The read is given back before the network is asked, which reads as well.
        let own = sims::of_official(self.db().read().await?.conn(), actor.official).await?;
        let mut cards = Vec::with_capacity(own.len());
        for card in own {
            let phone = network.phone(&card.imsi).await?.map(|phone| MyPhone {
                cell: format!("{:09x}", phone.cell),
                tac: phone.tac,
                since: phone.since,
                seen: phone.seen,
                equipment: phone.equipment,
            });
            cards.push(MyCard { sim: card.sim, status: card.status().into(), iccid: card.iccid, phone });
        }
        Ok(MyCards { cards })
    }
}

//! An official's own cards, and where the phones with them are: context for displays, never a proof.

use super::Identity;
use crate::error::Result;
use crate::store::sims;
use pakawaaz_base::Actor;
use pakawaaz_contract::identity::{MyCard, MyCards, MyPhone};

impl Identity {
    /// The caller's own cards with their phones. Nobody learns here where another official is.
    pub async fn cards_of(&self, actor: &Actor) -> Result<MyCards> {
        // The read is given back before the network is asked, which reads as well.
        let own = sims::of_official(self.db().read().await?.conn(), actor.official).await?;
        let mut cards = Vec::with_capacity(own.len());
        for card in own {
            let phone = self.phones().phone(&card.imsi).await?.map(|phone| MyPhone {
                cell: format!("{:09x}", phone.cell),
                place: phone.place,
                tac: phone.tac,
                area: phone.area,
                since: phone.since,
                seen: phone.seen,
                equipment: phone.equipment,
            });
            cards.push(MyCard { sim: card.sim, status: card.status().into(), iccid: card.iccid, phone });
        }
        Ok(MyCards { cards, network: self.phones().exists() })
    }
}

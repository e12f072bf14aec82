//! The phone behind whose address a login came from: shown, and an alarm when it does not fit. Proves nothing.

use super::Identity;
use crate::error::Result;
use crate::model::network::judge;
use crate::store::sessions;
use pakawaaz_base::DeviceId;
use pakawaaz_contract::identity::LoginNetwork;
use std::net::IpAddr;

impl Identity {
    /// What is known of the address that a login came from. None for an address that is no phone's.
    pub(super) async fn login_network(
        &self,
        device: DeviceId,
        address: Option<IpAddr>,
    ) -> Result<Option<LoginNetwork>> {
        let Some(address) = address else { return Ok(None) };
        // Cheap for every other address: the core knows its pools.
        let Some(seen) = self.phones().at(address.to_canonical()).await else { return Ok(None) };
        let card = self.card_of(device).await?;
        let before = sessions::last_equipment(self.db().read().await?.conn(), device, card.sim).await?;
        Ok(Some(judge(&card.imsi, seen, before.as_deref())))
    }
}

//! Which phone is where: context for alarms and displays. It proves nothing: an address is shared by whoever is behind the
//! phone, and a phone says of itself what it likes.

use super::{Cellular, read_imsi};
use crate::model::places;
use crate::store::PhoneRow;
use crate::{CellularError, store};
use pakawaaz_base::Millis;
use pakawaaz_contract::cellular::CellularNetwork;
use pakawaaz_contract::directory::BilingualName;
use std::net::{IpAddr, Ipv6Addr};

/// A registered phone, as the database last heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredPhone {
    /// Its card.
    pub imsi: String,
    /// The equipment it claims to be.
    pub pei: Option<String>,
    /// NR cell identity.
    pub cell: u64,
    /// The name of its place.
    pub place: Option<BilingualName>,
    /// Tracking area.
    pub tac: u32,
    /// The tracking area's name.
    pub area: Option<BilingualName>,
    /// Registered since.
    pub since: Millis,
    /// Last time that it was heard of from elsewhere.
    pub seen: Millis,
}

impl Cellular {
    /// The phone of a card, if it is registered. On every node, whether the core runs there or not.
    ///
    /// Errors: `BadImsi`, the database.
    pub async fn phone(&self, imsi: &str) -> Result<Option<RegisteredPhone>, CellularError> {
        let imsi = read_imsi(imsi)?;
        let row = store::phones::get(self.inner.db.read().await?.conn(), &imsi).await?;
        Ok(row.map(|row| phone(row, &self.decided().document)))
    }

    /// Whether there is a network at all: a core runs here, or somebody has decided what it is to be.
    pub fn exists(&self) -> bool {
        self.has_core() || self.decided().version > 0
    }

    /// The phone that has an address now.
    ///
    /// Errors: the database.
    pub async fn phone_by_address(&self, address: IpAddr) -> Result<Option<RegisteredPhone>, CellularError> {
        // Most addresses that are asked about are nobody's: of a browser at a desk.
        if !self.is_of_a_pool(address) {
            return Ok(None);
        }
        let (text, v4) = match address {
            IpAddr::V4(address) => (address.to_string(), true),
            // A phone has a whole /64.
            IpAddr::V6(address) => (Ipv6Addr::from(u128::from(address) >> 64 << 64).to_string(), false),
        };
        let row = store::phones::by_address(self.inner.db.read().await?.conn(), &text, v4).await?;
        Ok(row.map(|row| phone(row, &self.decided().document)))
    }

    fn is_of_a_pool(&self, address: IpAddr) -> bool {
        let decided = self.decided();
        let mut pools = decided.compiled.network.data_networks.iter().flat_map(|one| [one.ipv4_pool, one.ipv6_pool]);
        pools.any(|pool| pool.is_some_and(|pool| pool.contains(address)))
    }
}

fn phone(row: PhoneRow, document: &CellularNetwork) -> RegisteredPhone {
    let cell = u64::try_from(row.cell).unwrap_or_default();
    let tac = u32::try_from(row.tac).unwrap_or_default();
    RegisteredPhone {
        imsi: row.imsi.as_str().to_owned(),
        pei: row.pei,
        cell,
        place: places::of_cell(document, cell),
        tac,
        area: places::of_area(document, tac),
        since: row.registered_at,
        seen: row.seen_at,
    }
}

//! A service without a core, and shorthands.

use async_trait::async_trait;
use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, Assurance, DeviceId, Millis, OfficialId, Role, SessionId};
use pakawaaz_cellular::ports::{VaultRefusal, VaultRequest, WhoIs};
use pakawaaz_cellular::{Cellular, DrawnVector, HomeNetwork};
use pakawaaz_contract::cellular::{CellularNetwork, SetCellularNetworkRequest};
use pakawaaz_login::SealKey;
use pakawaaz_storage::{Db, Migration};
use std::sync::{Arc, LazyLock};

/// Both schemas.
pub static MIGRATIONS: LazyLock<Vec<Migration>> =
    LazyLock::new(|| [pakawaaz_audit::MIGRATIONS, pakawaaz_cellular::MIGRATIONS].concat());

/// A home network without a single card, which is not there when somebody asks whose concealed number ends with this.
struct Nobody;
pub const NOT_THERE: u8 = 0x99;

#[async_trait]
impl HomeNetwork for Nobody {
    async fn vector(&self, ask: VaultRequest) -> Result<DrawnVector, VaultRefusal> {
        match ask.who {
            WhoIs::Suci(suci) if suci.last() == Some(&NOT_THERE) => Err(VaultRefusal::Unavailable),
            _ => Err(VaultRefusal::Unknown),
        }
    }
}

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Millis(1_800_000_000_000)))
}

pub async fn service(db: &Db) -> Cellular {
    service_at(db, clock()).await
}

pub async fn service_at(db: &Db, clock: Arc<ManualClock>) -> Cellular {
    Cellular::start(db.clone(), clock, SealKey::new([7; 32]), Arc::new(Nobody)).await.unwrap()
}

pub fn actor(roles: &[Role]) -> Actor {
    Actor {
        official: OfficialId::from_bytes([1; 16]),
        device: DeviceId::from_bytes([2; 16]),
        session: SessionId::from_bytes([3; 16]),
        roles: roles.to_vec(),
        assurance: Assurance::SoftwareNative,
    }
}

pub fn administrator() -> Actor {
    actor(&[Role::Administrator])
}

/// The document in force, changed.
pub fn changed(cellular: &Cellular, change: impl FnOnce(&mut CellularNetwork)) -> SetCellularNetworkRequest {
    let state = cellular.network(&administrator()).unwrap();
    let mut network = state.network;
    change(&mut network);
    SetCellularNetworkRequest { version: state.version, network }
}

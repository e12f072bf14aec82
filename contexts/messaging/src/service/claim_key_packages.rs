//! Key packages of an official's devices, to add them to a group.

use super::Messaging;
use crate::MessagingError;
use crate::store::{cuts, inbox, key_packages};
use pakawaaz_base::{Actor, Bytes, DeviceId, Millis, OfficialId};
use pakawaaz_contract::frames::Notice;
use pakawaaz_contract::messaging::{ClaimedKeyPackage, ClaimedKeyPackages};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// With so few one-time key packages left, the device is told to publish more.
pub const LOW: u32 = 10;

/// One-time key packages of an official that one device gets from this node in an hour; after that, those of last
/// resort. Nobody uses up somebody else's alone, and nobody is kept from inviting anybody.
pub const CLAIMS: u32 = 20;
const WINDOW: Duration = Duration::from_secs(3600);
/// Counters kept at most.
const MAX_COUNTED: usize = 100_000;

/// How often a device has asked for an official's key packages lately.
#[derive(Default)]
pub(crate) struct Claims(Mutex<HashMap<(DeviceId, OfficialId), (Millis, u32)>>);

impl Claims {
    /// Counts a claim; whether it may have one-time key packages.
    fn count(&self, by: DeviceId, of: OfficialId, now: Millis) -> bool {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |since: &Millis| now.since(*since) < WINDOW;
        if counted.len() >= MAX_COUNTED {
            counted.retain(|_, (since, _)| recent(since));
            if counted.len() >= MAX_COUNTED {
                counted.clear();
            }
        }
        let (since, count) = counted.entry((by, of)).or_insert((now, 0));
        if !recent(since) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        *count <= CLAIMS
    }
}

impl Messaging {
    /// Takes one key package of each active device of `official` (never the caller's own device). A one-time package
    /// is handed out once, whatever happens at the same time. A device that asks too often gets those of last resort,
    /// except of its own official, whose every conversation a new device joins.
    pub async fn claim_key_packages(
        &self,
        actor: &Actor,
        official: OfficialId,
    ) -> Result<ClaimedKeyPackages, MessagingError> {
        let mut devices = self.inner.ports.devices.active_devices(official).await?;
        devices.retain(|device| *device != actor.device);
        devices.sort_unstable();
        let now = self.now();
        let one_time = official == actor.official || self.inner.claims.count(actor.device, official, now);
        let mut answer = ClaimedKeyPackages { key_packages: Vec::new(), without: Vec::new() };
        let mut low = Vec::new();
        let mut tx = self.inner.db.begin().await?;
        if cuts::is_cut(tx.conn(), actor.device).await? {
            return Err(MessagingError::DeviceCut);
        }
        for device in devices {
            if cuts::is_cut(tx.conn(), device).await? {
                continue;
            }
            let before = key_packages::available(tx.conn(), device, now).await?;
            match key_packages::claim(&mut tx, device, now, one_time).await? {
                Some(package) => {
                    let key_package = Bytes(package);
                    answer.key_packages.push(ClaimedKeyPackage { device, official, key_package });
                }
                None => answer.without.push(device),
            }
            // Told once when it becomes low and once when it runs out, not with every claim.
            let available = before.saturating_sub(1);
            if one_time && before > 0 && (available == LOW || available == 0) {
                inbox::put(tx.conn(), device, now, &Notice::KeyPackagesLow { available }).await?;
                low.push(device);
            }
        }
        tx.commit().await?;
        self.wake_inboxes(low);
        Ok(answer)
    }
}

//! Key packages of an official's devices, to add them to a group.

use super::Messaging;
use crate::MessagingError;
use crate::store::{cuts, inbox, key_packages};
use pakawaaz_base::{Actor, Bytes, OfficialId};
use pakawaaz_contract::frames::Notice;
use pakawaaz_contract::messaging::{ClaimedKeyPackage, ClaimedKeyPackages};

/// With so few one-time key packages left, the device is told to publish more.
pub const LOW: u32 = 10;

impl Messaging {
    /// Takes one key package of each active device of `official` (never the caller's own device). A one-time package
    /// is handed out once, whatever happens at the same time.
    pub async fn claim_key_packages(
        &self,
        actor: &Actor,
        official: OfficialId,
    ) -> Result<ClaimedKeyPackages, MessagingError> {
        let mut devices = self.inner.ports.devices.active_devices(official).await?;
        devices.retain(|device| *device != actor.device);
        devices.sort_unstable();
        let now = self.now();
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
            match key_packages::claim(&mut tx, device, now).await? {
                Some(package) => {
                    let key_package = Bytes(package);
                    answer.key_packages.push(ClaimedKeyPackage { device, official, key_package });
                }
                None => answer.without.push(device),
            }
            // Told once when it becomes low and once when it runs out, not with every claim.
            let available = before.saturating_sub(1);
            if before > 0 && (available == LOW || available == 0) {
                inbox::put(tx.conn(), device, now, &Notice::KeyPackagesLow { available }).await?;
                low.push(device);
            }
        }
        tx.commit().await?;
        self.wake_inboxes(low);
        Ok(answer)
    }
}

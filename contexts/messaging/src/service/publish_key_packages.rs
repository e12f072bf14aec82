//! Key packages of the caller's own device.

use super::Messaging;
use crate::MessagingError;
use crate::model::key_package::validate;
use crate::store::key_packages::{self, Package};
use crate::store::{cuts, inbox};
use pakawaaz_base::Actor;
use pakawaaz_contract::frames::Notice;
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_contract::messaging::{KeyPackageCount, PublishKeyPackagesRequest};

/// Most key packages in one request.
pub const MAX_PUBLISH: usize = 100;
/// Most one-time key packages stored for a device.
pub const MAX_STORED: u32 = 200;
/// Largest key package in bytes (a hybrid one with its certificates has about 4 kB).
const MAX_PACKAGE: usize = 16 * 1024;

impl Messaging {
    /// Stores validated key packages and returns how many one-time ones there are. One that is stored already, or
    /// was handed out before, is passed over.
    ///
    /// Errors: `messaging.bad_key_package` (nothing is stored then), `messaging.too_many_key_packages`,
    /// `messaging.device_not_active`.
    pub async fn publish_key_packages(
        &self,
        actor: &Actor,
        request: PublishKeyPackagesRequest,
    ) -> Result<KeyPackageCount, MessagingError> {
        if request.key_packages.len() > MAX_PUBLISH {
            return Err(MessagingError::TooManyKeyPackages);
        }
        let all = request.key_packages.iter().chain(&request.last_resort);
        if all.clone().any(|p| p.len() > MAX_PACKAGE) {
            return Err(MessagingError::TooLarge);
        }
        let standing = self.inner.ports.devices.standings(&[actor.device]).await?;
        if !standing.iter().any(|s| s.device == actor.device && s.status == DeviceStatus::Active) {
            return Err(MessagingError::DeviceNotActive);
        }
        let now = self.now();
        let owner = (actor.device, actor.official);
        let packages = self
            .inner
            .blocking(move |inner| {
                let check = inner.leaf_check(now);
                let one_time = request.key_packages.into_iter().map(|bytes| (bytes, false));
                let last = request.last_resort.into_iter().map(|bytes| (bytes, true));
                one_time
                    .chain(last)
                    .map(|(bytes, last_resort)| {
                        let not_after = validate(&bytes, &inner.crypto, &check, owner, last_resort, now)?;
                        Ok(Package { device: owner.0, official: owner.1, last_resort, not_after, bytes: bytes.0 })
                    })
                    .collect::<Result<Vec<_>, MessagingError>>()
            })
            .await?;

        let mut siblings = self.inner.ports.devices.active_devices(actor.official).await?;
        siblings.retain(|device| *device != actor.device);
        let mut tx = self.inner.db.begin().await?;
        if cuts::is_cut(tx.conn(), actor.device).await? {
            return Err(MessagingError::DeviceCut);
        }
        let before = key_packages::available(tx.conn(), actor.device, now).await?;
        for package in &packages {
            key_packages::put(tx.conn(), package, now).await?;
        }
        let available = key_packages::available(tx.conn(), actor.device, now).await?;
        if available > MAX_STORED {
            return Err(MessagingError::TooManyKeyPackages);
        }
        let reachable = before == 0 && available > 0;
        if reachable {
            // From now on the official's other devices can add this one to their conversations.
            let status = DeviceStatus::Active;
            let notice = Notice::Device { device: actor.device, official: actor.official, status };
            for sibling in &siblings {
                inbox::put(tx.conn(), *sibling, now, &notice).await?;
            }
        }
        tx.commit().await?;
        if reachable {
            siblings.iter().for_each(|sibling| self.inner.ports.hub.wake(*sibling));
        }
        Ok(KeyPackageCount { available })
    }
}

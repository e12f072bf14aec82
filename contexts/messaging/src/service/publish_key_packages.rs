//! Key packages of the caller's own device.

use super::Messaging;
use crate::MessagingError;
use crate::model::key_package::validate;
use crate::store::cuts;
use crate::store::key_packages::{self, Package};
use pakawaaz_base::Actor;
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

        let mut tx = self.inner.db.begin().await?;
        if cuts::is_cut(tx.conn(), actor.device).await? {
            return Err(MessagingError::DeviceCut);
        }
        for package in &packages {
            key_packages::put(tx.conn(), package, now).await?;
        }
        let available = key_packages::available(tx.conn(), actor.device, now).await?;
        if available > MAX_STORED {
            return Err(MessagingError::TooManyKeyPackages);
        }
        tx.commit().await?;
        Ok(KeyPackageCount { available })
    }
}

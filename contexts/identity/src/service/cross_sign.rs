//! A device vouches for a new one of the same official, which becomes active by it.

use super::Identity;
use super::cut::{Cut, activated};
use crate::error::{Error, Result};
use crate::store::{accounts, devices, roles};
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Actor, DeviceId};
use pakawaaz_contract::identity::{CrossSignRequest, DeviceStatus};
use pakawaaz_trust::{Signed, verify_binding, verify_cross_signature};

impl Identity {
    /// Activates `id` by the caller's statement. Repeating it changes nothing.
    pub async fn cross_sign(&self, actor: &Actor, id: DeviceId, request: &CrossSignRequest) -> Result<()> {
        let now = self.now();
        let signed = Signed::from_bytes(&request.statement)?;
        let mut tx = self.db().begin().await?;
        // Somebody else's device is told apart from none at all to nobody.
        let device = devices::get(tx.conn(), id).await?.filter(|d| d.official == actor.official);
        let device = device.ok_or(Error::NotFound("device"))?;
        let binding =
            verify_binding(&Signed::from_bytes(&device.grant)?, &Signed::from_bytes(&device.binding)?, self.anchors())?;
        let signers = roles::signers(tx.conn(), [actor.device]).await?;
        let cross = verify_cross_signature(&signed, &binding, &signers, self.anchors())?;
        if cross.by != actor.device || cross.device != id {
            return Err(Error::Forbidden);
        }
        if cross.at > now.plus(pakawaaz_trust::x509::CLOCK_SKEW) {
            return Err(Error::ClockSkew);
        }
        match device.status {
            DeviceStatus::Pending => {}
            DeviceStatus::Active => return Ok(()),
            DeviceStatus::Suspended | DeviceStatus::Revoked => return Err(Error::Conflict("device")),
        }
        if !devices::activate(tx.conn(), id, &signed.to_bytes()?).await? {
            return Err(Error::Conflict("device"));
        }
        let usable = accounts::get(tx.conn(), device.official).await?.is_some_and(|a| a.usable());
        if usable && !device.suspended {
            activated(&mut tx, &device, now)?;
        }
        let detail = serde_json::json!({ "official": actor.official });
        self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.device_cross_signed", id.to_string(), detail, now)
            .await?;
        let mut cut = Cut::default();
        cut.roles(device.official);
        cut.commit(self, tx, now).await
    }
}

//! An official revokes one of their own devices from another one.

use super::Identity;
use super::cut::Cut;
use crate::error::{Error, Result};
use crate::store::{devices, roles};
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Actor, DeviceId};
use pakawaaz_contract::identity::RevokeDeviceRequest;
use pakawaaz_trust::{Signed, Subject, verify_revocation};

impl Identity {
    /// Revokes `id` by the caller's signed statement, for good.
    pub async fn revoke_own_device(&self, actor: &Actor, id: DeviceId, request: &RevokeDeviceRequest) -> Result<()> {
        let now = self.now();
        let signed = Signed::from_bytes(&request.statement)?;
        let mut tx = self.db().begin().await?;
        let device = devices::get(tx.conn(), id).await?.filter(|d| d.official == actor.official);
        device.ok_or(Error::NotFound("device"))?;
        let signers = roles::signers(tx.conn(), [actor.device, id]).await?;
        let revocation = verify_revocation(&signed, &signers, self.anchors())?;
        let by_caller = signed.device_signers().eq([actor.device]);
        if revocation.subject != Subject::Device(id) || !by_caller {
            return Err(Error::Forbidden);
        }
        let mut cut = Cut::default();
        self.revoke_with_statement(&mut tx, &mut cut, &revocation, &signed.to_bytes()?, now).await?;
        let detail = serde_json::json!({ "official": actor.official, "reason": revocation.reason });
        self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.device_revoked", id.to_string(), detail, now)
            .await?;
        cut.commit(self, tx, now).await
    }
}

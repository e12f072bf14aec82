//! The official's own devices and those of others.

use crate::views::DeviceView;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{DeviceId, OfficialId};
use pakawaaz_contract::identity::{CrossSignRequest, DeviceRecord, DeviceStatus, RevokeDeviceRequest};
use pakawaaz_trust::x509::DeviceCertificate;
use pakawaaz_trust::{
    AdminLookup as _, CrossSignature, DeviceBinding, DeviceEvidence, Revocation, Signed, Statement, Subject,
    short_code, verify_binding,
};
use rand_core::RngCore as _;
use subtle::ConstantTimeEq as _;

fn digits(code: &str) -> String {
    code.chars().filter(char::is_ascii_digit).collect()
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Devices of `official` (none: this official's own), verified as far as possible.
    ///
    /// # Errors
    /// Transport errors, [`ClientError::Refused`].
    pub async fn devices(&self, official: Option<OfficialId>) -> Result<Vec<DeviceView>, ClientError> {
        let profile = self.profile().await?;
        let official = official.unwrap_or(profile.official);
        let list = self.device_list(official).await?;
        let judge = self.admit(self.judge().await?, list.devices.clone()).await?;
        let view = |record: DeviceRecord| {
            let key = DeviceCertificate::parse(&record.device_certificate).map(|c| c.key);
            let verified = match (judge.known.device(record.device), &key) {
                (Some(known), Ok(key)) => known.official == official && known.key == *key,
                _ => false,
            };
            DeviceView {
                device: record.device,
                official,
                status: record.status,
                label: record.label,
                assurance: record.assurance,
                enrolled_at: record.enrolled_at,
                last_seen_at: record.last_seen_at,
                network: record.network,
                this_device: record.device == profile.device,
                verified,
                fingerprint: key.map(|k| short_code(&profile.anchors.realm, official, &k)).unwrap_or_default(),
            }
        };
        Ok(list.devices.into_iter().map(view).collect())
    }

    async fn waiting(&self, device: DeviceId) -> Result<DeviceBinding, ClientError> {
        let profile = self.profile().await?;
        let list = self.device_list(profile.official).await?;
        let record = list.devices.into_iter().find(|d| d.device == device).ok_or(ClientError::NoSuchDevice)?;
        if record.status != DeviceStatus::Pending {
            return Err(ClientError::NoSuchDevice);
        }
        let evidence = DeviceEvidence::from_bytes(&record.evidence)?;
        let binding = verify_binding(&evidence.grant, &evidence.binding, &profile.anchors)?;
        // The binding must be about the device that was asked for, not another one of the server's choice.
        if binding.device != device || binding.official != profile.official {
            return Err(ClientError::Trust(pakawaaz_trust::TrustError::Mismatch));
        }
        Ok(binding)
    }

    /// The code of a waiting device: shown on both screens and compared by the official before approving.
    ///
    /// # Errors
    /// [`ClientError::NoSuchDevice`].
    pub async fn device_code(&self, device: DeviceId) -> Result<String, ClientError> {
        let binding = self.waiting(device).await?;
        Ok(short_code(&binding.realm, binding.official, &binding.device_key))
    }

    /// Cross-signs a waiting device of this official, then adds it to every conversation. `code` is what the waiting
    /// device shows (spaces do not matter).
    ///
    /// # Errors
    /// [`ClientError::CodeMismatch`] when the server showed another key than the device has.
    pub async fn approve_device(&self, device: DeviceId, code: &str) -> Result<(), ClientError> {
        let profile = self.profile().await?;
        let binding = self.waiting(device).await?;
        let ours = digits(&short_code(&binding.realm, binding.official, &binding.device_key));
        if !bool::from(ours.as_bytes().ct_eq(digits(code).as_bytes())) {
            return Err(ClientError::CodeMismatch);
        }
        let mut signed = Signed::new(&Statement::CrossSignature(CrossSignature {
            realm: binding.realm,
            official: binding.official,
            device,
            device_key: binding.device_key,
            by: profile.device,
            at: self.server_now(),
        }))?;
        signed.sign_device(profile.device, &profile.signer()?)?;
        let body = CrossSignRequest { statement: signed.to_bytes()?.into() };
        self.post_empty(&format!("/v1/devices/{device}/cross-sign"), &body).await?;
        // It has no key packages before it connects; the server then tells this device, which adds it everywhere.
        self.add_own_device(device).await
    }

    /// Revokes another device of this official with a signed statement.
    ///
    /// # Errors
    /// [`ClientError::NoSuchDevice`], [`ClientError::Refused`].
    pub async fn revoke_device(&self, device: DeviceId, reason: u8) -> Result<(), ClientError> {
        let profile = self.profile().await?;
        if device == profile.device {
            return Err(ClientError::NoSuchDevice);
        }
        let mut id = [0u8; 16];
        self.db.rng().fill_bytes(&mut id);
        let mut signed = Signed::new(&Statement::Revocation(Revocation {
            realm: profile.anchors.realm.clone(),
            id,
            subject: Subject::Device(device),
            at: self.server_now(),
            reason,
        }))?;
        signed.sign_device(profile.device, &profile.signer()?)?;
        let body = RevokeDeviceRequest { statement: signed.to_bytes()?.into() };
        self.post_empty(&format!("/v1/devices/{device}/revoke"), &body).await
    }
}

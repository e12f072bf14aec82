//! Devices as clients and other contexts see them.

use super::Identity;
use crate::error::{Error, Result};
use crate::model::device::Device;
use crate::store::{accounts, devices, sessions};
use pakawaaz_base::{Actor, Assurance, Bytes, DeviceId, Millis, OfficialId};
use pakawaaz_contract::identity::{DeviceList, DeviceRecord, Me};
use pakawaaz_trust::{DeviceEvidence, Signed};

/// What other contexts may know of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveDevice {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// P-256 key, SEC1 uncompressed (65 bytes).
    pub key: [u8; 65],
    /// Recorded at enrolment.
    pub assurance: Assurance,
    /// Whether it may be a leaf now: active, not suspended, nor its official.
    pub active: bool,
    /// `trust::Signed` revocation, if any.
    pub revocation: Option<Bytes>,
}

impl Identity {
    /// Every device of an official with its evidence. What concerns only the official is told only to them.
    pub async fn devices_of(&self, actor: &Actor, official: OfficialId) -> Result<DeviceList> {
        let mut read = self.db().read().await?;
        let account = accounts::get(read.conn(), official).await?.ok_or(Error::NotFound("official"))?;
        let own = actor.official == official;
        let devices = devices::of_official(read.conn(), official).await?;
        // Newest first; what is said is of each device's newest.
        let open = if own { sessions::open_of(read.conn(), official, self.now()).await? } else { Vec::new() };
        let network = |d: &Device| open.iter().find(|s| s.device == d.device).and_then(|s| s.network.clone());
        let record =
            |d: &Device| Ok::<_, Error>(DeviceRecord { network: network(d), ..record(d, own, account.suspended)? });
        Ok(DeviceList { devices: devices.iter().map(record).collect::<Result<_>>()? })
    }

    /// One device with its evidence, by id: how a client finds the administrators who signed somebody's grant.
    pub async fn device_record(&self, actor: &Actor, id: DeviceId) -> Result<DeviceRecord> {
        let mut read = self.db().read().await?;
        let device = devices::get(read.conn(), id).await?.ok_or(Error::NotFound("device"))?;
        let suspended = accounts::get(read.conn(), device.official).await?.is_some_and(|a| a.suspended);
        record(&device, actor.official == device.official, suspended)
    }

    /// The caller.
    pub async fn me(&self, actor: &Actor) -> Result<Me> {
        let mut read = self.db().read().await?;
        let account = accounts::get(read.conn(), actor.official).await?.ok_or(Error::SessionEnded)?;
        let device = devices::get(read.conn(), actor.device).await?.ok_or(Error::SessionEnded)?;
        let session = sessions::get(read.conn(), actor.session).await?.ok_or(Error::SessionEnded)?;
        Ok(Me {
            official: actor.official,
            username: account.username,
            device: actor.device,
            roles: actor.roles.clone(),
            assurance: actor.assurance,
            session: actor.session,
            authenticated_at: session.authenticated_at,
            status: device.shown_status(),
        })
    }

    /// For other contexts: the devices of an official that may be leaves now.
    pub async fn active_devices(&self, official: OfficialId) -> Result<Vec<ActiveDevice>> {
        let mut read = self.db().read().await?;
        let Some(account) = accounts::get(read.conn(), official).await? else { return Ok(Vec::new()) };
        let devices = devices::of_official(read.conn(), official).await?;
        let all = devices.iter().map(|d| active_device(d, account.usable())).collect::<Result<Vec<_>>>()?;
        Ok(all.into_iter().filter(|d| d.active).collect())
    }

    /// For other contexts: one device, in whatever state.
    pub async fn device(&self, id: DeviceId) -> Result<Option<ActiveDevice>> {
        let mut read = self.db().read().await?;
        let Some(device) = devices::get(read.conn(), id).await? else { return Ok(None) };
        let usable = accounts::get(read.conn(), device.official).await?.is_some_and(|a| a.usable());
        active_device(&device, usable).map(Some)
    }

    /// For other contexts: the signed statement that revoked a device (its own or its official's).
    pub async fn revocation_statement(&self, id: DeviceId) -> Result<Option<Bytes>> {
        let mut read = self.db().read().await?;
        Ok(devices::get(read.conn(), id).await?.and_then(|d| d.revocation).map(Bytes))
    }
}

fn active_device(d: &Device, account_usable: bool) -> Result<ActiveDevice> {
    Ok(ActiveDevice {
        device: d.device,
        official: d.official,
        key: d.key.as_slice().try_into().map_err(|_| Error::Damaged("device key"))?,
        assurance: d.assurance,
        active: account_usable && d.active(),
        revocation: d.revocation.clone().map(Bytes),
    })
}

fn record(d: &Device, own: bool, official_suspended: bool) -> Result<DeviceRecord> {
    use pakawaaz_contract::identity::DeviceStatus;
    let evidence = DeviceEvidence {
        grant: Signed::from_bytes(&d.grant)?,
        binding: Signed::from_bytes(&d.binding)?,
        cross: d.cross.as_deref().map(Signed::from_bytes).transpose()?,
        certificate: Bytes(d.certificate.clone()),
    };
    let status = match d.shown_status() {
        DeviceStatus::Revoked => DeviceStatus::Revoked,
        _ if official_suspended => DeviceStatus::Suspended,
        status => status,
    };
    Ok(DeviceRecord {
        device: d.device,
        official: d.official,
        status,
        label: own.then(|| d.label.clone()),
        assurance: d.assurance,
        enrolled_at: d.enrolled_at,
        last_seen_at: own.then_some(d.last_seen_at).filter(|at| *at > Millis(0)),
        network: None,
        device_certificate: Bytes(d.certificate.clone()),
        evidence: Bytes(evidence.to_bytes()?),
        revocation: d.revocation.clone().map(Bytes),
    })
}

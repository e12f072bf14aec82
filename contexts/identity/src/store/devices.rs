//! `identity_devices`.

use super::{damaged, flag, id, millis};
use crate::model::device::{
    Device, assurance_from_text, assurance_text, channel_from_text, channel_text, status_from_text, status_text,
};
use pakawaaz_base::{DeviceId, Millis, OfficialId, SimId};
use pakawaaz_storage::{Engine, Result};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

const COLUMNS: &str = "device, official, sim, device_key, status, suspended, assurance, channel, label, grant_signed, \
     binding_signed, cross_signed, attestation, mls_key, mls_key_signature, device_certificate, certificate_ends_at, \
     revocation, enrolled_at, last_seen_at";

fn device(row: &AnyRow) -> Result<Device> {
    let text = |column: &str| row.try_get::<String, _>(column);
    Ok(Device {
        device: id(row, "device", DeviceId::from_slice)?,
        official: id(row, "official", OfficialId::from_slice)?,
        sim: id(row, "sim", SimId::from_slice)?,
        key: row.try_get("device_key")?,
        status: status_from_text(&text("status")?).ok_or_else(damaged)?,
        suspended: flag(row, "suspended")?,
        assurance: assurance_from_text(&text("assurance")?).ok_or_else(damaged)?,
        channel: channel_from_text(&text("channel")?).ok_or_else(damaged)?,
        label: text("label")?,
        grant: row.try_get("grant_signed")?,
        binding: row.try_get("binding_signed")?,
        cross: row.try_get("cross_signed")?,
        attestation: row.try_get("attestation")?,
        mls_key: row.try_get("mls_key")?,
        mls_key_signature: row.try_get("mls_key_signature")?,
        certificate: row.try_get("device_certificate")?,
        certificate_ends_at: millis(row, "certificate_ends_at")?,
        revocation: row.try_get("revocation")?,
        enrolled_at: millis(row, "enrolled_at")?,
        last_seen_at: millis(row, "last_seen_at")?,
    })
}

/// Adds a device. `false` when its id or key exists already.
pub async fn insert(conn: &mut AnyConnection, d: &Device) -> Result<bool> {
    let done = sqlx::query(sqlx::AssertSqlSafe(format!(
        "INSERT INTO identity_devices ({COLUMNS})
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
         ON CONFLICT DO NOTHING"
    )))
    .bind(d.device.to_vec())
    .bind(d.official.to_vec())
    .bind(d.sim.to_vec())
    .bind(d.key.clone())
    .bind(status_text(d.status))
    .bind(i64::from(d.suspended))
    .bind(assurance_text(d.assurance))
    .bind(channel_text(d.channel))
    .bind(d.label.clone())
    .bind(d.grant.clone())
    .bind(d.binding.clone())
    .bind(d.cross.clone())
    .bind(d.attestation.clone())
    .bind(d.mls_key.clone())
    .bind(d.mls_key_signature.clone())
    .bind(d.certificate.clone())
    .bind(d.certificate_ends_at.as_i64())
    .bind(d.revocation.clone())
    .bind(d.enrolled_at.as_i64())
    .bind(d.last_seen_at.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// One device.
pub async fn get(conn: &mut AnyConnection, id: DeviceId) -> Result<Option<Device>> {
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_devices WHERE device = $1")))
        .bind(id.to_vec())
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(device)
        .transpose()
}

/// One device, and nobody else changes it until the transaction ends.
pub async fn get_for_update(conn: &mut AnyConnection, engine: Engine, id: DeviceId) -> Result<Option<Device>> {
    let lock = engine.pick("", " FOR UPDATE");
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_devices WHERE device = $1{lock}")))
        .bind(id.to_vec())
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(device)
        .transpose()
}

/// All devices of an official, newest last.
pub async fn of_official(conn: &mut AnyConnection, official: OfficialId) -> Result<Vec<Device>> {
    sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM identity_devices WHERE official = $1 ORDER BY enrolled_at, device"
    )))
    .bind(official.to_vec())
    .fetch_all(conn)
    .await?
    .iter()
    .map(device)
    .collect()
}

/// Stores the cross-signature and activates. `false` unless the device was pending.
pub async fn activate(conn: &mut AnyConnection, id: DeviceId, cross: &[u8]) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE identity_devices SET status = 'active', cross_signed = $2 WHERE device = $1 AND status = 'pending'",
    )
    .bind(id.to_vec())
    .bind(cross.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes for good. `false` when it was revoked already or does not exist.
pub async fn revoke(conn: &mut AnyConnection, id: DeviceId, statement: &[u8]) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE identity_devices SET status = 'revoked', revocation = $2 WHERE device = $1 AND status <> 'revoked'",
    )
    .bind(id.to_vec())
    .bind(statement.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Whether the row changed.
pub async fn set_suspended(conn: &mut AnyConnection, id: DeviceId, suspended: bool) -> Result<bool> {
    let done = sqlx::query("UPDATE identity_devices SET suspended = $2 WHERE device = $1 AND suspended <> $2")
        .bind(id.to_vec())
        .bind(i64::from(suspended))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// A renewed MLS key, and the device certificate where it was renewed too.
pub async fn set_certificates(conn: &mut AnyConnection, d: &Device) -> Result<()> {
    sqlx::query(
        "UPDATE identity_devices SET mls_key = $2, mls_key_signature = $3, device_certificate = $4,
             certificate_ends_at = $5 WHERE device = $1",
    )
    .bind(d.device.to_vec())
    .bind(d.mls_key.clone())
    .bind(d.mls_key_signature.clone())
    .bind(d.certificate.clone())
    .bind(d.certificate_ends_at.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// The device opened or renewed a session.
pub async fn seen(conn: &mut AnyConnection, id: DeviceId, now: Millis) -> Result<()> {
    sqlx::query("UPDATE identity_devices SET last_seen_at = $2 WHERE device = $1")
        .bind(id.to_vec())
        .bind(now.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

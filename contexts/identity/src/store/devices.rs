//! `identity_devices`.

use super::{damaged, flag, id, millis, padded, select_all};
use crate::model::device::{
    Device, Standing, assurance_from_text, assurance_text, channel_from_text, channel_text, status_from_text,
    status_text,
};
use pakawaaz_base::{DeviceId, Millis, OfficialId, SimId};
use pakawaaz_storage::{Result, values};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &str = "device, official, sim, device_key, status, suspended, assurance, channel, label, grant_signed, \
     binding_signed, cross_signed, attestation, mls_key, mls_key_signature, device_certificate, certificate_ends_at, \
     revocation, enrolled_at, last_seen_at";
/// Columns of [`standing`], under names of their own.
pub const STANDING: &str = "device AS d_device, identity_devices.official AS d_official, sim AS d_sim, \
     device_key AS d_key, status AS d_status, identity_devices.suspended AS d_suspended, assurance AS d_assurance, \
     channel AS d_channel";

/// A row of [`STANDING`].
pub fn standing(row: &AnyRow) -> Result<Standing> {
    let text = |column: &str| row.try_get::<String, _>(column);
    Ok(Standing {
        device: id(row, "d_device", DeviceId::from_slice)?,
        official: id(row, "d_official", OfficialId::from_slice)?,
        sim: id(row, "d_sim", SimId::from_slice)?,
        key: row.try_get("d_key")?,
        status: status_from_text(&text("d_status")?).ok_or_else(damaged)?,
        suspended: flag(row, "d_suspended")?,
        assurance: assurance_from_text(&text("d_assurance")?).ok_or_else(damaged)?,
        channel: channel_from_text(&text("d_channel")?).ok_or_else(damaged)?,
    })
}

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
    let done = sqlx::query(AssertSqlSafe(format!(
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
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_devices WHERE device = $1")))
        .bind(id.to_vec())
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(device)
        .transpose()
}

/// Those of `ids` that exist; nobody else changes them until the transaction ends.
pub async fn lock_all(conn: &mut AnyConnection, ids: &BTreeSet<DeviceId>) -> Result<BTreeMap<DeviceId, Standing>> {
    let from = (STANDING, "identity_devices", "device");
    let rows = select_all(conn, from, ids.iter().map(DeviceId::as_bytes), true).await?;
    rows.iter().map(|row| standing(row).map(|standing| (standing.device, standing))).collect()
}

/// All devices of an official, newest last.
pub async fn of_official(conn: &mut AnyConnection, official: OfficialId) -> Result<Vec<Device>> {
    sqlx::query(AssertSqlSafe(format!(
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

/// When these devices opened or renewed a session.
pub async fn seen_all(conn: &mut AnyConnection, seen: &[(DeviceId, Millis)]) -> Result<()> {
    if seen.is_empty() {
        return Ok(());
    }
    let seen = padded(seen);
    let mut query = sqlx::query(AssertSqlSafe(seen_sql(&values(conn, seen.len(), 2))));
    for (device, now) in seen {
        query = query.bind(device.to_vec()).bind(now.as_i64());
    }
    query.execute(conn).await?;
    Ok(())
}

pub(super) fn seen_sql(values: &str) -> String {
    format!(
        "WITH w (device, at) AS (VALUES {values})
         UPDATE identity_devices SET last_seen_at = w.at
         FROM w WHERE identity_devices.device = COALESCE(w.device, NULL)"
    )
}

//! Tables `messaging_key_package` and `messaging_key_package_used`.

use super::Result;
use pakawaaz_base::{DeviceId, Millis, OfficialId};
use pakawaaz_storage::Tx;
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;

/// A validated key package.
#[derive(Clone, Debug)]
pub struct Package {
    pub device: DeviceId,
    pub official: OfficialId,
    pub last_resort: bool,
    pub not_after: Millis,
    pub bytes: Vec<u8>,
}

fn reference(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// Stores a package. One that is stored already stays; one that was handed out before is not stored again.
pub async fn put(conn: &mut AnyConnection, package: &Package, now: Millis) -> Result<()> {
    let reference = reference(&package.bytes);
    if package.last_resort {
        sqlx::query("DELETE FROM messaging_key_package WHERE device = $1 AND last_resort = 1 AND reference <> $2")
            .bind(package.device.to_vec())
            .bind(reference.clone())
            .execute(&mut *conn)
            .await?;
    }
    let used: Option<(i64,)> = sqlx::query_as("SELECT not_after FROM messaging_key_package_used WHERE reference = $1")
        .bind(reference.clone())
        .fetch_optional(&mut *conn)
        .await?;
    if used.is_some() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO messaging_key_package (reference, device, official, last_resort, not_after, created_at, package)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (reference) DO NOTHING",
    )
    .bind(reference)
    .bind(package.device.to_vec())
    .bind(package.official.to_vec())
    .bind(i64::from(package.last_resort))
    .bind(package.not_after.as_i64())
    .bind(now.as_i64())
    .bind(package.bytes.clone())
    .execute(conn)
    .await?;
    Ok(())
}

/// One-time packages left.
pub async fn available(conn: &mut AnyConnection, device: DeviceId, now: Millis) -> Result<u32> {
    let (count,): (i64,) = sqlx::query_as(
        "SELECT COUNT(*) FROM messaging_key_package WHERE device = $1 AND last_resort = 0 AND not_after > $2",
    )
    .bind(device.to_vec())
    .bind(now.as_i64())
    .fetch_one(conn)
    .await?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Takes a one-time package out for good, if there is one and it is allowed; else reads the one of last resort.
pub async fn claim(tx: &mut Tx, device: DeviceId, now: Millis, one_time: bool) -> Result<Option<Vec<u8>>> {
    let taken = if one_time { take(tx, device, now).await? } else { None };
    if taken.is_some() {
        return Ok(taken);
    }
    let last: Option<(Vec<u8>,)> = sqlx::query_as(
        "SELECT package FROM messaging_key_package WHERE device = $1 AND last_resort = 1 AND not_after > $2",
    )
    .bind(device.to_vec())
    .bind(now.as_i64())
    .fetch_optional(tx.conn())
    .await?;
    Ok(last.map(|(package,)| package))
}

async fn take(tx: &mut Tx, device: DeviceId, now: Millis) -> Result<Option<Vec<u8>>> {
    // Two claims at once must not choose the same row: on PostgreSQL the second one skips it, SQLite has one writer.
    let take = tx.engine().pick(
        "DELETE FROM messaging_key_package WHERE reference = (
             SELECT reference FROM messaging_key_package WHERE device = $1 AND last_resort = 0 AND not_after > $2
             ORDER BY created_at, reference LIMIT 1)
         RETURNING reference, not_after, package",
        "DELETE FROM messaging_key_package WHERE reference = (
             SELECT reference FROM messaging_key_package WHERE device = $1 AND last_resort = 0 AND not_after > $2
             ORDER BY created_at, reference LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING reference, not_after, package",
    );
    let taken: Option<(Vec<u8>, i64, Vec<u8>)> =
        sqlx::query_as(take).bind(device.to_vec()).bind(now.as_i64()).fetch_optional(tx.conn()).await?;
    if let Some((reference, not_after, package)) = taken {
        sqlx::query(
            "INSERT INTO messaging_key_package_used (reference, not_after) VALUES ($1, $2)
             ON CONFLICT (reference) DO NOTHING",
        )
        .bind(reference)
        .bind(not_after)
        .execute(tx.conn())
        .await?;
        return Ok(Some(package));
    }
    Ok(None)
}

/// Forgets a device's packages.
pub async fn remove_of(conn: &mut AnyConnection, device: DeviceId) -> Result<()> {
    sqlx::query("DELETE FROM messaging_key_package WHERE device = $1").bind(device.to_vec()).execute(conn).await?;
    Ok(())
}

/// Forgets what has expired.
pub async fn prune(conn: &mut AnyConnection, now: Millis) -> Result<u64> {
    let packages = sqlx::query("DELETE FROM messaging_key_package WHERE not_after <= $1")
        .bind(now.as_i64())
        .execute(&mut *conn)
        .await?;
    let used = sqlx::query("DELETE FROM messaging_key_package_used WHERE not_after <= $1")
        .bind(now.as_i64())
        .execute(conn)
        .await?;
    Ok(packages.rows_affected() + used.rows_affected())
}

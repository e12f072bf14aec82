//! Tables `messaging_device` and `messaging_inbox`.

use super::Result;
use pakawaaz_base::{DeviceId, Millis};
use pakawaaz_contract::frames::Notice;
use pakawaaz_storage::StorageError;
use sqlx::AnyConnection;

/// Puts a notice into a device's inbox. With several devices in one transaction, go in the order of their ids.
pub async fn put(conn: &mut AnyConnection, device: DeviceId, at: Millis, notice: &Notice) -> Result<()> {
    let (position,): (i64,) = sqlx::query_as(
        "INSERT INTO messaging_device (device, inbox_head, inbox_acked) VALUES ($1, 1, 0)
         ON CONFLICT (device) DO UPDATE SET inbox_head = messaging_device.inbox_head + 1 RETURNING inbox_head",
    )
    .bind(device.to_vec())
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query("INSERT INTO messaging_inbox (device, position, at, notice) VALUES ($1, $2, $3, $4)")
        .bind(device.to_vec())
        .bind(position)
        .bind(at.as_i64())
        .bind(notice.encode())
        .execute(conn)
        .await?;
    Ok(())
}

/// Bytes of notices read at once: Welcomes of large groups must not fill the memory of a node.
pub const PAGE_BYTES: i64 = 1024 * 1024;

/// Notices above `after`, in order: at most `limit` of them, and no more than about [`PAGE_BYTES`] unless the first
/// alone is larger.
pub async fn page(
    conn: &mut AnyConnection,
    device: DeviceId,
    after: u64,
    limit: u32,
) -> Result<Vec<(u64, Millis, Notice)>> {
    let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT position, at, notice FROM messaging_inbox
         WHERE device = $1 AND position > $2 AND position <= (
             SELECT COALESCE(MAX(CASE WHEN total <= $4 OR first_row = 1 THEN position END), 0) FROM (
                 SELECT position, SUM(size) OVER (ORDER BY position) AS total,
                        ROW_NUMBER() OVER (ORDER BY position) AS first_row FROM (
                     SELECT position, LENGTH(notice) AS size FROM messaging_inbox
                     WHERE device = $1 AND position > $2 ORDER BY position LIMIT $3) first
                 ) sized)
         ORDER BY position LIMIT $3",
    )
    .bind(device.to_vec())
    .bind(after.min(i64::MAX as u64) as i64)
    .bind(i64::from(limit))
    .bind(PAGE_BYTES)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(position, at, notice)| {
            let notice = Notice::decode(&notice).map_err(|_| StorageError::internal("notice"))?;
            Ok((position as u64, Millis(at), notice))
        })
        .collect()
}

/// What a socket needs to know of its device before the first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Its traffic is refused.
    pub cut: bool,
    /// The newest notice.
    pub head: u64,
    /// How far it has acknowledged.
    pub acked: u64,
    /// One-time key packages left.
    pub key_packages: u32,
}

/// All of it in one statement: after a restart every device of a node asks at once.
pub async fn arrival(conn: &mut AnyConnection, device: DeviceId, now: Millis) -> Result<Arrival> {
    let (cut, head, acked, key_packages): (i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT COUNT(*) FROM messaging_cut WHERE device = $1),
                COALESCE((SELECT inbox_head FROM messaging_device WHERE device = $1), 0),
                COALESCE((SELECT inbox_acked FROM messaging_device WHERE device = $1), 0),
                (SELECT COUNT(*) FROM messaging_key_package
                 WHERE device = $1 AND last_resort = 0 AND not_after > $2)",
    )
    .bind(device.to_vec())
    .bind(now.as_i64())
    .fetch_one(conn)
    .await?;
    Ok(Arrival {
        cut: cut > 0,
        head: head as u64,
        acked: acked as u64,
        key_packages: u32::try_from(key_packages).unwrap_or(u32::MAX),
    })
}

/// Acknowledged notices are deleted.
pub async fn acknowledge(conn: &mut AnyConnection, device: DeviceId, position: u64) -> Result<()> {
    let position = position.min(i64::MAX as u64) as i64;
    let done = sqlx::query(
        "UPDATE messaging_device SET inbox_acked = $2
         WHERE device = $1 AND inbox_acked < $2 AND inbox_head >= $2",
    )
    .bind(device.to_vec())
    .bind(position)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 1 {
        sqlx::query("DELETE FROM messaging_inbox WHERE device = $1 AND position <= $2")
            .bind(device.to_vec())
            .bind(position)
            .execute(conn)
            .await?;
    }
    Ok(())
}

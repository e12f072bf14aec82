//! Table `messaging_cut`.

use super::Result;
use pakawaaz_base::{DeviceId, Millis, OfficialId};
use sqlx::AnyConnection;

/// Refuses a device's traffic from now on. A signed statement is never replaced by none.
pub async fn put(
    conn: &mut AnyConnection,
    device: DeviceId,
    official: OfficialId,
    statement: Option<&[u8]>,
    at: Millis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO messaging_cut (device, official, statement, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (device) DO UPDATE SET statement = COALESCE(messaging_cut.statement, excluded.statement)",
    )
    .bind(device.to_vec())
    .bind(official.to_vec())
    .bind(statement.map(<[u8]>::to_vec))
    .bind(at.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// Accepts a device's traffic again, unless a signed statement stands against it.
pub async fn lift(conn: &mut AnyConnection, device: DeviceId) -> Result<()> {
    sqlx::query("DELETE FROM messaging_cut WHERE device = $1 AND statement IS NULL")
        .bind(device.to_vec())
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether a device's traffic is refused.
pub async fn is_cut(conn: &mut AnyConnection, device: DeviceId) -> Result<bool> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT at FROM messaging_cut WHERE device = $1")
        .bind(device.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

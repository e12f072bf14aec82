//! Table `messaging_rejection`.

use super::{Result, id};
use pakawaaz_base::{DeviceId, GroupId, Millis, OfficialId};
use sqlx::AnyConnection;
use std::collections::BTreeSet;

/// Records a verified rejection; one for each device and commit.
pub async fn put(
    conn: &mut AnyConnection,
    group: GroupId,
    seq: u64,
    device: DeviceId,
    official: OfficialId,
    statement: &[u8],
    at: Millis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO messaging_rejection (group_id, seq, device, official, statement, at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (group_id, seq, device) DO NOTHING",
    )
    .bind(group.to_vec())
    .bind(seq as i64)
    .bind(device.to_vec())
    .bind(official.to_vec())
    .bind(statement.to_vec())
    .bind(at.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// Officials who reject a commit.
pub async fn officials(conn: &mut AnyConnection, group: GroupId, seq: u64) -> Result<BTreeSet<OfficialId>> {
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT DISTINCT official FROM messaging_rejection WHERE group_id = $1 AND seq = $2")
            .bind(group.to_vec())
            .bind(seq as i64)
            .fetch_all(conn)
            .await?;
    rows.iter().map(|(o,)| id(o, OfficialId::from_slice)).collect()
}

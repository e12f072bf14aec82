//! Table `messaging_removal`.

use super::{Result, id};
use pakawaaz_base::{DeviceId, GroupId, Millis};
use sqlx::AnyConnection;

/// A leaf that must go.
#[derive(Clone, Debug)]
pub struct Removal {
    pub device: DeviceId,
    pub statement: Vec<u8>,
    /// Epoch in which it was proposed last.
    pub proposed_epoch: Option<u64>,
}

/// Records that a leaf must go.
pub async fn put(
    conn: &mut AnyConnection,
    group: GroupId,
    device: DeviceId,
    statement: &[u8],
    at: Millis,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO messaging_removal (group_id, device, statement, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (group_id, device) DO NOTHING",
    )
    .bind(group.to_vec())
    .bind(device.to_vec())
    .bind(statement.to_vec())
    .bind(at.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// What must go from a group, in the order of device ids.
pub async fn of_group(conn: &mut AnyConnection, group: GroupId) -> Result<Vec<Removal>> {
    let rows: Vec<(Vec<u8>, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT device, statement, proposed_epoch FROM messaging_removal WHERE group_id = $1 ORDER BY device",
    )
    .bind(group.to_vec())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(device, statement, epoch)| {
            Ok(Removal {
                device: id(&device, DeviceId::from_slice)?,
                statement,
                proposed_epoch: u64::try_from(epoch).ok(),
            })
        })
        .collect()
}

/// It was proposed in `epoch`.
pub async fn proposed(conn: &mut AnyConnection, group: GroupId, device: DeviceId, epoch: u64) -> Result<()> {
    sqlx::query("UPDATE messaging_removal SET proposed_epoch = $3 WHERE group_id = $1 AND device = $2")
        .bind(group.to_vec())
        .bind(device.to_vec())
        .bind(epoch as i64)
        .execute(conn)
        .await?;
    Ok(())
}

/// It is gone.
pub async fn done(conn: &mut AnyConnection, group: GroupId, device: DeviceId) -> Result<()> {
    sqlx::query("DELETE FROM messaging_removal WHERE group_id = $1 AND device = $2")
        .bind(group.to_vec())
        .bind(device.to_vec())
        .execute(conn)
        .await?;
    Ok(())
}

/// Open groups in which something was not yet proposed in the current epoch.
pub async fn due(conn: &mut AnyConnection) -> Result<Vec<GroupId>> {
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
        "SELECT DISTINCT r.group_id FROM messaging_removal r JOIN messaging_group g ON g.group_id = r.group_id
         WHERE r.proposed_epoch < g.epoch AND g.closed = 0",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(g,)| id(g, GroupId::from_slice)).collect()
}

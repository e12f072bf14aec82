//! Table `messaging_member`.

use super::{Result, id, padded, values};
use pakawaaz_base::{DeviceId, GroupId, OfficialId};
use sqlx::{AnyConnection, AssertSqlSafe};
use std::collections::HashSet;

/// What a device may read of a group, and how far it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    pub group: GroupId,
    pub from_seq: u64,
    pub left_seq: Option<u64>,
    pub acked: u64,
    pub head_seq: u64,
}

/// A device enters at `seq`: it is shown what comes after. Entering again starts anew.
pub async fn enter(
    conn: &mut AnyConnection,
    group: GroupId,
    device: DeviceId,
    official: OfficialId,
    leaf_index: u32,
    seq: u64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO messaging_member (group_id, device, official, leaf_index, from_seq, left_seq, acked)
         VALUES ($1, $2, $3, $4, $5, NULL, $5)
         ON CONFLICT (group_id, device) DO UPDATE SET official = excluded.official,
         leaf_index = excluded.leaf_index, from_seq = excluded.from_seq, left_seq = NULL, acked = excluded.acked",
    )
    .bind(group.to_vec())
    .bind(device.to_vec())
    .bind(official.to_vec())
    .bind(i64::from(leaf_index))
    .bind(seq as i64)
    .execute(conn)
    .await?;
    Ok(())
}

/// A device healed itself: another leaf, the same membership.
pub async fn moved(conn: &mut AnyConnection, group: GroupId, device: DeviceId, leaf_index: u32) -> Result<()> {
    sqlx::query("UPDATE messaging_member SET leaf_index = $3 WHERE group_id = $1 AND device = $2")
        .bind(group.to_vec())
        .bind(device.to_vec())
        .bind(i64::from(leaf_index))
        .execute(conn)
        .await?;
    Ok(())
}

/// A device leaves by the entry at `seq`, which it is still shown.
pub async fn leave(conn: &mut AnyConnection, group: GroupId, device: DeviceId, seq: u64) -> Result<()> {
    sqlx::query("UPDATE messaging_member SET left_seq = $3 WHERE group_id = $1 AND device = $2 AND left_seq IS NULL")
        .bind(group.to_vec())
        .bind(device.to_vec())
        .bind(seq as i64)
        .execute(conn)
        .await?;
    Ok(())
}

/// CROSS JOIN: see [`super::log::existing_sql`].
pub(super) fn allowed_sql(values: &str) -> String {
    format!(
        "WITH w (group_id, device) AS (VALUES {values})
         SELECT m.group_id, m.device FROM w CROSS JOIN messaging_member m
         WHERE m.group_id = w.group_id AND m.device = w.device AND m.left_seq IS NULL
         AND NOT EXISTS (SELECT 1 FROM messaging_cut c WHERE c.device = w.device)"
    )
}

/// Which of these are members whose traffic is not refused.
pub async fn allowed(conn: &mut AnyConnection, wanted: &[(GroupId, DeviceId)]) -> Result<HashSet<(GroupId, DeviceId)>> {
    if wanted.is_empty() {
        return Ok(HashSet::new());
    }
    let wanted = padded(wanted);
    let sql = allowed_sql(&values(conn, wanted.len(), 2));
    let mut query = sqlx::query_as::<_, (Vec<u8>, Vec<u8>)>(AssertSqlSafe(sql));
    for (group, device) in &wanted {
        query = query.bind(group.to_vec()).bind(device.to_vec());
    }
    let rows = query.fetch_all(conn).await?;
    rows.iter().map(|(g, d)| Ok((id(g, GroupId::from_slice)?, id(d, DeviceId::from_slice)?))).collect()
}

/// Whether one device is a member whose traffic is not refused.
pub async fn is_allowed(conn: &mut AnyConnection, group: GroupId, device: DeviceId) -> Result<bool> {
    Ok(!allowed(conn, &[(group, device)]).await?.is_empty())
}

/// The member devices of a group with their officials, in the order of device ids.
pub async fn of_group(conn: &mut AnyConnection, group: GroupId) -> Result<Vec<(DeviceId, OfficialId)>> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(
        "SELECT device, official FROM messaging_member WHERE group_id = $1 AND left_seq IS NULL ORDER BY device",
    )
    .bind(group.to_vec())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(d, o)| Ok((id(d, DeviceId::from_slice)?, id(o, OfficialId::from_slice)?))).collect()
}

/// The groups a device is a member of.
pub async fn groups_of(conn: &mut AnyConnection, device: DeviceId) -> Result<Vec<GroupId>> {
    let rows: Vec<(Vec<u8>,)> = sqlx::query_as(
        "SELECT group_id FROM messaging_member WHERE device = $1 AND left_seq IS NULL ORDER BY group_id",
    )
    .bind(device.to_vec())
    .fetch_all(conn)
    .await?;
    rows.iter().map(|(g,)| id(g, GroupId::from_slice)).collect()
}

/// Everything a device may read, also of groups it has left.
pub async fn memberships(conn: &mut AnyConnection, device: DeviceId) -> Result<Vec<Membership>> {
    type Row = (Vec<u8>, i64, Option<i64>, i64, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT m.group_id, m.from_seq, m.left_seq, m.acked, g.head_seq FROM messaging_member m
         JOIN messaging_group g ON g.group_id = m.group_id
         WHERE m.device = $1 AND (m.left_seq IS NULL OR m.acked < m.left_seq) ORDER BY m.group_id",
    )
    .bind(device.to_vec())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(group, from_seq, left_seq, acked, head_seq)| {
            Ok(Membership {
                group: id(&group, GroupId::from_slice)?,
                from_seq: from_seq as u64,
                left_seq: left_seq.map(|s| s as u64),
                acked: acked as u64,
                head_seq: head_seq as u64,
            })
        })
        .collect()
}

/// The last entry a device is shown: `None` while it is a member, 0 when it never was.
pub async fn shown_upto(conn: &mut AnyConnection, group: GroupId, device: DeviceId) -> Result<Option<u64>> {
    let row: Option<(Option<i64>,)> =
        sqlx::query_as("SELECT left_seq FROM messaging_member WHERE group_id = $1 AND device = $2")
            .bind(group.to_vec())
            .bind(device.to_vec())
            .fetch_optional(conn)
            .await?;
    Ok(row.map_or(Some(0), |(left,)| left.map(|s| s as u64)))
}

/// COALESCE changes nothing but what SQLite can do with it: see [`super::groups::advance_sql`].
pub(super) fn acknowledge_sql(values: &str) -> String {
    format!(
        "WITH w (group_id, device, seq) AS (VALUES {values})
         UPDATE messaging_member SET acked = w.seq FROM w
         WHERE messaging_member.group_id = COALESCE(w.group_id, NULL)
         AND messaging_member.device = COALESCE(w.device, NULL)
         AND w.seq > messaging_member.acked AND w.seq <= (
             SELECT g.head_seq FROM messaging_group g WHERE g.group_id = w.group_id)"
    )
}

/// Moves cursors forward; never beyond the log, never back.
pub async fn acknowledge(conn: &mut AnyConnection, acks: &[(GroupId, DeviceId, u64)]) -> Result<()> {
    if acks.is_empty() {
        return Ok(());
    }
    let acks = padded(acks);
    let sql = acknowledge_sql(&values(conn, acks.len(), 3));
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (group, device, seq) in &acks {
        query = query.bind(group.to_vec()).bind(device.to_vec()).bind((*seq).min(i64::MAX as u64) as i64);
    }
    query.execute(conn).await?;
    Ok(())
}

//! Tables `messaging_group`, `messaging_creator`, `messaging_state`, `messaging_epoch_tree`.

use super::{Result, hash, id, padded, values};
use pakawaaz_base::{DeviceId, GroupId, Millis, OfficialId};
use pakawaaz_contract::messaging::GroupSummary;
use pakawaaz_conversation::log::Chain;
use pakawaaz_storage::{Engine, Tx};
use sqlx::{AnyConnection, AssertSqlSafe};
use std::collections::HashMap;

/// The hot row.
#[derive(Clone, Debug)]
pub struct Head {
    pub chain: Chain,
    pub epoch: u64,
    pub closed: bool,
}

/// A whole group.
#[derive(Clone, Debug)]
pub struct GroupRow {
    pub head: Head,
    pub creator: DeviceId,
    pub fingerprint: Vec<u8>,
    pub quarantined: Option<DeviceId>,
    pub successor: Option<GroupId>,
}

/// The state of the current epoch.
#[derive(Clone, Debug)]
pub struct StateRow {
    pub epoch: u64,
    /// Rises with every write.
    pub version: u64,
    pub group_info: Vec<u8>,
    pub ratchet_tree: Vec<u8>,
    pub mls: Vec<u8>,
}

/// Inserts unless the group exists; tells whether it did.
pub async fn insert(
    conn: &mut AnyConnection,
    group: GroupId,
    creator: DeviceId,
    fingerprint: &[u8],
    now: Millis,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO messaging_group (group_id, creator, fingerprint, created_at, epoch, head_seq, head_hash)
         VALUES ($1, $2, $3, $4, 0, 0, $5) ON CONFLICT (group_id) DO NOTHING",
    )
    .bind(group.to_vec())
    .bind(creator.to_vec())
    .bind(fingerprint.to_vec())
    .bind(now.as_i64())
    .bind(Chain::start(group).hash.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Counts one more group that `official` creates, and tells how many that makes.
pub async fn count_created(conn: &mut AnyConnection, official: OfficialId) -> Result<u64> {
    let (count,): (i64,) = sqlx::query_as(
        "INSERT INTO messaging_creator (official, groups_created) VALUES ($1, 1)
         ON CONFLICT (official) DO UPDATE SET groups_created = messaging_creator.groups_created + 1
         RETURNING groups_created",
    )
    .bind(official.to_vec())
    .fetch_one(conn)
    .await?;
    Ok(count as u64)
}

/// One group.
pub async fn get(conn: &mut AnyConnection, group: GroupId) -> Result<Option<GroupRow>> {
    type Row = (i64, i64, Vec<u8>, i64, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);
    let row: Option<Row> = sqlx::query_as(
        "SELECT epoch, head_seq, head_hash, closed, creator, fingerprint, quarantined, successor
         FROM messaging_group WHERE group_id = $1",
    )
    .bind(group.to_vec())
    .fetch_optional(conn)
    .await?;
    let Some((epoch, seq, head, closed, creator, fingerprint, quarantined, successor)) = row else { return Ok(None) };
    Ok(Some(GroupRow {
        head: Head { chain: Chain::at(group, seq as u64, hash(&head)?), epoch: epoch as u64, closed: closed != 0 },
        creator: id(&creator, DeviceId::from_slice)?,
        fingerprint,
        quarantined: quarantined.map(|d| id(&d, DeviceId::from_slice)).transpose()?,
        successor: successor.map(|g| id(&g, GroupId::from_slice)).transpose()?,
    }))
}

/// In the order of ids, so that two batches never wait for each other.
pub(super) fn lock_sql(engine: Engine, list: &str) -> String {
    format!(
        "SELECT group_id, epoch, head_seq, head_hash, closed FROM messaging_group
         WHERE group_id IN {list} ORDER BY group_id {}",
        engine.pick("", "FOR UPDATE"),
    )
}

/// Reads heads and keeps everybody else from changing them until the end of the transaction.
pub async fn lock(tx: &mut Tx, groups: &[GroupId]) -> Result<HashMap<GroupId, Head>> {
    if groups.is_empty() {
        return Ok(HashMap::new());
    }
    let groups = padded(groups);
    let rows = lock_sql(tx.engine(), &values(tx.conn(), 1, groups.len()));
    let mut query = sqlx::query_as::<_, (Vec<u8>, i64, i64, Vec<u8>, i64)>(AssertSqlSafe(rows));
    for group in &groups {
        query = query.bind(group.to_vec());
    }
    let mut heads = HashMap::new();
    for (group, epoch, seq, head, closed) in query.fetch_all(tx.conn()).await? {
        let group = id(&group, GroupId::from_slice)?;
        let chain = Chain::at(group, seq as u64, hash(&head)?);
        heads.insert(group, Head { chain, epoch: epoch as u64, closed: closed != 0 });
    }
    Ok(heads)
}

/// SQLite must look the groups up one by one. Given many, it would rather make an index of the values and read the whole
/// table; an expression over a value it cannot index, so COALESCE takes that way from it.
pub(super) fn advance_sql(values: &str) -> String {
    format!(
        "WITH w (group_id, seq, hash, epoch) AS (VALUES {values})
         UPDATE messaging_group SET head_seq = w.seq, head_hash = w.hash, epoch = w.epoch
         FROM w WHERE messaging_group.group_id = COALESCE(w.group_id, NULL)"
    )
}

/// Writes the heads back that [`lock`] gave.
pub async fn advance(conn: &mut AnyConnection, heads: &[(Chain, u64)]) -> Result<()> {
    if heads.is_empty() {
        return Ok(());
    }
    let heads = padded(heads);
    let sql = advance_sql(&values(conn, heads.len(), 4));
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (chain, epoch) in &heads {
        query = query.bind(chain.group.to_vec()).bind(chain.seq as i64).bind(chain.hash.to_vec()).bind(*epoch as i64);
    }
    query.execute(conn).await?;
    Ok(())
}

/// Stores the state of an epoch in place of the one before.
pub async fn put_state(conn: &mut AnyConnection, group: GroupId, state: &StateRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO messaging_state (group_id, epoch, version, group_info, ratchet_tree, mls)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (group_id) DO UPDATE SET epoch = excluded.epoch, version = excluded.version,
         group_info = excluded.group_info, ratchet_tree = excluded.ratchet_tree, mls = excluded.mls",
    )
    .bind(group.to_vec())
    .bind(state.epoch as i64)
    .bind(state.version as i64)
    .bind(state.group_info.clone())
    .bind(state.ratchet_tree.clone())
    .bind(state.mls.clone())
    .execute(conn)
    .await?;
    Ok(())
}

/// Stores new proposals of the same epoch.
pub async fn put_mls(conn: &mut AnyConnection, group: GroupId, version: u64, mls: &[u8]) -> Result<()> {
    sqlx::query("UPDATE messaging_state SET mls = $2, version = $3 WHERE group_id = $1")
        .bind(group.to_vec())
        .bind(mls.to_vec())
        .bind(version as i64)
        .execute(conn)
        .await?;
    Ok(())
}

/// The state of the current epoch.
pub async fn state(conn: &mut AnyConnection, group: GroupId) -> Result<Option<StateRow>> {
    let row: Option<(i64, i64, Vec<u8>, Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT epoch, version, group_info, ratchet_tree, mls FROM messaging_state WHERE group_id = $1")
            .bind(group.to_vec())
            .fetch_optional(conn)
            .await?;
    Ok(row.map(|(epoch, version, group_info, ratchet_tree, mls)| StateRow {
        epoch: epoch as u64,
        version: version as u64,
        group_info,
        ratchet_tree,
        mls,
    }))
}

/// Epoch and version of the stored state.
pub async fn state_version(conn: &mut AnyConnection, group: GroupId) -> Result<Option<(u64, u64)>> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT epoch, version FROM messaging_state WHERE group_id = $1")
        .bind(group.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|(epoch, version)| (epoch as u64, version as u64)))
}

/// Keeps the tree of an epoch for those who were welcomed into it.
pub async fn put_tree(conn: &mut AnyConnection, chain: &Chain, epoch: u64, tree: &[u8], now: Millis) -> Result<()> {
    sqlx::query(
        "INSERT INTO messaging_epoch_tree (group_id, epoch, seq, log_hash, ratchet_tree, at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(chain.group.to_vec())
    .bind(epoch as i64)
    .bind(chain.seq as i64)
    .bind(chain.hash.to_vec())
    .bind(tree.to_vec())
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// The tree of an epoch with the log position of its commit.
pub async fn tree(conn: &mut AnyConnection, group: GroupId, epoch: u64) -> Result<Option<(Vec<u8>, u64, Vec<u8>)>> {
    let row: Option<(Vec<u8>, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT ratchet_tree, seq, log_hash FROM messaging_epoch_tree WHERE group_id = $1 AND epoch = $2",
    )
    .bind(group.to_vec())
    .bind(epoch as i64)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(tree, seq, hash)| (tree, seq as u64, hash)))
}

/// Forgets trees stored before `before`.
pub async fn prune_trees(conn: &mut AnyConnection, before: Millis) -> Result<u64> {
    let done =
        sqlx::query("DELETE FROM messaging_epoch_tree WHERE at < $1").bind(before.as_i64()).execute(conn).await?;
    Ok(done.rows_affected())
}

/// Closes a group because of `device`; tells whether it was open.
pub async fn quarantine(conn: &mut AnyConnection, group: GroupId, device: DeviceId) -> Result<bool> {
    let done =
        sqlx::query("UPDATE messaging_group SET closed = 1, quarantined = $2 WHERE group_id = $1 AND closed = 0")
            .bind(group.to_vec())
            .bind(device.to_vec())
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// Names the successor of a closed group, once; tells whether this one is it.
pub async fn set_successor(conn: &mut AnyConnection, group: GroupId, successor: GroupId) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE messaging_group SET successor = $2 WHERE group_id = $1 AND closed = 1
         AND (successor IS NULL OR successor = $2)",
    )
    .bind(group.to_vec())
    .bind(successor.to_vec())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The groups a device is a member of, newest first.
pub async fn of_device(conn: &mut AnyConnection, device: DeviceId) -> Result<Vec<GroupSummary>> {
    let rows: Vec<(Vec<u8>, i64, i64, i64)> = sqlx::query_as(
        "SELECT g.group_id, g.epoch, g.head_seq, g.created_at FROM messaging_member m
         JOIN messaging_group g ON g.group_id = m.group_id
         WHERE m.device = $1 AND m.left_seq IS NULL ORDER BY g.created_at DESC, g.group_id",
    )
    .bind(device.to_vec())
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(group, epoch, head_seq, created_at)| {
            Ok(GroupSummary {
                group: id(&group, GroupId::from_slice)?,
                epoch: epoch as u64,
                head_seq: head_seq as u64,
                created_at: Millis(created_at),
            })
        })
        .collect()
}

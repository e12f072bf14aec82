//! Table `messaging_log`.

use super::{Result, hash, id, padded, pieces, values};
use pakawaaz_base::{Bytes, DeviceId, GroupId, MessageId, Millis};
use pakawaaz_contract::frames::{LogEntry, LogKind};
use pakawaaz_storage::StorageError;
use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe};
use std::collections::HashMap;

/// Bytes of messages read at once.
pub const PAGE_BYTES: i64 = 1024 * 1024;

/// Inserts entries that the caller has numbered and chained under the lock of their groups.
pub async fn insert(conn: &mut AnyConnection, entries: &[(LogEntry, DeviceId)]) -> Result<()> {
    for piece in pieces(entries) {
        let sql = format!(
            "INSERT INTO messaging_log (group_id, seq, epoch, kind, message_id, sender, at, mls, log_hash) VALUES {}",
            values(conn, piece.len(), 9),
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (entry, sender) in piece {
            query = query
                .bind(entry.group.to_vec())
                .bind(entry.seq as i64)
                .bind(entry.epoch as i64)
                .bind(i64::from(entry.kind.as_u8()))
                .bind(entry.message.to_vec())
                .bind(sender.to_vec())
                .bind(entry.at.as_i64())
                .bind(entry.mls.0.clone())
                .bind(entry.log_hash.0.clone());
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

/// An entry that exists already.
#[derive(Clone, Debug)]
pub struct Existing {
    pub seq: u64,
    pub at: Millis,
    pub log_hash: [u8; 32],
    pub sender: DeviceId,
    pub kind: LogKind,
    /// SHA-256 of the message.
    pub mls: [u8; 32],
}

/// The CROSS JOIN is for SQLite, which then keeps this order. Left to itself it reads the whole log when many are wanted.
pub(super) fn existing_sql(values: &str) -> String {
    format!(
        "WITH w (group_id, message_id) AS (VALUES {values})
         SELECT l.group_id, l.message_id, l.seq, l.at, l.log_hash, l.sender, l.kind, l.mls
         FROM w CROSS JOIN messaging_log l WHERE l.group_id = w.group_id AND l.message_id = w.message_id"
    )
}

/// The entries among these that exist.
pub async fn existing(
    conn: &mut AnyConnection,
    wanted: &[(GroupId, MessageId)],
) -> Result<HashMap<(GroupId, MessageId), Existing>> {
    let mut found = HashMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let wanted = padded(wanted);
    let sql = existing_sql(&values(conn, wanted.len(), 2));
    type Row = (Vec<u8>, Vec<u8>, i64, i64, Vec<u8>, Vec<u8>, i64, Vec<u8>);
    let mut query = sqlx::query_as::<_, Row>(AssertSqlSafe(sql));
    for (group, message) in &wanted {
        query = query.bind(group.to_vec()).bind(message.to_vec());
    }
    for (group, message, seq, at, log_hash, sender, entry_kind, mls) in query.fetch_all(conn).await? {
        let key = (id(&group, GroupId::from_slice)?, id(&message, MessageId::from_slice)?);
        let entry = Existing {
            seq: seq as u64,
            at: Millis(at),
            log_hash: hash(&log_hash)?,
            sender: id(&sender, DeviceId::from_slice)?,
            kind: kind(entry_kind)?,
            mls: Sha256::digest(mls).into(),
        };
        found.insert(key, entry);
    }
    Ok(found)
}

/// Entries above `after`, at most `upto`, in order: at most `limit` of them, and no more than about [`PAGE_BYTES`]
/// unless the first alone is larger. A backlog of large commits must not fill the memory of a node.
pub async fn page(
    conn: &mut AnyConnection,
    group: GroupId,
    after: u64,
    upto: Option<u64>,
    limit: u32,
) -> Result<Vec<LogEntry>> {
    type Row = (i64, i64, i64, Vec<u8>, i64, Vec<u8>, Vec<u8>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, epoch, kind, message_id, at, mls, log_hash FROM messaging_log
         WHERE group_id = $1 AND seq > $2 AND seq <= $3 AND seq <= (
             SELECT COALESCE(MAX(seq), $2 + 1) FROM (
                 SELECT seq, SUM(size) OVER (ORDER BY seq) AS total FROM (
                     SELECT seq, LENGTH(mls) AS size FROM messaging_log
                     WHERE group_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4) first
             ) sized WHERE total <= $5)
         ORDER BY seq LIMIT $4",
    )
    .bind(group.to_vec())
    .bind(after as i64)
    .bind(upto.map_or(i64::MAX, |s| s as i64))
    .bind(i64::from(limit))
    .bind(PAGE_BYTES)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(seq, epoch, entry_kind, message, at, mls, log_hash)| {
            Ok(LogEntry {
                group,
                seq: seq as u64,
                epoch: epoch as u64,
                kind: kind(entry_kind)?,
                message: id(&message, MessageId::from_slice)?,
                at: Millis(at),
                mls: Bytes(mls),
                log_hash: Bytes(log_hash),
            })
        })
        .collect()
}

/// One entry with its sender.
pub async fn get(conn: &mut AnyConnection, group: GroupId, seq: u64) -> Result<Option<(LogEntry, DeviceId)>> {
    let Some(entry) = page(&mut *conn, group, seq.saturating_sub(1), Some(seq), 1).await?.pop() else {
        return Ok(None);
    };
    let (sender,): (Vec<u8>,) = sqlx::query_as("SELECT sender FROM messaging_log WHERE group_id = $1 AND seq = $2")
        .bind(group.to_vec())
        .bind(seq as i64)
        .fetch_one(conn)
        .await?;
    Ok(Some((entry, id(&sender, DeviceId::from_slice)?)))
}

fn kind(value: i64) -> Result<LogKind> {
    u8::try_from(value).ok().and_then(LogKind::from_u8).ok_or_else(|| StorageError::internal("log_kind").into())
}

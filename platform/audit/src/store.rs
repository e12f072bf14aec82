//! The table `audit_log`.

use crate::chain::{AuditActor, Entry, Head, Record};
use crate::error::AuditError;
use pakawaaz_base::{AuditId, DeviceId, Millis, OfficialId};
use pakawaaz_storage::{Db, Migration, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// The schema; hand it to `Db::migrate`.
pub const MIGRATIONS: &[Migration] =
    &[Migration { context: "audit", version: 1, sql: include_str!("../migrations/0001_audit_log.sql") }];

/// Serialises appenders on PostgreSQL, where `MAX(seq) + 1` alone would race.
const AUDIT_LOCK: i64 = 0x70616b_61756474;
/// Rows read at a time by [`verify_chain`].
const PAGE: i64 = 1000;
const MAX_SUBJECT: usize = 200;
const MAX_DETAIL: usize = 16 * 1024;

/// Appends an entry in the transaction of the act itself.
///
/// Append last: on PostgreSQL it holds the log's lock until the transaction ends.
///
/// Errors: [`AuditError::Malformed`] for an action that is not `context.verb`, an oversized subject or detail.
pub async fn append(tx: &mut Tx, entry: Entry) -> Result<Head, AuditError> {
    let detail = entry.detail.to_string();
    if !entry.action.contains('.') || entry.subject.len() > MAX_SUBJECT || detail.len() > MAX_DETAIL {
        return Err(AuditError::Malformed);
    }
    tx.lock(AUDIT_LOCK).await?;
    let previous = read_head(tx.conn()).await?;
    let mut record = Record {
        seq: previous.seq + 1,
        id: entry.id,
        at: entry.at,
        actor: entry.actor,
        action: entry.action.to_owned(),
        subject: entry.subject,
        detail,
        prev_hash: previous.hash,
        hash: [0; 32],
    };
    record.hash = record.expected_hash();
    sqlx::query(
        "INSERT INTO audit_log
           (seq, id, at, actor_official, actor_device, action, subject, detail, prev_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(record.seq)
    .bind(record.id.to_vec())
    .bind(record.at.as_i64())
    .bind(record.actor.map(|a| a.official.to_vec()))
    .bind(record.actor.map(|a| a.device.to_vec()))
    .bind(record.action)
    .bind(record.subject)
    .bind(record.detail)
    .bind(record.prev_hash.to_vec())
    .bind(record.hash.to_vec())
    .execute(tx.conn())
    .await?;
    Ok(Head { seq: record.seq, hash: record.hash })
}

/// The newest entry.
pub async fn head(db: &Db) -> Result<Head, AuditError> {
    read_head(db.read().await?.conn()).await
}

async fn read_head(conn: &mut AnyConnection) -> Result<Head, AuditError> {
    let row: Option<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT seq, hash FROM audit_log ORDER BY seq DESC LIMIT 1").fetch_optional(conn).await?;
    match row {
        None => Ok(Head::default()),
        Some((seq, hash)) => Ok(Head { seq, hash: hash.try_into().map_err(|_| AuditError::Tampered { seq })? }),
    }
}

/// Up to `limit` entries after `after_seq`, oldest first.
pub async fn list(db: &Db, after_seq: i64, limit: i64) -> Result<Vec<Record>, AuditError> {
    page(db.read().await?.conn(), after_seq, limit).await
}

/// Recomputes the whole chain and returns its head. `pinned` is a head remembered earlier: the log must
/// still contain it.
///
/// Errors: [`AuditError::Tampered`] with the first entry that does not fit.
pub async fn verify_chain(db: &Db, pinned: Option<Head>) -> Result<Head, AuditError> {
    let mut snapshot = db.snapshot().await?;
    let mut head = Head::default();
    loop {
        let records = page(snapshot.conn(), head.seq, PAGE).await?;
        if records.is_empty() {
            break;
        }
        for record in records {
            let fits = record.seq == head.seq + 1
                && record.prev_hash == head.hash
                && record.hash == record.expected_hash()
                && pinned.is_none_or(|pin| pin.seq != record.seq || pin.hash == record.hash);
            if !fits {
                return Err(AuditError::Tampered { seq: head.seq + 1 });
            }
            head = Head { seq: record.seq, hash: record.hash };
        }
    }
    if pinned.is_some_and(|pin| pin.seq > head.seq) {
        return Err(AuditError::Tampered { seq: head.seq + 1 });
    }
    Ok(head)
}

async fn page(conn: &mut AnyConnection, after: i64, limit: i64) -> Result<Vec<Record>, AuditError> {
    sqlx::query(
        "SELECT seq, id, at, actor_official, actor_device, action, subject, detail, prev_hash, hash
         FROM audit_log WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(after)
    .bind(limit.clamp(0, 10_000))
    .fetch_all(conn)
    .await?
    .iter()
    .map(record)
    .collect()
}

/// A row that does not even have the right shapes counts as tampered with.
fn record(row: &AnyRow) -> Result<Record, AuditError> {
    let seq: i64 = row.try_get("seq")?;
    let bytes = |column: &str| row.try_get::<Vec<u8>, _>(column);
    let tampered = || AuditError::Tampered { seq };
    let official: Option<Vec<u8>> = row.try_get("actor_official")?;
    let device: Option<Vec<u8>> = row.try_get("actor_device")?;
    let actor = match (official, device) {
        (None, None) => None,
        (Some(official), Some(device)) => Some(AuditActor {
            official: OfficialId::from_slice(&official).ok_or_else(tampered)?,
            device: DeviceId::from_slice(&device).ok_or_else(tampered)?,
        }),
        _ => return Err(tampered()),
    };
    Ok(Record {
        seq,
        id: AuditId::from_slice(&bytes("id")?).ok_or_else(tampered)?,
        at: Millis(row.try_get("at")?),
        actor,
        action: row.try_get("action")?,
        subject: row.try_get("subject")?,
        detail: row.try_get("detail")?,
        prev_hash: bytes("prev_hash")?.try_into().map_err(|_| tampered())?,
        hash: bytes("hash")?.try_into().map_err(|_| tampered())?,
    })
}

//! `identity_revocations`: the sequence every node follows. `identity_statements`: what was carried out.

use super::{damaged, millis};
use crate::model::live::{Ended, Event};
use pakawaaz_base::{DeviceId, Millis};
use pakawaaz_storage::Result;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// An entry to append.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What ended.
    pub what: Ended,
    /// The device whose sockets close.
    pub device: Option<DeviceId>,
    /// `trust::Signed` revocation, when there is one.
    pub statement: Option<Vec<u8>>,
}

/// Appends entries, last thing before the commit: the counter's row stays locked until then, so that `seq` rises in
/// commit order and nobody who has seen `n` can miss anything below.
pub async fn append(conn: &mut AnyConnection, events: &[NewEvent], now: Millis) -> Result<Vec<Event>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let (last,): (i64,) =
        sqlx::query_as("UPDATE identity_revocation_counter SET last = last + $1 WHERE one = 1 RETURNING last")
            .bind(events.len() as i64)
            .fetch_one(&mut *conn)
            .await?;
    let first = last - events.len() as i64 + 1;
    let mut appended = Vec::with_capacity(events.len());
    for (seq, event) in (first..).zip(events) {
        let (kind, subject) = event.what.to_row();
        sqlx::query(
            "INSERT INTO identity_revocations (seq, kind, subject, device, statement, at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(seq)
        .bind(kind)
        .bind(subject)
        .bind(event.device.map(|d| d.to_vec()))
        .bind(event.statement.clone())
        .bind(now.as_i64())
        .execute(&mut *conn)
        .await?;
        appended.push(Event { seq, what: event.what, device: event.device, at: now });
    }
    Ok(appended)
}

fn event(row: &AnyRow) -> Result<Event> {
    let kind: String = row.try_get("kind")?;
    let subject: Vec<u8> = row.try_get("subject")?;
    let device: Option<Vec<u8>> = row.try_get("device")?;
    Ok(Event {
        seq: row.try_get("seq")?,
        what: Ended::from_row(&kind, &subject).ok_or_else(damaged)?,
        device: device.map(|d| DeviceId::from_slice(&d).ok_or_else(damaged)).transpose()?,
        at: millis(row, "at")?,
    })
}

/// Up to 1,000 entries after `seq`, in order.
pub async fn after(conn: &mut AnyConnection, seq: i64) -> Result<Vec<Event>> {
    sqlx::query(
        "SELECT seq, kind, subject, device, at FROM identity_revocations WHERE seq > $1 ORDER BY seq LIMIT 1000",
    )
    .bind(seq)
    .fetch_all(conn)
    .await?
    .iter()
    .map(event)
    .collect()
}

/// The position before the first entry made at or after `at`: where a starting node begins to read.
pub async fn position_before(conn: &mut AnyConnection, at: Millis) -> Result<i64> {
    // Entries of one moment may be out of order by a clock's step between nodes; callers ask with a margin.
    let (first,): (Option<i64>,) = sqlx::query_as("SELECT MIN(seq) FROM identity_revocations WHERE at >= $1")
        .bind(at.as_i64())
        .fetch_one(&mut *conn)
        .await?;
    match first {
        Some(first) => Ok(first - 1),
        None => {
            let (last,): (i64,) =
                sqlx::query_as("SELECT last FROM identity_revocation_counter WHERE one = 1").fetch_one(conn).await?;
            Ok(last)
        }
    }
}

/// Notes that the statement with this id is carried out. `false` when it was before.
pub async fn note_statement(conn: &mut AnyConnection, id: &[u8; 16], signed: &[u8], now: Millis) -> Result<bool> {
    let done =
        sqlx::query("INSERT INTO identity_statements (id, signed, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(id.to_vec())
            .bind(signed.to_vec())
            .bind(now.as_i64())
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}

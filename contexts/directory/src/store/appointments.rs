//! Table `directory_appointment`.

use super::{Result, id};
use crate::model::appointments::{kind_from_text, kind_text};
use pakawaaz_base::{Bytes, Millis, OfficialId, PostId};
use pakawaaz_contract::directory;
use pakawaaz_storage::StorageError;
use pakawaaz_trust::Appointment;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row as _};

/// What [`joined`] reads, from `directory_appointment a`.
pub const COLUMNS: &str = "a.official AS a_official, a.kind AS a_kind, a.not_before AS a_not_before,
    a.not_after AS a_not_after, a.statement AS a_statement";

/// The appointment in a row with [`COLUMNS`], if it joined one.
pub fn joined(row: &AnyRow) -> Result<Option<directory::Appointment>> {
    let Some(kind) = row.try_get::<Option<String>, _>("a_kind")? else { return Ok(None) };
    Ok(Some(directory::Appointment {
        official: id(&row.try_get::<Vec<u8>, _>("a_official")?, OfficialId::from_slice)?,
        kind: kind_from_text(&kind).ok_or_else(|| StorageError::internal("directory_appointment_kind"))?,
        not_before: Millis(row.try_get("a_not_before")?),
        not_after: Millis(row.try_get("a_not_after")?),
        statement: Bytes(row.try_get("a_statement")?),
    }))
}

/// Keeps a statement that takes effect.
pub async fn insert(conn: &mut AnyConnection, one: &Appointment, statement: &[u8], now: Millis) -> Result<()> {
    sqlx::query(
        "INSERT INTO directory_appointment
             (id, post, official, kind, not_before, not_after, signed_at, executed_at, statement)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(one.id.to_vec())
    .bind(one.post.to_vec())
    .bind(one.official.to_vec())
    .bind(kind_text(one.kind))
    .bind(one.not_before.as_i64())
    .bind(one.not_after.as_i64())
    .bind(one.at.as_i64())
    .bind(now.as_i64())
    .bind(statement.to_vec())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether this statement took effect before.
pub async fn known(conn: &mut AnyConnection, id: &[u8; 16]) -> Result<bool> {
    let row: Option<(i64,)> = sqlx::query_as("SELECT executed_at FROM directory_appointment WHERE id = $1")
        .bind(id.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Time and id of the newest statement in effect about a post.
pub async fn newest(conn: &mut AnyConnection, post: PostId) -> Result<Option<(Millis, [u8; 16])>> {
    let row: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT a.signed_at, a.id FROM directory_post p JOIN directory_appointment a ON a.id = p.appointment
         WHERE p.post = $1",
    )
    .bind(post.to_vec())
    .fetch_optional(conn)
    .await?;
    row.map(|(at, found)| Ok((Millis(at), id(&found, |bytes| bytes.try_into().ok())?))).transpose()
}

/// Statements that took effect on a post, newest first.
pub async fn of_post(conn: &mut AnyConnection, post: PostId) -> Result<Vec<Bytes>> {
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT statement FROM directory_appointment WHERE post = $1 ORDER BY signed_at DESC, id DESC")
            .bind(post.to_vec())
            .fetch_all(conn)
            .await?;
    Ok(rows.into_iter().map(|(statement,)| Bytes(statement)).collect())
}

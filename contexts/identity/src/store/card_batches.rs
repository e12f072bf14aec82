//! `identity_card_batches`.

use pakawaaz_base::Millis;
use pakawaaz_storage::Result;
use sqlx::{AnyConnection, Row};

/// A batch of cards that was made.
pub struct CardBatch {
    /// Hash of what was asked for.
    pub request: Vec<u8>,
    /// The answer, until it was received.
    pub answer: Option<Vec<u8>>,
}

/// Keeps the answer to a request. `false` when the name is taken.
pub async fn insert(
    conn: &mut AnyConnection,
    name: &str,
    (request, answer): (&[u8], &[u8]),
    now: Millis,
) -> Result<bool> {
    let sql = "INSERT INTO identity_card_batches (name, request, answer, made_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING";
    let query = sqlx::query(sql).bind(name).bind(request.to_vec()).bind(answer.to_vec()).bind(now.as_i64());
    Ok(query.execute(conn).await?.rows_affected() == 1)
}

/// By name.
pub async fn get(conn: &mut AnyConnection, name: &str) -> Result<Option<CardBatch>> {
    let sql = "SELECT request, answer FROM identity_card_batches WHERE name = $1";
    let Some(row) = sqlx::query(sql).bind(name).fetch_optional(conn).await? else { return Ok(None) };
    Ok(Some(CardBatch { request: row.try_get("request")?, answer: row.try_get("answer")? }))
}

/// The files have arrived, and are forgotten. Whether they were there until now.
pub async fn received(conn: &mut AnyConnection, name: &str, now: Millis) -> Result<bool> {
    let sql =
        "UPDATE identity_card_batches SET answer = NULL, received_at = $2 WHERE name = $1 AND received_at IS NULL";
    Ok(sqlx::query(sql).bind(name).bind(now.as_i64()).execute(conn).await?.rows_affected() == 1)
}

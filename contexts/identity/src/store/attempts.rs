//! `identity_attempt_steps` and `identity_cert_nonces`: what may happen once.

use super::{id, piece, select_all};
use pakawaaz_base::{DeviceId, Millis};
use pakawaaz_storage::{Result, values};
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::BTreeSet;

/// Takes a step of an attempt. `false` when it was taken before.
pub async fn take(
    conn: &mut AnyConnection,
    attempt: &[u8; 16],
    step: &'static str,
    expires_at: Millis,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_attempt_steps (attempt, step, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(attempt.to_vec())
    .bind(step)
    .bind(expires_at.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// A step to take.
#[derive(Clone, Debug)]
pub struct Step {
    /// Login or enrolment.
    pub attempt: [u8; 16],
    /// Which step of it.
    pub step: &'static str,
    /// When the row may go.
    pub expires_at: Millis,
}

/// Steps that were taken of these attempts.
pub async fn taken(conn: &mut AnyConnection, attempts: &BTreeSet<[u8; 16]>) -> Result<BTreeSet<([u8; 16], String)>> {
    let from = ("attempt, step", "identity_attempt_steps", "attempt");
    let rows = select_all(conn, from, attempts.iter(), false).await?;
    rows.iter().map(|row| Ok((id(row, "attempt", |bytes| bytes.try_into().ok())?, row.try_get("step")?))).collect()
}

/// Takes steps. `false` when one of them was taken before.
pub async fn take_all(conn: &mut AnyConnection, mut steps: &[Step]) -> Result<bool> {
    let mut all = true;
    while let Some((piece, rest)) = piece(steps) {
        let rows = values(conn, piece.len(), 3);
        let sql = format!(
            "INSERT INTO identity_attempt_steps (attempt, step, expires_at) VALUES {rows} ON CONFLICT DO NOTHING"
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for step in piece {
            query = query.bind(step.attempt.to_vec()).bind(step.step).bind(step.expires_at.as_i64());
        }
        all &= query.execute(&mut *conn).await?.rows_affected() == piece.len() as u64;
        steps = rest;
    }
    Ok(all)
}

/// Uses a nonce of a device. `false` when it was used before.
pub async fn use_nonce(conn: &mut AnyConnection, device: DeviceId, nonce: &[u8], expires_at: Millis) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_cert_nonces (device, nonce, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(device.to_vec())
    .bind(nonce.to_vec())
    .bind(expires_at.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes what has expired.
pub async fn clean(conn: &mut AnyConnection, now: Millis) -> Result<()> {
    sqlx::query("DELETE FROM identity_attempt_steps WHERE expires_at < $1")
        .bind(now.as_i64())
        .execute(&mut *conn)
        .await?;
    sqlx::query("DELETE FROM identity_cert_nonces WHERE expires_at < $1").bind(now.as_i64()).execute(conn).await?;
    Ok(())
}

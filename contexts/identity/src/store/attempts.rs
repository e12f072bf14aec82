//! `identity_attempt_steps` and `identity_cert_nonces`: what may happen once.

use pakawaaz_base::{DeviceId, Millis};
use pakawaaz_storage::Result;
use sqlx::AnyConnection;

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

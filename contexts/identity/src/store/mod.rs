//! All SQL of this context, row ↔ model.

pub mod accounts;
pub mod attempts;
pub mod devices;
pub mod grants;
pub mod proposals;
pub mod revocations;
pub mod roles;
pub mod sessions;
pub mod sims;

use pakawaaz_base::{Millis, OfficialId};
use pakawaaz_storage::{Migration, Result, StorageError};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// The schema of this context.
pub const MIGRATIONS: &[Migration] =
    &[Migration { context: "identity", version: 1, sql: include_str!("../../migrations/0001_identity.sql") }];

/// The table that is damaged when a row cannot be read back.
fn damaged() -> StorageError {
    StorageError::internal("identity_row")
}

fn id<T>(row: &AnyRow, column: &str, from: fn(&[u8]) -> Option<T>) -> Result<T> {
    let bytes: Vec<u8> = row.try_get(column)?;
    from(&bytes).ok_or_else(damaged)
}

fn opt_official(row: &AnyRow, column: &str) -> Result<Option<OfficialId>> {
    let bytes: Option<Vec<u8>> = row.try_get(column)?;
    bytes.map(|b| OfficialId::from_slice(&b).ok_or_else(damaged)).transpose()
}

fn flag(row: &AnyRow, column: &str) -> Result<bool> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

fn count(row: &AnyRow, column: &str) -> Result<u32> {
    let n: i64 = row.try_get(column)?;
    Ok(n.clamp(0, i64::from(u32::MAX)) as u32)
}

fn millis(row: &AnyRow, column: &str) -> Result<Millis> {
    Ok(Millis(row.try_get(column)?))
}

fn opt_millis(row: &AnyRow, column: &str) -> Result<Option<Millis>> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(Millis))
}

/// Notes the latest time seen and returns the one noted before.
pub async fn note_time(conn: &mut AnyConnection, now: Millis) -> Result<Millis> {
    let (before,): (i64,) =
        sqlx::query_as("SELECT at FROM identity_clocks WHERE name = 'server'").fetch_one(&mut *conn).await?;
    sqlx::query("UPDATE identity_clocks SET at = $1 WHERE name = 'server' AND at < $1")
        .bind(now.as_i64())
        .execute(conn)
        .await?;
    Ok(Millis(before))
}

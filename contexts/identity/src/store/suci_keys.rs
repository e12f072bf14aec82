//! `identity_suci_keys`.

use super::{damaged, millis, opt_millis};
use crate::model::suci::{Scheme, SuciKey};
use pakawaaz_base::Millis;
use pakawaaz_storage::Result;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

const COLUMNS: &str = "key_id, scheme, sealed, public, made_at, retired_at";

fn key(row: &AnyRow) -> Result<SuciKey> {
    let number: i64 = row.try_get("key_id")?;
    let scheme: String = row.try_get("scheme")?;
    Ok(SuciKey {
        number: u8::try_from(number).map_err(|_| damaged())?,
        scheme: Scheme::from_text(&scheme).ok_or_else(damaged)?,
        sealed: row.try_get("sealed")?,
        public: row.try_get("public")?,
        made_at: millis(row, "made_at")?,
        retired_at: opt_millis(row, "retired_at")?,
    })
}

/// Adds a key. `false` when the number is taken.
pub async fn insert(conn: &mut AnyConnection, key: &SuciKey) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_suci_keys (key_id, scheme, sealed, public, made_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(i64::from(key.number))
    .bind(key.scheme.text())
    .bind(key.sealed.clone())
    .bind(key.public.clone())
    .bind(key.made_at.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// By number.
pub async fn get(conn: &mut AnyConnection, number: u8) -> Result<Option<SuciKey>> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_suci_keys WHERE key_id = $1")))
        .bind(i64::from(number))
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(key)
        .transpose()
}

/// All, by number.
pub async fn list(conn: &mut AnyConnection) -> Result<Vec<SuciKey>> {
    sqlx::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_suci_keys ORDER BY key_id")))
        .fetch_all(conn)
        .await?
        .iter()
        .map(key)
        .collect()
}

/// Its private half, sealed anew.
pub async fn set_sealed(conn: &mut AnyConnection, number: u8, sealed: &[u8]) -> Result<()> {
    let sql = "UPDATE identity_suci_keys SET sealed = $2 WHERE key_id = $1";
    sqlx::query(sql).bind(i64::from(number)).bind(sealed.to_vec()).execute(conn).await?;
    Ok(())
}

/// New cards do not get it any more. Whether there is such a key in use.
pub async fn retire(conn: &mut AnyConnection, number: u8, now: Millis) -> Result<bool> {
    let done = sqlx::query("UPDATE identity_suci_keys SET retired_at = $2 WHERE key_id = $1 AND retired_at IS NULL")
        .bind(i64::from(number))
        .bind(now.as_i64())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

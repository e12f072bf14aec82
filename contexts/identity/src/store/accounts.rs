//! `identity_accounts`.

use super::{count, flag, id, millis, opt_millis};
use crate::model::account::Account;
use pakawaaz_base::{Millis, OfficialId};
use pakawaaz_storage::{Engine, Result};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

const COLUMNS: &str =
    "official, username, revoked, suspended, password_file, password_set_at, password_failures, sim_failures, retry_at";

fn account(row: &AnyRow) -> Result<Account> {
    Ok(Account {
        official: id(row, "official", OfficialId::from_slice)?,
        username: row.try_get("username")?,
        revoked: flag(row, "revoked")?,
        suspended: flag(row, "suspended")?,
        password_file: row.try_get("password_file")?,
        password_set_at: opt_millis(row, "password_set_at")?,
        password_failures: count(row, "password_failures")?,
        sim_failures: count(row, "sim_failures")?,
        retry_at: millis(row, "retry_at")?,
    })
}

/// Adds an account; an existing one of the same official stays as it is. Whether it was added.
///
/// Errors: [`pakawaaz_storage::StorageError::Duplicate`] when another official has the name.
pub async fn insert(conn: &mut AnyConnection, official: OfficialId, username: &str, now: Millis) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO identity_accounts (official, username, created_at) VALUES ($1, $2, $3)
         ON CONFLICT (official) DO NOTHING",
    )
    .bind(official.to_vec())
    .bind(username)
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// By login name, exactly.
pub async fn by_username(conn: &mut AnyConnection, username: &str) -> Result<Option<Account>> {
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_accounts WHERE username = $1")))
        .bind(username)
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(account)
        .transpose()
}

/// By official.
pub async fn get(conn: &mut AnyConnection, official: OfficialId) -> Result<Option<Account>> {
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_accounts WHERE official = $1")))
        .bind(official.to_vec())
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(account)
        .transpose()
}

/// By official, and nobody else changes it until the transaction ends.
pub async fn get_for_update(conn: &mut AnyConnection, engine: Engine, official: OfficialId) -> Result<Option<Account>> {
    let lock = engine.pick("", " FOR UPDATE");
    sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM identity_accounts WHERE official = $1{lock}")))
        .bind(official.to_vec())
        .fetch_optional(conn)
        .await?
        .as_ref()
        .map(account)
        .transpose()
}

/// Sets the OPAQUE registration record and forgets earlier failures.
pub async fn set_password(conn: &mut AnyConnection, official: OfficialId, file: &[u8], now: Millis) -> Result<()> {
    sqlx::query(
        "UPDATE identity_accounts
         SET password_file = $2, password_set_at = $3, password_failures = 0, retry_at = 0 WHERE official = $1",
    )
    .bind(official.to_vec())
    .bind(file.to_vec())
    .bind(now.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// Which factor failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// The password.
    Password,
    /// The SIM.
    Sim,
}

/// Counts a failure and returns how many there are now, of both factors together.
pub async fn count_failure(conn: &mut AnyConnection, official: OfficialId, factor: Factor) -> Result<u32> {
    let sql = match factor {
        Factor::Password => {
            "UPDATE identity_accounts SET password_failures = password_failures + 1 WHERE official = $1
             RETURNING password_failures + sim_failures AS failures"
        }
        Factor::Sim => {
            "UPDATE identity_accounts SET sim_failures = sim_failures + 1 WHERE official = $1
             RETURNING password_failures + sim_failures AS failures"
        }
    };
    let row = sqlx::query(sql).bind(official.to_vec()).fetch_one(conn).await?;
    count(&row, "failures")
}

/// No attempt before `at`.
pub async fn set_retry_at(conn: &mut AnyConnection, official: OfficialId, at: Millis) -> Result<()> {
    sqlx::query("UPDATE identity_accounts SET retry_at = $2 WHERE official = $1")
        .bind(official.to_vec())
        .bind(at.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

/// The password was proven: forgets its failures. The wait stays while SIM failures stand.
pub async fn password_was_right(conn: &mut AnyConnection, official: OfficialId) -> Result<()> {
    sqlx::query(
        "UPDATE identity_accounts
         SET password_failures = 0, retry_at = CASE WHEN sim_failures > 0 THEN retry_at ELSE 0 END
         WHERE official = $1",
    )
    .bind(official.to_vec())
    .execute(conn)
    .await?;
    Ok(())
}

/// All factors were proven: forgets failures.
pub async fn forget_failures(conn: &mut AnyConnection, official: OfficialId) -> Result<()> {
    sqlx::query(
        "UPDATE identity_accounts SET password_failures = 0, sim_failures = 0, retry_at = 0
         WHERE official = $1 AND (password_failures > 0 OR sim_failures > 0 OR retry_at > 0)",
    )
    .bind(official.to_vec())
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether the row changed.
pub async fn set_suspended(conn: &mut AnyConnection, official: OfficialId, suspended: bool) -> Result<bool> {
    let done = sqlx::query("UPDATE identity_accounts SET suspended = $2 WHERE official = $1 AND suspended <> $2")
        .bind(official.to_vec())
        .bind(i64::from(suspended))
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes for good. Whether there is such an account.
pub async fn revoke(conn: &mut AnyConnection, official: OfficialId) -> Result<bool> {
    let done = sqlx::query("UPDATE identity_accounts SET revoked = 1 WHERE official = $1")
        .bind(official.to_vec())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

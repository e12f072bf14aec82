//! `identity_accounts`.

use super::devices::{self, STANDING};
use super::{count, flag, id, millis, opt_millis, padded, select_all};
use crate::model::account::Account;
use crate::model::device::Standing;
use pakawaaz_base::{DeviceId, Millis, OfficialId};
use pakawaaz_storage::{Engine, Result, values};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &str =
    "official, username, revoked, suspended, password_file, password_set_at, password_failures, sim_failures, retry_at";
/// The same where a device's columns stand beside them.
const NAMED: &str = "identity_accounts.official, username, revoked, identity_accounts.suspended, password_file, \
     password_set_at, password_failures, sim_failures, retry_at";

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

/// Those of `officials` that exist; nobody else changes them until the transaction ends.
pub async fn lock_all(
    conn: &mut AnyConnection,
    officials: &BTreeSet<OfficialId>,
) -> Result<BTreeMap<OfficialId, Account>> {
    let from = (COLUMNS, "identity_accounts", "official");
    let rows = select_all(conn, from, officials.iter().map(OfficialId::as_bytes), true).await?;
    rows.iter().map(|row| account(row).map(|account| (account.official, account))).collect()
}

/// Whom a login names: the account with this login name, and the device, whoever its official is. One statement that
/// looks for both, so that its time does not say which of them exists.
pub async fn named(
    conn: &mut AnyConnection,
    username: &str,
    device: DeviceId,
) -> Result<(Option<Account>, Option<Standing>)> {
    let row = sqlx::query(AssertSqlSafe(named_sql())).bind(username).bind(device.to_vec()).fetch_one(conn).await?;
    let has = |column: &str| row.try_get::<Option<Vec<u8>>, _>(column).map(|id| id.is_some());
    let account = if has("official")? { Some(account(&row)?) } else { None };
    let device = if has("d_device")? { Some(devices::standing(&row)?) } else { None };
    Ok((account, device))
}

pub(super) fn named_sql() -> String {
    format!(
        "SELECT {NAMED}, {STANDING} FROM (SELECT 1 AS one) AS o
         LEFT JOIN identity_accounts ON identity_accounts.username = $1
         LEFT JOIN identity_devices ON identity_devices.device = $2"
    )
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

/// Writes back what [`lock_all`] gave and logins may change: failures and the wait.
pub async fn put_failures(conn: &mut AnyConnection, accounts: &[&Account]) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    let accounts = padded(accounts);
    let mut query = sqlx::query(AssertSqlSafe(put_failures_sql(&values(conn, accounts.len(), 4))));
    for account in accounts {
        query = query
            .bind(account.official.to_vec())
            .bind(i64::from(account.password_failures))
            .bind(i64::from(account.sim_failures))
            .bind(account.retry_at.as_i64());
    }
    query.execute(conn).await?;
    Ok(())
}

/// COALESCE: the rows wanted are looked up, one by one, whatever SQLite thinks of their number.
pub(super) fn put_failures_sql(values: &str) -> String {
    format!(
        "WITH w (official, password, sim, at) AS (VALUES {values})
         UPDATE identity_accounts SET password_failures = w.password, sim_failures = w.sim, retry_at = w.at
         FROM w WHERE identity_accounts.official = COALESCE(w.official, NULL)"
    )
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

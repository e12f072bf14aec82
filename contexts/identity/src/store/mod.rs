//! All SQL of this context, row ↔ model.

pub mod accounts;
pub mod attempts;
pub mod card_batches;
pub mod devices;
pub mod grants;
pub mod proposals;
pub mod revocations;
pub mod roles;
pub mod sessions;
pub mod sims;
pub mod suci_keys;

use pakawaaz_base::{Millis, OfficialId};
use pakawaaz_storage::{Engine, Migration, Result, StorageError, values};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

/// The schema of this context.
pub const MIGRATIONS: &[Migration] = &[
    Migration { context: "identity", version: 1, sql: include_str!("../../migrations/0001_identity.sql") },
    Migration { context: "identity", version: 2, sql: include_str!("../../migrations/0002_home_network.sql") },
    Migration { context: "identity", version: 3, sql: include_str!("../../migrations/0003_login_network.sql") },
    Migration { context: "identity", version: 4, sql: include_str!("../../migrations/0004_card_batches.sql") },
    Migration { context: "identity", version: 5, sql: include_str!("../../migrations/0005_phone_proofs.sql") },
];

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

/// Repeats the last row up to a power of two, so that few different statements are prepared. For statements in which a
/// repeated row means nothing.
fn padded<T: Clone>(rows: &[T]) -> Vec<T> {
    let mut out = rows.to_vec();
    if let Some(last) = rows.last() {
        out.resize(rows.len().next_power_of_two(), last.clone());
    }
    out
}

/// The first rows, as many as the largest power of two that fits, and the rest. For inserts, which cannot be padded.
fn piece<T>(rows: &[T]) -> Option<(&[T], &[T])> {
    Some(rows.split_at(1 << rows.len().checked_ilog2()?))
}

fn select_sql(conn: &AnyConnection, (columns, table, key): (&str, &str, &str), ids: usize, locked: bool) -> String {
    let lock = if locked { Engine::of(conn).pick("", " FOR UPDATE") } else { "" };
    format!("SELECT {columns} FROM {table} WHERE {key} IN {} ORDER BY {key}{lock}", values(conn, 1, ids))
}

/// `from` (columns, table, key): the rows whose key is one of `ids`. `locked`: nobody else changes them until the
/// transaction ends; they are locked in the order of their ids, so that two nodes never wait for each other.
async fn select_all(
    conn: &mut AnyConnection,
    from: (&str, &str, &str),
    ids: impl Iterator<Item = &[u8; 16]>,
    locked: bool,
) -> Result<Vec<AnyRow>> {
    let ids = padded(&ids.collect::<Vec<_>>());
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = select_sql(conn, from, ids.len(), locked);
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for id in ids {
        query = query.bind(id.to_vec());
    }
    Ok(query.fetch_all(conn).await?)
}

/// Whether `now` is in a later hour than the one noted for `what`; notes it then, and says what was noted before. Of
/// several nodes one is told so.
pub async fn next_hour(conn: &mut AnyConnection, what: &'static str, now: Millis) -> Result<Option<Millis>> {
    const HOUR: i64 = 3_600_000;
    let lock = Engine::of(conn).pick("", " FOR UPDATE");
    let sql = format!("SELECT at FROM identity_clocks WHERE name = $1 AND at < $2{lock}");
    let begun = now.as_i64() / HOUR * HOUR;
    let found: Option<(i64,)> =
        sqlx::query_as(AssertSqlSafe(sql)).bind(what).bind(begun).fetch_optional(&mut *conn).await?;
    let Some((before,)) = found else { return Ok(None) };
    sqlx::query("UPDATE identity_clocks SET at = $2 WHERE name = $1")
        .bind(what)
        .bind(now.as_i64())
        .execute(conn)
        .await?;
    Ok(Some(Millis(before)))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the number of rows wanted: SQLite would read a whole table for many of them.
    #[tokio::test]
    async fn no_batch_reads_a_whole_table() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("plan.db").display());
        let db = pakawaaz_storage::Db::open(&url, &Default::default()).await.unwrap();
        db.migrate(MIGRATIONS).await.unwrap();
        let mut read = db.read().await.unwrap();
        for rows in [1, 16, 256] {
            let conn = read.conn();
            let statements = [
                select_sql(conn, ("*", "identity_accounts", "official"), rows, true),
                select_sql(conn, ("*", "identity_devices", "device"), rows, true),
                select_sql(conn, ("*", "identity_sims", "sim"), rows, true),
                select_sql(conn, ("*", "identity_sessions", "session"), rows, true),
                select_sql(conn, ("*", "identity_sessions", "login_id"), rows, false),
                select_sql(conn, ("*", "identity_attempt_steps", "attempt"), rows, false),
                accounts::put_failures_sql(&values(conn, rows, 4)),
                devices::seen_sql(&values(conn, rows, 2)),
                sims::set_counters_sql(&values(conn, rows, 5)),
                sessions::rotate_sql(&values(conn, rows, 3)),
                accounts::named_sql(),
            ];
            for sql in statements {
                let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
                let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut *conn).await.unwrap();
                let steps: Vec<&str> = plan.iter().map(|(.., step)| step.as_str()).collect();
                let tables = steps.iter().filter(|step| step.starts_with("SCAN identity_"));
                assert_eq!(tables.count(), 0, "{rows} rows: {sql:.90} … {steps:?}");
                assert!(steps.iter().any(|step| step.starts_with("SEARCH identity_")), "{sql:.90} … {steps:?}");
            }
        }
    }
}

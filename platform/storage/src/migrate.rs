//! Schema migrations: each context numbers its own steps.

use crate::{Db, Engine, Result, StorageError};
use std::collections::BTreeMap;

/// One step of one context's schema.
///
/// The SQL may hold several statements and is written once for both engines, with the tokens `{bytes}`
/// (`BLOB`/`BYTEA`) and `{serial}` (an automatically numbered `BIGINT` primary key). Lines after
/// `-- engine: sqlite` or `-- engine: postgres` apply to that engine alone, until `-- engine: all`.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Owner, for example `messaging`.
    pub context: &'static str,
    /// Rising from 1 within the context; never renumbered once released.
    pub version: i64,
    /// Statements, usually `include_str!("../migrations/0001_name.sql")`.
    pub sql: &'static str,
}

/// Key of the PostgreSQL advisory lock that makes nodes migrate one after the other.
const MIGRATION_LOCK: i64 = 0x70616b_6d696772;

/// The tables of this crate, applied before any other.
const OWN: &[Migration] = &[
    Migration { context: "storage", version: 1, sql: include_str!("../migrations/0001_outbox.sql") },
    Migration { context: "storage", version: 2, sql: include_str!("../migrations/0002_heartbeat.sql") },
];

impl Db {
    /// Applies what is missing, in the given order, in one transaction: all or nothing. Safe to call from
    /// several nodes at once and on every start.
    ///
    /// Errors: [`StorageError::SchemaTooNew`] when a newer program has been here.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<()> {
        let mut known: BTreeMap<&'static str, i64> = BTreeMap::new();
        for step in OWN.iter().chain(migrations) {
            let last = known.entry(step.context).or_insert(0);
            if step.version <= *last {
                return Err(StorageError::internal("migration_order"));
            }
            *last = step.version;
        }

        let mut tx = self.begin().await?;
        tx.lock(MIGRATION_LOCK).await?;
        sqlx::raw_sql(
            "CREATE TABLE IF NOT EXISTS schema_migrations (
                context TEXT NOT NULL, version BIGINT NOT NULL, applied_at BIGINT NOT NULL,
                PRIMARY KEY (context, version))",
        )
        .execute(tx.conn())
        .await?;
        let applied: Vec<(String, i64)> =
            sqlx::query_as("SELECT context, version FROM schema_migrations").fetch_all(tx.conn()).await?;
        for (&context, &known) in &known {
            let found = applied.iter().filter(|(c, _)| c == context).map(|(_, v)| *v).max().unwrap_or(0);
            if found > known {
                return Err(StorageError::SchemaTooNew { context, found, known });
            }
        }

        let mut changed = false;
        for step in OWN.iter().chain(migrations) {
            if applied.iter().any(|(c, v)| c == step.context && *v == step.version) {
                continue;
            }
            sqlx::raw_sql(sqlx::AssertSqlSafe(self.engine().render(step.sql)))
                .execute(tx.conn())
                .await
                .inspect_err(|_| tracing::error!(context = step.context, version = step.version, "migration failed"))?;
            sqlx::query(match self.engine() {
                Engine::Sqlite => {
                    "INSERT INTO schema_migrations (context, version, applied_at)
                     VALUES ($1, $2, CAST(strftime('%s', 'now') AS INTEGER) * 1000)"
                }
                Engine::Postgres => {
                    "INSERT INTO schema_migrations (context, version, applied_at)
                     VALUES ($1, $2, CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT))"
                }
            })
            .bind(step.context)
            .bind(step.version)
            .execute(tx.conn())
            .await?;
            tracing::info!(context = step.context, version = step.version, "migrated");
            changed = true;
        }
        if changed { tx.commit().await } else { tx.rollback().await }
    }
}

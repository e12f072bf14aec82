//! Native client store: rows in one SQLite file.
//!
//! Values arrive sealed (`pakawaaz_client::vault`); this crate only keeps them. WAL with `synchronous = FULL`: a
//! batch that was acknowledged survives power loss. One connection, so a read never sees an older state than the
//! write before it; the shell holds the profile lock, so there is one process.

use pakawaaz_client::StoreError;
use pakawaaz_client::store::{Batch, Range, Row, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Executor as _, Row as _};
use std::path::Path;
use std::time::Duration;

/// SQLITE_FULL.
const FULL: &str = "13";
/// SQLITE_BUSY and SQLITE_LOCKED.
const BUSY: [&str; 2] = ["5", "6"];

/// The rows of one profile in a file.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

fn failed(e: sqlx::Error) -> StoreError {
    if let sqlx::Error::Database(db) = &e {
        let code = db.code().unwrap_or_default();
        // Extended codes carry the primary code in the low byte.
        let primary = code.parse::<u32>().map(|c| (c & 0xff).to_string()).unwrap_or_default();
        if primary == FULL {
            return StoreError::Full;
        }
        if BUSY.contains(&primary.as_str()) {
            return StoreError::Busy;
        }
        return StoreError::Failed(format!("sqlite error {code}"));
    }
    // Texts of I/O errors name paths; the kind is enough.
    StoreError::Failed(match e {
        sqlx::Error::Io(io) => format!("i/o: {}", io.kind()),
        sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
        sqlx::Error::PoolClosed => "the store is closed".to_owned(),
        _ => "sqlite".to_owned(),
    })
}

impl SqliteStore {
    /// Opens the file, creating it when it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when the file cannot be opened or is no store.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            // Deleted message keys are overwritten, not just unlinked.
            .pragma("secure_delete", "ON");
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await
            .map_err(failed)?;
        pool.execute("CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            .await
            .map_err(failed)?;
        Ok(Self { pool })
    }
    /// Writes the log back into the file and closes it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Store for SqliteStore {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT value FROM rows WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.map(|r| r.try_get(0).map_err(failed)).transpose()
    }

    async fn scan(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        let sql = match (&range.end, range.reverse) {
            (Some(_), false) => "SELECT key, value FROM rows WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3",
            (Some(_), true) => "SELECT key, value FROM rows WHERE key >= $1 AND key < $2 ORDER BY key DESC LIMIT $3",
            (None, false) => "SELECT key, value FROM rows WHERE key >= $1 AND $2 IS NULL ORDER BY key LIMIT $3",
            (None, true) => "SELECT key, value FROM rows WHERE key >= $1 AND $2 IS NULL ORDER BY key DESC LIMIT $3",
        };
        let rows = sqlx::query(sql)
            .bind(range.start)
            .bind(range.end)
            .bind(i64::try_from(range.limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(|r| Ok((r.try_get(0).map_err(failed)?, r.try_get(1).map_err(failed)?))).collect()
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        for key in batch.deletes {
            sqlx::query("DELETE FROM rows WHERE key = $1").bind(key).execute(&mut *tx).await.map_err(failed)?;
        }
        for (key, value) in batch.puts {
            sqlx::query(
                "INSERT INTO rows (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            )
            .bind(key)
            .bind(value)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }
}

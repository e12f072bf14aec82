//! [`Store`] on SQLite: one table of opaque rows, already encrypted by the core.
//!
//! Durable means durable: WAL with `synchronous = FULL`, so a committed batch survives power loss. One connection:
//! the profile lock keeps other processes out, and the core is single-threaded.

use pakawaaz_client::StoreError;
use pakawaaz_client::store::{Batch, Range, Row, Store};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

/// The store of one profile.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    pool: SqlitePool,
}

impl SqliteStore {
    /// Opens or makes the store at `path`.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the file is no database or cannot be written, [`StoreError::Busy`], [`StoreError::Full`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        let pool =
            SqlitePoolOptions::new().max_connections(1).idle_timeout(None).connect_with(options).await.map_err(failed)?;
        sqlx::query("CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
            .execute(&pool)
            .await
            .map_err(failed)?;
        Ok(Self { pool })
    }

    /// Closes the file. Only needed before the file itself is removed.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Store for SqliteStore {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_scalar("SELECT value FROM entries WHERE key = $1")
            .bind(key.to_vec())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)
    }

    async fn scan(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        const FORWARD: &str =
            "SELECT key, value FROM entries WHERE key >= $1 AND ($2 IS NULL OR key < $2) ORDER BY key LIMIT $3";
        const REVERSE: &str =
            "SELECT key, value FROM entries WHERE key >= $1 AND ($2 IS NULL OR key < $2) ORDER BY key DESC LIMIT $3";
        sqlx::query_as(if range.reverse { REVERSE } else { FORWARD })
            .bind(range.start)
            .bind(range.end)
            .bind(i64::try_from(range.limit).unwrap_or(i64::MAX))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)
    }

    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        // Dropping the transaction before its commit rolls it back, so a cancelled caller leaves nothing behind.
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        for key in batch.deletes {
            sqlx::query("DELETE FROM entries WHERE key = $1").bind(key).execute(&mut *tx).await.map_err(failed)?;
        }
        for (key, value) in batch.puts {
            sqlx::query(
                "INSERT INTO entries (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
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

/// SQLite's primary result codes: 5 BUSY, 6 LOCKED, 13 FULL.
fn failed(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|c| c.parse::<u32>().ok());
    match code.map(|c| c & 0xff) {
        Some(13) => StoreError::Full,
        Some(5 | 6) => StoreError::Busy,
        Some(code) => StoreError::Failed(format!("SQLite result {code}")),
        None => StoreError::Failed("the database cannot be used".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_a_store() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("s.sqlite")).await.unwrap();
        pakawaaz_client::store_conformance::all(&store).await;
    }

    #[tokio::test]
    async fn a_committed_batch_is_there_after_reopening() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.sqlite");
        let store = SqliteStore::open(&path).await.unwrap();
        store.commit(Batch { puts: vec![(b"k".to_vec(), b"v".to_vec())], deletes: vec![] }).await.unwrap();
        store.close().await;
        let again = SqliteStore::open(&path).await.unwrap();
        assert_eq!(again.get(b"k").await.unwrap().as_deref(), Some(&b"v"[..]));
    }

    #[tokio::test]
    async fn a_full_disk_is_named_and_nothing_of_the_batch_is_visible() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("s.sqlite")).await.unwrap();
        sqlx::query("PRAGMA max_page_count = 20").execute(&store.pool).await.unwrap();
        let puts = (0..64u8).map(|i| (vec![i], vec![i; 4096])).collect();
        assert_eq!(store.commit(Batch { puts, deletes: vec![] }).await, Err(StoreError::Full));
        assert!(store.scan(Range::prefix(&[])).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s.sqlite");
        std::fs::write(&path, vec![b'x'; 8192]).unwrap();
        assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::Failed(_))));
    }
}

//! What the database engine can do at best: group commit of rows like a message's, without everything around it.

use crate::clock::Moment;
use anyhow::{Context as _, Result};
use async_trait::async_trait;
use pakawaaz_storage::{BatchHandler, BatchOptions, Batcher, Db, Migration, StorageError, StorageOptions, Tx, values};
use rand::RngCore as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The columns of a conversation's log and of its head.
const MIGRATION: Migration = Migration {
    context: "raw",
    version: 1,
    sql: "CREATE TABLE raw_group (group_id {bytes} PRIMARY KEY, head_seq BIGINT NOT NULL);
          CREATE TABLE raw_log (
              group_id {bytes} NOT NULL, seq BIGINT NOT NULL, epoch BIGINT NOT NULL, kind BIGINT NOT NULL,
              message_id {bytes} NOT NULL, sender {bytes} NOT NULL, at BIGINT NOT NULL, mls {bytes} NOT NULL,
              log_hash {bytes} NOT NULL, PRIMARY KEY (group_id, seq), UNIQUE (group_id, message_id))",
};

/// Columns of a row.
const COLUMNS: usize = 9;
/// Rows in one statement: engines bound the parameters.
const ROWS: usize = 100;

struct Row {
    group: [u8; 16],
    seq: i64,
    message: [u8; 16],
    mls: Vec<u8>,
}

struct Append;

#[async_trait]
impl BatchHandler for Append {
    type Request = Row;
    type Response = ();
    type Error = StorageError;

    async fn apply(&self, tx: &mut Tx, rows: &[Row]) -> Result<Vec<Result<(), StorageError>>, StorageError> {
        for piece in rows.chunks(ROWS) {
            let sql = format!("INSERT INTO raw_log VALUES {}", values(tx.conn(), piece.len(), COLUMNS));
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for row in piece {
                query = query
                    .bind(row.group.to_vec())
                    .bind(row.seq)
                    .bind(1i64)
                    .bind(1i64)
                    .bind(row.message.to_vec())
                    .bind(row.group.to_vec())
                    .bind(0i64)
                    .bind(row.mls.clone())
                    .bind(vec![7u8; 32]);
            }
            query.execute(tx.conn()).await?;
        }
        let mut heads: Vec<&Row> = rows.iter().collect();
        heads.sort_by_key(|row| (row.group, row.seq));
        heads.reverse();
        heads.dedup_by_key(|row| row.group);
        for row in heads {
            sqlx::query("UPDATE raw_group SET head_seq = $1 WHERE group_id = $2")
                .bind(row.seq)
                .bind(row.group.to_vec())
                .execute(tx.conn())
                .await?;
        }
        Ok(rows.iter().map(|_| Ok(())).collect())
    }
}

/// Rows made durable a second by `in_flight` submitters over `groups` groups, with messages of `size` bytes, in a
/// database in `dir`, during `lasts`.
pub fn rows_per_second(dir: &Path, groups: usize, in_flight: usize, size: usize, lasts: Duration) -> Result<f64> {
    let url = format!("sqlite://{}", dir.join("raw.db").display());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let db = Db::open(&url, &StorageOptions::default()).await?;
        db.migrate(&[MIGRATION]).await?;
        let mut tx = db.begin().await?;
        for group in 0..groups {
            sqlx::query("INSERT INTO raw_group VALUES ($1, 0)")
                .bind(group_id(group).to_vec())
                .execute(tx.conn())
                .await?;
        }
        tx.commit().await?;
        let batcher = Batcher::start("raw", db.clone(), Arc::new(Append), BatchOptions::default());
        let stored = Arc::new(AtomicU64::new(0));
        let mut mls = vec![0u8; size];
        rand::rngs::OsRng.fill_bytes(&mut mls);
        let started = Moment::now();
        let mut submitters = tokio::task::JoinSet::new();
        for number in 0..in_flight {
            let (batcher, stored, mls) = (batcher.clone(), Arc::clone(&stored), mls.clone());
            submitters.spawn(async move {
                let mut count = 0u64;
                while started.elapsed() < lasts {
                    let seq = (count * in_flight as u64 + number as u64) as i64;
                    let mut message = [0u8; 16];
                    rand::rngs::OsRng.fill_bytes(&mut message);
                    let row = Row { group: group_id(number % groups), seq, message, mls: mls.clone() };
                    batcher.submit(row).await?;
                    stored.fetch_add(1, Ordering::Relaxed);
                    count += 1;
                }
                Ok::<_, StorageError>(())
            });
        }
        while let Some(ended) = submitters.join_next().await {
            ended.context("a submitter")??;
        }
        let rate = stored.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64();
        db.close().await;
        Ok(rate)
    })
}

fn group_id(number: usize) -> [u8; 16] {
    let mut id = [0u8; 16];
    id[..8].copy_from_slice(&(number as u64).to_be_bytes());
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_stored_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let rate = rows_per_second(dir.path(), 3, 8, 100, Duration::from_millis(100)).unwrap();
        assert!(rate > 0.0);
    }
}

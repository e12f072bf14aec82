//! Transactional outbox: facts from one context to the others, at least once and in order.
//!
//! A context appends events to its own write transaction; they become visible with its commit or not at
//! all. Ids are given out under a row lock that is taken as the very last statement before COMMIT and kept
//! until the commit is done. So ids rise in *commit* order on both engines, and a consumer's position can
//! be one number: without the lock a PostgreSQL reader could see id 6, move on, and never see id 5 that
//! commits a moment later.
//!
//! A consumer runs on every node, but the lock on its cursor row lets one node at a time deliver. The
//! handler's own writes and the cursor commit together: effects in this database happen exactly once,
//! effects elsewhere at least once.

use crate::{Db, Result, StorageError, Tx};
use async_trait::async_trait;
use futures::FutureExt;
use pakawaaz_base::{Millis, StableError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::AnyConnection;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a consumer sleeps without a wake-up; bounds the delay for events committed by other nodes.
const POLL: Duration = Duration::from_millis(200);
/// Events delivered in one transaction.
const MAX_BATCH: i64 = 64;
/// Longest pause after a failing event.
const MAX_BACKOFF: Duration = Duration::from_secs(30);

/// An event waiting for the commit of its transaction.
pub(crate) struct Pending {
    kind: &'static str,
    payload: String,
    created_at: i64,
}

/// Adds an event to the transaction; it is written when the transaction commits.
///
/// `kind` is `context.fact`, for example `identity.device_revoked`, and is never renamed once released.
/// The payload must not hold names or content: it outlives the rows it speaks about.
///
/// Errors: [`StorageError::Internal`] when the payload is no JSON or `kind` names no context.
pub fn append(tx: &mut Tx, kind: &'static str, payload: &impl Serialize, now: Millis) -> Result<()> {
    if !kind.contains('.') {
        return Err(StorageError::internal("outbox_kind"));
    }
    let payload = serde_json::to_string(payload).map_err(|_| StorageError::internal("outbox_payload"))?;
    tx.pending.push(Pending { kind, payload, created_at: now.as_i64() });
    Ok(())
}

/// Numbers and inserts the events; the caller commits right after.
pub(crate) async fn write(conn: &mut AnyConnection, events: Vec<Pending>) -> Result<()> {
    let (last,): (i64,) = sqlx::query_as("UPDATE outbox_counter SET last = last + $1 WHERE one = 1 RETURNING last")
        .bind(events.len() as i64)
        .fetch_one(&mut *conn)
        .await?;
    let first = last - events.len() as i64 + 1;
    for (id, event) in (first..).zip(events) {
        sqlx::query("INSERT INTO outbox (id, context, kind, payload, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(id)
            .bind(event.kind.split('.').next().unwrap_or_default())
            .bind(event.kind)
            .bind(event.payload)
            .bind(event.created_at)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// Deletes events older than `before` that every known consumer has handled. Returns how many.
pub async fn prune(db: &Db, before: Millis) -> Result<u64> {
    let mut tx = db.begin().await?;
    let done = sqlx::query(
        "DELETE FROM outbox WHERE created_at < $1
         AND id <= (SELECT COALESCE(MIN(position), 0) FROM outbox_cursor)",
    )
    .bind(before.as_i64())
    .execute(tx.conn())
    .await?
    .rows_affected();
    tx.commit().await?;
    Ok(done)
}

/// A committed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Position in the log, rising in commit order.
    pub id: i64,
    /// The context that states the fact.
    pub context: String,
    /// `context.fact`.
    pub kind: String,
    /// JSON text.
    pub payload: String,
    /// When it was appended.
    pub created_at: Millis,
}

impl OutboxEvent {
    /// The payload as `T`.
    ///
    /// Errors: [`StorageError::Internal`] when it does not fit.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.payload).map_err(|_| StorageError::internal("outbox_payload"))
    }
}

/// Why a handler failed: only the stable code of its error, which is all that gets logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerError {
    /// Stable error code.
    pub code: &'static str,
}

impl<E: StableError> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self { code: error.code() }
    }
}

/// Consumes events. Must be idempotent in everything it does outside of `tx`.
#[async_trait]
pub trait OutboxHandler: Send + Sync + 'static {
    /// Name of the cursor, for example `messaging.revocations`; never reused for another purpose.
    fn consumer(&self) -> &'static str;

    /// Whether it wants events of this kind; others are skipped.
    fn wants(&self, _kind: &str) -> bool {
        true
    }

    /// Handles one event. What it writes through `tx` commits together with the cursor.
    ///
    /// An error rolls back and the event is tried again after a pause: nothing is ever skipped, so return
    /// `Ok` for an event that can never succeed (after recording it).
    async fn handle(&self, tx: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError>;
}

/// Delivers events to one handler.
pub struct OutboxConsumer {
    db: Db,
    handler: Arc<dyn OutboxHandler>,
    limit: i64,
}

impl OutboxConsumer {
    /// A consumer; nothing happens until it runs. A new name starts at the oldest event still stored.
    pub fn new(db: Db, handler: Arc<dyn OutboxHandler>) -> Self {
        Self { db, handler, limit: MAX_BATCH }
    }

    /// Delivers until `shutdown`, waking up on local commits and at least every 200 ms.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut changes = self.db.outbox_changes();
        let mut pause = POLL;
        loop {
            changes.mark_unchanged();
            let failed = self.deliver().await.err();
            pause = match failed {
                None => POLL,
                Some(error) => {
                    let consumer = self.handler.consumer();
                    tracing::warn!(consumer, code = error.code, "outbox delivery failed; will retry");
                    metrics::counter!("pakawaaz_outbox_failures_total", "consumer" => consumer).increment(1);
                    (pause * 2).min(MAX_BACKOFF)
                }
            };
            // After a failure new events must not shorten the pause: the failing one is still first.
            tokio::select! {
                () = shutdown.cancelled() => return,
                changed = changes.changed(), if failed.is_none() => if changed.is_err() { return },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Delivers everything committed so far and returns the number of events handled.
    ///
    /// Errors: the first failure; events before it are done.
    pub async fn deliver(&mut self) -> Result<u64, HandlerError> {
        let mut total = 0;
        while self.behind().await? {
            match self.step().await {
                Ok(handled) => {
                    self.limit = (self.limit * 2).min(MAX_BATCH);
                    total += handled;
                }
                // The bad event took good ones down with it: bring those home one by one.
                Err(_) if self.limit > 1 => self.limit = 1,
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    /// Whether there is something to do, without taking any lock: idle consumers must not queue for
    /// SQLite's single writer.
    async fn behind(&self) -> Result<bool> {
        let mut read = self.db.read().await?;
        let (behind,): (i64,) = sqlx::query_as(
            "SELECT (SELECT last FROM outbox_counter WHERE one = 1)
                  - COALESCE((SELECT position FROM outbox_cursor WHERE consumer = $1), 0)",
        )
        .bind(self.handler.consumer())
        .fetch_one(read.conn())
        .await?;
        metrics::gauge!("pakawaaz_outbox_lag", "consumer" => self.handler.consumer()).set(behind as f64);
        Ok(behind > 0)
    }

    async fn step(&self) -> Result<u64, HandlerError> {
        let consumer = self.handler.consumer();
        let mut tx = self.db.begin().await?;
        sqlx::query("INSERT INTO outbox_cursor (consumer, position) VALUES ($1, 0) ON CONFLICT (consumer) DO NOTHING")
            .bind(consumer)
            .execute(tx.conn())
            .await
            .map_err(StorageError::from)?;
        let lock = tx.engine().pick(
            "SELECT position FROM outbox_cursor WHERE consumer = $1",
            "SELECT position FROM outbox_cursor WHERE consumer = $1 FOR UPDATE",
        );
        let (position,): (i64,) =
            sqlx::query_as(lock).bind(consumer).fetch_one(tx.conn()).await.map_err(StorageError::from)?;
        let rows: Vec<(i64, String, String, String, i64)> = sqlx::query_as(
            "SELECT id, context, kind, payload, created_at FROM outbox WHERE id > $1 ORDER BY id LIMIT $2",
        )
        .bind(position)
        .bind(self.limit)
        .fetch_all(tx.conn())
        .await
        .map_err(StorageError::from)?;

        // No rows although behind: another node was faster, or the events were pruned (nobody else had
        // asked for them when this consumer was new). The counter is read *before* the second look, so an
        // event that commits in between is above it.
        let mut reached = position;
        if rows.is_empty() {
            let (last,): (i64,) = sqlx::query_as("SELECT last FROM outbox_counter WHERE one = 1")
                .fetch_one(tx.conn())
                .await
                .map_err(StorageError::from)?;
            let (stored,): (i64,) = sqlx::query_as("SELECT COUNT(*) FROM outbox WHERE id > $1 AND id <= $2")
                .bind(position)
                .bind(last)
                .fetch_one(tx.conn())
                .await
                .map_err(StorageError::from)?;
            if stored == 0 {
                reached = reached.max(last);
            }
        }
        let mut handled = 0;
        for (id, context, kind, payload, created_at) in rows {
            if self.handler.wants(&kind) {
                let event = OutboxEvent { id, context, kind, payload, created_at: Millis(created_at) };
                // A panicking handler must not end the consumer for good.
                AssertUnwindSafe(self.handler.handle(&mut tx, &event))
                    .catch_unwind()
                    .await
                    .unwrap_or(Err(HandlerError { code: "storage.handler_panic" }))?;
                handled += 1;
            }
            reached = id;
        }
        sqlx::query("UPDATE outbox_cursor SET position = $2 WHERE consumer = $1")
            .bind(consumer)
            .bind(reached)
            .execute(tx.conn())
            .await
            .map_err(StorageError::from)?;
        tx.commit().await?;
        Ok(handled)
    }
}

//! Group commit: many small writes share one durable transaction.
//!
//! The disk's fsync is the limit, not the CPU: one row per commit gives hundreds of rows a second, a few
//! hundred rows per commit give tens of thousands.

use crate::{Db, Result, StorageError, Tx};
use async_trait::async_trait;
use futures::FutureExt;
use pakawaaz_base::{ErrorClass, StableError};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Applies a batch of requests to one transaction.
#[async_trait]
pub trait BatchHandler: Send + Sync + 'static {
    /// What is submitted.
    type Request: Send + Sync + 'static;
    /// What a submitter gets back once its request is durable.
    type Response: Send + Sync + 'static;
    /// Refusals and failures.
    type Error: StableError + From<StorageError> + Send + Sync + 'static;

    /// Applies all requests in order and returns one result for each.
    ///
    /// An inner `Err` refuses that request alone; it must not have written anything. An outer `Err` rolls
    /// the transaction back, and every request is then tried in a transaction of its own, so that one bad
    /// request cannot fail the others (no retry when the class is [`ErrorClass::Unavailable`]).
    async fn apply(
        &self,
        tx: &mut Tx,
        requests: &[Self::Request],
    ) -> Result<Vec<Result<Self::Response, Self::Error>>, Self::Error>;

    /// Called after the commit and before the submitters wake up, in the order of commits, while the next transaction
    /// may be running; for wake-ups to others.
    fn committed(&self, _requests: &[Self::Request], _results: &[Result<Self::Response, Self::Error>]) {}
}

/// Limits of a [`Batcher`].
#[derive(Clone, Copy, Debug)]
pub struct BatchOptions {
    /// Most requests in one transaction.
    pub max_batch: usize,
    /// Longest wait for company. A request that is alone does not wait at all.
    pub max_wait: Duration,
    /// Requests that may queue before submitters have to wait.
    pub queue: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { max_batch: 256, max_wait: Duration::from_millis(2), queue: 4096 }
    }
}

struct Job<H: BatchHandler> {
    request: H::Request,
    reply: oneshot::Sender<Result<H::Response, H::Error>>,
}

/// Collects requests into shared transactions. Cheap to clone; stops when the last clone is dropped.
pub struct Batcher<H: BatchHandler> {
    queue: mpsc::Sender<Job<H>>,
}

impl<H: BatchHandler> Clone for Batcher<H> {
    fn clone(&self) -> Self {
        Self { queue: self.queue.clone() }
    }
}

impl<H: BatchHandler> Batcher<H> {
    /// Starts the worker task. `name` labels the metrics.
    pub fn start(name: &'static str, db: Db, handler: Arc<H>, options: BatchOptions) -> Self {
        let (queue, jobs) = mpsc::channel(options.queue.max(1));
        tokio::spawn(Worker { name, db, handler, options }.run(jobs));
        Self { queue }
    }

    /// Submits a request and waits until its effect is durable.
    ///
    /// On an error nothing was acknowledged; after [`StorageError::Unavailable`] from a lost connection the
    /// request may still have been stored, so requests must be idempotent.
    pub async fn submit(&self, request: H::Request) -> Result<H::Response, H::Error> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Job { request, reply }).await.map_err(|_| StorageError::Unavailable)?;
        answer.await.map_err(|_| StorageError::Unavailable)?
    }
}

struct Worker<H: BatchHandler> {
    name: &'static str,
    db: Db,
    handler: Arc<H>,
    options: BatchOptions,
}

/// A committed transaction, on its way to those who wait for it.
struct Done<H: BatchHandler> {
    requests: Vec<H::Request>,
    results: Vec<Result<H::Response, H::Error>>,
    replies: Vec<oneshot::Sender<Result<H::Response, H::Error>>>,
}

/// Tells of commits, in their order, while the next transaction is already running.
async fn tell<H: BatchHandler>(handler: Arc<H>, mut done: mpsc::Receiver<Done<H>>) {
    while let Some(Done { requests, results, replies }) = done.recv().await {
        handler.committed(&requests, &results);
        for (reply, result) in replies.into_iter().zip(results) {
            let _ = reply.send(result); // the submitter may have gone
        }
    }
}

impl<H: BatchHandler> Worker<H> {
    async fn run(self, mut jobs: mpsc::Receiver<Job<H>>) {
        let (done, telling) = mpsc::channel(2);
        tokio::spawn(tell(self.handler.clone(), telling));
        let mut batch = Vec::new();
        let max = self.options.max_batch.max(1);
        while jobs.recv_many(&mut batch, max).await > 0 {
            // Others are about: give the rest of them a moment to arrive.
            if batch.len() > 1 && batch.len() < max {
                let deadline = tokio::time::Instant::now() + self.options.max_wait;
                while batch.len() < max {
                    match tokio::time::timeout_at(deadline, jobs.recv()).await {
                        Ok(Some(job)) => batch.push(job),
                        Ok(None) | Err(_) => break,
                    }
                }
            }
            metrics::histogram!("pakawaaz_storage_batch_size", "batch" => self.name).record(batch.len() as f64);
            self.store(batch.drain(..).map(|job| (job.request, job.reply)).unzip(), &done).await;
        }
    }

    async fn store(
        &self,
        (requests, replies): (Vec<H::Request>, Vec<oneshot::Sender<Result<H::Response, H::Error>>>),
        done: &mpsc::Sender<Done<H>>,
    ) {
        let failure = match self.attempt(&requests).await {
            Ok(results) => {
                let _ = done.send(Done { requests, results, replies }).await;
                return;
            }
            Err(failure) => failure,
        };
        if requests.len() == 1 || failure.fatal {
            let errors = std::iter::once(failure.error).chain(std::iter::repeat_with(|| failure.shared.clone().into()));
            for (reply, error) in replies.into_iter().zip(errors) {
                let _ = reply.send(Err(error));
            }
            return;
        }
        metrics::counter!("pakawaaz_storage_batch_splits_total", "batch" => self.name).increment(1);
        for (request, reply) in requests.into_iter().zip(replies) {
            match self.attempt(std::slice::from_ref(&request)).await {
                Ok(results) => {
                    let one = Done { requests: vec![request], results, replies: vec![reply] };
                    let _ = done.send(one).await;
                }
                Err(failure) => {
                    let _ = reply.send(Err(failure.error));
                }
            }
        }
    }

    /// One transaction. `Err` means that nothing was acknowledged.
    async fn attempt(&self, requests: &[H::Request]) -> Result<Vec<Result<H::Response, H::Error>>, Failure<H::Error>> {
        let mut tx = self.db.begin().await.map_err(Failure::storage)?;
        let applied = AssertUnwindSafe(self.handler.apply(&mut tx, requests)).catch_unwind().await;
        let results = match applied {
            Ok(Ok(results)) => results,
            Ok(Err(error)) => {
                let _ = tx.rollback().await; // dropping would roll back as well
                return Err(Failure::handler(error));
            }
            Err(_panic) => {
                let _ = tx.rollback().await;
                return Err(Failure { fatal: false, ..Failure::storage(StorageError::internal("batch_panic")) });
            }
        };
        if results.len() != requests.len() {
            let _ = tx.rollback().await;
            return Err(Failure::storage(StorageError::internal("batch_results")));
        }
        tx.commit().await.map_err(|error| Failure {
            // Only an aborted transaction is known not to be stored; anything else must not run twice.
            fatal: error != StorageError::Aborted,
            ..Failure::storage(error)
        })?;
        Ok(results)
    }
}

/// Why a transaction of a batch failed.
struct Failure<E> {
    /// For the first submitter.
    error: E,
    /// For all others, when they share the failure.
    shared: StorageError,
    /// Trying the requests one by one makes no sense.
    fatal: bool,
}

impl<E: StableError + From<StorageError>> Failure<E> {
    fn storage(error: StorageError) -> Self {
        Self { error: error.clone().into(), shared: error, fatal: true }
    }

    fn handler(error: E) -> Self {
        let fatal = error.class() == ErrorClass::Unavailable;
        Self { error, shared: StorageError::Unavailable, fatal }
    }
}

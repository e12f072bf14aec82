//! `/livez`: the process answers. `/readyz`: it can do its work, and if not, why not.

use crate::config::HealthConfig;
use crate::jobs::Jobs;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use pakawaaz_base::StableError;
use pakawaaz_identity::{Error as IdentityError, SimVault};
use pakawaaz_storage::{Db, StorageError};
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use utoipa::ToSchema;

/// A database that takes longer than this to answer counts as gone.
const PATIENCE: Duration = Duration::from_secs(3);
/// Asked more often, readiness gives the last answer: the probes must not become a load of their own.
const KEEP: Duration = Duration::from_millis(500);

/// What `/readyz` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Readiness {
    /// Whether to send clients here.
    pub ready: bool,
    /// `ok` or a stable code.
    pub database: String,
    /// `ok` or `disk.low`.
    pub disk: String,
    /// `ok` or `jobs.dead:` and names.
    pub jobs: String,
    /// `ok` or `outbox.lagging`.
    pub outbox: String,
    /// `ok` or `identity.vault_unavailable`: nobody can log in or register, but sessions that are open go on. It does not
    /// turn `ready` red, since that would end them too.
    pub vault: String,
    /// `ok` or `server.stopping`.
    pub server: String,
}

/// Looks after the server's health. Cheap to clone.
#[derive(Clone)]
pub struct Health {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    jobs: Jobs,
    sims: Arc<dyn SimVault>,
    data_dir: PathBuf,
    limits: HealthConfig,
    stopping: AtomicBool,
    last: Mutex<Option<(Instant, Readiness)>>,
}

impl Health {
    /// Health of a server with these parts.
    pub fn new(db: Db, jobs: Jobs, sims: Arc<dyn SimVault>, data_dir: PathBuf, limits: HealthConfig) -> Self {
        let (stopping, last) = (AtomicBool::new(false), Mutex::new(None));
        Self { inner: Arc::new(Inner { db, jobs, sims, data_dir, limits, stopping, last }) }
    }

    /// From now on the server is not ready.
    pub fn stopping(&self) {
        self.inner.stopping.store(true, Ordering::SeqCst);
    }

    /// The present state, at most half a second old.
    pub async fn readiness(&self) -> Readiness {
        let mut last = self.inner.last.lock().await;
        let stopping = self.inner.stopping.load(Ordering::SeqCst);
        if let Some((at, readiness)) = &*last
            && at.elapsed() < KEEP
            && !stopping
        {
            return readiness.clone();
        }
        let readiness = self.look(stopping).await;
        metrics::gauge!("pakawaaz_ready").set(f64::from(u8::from(readiness.ready)));
        *last = Some((Instant::now(), readiness.clone()));
        readiness
    }

    async fn look(&self, stopping: bool) -> Readiness {
        let inner = &self.inner;
        let (database, outbox) = match tokio::time::timeout(PATIENCE, self.database()).await {
            Ok(Ok(lag)) if lag > inner.limits.max_outbox_lag => ("ok".to_owned(), "outbox.lagging".to_owned()),
            Ok(Ok(_)) => ("ok".to_owned(), "ok".to_owned()),
            Ok(Err(error)) => (error.code().to_owned(), "unknown".to_owned()),
            Err(_) => (StorageError::Unavailable.code().to_owned(), "unknown".to_owned()),
        };
        let free = free_mib(&inner.data_dir);
        metrics::gauge!("pakawaaz_disk_free_mib").set(free.unwrap_or(0) as f64);
        let disk =
            if free.is_some_and(|free| free >= inner.limits.min_free_mib) { "ok" } else { "disk.low" }.to_owned();
        let dead = inner.jobs.dead();
        let jobs = if dead.is_empty() { "ok".to_owned() } else { format!("jobs.dead:{}", dead.join(",")) };
        let vault = if inner.sims.is_there() { "ok" } else { IdentityError::VaultUnavailable.code() }.to_owned();
        let server = if stopping { "server.stopping" } else { "ok" }.to_owned();
        let ready = [&database, &outbox, &disk, &jobs, &server].into_iter().all(|part| part == "ok");
        Readiness { ready, database, disk, jobs, outbox, vault, server }
    }

    /// Proves reading and writing; gives the lag of the slowest outbox consumer.
    async fn database(&self) -> Result<i64, StorageError> {
        self.inner.db.ping().await?;
        let mut read = self.inner.db.read().await?;
        let (lag,): (i64,) = sqlx::query_as(
            "SELECT (SELECT last FROM outbox_counter WHERE one = 1)
                  - COALESCE((SELECT MIN(position) FROM outbox_cursor),
                             (SELECT last FROM outbox_counter WHERE one = 1))",
        )
        .fetch_one(read.conn())
        .await?;
        Ok(lag)
    }

    /// The two routes.
    pub fn router(&self) -> Router {
        Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(self.clone())
    }
}

/// Free space for us in MiB; `None` when the directory is gone.
pub fn free_mib(path: &std::path::Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(path).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize) / (1024 * 1024))
}

/// The process answers
#[utoipa::path(get, path = "/livez", tag = "server", responses((status = 200, description = "alive")))]
pub(super) async fn livez() -> Response {
    ([(CACHE_CONTROL, "no-store")], "alive\n").into_response()
}

/// The server can do its work
#[utoipa::path(get, path = "/readyz", tag = "server", responses(
    (status = 200, body = Readiness), (status = 503, body = Readiness)
))]
pub(super) async fn readyz(State(health): State<Health>) -> Response {
    let readiness = health.readiness().await;
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], Json(readiness)).into_response()
}

//! Starting and stopping a whole server in this process.

use crate::config::Config;
use crate::files::DirectoryLock;
use crate::jobs::Jobs;
use crate::net::limits::Connections;
use crate::net::listener::Listening;
use crate::net::tls::{self, ServerCertificate};
use crate::web::app::WebApp;
use crate::web::health::Health;
use crate::web::{docs, metrics, openapi};
use crate::wiring::{self, Wired};
use crate::{SystemClock, files, installation, schema};
use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use http::HeaderValue;
use http::header::X_CONTENT_TYPE_OPTIONS;
use pakawaaz_base::{Clock, ErrorClass};
use pakawaaz_http::{CloseReason, Edge, Hub, Problem};
use pakawaaz_identity::InstallationSecrets;
use pakawaaz_storage::Db;
use pakawaaz_trust::{DeviceSigner, SigningKey};
use rand::rngs::OsRng;
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// The server certificate is made anew this often; it is valid for 90 days.
const CERTIFICATE_LASTS: Duration = Duration::from_secs(7 * 24 * 3600);
/// Part of the drain time that background jobs get.
const JOBS_GET: Duration = Duration::from_secs(2);

/// Where a running server listens: what the ready line says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// Plain HTTP.
    pub http: Option<SocketAddr>,
    /// HTTPS.
    pub https: Option<SocketAddr>,
    /// Metrics and health.
    pub metrics: Option<SocketAddr>,
    /// gNBs.
    pub n2: Option<SocketAddr>,
    /// RADIUS.
    pub radius: Option<SocketAddr>,
}

/// Starts servers.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens everything and listens. When this returns, clients can log in.
    pub async fn start(config: Config) -> Result<RunningServer> {
        Self::start_with_clock(config, Arc::new(SystemClock)).await
    }

    /// The same with another clock, for tests.
    pub async fn start_with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<RunningServer> {
        config.check()?;
        let about = installation::about(&config.data_dir)?;
        ensure!(
            !(config.production && about.demo),
            "production refuses this installation: it was made with demo keys; run `init` for a new one"
        );
        let lock = files::lock_directory(&config.data_dir)?;
        let secrets = installation::secrets(&config)?;
        let app = match &config.web.dir {
            none if none.as_os_str().is_empty() => Router::new(),
            dir => WebApp::load(dir)?.router(),
        };
        let recorder = metrics::recorder()?;

        let db = Db::open(&config.database_url()?, &schema::storage_options(&config)).await?;
        db.migrate(&schema::migrations()).await?;

        // Bound before anything is wired, because the ports (perhaps chosen just now) are part of the settings.
        let plain = bind(config.plain()).await?;
        let secure = bind(config.tls()).await?;
        let scrape = bind(config.metrics()).await?;
        let mut addrs = Addresses {
            http: address(&plain)?,
            https: address(&secure)?,
            metrics: address(&scrape)?,
            ..Addresses::default()
        };

        let jobs = Jobs::default();
        let hub = Hub::new(config.limits.connections);
        let authorities = config.authorities(addrs.http, addrs.https);
        let wired =
            wiring::wire(&config, &secrets, about.demo, authorities, &db, clock.clone(), hub.clone(), &jobs).await?;
        jobs.start("metrics", |stop| metrics::upkeep(recorder.clone(), stop));

        let Wired { router, authenticator, sims, n2, radius } = wired;
        let health = Health::new(db.clone(), jobs.clone(), sims, config.data_dir.clone(), config.health.clone());
        (addrs.n2, addrs.radius) = (n2, radius);
        let router = Edge { authenticator, clock: clock.clone() }
            .wrap(bounded(router.merge(pages()?).merge(health.router()).merge(app), &config));

        let stop = CancellationToken::new();
        let connections = Connections::new(
            config.limits.connections,
            config.limits.connections_per_address,
            config.limits.handshakes,
        );
        let listening = Listening {
            connections: connections.clone(),
            limits: config.limits.clone(),
            stop: stop.clone(),
            abort: CancellationToken::new(),
        };
        if let Some(listener) = plain {
            let (listening, router) = (listening.clone(), router.clone());
            jobs.start("listen_http", |end| ended(end, listening.run(listener, None, router)));
        }
        if let Some(listener) = secure {
            let certificate = ServerCertificate::make(&secrets, &config.http.hosts, &*clock)?;
            let acceptor = tls::acceptor(certificate.clone())?;
            let (listening, router) = (listening.clone(), router.clone());
            jobs.start("listen_https", |end| ended(end, listening.run(listener, Some(acceptor), router)));
            let hosts = config.http.hosts.clone();
            jobs.start("tls_certificate", |end| renew(certificate, secrets, hosts, clock, end));
        }
        let scraping = Listening {
            // Its own places: when clients have taken all others, one still wants to see the metrics.
            connections: Connections::new(64, 64, 1),
            ..listening.clone()
        };
        if let Some(listener) = scrape {
            let router = metrics::router(recorder).merge(health.router());
            jobs.start("listen_metrics", |end| ended(end, scraping.run(listener, None, router)));
        }
        tracing::info!(engine = db.engine().name(), demo = about.demo, "serving");
        let drain = Duration::from_secs(config.limits.drain_seconds);
        Ok(RunningServer { addrs, db, hub, jobs, health, listening, drain, _lock: lock })
    }
}

/// A server that runs until [`RunningServer::shutdown`]. Dropping it leaves its tasks to the runtime.
pub struct RunningServer {
    addrs: Addresses,
    db: Db,
    hub: Hub,
    jobs: Jobs,
    health: Health,
    listening: Listening,
    drain: Duration,
    _lock: DirectoryLock,
}

impl RunningServer {
    /// Where it listens.
    pub fn addrs(&self) -> Addresses {
        self.addrs
    }

    /// Open connections of clients.
    pub fn connections(&self) -> usize {
        self.listening.connections.open()
    }

    /// Accepts nothing more, tells every socket goodbye, lets running requests finish, and closes the database.
    /// Takes at most `limits.drain_seconds`.
    pub async fn shutdown(self) {
        tracing::info!("stopping");
        let deadline = tokio::time::Instant::now() + self.drain;
        self.health.stopping();
        self.listening.stop.cancel();
        self.hub.close_all(CloseReason::Shutdown);
        let patience = self.drain.saturating_sub(JOBS_GET);
        if tokio::time::timeout(patience, self.listening.connections.none_left()).await.is_err() {
            tracing::warn!(open = self.listening.connections.open(), "connections did not end in time");
            self.listening.abort.cancel();
        }
        self.jobs.stop(deadline.saturating_duration_since(tokio::time::Instant::now()).min(JOBS_GET)).await;
        if tokio::time::timeout_at(deadline.max(tokio::time::Instant::now() + JOBS_GET), self.db.close()).await.is_err()
        {
            tracing::warn!("the database did not close in time");
        }
        tracing::info!("stopped");
    }
}

async fn bind(address: Option<SocketAddr>) -> Result<Option<TcpListener>> {
    match address {
        None => Ok(None),
        Some(address) => Ok(Some(TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?)),
    }
}

fn address(listener: &Option<TcpListener>) -> Result<Option<SocketAddr>> {
    Ok(listener.as_ref().map(TcpListener::local_addr).transpose()?)
}

/// A listener is a job that should live as long as the server, so that readiness notices when it died. It stops
/// by its own token, earlier than the other jobs, and then waits for theirs.
async fn ended(end: CancellationToken, listening: impl Future<Output = ()>) {
    listening.await;
    end.cancelled().await;
}

/// A chunk of a file may take this long on its way in, as long as it moves (the handler looks).
const CHUNK_LASTS: Duration = Duration::from_secs(600);

/// Bounds every request in time (a WebSocket is answered when it is upgraded), and keeps browsers from guessing.
fn bounded(router: Router, config: &Config) -> Router {
    let usual = Duration::from_secs(config.limits.request_seconds.max(1));
    router.layer(middleware::from_fn(move |request: Request, next: Next| async move {
        let chunk = pakawaaz_files::http::is_chunk_path(request.uri().path());
        let limit = if chunk { CHUNK_LASTS } else { usual };
        let mut response = tokio::time::timeout(limit, next.run(request))
            .await
            .unwrap_or_else(|_| Problem::new(ErrorClass::Unavailable, "http.timeout").into_response());
        response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }))
}

/// The contract and its page.
fn pages() -> Result<Router> {
    let text = openapi::text()?;
    let page = docs::router(&serde_json::from_str(&text)?);
    Ok(openapi::router(text).merge(page))
}

impl ServerCertificate {
    /// A fresh key with a certificate by the installation's issuing CA.
    fn make(secrets: &InstallationSecrets, hosts: &[String], clock: &dyn Clock) -> Result<Arc<Self>> {
        let (chain, key) = issue(secrets, hosts, clock)?;
        Ok(Self::new(chain, &key)?)
    }
}

fn issue(
    secrets: &InstallationSecrets,
    hosts: &[String],
    clock: &dyn Clock,
) -> Result<(Vec<Vec<u8>>, zeroize::Zeroizing<Vec<u8>>)> {
    let key = SigningKey::generate(&mut OsRng);
    let leaf = secrets.tls_certificate(&key.public_key(), hosts, clock.now(), &mut OsRng)?;
    // Leaf first, root last: a new device knows only the root's pin from its voucher and has to be shown the root.
    let issuing = secrets.ca_chain.iter().rev().map(|der| der.to_vec());
    Ok((std::iter::once(leaf).chain(issuing).collect(), key.to_pkcs8()?))
}

async fn renew(
    certificate: Arc<ServerCertificate>,
    secrets: InstallationSecrets,
    hosts: Vec<String>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(CERTIFICATE_LASTS) => {}
        }
        let renewed = issue(&secrets, &hosts, &*clock).and_then(|(chain, key)| Ok(certificate.replace(chain, &key)?));
        match renewed {
            Ok(()) => tracing::info!("server certificate renewed"),
            Err(_) => tracing::error!("the server certificate could not be renewed; the old one goes on"),
        }
    }
}

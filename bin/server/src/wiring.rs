//! Connects the contexts: services, the ports between them, outbox consumers, jobs and routes.

use crate::cellular;
use crate::config::Config;
use crate::jobs::Jobs;
use crate::ports::{AskCellular, AskIdentity, Sockets};
use crate::{schema, sim_vault};
use anyhow::Result;
use axum::Router;
use pakawaaz_base::Clock;
use pakawaaz_cellular::jobs::cards::Cards;
use pakawaaz_cellular::jobs::logins::Logins;
use pakawaaz_conversation::MlsSigner;
use pakawaaz_directory::Directory;
use pakawaaz_directory::jobs::{appointments::Appointments, expiry};
use pakawaaz_files::{Blobs, Files};
use pakawaaz_http::{Authenticator, Hub, Throttle, ThrottleOptions};
use pakawaaz_identity::jobs::{cleaning, officials::Officials, phones::Phones, revocation_watch};
use pakawaaz_identity::{Identity, InstallationSecrets, SimVault};
use pakawaaz_messaging::jobs::DeviceFacts;
use pakawaaz_messaging::{Messaging, MessagingConfig, Ports};
use pakawaaz_storage::{Db, OutboxConsumer, OutboxHandler, outbox};
use pakawaaz_trust::x509::CaChain;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Source addresses remembered by the throttle.
const THROTTLED_SOURCES: usize = 100_000;
/// Facts that every consumer has handled are kept this long, for whoever looks into an incident.
const KEEP_FACTS: Duration = Duration::from_secs(7 * 24 * 3600);
const PRUNE_EVERY: Duration = Duration::from_secs(3600);

/// What the listeners need.
pub struct Wired {
    /// Every context's routes.
    pub router: Router,
    /// Who checks credentials.
    pub authenticator: Arc<dyn Authenticator>,
    /// The SIMs' keys.
    pub sims: Arc<dyn SimVault>,
    /// Where gNBs connect.
    pub n2: Option<SocketAddr>,
    /// Where RADIUS is served.
    pub radius: Option<SocketAddr>,
}

/// Makes the services and starts their jobs.
pub async fn wire(
    config: &Config,
    secrets: &InstallationSecrets,
    demo: bool,
    authorities: Vec<String>,
    db: &Db,
    clock: Arc<dyn Clock>,
    hub: Hub,
    jobs: &Jobs,
) -> Result<Wired> {
    let directory = Directory::new(db.clone(), clock.clone());
    let vaults = sim_vault::open(config, secrets).await?;
    let settings = schema::identity_settings(config, secrets.public(), authorities, demo)?;
    let identity = Identity::new(db.clone(), vaults.clone(), clock.clone(), Arc::new(Sockets(hub.clone())), settings)?;
    // Nobody is let in before revocations were read once.
    identity.follow_revocations().await?;

    let throttle = Arc::new(Throttle::new(ThrottleOptions {
        burst: config.limits.anonymous_burst,
        per_second: f64::from(config.limits.anonymous_per_second),
        max_sources: THROTTLED_SOURCES,
    }));

    let anchors = secrets.public().anchors(clock.now())?;
    let ca = CaChain::verify_pinned(&secrets.ca_chain, &anchors, clock.now())?;
    let external_sender = MlsSigner::from_seed(&secrets.external_sender);
    let ask_identity = Arc::new(AskIdentity(identity.clone()));
    let (cellular, n2) = cellular::start(config, db, clock.clone(), &*vaults.keys, ask_identity.clone(), jobs).await?;
    identity.connect(Arc::new(AskCellular(cellular.clone())));
    let ports = Ports { devices: ask_identity.clone(), socket_auth: ask_identity, clock: clock.clone(), hub };
    let mut messaging = MessagingConfig::new(anchors, ca, external_sender);
    messaging.groups_per_official = config.limits.groups_per_official;
    let messaging = Messaging::start(db.clone(), messaging, ports);

    let folder = schema::blobs_dir(&config.data_dir);
    crate::files::private_dir(&folder)?;
    let files = Files::start(db.clone(), Blobs::local(&folder)?, clock.clone(), schema::files_settings(config));

    consume(jobs, db, "outbox_identity_officials", Arc::new(Officials(identity.clone())));
    consume(jobs, db, "outbox_identity_phones", Arc::new(Phones(identity.clone())));
    consume(jobs, db, "outbox_messaging_devices", Arc::new(DeviceFacts(messaging.clone())));
    consume(jobs, db, "outbox_directory_appointments", Arc::new(Appointments(directory.clone())));
    // Also where there is no core: facts are kept until everybody who ever read them has read them all, and whoever switches the
    // network on again must not hear of what was long ago.
    consume(jobs, db, "outbox_cellular_cards", Arc::new(Cards(cellular.clone())));
    consume(jobs, db, "outbox_cellular_logins", Arc::new(Logins(cellular.clone())));
    jobs.start("directory_expiry", |stop| expiry::run(directory.clone(), stop));
    jobs.start("messaging", |stop| pakawaaz_messaging::jobs::run(messaging.clone(), stop));
    jobs.start("files", |stop| pakawaaz_files::jobs::run(files.clone(), stop));
    jobs.start("identity_revocations", |stop| revocation_watch::run(identity.clone(), stop));
    jobs.start("identity_cleaning", |stop| cleaning::run(identity.clone(), stop));
    let radius = crate::radius::start(&config.radius, identity.clone(), jobs).await?;
    jobs.start("outbox_prune", |stop| prune(db.clone(), clock, stop));

    let router = Router::new()
        .merge(pakawaaz_directory::http::router(directory))
        .merge(pakawaaz_identity::http::router(identity.clone(), throttle.clone()))
        .merge(pakawaaz_files::http::router(files))
        .merge(pakawaaz_cellular::http::router(cellular))
        .merge(pakawaaz_messaging::http::router(messaging, throttle));
    Ok(Wired { router, authenticator: Arc::new(identity), sims: vaults.sims, n2, radius })
}

fn consume(jobs: &Jobs, db: &Db, name: &'static str, handler: Arc<dyn OutboxHandler>) {
    let consumer = OutboxConsumer::new(db.clone(), handler);
    jobs.start(name, |stop| consumer.run(stop));
}

async fn prune(db: Db, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PRUNE_EVERY) => {}
        }
        if outbox::prune(&db, clock.now().minus(KEEP_FACTS)).await.is_err() {
            tracing::warn!("old facts could not be deleted; will retry");
        }
    }
}

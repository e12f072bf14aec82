//! Use cases, one file each. The shared state is [`Identity`].

mod accounts;
mod adopt_sims;
mod appointments;
mod audit_page;
mod authenticate;
mod bootstrap;
mod clean;
mod cross_sign;
mod cut;
mod devices;
mod draws;
mod enrol;
mod home_network;
mod login_akma;
mod login_network;
mod login_password;
mod login_rows;
mod login_sim;
mod login_start;
mod login_writes;
mod logout;
mod mls_certificate;
mod my_cards;
mod password;
mod personalise;
mod phone_left;
mod proposals;
mod refresh;
mod revoke_device;
mod server_info;
mod sessions;
mod sims;
mod suspend;
mod tokens;
mod uses;
mod watch;
mod wlan;

pub use authenticate::HelloProof;
pub use bootstrap::FirstAdministrator;
pub use devices::ActiveDevice;
pub use home_network::{CoreExpected, CoreMethod, CoreVector, Subscriber};
pub use login_sim::LoginConnection;
pub use wlan::WlanVector;

use crate::error::{Error, Result};
use crate::installation::InstallationPublic;
use crate::model::live::Live;
use crate::model::replay::ReplayCache;
use crate::model::suci_memory::SuciMemory;
use crate::model::vector_limit::VectorLimit;
use crate::ports::Phones;
use crate::sim_vault::{SimVault, Vaults};
use crate::vault::Vault;
use pakawaaz_aka::{Site, TuakSettings};
use pakawaaz_audit::{AuditActor, Entry};
use pakawaaz_base::{AuditId, Clock, DeviceId, Millis};
use pakawaaz_http::CloseReason;
use pakawaaz_login::dpop::JTI_MEMORY;
use pakawaaz_login::{LoginServer, TokenVerifier};
use pakawaaz_storage::{BatchOptions, Batcher, Db, Tx};
use pakawaaz_trust::TrustAnchors;
use pakawaaz_trust::x509::Issuer;
use rand::rngs::OsRng;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// How long an enrolment may take.
pub const ENROLMENT_LASTS: Duration = Duration::from_secs(10 * 60);
/// How fresh a login must be to change the password.
pub const FRESH_LOGIN: Duration = Duration::from_secs(5 * 60);
/// Without an answer of the database for this long nobody is let in.
pub const STALE_AFTER: Duration = Duration::from_secs(2);
/// DPoP proofs remembered; more within two minutes are refused.
const REPLAY_CAPACITY: usize = 1_000_000;

/// What bin/server decides about this context.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Realm, CA chain, external sender key.
    pub installation: InstallationPublic,
    /// `host:port` forms the server answers to.
    pub authorities: Vec<String>,
    /// Demo keys.
    pub demo: bool,
    /// Whether devices may bind to a loopback authority (never in production).
    pub allow_loopback: bool,
    /// This site's number, for SQN.
    pub site: Site,
    /// What the operator's TUAK cards were made with.
    pub tuak: TuakSettings,
    /// Absolute age of a session, after which the SIM is asked again.
    pub session_lasts: Duration,
}

/// Ends the sockets of a device. Connected to the event hub by bin/server.
pub trait SocketCloser: Send + Sync + 'static {
    /// Ends the socket of `device`, if this node has one.
    fn close(&self, device: DeviceId, reason: CloseReason);
}

/// No sockets (tools, tests).
impl SocketCloser for () {
    fn close(&self, _: DeviceId, _: CloseReason) {}
}

/// The service. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    inner: Arc<Inner>,
}

struct Inner {
    db: Db,
    vault: Arc<dyn Vault>,
    sim_vault: Arc<dyn SimVault>,
    clock: Arc<dyn Clock>,
    closer: Arc<dyn SocketCloser>,
    settings: Settings,
    anchors: TrustAnchors,
    issuing_pin: [u8; 32],
    tokens: TokenVerifier,
    writes: Batcher<login_writes::LoginWrites>,
    live: RwLock<Live>,
    replays: Mutex<ReplayCache>,
    vectors: Mutex<VectorLimit>,
    /// Connected once there is a core; it asks us as well, so one of the two comes later.
    phones: OnceLock<Arc<dyn Phones>>,
    sucis: Mutex<SuciMemory>,
    following: tokio::sync::Mutex<()>,
}

impl Identity {
    /// The service over a migrated database. Must run inside a tokio runtime (it starts a batcher).
    ///
    /// Nobody can authenticate before [`Identity::follow_revocations`] has succeeded once.
    pub fn new(
        db: Db,
        vaults: impl Into<Vaults>,
        clock: Arc<dyn Clock>,
        closer: Arc<dyn SocketCloser>,
        settings: Settings,
    ) -> Result<Self> {
        let Vaults { keys: vault, sims: sim_vault } = vaults.into();
        let anchors = settings.installation.anchors(clock.now())?;
        let issuing_pin = settings.installation.issuing_pin(clock.now())?;
        let tokens = TokenVerifier::new(&settings.installation.realm, vault.token_keys());
        let writes = Batcher::start(
            "identity_logins",
            db.clone(),
            Arc::new(login_writes::LoginWrites { vault: sim_vault.clone() }),
            BatchOptions::default(),
        );
        let replays = ReplayCache::new(JTI_MEMORY, REPLAY_CAPACITY);
        Ok(Self {
            inner: Arc::new(Inner {
                db,
                vault,
                sim_vault,
                clock,
                closer,
                settings,
                anchors,
                issuing_pin,
                tokens,
                writes,
                live: RwLock::new(Live::default()),
                replays: Mutex::new(replays),
                vectors: Mutex::default(),
                phones: OnceLock::new(),
                sucis: Mutex::default(),
                following: tokio::sync::Mutex::new(()),
            }),
        })
    }

    /// Connects the 5G core. The first one stays.
    pub fn connect(&self, phones: Arc<dyn Phones>) {
        let _ = self.inner.phones.set(phones);
    }

    fn phones(&self) -> &dyn Phones {
        match self.inner.phones.get() {
            Some(phones) => &**phones,
            None => &(),
        }
    }

    fn db(&self) -> &Db {
        &self.inner.db
    }
    fn sim_vault(&self) -> &dyn SimVault {
        &*self.inner.sim_vault
    }

    fn vault(&self) -> &dyn Vault {
        &*self.inner.vault
    }
    fn settings(&self) -> &Settings {
        &self.inner.settings
    }
    fn realm(&self) -> &str {
        &self.inner.settings.installation.realm
    }
    fn anchors(&self) -> &TrustAnchors {
        &self.inner.anchors
    }
    fn login_server(&self) -> LoginServer<'_> {
        LoginServer { realm: self.realm(), opaque: self.vault().opaque(), seal: self.vault().state_key() }
    }
    /// The CA that issues devices' certificates.
    fn issuer(&self) -> Result<Issuer<'_>> {
        let newest = self.settings().installation.ca_chain.last().ok_or(Error::Vault("CA chain"))?;
        Ok(Issuer::new(newest, self.vault().issuing_key())?)
    }
    /// Whether `authority` (`host:port`) is one the server answers to.
    fn knows_authority(&self, authority: &str) -> bool {
        self.settings().authorities.iter().any(|known| crate::model::authority::matches(known, authority))
    }
    /// The current time, from the clock given at the start.
    pub fn now(&self) -> Millis {
        self.inner.clock.now()
    }
    fn live(&self) -> RwLockReadGuard<'_, Live> {
        self.inner.live.read().unwrap_or_else(PoisonError::into_inner)
    }
    fn live_mut(&self) -> RwLockWriteGuard<'_, Live> {
        self.inner.live.write().unwrap_or_else(PoisonError::into_inner)
    }
    fn replays(&self) -> MutexGuard<'_, ReplayCache> {
        self.inner.replays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn vector_limit(&self) -> MutexGuard<'_, VectorLimit> {
        self.inner.vectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sucis(&self) -> MutexGuard<'_, SuciMemory> {
        self.inner.sucis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends to the audit log in the transaction of the act. Call it last.
    async fn audit(
        &self,
        tx: &mut Tx,
        actor: Option<AuditActor>,
        action: &'static str,
        subject: String,
        detail: serde_json::Value,
        now: Millis,
    ) -> Result<()> {
        let entry = Entry { id: AuditId::new(now, &mut OsRng), at: now, actor, action, subject, detail };
        pakawaaz_audit::append(tx, entry).await?;
        Ok(())
    }
}

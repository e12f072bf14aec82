//! Use cases, one file each.

pub mod acknowledge;
mod cache;
pub mod claim_key_packages;
pub mod commit;
pub mod create_group;
pub mod follow;
pub mod propose_removals;
pub mod publish_key_packages;
pub mod read_group;
mod recent;
pub mod reject_commit;
pub mod send;
pub mod typing;
mod wake;

use crate::{Devices, MessagingError, SocketAuth};
use acknowledge::Acks;
use cache::Groups;
use openmls_rust_crypto::RustCrypto;
use pakawaaz_base::{Bytes, Clock, DeviceId, Millis};
use pakawaaz_contract::frames::LogEntry;
use pakawaaz_conversation::{CertificateCheck, MlsSigner};
use pakawaaz_http::Hub;
use pakawaaz_storage::{BatchOptions, Batcher, Db};
use pakawaaz_trust::TrustAnchors;
use pakawaaz_trust::x509::CaChain;
use recent::Recent;
use send::SendHandler;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use wake::Wake;

/// What a messaging service is told once.
#[derive(Clone)]
pub struct MessagingConfig {
    /// Realm and root.
    pub anchors: TrustAnchors,
    /// Verified issuing chain.
    pub ca: CaChain,
    /// The key of the external sender (`ServerInfo::external_sender_key` is its public half).
    pub external_sender: MlsSigner,
    /// How often a socket looks by itself; covers lost wake-ups and entries stored by other nodes.
    pub poll: Duration,
    /// How long a client may take for its Hello.
    pub hello_timeout: Duration,
    /// A socket without any frame for so long is closed (clients ping).
    pub idle_timeout: Duration,
    /// A client that does not take a frame for so long is closed.
    pub write_timeout: Duration,
    /// Most groups whose state is kept in memory.
    pub cached_groups: usize,
    /// Groups that one official may create, with all devices together.
    pub groups_per_official: u64,
    /// Group commit of appends.
    pub batch: BatchOptions,
}

impl MessagingConfig {
    /// Everything but the keys at its default.
    pub fn new(anchors: TrustAnchors, ca: CaChain, external_sender: MlsSigner) -> Self {
        Self {
            anchors,
            ca,
            external_sender,
            poll: Duration::from_secs(30),
            hello_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(90),
            write_timeout: Duration::from_secs(20),
            cached_groups: 1024,
            groups_per_official: 10_000,
            // Larger than usual: under load fewer commits, each of which writes the index pages of all its groups.
            batch: BatchOptions { max_batch: 1024, ..BatchOptions::default() },
        }
    }
}

/// What a messaging service asks.
#[derive(Clone)]
pub struct Ports {
    /// About devices.
    pub devices: Arc<dyn Devices>,
    /// Who opens a WebSocket.
    pub socket_auth: Arc<dyn SocketAuth>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Sockets of this node.
    pub hub: Hub,
}

/// A stored entry, as its sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Log position.
    pub seq: u64,
    /// Server time of the entry.
    pub at: Millis,
    /// Chained hash up to it.
    pub log_hash: Bytes,
}

/// The delivery service. Cheap to clone.
#[derive(Clone)]
pub struct Messaging {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub db: Db,
    pub ports: Ports,
    pub config: MessagingConfig,
    pub crypto: RustCrypto,
    pub groups: Groups,
    pub fanout: Arc<Fanout>,
    pub sends: Batcher<SendHandler>,
    pub acks: Acks,
    /// A removal waits to be proposed.
    pub removals: Notify,
    pub claims: claim_key_packages::Claims,
}

/// Telling sockets of this node what was stored.
pub(crate) struct Fanout {
    pub wake: Wake,
    pub recent: Recent,
}

impl Fanout {
    /// After the commit of the transaction that stored these entries.
    pub fn stored(&self, entries: &[LogEntry]) {
        for entry in entries {
            if self.wake.is_followed(entry.group) {
                self.recent.push(entry);
            }
        }
        let mut groups: Vec<_> = entries.iter().map(|entry| entry.group).collect();
        groups.sort_unstable();
        groups.dedup();
        for group in groups {
            self.wake.changed(group);
        }
    }
}

impl Messaging {
    /// A service over a migrated database. Must be called inside a tokio runtime; see [`crate::jobs`] for what else
    /// has to run.
    pub fn start(db: Db, config: MessagingConfig, ports: Ports) -> Self {
        let fanout = Arc::new(Fanout { wake: Wake::new(ports.hub.clone()), recent: Recent::default() });
        let send = Arc::new(SendHandler::new(fanout.clone()));
        let sends = Batcher::start("messaging_send", db.clone(), send, config.batch);
        let (acks, noted) = Acks::new();
        let groups = Groups::new(config.cached_groups);
        let crypto = RustCrypto::default();
        let (removals, claims) = (Notify::new(), claim_key_packages::Claims::default());
        let inner = Arc::new(Inner { db, ports, config, crypto, groups, fanout, sends, acks, removals, claims });
        tokio::spawn(acknowledge::store_soon(Arc::downgrade(&inner), noted));
        Self { inner }
    }

    pub(crate) fn now(&self) -> Millis {
        self.inner.ports.clock.now()
    }
    /// Tells sockets of these devices to look into their inboxes.
    pub(crate) fn wake_inboxes(&self, devices: impl IntoIterator<Item = DeviceId>) {
        for device in devices {
            self.inner.fanout.wake.inbox(device);
        }
    }
}

impl Inner {
    pub fn leaf_check(&self, now: Millis) -> CertificateCheck<'_> {
        CertificateCheck { anchors: &self.config.anchors, ca: &self.config.ca, now }
    }
    pub fn external_key(&self) -> [u8; 32] {
        self.config.external_sender.public_key()
    }
    /// Runs CPU-bound MLS work away from the async workers.
    pub async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Inner) -> Result<T, MessagingError> + Send + 'static,
    ) -> Result<T, MessagingError> {
        let inner = self.clone();
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(|_| MessagingError::State)?
    }
}

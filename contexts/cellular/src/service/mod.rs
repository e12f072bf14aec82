//! Use cases, one file each.

pub mod akma;
pub mod alarms;
mod canary;
pub mod cards;
pub mod live;
pub mod logins;
pub mod network;
pub mod phones;
pub mod subscribers;
pub mod traces;

use crate::model::network::{Compiled, compile, initial};
use crate::runner::Ask;
use crate::{CellularError, HomeNetwork, store};
use pakawaaz_audit::Entry;
use pakawaaz_base::{Actor, AuditId, Clock, Millis, Role};
use pakawaaz_contract::cellular::CellularNetwork;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_login::SealKey;
use pakawaaz_storage::{Db, Tx};
use rand::rngs::OsRng;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// How long the core may take to answer an administrator.
const PATIENCE: Duration = Duration::from_secs(5);

/// What operators have decided, in force.
#[derive(Debug)]
pub(crate) struct Decided {
    /// Counts changes.
    pub version: i64,
    /// As it was written.
    pub document: CellularNetwork,
    /// As the control plane takes it.
    pub compiled: Compiled,
}

/// What this process is to the core.
#[derive(Clone, Debug, Default)]
pub(crate) enum Standing {
    /// It runs none.
    #[default]
    Off,
    /// Another node runs it, or this one is about to.
    Standby,
    /// It runs here.
    Active(mpsc::Sender<Ask>),
}

/// The cellular service. Cheap to clone.
#[derive(Clone)]
pub struct Cellular {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub db: Db,
    pub clock: Arc<dyn Clock>,
    pub seal: SealKey,
    pub home: Arc<dyn HomeNetwork>,
    pub decided: watch::Sender<Arc<Decided>>,
    /// The core, where one runs.
    pub core: Mutex<Standing>,
    /// How many cores have begun here.
    pub cores: AtomicU64,
    /// A card waits to be detached.
    pub cuts: Notify,
    /// Addresses of the user plane's canary.
    pub canary: Mutex<Vec<IpAddr>>,
}

impl Cellular {
    /// A service over a migrated database. `seal` seals contexts of phones; it has to be the same after a restart.
    ///
    /// # Errors
    /// The database, or a network document in it that is none.
    pub async fn start(
        db: Db,
        clock: Arc<dyn Clock>,
        seal: SealKey,
        home: Arc<dyn HomeNetwork>,
    ) -> Result<Self, CellularError> {
        let stored = store::network::get(db.read().await?.conn()).await?;
        let (version, document) = stored.unwrap_or_else(|| (0, initial()));
        let compiled = compile(&document)?;
        let (decided, _) = watch::channel(Arc::new(Decided { version, document, compiled }));
        let (core, cuts, canary) = (Mutex::default(), Notify::new(), Mutex::default());
        Ok(Self {
            inner: Arc::new(Inner { db, clock, seal, home, decided, core, cores: AtomicU64::new(0), cuts, canary }),
        })
    }

    pub(crate) fn now(&self) -> Millis {
        self.inner.clock.now()
    }

    pub(crate) fn decided(&self) -> Arc<Decided> {
        self.inner.decided.borrow().clone()
    }

    /// Asks the core that runs here.
    pub(crate) async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, CellularError> {
        let core = self.core()?;
        let (reply, answer) = oneshot::channel();
        let asked = async {
            core.send(question(reply)).await.map_err(|_| CellularError::Off)?;
            answer.await.map_err(|_| CellularError::Off)
        };
        tokio::time::timeout(PATIENCE, asked).await.map_err(|_| CellularError::Busy)?
    }

    /// The core that runs here.
    pub(crate) fn core(&self) -> Result<mpsc::Sender<Ask>, CellularError> {
        match self.standing() {
            Standing::Off => Err(CellularError::Off),
            Standing::Standby => Err(CellularError::Standby),
            Standing::Active(core) => Ok(core),
        }
    }

    pub(crate) fn standing(&self) -> Standing {
        self.inner.core.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_core(&self, standing: Standing) {
        if matches!(standing, Standing::Active(_)) {
            self.inner.cores.fetch_add(1, Ordering::Relaxed);
        }
        *self.inner.core.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }

    pub(crate) fn has_core(&self) -> bool {
        matches!(self.standing(), Standing::Active(_))
    }

    /// Appends to the audit log in the transaction of the act. Call it last.
    pub(crate) async fn audit(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        action: &'static str,
        subject: String,
        detail: serde_json::Value,
    ) -> Result<(), CellularError> {
        let now = self.now();
        let id = AuditId::new(now, &mut OsRng);
        let entry = Entry { id, at: now, actor: Some(actor.into()), action, subject, detail };
        pakawaaz_audit::append(tx, entry).await?;
        Ok(())
    }
}

/// Whoever looks after cards sees the network, and decides what a card may do in it.
pub(crate) fn require_operator(actor: &Actor) -> Result<(), CellularError> {
    if actor.has(Role::SimManager) { Ok(()) } else { Err(CellularError::Forbidden) }
}

/// The network itself is the administrators'.
pub(crate) fn require_administrator(actor: &Actor) -> Result<(), CellularError> {
    if actor.has(Role::Administrator) { Ok(()) } else { Err(CellularError::Forbidden) }
}

pub(crate) fn read_imsi(text: &str) -> Result<Imsi, CellularError> {
    Imsi::new(text).ok_or(CellularError::BadImsi)
}

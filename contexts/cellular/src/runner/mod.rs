//! The core itself: one task that owns the control plane, and one that performs what it wants.
//!
//! ```text
//!  gNBs ──────────► ┌────────────┐  batches, in order  ┌────────┐ ──► database (one commit for many)
//!  user plane ────► │ the core   │ ──────────────────► │ writer │ ──► then gNBs
//!  home network ──► │ (no waits) │      (bounded)      │        │ ──► then the user plane
//!  operators ─────► └────────────┘                     └────────┘
//! ```
//!
//! The core never waits for anything but the writer's queue. The writer commits whatever is in the queue at once, however many
//! contexts it holds, and only then performs the messages, in their order: nothing that follows the keeping of a context
//! leaves before it is durable, and a commit is shared by all phones that came meanwhile.
//!
//! Of several nodes over one database one at a time runs the core, the one with the lease (`lease.rs`). Each transaction of the
//! writer is refused when another node has it, and no message leaves when it may have been lost.

mod core;
mod lease;
mod report;
mod reports;
mod restore;
mod rows;
mod traces;
mod vault;
mod writer;

pub(crate) use self::core::{Ask, UePage, UeWithTraffic};
pub(crate) use self::reports::Question;

use self::core::{Answer, Core, Feeds};
use self::lease::Node;
pub(crate) use self::lease::Tenure;
use crate::Cellular;
use crate::model::lease::Terms;
use crate::net::link;
use crate::service::Standing;
use pakawaaz_base::StableError as _;
use pakawaaz_n2::{Association, Endpoint};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Batches that may wait for the writer.
const BATCHES: usize = 1024;
/// Questions of operators that may wait.
const ASKS: usize = 64;
/// Answers of the home network that may wait.
const ANSWERS: usize = 1024;
/// Replies of the user plane that may wait.
const REPLIES: usize = 4096;
/// Between two attempts to read what was kept.
const AGAIN: Duration = Duration::from_millis(500);
/// How long a lease lasts when nobody says otherwise.
const LEASE: Duration = Duration::from_secs(6);

/// Associations that are up, for whoever has to end all of them.
pub(crate) type Open = Arc<Mutex<HashSet<Association>>>;

/// Whether contexts can be written and the lease be renewed: without either, no gNB is taken.
pub(crate) struct Health {
    parts: Mutex<(bool, bool)>,
    good: watch::Sender<bool>,
}

impl Health {
    fn new() -> Arc<Self> {
        Arc::new(Self { parts: Mutex::new((true, true)), good: watch::Sender::new(true) })
    }
    /// Contexts can be written, or cannot.
    fn writes(&self, well: bool) {
        self.set(|parts| parts.0 = well);
    }
    /// The lease is held, or may have been lost. Whether that is news.
    fn lease(&self, well: bool) -> bool {
        let mut news = false;
        self.set(|parts| news = std::mem::replace(&mut parts.1, well) != well);
        news
    }
    fn set(&self, change: impl FnOnce(&mut (bool, bool))) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut parts);
        let good = parts.0 && parts.1;
        self.good.send_if_modified(|now| std::mem::replace(now, good) != good);
    }
}

/// The core of one site, ready to run.
pub struct Runner {
    cellular: Cellular,
    n2: Endpoint,
    link: PathBuf,
    node: Node,
}

impl Runner {
    /// With gNBs at `n2`, and the user plane's socket at `link`. The only node, until [`Self::named`] says otherwise.
    pub fn new(cellular: Cellular, n2: Endpoint, link: PathBuf) -> Self {
        let name = format!("{:032x}", rand::random::<u128>());
        Self { cellular, n2, link, node: Node { name, terms: Terms::new(LEASE) } }
    }

    /// Over a database that other nodes share: `name` is this node's for as long as no other process of that name can run, and
    /// a node that is silent for `lease` has lost the core to another one.
    #[must_use]
    pub fn named(mut self, name: String, lease: Duration) -> Self {
        self.node = Node { name, terms: Terms::new(lease) };
        self
    }

    /// Runs until `stop`: the core whenever this node has the lease. Phones stay registered: the next core takes them back.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            self.cellular.set_core(Standing::Standby);
            let Some(tenure) = lease::acquire(&self.cellular, &self.node, &mut self.n2, &stop).await else { break };
            self.core(&tenure).await;
            tenure.over.cancel();
            if !tenure.is_lost() {
                lease::give_up(&self.cellular, &tenure).await;
                break;
            }
        }
        metrics::gauge!("pakawaaz_cellular_core_active").set(0.0);
        self.cellular.set_core(Standing::Off);
    }

    /// Runs the core until its time is over.
    async fn core(&mut self, tenure: &Tenure) {
        let Self { cellular, n2, link: path, node } = self;
        let (stop, open, health) = (tenure.over.clone(), Open::default(), Health::new());
        // Also when the core breaks down: whoever went on renewing the lease of no core would keep every other node from it.
        let _over = stop.clone().drop_guard();
        let (kept, held) = (cellular.clone(), tenure.clone());
        let keeping = tokio::spawn(lease::keep(kept, held, node.terms, health.clone(), n2.sender(), open.clone()));
        let restored = loop {
            match restore::read(cellular, tenure).await {
                Ok(restored) => break restored,
                Err(error) => tracing::warn!(code = error.code(), "kept contexts cannot be read; will retry"),
            }
            if !lease::wait(n2, AGAIN, &stop).await {
                return;
            }
        };
        let (batches, batched) = mpsc::channel(BATCHES);
        let (asks, asked) = mpsc::channel(ASKS);
        let (answers, answered) = mpsc::channel::<Answer>(ANSWERS);
        let (requests, requested) = mpsc::channel(link::WAITING);
        let (replies, replied) = mpsc::channel(REPLIES);
        let writer = writer::Writer {
            cellular: cellular.clone(),
            n2: n2.sender(),
            user_plane: requests,
            health: health.clone(),
            open: open.clone(),
            tenure: tenure.clone(),
            stop: stop.clone(),
        };
        let writing = tokio::spawn(writer.run(batched));
        let acting = tenure.clone();
        let linking =
            tokio::spawn(link::run(path.clone(), requested, replies, move || acting.is_valid(), stop.clone()));
        let good = health.good.subscribe();
        let core =
            Core::new(cellular.clone(), tenure.clone(), restored, batches, answers, n2.sender(), open.clone(), good);
        let core = match core {
            Ok(core) => core,
            Err(error) => {
                // The document was compiled by the same rules; there is nothing to serve with.
                tracing::error!(%error, "the network in force is not one");
                return;
            }
        };
        cellular.set_core(Standing::Active(asks));
        let good = health.good.subscribe();
        core.run(Feeds { n2: &mut *n2, asked, answered, replied, health: good }, stop).await;
        // In order: no more questions, then everything that the core still wanted is written and sent.
        cellular.set_core(Standing::Standby);
        let _ = writing.await;
        tenure.over.cancel();
        let _ = linking.await;
        let _ = keeping.await;
        writer::let_gnbs_go(&n2.sender(), &open);
    }
}

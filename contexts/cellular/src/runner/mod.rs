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

mod core;
mod report;
mod reports;
mod restore;
mod rows;
mod vault;
mod writer;

pub(crate) use self::core::{Ask, UePage, UeWithTraffic};
pub(crate) use self::reports::Question;

use self::core::{Answer, Core, Feeds};
use crate::Cellular;
use crate::net::link;
use pakawaaz_n2::{Association, Endpoint};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
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

/// Associations that are up, for whoever has to end all of them.
pub(crate) type Open = Arc<Mutex<HashSet<Association>>>;

/// The core of one site, ready to run.
pub struct Runner {
    cellular: Cellular,
    n2: Endpoint,
    link: PathBuf,
}

impl Runner {
    /// With gNBs at `n2`, and the user plane's socket at `link`.
    pub fn new(cellular: Cellular, n2: Endpoint, link: PathBuf) -> Self {
        Self { cellular, n2, link }
    }

    /// Runs until `stop`. Phones stay registered: the next start takes them back.
    pub async fn run(self, stop: CancellationToken) {
        let Self { cellular, n2, link: path } = self;
        let restored = loop {
            match restore::read(&cellular).await {
                Ok(restored) => break restored,
                Err(error) => {
                    use pakawaaz_base::StableError as _;
                    tracing::warn!(code = error.code(), "kept contexts cannot be read; will retry");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(AGAIN) => {}
            }
        };
        let (batches, batched) = mpsc::channel(BATCHES);
        let (asks, asked) = mpsc::channel(ASKS);
        let (answers, answered) = mpsc::channel::<Answer>(ANSWERS);
        let (requests, requested) = mpsc::channel(link::WAITING);
        let (replies, replied) = mpsc::channel(REPLIES);
        let (healthy, health) = watch::channel(true);
        let open = Open::default();
        let writer = writer::Writer {
            cellular: cellular.clone(),
            n2: n2.sender(),
            user_plane: requests,
            healthy,
            open: open.clone(),
            stop: stop.clone(),
        };
        let writing = tokio::spawn(writer.run(batched));
        let linking = tokio::spawn(link::run(path, requested, replies, stop.clone()));
        let core = match Core::new(cellular.clone(), restored, batches, answers, n2.sender(), open, health.clone()) {
            Ok(core) => core,
            Err(error) => {
                // The document was compiled by the same rules; there is nothing to serve with.
                tracing::error!(%error, "the network in force is not one");
                return;
            }
        };
        cellular.set_core(Some(asks));
        let feeds = Feeds { n2, asked, answered, replied, health };
        core.run(feeds, stop).await;
        // In order: no more questions, then everything that the core still wanted is written and sent.
        cellular.set_core(None);
        let _ = writing.await;
        let _ = linking.await;
    }
}

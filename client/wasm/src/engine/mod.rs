//! Commands in, snapshots and happenings out.
//!
//! * [`commands`]: one function for a command's arguments, calling the core.
//! * [`topics`]: how a subscription's snapshot is made, and which events make it stale.
//! * [`watch`]: subscriptions as tasks: recomputed when stale, paced, repeated only when changed.
//! * [`runner`]: the connection, always on while there is a session.
//! * [`app`]: where the profile stands.
//! * [`card`]: the software SIM, a sealed row of the store.

mod app;
mod args;
mod card;
mod commands;
mod error;
mod happening;
mod runner;
mod topics;
mod transfers;
mod typing;
mod view;
mod watch;

#[cfg(test)]
mod shapes;
#[cfg(test)]
mod tests;

pub use app::StorageState;
pub use commands::{Costs, Progress, Reply};
pub use error::EngineError;

use crate::engine::runner::Run;
use futures::future::LocalBoxFuture;
use pakawaaz_client::{Client, Platform, Store, StoreError, Transport};
use pakawaaz_client::{FileSink, FileSource, Spool};
use std::cell::RefCell;
use std::rc::Rc;

/// What the engine needs around the core: tasks, a way to the screens, and what the browser knows about storage.
pub trait Host: 'static {
    /// A file that the official chose.
    type Source: FileSource + 'static;
    /// Where a download goes.
    type Sink: FileSink + 'static;
    /// What a finished download becomes; a copy is another name for the same bytes.
    type Blob: Clone + 'static;
    /// The outgoing folder.
    type Spool: Spool + 'static;

    /// The outgoing folder.
    fn spool(&self) -> &Self::Spool;
    /// An empty place for a download of a claimed media type.
    fn sink(&self, media_type: &str) -> Self::Sink;
    /// The bytes of a finished download.
    fn deliver(&self, sink: Self::Sink) -> Option<Self::Blob>;
    /// Runs a task on this thread.
    fn spawn(&self, task: LocalBoxFuture<'static, ()>);
    /// A subscription has a new snapshot (JSON).
    fn snapshot(&self, subscription: u64, json: &str);
    /// Something happened once (JSON of `Happening`).
    fn happening(&self, json: &str);
    /// Whether the browser promised to keep our data, and how much there is.
    async fn storage(&self) -> StorageState;
    /// Asks the browser to keep our data; whether it will.
    async fn persist(&self) -> bool;
    /// Deletes everything of this origin; a new device secret takes the place of the old one.
    async fn wipe(&self) -> Result<(), StoreError>;
}

/// The engine of one profile. Cheap to clone.
pub struct Engine<S, T, P, H: Host>(pub(crate) Rc<Inner<S, T, P, H>>);

impl<S, T, P, H: Host> Clone for Engine<S, T, P, H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

pub(crate) struct Inner<S, T, P, H: Host> {
    pub client: Client<S, T, P>,
    pub transfers: transfers::Desk<H::Source, H::Blob>,
    pub host: H,
    pub costs: Costs,
    pub app: RefCell<app::Known>,
    pub run: RefCell<Run>,
    pub watches: RefCell<watch::Watches>,
}

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    /// An engine over a client. Nothing runs yet: see [`Engine::start`].
    pub fn new(client: Client<S, T, P>, host: H, costs: Costs) -> Self {
        Self(Rc::new(Inner {
            client,
            transfers: transfers::Desk::default(),
            host,
            costs,
            app: RefCell::default(),
            run: RefCell::default(),
            watches: RefCell::default(),
        }))
    }
    /// Looks where the profile stands, and asks the server who it is.
    ///
    /// # Errors
    /// Store errors.
    pub async fn start(&self) -> Result<(), EngineError> {
        self.look().await?;
        let engine = self.clone();
        self.spawn(async move { engine.ask_server().await });
        let engine = self.clone();
        self.spawn(async move { engine.ask_storage().await });
        let engine = self.clone();
        self.spawn(async move { engine.keep_expiring().await });
        Ok(())
    }
    pub(crate) fn client(&self) -> &Client<S, T, P> {
        &self.0.client
    }
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.host.spawn(Box::pin(task));
    }
    /// The key of the open profile, for another tab to go on with; none when locked.
    pub fn vault_key(&self) -> Option<zeroize::Zeroizing<[u8; 32]>> {
        self.client().vault_key().ok()
    }
    /// Opens the profile with the key of the tab that led before.
    ///
    /// # Errors
    /// When it is not this profile's key.
    pub async fn unlock_with(&self, key: zeroize::Zeroizing<[u8; 32]>) -> Result<(), EngineError> {
        self.client().unlock_with(key).await?;
        self.look().await
    }
}

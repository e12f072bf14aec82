//! Subscriptions: each is a task that recomputes its snapshot when something it shows has changed, at most once in its
//! pace, and sends it only when it differs from the one before.

use crate::engine::error::Refusal;
use crate::engine::topics::{Topic, Window};
use crate::engine::{Engine, EngineError, Host};
use futures::StreamExt as _;
use futures::channel::mpsc;
use futures::future::{AbortHandle, abortable};
use pakawaaz_base::GroupId;
use pakawaaz_client::{Platform, Store, Transport};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::rc::Rc;
use std::time::Duration;

/// Shortest time between two snapshots of one subscription.
pub(super) const PACE: Duration = Duration::from_millis(30);
/// The same for what moves all the time while a file does: drawing it costs more than moving the file would.
pub(super) const SLOW_PACE: Duration = Duration::from_millis(200);

/// What changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// State of the application.
    App,
    /// A conversation: its place in the list and its lines.
    Lines(GroupId),
    /// Its place in the list only.
    Listed(GroupId),
    /// Its members too.
    Members(GroupId),
    /// Own devices.
    Devices,
    /// Alarms.
    Alarms,
    /// Transfers.
    Transfers,
    /// Who writes.
    Typing,
}

/// One subscription.
struct Watch {
    topic: Rc<Topic>,
    stale: mpsc::Sender<()>,
    task: AbortHandle,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// All subscriptions.
#[derive(Default)]
pub struct Watches(BTreeMap<u64, Watch>);

fn digest(json: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    json.hash(&mut hasher);
    hasher.finish()
}

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    /// Subscribes: snapshots of `topic` come under the number `id` (chosen by the caller) until it is closed.
    ///
    /// # Errors
    /// `engine.unknown_topic`, `engine.bad_arguments`.
    pub fn subscribe(&self, id: u64, topic: &str, args: &str) -> Result<(), EngineError> {
        let topic = Rc::new(Topic::parse(topic, args)?);
        // One place: whoever touches a topic that is stale already has nothing to add.
        let (stale, touched) = mpsc::channel(0);
        let (engine, shown) = (self.clone(), topic.clone());
        let (work, task) = abortable(async move { engine.watch(id, &shown, touched).await });
        self.0.watches.borrow_mut().0.insert(id, Watch { topic, stale, task });
        self.spawn(async move {
            let _ = work.await;
        });
        Ok(())
    }

    /// Ends a subscription; one that is not there is fine.
    pub fn unsubscribe(&self, id: u64) {
        let watch = self.0.watches.borrow_mut().0.remove(&id);
        drop(watch);
    }

    async fn watch(&self, id: u64, topic: &Topic, mut touched: mpsc::Receiver<()>) {
        let mut shown = None;
        loop {
            let began = self.client().platform().now();
            // What cannot be shown now (locked, offline) is shown when it can be.
            if let Ok(json) = self.snapshot(topic).await {
                let digest = Some(digest(&json));
                if digest != shown {
                    shown = digest;
                    self.0.host.snapshot(id, &json);
                }
            }
            // A snapshot that takes long must not keep everything else from running.
            let took = self.client().platform().now().since(began);
            self.client().platform().sleep(topic.pace().max(took)).await;
            if touched.next().await.is_none() {
                return;
            }
        }
    }

    /// Something changed: subscriptions that show it become stale.
    pub(crate) fn stale(&self, touch: Touch) {
        for watch in self.0.watches.borrow_mut().0.values_mut() {
            if watch.topic.shows(touch) {
                // Full means stale already.
                let _ = watch.stale.try_send(());
            }
        }
    }

    /// Everything may have changed.
    pub(crate) fn stale_all(&self) {
        for watch in self.0.watches.borrow_mut().0.values_mut() {
            let _ = watch.stale.try_send(());
        }
    }

    /// Moves the window of a timeline.
    ///
    /// # Errors
    /// `engine.no_subscription`.
    pub(crate) fn move_window(&self, id: u64, change: impl FnOnce(&mut Window)) -> Result<(), EngineError> {
        let mut watches = self.0.watches.borrow_mut();
        let watch = watches.0.get_mut(&id).ok_or(Refusal::NoSubscription)?;
        let window = watch.topic.window().ok_or(Refusal::NoSubscription)?;
        change(&mut window.borrow_mut());
        let _ = watch.stale.try_send(());
        Ok(())
    }
}

//! The connection: always on while there is a session, visible, and tried again at once when the network is back.

use crate::engine::app::Connection;
use crate::engine::watch::Touch;
use crate::engine::{Engine, Host};
use futures::future::{AbortHandle, abortable};
use pakawaaz_client::{ClientError, ClientEvent, Platform, Store, Transport};
use std::time::Duration;

/// After an error that waiting rarely cures (a full disk, another version of the server).
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// The task that holds the connection.
#[derive(Default)]
pub struct Run {
    handle: Option<AbortHandle>,
}

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    /// Starts the connection unless it runs.
    pub(crate) fn keep_running(&self) {
        if self.0.run.borrow().handle.is_some() {
            return;
        }
        let engine = self.clone();
        let (task, handle) = abortable(async move { engine.serve().await });
        self.0.run.borrow_mut().handle = Some(handle);
        self.connection(Connection::Connecting, None);
        self.spawn(async move {
            let _ = task.await;
        });
    }

    /// Ends the connection. The core allows being dropped at any await point.
    pub(crate) fn stop_running(&self) {
        if let Some(handle) = self.0.run.borrow_mut().handle.take() {
            handle.abort();
        }
        self.connection(Connection::Offline, None);
    }

    /// The browser says that the network came or went: whatever pause there was is over.
    pub fn network_changed(&self) {
        if self.0.run.borrow().handle.is_some() {
            self.stop_running();
            self.keep_running();
        }
        let engine = self.clone();
        self.spawn(async move { engine.ask_storage().await });
    }

    fn connection(&self, state: Connection, pause: Option<Duration>) {
        let retry_at = pause.map(|pause| self.client().platform().now().plus(pause));
        {
            let mut app = self.0.app.borrow_mut();
            app.connection = state;
            app.retry_at = retry_at;
            app.caught_up &= state == Connection::Online;
        }
        self.stale(Touch::App);
    }

    async fn serve(&self) {
        loop {
            let ended = {
                let engine = self.clone();
                let mut hear = move |event| engine.hear(event);
                self.client().run(&mut hear).await
            };
            match ended {
                // The session is over, or the profile was closed: `look` decides what is shown.
                Ok(()) | Err(ClientError::LoginRequired | ClientError::Locked | ClientError::NotEnrolled) => break,
                Err(_) => {
                    self.connection(Connection::Offline, Some(LONG_PAUSE));
                    self.client().platform().sleep(LONG_PAUSE).await;
                    self.connection(Connection::Connecting, None);
                }
            }
        }
        self.0.run.borrow_mut().handle = None;
        self.connection(Connection::Offline, None);
        // A session that ended because the device was cut off is another screen than one that ran out.
        let _ = self.look().await;
    }

    pub(crate) fn hear(&self, event: ClientEvent) {
        match &event {
            ClientEvent::Connected => {
                self.connection(Connection::Online, None);
                let engine = self.clone();
                // Transfers that had lost patience with the network.
                self.spawn(async move { drop(engine.resume_transfers().await) });
            }
            ClientEvent::CaughtUp => {
                self.0.app.borrow_mut().caught_up = true;
                self.stale(Touch::App);
            }
            ClientEvent::Disconnected { retry_in } => {
                self.connection(Connection::Offline, Some(*retry_in));
                // The attempt after the pause shows as one.
                let engine = self.clone();
                let pause = *retry_in;
                self.spawn(async move {
                    engine.client().platform().sleep(pause).await;
                    let due = {
                        let app = engine.0.app.borrow();
                        let now = engine.client().platform().now();
                        app.connection == Connection::Offline && app.retry_at.is_some_and(|at| at <= now)
                    };
                    if due {
                        engine.connection(Connection::Connecting, None);
                    }
                });
            }
            ClientEvent::OwnDevice { .. } => {
                let engine = self.clone();
                self.spawn(async move {
                    // Approved or revoked: the server knows how this device stands.
                    let _ = engine.client().me().await;
                    let _ = engine.look().await;
                });
            }
            _ => {}
        }
        self.heard_typing(&event);
        self.touched_by(&event);
        self.announce(&event);
    }
}

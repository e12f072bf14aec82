//! What all transports share: numbering, queues, and one task an association.

use crate::{Association, DownBecause, Endpoint, Event, LARGEST, PPID, Packet, SendError, WAITING};
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Events that may wait for the reader of an endpoint.
const EVENTS: usize = 1024;
/// How long a peer has to read what was sent before the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Receives packets of one association.
pub(crate) trait Incoming: Send + 'static {
    /// The next one; none when the peer has ended the association in order. `InvalidData`: it cannot be a message.
    fn recv(&mut self) -> impl Future<Output = io::Result<Option<Packet>>> + Send;
}

/// Sends packets of one association.
pub(crate) trait Outgoing: Send + 'static {
    /// One packet.
    fn send(&mut self, packet: Packet) -> impl Future<Output = io::Result<()>> + Send;
    /// Tells the peer that nothing more comes.
    fn close(&mut self) -> impl Future<Output = ()> + Send;
}

struct Open {
    queue: mpsc::Sender<Packet>,
    /// Set when the peer does not read; dropped when we want no more.
    stalled: watch::Sender<bool>,
    streams: u16,
}

struct Shared {
    next: AtomicU64,
    open: Mutex<HashMap<Association, Open>>,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, HashMap<Association, Open>> {
        // Nothing panics while holding it; the map is whole in any case.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends messages from any task.
#[derive(Clone)]
pub struct Sender(Arc<Shared>);

impl Sender {
    /// Queues one message of NGAP for a peer.
    ///
    /// # Errors
    /// [`SendError`]; after [`SendError::Stalled`] the association ends.
    pub fn send(&self, association: Association, stream: u16, bytes: Vec<u8>) -> Result<(), SendError> {
        self.send_packet(association, Packet { stream, ppid: PPID, bytes })
    }

    /// The same with any payload protocol identifier: for tests and simulators of bad peers.
    ///
    /// # Errors
    /// As [`Sender::send`].
    pub fn send_packet(&self, association: Association, packet: Packet) -> Result<(), SendError> {
        if packet.bytes.len() > LARGEST {
            return Err(SendError::TooLarge);
        }
        let map = self.0.open();
        let open = map.get(&association).ok_or(SendError::Gone)?;
        if packet.stream >= open.streams {
            return Err(SendError::NoSuchStream);
        }
        match open.queue.try_send(packet) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(SendError::Gone),
            Err(mpsc::error::TrySendError::Full(_)) => {
                open.stalled.send_replace(true);
                Err(SendError::Stalled)
            }
        }
    }

    /// Ends an association: what was sent before still goes out if the peer reads it soon. One that is gone is fine.
    pub fn abort(&self, association: Association) {
        // Its queue ends when nobody can add to it.
        drop(self.0.open().remove(&association));
    }

    /// How many associations there are.
    pub fn associations(&self) -> usize {
        self.0.open().len()
    }
}

/// The transport's side of an endpoint.
#[derive(Clone)]
pub(crate) struct Port {
    shared: Arc<Shared>,
    events: mpsc::Sender<Event>,
}

/// A new endpoint and what feeds it.
pub(crate) fn endpoint() -> (Endpoint, Port) {
    let shared = Arc::new(Shared { next: AtomicU64::new(1), open: Mutex::default() });
    let (events, received) = mpsc::channel(EVENTS);
    (Endpoint { events: received, sender: Sender(shared.clone()) }, Port { shared, events })
}

impl Port {
    /// Whether somebody still reads the endpoint's events.
    pub(crate) async fn unread(&self) {
        self.events.closed().await;
    }

    /// Runs one association to its end.
    pub(crate) async fn run(self, peer: String, streams: u16, mut from: impl Incoming, mut to: impl Outgoing) {
        let association = Association(self.shared.next.fetch_add(1, Ordering::Relaxed));
        let (queue, mut queued) = mpsc::channel(WAITING);
        let (stalled, mut ending) = watch::channel(false);
        let streams = streams.max(1);
        self.shared.open().insert(association, Open { queue, stalled, streams });
        // Nobody reads any more: end quietly.
        let up = self.events.send(Event::Up { association, peer, streams }).await.is_ok();
        let mut because = DownBecause::Aborted;
        if up {
            let sending = async {
                while let Some(packet) = queued.recv().await {
                    if to.send(packet).await.is_err() {
                        return DownBecause::Lost;
                    }
                }
                DownBecause::Aborted
            };
            let receiving = self.receive(association, &mut from);
            let ended = async {
                if ending.wait_for(|stalled| *stalled).await.is_ok() {
                    return DownBecause::Stalled;
                }
                tokio::time::sleep(LAST_WORDS).await;
                DownBecause::Aborted
            };
            because = tokio::select! {
                why = sending => why,
                why = receiving => why,
                why = ended => why,
            };
        }
        self.shared.open().remove(&association);
        to.close().await;
        let _ = self.events.send(Event::Down { association, because }).await;
    }

    async fn receive(&self, association: Association, from: &mut impl Incoming) -> DownBecause {
        loop {
            let event = match from.recv().await {
                Ok(Some(packet)) if packet.bytes.len() > LARGEST => return DownBecause::Malformed,
                Ok(Some(Packet { stream, ppid: PPID, bytes })) => Event::Message { association, stream, bytes },
                Ok(Some(Packet { ppid, .. })) => Event::Foreign { association, ppid },
                Ok(None) => return DownBecause::Closed,
                Err(e) if e.kind() == io::ErrorKind::InvalidData => return DownBecause::Malformed,
                Err(_) => return DownBecause::Lost,
            };
            if self.events.send(event).await.is_err() {
                return DownBecause::Aborted;
            }
        }
    }
}

//! Wake-ups for the sockets of this node.
//!
//! The database is the truth; a wake-up only says "look again". So many wake-ups may become one, and one may
//! be lost without harm (sockets also look at intervals). A close is never lost while the socket lives.

use crate::Problem;
use pakawaaz_base::{DeviceId, ErrorClass};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Why the server ends a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The same device has connected again.
    Replaced,
    /// The official, the device, the SIM or the session was revoked.
    Revoked,
    /// The session ended by log-out or age.
    LoggedOut,
    /// The server is going down; connect again, perhaps to another node.
    Shutdown,
}

impl CloseReason {
    /// Word for the close frame and for metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
            Self::LoggedOut => "logged_out",
            Self::Shutdown => "shutdown",
        }
    }
}

/// What a socket is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Something may be new.
    Wake,
    /// End now. Final.
    Close(CloseReason),
}

/// The sockets of this node, at most one for each device. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Hub {
    sockets: Arc<Mutex<Sockets>>,
    max: usize,
}

#[derive(Debug, Default)]
struct Sockets {
    by_device: HashMap<DeviceId, Socket>,
    next: u64,
    closed: Option<CloseReason>,
}

#[derive(Debug)]
struct Socket {
    /// Tells this subscription from a later one of the same device.
    number: u64,
    /// `None` means wake.
    signal: watch::Sender<Option<CloseReason>>,
}

impl Hub {
    /// A hub for at most `max` sockets.
    pub fn new(max: usize) -> Self {
        Self { sockets: Arc::default(), max }
    }

    /// Registers a socket; one that the same device still has is told [`CloseReason::Replaced`].
    ///
    /// Errors: 503 `http.too_many_sockets` when the node is full, 503 `http.shutting_down`.
    pub fn subscribe(&self, device: DeviceId) -> Result<Subscription, Problem> {
        let mut sockets = self.lock();
        if sockets.closed.is_some() {
            return Err(Problem::new(ErrorClass::Unavailable, "http.shutting_down"));
        }
        if sockets.by_device.len() >= self.max && !sockets.by_device.contains_key(&device) {
            return Err(Problem::new(ErrorClass::Unavailable, "http.too_many_sockets"));
        }
        let number = sockets.next;
        sockets.next += 1;
        let (signal, receiver) = watch::channel(None);
        if let Some(older) = sockets.by_device.insert(device, Socket { number, signal }) {
            older.signal.send_replace(Some(CloseReason::Replaced));
        }
        gauge(sockets.by_device.len());
        Ok(Subscription { device, number, receiver, hub: self.clone() })
    }

    /// Wakes the device's socket, if it has one here.
    pub fn wake(&self, device: DeviceId) {
        if let Some(socket) = self.lock().by_device.get(&device) {
            socket.signal.send_modify(|_| {});
        }
    }

    /// Ends the device's socket, if it has one here. Returns whether it had.
    pub fn close(&self, device: DeviceId, reason: CloseReason) -> bool {
        let mut sockets = self.lock();
        let Some(socket) = sockets.by_device.remove(&device) else { return false };
        socket.signal.send_replace(Some(reason));
        gauge(sockets.by_device.len());
        true
    }

    /// Ends all sockets and refuses new ones.
    pub fn close_all(&self, reason: CloseReason) {
        let mut sockets = self.lock();
        sockets.closed = Some(reason);
        for (_, socket) in sockets.by_device.drain() {
            socket.signal.send_replace(Some(reason));
        }
        gauge(0);
    }

    /// Whether the device has a socket here.
    pub fn is_connected(&self, device: DeviceId) -> bool {
        self.lock().by_device.contains_key(&device)
    }

    /// The devices with a socket here (to check them against revocations).
    pub fn devices(&self) -> Vec<DeviceId> {
        self.lock().by_device.keys().copied().collect()
    }

    /// Number of sockets.
    pub fn connected(&self) -> usize {
        self.lock().by_device.len()
    }

    fn lock(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn gauge(sockets: usize) {
    metrics::gauge!("pakawaaz_sockets").set(sockets as f64);
}

/// A registered socket; dropping it unregisters.
#[derive(Debug)]
pub struct Subscription {
    device: DeviceId,
    number: u64,
    receiver: watch::Receiver<Option<CloseReason>>,
    hub: Hub,
}

impl Subscription {
    /// Waits for the next signal. Wake-ups that came in the meantime count as one; after a close it returns
    /// that close at once, every time. Cancel-safe.
    pub async fn next(&mut self) -> Signal {
        if let Some(reason) = *self.receiver.borrow() {
            return Signal::Close(reason);
        }
        // An error means that the hub forgot us, which it does only after having sent the reason.
        let _ = self.receiver.changed().await;
        match *self.receiver.borrow_and_update() {
            Some(reason) => Signal::Close(reason),
            None => Signal::Wake,
        }
    }

    /// The device this socket belongs to.
    pub fn device(&self) -> DeviceId {
        self.device
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut sockets = self.hub.lock();
        if sockets.by_device.get(&self.device).is_some_and(|socket| socket.number == self.number) {
            sockets.by_device.remove(&self.device);
            gauge(sockets.by_device.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn device(n: u8) -> DeviceId {
        DeviceId::from_bytes([n; 16])
    }
    /// What `next` gives without waiting.
    fn poll(subscription: &mut Subscription) -> Option<Signal> {
        match pin!(subscription.next()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(signal) => Some(signal),
            Poll::Pending => None,
        }
    }

    #[test]
    fn wake_ups_reach_their_device_and_coalesce() {
        let hub = Hub::new(10);
        let (mut a, mut b) = (hub.subscribe(device(1)).unwrap(), hub.subscribe(device(2)).unwrap());
        assert_eq!(poll(&mut a), None);
        hub.wake(device(1));
        hub.wake(device(1));
        hub.wake(device(3));
        assert_eq!(poll(&mut a), Some(Signal::Wake));
        assert_eq!(poll(&mut a), None);
        assert_eq!(poll(&mut b), None);
        assert_eq!(hub.connected(), 2);
    }

    #[test]
    fn a_close_is_final_and_outlives_later_wake_ups() {
        let hub = Hub::new(10);
        let mut a = hub.subscribe(device(1)).unwrap();
        hub.wake(device(1));
        assert!(hub.close(device(1), CloseReason::Revoked));
        assert!(!hub.close(device(1), CloseReason::LoggedOut));
        hub.wake(device(1));
        for _ in 0..2 {
            assert_eq!(poll(&mut a), Some(Signal::Close(CloseReason::Revoked)));
        }
        assert_eq!(hub.connected(), 0);
    }

    #[test]
    fn a_second_socket_replaces_the_first_and_survives_its_end() {
        let hub = Hub::new(1);
        let mut first = hub.subscribe(device(1)).unwrap();
        let mut second = hub.subscribe(device(1)).unwrap();
        assert_eq!(poll(&mut first), Some(Signal::Close(CloseReason::Replaced)));
        drop(first);
        assert!(hub.is_connected(device(1)));
        hub.wake(device(1));
        assert_eq!(poll(&mut second), Some(Signal::Wake));
        assert_eq!(hub.subscribe(device(2)).unwrap_err().code, "http.too_many_sockets");
        drop(second);
        assert_eq!(hub.connected(), 0);
        assert!(hub.subscribe(device(2)).is_ok());
    }

    #[test]
    fn shutdown_ends_all_and_admits_none() {
        let hub = Hub::new(10);
        let mut a = hub.subscribe(device(1)).unwrap();
        hub.close_all(CloseReason::Shutdown);
        assert_eq!(poll(&mut a), Some(Signal::Close(CloseReason::Shutdown)));
        assert_eq!(hub.subscribe(device(2)).unwrap_err().status, 503);
    }

    #[tokio::test]
    async fn a_waiting_socket_is_woken_from_another_task() {
        let hub = Hub::new(10);
        let mut a = hub.subscribe(device(1)).unwrap();
        let waiting = tokio::spawn(async move { a.next().await });
        tokio::task::yield_now().await;
        hub.wake(device(1));
        assert_eq!(waiting.await.unwrap(), Signal::Wake);
    }
}

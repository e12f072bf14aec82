//! How many connections there may be, altogether and from one address.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Semaphore, watch};

/// Counts connections by the life of their streams, so that an upgraded WebSocket counts until it is closed.
#[derive(Clone, Debug)]
pub struct Connections {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    max: usize,
    max_per_address: usize,
    per_address: Mutex<HashMap<IpAddr, usize>>,
    open: watch::Sender<usize>,
    /// TLS handshakes at a time.
    handshakes: Arc<Semaphore>,
}

impl Connections {
    /// No connections yet.
    pub fn new(max: usize, max_per_address: usize, handshakes: usize) -> Self {
        let inner = Inner {
            max,
            max_per_address,
            per_address: Mutex::default(),
            open: watch::Sender::new(0),
            handshakes: Arc::new(Semaphore::new(handshakes)),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Takes a place for a connection, or `None` when there are too many.
    pub fn admit(&self, peer: IpAddr) -> Option<Place> {
        let peer = peer.to_canonical();
        let mut per_address = self.inner.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        let here = per_address.get(&peer).copied().unwrap_or(0);
        let fits =
            *self.inner.open.borrow() < self.inner.max && (peer.is_loopback() || here < self.inner.max_per_address);
        if !fits {
            metrics::counter!("pakawaaz_connections_refused_total").increment(1);
            return None;
        }
        per_address.insert(peer, here + 1);
        self.inner.open.send_modify(|n| *n += 1);
        metrics::gauge!("pakawaaz_connections").set(*self.inner.open.borrow() as f64);
        Some(Place { peer, connections: self.clone() })
    }

    /// Bounds handshakes.
    pub fn handshakes(&self) -> Arc<Semaphore> {
        self.inner.handshakes.clone()
    }

    /// Open connections.
    pub fn open(&self) -> usize {
        *self.inner.open.borrow()
    }

    /// Waits until there are none.
    pub async fn none_left(&self) {
        // The sender lives in `self`, so this cannot fail.
        let _ = self.inner.open.subscribe().wait_for(|open| *open == 0).await;
    }
}

/// The place of one connection; dropping it frees it.
#[derive(Debug)]
pub struct Place {
    peer: IpAddr,
    connections: Connections,
}

impl Drop for Place {
    fn drop(&mut self) {
        let inner = &self.connections.inner;
        let mut per_address = inner.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = per_address.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                per_address.remove(&self.peer);
            }
        }
        inner.open.send_modify(|n| *n -= 1);
        metrics::gauge!("pakawaaz_connections").set(*inner.open.borrow() as f64);
    }
}

/// A stream that keeps its place.
#[derive(Debug)]
pub struct Counted<S> {
    stream: S,
    _place: Place,
}

impl<S> Counted<S> {
    /// The stream holds the place until it is dropped.
    pub fn new(stream: S, place: Place) -> Self {
        Self { stream, _place: place }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn places_are_bounded_altogether_and_per_address() {
        let connections = Connections::new(4, 2, 1);
        let first = connections.admit(ip("10.0.0.1")).expect("first");
        let _second = connections.admit(ip("::ffff:10.0.0.1")).expect("second");
        assert!(connections.admit(ip("10.0.0.1")).is_none(), "the same address in other clothes");
        let _third = connections.admit(ip("10.0.0.2")).expect("third");
        let _fourth = connections.admit(ip("10.0.0.3")).expect("fourth");
        assert!(connections.admit(ip("10.0.0.4")).is_none());
        drop(first);
        assert_eq!(connections.open(), 3);
        assert!(connections.admit(ip("10.0.0.1")).is_some());
    }

    #[test]
    fn loopback_is_bounded_only_altogether() {
        let connections = Connections::new(3, 1, 1);
        let all: Vec<_> = (0..4).map(|_| connections.admit(ip("127.0.0.1"))).collect();
        assert_eq!(all.iter().flatten().count(), 3);
    }

    #[tokio::test]
    async fn waiting_ends_with_the_last_stream() {
        let connections = Connections::new(3, 1, 1);
        connections.none_left().await;
        let stream = Counted::new(tokio::io::empty(), connections.admit(ip("10.0.0.1")).expect("place"));
        let waiting = tokio::spawn({
            let connections = connections.clone();
            async move { connections.none_left().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(stream);
        waiting.await.expect("ended");
    }
}

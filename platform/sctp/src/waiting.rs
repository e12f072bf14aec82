//! The same sockets for tasks that wait.

use crate::{Received, Settings, Socket};
use std::io;
use std::net::SocketAddr;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A lost association is an error without readable bytes, so errors have to wake as well.
const READABLE: Interest = Interest::READABLE.add(Interest::ERROR);
const WRITABLE: Interest = Interest::WRITABLE.add(Interest::ERROR);
const ANY: Interest = READABLE.add(Interest::WRITABLE);

/// A socket whose operations wait until they can be done. Needs a tokio runtime.
#[derive(Debug)]
pub struct WaitingSocket(AsyncFd<Socket>);

impl WaitingSocket {
    fn new(socket: Socket) -> io::Result<Self> {
        // SAFETY: `Socket` owns its descriptor, gives out no way to close or replace it, and closes it when dropped,
        // which is after this registration ends.
        let registered = unsafe { AsyncFd::register_with_interest(socket, ANY) };
        Ok(Self(registered?))
    }

    /// As [`Socket::listen`].
    ///
    /// # Errors
    /// As there.
    pub fn listen(addresses: &[SocketAddr], settings: Settings) -> io::Result<Self> {
        Self::new(Socket::listen(addresses, settings)?)
    }

    /// As [`Socket::connect`], until there is an association.
    ///
    /// # Errors
    /// As there, and why there is none.
    pub async fn connect(from: &[SocketAddr], to: &[SocketAddr], settings: Settings) -> io::Result<Self> {
        let socket = Self::new(Socket::connect(from, to, settings)?)?;
        drop(socket.0.writable().await?);
        socket.0.get_ref().connected()?;
        Ok(socket)
    }

    /// The next association of a listening socket.
    ///
    /// # Errors
    /// No descriptors are left.
    pub async fn accept(&self, settings: Settings) -> io::Result<(Self, SocketAddr)> {
        loop {
            let mut ready = self.0.ready(READABLE).await?;
            if let Ok(accepted) = ready.try_io(|s| s.get_ref().accept(settings)) {
                let (socket, peer) = accepted?;
                return Ok((Self::new(socket)?, peer));
            }
        }
    }

    /// As [`Socket::receive`].
    ///
    /// # Errors
    /// As there, without `WouldBlock`.
    pub async fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        loop {
            let mut ready = self.0.ready(READABLE).await?;
            if let Ok(received) = ready.try_io(|s| s.get_ref().receive(buffer)) {
                return received;
            }
        }
    }

    /// As [`Socket::send`].
    ///
    /// # Errors
    /// As there, without `WouldBlock`.
    pub async fn send(&self, bytes: &[u8], stream: u16, ppid: u32) -> io::Result<()> {
        loop {
            let mut ready = self.0.ready(WRITABLE).await?;
            if let Ok(sent) = ready.try_io(|s| s.get_ref().send(bytes, stream, ppid)) {
                return sent;
            }
        }
    }

    /// The socket itself.
    pub fn socket(&self) -> &Socket {
        self.0.get_ref()
    }
}

//! Kernel SCTP (RFC 9260), one-to-one sockets (RFC 6458 §4), for Linux. [`Socket`] never blocks; [`WaitingSocket`]
//! waits.
//!
//! The kernel needs its `sctp` module; without it every call here fails with `EPROTONOSUPPORT`.

mod options;
mod packets;
mod waiting;

use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

pub use packets::Received;
pub use waiting::WaitingSocket;

/// Streams asked for, and how soon a dead peer is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Streams in each direction.
    pub streams: u16,
    /// Pause between heartbeats on an idle path.
    pub heartbeat: Duration,
    /// Longest wait for an answer before a repetition (RTO.Max).
    pub repeat: Duration,
    /// Repetitions without an answer after which the association is lost (Association.Max.Retrans).
    pub retries: u16,
    /// Bytes the kernel may hold in each direction.
    pub buffer: u32,
}

impl Default for Settings {
    /// A dead peer is noticed in about ten seconds; the largest NGAP message fits the buffers several times.
    fn default() -> Self {
        Self {
            streams: 16,
            heartbeat: Duration::from_secs(2),
            repeat: Duration::from_secs(2),
            retries: 5,
            buffer: 1024 * 1024,
        }
    }
}

/// A one-to-one socket: it listens, or is one association.
#[derive(Debug)]
pub struct Socket(OwnedFd);

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Socket {
    fn new(for_address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let family = if for_address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = Self(rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::SCTP))?);
        options::prepare(&socket, settings)?;
        Ok(socket)
    }

    /// Listens on all `addresses` (multi-homing: all of one port and one family).
    ///
    /// # Errors
    /// No address, an address that is taken, no SCTP in the kernel.
    pub fn listen(addresses: &[SocketAddr], settings: Settings) -> io::Result<Self> {
        let socket = Self::bound(addresses, settings)?;
        rustix::net::listen(&socket, 128)?;
        Ok(socket)
    }

    fn bound(addresses: &[SocketAddr], settings: Settings) -> io::Result<Self> {
        let (first, more) = addresses.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let socket = Self::new(*first, settings)?;
        rustix::net::sockopt::set_socket_reuseaddr(&socket, true)?;
        rustix::net::bind(&socket, first)?;
        let port = socket.local()?.port();
        for address in more {
            options::bind_further(&socket, SocketAddr::new(address.ip(), port))?;
        }
        Ok(socket)
    }

    /// Begins an association from the addresses `from` (none: any) to any of the addresses `to`. The socket becomes
    /// writable when it is there or has failed; [`Socket::connected`] tells which.
    ///
    /// # Errors
    /// No address, no SCTP in the kernel, no way to the peer.
    pub fn connect(from: &[SocketAddr], to: &[SocketAddr], settings: Settings) -> io::Result<Self> {
        let first = *to.first().ok_or(io::ErrorKind::InvalidInput)?;
        let socket = if from.is_empty() { Self::new(first, settings)? } else { Self::bound(from, settings)? };
        match options::connect(&socket, to) {
            Err(e) if e.raw_os_error() != Some(libc::EINPROGRESS) => Err(e),
            _ => Ok(socket),
        }
    }

    /// After [`Socket::connect`], when writable.
    ///
    /// # Errors
    /// Why there is no association.
    pub fn connected(&self) -> io::Result<()> {
        rustix::net::sockopt::socket_error(self)?.map_err(Into::into)
    }

    /// The next association of a listening socket.
    ///
    /// # Errors
    /// `WouldBlock`: none now.
    pub fn accept(&self, settings: Settings) -> io::Result<(Self, SocketAddr)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (socket, peer) = rustix::net::acceptfrom_with(self, flags)?;
        let socket = Self(socket);
        options::prepare(&socket, settings)?;
        let peer = peer.and_then(|a| SocketAddr::try_from(a).ok()).ok_or(io::ErrorKind::InvalidData)?;
        Ok((socket, peer))
    }

    /// One of its own addresses.
    ///
    /// # Errors
    /// The kernel's.
    pub fn local(&self) -> io::Result<SocketAddr> {
        SocketAddr::try_from(rustix::net::getsockname(self)?).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    /// Streams that both sides agreed on: outgoing.
    ///
    /// # Errors
    /// There is no association.
    pub fn streams(&self) -> io::Result<u16> {
        options::outgoing_streams(self)
    }

    /// Receives a message, or as much of it as fits `buffer`; no bytes and end: the peer has ended the association.
    ///
    /// # Errors
    /// `WouldBlock`; `ConnectionReset` when the peer aborted; `TimedOut` when it is lost.
    pub fn receive(&self, buffer: &mut [u8]) -> io::Result<Received> {
        packets::receive(self, buffer)
    }

    /// Sends one whole message.
    ///
    /// # Errors
    /// `WouldBlock`: no room now; otherwise the association is gone.
    pub fn send(&self, bytes: &[u8], stream: u16, ppid: u32) -> io::Result<()> {
        packets::send(self, bytes, stream, ppid)
    }

    /// Tells the peer that nothing more comes; what was sent still goes (RFC 9260 §9.2).
    ///
    /// # Errors
    /// There is no association.
    pub fn shutdown(&self) -> io::Result<()> {
        Ok(rustix::net::shutdown(self, rustix::net::Shutdown::Write)?)
    }
}

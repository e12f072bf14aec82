//! N2 over the kernel's SCTP (TS 38.412): one-to-one sockets, multi-homed where several addresses are given.

use crate::port::{self, Incoming, Outgoing, Port};
use crate::{Endpoint, LARGEST, Packet};
use pakawaaz_sctp::WaitingSocket;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use pakawaaz_sctp::Settings;

/// Received at once; larger messages come in parts.
const READ: usize = 64 * 1024;

/// A core's endpoint on all `addresses` (same port; port 0: any), and where it listens. Ends when the endpoint is dropped.
///
/// # Errors
/// The kernel has no SCTP, an address is taken or not ours.
pub fn listen(addresses: &[SocketAddr], settings: Settings) -> io::Result<(Endpoint, SocketAddr)> {
    let listener = WaitingSocket::listen(addresses, settings)?;
    let bound = listener.socket().local()?;
    let (endpoint, port) = port::endpoint();
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept(settings) => accepted,
                () = port.unread() => return,
            };
            match accepted {
                Ok((socket, peer)) => start(port.clone(), socket, peer, settings.streams),
                // Out of descriptors, most likely: try again when some are free.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    });
    Ok((endpoint, bound))
}

/// A gNB's endpoint with one association, from the addresses `from` (none: any) to the core's addresses.
///
/// # Errors
/// The kernel has no SCTP, nobody answers.
pub async fn connect(from: &[SocketAddr], to: &[SocketAddr], settings: Settings) -> io::Result<Endpoint> {
    let peer = *to.first().ok_or(io::ErrorKind::InvalidInput)?;
    let socket = WaitingSocket::connect(from, to, settings).await?;
    let (endpoint, port) = port::endpoint();
    start(port, socket, peer, settings.streams);
    Ok(endpoint)
}

fn start(port: Port, socket: WaitingSocket, peer: SocketAddr, asked: u16) {
    let streams = socket.socket().streams().unwrap_or(asked);
    let socket = Arc::new(socket);
    let from = Reading { socket: socket.clone(), buffer: vec![0; READ], partial: Vec::new() };
    tokio::spawn(port.run(peer.to_string(), streams, from, Writing(socket)));
}

/// A path has no route any more. The association may have others; when it is lost, another error says so.
fn one_path_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable)
}

struct Reading {
    socket: Arc<WaitingSocket>,
    buffer: Vec<u8>,
    partial: Vec<u8>,
}

impl Incoming for Reading {
    async fn recv(&mut self) -> io::Result<Option<Packet>> {
        loop {
            let received = match self.socket.receive(&mut self.buffer).await {
                Err(e) if one_path_only(&e) => continue,
                received => received?,
            };
            if received.notice {
                continue;
            }
            if received.length == 0 {
                return Ok(None);
            }
            if self.partial.len() + received.length > LARGEST {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.partial.extend_from_slice(self.buffer.get(..received.length).unwrap_or_default());
            if received.end {
                let (stream, ppid) = (received.stream, received.ppid);
                return Ok(Some(Packet { stream, ppid, bytes: std::mem::take(&mut self.partial) }));
            }
        }
    }
}

struct Writing(Arc<WaitingSocket>);

impl Outgoing for Writing {
    async fn send(&mut self, packet: Packet) -> io::Result<()> {
        loop {
            match self.0.send(&packet.bytes, packet.stream, packet.ppid).await {
                Err(e) if one_path_only(&e) => {}
                sent => return sent,
            }
        }
    }
    async fn close(&mut self) {
        let _ = self.0.socket().shutdown();
    }
}

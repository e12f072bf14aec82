//! N2 over a byte stream on this machine, for several processes without SCTP. Not for production: no multi-homing, no
//! heartbeat, and one stream that holds up the others. Only loopback addresses are taken.

use crate::port::{self, Incoming, Outgoing, Port};
use crate::{Endpoint, Packet, frame};
use std::io;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Streams of every association.
const STREAMS: u16 = 16;
/// Read at once.
const READ: usize = 16 * 1024;

fn loopback_only(address: SocketAddr) -> io::Result<()> {
    if address.ip().is_loopback() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "framed N2 is for loopback addresses only"))
    }
}

/// A core's endpoint on `address` (port 0: any), and where it listens. Ends when the endpoint is dropped.
///
/// # Errors
/// The address is not loopback, or taken.
pub async fn listen(address: SocketAddr) -> io::Result<(Endpoint, SocketAddr)> {
    loopback_only(address)?;
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let (endpoint, port) = port::endpoint();
    tokio::spawn(async move {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = port.unread() => return,
            };
            match accepted {
                Ok((stream, peer)) => start(port.clone(), stream, peer),
                // Out of descriptors, most likely: try again when some are free.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            }
        }
    });
    Ok((endpoint, bound))
}

/// A gNB's endpoint with one association to `core`.
///
/// # Errors
/// The address is not loopback, or nobody listens.
pub async fn connect(core: SocketAddr) -> io::Result<Endpoint> {
    loopback_only(core)?;
    let stream = TcpStream::connect(core).await?;
    let (endpoint, port) = port::endpoint();
    start(port, stream, core);
    Ok(endpoint)
}

fn start(port: Port, stream: TcpStream, peer: SocketAddr) {
    // Latency only; without it everything still works.
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let from = Reading { read, buffer: Vec::new() };
    tokio::spawn(port.run(peer.to_string(), STREAMS, from, Writing { write, buffer: Vec::new() }));
}

struct Reading {
    read: OwnedReadHalf,
    /// Read and not taken yet.
    buffer: Vec<u8>,
}

impl Incoming for Reading {
    async fn recv(&mut self) -> io::Result<Option<Packet>> {
        loop {
            let found = frame::decode(&self.buffer).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
            if let Some((packet, taken)) = found {
                self.buffer.drain(..taken);
                return Ok(Some(packet));
            }
            self.buffer.reserve(READ);
            if self.read.read_buf(&mut self.buffer).await? == 0 {
                // In the middle of a packet it is no orderly end.
                return if self.buffer.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
        }
    }
}

struct Writing {
    write: OwnedWriteHalf,
    buffer: Vec<u8>,
}

impl Outgoing for Writing {
    async fn send(&mut self, packet: Packet) -> io::Result<()> {
        self.buffer.clear();
        frame::encode(&packet, &mut self.buffer);
        self.write.write_all(&self.buffer).await
    }
    async fn close(&mut self) {
        let _ = self.write.shutdown().await;
    }
}

//! N2 inside one process: for deterministic tests and for load without a kernel in between.

use crate::port::{self, Incoming, Outgoing, Port};
use crate::{Endpoint, Packet, WAITING};
use std::io;
use tokio::sync::mpsc;

/// Streams of every association.
const STREAMS: u16 = 16;

/// Where gNBs find the core.
#[derive(Clone)]
pub struct Exchange(Port);

/// A core's endpoint, and the exchange through which gNBs reach it.
pub fn listen() -> (Endpoint, Exchange) {
    let (endpoint, port) = port::endpoint();
    (endpoint, Exchange(port))
}

impl Exchange {
    /// A gNB's endpoint with one association to the core. Needs a tokio runtime.
    pub fn connect(&self, name: &str) -> Endpoint {
        let (endpoint, port) = port::endpoint();
        let (up, core_reads) = mpsc::channel(WAITING);
        let (down, gnb_reads) = mpsc::channel(WAITING);
        tokio::spawn(self.0.clone().run(name.to_owned(), STREAMS, Half(core_reads), Other(Some(down))));
        tokio::spawn(port.run("core".to_owned(), STREAMS, Half(gnb_reads), Other(Some(up))));
        endpoint
    }
}

struct Half(mpsc::Receiver<Packet>);
impl Incoming for Half {
    async fn recv(&mut self) -> io::Result<Option<Packet>> {
        Ok(self.0.recv().await)
    }
}

struct Other(Option<mpsc::Sender<Packet>>);
impl Outgoing for Other {
    async fn send(&mut self, packet: Packet) -> io::Result<()> {
        let lost = || io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.as_ref().ok_or_else(lost)?.send(packet).await.map_err(|_| lost())
    }
    async fn close(&mut self) {
        self.0 = None;
    }
}

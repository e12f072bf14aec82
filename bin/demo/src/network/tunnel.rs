//! User data of the phones: each asks, through every new session, whether the service is there.

use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::packet::{self, Content, Packet};
use pakawaaz_ransim::traffic::{N3, N3Event, uplink_flow};
use pakawaaz_ransim::world::World;
use pakawaaz_upf::lab::SERVICE;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::Instant;

/// What an echo request carries.
const PAYLOAD: [u8; 32] = [0x5a; 32];
/// How often a phone asks: the user plane may not have heard yet where it is, and a packet may be lost.
const TIMES: u8 = 10;
/// How long it waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The gNB's end of all tunnels.
pub struct Tunnel {
    n3: N3,
    waiting: Vec<Asking>,
    reached: BTreeSet<u16>,
}

/// A phone that has no answer yet.
struct Asking {
    phone: PhoneId,
    psi: u8,
    /// How often it still may.
    left: u8,
    /// Not before.
    next: Instant,
}

impl Tunnel {
    /// Over this socket, which is where the user plane is.
    pub fn new(n3: N3) -> Self {
        Self { n3, waiting: Vec::new(), reached: BTreeSet::new() }
    }

    /// A phone has a session.
    pub fn session_up(&mut self, phone: PhoneId, psi: u8) {
        self.reached.remove(&number(phone));
        self.waiting.retain(|other| other.phone != phone);
        self.waiting.push(Asking { phone, psi, left: TIMES, next: Instant::now() });
    }

    /// Asks for those whose tunnel is there by now.
    pub async fn send(&mut self, world: &World<Links>) {
        let now = Instant::now();
        for mut asking in std::mem::take(&mut self.waiting) {
            let Asking { phone, psi, left, next } = asking;
            // With a session that went again there is nothing to wait for.
            let there = world.phone(phone).and_then(|phone| phone.session(psi)).is_some();
            // Without an answer to the last request it is a phone that has not reached anything, which is what is shown.
            if !there || left == 0 || self.reached.contains(&number(phone)) {
                continue;
            }
            if let Some(path) = world.path(phone, psi)
                && next <= now
                && let Some((flow, bytes)) = request(world, phone, psi)
            {
                let _ = self.n3.sender().send(path.uplink, flow, &bytes).await;
                (asking.left, asking.next) = (left - 1, now + PATIENCE);
            }
            self.waiting.push(asking);
        }
    }

    /// Waits until something came out of a tunnel.
    pub async fn receive(&mut self) {
        // Errors are of single datagrams: nobody listens at the other end for the moment.
        let Ok(N3Event::Packet(received)) = self.n3.recv(|_| true).await else { return };
        if let Some(Content::EchoReply { id, .. }) = packet::read(&received.packet).map(|packet| packet.content) {
            self.reached.insert(id);
        }
    }

    /// How many phones have had an answer in their present session.
    pub fn reached(&self) -> usize {
        self.reached.len()
    }
}

fn number(phone: PhoneId) -> u16 {
    phone.0 as u16
}

fn request(world: &World<Links>, phone: PhoneId, psi: u8) -> Option<(u8, Vec<u8>)> {
    let session = world.phone(phone)?.session(psi)?;
    let content = Content::EchoRequest { id: number(phone), sequence: 1, payload: PAYLOAD.to_vec() };
    let packet = Packet { from: IpAddr::V4(session.ipv4?), to: SERVICE.parse().ok()?, content };
    let bytes = packet::write(&packet)?;
    Some((uplink_flow(session, &bytes)?, bytes))
}

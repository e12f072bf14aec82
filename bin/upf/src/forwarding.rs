//! Packets between the GTP-U socket and the TUN device.

use anyhow::Result;
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::UserPlaneReply;
use pakawaaz_user_plane::{Sink, UserPlane};
use rustix::net::{SendAncillaryBuffer, SendFlags, sockopt};
use std::io::{ErrorKind, IoSlice};
use std::net::{SocketAddr, UdpSocket as StdUdpSocket};
use tokio::net::UdpSocket;
use tun_rs::AsyncDevice;

/// Packets of one direction before the other one has its turn.
const BATCH: usize = 64;
/// Larger than any packet.
const LARGEST: usize = 65_536;

/// Socket, device, and what comes out besides packets.
pub struct Wires {
    n3: UdpSocket,
    tun: AsyncDevice,
    out: Out,
    buffer: Vec<u8>,
}

/// Counts of what was lost between us and the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lost {
    /// Datagrams that could not be sent to a gNB.
    pub n3: u64,
    /// Packets that could not be written to the TUN device.
    pub tun: u64,
}

#[derive(Default)]
struct Out {
    replies: Vec<UserPlaneReply>,
    dscp: u8,
    lost: Lost,
}

/// Sends at once. Borrowed anew for each batch.
struct Sending<'a> {
    n3: &'a UdpSocket,
    tun: &'a AsyncDevice,
    out: &'a mut Out,
}

impl Sink for Sending<'_> {
    fn network(&mut self, packet: &[u8]) {
        if self.tun.try_send(packet).is_err() {
            self.out.lost.tun += 1;
        }
    }

    fn gnb(&mut self, to: SocketAddr, dscp: u8, header: &[u8], packet: &[u8]) {
        if dscp != self.out.dscp {
            self.mark(to, dscp);
        }
        let parts = [IoSlice::new(header), IoSlice::new(packet)];
        let mut nothing = SendAncillaryBuffer::default();
        if rustix::net::sendmsg_addr(self.n3, &to, &parts, &mut nothing, SendFlags::DONTWAIT).is_err() {
            self.out.lost.n3 += 1;
        }
    }

    fn control(&mut self, reply: UserPlaneReply) {
        self.out.replies.push(reply);
    }
}

impl Sending<'_> {
    /// Marks the outer packets from now on. A packet with the mark of the one before is better than none.
    fn mark(&mut self, to: SocketAddr, dscp: u8) {
        let value = dscp << 2;
        let marked = match to {
            SocketAddr::V4(_) => sockopt::set_ip_tos(self.n3, value),
            SocketAddr::V6(_) => sockopt::set_ipv6_tclass(self.n3, value.into()),
        };
        if marked.is_ok() {
            self.out.dscp = dscp;
        }
    }
}

impl Wires {
    /// Inside the runtime.
    pub fn new(n3: StdUdpSocket, tun: tun_rs::SyncDevice) -> Result<Self> {
        Ok(Self {
            n3: UdpSocket::from_std(n3)?,
            tun: AsyncDevice::new(tun)?,
            out: Out::default(),
            buffer: vec![0; LARGEST],
        })
    }

    /// Waits until there is a packet in either direction. May be dropped at any time.
    pub async fn ready(&self) -> std::io::Result<()> {
        tokio::select! {
            ready = self.n3.readable() => ready,
            ready = self.tun.readable() => ready,
        }
    }

    /// Takes what is there, in turns, up to a batch of each direction.
    pub fn pump(&mut self, plane: &mut UserPlane, now: Millis) -> std::io::Result<()> {
        let Self { n3, tun, out, buffer } = self;
        let mut sending = Sending { n3, tun, out };
        for _ in 0..BATCH {
            match n3.try_recv_from(buffer) {
                Ok((length, source)) => {
                    plane.from_gnb(source, &buffer[..length], now, &mut sending);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // What ICMP said about something that we sent (a gNB that is gone): no reason to end.
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        for _ in 0..BATCH {
            match tun.try_recv(buffer) {
                Ok(length) => {
                    plane.from_network(&buffer[..length], now, &mut sending);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Does something with the user plane that may send.
    pub fn with(&mut self, work: impl FnOnce(&mut dyn Sink)) {
        work(&mut Sending { n3: &self.n3, tun: &self.tun, out: &mut self.out });
    }

    /// A packet to the kernel as if the user plane had let it through. What is no packet the kernel does not take.
    pub fn inject(&self, packet: &[u8]) {
        let _ = self.tun.try_send(packet);
    }

    /// Replies for the control plane since the last time.
    pub fn replies(&mut self) -> &mut Vec<UserPlaneReply> {
        &mut self.out.replies
    }

    /// What was lost since the beginning.
    pub fn lost(&self) -> Lost {
        self.out.lost
    }
}

fn is_passing(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
    )
}

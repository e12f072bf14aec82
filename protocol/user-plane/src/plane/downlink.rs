//! To the phone.

use super::{Sink, UserPlane, Verdict, is_name_service, is_tunnel_port};
use crate::allow_list::AllowLists;
use crate::counters::{Counters, Reason};
use crate::flows::Stream;
use crate::limits::Limits;
use crate::packet::{self, Packet, Transport};
use crate::returns::Key;
use crate::rules::UserPlaneReply;
use crate::session::{Session, upper_half};
use pakawaaz_base::Millis;
use pakawaaz_gtpu::{PORT, encode_g_pdu};
use std::net::{IpAddr, SocketAddr};

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

impl UserPlane {
    /// One IP packet from the data network.
    pub fn from_network(&mut self, bytes: &[u8], now: Millis, out: &mut dyn Sink) -> Verdict {
        let packet = match packet::parse(bytes) {
            Ok(packet) => packet,
            Err(reason) => return self.count(None, Verdict::Refused(reason)),
        };
        let index = match packet.destination {
            IpAddr::V4(v4) => self.by_ipv4.get(&v4),
            IpAddr::V6(v6) => self.by_prefix.get(&upper_half(v6)),
        };
        let Some(index) = index.copied() else {
            let noise = match packet.destination {
                IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
                IpAddr::V6(v6) => v6.is_multicast() || v6.is_unicast_link_local(),
            };
            let reason = if noise { Reason::LinkLocal } else { Reason::UnknownPhone };
            return self.count(None, Verdict::Refused(reason));
        };
        let verdict = self.downlink(index, &packet, bytes, now, out).unwrap_or_else(Verdict::Refused);
        self.count(Some(index), verdict)
    }

    fn downlink(
        &mut self,
        index: usize,
        packet: &Packet<'_>,
        bytes: &[u8],
        now: Millis,
        out: &mut dyn Sink,
    ) -> Result<Verdict, Reason> {
        let Self { sessions, lists, limits, counters, .. } = self;
        let session = sessions[index].as_mut().ok_or(Reason::UnknownPhone)?;
        if lists.is_phone(packet.source) {
            return Err(Reason::Phone);
        }
        let flow = match (packet.transport, packet.fragment) {
            (Transport::Later, Some(fragment)) => {
                let first = session.fragments.follow(packet, fragment, false, now).ok_or(Reason::Fragment)?;
                session.flows.with_qfi(first)
            }
            _ => {
                permit(session, packet, lists, limits, now)?;
                session.flows.classify(&Stream::new(packet.source, packet.protocol, &packet.transport, false))
            }
        };
        let flow = flow.ok_or(Reason::UnknownFlow)?;
        if !session.police(flow, bytes.len(), false, now) {
            return Ok(Verdict::Policed);
        }
        let (qfi, dscp) = (session.flows.at(flow).qfi, session.flows.at(flow).dscp);
        if let Some(fragment) = packet.fragment.filter(|fragment| fragment.offset == 0) {
            session.fragments.begin(packet, fragment, false, qfi, now, limits.fragment_for, limits.fragmented);
        }
        if session.downlink.is_some() {
            deliver(session, qfi, dscp, bytes, counters, out);
            return Ok(Verdict::Forwarded);
        }
        if !session.kept.keep(qfi, dscp, bytes, now, limits, &mut counters.kept_bytes) {
            return Err(Reason::KeptTooMany);
        }
        counters.kept += 1;
        if !session.kept.reported {
            session.kept.reported = true;
            out.control(UserPlaneReply::Waiting { session: session.reference, qfi });
        }
        Ok(Verdict::Kept)
    }
}

/// Sends a packet through the session's tunnel. The session has one.
pub(super) fn deliver(
    session: &mut Session,
    qfi: u8,
    dscp: u8,
    bytes: &[u8],
    counters: &mut Counters,
    out: &mut dyn Sink,
) {
    let Some(tunnel) = session.downlink else { return };
    let Ok(header) = encode_g_pdu(tunnel.teid, qfi, bytes.len()) else { return };
    let length = bytes.len() as u64;
    session.usage.downlink_packets += 1;
    session.usage.downlink_bytes += length;
    counters.downlink_packets += 1;
    counters.downlink_bytes += length;
    out.gnb(SocketAddr::new(tunnel.address, PORT), dscp, &header, bytes);
}

/// Sends a message of our own to the phone, in its default flow. It is nobody's usage.
pub(super) fn from_us(session: &Session, packet: &[u8], out: &mut dyn Sink) {
    let (Some(tunnel), Some(qfi)) = (session.downlink, session.flows.default_qfi()) else { return };
    if let Ok(header) = encode_g_pdu(tunnel.teid, qfi, packet.len()) {
        out.gnb(SocketAddr::new(tunnel.address, PORT), 0, &header, packet);
    }
}

/// Whether a packet answers something of the phone, from where the phone may go.
fn permit(
    session: &mut Session,
    packet: &Packet<'_>,
    lists: &AllowLists,
    limits: &Limits,
    now: Millis,
) -> Result<(), Reason> {
    let remote = packet.source;
    let (remote_port, local_port) = packet.transport.ports();
    let network = session.network;
    let answers = |session: &mut Session, remote, protocol, local_port, remote_port| {
        let question = remote_port == 0 || is_name_service(remote_port);
        let idle = if question { limits.question_idle } else { limits.udp_idle };
        let key = Key { remote, protocol, local_port, remote_port };
        if session.returns.expects(&key, idle, now) { Ok(()) } else { Err(Reason::NotAsked) }
    };
    let allowed = |remote, protocol, port| {
        if lists.permits(network, remote, protocol, port) { Ok(()) } else { Err(Reason::NotAllowed) }
    };
    match packet.transport {
        Transport::Udp { .. } => {
            if is_tunnel_port(local_port) || is_tunnel_port(remote_port) {
                return Err(Reason::Nested);
            }
            allowed(remote, packet.protocol, remote_port)?;
            answers(session, remote, packet.protocol, local_port, remote_port)
        }
        Transport::Tcp { flags, .. } => {
            allowed(remote, packet.protocol, remote_port)?;
            // After the first segment each one acknowledges, or resets (RFC 9293 §3.10.7).
            let goes_on = flags & ACK != 0 || flags & (RST | SYN) == RST;
            if goes_on { Ok(()) } else { Err(Reason::NotAsked) }
        }
        Transport::EchoReply { id } => {
            allowed(remote, packet.protocol, 0)?;
            answers(session, remote, packet.protocol, id, 0)
        }
        Transport::IcmpError => {
            // Any router on the way may send it, so it is the quoted packet that has to be the phone's.
            let quoted = packet::quoted(packet).ok_or(Reason::Icmp)?;
            if !session.owns(quoted.source) || packet.destination != quoted.source {
                return Err(Reason::Icmp);
            }
            allowed(quoted.destination, quoted.protocol, quoted.destination_port)?;
            if quoted.protocol != packet::protocol::TCP {
                let (local, far) = (quoted.source_port, quoted.destination_port);
                answers(session, quoted.destination, quoted.protocol, local, far)?;
            }
            if session.icmp_allowed(false, now) { Ok(()) } else { Err(Reason::Icmp) }
        }
        Transport::EchoRequest { .. } => Err(Reason::NotAsked),
        Transport::Icmp(_) => Err(Reason::Icmp),
        Transport::Unknown => Err(Reason::NotAllowed),
        Transport::Later => Err(Reason::Fragment),
    }
}

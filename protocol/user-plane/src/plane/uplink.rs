//! From the phone.

use super::{Sink, UserPlane, Verdict, downlink, is_name_service, is_tunnel_port};
use crate::allow_list::AllowLists;
use crate::counters::Reason;
use crate::flows::Stream;
use crate::limits::Limits;
use crate::packet::{self, Packet, Transport, protocol};
use crate::returns::Key;
use crate::router;
use crate::rules::{Tunnel, UserPlaneReply};
use crate::session::Session;
use pakawaaz_base::Millis;
use pakawaaz_gtpu::extension::PDU_SESSION_CONTAINER;
use pakawaaz_gtpu::{Elements, Message, MessageType, PORT, Signal, UplinkContainer, decode};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Extension headers that we know.
const KNOWN: &[u8] = &[PDU_SESSION_CONTAINER];

impl UserPlane {
    /// One datagram from N3.
    pub fn from_gnb(&mut self, source: SocketAddr, datagram: &[u8], now: Millis, out: &mut dyn Sink) -> Verdict {
        let gnbs = &self.limits.gnbs;
        if !gnbs.is_empty() && !gnbs.iter().any(|network| network.contains(source.ip())) {
            return self.count(None, Verdict::Refused(Reason::Stranger));
        }
        let Ok(message) = decode(datagram) else {
            return self.count(None, Verdict::Refused(Reason::Malformed));
        };
        if message.kind != MessageType::GPdu {
            let verdict = self.signalled(source, &message, now, out);
            return self.count(None, verdict);
        }
        if message.extensions.not_understood(KNOWN).is_some() {
            let sequence = message.sequence.unwrap_or_default();
            self.signal(source, Signal::SupportedExtensionHeaders { sequence, types: KNOWN }, now, out);
            return self.count(None, Verdict::Refused(Reason::UnknownExtension));
        }
        let Some(index) = self.by_teid.get(&message.teid).copied() else {
            // TS 29.281 §7.3.1: to the GTP-U port, wherever the packet came from.
            let to = SocketAddr::new(source.ip(), PORT);
            if self.signal(to, Signal::ErrorIndication { teid: message.teid, peer: self.own }, now, out) {
                self.counters.errors_sent += 1;
            }
            return self.count(None, Verdict::Refused(Reason::UnknownTunnel));
        };
        let downlink = self.sessions[index].as_ref().and_then(|session| session.downlink);
        let verdict = if downlink.is_some_and(|tunnel| tunnel.address == source.ip()) {
            self.uplink(index, &message, now, out).unwrap_or_else(Verdict::Refused)
        } else {
            self.hold(index, source.ip(), datagram, now)
        };
        self.count(Some(index), verdict)
    }

    /// A packet for a session from another gNB than the one that the control plane knows of. It may be a new gNB that is
    /// faster than the control plane, or one that hit another's TEID: [`Self::let_go`] will know.
    fn hold(&mut self, index: usize, from: IpAddr, datagram: &[u8], now: Millis) -> Verdict {
        if !self.held.hold(index, from, datagram, now, &self.limits) {
            return Verdict::Refused(Reason::OtherGnb);
        }
        self.counters.held += 1;
        self.counters.held_bytes = self.held.bytes() as u64;
        Verdict::Held
    }

    /// The session's gNB is known: what it sent before that goes the way of all its packets, and what others sent is dropped.
    pub(super) fn let_go(&mut self, index: usize, now: Millis, out: &mut dyn Sink) {
        let downlink = self.sessions[index].as_ref().and_then(|session| session.downlink);
        let Some(Tunnel { address, .. }) = downlink else { return };
        let (datagrams, late) = self.held.take(index, address, now, &self.limits);
        for datagram in datagrams {
            let Ok(message) = decode(&datagram) else { continue };
            let verdict = self.uplink(index, &message, now, out).unwrap_or_else(Verdict::Refused);
            self.count(Some(index), verdict);
        }
        self.drop_held(index, late);
    }

    /// Nothing is held for the session any more; `more` were dropped already.
    pub(super) fn drop_held(&mut self, index: usize, more: u64) {
        let dropped = self.held.drop_all(index) + more;
        self.counters.held_bytes = self.held.bytes() as u64;
        self.counters.refused[Reason::OtherGnb as usize] += dropped;
        if let Some(session) = self.sessions[index].as_mut() {
            session.usage.refused_packets += dropped;
        }
    }

    fn signalled(&mut self, source: SocketAddr, message: &Message<'_>, now: Millis, out: &mut dyn Sink) -> Verdict {
        match message.kind {
            MessageType::EchoRequest => {
                let sequence = message.sequence.unwrap_or_default();
                if self.signal(source, Signal::EchoResponse { sequence }, now, out) {
                    self.counters.echoes += 1;
                }
                Verdict::Heeded
            }
            MessageType::ErrorIndication => {
                let Ok(Elements { teid_data: Some(teid), peer_address: Some(peer), .. }) =
                    Elements::decode(message.payload)
                else {
                    return Verdict::Refused(Reason::Malformed);
                };
                // Only the gNB itself may say that a tunnel to it is gone.
                let tunnel = Tunnel { address: source.ip(), teid };
                let Some(index) = self.by_downlink.get(&tunnel).copied().filter(|_| peer == source.ip()) else {
                    return Verdict::Refused(Reason::UnknownTunnel);
                };
                self.set_downlink(index, None);
                if let Some(session) = self.sessions[index].as_mut() {
                    // Treated as idle by the control plane from now on: it pages when something waits.
                    self.counters.errors_received += 1;
                    out.control(UserPlaneReply::TunnelLost { session: session.reference });
                }
                Verdict::Heeded
            }
            // Nobody sends us end markers, and answers to questions that we did not ask mean nothing.
            _ => Verdict::Heeded,
        }
    }

    fn uplink(
        &mut self,
        index: usize,
        message: &Message<'_>,
        now: Millis,
        out: &mut dyn Sink,
    ) -> Result<Verdict, Reason> {
        let Self { own, sessions, lists, limits, streams, counters, .. } = self;
        let session = sessions[index].as_mut().ok_or(Reason::UnknownTunnel)?;
        let content = message.extensions.find(PDU_SESSION_CONTAINER).ok_or(Reason::UnknownFlow)?;
        let qfi = UplinkContainer::decode(content).map_err(|_| Reason::Malformed)?.qfi;
        let packet = packet::parse(message.payload)?;
        if !session.owns(packet.source) {
            return self.on_the_link(index, &packet, now, out);
        }
        check_destination(&packet, lists, *own)?;
        let flow = match (packet.transport, packet.fragment) {
            (Transport::Later, Some(fragment)) => {
                let first = session.fragments.follow(&packet, fragment, true, now).ok_or(Reason::Fragment)?;
                session.flows.with_qfi(qfi).filter(|_| qfi == first)
            }
            _ => {
                let stream = Stream::new(packet.destination, packet.protocol, &packet.transport, true);
                session.flows.claimed(qfi, &stream)
            }
        };
        let flow = flow.ok_or(Reason::UnknownFlow)?;
        if packet.transport != Transport::Later {
            permit(session, &packet, lists, limits, streams, now)?;
        }
        if !session.police(flow, message.payload.len(), true, now) {
            return Ok(Verdict::Policed);
        }
        if let Some(fragment) = packet.fragment.filter(|fragment| fragment.offset == 0) {
            let (keep, most) = (limits.fragment_for, limits.fragmented);
            session.fragments.begin(&packet, fragment, true, qfi, now, keep, most);
        }
        let bytes = message.payload.len() as u64;
        session.usage.uplink_packets += 1;
        session.usage.uplink_bytes += bytes;
        counters.uplink_packets += 1;
        counters.uplink_bytes += bytes;
        out.network(message.payload);
        Ok(Verdict::Forwarded)
    }

    /// A packet with a source that is not the session's: router solicitation and neighbour solicitation from the link-local
    /// address that the phone was given, or from none. Nothing of it ever leaves the link.
    fn on_the_link(
        &mut self,
        index: usize,
        packet: &Packet<'_>,
        now: Millis,
        out: &mut dyn Sink,
    ) -> Result<Verdict, Reason> {
        let session = self.sessions[index].as_mut().ok_or(Reason::UnknownTunnel)?;
        let (IpAddr::V6(source), IpAddr::V6(destination)) = (packet.source, packet.destination) else {
            return Err(Reason::Source);
        };
        if session.prefix.is_none() || !(source == session.link_local || source.is_unspecified()) {
            return Err(Reason::Source);
        }
        if packet.protocol != protocol::ICMPV6 || packet.fragment.is_some() {
            return Err(if is_on_link(destination) { Reason::LinkLocal } else { Reason::Source });
        }
        // RFC 4861 §6.1.1, §7.1.1: from this link, whole, code 0.
        let ours = router::our_link_local(session.link_local);
        let [kind, code, ..] = packet.upper else { return Err(Reason::Malformed) };
        if packet.hop_limit != 255 || *code != 0 || !router::is_intact(source, destination, packet.upper) {
            return Err(Reason::LinkLocal);
        }
        match *kind {
            router::ROUTER_SOLICITATION if [router::ALL_ROUTERS, ours].contains(&destination) => {
                if !session.icmp_allowed(true, now) {
                    return Err(Reason::Icmp);
                }
                self.advertise(index, Some(source), out);
                Ok(Verdict::Heeded)
            }
            router::NEIGHBOUR_SOLICITATION if packet.upper.get(8..24) == Some(&ours.octets()[..]) => {
                // From nowhere it is the phone making sure that an address is free: ours is not.
                let to = if source.is_unspecified() { router::ALL_NODES } else { source };
                if !session.icmp_allowed(true, now) {
                    return Err(Reason::Icmp);
                }
                self.counters.advertisements += 1;
                downlink::from_us(session, &router::neighbour_advertisement(ours, to), out);
                Ok(Verdict::Heeded)
            }
            _ => Err(Reason::LinkLocal),
        }
    }
}

fn is_on_link(address: Ipv6Addr) -> bool {
    address.is_multicast() || address.is_unicast_link_local() || address.is_unspecified()
}

fn check_destination(packet: &Packet<'_>, lists: &AllowLists, own: IpAddr) -> Result<(), Reason> {
    if lists.is_phone(packet.destination) {
        return Err(Reason::Phone);
    }
    match packet.destination {
        address if address == own => Err(Reason::NotAllowed),
        IpAddr::V6(v6) if is_on_link(v6) => Err(Reason::LinkLocal),
        IpAddr::V4(v4) if v4.is_multicast() || v4.is_broadcast() => Err(Reason::LinkLocal),
        _ => Ok(()),
    }
}

/// Whether the allow-list lets the packet go where it wants to, and remembers that an answer may come.
fn permit(
    session: &mut Session,
    packet: &Packet<'_>,
    lists: &AllowLists,
    limits: &Limits,
    streams: &mut usize,
    now: Millis,
) -> Result<(), Reason> {
    let remote = packet.destination;
    let (local_port, remote_port) = packet.transport.ports();
    let allowed = |protocol, port| {
        if lists.permits(session.network, remote, protocol, port) { Ok(()) } else { Err(Reason::NotAllowed) }
    };
    let resolver = || {
        let foreign = is_name_service(remote_port) && !lists.is_resolver(session.network, remote);
        if foreign { Err(Reason::Resolver) } else { Ok(()) }
    };
    let (key, idle) = match packet.transport {
        Transport::Udp { .. } => {
            if is_tunnel_port(local_port) || is_tunnel_port(remote_port) {
                return Err(Reason::Nested);
            }
            resolver()?;
            allowed(packet.protocol, remote_port)?;
            let idle = if is_name_service(remote_port) { limits.question_idle } else { limits.udp_idle };
            (Key { remote, protocol: packet.protocol, local_port, remote_port }, idle)
        }
        Transport::Tcp { .. } => {
            resolver()?;
            return allowed(packet.protocol, remote_port);
        }
        Transport::EchoRequest { id } => {
            allowed(packet.protocol, 0)?;
            if !session.icmp_allowed(true, now) {
                return Err(Reason::Icmp);
            }
            (Key { remote, protocol: packet.protocol, local_port: id, remote_port: 0 }, limits.question_idle)
        }
        Transport::IcmpError => {
            // About a packet that the destination sent to this phone, and might send.
            let quoted = packet::quoted(packet).ok_or(Reason::Icmp)?;
            if quoted.source != remote || !session.owns(quoted.destination) {
                return Err(Reason::Icmp);
            }
            allowed(quoted.protocol, quoted.source_port)?;
            return if session.icmp_allowed(true, now) { Ok(()) } else { Err(Reason::Icmp) };
        }
        Transport::EchoReply { .. } | Transport::Icmp(_) => return Err(Reason::Icmp),
        // A protocol that no allow-list can name.
        Transport::Unknown => return Err(Reason::NotAllowed),
        Transport::Later => return Err(Reason::Fragment),
    };
    let most = limits.streams;
    if session.returns.sent(key, idle, now, most, streams, limits.streams_in_all) {
        Ok(())
    } else {
        Err(Reason::TooManyFlows)
    }
}

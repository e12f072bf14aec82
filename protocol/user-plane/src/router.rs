//! The user plane as the phone's IPv6 router: router advertisements with the session's prefix (TS 23.501 §5.8.2.2.3,
//! RFC 4861 §4.2), and answers to the phone's question whether the router is still there.
//!
//! On this link there is one phone and one router, so nothing else of neighbour discovery is needed.

use crate::packet::{self, protocol};
use std::net::{IpAddr, Ipv6Addr};

/// All nodes on the link.
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// All routers on the link.
pub const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);

/// ICMPv6 type of a router solicitation.
pub const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
/// ICMPv6 type of a neighbour solicitation.
pub const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// The phone's link-local address, from the interface identifier that it was given.
pub fn link_local(interface_id: [u8; 8]) -> Ipv6Addr {
    let mut octets = [0; 16];
    octets[0] = 0xfe;
    octets[1] = 0x80;
    octets[8..].copy_from_slice(&interface_id);
    Ipv6Addr::from(octets)
}

/// Our link-local address on a phone's link: fe80::1, or fe80::2 when the phone has that one.
pub fn our_link_local(phone: Ipv6Addr) -> Ipv6Addr {
    let first = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
    if phone == first { Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2) } else { first }
}

/// What a router advertisement says.
#[derive(Clone, Copy, Debug)]
pub struct Advertised<'a> {
    /// The session's /64.
    pub prefix: Ipv6Addr,
    /// Largest packet.
    pub mtu: u16,
    /// Name servers (RFC 8106); only IPv6 ones can be said here.
    pub resolvers: &'a [IpAddr],
}

/// A router advertisement, whole IPv6 packet.
pub fn router_advertisement(from: Ipv6Addr, to: Ipv6Addr, said: &Advertised<'_>) -> Vec<u8> {
    let mut body = vec![ROUTER_ADVERTISEMENT, 0, 0, 0];
    // Hop limit 64; no DHCPv6; a router for as long as can be said (RFC 8319), because the session ends otherwise.
    body.extend_from_slice(&[64, 0]);
    body.extend_from_slice(&u16::MAX.to_be_bytes());
    body.extend_from_slice(&[0; 8]);
    // Prefix information: autonomous, not on link, valid and preferred for ever (TS 23.501 §5.8.2.2.3).
    body.extend_from_slice(&[3, 4, 64, 0x40]);
    body.extend_from_slice(&[0xff; 8]);
    body.extend_from_slice(&[0; 4]);
    body.extend_from_slice(&said.prefix.octets());
    body.extend_from_slice(&[5, 1, 0, 0]);
    body.extend_from_slice(&u32::from(said.mtu).to_be_bytes());
    let v6 = said.resolvers.iter().filter_map(|address| match address {
        IpAddr::V6(v6) => Some(v6.octets()),
        IpAddr::V4(_) => None,
    });
    let resolvers: Vec<[u8; 16]> = v6.take(4).collect();
    if !resolvers.is_empty() {
        body.extend_from_slice(&[25, 1 + 2 * resolvers.len() as u8, 0, 0]);
        body.extend_from_slice(&[0xff; 4]);
        body.extend(resolvers.iter().flatten());
    }
    icmpv6(from, to, body)
}

/// "I am here", to a phone that asked for our link-local address. There are no link-layer addresses to tell.
pub fn neighbour_advertisement(from: Ipv6Addr, to: Ipv6Addr) -> Vec<u8> {
    // Router, solicited, override.
    let mut body = vec![NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, 0xe0, 0, 0, 0];
    body.extend_from_slice(&from.octets());
    icmpv6(from, to, body)
}

fn icmpv6(from: Ipv6Addr, to: Ipv6Addr, mut body: Vec<u8>) -> Vec<u8> {
    let sum = packet::checksum(&body, packet::pseudo_header_v6(from, to, protocol::ICMPV6, body.len()));
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    let mut out = vec![0x60, 0, 0, 0, 0, body.len() as u8, protocol::ICMPV6, 255];
    out.extend_from_slice(&from.octets());
    out.extend_from_slice(&to.octets());
    out.extend_from_slice(&body);
    out
}

/// Whether an ICMPv6 message has a right checksum.
pub fn is_intact(source: Ipv6Addr, destination: Ipv6Addr, message: &[u8]) -> bool {
    let sum = packet::pseudo_header_v6(source, destination, protocol::ICMPV6, message.len());
    packet::checksum(message, sum) == 0
}

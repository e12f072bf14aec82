//! IP packets by hand.

use pakawaaz_user_plane::packet::{checksum, pseudo_header_v6};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub fn v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, upper: &[u8]) -> Vec<u8> {
    fragment_v4(source, destination, protocol, upper, 7, 0, false)
}

pub fn fragment_v4(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    upper: &[u8],
    id: u16,
    offset: u16,
    more: bool,
) -> Vec<u8> {
    let mut out = vec![0x45, 0];
    out.extend_from_slice(&(20 + upper.len() as u16).to_be_bytes());
    out.extend_from_slice(&id.to_be_bytes());
    out.extend_from_slice(&((offset / 8) | if more { 0x2000 } else { 0 }).to_be_bytes());
    out.extend_from_slice(&[64, protocol, 0, 0]);
    out.extend_from_slice(&source.octets());
    out.extend_from_slice(&destination.octets());
    fix_v4(&mut out);
    out.extend_from_slice(upper);
    out
}

pub fn fix_v4(packet: &mut [u8]) {
    packet[10..12].fill(0);
    let length = usize::from(packet[0] & 15) * 4;
    let sum = checksum(&packet[..length], 0);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

pub fn v6(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, hop_limit: u8, upper: &[u8]) -> Vec<u8> {
    let mut out = vec![0x60, 0, 0, 0];
    out.extend_from_slice(&(upper.len() as u16).to_be_bytes());
    out.extend_from_slice(&[protocol, hop_limit]);
    out.extend_from_slice(&source.octets());
    out.extend_from_slice(&destination.octets());
    out.extend_from_slice(upper);
    out
}

/// An ICMPv6 message with its checksum.
pub fn icmpv6(source: Ipv6Addr, destination: Ipv6Addr, hop_limit: u8, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    let sum = checksum(&message, pseudo_header_v6(source, destination, 58, message.len()));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    v6(source, destination, 58, hop_limit, &message)
}

/// Either family.
pub fn ip(source: IpAddr, destination: IpAddr, protocol: u8, upper: &[u8]) -> Vec<u8> {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => v4(source, destination, protocol, upper),
        (IpAddr::V6(source), IpAddr::V6(destination)) => v6(source, destination, protocol, 64, upper),
        _ => panic!("two families"),
    }
}

pub fn udp_header(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&source.to_be_bytes());
    out.extend_from_slice(&destination.to_be_bytes());
    out.extend_from_slice(&(8 + payload.len() as u16).to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    out.extend_from_slice(payload);
    out
}

pub fn udp(source: &str, source_port: u16, destination: &str, port: u16) -> Vec<u8> {
    ip(addr(source), addr(destination), 17, &udp_header(source_port, port, b"hello"))
}

pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

pub fn tcp(source: &str, source_port: u16, destination: &str, port: u16, flags: u8) -> Vec<u8> {
    let mut upper = vec![0; 20];
    upper[..2].copy_from_slice(&source_port.to_be_bytes());
    upper[2..4].copy_from_slice(&port.to_be_bytes());
    upper[12] = 0x50;
    upper[13] = flags;
    ip(addr(source), addr(destination), 6, &upper)
}

pub fn echo(source: &str, destination: &str, request: bool, id: u16) -> Vec<u8> {
    let (source, destination) = (addr(source), addr(destination));
    let kind = match (source.is_ipv4(), request) {
        (true, true) => 8,
        (true, false) => 0,
        (false, true) => 128,
        (false, false) => 129,
    };
    let [i0, i1] = id.to_be_bytes();
    let message = [kind, 0, 0, 0, i0, i1, 0, 1];
    ip(source, destination, if source.is_ipv4() { 1 } else { 58 }, &message)
}

/// An ICMP error of a type about a packet.
pub fn error(source: &str, destination: &str, kind: u8, about: &[u8]) -> Vec<u8> {
    let mut message = vec![kind, 1, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(&about[..about.len().min(68)]);
    ip(addr(source), addr(destination), if addr(source).is_ipv4() { 1 } else { 58 }, &message)
}

pub fn addr(text: &str) -> IpAddr {
    text.parse().expect("address")
}

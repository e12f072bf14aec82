//! Packets that no phone should send, and some that it may.

use pakawaaz_upf::canary::packets::g_pdu;
use pakawaaz_upf::lab::{FOREIGN, FOREIGN6, SERVICE, SERVICE6};
use pakawaaz_user_plane::packet::{checksum, pseudo_header_v6};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub const PHONE: &str = "10.45.0.2";
pub const PHONE6: &str = "fd00:45:0:1::77";
pub const OTHER_PHONE: &str = "10.45.0.3";

pub fn ip(source: &str, destination: &str, protocol: u8, upper: &[u8]) -> Vec<u8> {
    match (source.parse().expect("address"), destination.parse().expect("address")) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => v4(source, destination, protocol, upper, 0, &[]),
        (IpAddr::V6(source), IpAddr::V6(destination)) => v6(source, destination, protocol, upper),
        _ => panic!("two families"),
    }
}

/// `word`: flags and offset of a fragment.
pub fn v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, upper: &[u8], word: u16, options: &[u8]) -> Vec<u8> {
    let header = 20 + options.len();
    let mut out = vec![0x40 | (header / 4) as u8, 0];
    out.extend_from_slice(&((header + upper.len()) as u16).to_be_bytes());
    out.extend_from_slice(&[0, 7]);
    out.extend_from_slice(&word.to_be_bytes());
    out.extend_from_slice(&[64, protocol, 0, 0]);
    out.extend_from_slice(&source.octets());
    out.extend_from_slice(&destination.octets());
    out.extend_from_slice(options);
    let sum = checksum(&out, 0);
    out[10..12].copy_from_slice(&sum.to_be_bytes());
    out.extend_from_slice(upper);
    out
}

fn v6(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, upper: &[u8]) -> Vec<u8> {
    let mut out = vec![0x60, 0, 0, 0];
    out.extend_from_slice(&(upper.len() as u16).to_be_bytes());
    out.extend_from_slice(&[protocol, 64]);
    out.extend_from_slice(&source.octets());
    out.extend_from_slice(&destination.octets());
    let mut upper = upper.to_vec();
    let at = match protocol {
        17 => 6,
        6 => 16,
        58 => 2,
        _ => upper.len(),
    };
    if let Some(field) = upper.get_mut(at..at + 2) {
        field.fill(0);
        let sum = checksum(&upper, pseudo_header_v6(source, destination, protocol, upper.len()));
        upper[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    }
    out.extend_from_slice(&upper);
    out
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

pub fn udp(source: &str, destination: &str, port: u16) -> Vec<u8> {
    ip(source, destination, 17, &udp_header(40_000, port, b"hello"))
}

pub fn tcp(source: &str, destination: &str, port: u16) -> Vec<u8> {
    let mut upper = vec![0; 20];
    upper[..2].copy_from_slice(&40_000u16.to_be_bytes());
    upper[2..4].copy_from_slice(&port.to_be_bytes());
    upper[12] = 0x50;
    upper[13] = 2;
    ip(source, destination, 6, &upper)
}

pub fn echo(source: &str, destination: &str) -> Vec<u8> {
    let v4 = source.parse::<Ipv4Addr>().is_ok();
    let mut message = vec![if v4 { 8 } else { 128 }, 0, 0, 0, 0, 1, 0, 1];
    let sum = checksum(&message, 0);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    ip(source, destination, if v4 { 1 } else { 58 }, &message)
}

/// A question for the address of a name that carries data.
fn name_question() -> Vec<u8> {
    let mut out = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 40];
    out.extend_from_slice(&[b'a'; 40]);
    out.extend_from_slice(b"\x06tunnel\x07example\x00\x00\x10\x00\x01");
    out
}

/// What a phone with its own addresses tries.
pub fn hostile() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut add = |what: String, packet: Vec<u8>| all.push((what, packet));
    for (own, foreign, service) in [(PHONE, FOREIGN, SERVICE), (PHONE6, FOREIGN6, SERVICE6)] {
        for protocol in 0..=255u8 {
            let upper = udp_header(40_000, 5000, &[0; 32]);
            add(format!("protocol {protocol} to {foreign}"), ip(own, foreign, protocol, &upper));
            if ![1, 6, 17, 58].contains(&protocol) {
                add(format!("protocol {protocol} to {service}"), ip(own, service, protocol, &upper));
            }
        }
        for port in [22, 53, 80, 123, 443, 500, 853, 1194, 2152, 4500, 5000, 5201, 8443, 51_820] {
            add(format!("UDP {port} to {foreign}"), udp(own, foreign, port));
            add(format!("TCP {port} to {foreign}"), tcp(own, foreign, port));
        }
        for port in [22, 123, 2152, 2123, 8805, 5353, 5001] {
            add(format!("UDP {port} to {service}"), udp(own, service, port));
            add(format!("TCP {port} to {service}"), tcp(own, service, port));
        }
        let question = udp_header(40_000, 53, &name_question());
        add(format!("names of {foreign}"), ip(own, foreign, 17, &question));
        add(format!("echo to {foreign}"), echo(own, foreign));
        add(format!("UDP from the tunnel port to {service}"), ip(own, service, 17, &udp_header(2152, 5000, b"x")));
        let inner = g_pdu(1, 9, &udp(own, foreign, 443));
        add(format!("a tunnel to {foreign}"), ip(own, foreign, 17, &udp_header(2152, 2152, &inner)));
        add(format!("a tunnel to {service}"), ip(own, service, 17, &udp_header(2152, 2152, &inner)));
    }
    for (what, destination) in [
        ("public resolver", "8.8.8.8"),
        ("private neighbour", "10.98.0.1"),
        ("the rest of N6", "10.99.255.2"),
        ("loopback", "127.0.0.1"),
        ("link-local", "169.254.169.254"),
        ("multicast", "224.0.0.251"),
        ("broadcast", "255.255.255.255"),
        ("another phone", OTHER_PHONE),
        ("nobody's phone", "10.45.77.77"),
    ] {
        add(format!("UDP to {what}"), udp(PHONE, destination, 53));
        add(format!("UDP 5000 to {what}"), udp(PHONE, destination, 5000));
        add(format!("TCP to {what}"), tcp(PHONE, destination, 8443));
        add(format!("echo to {what}"), echo(PHONE, destination));
    }
    for destination in ["2001:4860:4860::8888", "fd00:98::1", "fe80::1", "ff02::fb", "::1", "fd00:45:0:2::1"] {
        add(format!("UDP to {destination}"), udp(PHONE6, destination, 5000));
        add(format!("echo to {destination}"), echo(PHONE6, destination));
    }
    let (own, service): (Ipv4Addr, Ipv4Addr) = (PHONE.parse().expect("v4"), SERVICE.parse().expect("v4"));
    let foreign: Ipv4Addr = FOREIGN.parse().expect("v4");
    for kind in [131, 137] {
        let mut option = vec![kind, 7, 4];
        option.extend_from_slice(&foreign.octets());
        option.push(0);
        add(format!("source route {kind}"), v4(own, service, 17, &udp_header(40_000, 5000, b"x"), 0, &option));
    }
    add("a later fragment alone".into(), v4(own, foreign, 17, &[0; 64], 0x0010, &[]));
    add("a first fragment".into(), v4(own, foreign, 17, &udp_header(40_000, 5000, &[0; 64]), 0x2000, &[]));
    add("IPv6 in IPv4".into(), ip(PHONE, SERVICE, 41, &udp(PHONE6, FOREIGN6, 5000)));
    add("IPv4 in IPv4".into(), ip(PHONE, SERVICE, 4, &udp(PHONE, FOREIGN, 5000)));
    let mut routing = vec![17, 2, 0, 1, 0, 0, 0, 0];
    routing.extend_from_slice(&FOREIGN6.parse::<Ipv6Addr>().expect("v6").octets());
    routing.extend_from_slice(&udp_header(40_000, 5000, b"x"));
    add("IPv6 routing header".into(), ip(PHONE6, SERVICE6, 43, &routing));
    all
}

/// What a phone tries with addresses that are not its own.
pub fn spoofed() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for source in [OTHER_PHONE, "10.45.9.9", FOREIGN, SERVICE, "10.99.255.2", "127.0.0.1", "0.0.0.0"] {
        for destination in [FOREIGN, SERVICE] {
            all.push((format!("UDP from {source} to {destination}"), udp(source, destination, 5000)));
            all.push((format!("TCP from {source} to {destination}"), tcp(source, destination, 8443)));
            all.push((format!("echo from {source} to {destination}"), echo(source, destination)));
        }
    }
    for source in ["fd00:45:0:2::1", FOREIGN6, SERVICE6, "fe80::9", "::"] {
        for destination in [FOREIGN6, SERVICE6] {
            all.push((format!("UDP from {source} to {destination}"), udp(source, destination, 5000)));
        }
    }
    all
}

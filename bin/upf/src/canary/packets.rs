//! Packets as the canary sends them: IP with its mark, where forwarding does not change it, and what its gNB puts around it.

use pakawaaz_gtpu::extension::PDU_SESSION_CONTAINER;
use pakawaaz_gtpu::{Header, MessageType, UplinkContainer};
use pakawaaz_user_plane::packet::{checksum, protocol, pseudo_header_v6};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Identification of IPv4 packets and flow label of IPv6 packets.
pub const MARK: u16 = 0xca9a;
/// Flag of a TCP segment: it opens a connection.
pub const SYN: u8 = 0x02;
/// It ends one.
pub const RST: u8 = 0x04;

/// An IP packet, with the checksums that its protocol wants. Addresses of two families make the family of the destination's,
/// with no source.
pub fn ip(source: IpAddr, destination: IpAddr, protocol: u8, upper: Vec<u8>) -> Vec<u8> {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => v4(source, destination, protocol, upper, 0),
        (IpAddr::V6(source), IpAddr::V6(destination)) => v6(source, destination, protocol, upper),
        (_, IpAddr::V4(destination)) => v4(Ipv4Addr::UNSPECIFIED, destination, protocol, upper, 0),
        (_, IpAddr::V6(destination)) => v6(Ipv6Addr::UNSPECIFIED, destination, protocol, upper),
    }
}

/// `fragment`: flags and offset.
pub fn v4(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, upper: Vec<u8>, fragment: u16) -> Vec<u8> {
    v4_with_options(source, destination, protocol, upper, fragment, &[])
}

/// `options`: a multiple of four octets, 40 at most.
pub fn v4_with_options(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    protocol: u8,
    mut upper: Vec<u8>,
    fragment: u16,
    options: &[u8],
) -> Vec<u8> {
    let length = short(upper.len()).to_be_bytes();
    let pseudo = [&source.octets()[..], &destination.octets(), &[0, protocol], &length].concat();
    // A later fragment has no header of its protocol.
    if fragment & 0x1fff == 0 {
        fill(&mut upper, protocol, Some(sum(&pseudo)));
    }
    let header = 20 + options.len();
    let mut out = vec![0x40 | (header / 4) as u8, 0];
    out.extend(short(header + upper.len()).to_be_bytes());
    out.extend(MARK.to_be_bytes());
    out.extend(fragment.to_be_bytes());
    out.extend([64, protocol, 0, 0]);
    out.extend(source.octets());
    out.extend(destination.octets());
    out.extend(options);
    let sum = checksum(&out, 0);
    out[10..12].copy_from_slice(&sum.to_be_bytes());
    out.extend(upper);
    out
}

fn v6(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, mut upper: Vec<u8>) -> Vec<u8> {
    let pseudo = pseudo_header_v6(source, destination, protocol, upper.len());
    fill(&mut upper, protocol, Some(pseudo));
    let mut out = vec![0x60, 0];
    out.extend(MARK.to_be_bytes());
    out.extend(short(upper.len()).to_be_bytes());
    out.extend([protocol, 64]);
    out.extend(source.octets());
    out.extend(destination.octets());
    out.extend(upper);
    out
}

/// Puts the checksum of an upper protocol where it belongs. That of ICMP has no pseudo header.
fn fill(upper: &mut [u8], protocol: u8, pseudo: Option<u32>) {
    let (at, pseudo) = match protocol {
        protocol::ICMP => (2, None),
        protocol::TCP => (16, pseudo),
        protocol::UDP => (6, pseudo),
        protocol::ICMPV6 => (2, pseudo),
        _ => return,
    };
    let Some(field) = upper.get_mut(at..at + 2) else { return };
    field.fill(0);
    let sum = checksum(upper, pseudo.unwrap_or(0));
    // No checksum of UDP is zero: that would mean none (RFC 768).
    let sum = if sum == 0 && protocol == protocol::UDP { 0xffff } else { sum };
    upper[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

/// An uplink G-PDU as a gNB makes it.
pub fn g_pdu(teid: u32, qfi: u8, packet: &[u8]) -> Vec<u8> {
    let (content, length) = UplinkContainer { qfi }.encode();
    let extensions = [(PDU_SESSION_CONTAINER, &content[..length])];
    let header = Header { kind: MessageType::GPdu, teid, sequence: None, extensions: &extensions };
    let mut out = vec![0; header.len()];
    if header.encode(packet.len(), &mut out).is_ok() {
        out.extend_from_slice(packet);
    }
    out
}

/// A UDP packet.
pub fn udp(from: SocketAddr, to: SocketAddr, data: &[u8]) -> Vec<u8> {
    ip(from.ip(), to.ip(), protocol::UDP, udp_header(from.port(), to.port(), data))
}

/// A UDP header with its data; the checksum is filled in with the IP header.
pub fn udp_header(from: u16, to: u16, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + data.len());
    for field in [from, to, short(8 + data.len()), 0] {
        out.extend(field.to_be_bytes());
    }
    out.extend(data);
    out
}

/// A TCP segment.
pub fn tcp(from: SocketAddr, to: SocketAddr, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut upper = Vec::with_capacity(20 + data.len());
    upper.extend(from.port().to_be_bytes());
    upper.extend(to.port().to_be_bytes());
    // A reset is believed with the number that follows the first segment's.
    let number: u32 = if flags == SYN { 1 } else { 2 };
    upper.extend(number.to_be_bytes());
    upper.extend([0; 4]);
    upper.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    upper.extend(data);
    ip(from.ip(), to.ip(), protocol::TCP, upper)
}

/// An echo request.
pub fn echo(from: IpAddr, to: IpAddr, data: &[u8]) -> Vec<u8> {
    let (kind, protocol) = if to.is_ipv4() { (8, protocol::ICMP) } else { (128, protocol::ICMPV6) };
    let mut upper = vec![kind, 0, 0, 0, 0xca, 0x9a, 0, 1];
    upper.extend(data);
    ip(from, to, protocol, upper)
}

/// Protocol and both ends of a packet of TCP or UDP, without options.
pub fn ends(packet: &[u8]) -> Option<(u8, SocketAddr, SocketAddr)> {
    let (protocol, source, destination, upper) = match packet.first()? {
        0x45 => {
            let address =
                |at: usize| -> Option<IpAddr> { Some(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?.into()) };
            (*packet.get(9)?, address(12)?, address(16)?, packet.get(20..)?)
        }
        first if first >> 4 == 6 => {
            let address =
                |at: usize| -> Option<IpAddr> { Some(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?.into()) };
            (*packet.get(6)?, address(8)?, address(24)?, packet.get(40..)?)
        }
        _ => return None,
    };
    let port = |at: usize| Some(u16::from_be_bytes(upper.get(at..at + 2)?.try_into().ok()?));
    Some((protocol, SocketAddr::new(source, port(0)?), SocketAddr::new(destination, port(2)?)))
}

fn short(length: usize) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
}

/// Sum of 16-bit words of an even number of bytes, as `checksum` goes on with it.
fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_user_plane::packet::{Transport, parse};
    use proptest::prelude::*;

    #[test]
    fn checksums_are_right() {
        let (a, b): (Ipv4Addr, Ipv4Addr) = ([10, 45, 255, 250].into(), [10, 99, 255, 1].into());
        for (protocol, packet) in [
            (protocol::TCP, tcp((a, 40_000).into(), (b, 8443).into(), SYN, b"some data")),
            (protocol::UDP, udp((a, 40_000).into(), (b, 53).into(), b"some data")),
        ] {
            assert_eq!(checksum(&packet[..20], 0), 0);
            let pseudo = [&packet[12..20], &[0, protocol], &short(packet.len() - 20).to_be_bytes()[..]].concat();
            assert_eq!(checksum(&packet[20..], sum(&pseudo)), 0, "{protocol}");
        }
        let packet = echo(a.into(), b.into(), b"data");
        assert_eq!(checksum(&packet[20..], 0), 0);
    }

    #[test]
    fn the_user_plane_reads_what_is_written() {
        for (from, to) in [("10.45.0.2:40000", "10.99.255.1:8443"), ("[fd00::2]:40000", "[fd00:99::1]:8443")] {
            let (from, to): (SocketAddr, SocketAddr) = (from.parse().expect("from"), to.parse().expect("to"));
            let segment = tcp(from, to, SYN, b"data");
            let read = parse(&segment).expect("a packet");
            assert!(matches!(read.transport, Transport::Tcp { .. }));
            assert_eq!((read.source, read.destination, read.transport.ports()), (from.ip(), to.ip(), (40_000, 8443)));
            assert_eq!(ends(&segment), Some((protocol::TCP, from, to)));
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_looked_at(bytes: Vec<u8>) {
            let _ = ends(&bytes);
        }
    }
}

//! IP packets that phones send: ICMP echo and UDP, over IPv4 and IPv6, and the little of them that has to be read.
//! Also router advertisements, by which a phone learns its IPv6 prefix (TS 23.501 §5.8.2.2.3).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const ICMP: u8 = 1;
const UDP: u8 = 17;
const ICMPV6: u8 = 58;

/// What a packet of ours is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// ICMP or ICMPv6 echo request.
    EchoRequest {
        /// Identifier.
        id: u16,
        /// Sequence number.
        sequence: u16,
        /// What is to come back.
        payload: Vec<u8>,
    },
    /// Its answer.
    EchoReply {
        /// Identifier.
        id: u16,
        /// Sequence number.
        sequence: u16,
        /// What came back.
        payload: Vec<u8>,
    },
    /// UDP datagram.
    Udp {
        /// Source port.
        from: u16,
        /// Destination port.
        to: u16,
        /// Content.
        payload: Vec<u8>,
    },
    /// Router advertisement with the prefix of a phone.
    RouterAdvertisement {
        /// Prefix, its lower half zero; none when the advertisement has no usable one.
        prefix: Option<Ipv6Addr>,
    },
    /// Router solicitation.
    RouterSolicitation,
    /// Anything else.
    Other {
        /// IP protocol number.
        protocol: u8,
    },
}

/// A packet with its ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Source.
    pub from: IpAddr,
    /// Destination.
    pub to: IpAddr,
    /// What it is.
    pub content: Content,
}

/// Internet checksum (RFC 1071) over parts that follow one another; all but the last have an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0u32;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Pseudo header of IPv4 or IPv6 (RFC 9293 §3.1, RFC 8200 §8.1).
fn pseudo(from: IpAddr, to: IpAddr, protocol: u8, length: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(40);
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
            out.extend_from_slice(&[0, protocol]);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
            out.extend_from_slice(&(length as u32).to_be_bytes());
            out.extend_from_slice(&[0, 0, 0, protocol]);
        }
        _ => {}
    }
    out
}

/// The packet as bytes; none when its ends are of different families, it is too long, or not ours to write.
pub fn write(packet: &Packet) -> Option<Vec<u8>> {
    let v4 = match (packet.from, packet.to) {
        (IpAddr::V4(_), IpAddr::V4(_)) => true,
        (IpAddr::V6(_), IpAddr::V6(_)) => false,
        _ => return None,
    };
    let echo = |kind: u8, id: u16, sequence: u16, payload: &[u8]| {
        let mut out = vec![kind, 0, 0, 0];
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&sequence.to_be_bytes());
        out.extend_from_slice(payload);
        out
    };
    let icmp = if v4 { ICMP } else { ICMPV6 };
    let (protocol, mut body, at) = match &packet.content {
        Content::EchoRequest { id, sequence, payload } => {
            (icmp, echo(if v4 { 8 } else { 128 }, *id, *sequence, payload), 2)
        }
        Content::EchoReply { id, sequence, payload } => {
            (icmp, echo(if v4 { 0 } else { 129 }, *id, *sequence, payload), 2)
        }
        Content::Udp { from, to, payload } => {
            let mut out = Vec::with_capacity(8 + payload.len());
            out.extend_from_slice(&from.to_be_bytes());
            out.extend_from_slice(&to.to_be_bytes());
            out.extend_from_slice(&u16::try_from(8 + payload.len()).ok()?.to_be_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(payload);
            (UDP, out, 6)
        }
        Content::RouterSolicitation if !v4 => (ICMPV6, vec![133, 0, 0, 0, 0, 0, 0, 0], 2),
        _ => return None,
    };
    let header = if protocol == ICMP { Vec::new() } else { pseudo(packet.from, packet.to, protocol, body.len()) };
    let mut sum = checksum(&[&header, &body]);
    if protocol == UDP && sum == 0 {
        sum = 0xffff;
    }
    body[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    let mut out = match (packet.from, packet.to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let length = u16::try_from(20 + body.len()).ok()?.to_be_bytes();
            let mut out = vec![0x45, 0, length[0], length[1], 0, 0, 0x40, 0, 64, protocol, 0, 0];
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
            let sum = checksum(&[&out]).to_be_bytes();
            out[10..12].copy_from_slice(&sum);
            out
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let length = u16::try_from(body.len()).ok()?.to_be_bytes();
            let hops = if protocol == ICMPV6 && body[0] == 133 { 255 } else { 64 };
            let mut out = vec![0x60, 0, 0, 0, length[0], length[1], protocol, hops];
            out.extend_from_slice(&from.octets());
            out.extend_from_slice(&to.octets());
            out
        }
        _ => return None,
    };
    out.extend(body);
    Some(out)
}

/// Reads a packet; none when it is no IP packet, its lengths lie or a checksum is wrong. Extension headers of IPv6
/// and fragments are [`Content::Other`].
pub fn read(bytes: &[u8]) -> Option<Packet> {
    let (from, to, protocol, body): (IpAddr, IpAddr, u8, &[u8]) = match bytes.first()? >> 4 {
        4 => {
            let header = usize::from(bytes[0] & 0x0f) * 4;
            let length = usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
            if header < 20 || length < header || bytes.len() != length || checksum(&[&bytes[..header]]) != 0 {
                return None;
            }
            let address = |at: usize| <[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok().map(Ipv4Addr::from);
            let (from, to) = (address(12)?.into(), address(16)?.into());
            if u16::from_be_bytes([bytes[6], bytes[7]]) & 0x3fff != 0 {
                return Some(Packet { from, to, content: Content::Other { protocol: bytes[9] } });
            }
            (from, to, bytes[9], &bytes[header..])
        }
        6 => {
            let length = usize::from(u16::from_be_bytes([*bytes.get(4)?, *bytes.get(5)?]));
            if bytes.len() != 40 + length {
                return None;
            }
            let address = |at: usize| <[u8; 16]>::try_from(bytes.get(at..at + 16)?).ok().map(Ipv6Addr::from);
            (address(8)?.into(), address(24)?.into(), bytes[6], &bytes[40..])
        }
        _ => return None,
    };
    let content = content(from, to, protocol, body)?;
    Some(Packet { from, to, content })
}

fn content(from: IpAddr, to: IpAddr, protocol: u8, body: &[u8]) -> Option<Content> {
    let right = || checksum(&[&pseudo(from, to, protocol, body.len()), body]) == 0;
    let echo = |body: &[u8]| {
        let word = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
        Some((word(4)?, word(6)?, body.get(8..)?.to_vec()))
    };
    Some(match (protocol, from.is_ipv4()) {
        (ICMP, true) => {
            if checksum(&[body]) != 0 {
                return None;
            }
            match body.first()? {
                8 => echo(body).map(|(id, sequence, payload)| Content::EchoRequest { id, sequence, payload })?,
                0 => echo(body).map(|(id, sequence, payload)| Content::EchoReply { id, sequence, payload })?,
                _ => Content::Other { protocol },
            }
        }
        (ICMPV6, false) => {
            if !right() {
                return None;
            }
            match body.first()? {
                128 => echo(body).map(|(id, sequence, payload)| Content::EchoRequest { id, sequence, payload })?,
                129 => echo(body).map(|(id, sequence, payload)| Content::EchoReply { id, sequence, payload })?,
                133 => Content::RouterSolicitation,
                134 => Content::RouterAdvertisement { prefix: prefix(body) },
                _ => Content::Other { protocol },
            }
        }
        (UDP, v4) => {
            let word = |at: usize| Some(u16::from_be_bytes([*body.get(at)?, *body.get(at + 1)?]));
            let unsummed = v4 && word(6)? == 0;
            if usize::from(word(4)?) != body.len() || !(unsummed || right()) {
                return None;
            }
            Content::Udp { from: word(0)?, to: word(2)?, payload: body.get(8..)?.to_vec() }
        }
        _ => Content::Other { protocol },
    })
}

/// The /64 in the prefix information option of a router advertisement (RFC 4861 §4.6.2).
fn prefix(body: &[u8]) -> Option<Ipv6Addr> {
    let mut options = body.get(16..)?;
    while let [kind, words, ..] = options {
        let length = usize::from(*words) * 8;
        let option = options.get(..length).filter(|option| !option.is_empty())?;
        if *kind == 3 && length == 32 && option[2] == 64 && option[3] & 0x40 != 0 {
            let mut octets = <[u8; 16]>::try_from(&option[16..32]).ok()?;
            octets[8..].fill(0);
            return Some(octets.into());
        }
        options = &options[length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ends(v4: bool) -> (IpAddr, IpAddr) {
        if v4 {
            ([10, 1, 2, 3].into(), [10, 9, 0, 1].into())
        } else {
            (Ipv6Addr::new(0xfd00, 1, 0, 0, 0, 0, 0, 1).into(), Ipv6Addr::new(0xfd00, 9, 0, 0, 0, 0, 0, 1).into())
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(v4: bool, kind in 0..3u8, a: u16, b: u16, payload in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (from, to) = ends(v4);
            let content = match kind {
                0 => Content::EchoRequest { id: a, sequence: b, payload },
                1 => Content::EchoReply { id: a, sequence: b, payload },
                _ => Content::Udp { from: a, to: b, payload },
            };
            let packet = Packet { from, to, content };
            let bytes = write(&packet).expect("one family");
            prop_assert_eq!(read(&bytes), Some(packet));
            // One changed bit is seen by a checksum or a length, or makes it another packet.
            let mut changed = bytes.clone();
            let last = changed.len() - 1;
            changed[last] ^= 1;
            prop_assert_ne!(read(&changed), read(&bytes));
        }

        #[test]
        fn no_bytes_harm(mut bytes in proptest::collection::vec(any::<u8>(), 0..120), v6: bool) {
            if let Some(first) = bytes.first_mut() {
                *first = if v6 { 0x60 } else { 0x45 };
            }
            let length = bytes.len();
            if v6 && length >= 40 {
                bytes[4..6].copy_from_slice(&((length - 40) as u16).to_be_bytes());
            }
            let _ = read(&bytes);
            let _ = prefix(&bytes);
        }
    }

    #[test]
    fn a_known_echo_request_has_the_known_checksums() {
        let packet = Packet {
            from: [192, 0, 2, 1].into(),
            to: [192, 0, 2, 2].into(),
            content: Content::EchoRequest { id: 1, sequence: 1, payload: b"ab".to_vec() },
        };
        let bytes = write(&packet).expect("one family");
        // Computed by hand: 0x0800 + 1 + 1 + 0x6162 = 0x6964, complement 0x969b.
        assert_eq!(bytes[22..24], [0x96, 0x9b]);
        assert_eq!(bytes.len(), 30);
    }

    #[test]
    fn the_prefix_of_an_advertisement_is_found() {
        let mut body = vec![134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        body.extend_from_slice(&[5, 1, 0, 0, 0, 0, 5, 0x78]);
        body.extend_from_slice(&[3, 4, 64, 0x40, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0]);
        body.extend_from_slice(&Ipv6Addr::new(0xfd00, 1, 2, 3, 0, 0, 0, 0).octets());
        assert_eq!(prefix(&body), Some(Ipv6Addr::new(0xfd00, 1, 2, 3, 0, 0, 0, 0)));
        assert_eq!(prefix(&body[..30]), None);
    }
}

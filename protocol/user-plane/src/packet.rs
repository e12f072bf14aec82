//! Reading the IP packet of a phone, or for one (RFC 791, RFC 8200), as strictly as forwarding without surprises needs.
//!
//! What two readers could understand in two ways is malformed here: lengths that disagree, IP options, extension headers
//! other than the fragment header. A phone has no honest use for them, and each has carried an attack.

use crate::counters::Reason;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Protocol numbers.
pub mod protocol {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 fragment header.
    pub const FRAGMENT: u8 = 44;
    /// ICMPv6.
    pub const ICMPV6: u8 = 58;
}

/// A packet that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Who says to have sent it.
    pub source: IpAddr,
    /// Where it goes.
    pub destination: IpAddr,
    /// Upper-layer protocol.
    pub protocol: u8,
    /// TTL or hop limit.
    pub hop_limit: u8,
    /// Set when it is a part of a larger packet.
    pub fragment: Option<Fragment>,
    /// What the upper layer's header says; [`Transport::Later`] in fragments but the first.
    pub transport: Transport,
    /// From the upper layer's header to the end.
    pub upper: &'a [u8],
}

/// A part of a larger packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Same in all parts.
    pub id: u32,
    /// Where it begins, in bytes.
    pub offset: u16,
    /// Others follow.
    pub more: bool,
}

/// The upper layer's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP ports.
    Udp {
        /// Of the sender.
        source: u16,
        /// Of the receiver.
        destination: u16,
    },
    /// TCP ports and flags.
    Tcp {
        /// Of the sender.
        source: u16,
        /// Of the receiver.
        destination: u16,
        /// FIN 1, SYN 2, RST 4, PSH 8, ACK 16.
        flags: u8,
    },
    /// A question for a sign of life.
    EchoRequest {
        /// Tells streams of questions apart.
        id: u16,
    },
    /// Its answer.
    EchoReply {
        /// As in the question.
        id: u16,
    },
    /// An ICMP error (RFC 792, RFC 4443): quotes the packet that it is about.
    IcmpError,
    /// Any other ICMP message, by its type.
    Icmp(u8),
    /// Another protocol.
    Unknown,
    /// The header was in an earlier fragment.
    Later,
}

impl Transport {
    /// Source and destination port; the identifier for an echo.
    pub fn ports(&self) -> (u16, u16) {
        match *self {
            Self::Udp { source, destination } | Self::Tcp { source, destination, .. } => (source, destination),
            _ => (0, 0),
        }
    }
}

/// Reads a whole packet.
pub fn parse(bytes: &[u8]) -> Result<Packet<'_>, Reason> {
    match bytes.first().map(|byte| byte >> 4) {
        Some(4) => parse_v4(bytes),
        Some(6) => parse_v6(bytes),
        _ => Err(Reason::Malformed),
    }
}

fn parse_v4(bytes: &[u8]) -> Result<Packet<'_>, Reason> {
    let (head, upper) = bytes.split_first_chunk::<20>().ok_or(Reason::Malformed)?;
    match head[0] & 0x0f {
        0..5 => return Err(Reason::Malformed),
        5 => {}
        _ => return Err(Reason::Options),
    }
    if usize::from(u16::from_be_bytes([head[2], head[3]])) != bytes.len() || checksum(head, 0) != 0 {
        return Err(Reason::Malformed);
    }
    let word = u16::from_be_bytes([head[6], head[7]]);
    if word & 0x8000 != 0 {
        return Err(Reason::Malformed);
    }
    let (offset, more) = ((word & 0x1fff) << 3, word & 0x2000 != 0);
    let fragment = (offset > 0 || more).then_some(Fragment {
        id: u32::from(u16::from_be_bytes([head[4], head[5]])),
        offset,
        more,
    });
    let protocol = head[9];
    Ok(Packet {
        source: IpAddr::V4(Ipv4Addr::new(head[12], head[13], head[14], head[15])),
        destination: IpAddr::V4(Ipv4Addr::new(head[16], head[17], head[18], head[19])),
        protocol,
        hop_limit: head[8],
        fragment,
        transport: check_fragment(true, protocol, upper, fragment)?,
        upper,
    })
}

fn parse_v6(bytes: &[u8]) -> Result<Packet<'_>, Reason> {
    let (head, mut upper) = bytes.split_first_chunk::<40>().ok_or(Reason::Malformed)?;
    if usize::from(u16::from_be_bytes([head[4], head[5]])) != upper.len() {
        return Err(Reason::Malformed);
    }
    let mut protocol = head[6];
    let mut fragment = None;
    if protocol == protocol::FRAGMENT {
        let (&[next, _, o0, o1, i0, i1, i2, i3], after) = upper.split_first_chunk().ok_or(Reason::Malformed)?;
        let word = u16::from_be_bytes([o0, o1]);
        let (offset, more) = (word & 0xfff8, word & 1 != 0);
        // A packet "in fragments" that is whole is an atomic fragment: nobody needs them any more (RFC 8021).
        if offset == 0 && !more {
            return Err(Reason::Fragment);
        }
        fragment = Some(Fragment { id: u32::from_be_bytes([i0, i1, i2, i3]), offset, more });
        (protocol, upper) = (next, after);
    }
    // Hop-by-hop, routing, fragment (again), ESP, AH, destination options, mobility, HIP, shim6.
    if matches!(protocol, 0 | 43 | 44 | 50 | 51 | 60 | 135 | 139 | 140) {
        return Err(Reason::Options);
    }
    let address = |at: usize| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&head[at..at + 16]);
        IpAddr::V6(Ipv6Addr::from(octets))
    };
    Ok(Packet {
        source: address(8),
        destination: address(24),
        protocol,
        hop_limit: head[7],
        fragment,
        transport: check_fragment(false, protocol, upper, fragment)?,
        upper,
    })
}

fn check_fragment(v4: bool, protocol: u8, upper: &[u8], fragment: Option<Fragment>) -> Result<Transport, Reason> {
    let Some(fragment) = fragment else { return transport(v4, protocol, upper, true) };
    let end = usize::from(fragment.offset) + upper.len();
    // Parts but the last have a multiple of 8 bytes, and the whole fits 16 bits, or reassembly overflows.
    if upper.is_empty() || end > 65_515 || (fragment.more && !upper.len().is_multiple_of(8)) {
        return Err(Reason::Fragment);
    }
    if fragment.offset > 0 { Ok(Transport::Later) } else { transport(v4, protocol, upper, false) }
}

/// Reads the upper layer's header; `whole` when nothing of the packet is elsewhere.
fn transport(v4: bool, protocol: u8, upper: &[u8], whole: bool) -> Result<Transport, Reason> {
    let short = if whole { Reason::Malformed } else { Reason::Fragment };
    let word = |at: usize| u16::from_be_bytes([upper[at], upper[at + 1]]);
    match protocol {
        protocol::UDP => {
            if upper.len() < 8 {
                return Err(short);
            }
            if whole && usize::from(word(4)) != upper.len() {
                return Err(Reason::Malformed);
            }
            Ok(Transport::Udp { source: word(0), destination: word(2) })
        }
        protocol::TCP => {
            if upper.len() < 20 {
                return Err(short);
            }
            let header = usize::from(upper[12] >> 4) * 4;
            if header < 20 || header > upper.len() {
                return Err(short);
            }
            Ok(Transport::Tcp { source: word(0), destination: word(2), flags: upper[13] })
        }
        // Each family has its own.
        protocol::ICMP | protocol::ICMPV6 if v4 == (protocol == protocol::ICMP) => {
            if upper.len() < 8 {
                return Err(short);
            }
            Ok(match (protocol, upper[0]) {
                (protocol::ICMP, 8) | (protocol::ICMPV6, 128) => Transport::EchoRequest { id: word(4) },
                (protocol::ICMP, 0) | (protocol::ICMPV6, 129) => Transport::EchoReply { id: word(4) },
                (protocol::ICMP, 3 | 11 | 12) | (protocol::ICMPV6, 1..=4) => Transport::IcmpError,
                (_, other) => Transport::Icmp(other),
            })
        }
        _ => Ok(Transport::Unknown),
    }
}

/// What an ICMP error quotes: enough to know whose packet it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Sender of the quoted packet.
    pub source: IpAddr,
    /// Its receiver.
    pub destination: IpAddr,
    /// Its protocol.
    pub protocol: u8,
    /// Its source port, or the identifier of its echo.
    pub source_port: u16,
    /// Its destination port.
    pub destination_port: u16,
}

/// The packet quoted by an ICMP error. None when it is cut off before the ports, or has options.
pub fn quoted(error: &Packet<'_>) -> Option<Quoted> {
    let inner = error.upper.get(8..)?;
    let (source, destination, protocol, upper): (IpAddr, IpAddr, u8, &[u8]) = match inner.first()? >> 4 {
        4 => {
            let (head, upper) = inner.split_first_chunk::<20>()?;
            // Options, or a later fragment: no ports to look at.
            if head[0] != 0x45 || (head[6] & 0x1f) != 0 || head[7] != 0 {
                return None;
            }
            let at = |i: usize| IpAddr::from([head[i], head[i + 1], head[i + 2], head[i + 3]]);
            (at(12), at(16), head[9], upper)
        }
        6 => {
            let (head, upper) = inner.split_first_chunk::<40>()?;
            let at = |i: usize| <[u8; 16]>::try_from(&head[i..i + 16]).ok().map(IpAddr::from);
            (at(8)?, at(24)?, head[6], upper)
        }
        _ => return None,
    };
    if source.is_ipv4() != error.source.is_ipv4() {
        return None;
    }
    let word = |at: usize| Some(u16::from_be_bytes([*upper.get(at)?, *upper.get(at + 1)?]));
    let (source_port, destination_port) = match protocol {
        protocol::UDP | protocol::TCP => (word(0)?, word(2)?),
        protocol::ICMP | protocol::ICMPV6 => (word(4)?, 0),
        _ => return None,
    };
    Some(Quoted { source, destination, protocol, source_port, destination_port })
}

/// The Internet checksum (RFC 1071) over `bytes`, beginning with a sum; 0 when the bytes hold a right one.
pub fn checksum(bytes: &[u8], sum: u32) -> u16 {
    let (words, rest) = bytes.as_chunks::<2>();
    let mut sum = words.iter().fold(sum, |sum, word| sum + u32::from(u16::from_be_bytes(*word)));
    if let [last] = rest {
        sum += u32::from(*last) << 8;
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Sum over the pseudo header of ICMPv6 and other upper layers (RFC 8200 §8.1).
pub fn pseudo_header_v6(source: Ipv6Addr, destination: Ipv6Addr, protocol: u8, length: usize) -> u32 {
    let words = source.segments().into_iter().chain(destination.segments());
    words.map(u32::from).sum::<u32>() + u32::from(protocol) + length as u32
}

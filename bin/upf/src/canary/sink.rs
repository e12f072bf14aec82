//! Sees what leaves the namespace: a packet socket, opened while there were privileges, with a filter in the kernel that lets
//! only marked packets through. Traffic of phones costs it one comparison.

use super::packets::MARK;
use super::probes::{DATA, Line, Marker, read_data};
use anyhow::{Context as _, Result};
use socket2::{Domain, Protocol, SockFilter, Socket, Type};
use std::io::Read as _;

/// `ETH_P_ALL`: of all protocols, and unlike the others also what is sent.
const EVERYTHING: u16 = 3;
/// An Ethernet header.
const ETHERNET: usize = 14;

// Classic BPF: load half word, word; compare, mask, return.
const HALF: u16 = 0x28;
const WORD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

/// The packet socket of a namespace.
#[derive(Debug)]
pub struct Sink(Socket);

impl Sink {
    /// For the namespace that this thread is in. Needs `CAP_NET_RAW`.
    pub fn open() -> Result<Self> {
        let everything = Protocol::from(i32::from(EVERYTHING.to_be()));
        let socket = Socket::new(Domain::PACKET, Type::RAW, Some(everything))
            .context("opening the canary's packet socket (needs CAP_NET_RAW)")?;
        socket.attach_filter(&filter()).context("setting the filter of the canary's packet socket")?;
        socket.set_nonblocking(true)?;
        Ok(Self(socket))
    }

    /// Marked packets that have left since the last time: of which line, and their numbers.
    pub fn seen(&mut self, marker: Marker) -> Vec<(Line, u16)> {
        let (mut seen, mut bytes) = (Vec::new(), vec![0; 4096]);
        // An error is "no more"; nothing else can happen to a socket without a peer.
        while let Ok(length) = self.0.read(&mut bytes) {
            seen.extend(find(&bytes[..length], marker));
        }
        seen
    }
}

/// The mark in the identification of IPv4, or in the flow label of IPv6, behind an Ethernet header.
fn filter() -> [SockFilter; 10] {
    let mark = u32::from(MARK);
    [
        SockFilter::new(HALF, 0, 0, 12),
        SockFilter::new(EQUAL, 0, 2, 0x0800),
        SockFilter::new(HALF, 0, 0, 18),
        SockFilter::new(EQUAL, 4, 5, mark),
        SockFilter::new(EQUAL, 0, 4, 0x86dd),
        SockFilter::new(WORD, 0, 0, 14),
        SockFilter::new(AND, 0, 0, 0x000f_ffff),
        SockFilter::new(EQUAL, 0, 1, mark),
        SockFilter::new(RETURN, 0, 0, 0xffff),
        SockFilter::new(RETURN, 0, 0, 0),
    ]
}

/// A probe in a frame. What has no Ethernet header is on the phones' side, where everything still is.
fn find(frame: &[u8], marker: Marker) -> Option<(Line, u16)> {
    let kind = frame.get(12..ETHERNET)?;
    if kind != [0x08, 0x00] && kind != [0x86, 0xdd] {
        return None;
    }
    frame[ETHERNET..].windows(DATA).find_map(|data| read_data(data, marker))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canary::probes::data;

    #[test]
    fn a_probe_is_found_in_a_frame_by_its_marker() {
        let marker = [7; 12];
        let mut frame = vec![0; 12];
        frame.extend([0x08, 0x00]);
        frame.extend([0x45; 28]);
        frame.extend(data(marker, Line::Kernel, 300));
        assert_eq!(find(&frame, marker), Some((Line::Kernel, 300)));
        assert_eq!(find(&frame, [8; 12]), None, "of another round");
        frame[12] = 0x45;
        assert_eq!(find(&frame, marker), None, "on the phones' side");
        assert_eq!(find(&[0; 13], marker), None);
    }
}

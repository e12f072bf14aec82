//! Reads the SCTP packets between gNBs and core off the wire. None of it goes through our SCTP sockets: what it says about
//! streams and protocol identifiers is what the kernels sent (RFC 9260 §3).

use socket2::{Domain, Protocol, Socket, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

/// `ETH_P_ALL`: of all protocols, and unlike the others also what is sent.
const EVERYTHING: u16 = 3;
const SCTP: u8 = 132;
// Written down once more, so that a wrong number in our transport is seen (TS 38.412 §7).
const PORT: u16 = 38412;
const PPID: u32 = 60;
/// Codes of NGAP's procedures (TS 38.413 §9.4.7).
pub const NG_SETUP: u8 = 21;
pub const INITIAL_UE_MESSAGE: u8 = 15;
/// AMF configuration update, error indication, NG reset, NG setup, overload, paging, RAN configuration update.
const WITHOUT_PHONE: [u8; 8] = [0, 9, 20, NG_SETUP, 22, 23, 24, 35];

/// What a chunk was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A message; the number tells one from its repetition.
    Data {
        tsn: u32,
        stream: u16,
        ppid: u32,
        procedure: u8,
        phone: Option<Vec<u8>>,
    },
    Heartbeat,
    Abort,
    Shutdown,
    Other,
}

/// A chunk on the wire.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// From a gNB to the core.
    pub up: bool,
    /// The gNB's address and port.
    pub gnb: (Ipv4Addr, u16),
    /// The core's address.
    pub core: Ipv4Addr,
    pub what: What,
}

/// Listens until the machine is switched off.
#[derive(Clone, Default)]
pub struct Witness(Arc<Mutex<Vec<Chunk>>>);

impl Witness {
    pub fn start() -> Self {
        let everything = Protocol::from(i32::from(EVERYTHING.to_be()));
        let mut socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(everything)).expect("a packet socket");
        let witness = Self::default();
        let to = witness.clone();
        std::thread::spawn(move || {
            let mut bytes = vec![0; 65_536];
            while let Ok(length) = socket.read(&mut bytes) {
                let chunks = packet(&bytes[..length]).unwrap_or_default();
                to.0.lock().unwrap_or_else(PoisonError::into_inner).extend(chunks);
            }
        });
        witness
    }

    /// What was seen since the last time.
    pub fn take(&self) -> Vec<Chunk> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether such a chunk was seen since the last time.
    pub fn saw(&self, which: impl Fn(&Chunk) -> bool) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().any(which)
    }
}

/// TS 38.412 §7: every message has NGAP's protocol identifier; what concerns no phone goes over stream 0 and what concerns one
/// over another; a phone's connection keeps to its stream. Both sides must have said something of both kinds.
pub fn judge(chunks: &[Chunk]) {
    let mut kinds = BTreeSet::new();
    let mut streams: BTreeMap<(u16, bool, &[u8]), BTreeSet<u16>> = BTreeMap::new();
    for chunk in chunks {
        let What::Data { stream, ppid, procedure, phone, .. } = &chunk.what else { continue };
        assert_eq!(*ppid, PPID, "{chunk:?}");
        let concerns_no_phone = WITHOUT_PHONE.contains(procedure) && phone.is_none();
        assert_eq!(*stream == 0, concerns_no_phone, "{chunk:?}");
        kinds.insert((chunk.up, *stream == 0));
        if let Some(phone) = phone {
            streams.entry((chunk.gnb.1, chunk.up, phone)).or_default().insert(*stream);
        }
    }
    assert_eq!(kinds.len(), 4, "both sides, with and without a phone: {kinds:?}");
    assert!(streams.len() >= 2, "phones are told apart: {streams:?}");
    for (phone, streams) in streams {
        assert_eq!(streams.len(), 1, "{phone:?} {streams:?}");
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

fn address(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    let octets: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(octets.into())
}

/// The chunks of an IPv4 packet with SCTP; none of any other.
fn packet(bytes: &[u8]) -> Option<Vec<Chunk>> {
    if bytes.first()? >> 4 != 4 || *bytes.get(9)? != SCTP {
        return None;
    }
    let (from, to) = (address(bytes, 12)?, address(bytes, 16)?);
    let sctp = bytes.get(usize::from(bytes[0] & 15) * 4..usize::from(half(bytes, 2)?))?;
    let (source, destination) = (half(sctp, 0)?, half(sctp, 2)?);
    let up = destination == PORT;
    let (gnb, core) = if up { ((from, source), to) } else { ((to, destination), from) };
    let mut chunks = Vec::new();
    let mut rest = sctp.get(12..)?;
    while let Some(length) = half(rest, 2).map(usize::from).filter(|length| *length >= 4) {
        let Some(chunk) = rest.get(..length) else { break };
        let what = match chunk[0] {
            // Only the first fragment of a message says which it is.
            0 if chunk[1] & 2 != 0 => data(chunk)?,
            4 => What::Heartbeat,
            6 => What::Abort,
            7 => What::Shutdown,
            _ => What::Other,
        };
        chunks.push(Chunk { up, gnb, core, what });
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(chunks)
}

fn data(chunk: &[u8]) -> Option<What> {
    let word = |at: usize| Some(u32::from_be_bytes(chunk.get(at..at + 4)?.try_into().ok()?));
    let (tsn, ppid, pdu) = (word(4)?, word(12)?, chunk.get(16..)?);
    Some(What::Data { tsn, stream: half(chunk, 8)?, ppid, procedure: *pdu.get(1)?, phone: phone(pdu) })
}

/// The RAN UE NGAP ID of a PDU, as its bytes: information elements are a list of identity, criticality, length, value
/// (TS 38.413 §9.4, aligned packed encoding).
fn phone(pdu: &[u8]) -> Option<Vec<u8>> {
    const RAN_UE_NGAP_ID: u16 = 85;
    let (_, mut at) = length(pdu, 3)?;
    // A bit for extensions, and the number of elements.
    at += 3;
    while let Some(identity) = half(pdu, at) {
        let (long, value) = length(pdu, at + 3)?;
        if identity == RAN_UE_NGAP_ID {
            return pdu.get(value..value + long).map(<[u8]>::to_vec);
        }
        at = value + long;
    }
    None
}

/// A length determinant below 16,384, and where what it measures begins.
fn length(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    match *bytes.get(at)? {
        short @ 0..0x80 => Some((short.into(), at + 1)),
        long => Some((usize::from(u16::from_be_bytes([long & 0x3f, *bytes.get(at + 1)?])), at + 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A message as it is on the wire, between port 38412 of the core and a gNB.
    fn wire(up: bool, stream: u16, ppid: u32, pdu: &[u8]) -> Vec<u8> {
        let (source, destination) = if up { (40_000, PORT) } else { (PORT, 40_000) };
        let length = u16::try_from(16 + pdu.len()).unwrap();
        let mut sctp = [source.to_be_bytes(), destination.to_be_bytes()].concat();
        // Verification tag and checksum; then a chunk that is not of interest, and the message in one fragment.
        sctp.extend([0; 8]);
        sctp.extend([3, 0, 0, 5, 9, 0, 0, 0]);
        sctp.extend([&[0, 3][..], &length.to_be_bytes(), &7u32.to_be_bytes(), &stream.to_be_bytes(), &[0, 0]].concat());
        sctp.extend(ppid.to_be_bytes());
        sctp.extend(pdu);
        let mut bytes = vec![0x45, 0];
        bytes.extend(u16::try_from(20 + sctp.len()).unwrap().to_be_bytes());
        bytes.extend([0, 0, 0, 0, 64, SCTP, 0, 0, 10, 9, 1, 2, 10, 9, 1, 1]);
        bytes.extend(sctp);
        bytes
    }

    /// Uplink NAS transport, with the two names of a phone and nothing else.
    fn of_phone(ran: u8) -> Vec<u8> {
        vec![0, 46, 0x40, 15, 0, 0, 2, 0, 10, 0, 2, 0, 1, 0, 85, 0, 2, 0, ran]
    }

    /// What `changed` makes of an exchange in order, judged.
    fn judged(changed: impl Fn(&mut Vec<Vec<u8>>)) {
        let setup = [0, NG_SETUP, 0, 3, 0, 0, 0];
        let mut packets = Vec::new();
        for up in [true, false] {
            packets.push(wire(up, 0, PPID, &setup));
            packets.push(wire(up, 1, PPID, &of_phone(1)));
            packets.push(wire(up, 2, PPID, &of_phone(2)));
        }
        changed(&mut packets);
        let chunks: Vec<Chunk> = packets.iter().flat_map(|bytes| packet(bytes).expect("SCTP")).collect();
        judge(&chunks);
    }

    #[test]
    fn an_exchange_in_order_is_right() {
        judged(|packets| packets.push(wire(true, 1, PPID, &of_phone(1))));
    }

    #[test]
    #[should_panic(expected = "ppid: 61")]
    fn another_protocol_identifier_is_seen() {
        judged(|packets| packets.push(wire(false, 1, 61, &of_phone(1))));
    }

    #[test]
    #[should_panic(expected = "stream: 0")]
    fn a_phone_on_the_gnb_s_stream_is_seen() {
        judged(|packets| packets.push(wire(true, 0, PPID, &of_phone(3))));
    }

    #[test]
    #[should_panic(expected = "{1, 2}")]
    fn a_phone_that_changes_its_stream_is_seen() {
        judged(|packets| packets.push(wire(true, 2, PPID, &of_phone(1))));
    }

    #[test]
    fn what_is_cut_short_is_nothing() {
        let whole = wire(true, 1, PPID, &of_phone(1));
        for end in 0..whole.len() {
            let _ = packet(&whole[..end]);
        }
    }
}

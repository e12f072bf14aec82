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

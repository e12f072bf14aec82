//! The header that every message has (TS 29.281 §5.1).

use crate::extension::{self, Extensions, NO_MORE, PDU_SESSION_CONTAINER};
use crate::{DownlinkContainer, GtpuError};

/// Message types (TS 29.281 table 6.1-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Are you there?
    EchoRequest,
    /// Yes.
    EchoResponse,
    /// No such tunnel.
    ErrorIndication,
    /// These extension headers are understood.
    SupportedExtensionHeadersNotification,
    /// Nothing more comes through this tunnel.
    EndMarker,
    /// A user's packet.
    GPdu,
    /// None that we know.
    Other(u8),
}

impl From<u8> for MessageType {
    fn from(value: u8) -> Self {
        match value {
            1 => Self::EchoRequest,
            2 => Self::EchoResponse,
            26 => Self::ErrorIndication,
            31 => Self::SupportedExtensionHeadersNotification,
            254 => Self::EndMarker,
            255 => Self::GPdu,
            other => Self::Other(other),
        }
    }
}

impl From<MessageType> for u8 {
    fn from(value: MessageType) -> Self {
        match value {
            MessageType::EchoRequest => 1,
            MessageType::EchoResponse => 2,
            MessageType::ErrorIndication => 26,
            MessageType::SupportedExtensionHeadersNotification => 31,
            MessageType::EndMarker => 254,
            MessageType::GPdu => 255,
            MessageType::Other(other) => other,
        }
    }
}

/// A decoded message; borrows from the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is.
    pub kind: MessageType,
    /// The receiver's tunnel; 0 for messages about the path.
    pub teid: u32,
    /// When the S flag was set.
    pub sequence: Option<u16>,
    /// When the PN flag was set.
    pub n_pdu: Option<u8>,
    /// In order.
    pub extensions: Extensions<'a>,
    /// The user's packet, or information elements.
    pub payload: &'a [u8],
}

const VERSION_1: u8 = 0x20;
const PROTOCOL_GTP: u8 = 0x10;
const FLAG_EXTENSION: u8 = 0x04;
const FLAG_SEQUENCE: u8 = 0x02;
const FLAG_N_PDU: u8 = 0x01;

/// Reads one datagram. Extension headers are checked to the end of their chain; what is in them is not.
pub fn decode(datagram: &[u8]) -> Result<Message<'_>, GtpuError> {
    let (head, rest) = datagram.split_first_chunk::<8>().ok_or(GtpuError::CutOff)?;
    let &[flags, kind, l0, l1, t0, t1, t2, t3] = head;
    if flags & 0xe0 != VERSION_1 || flags & PROTOCOL_GTP == 0 {
        return Err(GtpuError::Version);
    }
    match rest.len().cmp(&usize::from(u16::from_be_bytes([l0, l1]))) {
        std::cmp::Ordering::Less => return Err(GtpuError::CutOff),
        std::cmp::Ordering::Greater => return Err(GtpuError::TrailingBytes),
        std::cmp::Ordering::Equal => {}
    }
    let (mut sequence, mut n_pdu, mut extensions, mut payload) = (None, None, Extensions::NONE, rest);
    // One flag of the three, and all three fields are there; each counts only when its own flag is set.
    if flags & (FLAG_EXTENSION | FLAG_SEQUENCE | FLAG_N_PDU) != 0 {
        let (&[s0, s1, n, next], after) = rest.split_first_chunk().ok_or(GtpuError::CutOff)?;
        sequence = (flags & FLAG_SEQUENCE != 0).then_some(u16::from_be_bytes([s0, s1]));
        n_pdu = (flags & FLAG_N_PDU != 0).then_some(n);
        let first = if flags & FLAG_EXTENSION != 0 { next } else { NO_MORE };
        (extensions, payload) = Extensions::split(first, after)?;
    }
    Ok(Message { kind: kind.into(), teid: u32::from_be_bytes([t0, t1, t2, t3]), sequence, n_pdu, extensions, payload })
}

/// What goes before a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// What the message is.
    pub kind: MessageType,
    /// The receiver's tunnel.
    pub teid: u32,
    /// Sets the S flag.
    pub sequence: Option<u16>,
    /// Extension headers (type and content) in order; contents are padded with zeros.
    pub extensions: &'a [(u8, &'a [u8])],
}

impl Header<'_> {
    /// Bytes of the header.
    pub fn len(&self) -> usize {
        let chain: usize = self.extensions.iter().map(|(_, content)| extension::encoded_len(content.len())).sum();
        8 + if self.sequence.is_some() || chain > 0 { 4 } else { 0 } + chain
    }

    /// Never: a header has at least 8 bytes.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Writes the header of a message with a payload of this length to the front of `out`; gives its length.
    pub fn encode(&self, payload_len: usize, out: &mut [u8]) -> Result<usize, GtpuError> {
        let length = self.len();
        let said = u16::try_from(length - 8 + payload_len).map_err(|_| GtpuError::NoRoom)?;
        let out = out.get_mut(..length).ok_or(GtpuError::NoRoom)?;
        let mut flags = VERSION_1 | PROTOCOL_GTP;
        if self.sequence.is_some() {
            flags |= FLAG_SEQUENCE;
        }
        if !self.extensions.is_empty() {
            flags |= FLAG_EXTENSION;
        }
        out[0] = flags;
        out[1] = self.kind.into();
        out[2..4].copy_from_slice(&said.to_be_bytes());
        out[4..8].copy_from_slice(&self.teid.to_be_bytes());
        if length > 8 {
            out[8..10].copy_from_slice(&self.sequence.unwrap_or_default().to_be_bytes());
            out[10] = 0;
            out[11] = self.extensions.first().map_or(NO_MORE, |(kind, _)| *kind);
            let mut at = 12;
            for (i, (_, content)) in self.extensions.iter().enumerate() {
                let next = self.extensions.get(i + 1).map_or(NO_MORE, |(kind, _)| *kind);
                at += extension::encode(content, next, &mut out[at..])?;
            }
        }
        Ok(length)
    }
}

/// Bytes before the user's packet in a downlink G-PDU as [`encode_g_pdu`] makes it.
pub const G_PDU_HEADER: usize = 16;

/// The header of a downlink G-PDU: tunnel, flow, length of the user's packet. For the fast path: no branch but one.
pub fn encode_g_pdu(teid: u32, qfi: u8, payload_len: usize) -> Result<[u8; G_PDU_HEADER], GtpuError> {
    let said = u16::try_from(payload_len + 8).map_err(|_| GtpuError::NoRoom)?.to_be_bytes();
    let teid = teid.to_be_bytes();
    let (content, _) = DownlinkContainer::of(qfi).encode();
    Ok([
        VERSION_1 | PROTOCOL_GTP | FLAG_EXTENSION,
        255,
        said[0],
        said[1],
        teid[0],
        teid[1],
        teid[2],
        teid[3],
        0,
        0,
        0,
        PDU_SESSION_CONTAINER,
        1,
        content[0],
        content[1],
        NO_MORE,
    ])
}

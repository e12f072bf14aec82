//! Messages about paths and tunnels, and their information elements (TS 29.281 §7, §8).

use crate::{GtpuError, Header, Message, MessageType};
use std::net::IpAddr;

const RECOVERY: u8 = 14;
const TEID_DATA: u8 = 16;
const PEER_ADDRESS: u8 = 133;
const EXTENSION_TYPES: u8 = 141;

/// Information elements of a message; unknown ones are skipped, when their length can be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elements<'a> {
    /// Restart counter: always 0 in what GTP-U sends, ignored when received (TS 29.281 §8.2).
    pub recovery: Option<u8>,
    /// Tunnel that the sender did not know (TS 29.281 §8.3).
    pub teid_data: Option<u32>,
    /// Address that the message was about (TS 29.281 §8.4).
    pub peer_address: Option<IpAddr>,
    /// Types of extension headers that the sender knows (TS 29.281 §8.5).
    pub extension_types: Option<&'a [u8]>,
}

impl<'a> Elements<'a> {
    /// Reads the elements of a signalling message. They come in ascending order of their type (TS 29.281 §8.1).
    pub fn decode(payload: &'a [u8]) -> Result<Self, GtpuError> {
        let mut found = Self::default();
        let (mut rest, mut before) = (payload, 0);
        while let Some((&kind, after)) = rest.split_first() {
            if kind < before {
                return Err(GtpuError::Elements);
            }
            before = kind;
            let take = |from: &'a [u8], length: usize| from.split_at_checked(length).ok_or(GtpuError::Elements);
            let value;
            (value, rest) = match kind {
                RECOVERY => take(after, 1)?,
                TEID_DATA => take(after, 4)?,
                EXTENSION_TYPES => {
                    let (&length, after) = after.split_first().ok_or(GtpuError::Elements)?;
                    take(after, usize::from(length))?
                }
                128.. => {
                    let (length, after) = after.split_first_chunk().ok_or(GtpuError::Elements)?;
                    take(after, usize::from(u16::from_be_bytes(*length)))?
                }
                // The length of an unknown fixed-length element is not known either.
                _ => return Err(GtpuError::Elements),
            };
            match kind {
                RECOVERY => found.recovery = value.first().copied(),
                TEID_DATA => found.teid_data = value.try_into().ok().map(u32::from_be_bytes),
                PEER_ADDRESS => found.peer_address = Some(address(value)?),
                EXTENSION_TYPES => found.extension_types = Some(value),
                _ => {}
            }
        }
        Ok(found)
    }
}

fn address(value: &[u8]) -> Result<IpAddr, GtpuError> {
    if let Ok(v4) = <[u8; 4]>::try_from(value) {
        return Ok(IpAddr::from(v4));
    }
    <[u8; 16]>::try_from(value).map(IpAddr::from).map_err(|_| GtpuError::Elements)
}

/// A message about a path or a tunnel, to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal<'a> {
    /// TS 29.281 §7.2.1.
    EchoRequest {
        /// Tells the answer from others.
        sequence: u16,
    },
    /// TS 29.281 §7.2.2: with recovery 0.
    EchoResponse {
        /// Of the request.
        sequence: u16,
    },
    /// TS 29.281 §7.3.1.
    ErrorIndication {
        /// Tunnel of the G-PDU.
        teid: u32,
        /// Destination of the G-PDU: our address.
        peer: IpAddr,
    },
    /// TS 29.281 §7.2.3.
    SupportedExtensionHeaders {
        /// Of the message that had an unknown one.
        sequence: u16,
        /// Types that we know.
        types: &'a [u8],
    },
    /// TS 29.281 §7.3.2.
    EndMarker {
        /// The receiver's tunnel.
        teid: u32,
    },
}

/// Longest message that [`Signal::encode`] writes when at most 16 extension types are named.
pub const MAX_SIGNAL: usize = 40;

impl Signal<'_> {
    /// Writes the whole message to the front of `out`; gives its length.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, GtpuError> {
        let mut elements = Writer { bytes: [0; MAX_SIGNAL], len: 0 };
        let (kind, teid, sequence) = match *self {
            Self::EchoRequest { sequence } => (MessageType::EchoRequest, 0, Some(sequence)),
            Self::EchoResponse { sequence } => {
                elements.put(&[RECOVERY, 0])?;
                (MessageType::EchoResponse, 0, Some(sequence))
            }
            Self::ErrorIndication { teid, peer } => {
                elements.put(&[TEID_DATA])?;
                elements.put(&teid.to_be_bytes())?;
                match peer {
                    IpAddr::V4(v4) => {
                        elements.put(&[PEER_ADDRESS, 0, 4])?;
                        elements.put(&v4.octets())?;
                    }
                    IpAddr::V6(v6) => {
                        elements.put(&[PEER_ADDRESS, 0, 16])?;
                        elements.put(&v6.octets())?;
                    }
                }
                (MessageType::ErrorIndication, 0, Some(0))
            }
            Self::SupportedExtensionHeaders { sequence, types } => {
                elements.put(&[EXTENSION_TYPES, u8::try_from(types.len()).map_err(|_| GtpuError::NoRoom)?])?;
                elements.put(types)?;
                (MessageType::SupportedExtensionHeadersNotification, 0, Some(sequence))
            }
            Self::EndMarker { teid } => (MessageType::EndMarker, teid, None),
        };
        let payload = elements.bytes.get(..elements.len).ok_or(GtpuError::NoRoom)?;
        let at = Header { kind, teid, sequence, extensions: &[] }.encode(payload.len(), out)?;
        out.get_mut(at..at + payload.len()).ok_or(GtpuError::NoRoom)?.copy_from_slice(payload);
        Ok(at + payload.len())
    }
}

struct Writer {
    bytes: [u8; MAX_SIGNAL],
    len: usize,
}

impl Writer {
    fn put(&mut self, part: &[u8]) -> Result<(), GtpuError> {
        let end = self.len + part.len();
        self.bytes.get_mut(self.len..end).ok_or(GtpuError::NoRoom)?.copy_from_slice(part);
        self.len = end;
        Ok(())
    }
}

/// Elements of a message that has them; none for a user's packet.
pub fn elements<'a>(message: &Message<'a>) -> Result<Elements<'a>, GtpuError> {
    match message.kind {
        MessageType::GPdu => Ok(Elements::default()),
        _ => Elements::decode(message.payload),
    }
}

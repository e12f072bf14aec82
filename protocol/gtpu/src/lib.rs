//! GTP-U (TS 29.281) and the PDU session container (TS 38.415): codec.
//!
//! Decoding borrows from the datagram and allocates nothing; encoding writes into the caller's buffer. What is decoded has
//! been checked to its end: iterators over extension headers and information elements of a decoded message never fail.

pub mod container;
mod error;
pub mod extension;
pub mod fuzz;
pub mod message;
pub mod signalling;

pub use container::{DownlinkContainer, UplinkContainer};
pub use error::GtpuError;
pub use extension::{Extension, Extensions};
pub use message::{G_PDU_HEADER, Header, Message, MessageType, decode, encode_g_pdu};
pub use signalling::{Elements, Signal};

/// UDP port of GTP-U (TS 29.281 §4.4.2.1).
pub const PORT: u16 = 2152;

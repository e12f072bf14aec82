//! Carries NGAP between gNBs and the core (N2, TS 38.412): in memory, framed over loopback, and kernel SCTP.
//!
//! Every transport gives the same [`Endpoint`]: events come out, messages go in, and one conformance suite
//! ([`conformance`]) says what that means. Neither end reads a message here.
//!
//! **Invariants**
//! - Messages of one association and stream arrive whole, once and in order, between its `Up` and its `Down`.
//! - A slow reader slows its peers down; a peer that does not read is cut off. Memory is bounded either way.
//! - An association's number is never used again.

#[cfg(feature = "testing")]
pub mod conformance;
pub mod frame;
pub mod framed;
pub mod fuzz;
pub mod memory;
mod port;
#[cfg(target_os = "linux")]
pub mod sctp;

use std::fmt;
use tokio::sync::mpsc;

pub use port::Sender;

/// Payload protocol identifier of NGAP (TS 38.412 §7).
pub const PPID: u32 = 60;
/// Port on which the core listens (TS 38.412 §7).
pub const PORT: u16 = 38412;
/// Largest message that is carried, in bytes; a peer that sends a larger one is cut off.
pub const LARGEST: usize = 256 * 1024;
/// Messages that may wait for one peer; one that lets more pile up is cut off.
pub const WAITING: usize = 4096;

/// One association with a peer, as numbered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Association(pub u64);

/// One message with where it belongs.
#[derive(Clone, PartialEq, Eq)]
pub struct Packet {
    /// SCTP stream.
    pub stream: u16,
    /// Payload protocol identifier, in host order.
    pub ppid: u32,
    /// One whole message.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packet(stream {}, ppid {}, {} bytes)", self.stream, self.ppid, self.bytes.len())
    }
}

/// What happens at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A peer is there.
    Up {
        /// Its number.
        association: Association,
        /// Address or name, for an operator's eyes.
        peer: String,
        /// Streams that may be used to it, at least 1.
        streams: u16,
    },
    /// A message of NGAP came.
    Message {
        /// From whom.
        association: Association,
        /// On which stream.
        stream: u16,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A message of another protocol came and was dropped.
    Foreign {
        /// From whom.
        association: Association,
        /// Which protocol.
        ppid: u32,
    },
    /// The peer is gone, or was cut off.
    Down {
        /// Its number.
        association: Association,
        /// Why.
        because: DownBecause,
    },
}

/// Why an association ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DownBecause {
    /// The peer ended it.
    Closed,
    /// It ended without a word: the path or the peer failed.
    Lost,
    /// We ended it.
    Aborted,
    /// The peer sent what cannot be a message.
    Malformed,
    /// The peer did not read what we sent.
    Stalled,
}

/// Why a message was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SendError {
    /// There is no such association (any more).
    #[error("the association is gone")]
    Gone,
    /// Nothing that large is carried.
    #[error("the message is too large")]
    TooLarge,
    /// The association has fewer streams.
    #[error("the association has no such stream")]
    NoSuchStream,
    /// Too much waits for the peer already; it is being cut off.
    #[error("the peer does not read")]
    Stalled,
}

impl pakawaaz_base::StableError for SendError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gone => "n2.gone",
            Self::TooLarge => "n2.too_large",
            Self::NoSuchStream => "n2.no_such_stream",
            Self::Stalled => "n2.stalled",
        }
    }
    fn class(&self) -> pakawaaz_base::ErrorClass {
        match self {
            Self::TooLarge | Self::NoSuchStream => pakawaaz_base::ErrorClass::Internal,
            Self::Gone | Self::Stalled => pakawaaz_base::ErrorClass::Unavailable,
        }
    }
}

/// One side of N2: a core with its gNBs, or a gNB with its core.
pub struct Endpoint {
    events: mpsc::Receiver<Event>,
    sender: Sender,
}

impl Endpoint {
    /// What happened next; none when the transport has ended and everything was read.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }
    /// What happened already, without waiting.
    pub fn try_next(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
    /// For sending.
    pub fn sender(&self) -> Sender {
        self.sender.clone()
    }
}

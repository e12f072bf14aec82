//! Bounds, so that nobody outside decides how much memory or work is used.

use crate::rules::IpNet;
use std::time::Duration;

/// All bounds of the user plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Sessions.
    pub sessions: usize,
    /// Networks that gNBs send from; empty: any. The N3 network is a protected one either way.
    pub gnbs: Vec<IpNet>,
    /// Packets kept for one idle phone.
    pub kept_packets: usize,
    /// Bytes kept for one idle phone.
    pub kept_bytes: usize,
    /// Bytes kept for all idle phones together.
    pub kept_bytes_in_all: usize,
    /// How long a packet is kept. Longer than paging takes, shorter than the sender's patience.
    pub kept_for: Duration,
    /// Datagrams held of one session that came from one address, which is not that of the session's gNB.
    pub held_packets: usize,
    /// Bytes held of one address, for all sessions: a gNB that floods fills its own share only.
    pub held_bytes: usize,
    /// Bytes held of all addresses together.
    pub held_bytes_in_all: usize,
    /// How long a datagram is held. Longer than the control plane needs to hear of a new gNB.
    pub held_for: Duration,
    /// Streams (UDP and echo) that one session may have open.
    pub streams: usize,
    /// Streams of all sessions together.
    pub streams_in_all: usize,
    /// Silence after which a UDP stream is closed; RFC 4787 asks for at least two minutes.
    pub udp_idle: Duration,
    /// Silence after which a question to a resolver, or an echo, will not be answered any more.
    pub question_idle: Duration,
    /// Fragmented packets on their way, of one session.
    pub fragmented: usize,
    /// How long the rest of a fragmented packet may take.
    pub fragment_for: Duration,
    /// ICMP errors, neighbour discovery and echoes of one session, each second and direction.
    pub icmp_per_second: u32,
    /// Answers about paths and tunnels (echo, error indication, supported extension headers), each second, to all gNBs.
    pub signals_per_second: u32,
    /// What a rate may be exceeded by for a moment: bytes of so much time, and at least two large packets.
    pub burst: Duration,
    /// How often usage is reported while it changes.
    pub usage_every: Duration,
    /// How long a released TEID is not given to another session.
    pub teid_rest: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions: 50_000,
            gnbs: Vec::new(),
            kept_packets: 64,
            kept_bytes: 64 * 1024,
            kept_bytes_in_all: 64 * 1024 * 1024,
            kept_for: Duration::from_secs(20),
            held_packets: 8,
            held_bytes: 1024 * 1024,
            held_bytes_in_all: 32 * 1024 * 1024,
            held_for: Duration::from_secs(1),
            streams: 256,
            streams_in_all: 500_000,
            udp_idle: Duration::from_secs(180),
            question_idle: Duration::from_secs(15),
            fragmented: 16,
            fragment_for: Duration::from_secs(5),
            icmp_per_second: 20,
            signals_per_second: 200,
            burst: Duration::from_millis(100),
            usage_every: Duration::from_secs(60),
            teid_rest: Duration::from_secs(600),
        }
    }
}

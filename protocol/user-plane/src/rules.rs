//! What the control plane tells the user plane (the part of N4 that we need, TS 29.244), and what it hears back.
//!
//! These are plain values: they cross a process boundary as they are, or a PFCP codec can be put between later.

use crate::allow_list::Allow;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A session at the user plane; unique while the user plane runs, chosen by the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionRef(pub u64);

/// One end of a GTP-U tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Tunnel {
    /// Where the other end listens (UDP 2152).
    pub address: IpAddr,
    /// Tunnel endpoint identifier at that address; never 0.
    pub teid: u32,
}

/// Bits per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BitRate(pub u64);

/// Rates of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BitRates {
    /// From the phone.
    pub uplink: BitRate,
    /// To the phone.
    pub downlink: BitRate,
}

/// Which packets belong to a flow, seen from the phone: remote is the server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PacketFilter {
    /// The other side's network; none: any that the data network allows.
    pub remote: Option<IpNet>,
    /// IP protocol number; none: any.
    pub protocol: Option<u8>,
    /// Ports of the other side, first and last.
    pub remote_ports: Option<(u16, u16)>,
    /// Ports of the phone, first and last.
    pub local_ports: Option<(u16, u16)>,
}

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IpNet {
    /// Its first address.
    pub address: IpAddr,
    /// Bits of its prefix.
    pub prefix: u8,
}

/// One QoS flow (TS 23.501 §5.7).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct QosFlow {
    /// QoS flow identifier, 1 to 63.
    pub qfi: u8,
    /// Standardised characteristics (TS 23.501 table 5.7.4-1).
    pub five_qi: u8,
    /// Guaranteed rates; none for a flow without guarantee.
    pub guaranteed: Option<BitRates>,
    /// Most it may carry; none: what the session may.
    pub maximum: Option<BitRates>,
    /// Earlier ones match first; the default flow has 255 and no filter.
    pub precedence: u8,
    /// Packets that belong to it; empty: all that no other flow took.
    pub filters: Vec<PacketFilter>,
}

/// What a session is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRules {
    /// The session.
    pub session: SessionRef,
    /// Data network; names an allow-list.
    pub dnn: String,
    /// Address of the phone.
    pub ipv4: Option<Ipv4Addr>,
    /// /64 prefix of the phone, its lower half zero.
    pub ipv6: Option<Ipv6Addr>,
    /// Interface identifier that the phone was given for its link-local address (TS 23.501 §5.8.2.2.3).
    pub interface_id: [u8; 8],
    /// Most the session's flows without guarantee may carry together.
    pub ambr: BitRates,
    /// Its flows; the default one is among them.
    pub flows: Vec<QosFlow>,
    /// The gNB's end; none while the phone is idle: packets to it are kept, and asked for. Packets from the phone go on
    /// only when they come from this address.
    pub downlink: Option<Tunnel>,
}

/// To the user plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserPlaneRequest {
    /// A new session. Answered with [`UserPlaneReply::Established`] or [`UserPlaneReply::Refused`].
    Establish(Box<SessionRules>),
    /// The phone is reachable at another gNB or again; kept packets follow, and what came from that gNB before we were told
    /// goes on. With `end_marker` the old gNB is told that nothing more comes.
    Reach {
        /// Which.
        session: SessionRef,
        /// The gNB's end.
        downlink: Tunnel,
        /// Send an end marker to the end before.
        end_marker: bool,
    },
    /// The phone is idle: keep what comes, and say once that something did. Nothing goes on from the gNB that it had.
    Idle {
        /// Which.
        session: SessionRef,
    },
    /// Other flows or rates.
    Flows {
        /// Which.
        session: SessionRef,
        /// Most the flows without guarantee may carry together.
        ambr: BitRates,
        /// All flows.
        flows: Vec<QosFlow>,
    },
    /// It is over; answered with its last [`UserPlaneReply::Usage`].
    Release {
        /// Which.
        session: SessionRef,
    },
    /// Everything is over: the control plane has lost its sessions.
    ReleaseAll,
    /// What these sessions have carried until now: a [`UserPlaneReply::Usage`] for each that there is, then
    /// [`UserPlaneReply::Reported`]. At most [`REPORTED_AT_ONCE`] fit.
    Report {
        /// Comes back in the answer.
        number: u64,
        /// Which.
        sessions: Vec<SessionRef>,
    },
}

/// Sessions of one [`UserPlaneRequest::Report`], which fits a frame.
pub const REPORTED_AT_ONCE: usize = 4096;

/// Why the user plane refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefusedBecause {
    /// No allow-list is in force for this data network, or the phone's address is not one of its phones' there.
    UnknownDataNetwork,
    /// The address or the session is taken.
    Taken,
    /// No room.
    Full,
    /// The user plane is not there.
    Unavailable,
}

/// What a session carried since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Packets from the phone that went on.
    pub uplink_packets: u64,
    /// Their bytes, inner IP packets.
    pub uplink_bytes: u64,
    /// Packets sent to the phone.
    pub downlink_packets: u64,
    /// Their bytes, inner IP packets.
    pub downlink_bytes: u64,
    /// Packets refused by the rules, both directions.
    pub refused_packets: u64,
    /// Packets above the session's or a flow's rate.
    pub policed_packets: u64,
}

/// From the user plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserPlaneReply {
    /// The session is in force.
    Established {
        /// Which.
        session: SessionRef,
        /// Our end of the tunnel, for the gNB.
        uplink: Tunnel,
    },
    /// It is not.
    Refused {
        /// Which.
        session: SessionRef,
        /// Why.
        because: RefusedBecause,
    },
    /// Packets wait for an idle phone: page it. Once until [`UserPlaneRequest::Reach`] or [`UserPlaneRequest::Idle`], or until
    /// all that waited has become too old: then the next packet is told again. Also told to a control plane that connects
    /// anew.
    Waiting {
        /// Which.
        session: SessionRef,
        /// Flow of the first packet.
        qfi: u8,
    },
    /// A gNB does not know the tunnel (TS 29.281 §7.3.1): the phone is to be treated as idle.
    TunnelLost {
        /// Which.
        session: SessionRef,
    },
    /// Counters, now and then and at the end.
    Usage {
        /// Which.
        session: SessionRef,
        /// Since the session began.
        usage: Usage,
    },
    /// The user plane has started anew and knows no session.
    Restarted,
    /// All that a [`UserPlaneRequest::Report`] asked for has been said.
    Reported {
        /// Its number.
        number: u64,
    },
    /// What the canary found, after each of its rounds; also told to a control plane that connects anew.
    Isolation(Isolation),
    /// The canary's addresses, which no phone may be given. Told to a control plane that connects.
    Canary {
        /// Its address.
        ipv4: Option<Ipv4Addr>,
        /// The first address of its /64.
        ipv6: Option<Ipv6Addr>,
    },
    /// Of the allow-list in force, for operators to look at. Told to a control plane that connects.
    Allowed(Allowed),
}

/// What phones of one data network may reach. A long one comes in parts, which differ in [`Allowed::allow`] only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// Number of the file.
    pub serial: u64,
    /// The data network.
    pub dnn: String,
    /// Where its phones' addresses are from; at most [`SHOWN_AT_ONCE`] of them.
    pub phones: Vec<IpNet>,
    /// Name servers, reached on port 53 without an entry; at most [`SHOWN_AT_ONCE`] of them.
    pub resolvers: Vec<IpAddr>,
    /// Largest packet of a phone.
    pub mtu: u16,
    /// Entries.
    pub allow: Vec<Allow>,
}

/// Networks of phones, and name servers, that [`Allowed`] names; an operator who has more knows them from the file.
pub const SHOWN_AT_ONCE: usize = 64;

/// One round of the canary: packets that must not pass, and some that must, through the real user plane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// Packets that it tried at both lines of defence.
    pub probes: u32,
    /// What is wrong, in words without a phone's address; none: the network is isolated and works.
    pub broken: Option<String>,
}

/// Longest text of [`Isolation::broken`], in bytes.
pub const LONGEST_FINDING: usize = 400;

//! What was done with packets, as plain numbers; the edge turns them into metrics.

/// Why a packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No GTP-U or IP packet, or one whose lengths disagree.
    Malformed,
    /// From an address that is no gNB's, or a tunnel that leads to one.
    Stranger,
    /// For a tunnel that does not exist.
    UnknownTunnel,
    /// An extension header that has to be understood and is not.
    UnknownExtension,
    /// Without a flow, of a flow that the session does not have, or not belonging in the flow that it claims.
    UnknownFlow,
    /// The phone used an address that is not its own.
    Source,
    /// From phone to phone.
    Phone,
    /// To an address, protocol or port that the allow-list does not name; from one, when it comes from the network.
    NotAllowed,
    /// To a name server that is not ours.
    Resolver,
    /// A tunnel inside the tunnel.
    Nested,
    /// IP options or extension headers.
    Options,
    /// A fragment that is malformed, overlaps the header, or came without a first one.
    Fragment,
    /// Unasked for: nothing that the phone sent.
    NotAsked,
    /// ICMP other than echo and errors about the phone's own packets, or too much of it.
    Icmp,
    /// More streams than a session may have open.
    TooManyFlows,
    /// To a phone that we do not have.
    UnknownPhone,
    /// Link-local noise: multicast, neighbour discovery that needs no answer.
    LinkLocal,
    /// Kept for an idle phone, and there was no more room.
    KeptTooMany,
    /// Kept for an idle phone that was not found in time.
    KeptTooLong,
    /// From another gNB than the session's, or from one that was not its gNB in time.
    OtherGnb,
}

impl Reason {
    /// All of them, by their number.
    pub const ALL: [Self; 20] = [
        Self::Malformed,
        Self::Stranger,
        Self::UnknownTunnel,
        Self::UnknownExtension,
        Self::UnknownFlow,
        Self::Source,
        Self::Phone,
        Self::NotAllowed,
        Self::Resolver,
        Self::Nested,
        Self::Options,
        Self::Fragment,
        Self::NotAsked,
        Self::Icmp,
        Self::TooManyFlows,
        Self::UnknownPhone,
        Self::LinkLocal,
        Self::KeptTooMany,
        Self::KeptTooLong,
        Self::OtherGnb,
    ];

    /// Name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Stranger => "stranger",
            Self::UnknownTunnel => "unknown_tunnel",
            Self::UnknownExtension => "unknown_extension",
            Self::UnknownFlow => "unknown_flow",
            Self::Source => "source",
            Self::Phone => "phone",
            Self::NotAllowed => "not_allowed",
            Self::Resolver => "resolver",
            Self::Nested => "nested",
            Self::Options => "options",
            Self::Fragment => "fragment",
            Self::NotAsked => "not_asked",
            Self::Icmp => "icmp",
            Self::TooManyFlows => "too_many_flows",
            Self::UnknownPhone => "unknown_phone",
            Self::LinkLocal => "link_local",
            Self::KeptTooMany => "kept_too_many",
            Self::KeptTooLong => "kept_too_long",
            Self::OtherGnb => "other_gnb",
        }
    }
}

/// Counts since the process began, and two levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets from phones that went on.
    pub uplink_packets: u64,
    /// Their bytes, inner IP packets.
    pub uplink_bytes: u64,
    /// Packets sent to phones.
    pub downlink_packets: u64,
    /// Their bytes, inner IP packets.
    pub downlink_bytes: u64,
    /// Packets above a rate.
    pub policed: u64,
    /// Packets that were kept for idle phones, delivered or not.
    pub kept: u64,
    /// Datagrams that were held because they came from another gNB than the session's, whatever became of them.
    pub held: u64,
    /// Echo requests answered.
    pub echoes: u64,
    /// Error indications sent.
    pub errors_sent: u64,
    /// Error indications that ended a tunnel.
    pub errors_received: u64,
    /// End markers sent.
    pub end_markers: u64,
    /// Router and neighbour advertisements sent to phones.
    pub advertisements: u64,
    /// Sessions in force now.
    pub sessions: u64,
    /// Bytes kept for idle phones now.
    pub kept_bytes: u64,
    /// Bytes held from other gNBs now, with what their tables need.
    pub held_bytes: u64,
    /// Packets refused, by [`Reason`].
    pub refused: [u64; Reason::ALL.len()],
}

impl Counters {
    pub(crate) fn refuse(&mut self, reason: Reason) {
        self.refused[reason as usize] += 1;
    }
    /// Packets refused for one reason.
    pub fn refused_for(&self, reason: Reason) -> u64 {
        self.refused[reason as usize]
    }
    /// Name, label and value of everything, as metrics are written: `pakawaaz_upf_<name>`.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, Option<&'static str>, u64)> + '_ {
        let plain = [
            ("uplink_packets_total", self.uplink_packets),
            ("uplink_bytes_total", self.uplink_bytes),
            ("downlink_packets_total", self.downlink_packets),
            ("downlink_bytes_total", self.downlink_bytes),
            ("policed_packets_total", self.policed),
            ("kept_packets_total", self.kept),
            ("held_packets_total", self.held),
            ("echoes_total", self.echoes),
            ("error_indications_sent_total", self.errors_sent),
            ("error_indications_received_total", self.errors_received),
            ("end_markers_total", self.end_markers),
            ("advertisements_total", self.advertisements),
            ("sessions", self.sessions),
            ("kept_bytes", self.kept_bytes),
            ("held_bytes", self.held_bytes),
        ];
        let refused =
            Reason::ALL.iter().map(|reason| ("refused_packets_total", Some(reason.name()), self.refused_for(*reason)));
        plain.into_iter().map(|(name, value)| (name, None, value)).chain(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_place_and_name() {
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
        let names: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
    }
}

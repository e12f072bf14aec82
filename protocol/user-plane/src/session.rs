//! One session: what it may, what it has, what it did.

use crate::flows::Flows;
use crate::fragments::Fragments;
use crate::kept::Kept;
use crate::limits::Limits;
use crate::policing::Bucket;
use crate::returns::Returns;
use crate::router;
use crate::rules::{BitRates, SessionRef, SessionRules, Tunnel, Usage};
use pakawaaz_base::Millis;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The upper half of an address: the /64 that it lies in.
pub(crate) fn upper_half(address: Ipv6Addr) -> u64 {
    (address.to_bits() >> 64) as u64
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) reference: SessionRef,
    /// Our end of the tunnel.
    pub(crate) teid: u32,
    /// Place of the data network in the allow-lists.
    pub(crate) network: usize,
    pub(crate) ipv4: Option<Ipv4Addr>,
    /// Upper half of the /64.
    pub(crate) prefix: Option<u64>,
    /// The phone's address on the link.
    pub(crate) link_local: Ipv6Addr,
    pub(crate) flows: Flows,
    /// AMBR from the phone and to it.
    pub(crate) ambr: [Bucket; 2],
    /// ICMP from the phone and to it.
    pub(crate) icmp: [Bucket; 2],
    /// The gNB's end; none: idle.
    pub(crate) downlink: Option<Tunnel>,
    pub(crate) kept: Kept,
    pub(crate) returns: Returns,
    pub(crate) fragments: Fragments,
    pub(crate) usage: Usage,
    pub(crate) usage_told: (Usage, Millis),
    /// The phone was told its prefix.
    pub(crate) advertised: bool,
}

impl Session {
    pub(crate) fn new(rules: &SessionRules, network: usize, teid: u32, limits: &Limits, now: Millis) -> Self {
        let icmp = Bucket::new(limits.icmp_per_second.into(), limits.icmp_per_second.into(), now);
        Self {
            reference: rules.session,
            teid,
            network,
            ipv4: rules.ipv4,
            prefix: rules.ipv6.map(upper_half),
            link_local: router::link_local(rules.interface_id),
            flows: Flows::new(&rules.flows, limits.burst, now),
            ambr: ambr(rules.ambr, limits, now),
            icmp: [icmp; 2],
            downlink: None,
            kept: Kept::default(),
            returns: Returns::default(),
            fragments: Fragments::default(),
            usage: Usage::default(),
            usage_told: (Usage::default(), now),
            advertised: false,
        }
    }

    /// Other rates: what is used up stays used up.
    pub(crate) fn rates(&mut self, rates: BitRates, limits: &Limits, now: Millis) {
        let [uplink, downlink] = ambr(rates, limits, now);
        self.ambr = [self.ambr[0].at_rate(uplink), self.ambr[1].at_rate(downlink)];
    }

    /// Whether an address is the phone's own.
    pub(crate) fn owns(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.ipv4 == Some(v4),
            IpAddr::V6(v6) => self.prefix == Some(upper_half(v6)),
        }
    }

    /// Whether a packet of a flow is within its rates; takes it out of them if so.
    pub(crate) fn police(&mut self, flow: usize, bytes: usize, uplink: bool, now: Millis) -> bool {
        let bits = 8 * bytes as u64;
        let flow = self.flows.at_mut(flow);
        let session = (!flow.guaranteed).then_some(&mut self.ambr[usize::from(!uplink)]);
        let mut buckets = [flow.bucket(uplink), session];
        // Both, or neither: a packet that one refuses costs nothing in the other.
        let passes = buckets.iter_mut().flatten().all(|bucket| bucket.has(bits, now));
        if passes {
            buckets.iter_mut().flatten().for_each(|bucket| bucket.take(bits));
        }
        passes
    }

    /// One more ICMP message.
    pub(crate) fn icmp_allowed(&mut self, uplink: bool, now: Millis) -> bool {
        self.icmp[usize::from(!uplink)].one(now)
    }
}

fn ambr(rates: BitRates, limits: &Limits, now: Millis) -> [Bucket; 2] {
    [rates.uplink.0, rates.downlink.0].map(|rate| Bucket::of_bits(rate, limits.burst, now))
}

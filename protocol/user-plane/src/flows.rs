//! QoS flows of a session (TS 23.501 §5.7): which one a packet belongs to, and its rates.

use crate::packet::Transport;
use crate::policing::Bucket;
use crate::rules::{PacketFilter, QosFlow};
use pakawaaz_base::Millis;
use std::net::IpAddr;
use std::time::Duration;

/// A packet as filters see it: from the phone's side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stream {
    pub(crate) remote: IpAddr,
    pub(crate) protocol: u8,
    /// None in fragments and protocols without ports.
    pub(crate) ports: Option<(u16, u16)>,
}

impl Stream {
    /// From the source and destination ports as the phone sends them.
    pub(crate) fn new(remote: IpAddr, protocol: u8, transport: &Transport, uplink: bool) -> Self {
        let ports = match transport {
            Transport::Udp { source, destination } | Transport::Tcp { source, destination, .. } => {
                Some(if uplink { (*source, *destination) } else { (*destination, *source) })
            }
            _ => None,
        };
        Self { remote, protocol, ports }
    }
}

/// One flow with its token buckets.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) qfi: u8,
    /// Has a guarantee, and is not counted into the session's AMBR (TS 23.501 §5.7.2.6).
    pub(crate) guaranteed: bool,
    pub(crate) dscp: u8,
    pub(crate) uplink: Option<Bucket>,
    pub(crate) downlink: Option<Bucket>,
    precedence: u8,
    filters: Vec<PacketFilter>,
}

/// Most flows of a session: all QFIs.
const MOST: usize = 63;
/// Most filters of a flow.
const MOST_FILTERS: usize = 16;

impl Flow {
    fn matches(&self, stream: &Stream) -> bool {
        self.filters.is_empty() || self.filters.iter().any(|filter| filter_matches(filter, stream))
    }

    /// What the flow may carry in a direction; none: what the session may.
    pub(crate) fn bucket(&mut self, uplink: bool) -> Option<&mut Bucket> {
        if uplink { self.uplink.as_mut() } else { self.downlink.as_mut() }
    }
}

fn filter_matches(filter: &PacketFilter, stream: &Stream) -> bool {
    let within = |range: Option<(u16, u16)>, port: Option<u16>| match (range, port) {
        (None, _) => true,
        (Some((first, last)), Some(port)) => (first..=last).contains(&port),
        (Some(_), None) => false,
    };
    filter.remote.is_none_or(|network| network.contains(stream.remote))
        && filter.protocol.is_none_or(|protocol| protocol == stream.protocol)
        && within(filter.local_ports, stream.ports.map(|(local, _)| local))
        && within(filter.remote_ports, stream.ports.map(|(_, remote)| remote))
}

/// All flows of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flows(Vec<Flow>);

impl Flows {
    /// Flows that make no sense (QFI outside 1 to 63, a QFI twice, too many) are left out: what would belong to them belongs
    /// to the default flow then, or nowhere.
    pub(crate) fn new(flows: &[QosFlow], burst: Duration, now: Millis) -> Self {
        let mut found: Vec<Flow> = Vec::new();
        for flow in flows.iter().take(MOST) {
            if !(1..=63).contains(&flow.qfi) || found.iter().any(|earlier| earlier.qfi == flow.qfi) {
                continue;
            }
            let bucket = |rate: Option<u64>| rate.map(|rate| Bucket::of_bits(rate, burst, now));
            found.push(Flow {
                qfi: flow.qfi,
                guaranteed: flow.guaranteed.is_some(),
                dscp: dscp(flow.five_qi),
                uplink: bucket(flow.maximum.map(|rates| rates.uplink.0)),
                downlink: bucket(flow.maximum.map(|rates| rates.downlink.0)),
                precedence: flow.precedence,
                filters: flow.filters.iter().take(MOST_FILTERS).cloned().collect(),
            });
        }
        // Without filters a flow takes what is left, whatever its precedence says.
        found.sort_by_key(|flow| (flow.filters.is_empty(), flow.precedence));
        Self(found)
    }

    /// The flow for a packet to the phone.
    pub(crate) fn classify(&self, stream: &Stream) -> Option<usize> {
        self.0.iter().position(|flow| flow.matches(stream))
    }

    /// The flow that the phone claims. A flow with filters takes only what they match: nobody gives bulk the rank of a call.
    pub(crate) fn claimed(&self, qfi: u8, stream: &Stream) -> Option<usize> {
        self.0.iter().position(|flow| flow.qfi == qfi && flow.matches(stream))
    }

    /// The flow of a fragment, whose first part had this QFI.
    pub(crate) fn with_qfi(&self, qfi: u8) -> Option<usize> {
        self.0.iter().position(|flow| flow.qfi == qfi)
    }

    /// The flow for our own messages to the phone.
    pub(crate) fn default_qfi(&self) -> Option<u8> {
        self.0.iter().find(|flow| flow.filters.is_empty()).or(self.0.last()).map(|flow| flow.qfi)
    }

    pub(crate) fn at(&self, index: usize) -> &Flow {
        &self.0[index]
    }

    pub(crate) fn at_mut(&mut self, index: usize) -> &mut Flow {
        &mut self.0[index]
    }
}

/// Mark of the outer packet on the way to the gNB, by 5QI (RFC 4594's classes): the transport network has to know a call
/// from a file.
fn dscp(five_qi: u8) -> u8 {
    match five_qi {
        1 | 65 | 66 => 46, // voice: expedited forwarding
        2 | 67 => 34,      // video of a conversation: AF41
        5 | 69 => 40,      // signalling: CS5
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::{BitRate, BitRates};

    fn flow(qfi: u8, precedence: u8, filters: Vec<PacketFilter>) -> QosFlow {
        QosFlow { qfi, five_qi: 9, guaranteed: None, maximum: None, precedence, filters }
    }

    fn udp(remote: &str, local: u16, port: u16) -> Stream {
        Stream { remote: remote.parse().expect("address"), protocol: 17, ports: Some((local, port)) }
    }

    fn media() -> PacketFilter {
        PacketFilter {
            remote: "10.9.0.0/24".parse().ok(),
            protocol: Some(17),
            remote_ports: Some((5000, 5999)),
            local_ports: None,
        }
    }

    #[test]
    fn filters_by_precedence_then_the_default() {
        let flows = Flows::new(
            &[
                flow(9, 0, vec![]),
                flow(2, 20, vec![media()]),
                flow(1, 10, vec![PacketFilter { local_ports: Some((4000, 4000)), ..media() }]),
            ],
            Duration::from_millis(100),
            Millis(0),
        );
        let qfi = |stream: Stream| flows.classify(&stream).map(|at| flows.at(at).qfi);
        assert_eq!(qfi(udp("10.9.0.7", 4000, 5000)), Some(1));
        assert_eq!(qfi(udp("10.9.0.7", 4001, 5999)), Some(2));
        assert_eq!(qfi(udp("10.9.0.7", 4000, 6000)), Some(9));
        assert_eq!(qfi(udp("10.9.1.7", 4000, 5000)), Some(9));
        assert_eq!(qfi(Stream { ports: None, ..udp("10.9.0.7", 0, 0) }), Some(9));
        assert_eq!(flows.default_qfi(), Some(9));
    }

    #[test]
    fn a_phone_cannot_put_bulk_into_the_flow_of_a_call() {
        let flows =
            Flows::new(&[flow(9, 255, vec![]), flow(1, 10, vec![media()])], Duration::from_millis(100), Millis(0));
        assert!(flows.claimed(1, &udp("10.9.0.7", 1, 5000)).is_some());
        assert!(flows.claimed(1, &udp("10.9.0.7", 1, 443)).is_none());
        assert!(flows.claimed(9, &udp("10.9.0.7", 1, 5000)).is_some());
        assert!(flows.claimed(3, &udp("10.9.0.7", 1, 5000)).is_none());
    }

    #[test]
    fn senseless_flows_are_left_out() {
        let rates = BitRates { uplink: BitRate(1), downlink: BitRate(2) };
        let twice = QosFlow { guaranteed: Some(rates), ..flow(1, 9, vec![]) };
        let flows = Flows::new(
            &[flow(0, 1, vec![]), flow(64, 1, vec![]), flow(1, 1, vec![]), twice],
            Duration::ZERO,
            Millis(0),
        );
        assert_eq!(flows.0.len(), 1);
        assert!(!flows.at(0).guaranteed);
    }
}

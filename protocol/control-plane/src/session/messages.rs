//! QoS and options as the phone reads them (TS 24.501 §9.11.4).

use super::{DEFAULT_QFI, Session};
use crate::config::DataNetwork;
use oxirush_nas::nas_5gs::{
    NasExtendedProtocolConfigurationOptions, NasQosFlowDescriptions, NasQosRules, NasSessionAmbr, Pco, PcoDirection,
    PcoEntry, QosFlowBitRate, QosFlowDescription, QosFlowOpCode, QosFlowParameter, QosPacketFilter,
    QosPacketFilterComponent, QosPacketFilterDirection, QosRule, QosRuleOpCode,
};
use pakawaaz_user_plane::rules::{BitRates, PacketFilter, QosFlow};
use std::net::IpAddr;

/// Unit and value that come closest to a rate without being above it (TS 24.501 §9.11.4.14): the unit 1 is 1 kbit/s, each
/// further one four times as much.
fn coded(bits: u64) -> (u8, u16) {
    let mut kbps = (bits / 1000).max(1);
    // 1, 4, 16, 64, 256 kbit/s, then 1 Mbit/s and so on: steps of 4, and of 3.90625 at each thousand.
    for unit in 1u8..=20 {
        let size = 1000u64.saturating_pow(u32::from((unit - 1) / 5)) * 4u64.pow(u32::from((unit - 1) % 5));
        if let Ok(value) = u16::try_from(kbps / size) {
            return (unit, value.max(1));
        }
    }
    kbps = u64::from(u16::MAX);
    (20, u16::try_from(kbps).unwrap_or(u16::MAX))
}

pub(crate) fn session_ambr(rates: BitRates) -> NasSessionAmbr {
    let (down, up) = (coded(rates.downlink.0), coded(rates.uplink.0));
    NasSessionAmbr::from_raw_fields(down.0, down.1, up.0, up.1)
}

fn rate(bits: u64) -> QosFlowBitRate {
    let (unit, value) = coded(bits);
    QosFlowBitRate { unit, value }
}

fn filter(identifier: u8, filter: &PacketFilter) -> QosPacketFilter {
    let mut components = Vec::new();
    match filter.remote.map(|net| (net.address, net.prefix)) {
        Some((IpAddr::V4(address), prefix)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0).to_be_bytes();
            components.push(QosPacketFilterComponent::Ipv4RemoteAddress { address: address.octets(), mask });
        }
        Some((IpAddr::V6(address), prefix)) => components.push(QosPacketFilterComponent::Ipv6RemoteAddressPrefix {
            address: address.octets(),
            prefix_length: prefix.min(128),
        }),
        None => {}
    }
    if let Some(protocol) = filter.protocol {
        components.push(QosPacketFilterComponent::ProtocolIdentifierOrNextHeader(protocol));
    }
    match filter.local_ports {
        Some((low, high)) if low == high => components.push(QosPacketFilterComponent::SingleLocalPort(low)),
        Some((low, high)) => components.push(QosPacketFilterComponent::LocalPortRange { low, high }),
        None => {}
    }
    match filter.remote_ports {
        Some((low, high)) if low == high => components.push(QosPacketFilterComponent::SingleRemotePort(low)),
        Some((low, high)) => components.push(QosPacketFilterComponent::RemotePortRange { low, high }),
        None => {}
    }
    if components.is_empty() {
        components.push(QosPacketFilterComponent::MatchAll);
    }
    QosPacketFilter::Match { direction: QosPacketFilterDirection::Bidirectional, identifier, components }
}

/// The rule of a flow has the flow's number. A rule has at most 15 filters.
fn rule(flow: &QosFlow, operation: QosRuleOpCode) -> QosRule {
    let filters = match flow.filters.is_empty() {
        true => vec![filter(1, &PacketFilter { remote: None, protocol: None, remote_ports: None, local_ports: None })],
        false => (1u8..=15).zip(&flow.filters).map(|(identifier, one)| filter(identifier, one)).collect(),
    };
    QosRule::new(flow.qfi, operation)
        .with_default_rule(flow.qfi == DEFAULT_QFI)
        .with_packet_filters(filters)
        .with_precedence(flow.precedence)
        .with_qfi(flow.qfi)
        .with_segregation(false)
}

fn description(flow: &QosFlow, operation: QosFlowOpCode) -> QosFlowDescription {
    let mut parameters = vec![QosFlowParameter::FiveQi(flow.five_qi)];
    if let Some(guaranteed) = flow.guaranteed {
        let maximum = flow.maximum.unwrap_or(guaranteed);
        parameters.extend([
            QosFlowParameter::GfbrUl(rate(guaranteed.uplink.0)),
            QosFlowParameter::GfbrDl(rate(guaranteed.downlink.0)),
            QosFlowParameter::MfbrUl(rate(maximum.uplink.0)),
            QosFlowParameter::MfbrDl(rate(maximum.downlink.0)),
        ]);
    }
    QosFlowDescription::new(flow.qfi, operation, true, parameters)
}

/// Rules and descriptions of a new session: the default flow's.
pub(crate) fn first(session: &Session) -> Option<(NasQosRules, NasQosFlowDescriptions)> {
    let flow = session.default_flow();
    let rules = NasQosRules::from_rules(&[rule(&flow, QosRuleOpCode::Create)]).ok()?;
    let descriptions = NasQosFlowDescriptions::from_descriptions(&[description(&flow, QosFlowOpCode::Create)]).ok()?;
    Some((rules, descriptions))
}

/// Rules and descriptions that lead from `before` to `after`; none when nothing changes.
pub(crate) fn change(before: &[QosFlow], after: &[QosFlow]) -> Option<(NasQosRules, NasQosFlowDescriptions)> {
    let (mut rules, mut descriptions) = (Vec::new(), Vec::new());
    for gone in before.iter().filter(|flow| !after.iter().any(|kept| kept.qfi == flow.qfi)) {
        rules.push(QosRule::new(gone.qfi, QosRuleOpCode::Delete));
        descriptions.push(QosFlowDescription::new(gone.qfi, QosFlowOpCode::Delete, false, Vec::new()));
    }
    for flow in after {
        match before.iter().find(|old| old.qfi == flow.qfi) {
            Some(old) if old == flow => {}
            Some(_) => {
                rules.push(rule(flow, QosRuleOpCode::ModifyReplace));
                descriptions.push(description(flow, QosFlowOpCode::Modify));
            }
            None => {
                rules.push(rule(flow, QosRuleOpCode::Create));
                descriptions.push(description(flow, QosFlowOpCode::Create));
            }
        }
    }
    if rules.is_empty() {
        return None;
    }
    Some((NasQosRules::from_rules(&rules).ok()?, NasQosFlowDescriptions::from_descriptions(&descriptions).ok()?))
}

/// Containers of TS 24.008 table 10.5.154.
const DNS_V6: u16 = 0x0003;
const DNS_V4: u16 = 0x000d;
const MTU_V4: u16 = 0x0010;
const IPCP: u16 = 0x8021;

/// The options that the phone asked for and we have: name servers and the largest packet.
pub(crate) fn options(
    network: &DataNetwork,
    asked: &NasExtendedProtocolConfigurationOptions,
) -> Option<NasExtendedProtocolConfigurationOptions> {
    let asked = asked.pco(PcoDirection::Uplink)?;
    let wants = |identifier| asked.entry(identifier).is_some();
    let mut entries = Vec::new();
    for server in &network.dns {
        match server {
            IpAddr::V4(address) if wants(DNS_V4) || wants(IPCP) => {
                entries.push(PcoEntry { identifier: DNS_V4, contents: address.octets().to_vec() });
            }
            IpAddr::V6(address) if wants(DNS_V6) => {
                entries.push(PcoEntry { identifier: DNS_V6, contents: address.octets().to_vec() });
            }
            _ => {}
        }
    }
    if wants(MTU_V4) {
        entries.push(PcoEntry { identifier: MTU_V4, contents: network.mtu.to_be_bytes().to_vec() });
    }
    if entries.is_empty() {
        return None;
    }
    NasExtendedProtocolConfigurationOptions::from_pco(&Pco::new(0, entries), PcoDirection::Downlink).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_user_plane::rules::BitRate;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_rate_is_coded_from_below_and_close(bits in 1_000u64..4_000_000_000_000) {
            let rates = BitRates { uplink: BitRate(bits), downlink: BitRate(1000) };
            let kbps = session_ambr(rates).uplink_kbps().unwrap();
            prop_assert!(kbps <= bits / 1000);
            prop_assert!(kbps * 1001 / 1000 + 1 >= bits / 1000, "{kbps} for {bits}");
        }
    }

    #[test]
    fn a_flow_that_comes_changes_and_goes_is_said() {
        let flow = QosFlow { qfi: 2, five_qi: 1, guaranteed: None, maximum: None, precedence: 10, filters: Vec::new() };
        let said = |before: &[QosFlow], after: &[QosFlow]| {
            let (rules, _) = change(before, after).unwrap();
            rules.rules().iter().map(|rule| rule.op_code).collect::<Vec<_>>()
        };
        assert_eq!(said(&[], std::slice::from_ref(&flow)), [QosRuleOpCode::Create]);
        let other = QosFlow { precedence: 11, ..flow.clone() };
        assert_eq!(said(std::slice::from_ref(&flow), &[other]), [QosRuleOpCode::ModifyReplace]);
        assert_eq!(said(std::slice::from_ref(&flow), &[]), [QosRuleOpCode::Delete]);
        assert!(change(std::slice::from_ref(&flow), std::slice::from_ref(&flow)).is_none());
    }
}

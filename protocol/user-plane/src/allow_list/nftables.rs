//! The same allow-list as kernel rules (nftables), so that it is enforced a second time by code that shares nothing with
//! ours.
//!
//! The rules are those of the user plane's own network namespace, where there are two interfaces: the phones' TUN and the
//! one to our services (N6). Default drop in every chain; no NAT; nothing from phone to phone; nothing to or from the
//! namespace itself but what the kernel needs to forward: neighbour discovery on N6, and errors about forwarded packets.
//!
//! What may come back is decided as in the user plane (`plane/downlink.rs`): TCP by its flags, the rest by the kernel's
//! connection tracking.

use super::{AllowLists, DataNetwork, What};
use crate::rules::IpNet;
use std::fmt::Write as _;

/// Names of the interfaces.
#[derive(Clone, Copy, Debug)]
pub struct Interfaces<'a> {
    /// The phones' side.
    pub tun: &'a str,
    /// The side of our services.
    pub n6: &'a str,
}

/// The whole rule set, as `nft -f` takes it.
pub fn rule_set(lists: &AllowLists, interfaces: Interfaces<'_>) -> String {
    let Interfaces { tun, n6 } = interfaces;
    let mut out = String::new();
    let mut line = |depth: usize, text: &str| {
        let _ = writeln!(out, "{:depth$}{text}", "", depth = depth * 4);
    };
    line(0, &format!("# Made from the signed allow-list, serial {}. Do not edit.", lists.serial()));
    line(0, "flush ruleset");
    line(0, "table inet pakawaaz {");
    for (chain, extra) in [("input", ""), ("output", "output")] {
        line(1, &format!("chain {chain} {{"));
        line(2, &format!("type filter hook {chain} priority filter; policy drop;"));
        let side = if chain == "input" { "iifname" } else { "oifname" };
        let neighbours = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert }";
        line(2, &format!("{side} \"{n6}\" {neighbours} ip6 hoplimit 255 accept"));
        if !extra.is_empty() {
            // What does not fit, has gone round too often or leads nowhere: the sender has to hear of it.
            let limit = "limit rate 100/second accept";
            line(2, &format!("icmp type {{ destination-unreachable, time-exceeded }} ct state related {limit}"));
            let kinds = "destination-unreachable, packet-too-big, time-exceeded";
            line(2, &format!("icmpv6 type {{ {kinds} }} ct state related {limit}"));
        }
        line(2, "counter drop");
        line(1, "}");
    }
    line(1, "chain forward {");
    line(2, "type filter hook forward priority filter; policy drop;");
    line(2, "ip option lsrr exists counter drop");
    line(2, "ip option ssrr exists counter drop");
    line(2, "exthdr rt exists counter drop");
    line(2, "udp dport { 2123, 2152, 8805 } counter drop");
    line(2, "udp sport { 2123, 2152, 8805 } counter drop");
    line(2, &format!("iifname \"{tun}\" oifname \"{tun}\" counter drop"));
    for (at, network) in lists.networks().iter().enumerate() {
        for (family, pools) in by_family(&network.phones) {
            let pools = set(&pools);
            line(2, &format!("iifname \"{tun}\" oifname \"{n6}\" {family} saddr {pools} jump up_{at}"));
            line(2, &format!("iifname \"{n6}\" oifname \"{tun}\" {family} daddr {pools} jump down_{at}"));
        }
    }
    line(2, "counter drop");
    line(1, "}");
    for (at, network) in lists.networks().iter().enumerate() {
        line(1, &format!("chain up_{at} {{ # {}", network.name));
        for rule in up(network) {
            line(2, &rule);
        }
        line(1, "}");
        line(1, &format!("chain down_{at} {{ # {}", network.name));
        for rule in down(network) {
            line(2, &rule);
        }
        line(1, "}");
    }
    line(0, "}");
    out
}

/// Phones to services.
fn up(network: &DataNetwork) -> Vec<String> {
    let mut rules = Vec::new();
    let hosts: Vec<IpNet> = network.resolvers.iter().copied().map(IpNet::host).collect();
    for (family, hosts) in by_family(&hosts) {
        rules.push(format!("{family} daddr {} meta l4proto {{ tcp, udp }} th dport 53 accept", set(&hosts)));
    }
    // Names are asked of our resolvers or of nobody, whatever entries say.
    for family in ["ip", "ip6"] {
        let ours = by_family(&hosts).into_iter().find(|(of, _)| *of == family);
        let elsewhere = match ours {
            Some((_, hosts)) => format!("{family} daddr != {}", set(&hosts)),
            None => format!("meta nfproto {}", if family == "ip" { "ipv4" } else { "ipv6" }),
        };
        rules.push(format!("{elsewhere} meta l4proto {{ tcp, udp }} th dport {{ 53, 853, 5353 }} counter drop"));
    }
    for entry in &network.allow {
        for (family, networks) in by_family(&entry.networks) {
            let to = format!("{family} daddr {}", set(&networks));
            rules.push(match &entry.what {
                What::Tcp(ports) => format!("{to} tcp dport {} accept", ranges(ports)),
                What::Udp(ports) => format!("{to} udp dport {} accept", ranges(ports)),
                What::Echo => format!("{to} {} echo-request accept", icmp(family)),
            });
        }
    }
    rules.push(errors());
    rules
}

/// Services to phones.
fn down(network: &DataNetwork) -> Vec<String> {
    // A bare RST or a segment that acknowledges; never one that opens a connection.
    const GOES_ON: &str = "tcp flags & (syn | ack | rst) != 0x0 tcp flags & (syn | ack) != syn";
    let mut rules = Vec::new();
    let hosts: Vec<IpNet> = network.resolvers.iter().copied().map(IpNet::host).collect();
    for (family, hosts) in by_family(&hosts) {
        let from = format!("{family} saddr {}", set(&hosts));
        rules.push(format!("{from} tcp sport 53 {GOES_ON} accept"));
        rules.push(format!("{from} udp sport 53 ct state established accept"));
    }
    for entry in &network.allow {
        for (family, networks) in by_family(&entry.networks) {
            let from = format!("{family} saddr {}", set(&networks));
            rules.push(match &entry.what {
                What::Tcp(ports) => format!("{from} tcp sport {} {GOES_ON} accept", ranges(ports)),
                What::Udp(ports) => format!("{from} udp sport {} ct state established accept", ranges(ports)),
                What::Echo => format!("{from} {} echo-reply ct state established accept", icmp(family)),
            });
        }
    }
    rules.push(errors());
    rules
}

/// Errors about packets that passed, either way; the kernel knows which those are. `icmp` and `icmpv6` are words of nft's
/// own, as `tcp` and `udp` are: any other name of a protocol it looks up in `/etc/protocols`, which small systems lack.
fn errors() -> String {
    "meta l4proto { icmp, icmpv6 } ct state related limit rate 1000/second accept".into()
}

fn icmp(family: &str) -> &'static str {
    if family == "ip" { "icmp type" } else { "icmpv6 type" }
}

fn by_family(networks: &[IpNet]) -> Vec<(&'static str, Vec<IpNet>)> {
    let (v4, v6): (Vec<IpNet>, Vec<IpNet>) = networks.iter().partition(|network| network.address.is_ipv4());
    [("ip", v4), ("ip6", v6)].into_iter().filter(|(_, networks)| !networks.is_empty()).collect()
}

/// A set of networks without overlaps, which the kernel refuses.
fn set(networks: &[IpNet]) -> String {
    let mut wide = networks.to_vec();
    wide.sort_by_key(|network| network.prefix);
    let mut kept: Vec<IpNet> = Vec::new();
    for network in wide {
        if !kept.iter().any(|wider| wider.overlaps(&network)) {
            kept.push(network);
        }
    }
    braces(kept.iter().map(ToString::to_string))
}

/// A set of ports without overlaps.
fn ranges(ports: &[(u16, u16)]) -> String {
    let mut sorted = ports.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<(u16, u16)> = Vec::new();
    for (first, last) in sorted {
        match merged.last_mut() {
            Some(before) if u32::from(first) <= u32::from(before.1) + 1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    let text = |(first, last): &(u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    braces(merged.iter().map(text))
}

fn braces(items: impl Iterator<Item = String>) -> String {
    format!("{{ {} }}", items.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_protocol_is_named_as_only_etc_protocols_knows_it() {
        let rule = errors();
        let names = rule.split(['{', '}']).nth(1).expect("a set").split(',').map(str::trim);
        assert!(names.into_iter().all(|name| ["tcp", "udp", "icmp", "icmpv6"].contains(&name)), "{rule}");
    }

    #[test]
    fn sets_have_no_overlaps() {
        assert_eq!(ranges(&[(443, 443), (8000, 8100), (8050, 8200), (444, 444)]), "{ 443-444, 8000-8200 }");
        assert_eq!(ranges(&[(1, 65535), (65535, 65535)]), "{ 1-65535 }");
        let nets: Vec<IpNet> =
            ["10.9.1.0/24", "10.9.0.0/16", "10.9.1.7", "10.8.0.1"].iter().map(|n| n.parse().expect("net")).collect();
        assert_eq!(set(&nets), "{ 10.9.0.0/16, 10.8.0.1/32 }");
    }
}

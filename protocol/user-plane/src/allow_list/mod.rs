//! Where the phones of each data network may go. All else is refused.
//!
//! [`AllowLists`] can only be made from values that pass [`AllowLists::new`]: private networks, no phones among them. So
//! whatever else goes wrong, no rule exists that leads to a public network or from phone to phone.

pub mod file;
pub mod nftables;

use crate::UserPlaneError;
use crate::packet::protocol;
use crate::rules::{Allowed, IpNet, SHOWN_AT_ONCE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What one entry lets through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// TCP to these ports, first and last of each range.
    Tcp(Vec<(u16, u16)>),
    /// UDP to these ports, and answers.
    Udp(Vec<(u16, u16)>),
    /// ICMP echo and its answers.
    Echo,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allow {
    /// For people: which service it is.
    pub about: String,
    /// Where it is.
    pub networks: Vec<IpNet>,
    /// What of it.
    pub what: What,
}

impl Allow {
    /// How much there is to say of it.
    fn weight(&self) -> usize {
        let ports = match &self.what {
            What::Tcp(ports) | What::Udp(ports) => ports.len(),
            What::Echo => 0,
        };
        // Its sentence is as long as a few networks.
        6 + self.networks.len() + ports
    }
}

/// One data network (DNN).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataNetwork {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Where its phones' addresses are from; for IPv6 the networks that /64 prefixes are taken from.
    pub phones: Vec<IpNet>,
    /// Our name servers, reached on port 53 without an entry.
    pub resolvers: Vec<IpAddr>,
    /// Largest packet of a phone, 1280 to 1500.
    pub mtu: u16,
    /// Entries.
    pub allow: Vec<Allow>,
}

/// One network, one protocol, one range of ports.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    network: IpNet,
    protocol: u8,
    ports: (u16, u16),
}

/// All data networks, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowLists {
    serial: u64,
    networks: Vec<DataNetwork>,
    rules: Vec<Vec<Rule>>,
}

/// Most data networks.
pub const MAX_NETWORKS: usize = 64;
/// Most rules (network × range of ports) of one data network.
pub const MAX_RULES: usize = 1024;
/// Weight of entries in one part of [`AllowLists::told`]; one that weighs more is a part by itself. Its networks and ports,
/// 20 bytes each at the most, are a third of a frame.
const IN_ONE_PART: usize = 256;

impl AllowLists {
    /// Checks all of it. `serial` grows with every change.
    pub fn new(serial: u64, networks: Vec<DataNetwork>) -> Result<Self, UserPlaneError> {
        if networks.len() > MAX_NETWORKS {
            return Err(refused("more data networks than can be"));
        }
        let names: BTreeSet<_> = networks.iter().map(|one| one.name.to_ascii_lowercase()).collect();
        if names.len() != networks.len() {
            return Err(refused("two data networks have the same name"));
        }
        let phones: Vec<IpNet> = networks.iter().flat_map(|one| one.phones.iter().copied()).collect();
        for (i, pool) in phones.iter().enumerate() {
            if phones[..i].iter().any(|earlier| earlier.overlaps(pool)) {
                return Err(refused(&format!("the phones' network {pool} overlaps another one")));
            }
        }
        networks
            .iter()
            .try_for_each(|one| one.check(&phones).map_err(|why| refused(&format!("{}: {why}", one.name))))?;
        let rules: Vec<_> = networks.iter().map(DataNetwork::rules).collect();
        if let Some(at) = rules.iter().position(|rules| rules.len() > MAX_RULES) {
            return Err(refused(&format!("{}: more rules than can be", networks[at].name)));
        }
        Ok(Self { serial, networks, rules })
    }

    /// Number of the file that they are from.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// All of it as the control plane is told: in order, each part within a frame of the link.
    pub fn told(&self) -> Vec<Allowed> {
        let mut parts = Vec::new();
        for one in &self.networks {
            let begun = || Allowed {
                serial: self.serial,
                dnn: one.name.clone(),
                phones: one.phones.iter().take(SHOWN_AT_ONCE).copied().collect(),
                resolvers: one.resolvers.iter().take(SHOWN_AT_ONCE).copied().collect(),
                mtu: one.mtu,
                allow: Vec::new(),
            };
            let (mut part, mut weight) = (begun(), 0);
            for entry in &one.allow {
                let more = entry.weight();
                if weight > 0 && weight + more > IN_ONE_PART {
                    parts.push(std::mem::replace(&mut part, begun()));
                    weight = 0;
                }
                weight += more;
                part.allow.push(entry.clone());
            }
            parts.push(part);
        }
        parts
    }

    /// All of them.
    pub fn networks(&self) -> &[DataNetwork] {
        &self.networks
    }

    /// Place of a data network by its name. DNNs are compared like domain names (TS 23.003 §9.1).
    pub fn find(&self, name: &str) -> Option<usize> {
        self.networks.iter().position(|one| one.name.eq_ignore_ascii_case(name))
    }

    /// The data network at a place that [`AllowLists::find`] gave.
    pub(crate) fn network(&self, at: usize) -> &DataNetwork {
        &self.networks[at]
    }

    /// Whether phones of a data network may send to an address, and get answers from there.
    pub(crate) fn permits(&self, at: usize, remote: IpAddr, protocol: u8, port: u16) -> bool {
        self.rules[at].iter().any(|rule| {
            rule.protocol == protocol
                && (rule.ports.0..=rule.ports.1).contains(&port_of(protocol, port))
                && rule.network.contains(remote)
        })
    }

    /// Whether an address is one of our name servers for a data network.
    pub(crate) fn is_resolver(&self, at: usize, address: IpAddr) -> bool {
        self.networks[at].resolvers.contains(&address)
    }

    /// Whether an address can be a phone's in a data network.
    pub fn has_phone(&self, at: usize, address: IpAddr) -> bool {
        self.networks[at].phones.iter().any(|pool| pool.contains(address))
    }

    /// Whether an address can be any phone's.
    pub(crate) fn is_phone(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|one| one.phones.iter().any(|pool| pool.contains(address)))
    }

    /// Every network that some entry or resolver names, each once: where routes have to lead.
    pub fn destinations(&self) -> Vec<IpNet> {
        let mut all: Vec<IpNet> = Vec::new();
        for rule in self.rules.iter().flatten() {
            if !all.contains(&rule.network) {
                all.push(rule.network);
            }
        }
        all
    }

    /// Every network that phones' addresses are from.
    pub fn phones(&self) -> Vec<IpNet> {
        self.networks.iter().flat_map(|one| one.phones.iter().copied()).collect()
    }
}

/// ICMP has no ports: its rules have the range 0 to 0.
fn port_of(protocol: u8, port: u16) -> u16 {
    if matches!(protocol, protocol::ICMP | protocol::ICMPV6) { 0 } else { port }
}

impl DataNetwork {
    fn check(&self, phones: &[IpNet]) -> Result<(), String> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if self.name.is_empty() || self.name.len() > 100 || !self.name.chars().all(good) {
            return Err("the name may have letters, digits, - _ and . only".into());
        }
        if !(1280..=1500).contains(&self.mtu) {
            return Err("mtu must be 1280 to 1500".into());
        }
        if self.phones.is_empty() {
            return Err("phones names no network".into());
        }
        for pool in &self.phones {
            check_private(pool)?;
            if pool.address.is_ipv6() && pool.prefix > 64 {
                return Err(format!("{pool} has no room for a /64"));
            }
        }
        for resolver in &self.resolvers {
            check_destination(&IpNet::host(*resolver), phones)?;
        }
        for entry in &self.allow {
            self.check_entry(entry, phones).map_err(|why| format!("{}: {why}", entry.about))?;
        }
        Ok(())
    }

    fn check_entry(&self, entry: &Allow, phones: &[IpNet]) -> Result<(), String> {
        if entry.about.is_empty() || entry.about.len() > 100 || entry.about.chars().any(char::is_control) {
            return Err("about must say in one line what it is for".into());
        }
        if entry.networks.is_empty() {
            return Err("networks is empty".into());
        }
        entry.networks.iter().try_for_each(|network| check_destination(network, phones))?;
        let (What::Tcp(ports) | What::Udp(ports)) = &entry.what else { return Ok(()) };
        if ports.is_empty() {
            return Err("ports is empty".into());
        }
        if ports.iter().any(|(first, last)| *first == 0 || first > last) {
            return Err("ports are 1 to 65535, the lower one first".into());
        }
        Ok(())
    }

    fn rules(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for entry in &self.allow {
            for network in &entry.networks {
                let mut add = |protocol, ports| rules.push(Rule { network: *network, protocol, ports });
                match &entry.what {
                    What::Tcp(ports) => ports.iter().for_each(|range| add(protocol::TCP, *range)),
                    What::Udp(ports) => ports.iter().for_each(|range| add(protocol::UDP, *range)),
                    What::Echo if network.address.is_ipv4() => add(protocol::ICMP, (0, 0)),
                    What::Echo => add(protocol::ICMPV6, (0, 0)),
                }
            }
        }
        for resolver in &self.resolvers {
            for protocol in [protocol::UDP, protocol::TCP] {
                rules.push(Rule { network: IpNet::host(*resolver), protocol, ports: (53, 53) });
            }
        }
        rules
    }
}

fn check_private(network: &IpNet) -> Result<(), String> {
    if IpNet::new(network.address, network.prefix).is_none() {
        return Err(format!("{network} has bits beyond its prefix"));
    }
    if !network.is_private() {
        return Err(format!("{network} is not for private use: nothing here may lead to a public network"));
    }
    Ok(())
}

fn check_destination(network: &IpNet, phones: &[IpNet]) -> Result<(), String> {
    check_private(network)?;
    match phones.iter().find(|pool| pool.overlaps(network)) {
        Some(pool) => Err(format!("{network} has addresses of phones ({pool}): phones may not reach each other")),
        None => Ok(()),
    }
}

fn refused(why: &str) -> UserPlaneError {
    UserPlaneError::AllowList(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network() -> DataNetwork {
        DataNetwork {
            name: "gov".into(),
            phones: vec!["10.45.0.0/16".parse().expect("net"), "fd00:45::/48".parse().expect("net")],
            resolvers: vec!["10.99.0.53".parse().expect("address")],
            mtu: 1400,
            allow: vec![
                Allow {
                    about: "chat".into(),
                    networks: vec!["10.99.0.0/24".parse().expect("net"), "fd00:99::/64".parse().expect("net")],
                    what: What::Tcp(vec![(443, 443), (8443, 8444)]),
                },
                Allow { about: "ping".into(), networks: vec!["10.99.0.1".parse().expect("net")], what: What::Echo },
            ],
        }
    }

    fn lists(network: DataNetwork) -> Result<AllowLists, UserPlaneError> {
        AllowLists::new(1, vec![network])
    }

    #[test]
    fn exactly_what_is_named_is_permitted() {
        let lists = lists(network()).expect("lists");
        let may = |remote: &str, protocol, port| lists.permits(0, remote.parse().expect("address"), protocol, port);
        assert!(may("10.99.0.7", 6, 443) && may("10.99.0.7", 6, 8444) && may("fd00:99::1", 6, 8443));
        assert!(may("10.99.0.53", 17, 53) && may("10.99.0.53", 6, 53) && may("10.99.0.1", 1, 77));
        assert!(!may("10.99.0.7", 17, 443) && !may("10.99.0.7", 6, 444) && !may("10.99.1.7", 6, 443));
        assert!(!may("10.99.0.7", 17, 53) && !may("10.99.0.2", 1, 0) && !may("fd00:99::1", 58, 0));
        assert!(!may("8.8.8.8", 17, 53) && !may("10.99.0.1", 132, 443));
        assert_eq!((lists.find("GOV"), lists.find("internet")), (Some(0), None));
    }

    #[test]
    fn what_the_control_plane_is_told_fits_frames_however_much_it_is() {
        let entry = |networks: usize, ports: u16| Allow {
            about: "x".repeat(100),
            networks: (0..networks).map(|n| IpNet::host(format!("fd00:99::{n:x}").parse().expect("address"))).collect(),
            what: What::Tcp((1..=ports).map(|port| (port, 65535)).collect()),
        };
        let many: Vec<Allow> = (0..MAX_RULES).map(|_| entry(1, 1)).collect();
        for allow in [vec![], vec![entry(1, 1)], vec![entry(MAX_RULES, 1)], vec![entry(1, MAX_RULES as u16)], many] {
            let data_network = DataNetwork {
                phones: (0..300u32).map(|n| format!("10.{}.{}.0/24", n / 256, n % 256).parse().expect("net")).collect(),
                resolvers: Vec::new(),
                allow: allow.clone(),
                ..network()
            };
            let told = lists(data_network).expect("lists").told();
            for part in &told {
                let mut frame = Vec::new();
                crate::link::encode(&crate::rules::UserPlaneReply::Allowed(part.clone()), &mut frame).expect("fits");
                assert_eq!((part.dnn.as_str(), part.serial, part.phones.len()), ("gov", 1, SHOWN_AT_ONCE));
            }
            assert_eq!(told.into_iter().flat_map(|part| part.allow).collect::<Vec<_>>(), allow, "all of it, in order");
        }
    }

    #[test]
    fn what_may_not_be_said_is_refused() {
        let broken: Vec<(&str, fn(&mut DataNetwork))> = vec![
            ("everything", |n| n.allow[0].networks = vec!["0.0.0.0/0".parse().expect("net")]),
            ("a public network", |n| n.allow[0].networks = vec!["203.0.113.0/24".parse().expect("net")]),
            ("half of everything", |n| n.allow[0].networks = vec!["8000::/1".parse().expect("net")]),
            ("phones", |n| n.allow[0].networks = vec!["10.45.7.0/24".parse().expect("net")]),
            ("a network around the phones", |n| n.allow[0].networks = vec!["10.0.0.0/8".parse().expect("net")]),
            ("a public resolver", |n| n.resolvers = vec!["9.9.9.9".parse().expect("address")]),
            ("a phone as resolver", |n| n.resolvers = vec!["10.45.0.9".parse().expect("address")]),
            ("public phones", |n| n.phones = vec!["198.51.100.0/24".parse().expect("net")]),
            ("no phones", |n| n.phones.clear()),
            ("phones twice", |n| n.phones.push("10.45.3.0/24".parse().expect("net"))),
            ("no room for a /64", |n| n.phones = vec!["fd00::/65".parse().expect("net")]),
            ("port 0", |n| n.allow[0].what = What::Udp(vec![(0, 5)])),
            ("ports upside down", |n| n.allow[0].what = What::Udp(vec![(6, 5)])),
            ("no ports", |n| n.allow[0].what = What::Udp(vec![])),
            ("no networks", |n| n.allow[0].networks.clear()),
            ("a name with a brace", |n| n.name = "gov{".into()),
            ("a line break", |n| n.allow[0].about = "a\nb".into()),
            ("a tiny mtu", |n| n.mtu = 576),
            ("bits beyond the prefix", |n| {
                n.allow[0].networks = vec![IpNet { address: "10.99.0.1".parse().expect("address"), prefix: 24 }];
            }),
        ];
        assert!(lists(network()).is_ok());
        for (what, breaks) in broken {
            let mut one = network();
            breaks(&mut one);
            assert!(matches!(lists(one), Err(UserPlaneError::AllowList(_))), "{what}");
        }
        assert!(AllowLists::new(1, vec![network(), network()]).is_err());
    }
}

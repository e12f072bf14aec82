//! Configuration: defaults, then the TOML file, then the environment (`UPF_SECTION__KEY`).
//!
//! The prefix is not the server's: each of the two refuses keys that it does not know, and they may share an environment.

use crate::canary::Settings;
pub use pakawaaz_settings::{ConfigError, LogConfig, LogFormat};
use pakawaaz_user_plane::Limits;
use pakawaaz_user_plane::rules::IpNet;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that can be set. [`crate::config_text`] prints it with explanations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Towards gNBs.
    pub n3: N3Config,
    /// Towards our services.
    pub n6: N6Config,
    /// The phones' side.
    pub tun: TunConfig,
    /// Where phones may go.
    pub allow_list: AllowListConfig,
    /// The control plane.
    pub link: LinkConfig,
    /// Counters.
    pub metrics: MetricsConfig,
    /// The proof of isolation.
    pub canary: CanaryConfig,
    /// Bounds.
    pub limits: LimitsConfig,
    /// Logs.
    pub log: LogConfig,
}

/// Towards gNBs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct N3Config {
    /// Address of the GTP-U socket; gNBs are told this one, so it is no wildcard.
    pub address: String,
    /// Networks that gNBs send from; empty = any.
    pub gnbs: Vec<String>,
}

/// How our services are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum N6Kind {
    /// A pair of virtual interfaces to where the process was started.
    Veth,
    /// An interface that exists, which moves into the namespace.
    Device,
}

/// Towards our services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct N6Config {
    /// How.
    pub kind: N6Kind,
    /// Name of the interface; of a pair, the end that stays outside.
    pub device: String,
    /// Addresses with prefix of the inner end.
    pub addresses: Vec<String>,
    /// Addresses with prefix of the outer end of a pair.
    pub outer_addresses: Vec<String>,
    /// Next hop to what is not on the link, one for each family.
    pub gateways: Vec<IpAddr>,
}

/// The phones' side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunConfig {
    /// Name of the device.
    pub name: String,
}

/// Where phones may go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowListConfig {
    /// The signed file.
    pub file: PathBuf,
    /// Ed25519 key that signs it, hexadecimal.
    pub public_key: String,
    /// Lowest serial that is accepted.
    pub least_serial: u64,
}

/// The control plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkConfig {
    /// Unix socket.
    pub socket: PathBuf,
    /// Users that may connect, besides this process's own.
    pub uids: Vec<u32>,
    /// Seconds without a control plane after which all sessions end.
    pub grace_seconds: u64,
}

/// Counters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// File in Prometheus' text format, replaced every ten seconds; empty = none.
    pub file: PathBuf,
}

/// The canary, which tries again and again what no phone may. Without an address there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CanaryConfig {
    /// Seconds between two rounds.
    pub every_seconds: u64,
    /// Data network whose phone it is.
    pub dnn: String,
    /// Its address: in a network of phones of the allow-list, and not in a pool of the core; empty = no IPv4.
    pub ipv4: String,
    /// The first address of its /64; empty = no IPv6.
    pub ipv6: String,
    /// Address of its gNB, one of this machine's that nobody else uses.
    pub gnb: String,
    /// TCP services that it has to reach.
    pub services: Vec<String>,
    /// Ports that it must not reach on their hosts.
    pub closed_ports: Vec<u16>,
    /// Other addresses and ports that it must not reach.
    pub closed: Vec<String>,
}

/// Bounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// Sessions.
    pub sessions: usize,
    /// Packets kept for one idle phone.
    pub kept_packets: usize,
    /// KiB kept for one idle phone.
    pub kept_kib: usize,
    /// MiB kept for all idle phones.
    pub kept_mib_in_all: usize,
    /// Seconds that a packet is kept.
    pub kept_seconds: u64,
    /// Open UDP streams of one session.
    pub streams: usize,
    /// Open UDP streams of all sessions.
    pub streams_in_all: usize,
    /// ICMP messages of one session each second.
    pub icmp_per_second: u32,
    /// Socket buffers, KiB.
    pub socket_kib: usize,
}

impl Default for Config {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            n3: N3Config { address: "127.0.0.1:2152".into(), gnbs: Vec::new() },
            n6: N6Config {
                kind: N6Kind::Veth,
                device: "pakawaaz-n6".into(),
                addresses: vec!["10.99.255.2/30".into()],
                outer_addresses: vec!["10.99.255.1/30".into()],
                gateways: vec![IpAddr::from([10, 99, 255, 1])],
            },
            tun: TunConfig { name: "phones".into() },
            allow_list: AllowListConfig {
                file: "/etc/pakawaaz/allow-list.toml".into(),
                public_key: String::new(),
                least_serial: 0,
            },
            link: LinkConfig { socket: "/run/pakawaaz/upf.sock".into(), uids: Vec::new(), grace_seconds: 300 },
            metrics: MetricsConfig { file: PathBuf::new() },
            canary: CanaryConfig {
                every_seconds: 300,
                dnn: "gov".into(),
                ipv4: String::new(),
                ipv6: String::new(),
                gnb: "127.0.0.77".into(),
                services: Vec::new(),
                closed_ports: vec![22, 23, 445, 3389, 5900],
                closed: Vec::new(),
            },
            limits: LimitsConfig {
                sessions: limits.sessions,
                kept_packets: limits.kept_packets,
                kept_kib: limits.kept_bytes / 1024,
                kept_mib_in_all: limits.kept_bytes_in_all / (1024 * 1024),
                kept_seconds: limits.kept_for.as_secs(),
                streams: limits.streams,
                streams_in_all: limits.streams_in_all,
                icmp_per_second: limits.icmp_per_second,
                socket_kib: 4096,
            },
            log: LogConfig::default(),
        }
    }
}

/// A configuration whose values were read.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Of the GTP-U socket.
    pub n3: SocketAddr,
    /// Inner end of N6: address and length of its prefix.
    pub inner: Vec<(IpAddr, u8)>,
    /// Outer end of N6.
    pub outer: Vec<(IpAddr, u8)>,
    /// Signs the allow-list.
    pub public_key: [u8; 32],
    /// The canary, when there is one. Its networks of phones come with the allow-list.
    pub canary: Option<Settings>,
    /// Bounds.
    pub limits: Limits,
}

impl Config {
    /// Defaults, then `file`, then the environment. Does not [`Config::check`].
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        pakawaaz_settings::load(Self::default(), file, "UPF_", &[])
    }

    /// Reads every value, or says all that is wrong.
    pub fn check(&self) -> Result<Checked, ConfigError> {
        let mut problems = Vec::new();
        let n3 = self.n3.address.parse::<SocketAddr>().ok().filter(|address| !address.ip().is_unspecified());
        if n3.is_none() {
            problems.push("n3.address must be one of this machine's addresses, like \"192.0.2.1:2152\"".into());
        }
        let mut gnbs = Vec::new();
        for text in &self.n3.gnbs {
            match text.parse::<IpNet>() {
                Ok(network) => gnbs.push(network),
                Err(()) => problems.push(format!("n3.gnbs: {text:?} is no network")),
            }
        }
        let mut addresses = |key: &str, texts: &[String]| -> Vec<(IpAddr, u8)> {
            let read = texts.iter().map(|text| (text, interface_address(text)));
            read.filter_map(|(text, read)| {
                if read.is_none() {
                    problems.push(format!("n6.{key}: {text:?} is no address like \"10.99.255.2/30\""));
                }
                read
            })
            .collect()
        };
        let inner = addresses("addresses", &self.n6.addresses);
        let outer = addresses("outer_addresses", &self.n6.outer_addresses);
        if inner.is_empty() {
            problems.push("n6.addresses needs at least one".into());
        }
        if self.n6.kind == N6Kind::Device && !outer.is_empty() {
            problems.push("n6.outer_addresses belong to a pair (n6.kind = \"veth\")".into());
        }
        for (key, name) in [("n6.device", &self.n6.device), ("tun.name", &self.tun.name)] {
            let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
            if name.is_empty() || name.len() > 15 || !name.chars().all(good) || name.starts_with(['-', '.']) {
                problems.push(format!("{key} = {name:?} is no name of an interface (at most 15 letters and digits)"));
            }
        }
        if [crate::setup::N6_INSIDE, "lo"].contains(&self.tun.name.as_str()) {
            problems.push(format!("tun.name = {:?} is taken", self.tun.name));
        }
        let canary = self.canary.read(&mut problems);
        let public_key = hex::decode(&self.allow_list.public_key).ok().and_then(|key| key.try_into().ok());
        if public_key.is_none() {
            problems.push("allow_list.public_key must be 64 hexadecimal digits".into());
        }
        self.log.check(&mut problems);
        let l = &self.limits;
        if [l.sessions, l.kept_packets, l.streams, l.streams_in_all, l.socket_kib].contains(&0) {
            problems.push("limits must be at least 1".into());
        }
        match (n3, public_key) {
            (Some(n3), Some(public_key)) if problems.is_empty() => {
                if let Some(canary) = canary.as_ref().filter(|_| !gnbs.is_empty()) {
                    gnbs.push(IpNet::host(canary.gnb));
                }
                Ok(Checked { n3, inner, outer, public_key, canary, limits: self.limits(gnbs) })
            }
            _ => Err(ConfigError::Refused(problems)),
        }
    }

    fn limits(&self, gnbs: Vec<IpNet>) -> Limits {
        let l = &self.limits;
        Limits {
            sessions: l.sessions,
            gnbs,
            kept_packets: l.kept_packets,
            kept_bytes: l.kept_kib * 1024,
            kept_bytes_in_all: l.kept_mib_in_all * 1024 * 1024,
            kept_for: Duration::from_secs(l.kept_seconds),
            streams: l.streams,
            streams_in_all: l.streams_in_all,
            icmp_per_second: l.icmp_per_second,
            ..Limits::default()
        }
    }
}

impl CanaryConfig {
    /// None when it has no address, or when something is wrong, which is said.
    fn read(&self, problems: &mut Vec<String>) -> Option<Settings> {
        if self.ipv4.is_empty() && self.ipv6.is_empty() {
            return None;
        }
        let before = problems.len();
        let ipv4 = (!self.ipv4.is_empty()).then(|| self.ipv4.parse().ok());
        if ipv4 == Some(None) {
            problems.push(format!("canary.ipv4 = {:?} is no IPv4 address", self.ipv4));
        }
        let prefix = |text: &str| text.parse::<Ipv6Addr>().ok().filter(|prefix| prefix.to_bits() << 64 == 0);
        let ipv6 = (!self.ipv6.is_empty()).then(|| prefix(&self.ipv6));
        if ipv6 == Some(None) {
            problems.push(format!("canary.ipv6 = {:?} is no first address of a /64", self.ipv6));
        }
        let gnb = self.gnb.parse::<IpAddr>().ok().filter(|address| !address.is_unspecified());
        if gnb.is_none() {
            problems.push(format!("canary.gnb = {:?} is no address", self.gnb));
        }
        let mut ends = |key: &str, texts: &[String]| -> Vec<SocketAddr> {
            let read = texts.iter().filter_map(|text| match text.parse() {
                Ok(end) => Some(end),
                Err(_) => {
                    problems.push(format!("canary.{key}: {text:?} is no address with a port"));
                    None
                }
            });
            read.collect()
        };
        let (services, closed) = (ends("services", &self.services), ends("closed", &self.closed));
        // Without one in a family nobody knows whether silence there is isolation or a cut wire.
        for (has, v4, key) in [(ipv4.is_some(), true, "ipv4"), (ipv6.is_some(), false, "ipv6")] {
            if has && !services.iter().any(|service| service.is_ipv4() == v4) {
                problems.push(format!("canary.services needs one for canary.{key}"));
            }
        }
        if self.every_seconds == 0 {
            problems.push("canary.every_seconds must be at least 1".into());
        }
        let gnb = gnb.filter(|_| problems.len() == before)?;
        Some(Settings {
            every: Duration::from_secs(self.every_seconds),
            dnn: self.dnn.clone(),
            ipv4: ipv4.flatten(),
            ipv6: ipv6.flatten(),
            gnb,
            services,
            closed_ports: self.closed_ports.clone(),
            closed,
            phones: Vec::new(),
            own: Vec::new(),
        })
    }
}

/// `10.99.255.2/30`: an address in its network, unlike a network, which has no bits there.
fn interface_address(text: &str) -> Option<(IpAddr, u8)> {
    let (address, prefix) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let prefix: u8 = prefix.parse().ok()?;
    (prefix <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Config {
        let mut config = Config::default();
        config.allow_list.public_key = "07".repeat(32);
        config
    }

    #[test]
    fn the_defaults_need_only_a_key() {
        assert!(matches!(Config::default().check(), Err(ConfigError::Refused(problems)) if problems.len() == 1));
        assert_eq!(good().check().expect("checks").limits, Limits::default());
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let mut config = good();
        config.n3.address = "0.0.0.0:2152".into();
        config.n3.gnbs = vec!["10.0.0.1/8".into()];
        config.n6.addresses = vec!["10.99.255.2".into()];
        config.tun.name = "lo".into();
        config.n6.device = "a name".into();
        config.log.level = "loud".into();
        config.limits.streams = 0;
        let Err(ConfigError::Refused(problems)) = config.check() else { panic!("accepted") };
        assert_eq!(problems.len(), 8, "{problems:?}");
    }

    #[test]
    fn a_canary_needs_a_service_in_each_family_and_its_gnb_may_send() {
        let mut config = good();
        config.canary.ipv4 = "10.45.255.250".into();
        config.canary.ipv6 = "fd00:45:0:ff::".into();
        config.canary.services = vec!["10.99.255.1:8443".into()];
        let Err(ConfigError::Refused(problems)) = config.check() else { panic!("accepted") };
        assert_eq!(problems, ["canary.services needs one for canary.ipv6"]);
        config.canary.services.push("[fd00:99::1]:8443".into());
        config.n3.gnbs = vec!["10.3.0.0/24".into()];
        let checked = config.check().expect("checks");
        assert!(checked.canary.is_some());
        assert!(checked.limits.gnbs.contains(&IpNet::host([127, 0, 0, 77].into())));
        config.canary.ipv6 = "fd00:45:0:ff::1".into();
        config.canary.gnb = "0.0.0.0".into();
        config.canary.closed = vec!["10.98.0.1".into()];
        config.canary.every_seconds = 0;
        let Err(ConfigError::Refused(problems)) = config.check() else { panic!("accepted") };
        assert_eq!(problems.len(), 4, "{problems:?}");
    }

    #[test]
    fn unknown_keys_are_refused() {
        let file = tempfile::NamedTempFile::new().expect("file");
        std::fs::write(file.path(), "[n3]\nadress = \"10.0.0.1:2152\"\n").expect("writes");
        assert!(matches!(Config::load(Some(file.path())), Err(ConfigError::Unreadable(_))));
    }
}

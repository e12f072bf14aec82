//! `--print-config`: every value with its explanation, as TOML that can be fed back.

use crate::config::Config;
use pakawaaz_settings::Explained;

/// All that can be set.
const EXPLAINED: Explained = Explained {
    title: "Pakawaaz user plane. Each value can be set in the environment: UPF_N3__ADDRESS, …",
    keys: &[
        ("n3", "Towards gNBs"),
        ("n3.address", "address and port of the GTP-U socket; gNBs are told this address"),
        ("n3.gnbs", "networks that gNBs send from; [] = any"),
        ("n6", "Towards our services"),
        (
            "n6.kind",
            "\"veth\" = a pair of virtual interfaces to where this starts; \"device\" = an interface that moves inside",
        ),
        ("n6.device", "name of that interface; of a pair, its outer end"),
        ("n6.addresses", "addresses of the inner end, with the length of their prefix"),
        ("n6.outer_addresses", "addresses of the outer end of a pair"),
        (
            "n6.gateways",
            "next hops to destinations of the allow-list that are not on this link; there is no default route",
        ),
        ("tun", "The phones' side"),
        ("tun.name", "name of the TUN device"),
        ("allow_list", "Where phones may go"),
        ("allow_list.file", "signed file (`pakawaaz-upf allow-list` signs, checks and shows it)"),
        ("allow_list.public_key", "Ed25519 key that signs it, 64 hexadecimal digits"),
        ("allow_list.least_serial", "lowest serial that is accepted: raise it with every change that closes something"),
        ("link", "The control plane"),
        ("link.socket", "Unix socket where it connects"),
        ("link.uids", "users that may, besides this process's own"),
        ("link.grace_seconds", "seconds without a control plane after which all sessions end"),
        ("metrics", "Counters"),
        ("metrics.file", "file in Prometheus' text format, replaced every ten seconds; \"\" = none"),
        ("canary", "A phone of ours that tries again and again what no phone may; none without an address"),
        ("canary.every_seconds", "seconds between two rounds"),
        ("canary.dnn", "data network whose phone it is"),
        ("canary.ipv4", "its address, in phones of the allow-list and in no pool of the core; \"\" = no IPv4"),
        ("canary.ipv6", "first address of its /64, the same; \"\" = no IPv6"),
        ("canary.gnb", "address of its gNB, one of this machine's that nobody else uses"),
        ("canary.services", "TCP services that it must reach, such as \"10.99.0.10:443\"; one in each family"),
        ("canary.closed_ports", "ports that it must not reach on the hosts of those services"),
        ("canary.closed", "more that it must not reach, such as \"10.98.0.1:53\""),
        ("limits", "Bounds of memory and work"),
        ("limits.sessions", "sessions"),
        ("limits.kept_packets", "packets kept for one idle phone while it is paged"),
        ("limits.kept_kib", "and their KiB"),
        ("limits.kept_mib_in_all", "MiB kept for all idle phones together"),
        ("limits.kept_seconds", "seconds that a packet is kept"),
        ("limits.streams", "open UDP streams of one session"),
        ("limits.streams_in_all", "open UDP streams of all sessions together"),
        ("limits.icmp_per_second", "ICMP messages of one session each second and direction"),
        ("limits.socket_kib", "buffers of the GTP-U socket, KiB each way"),
        ("log", "Logs, without addresses of phones"),
        ("log.format", "\"text\" or \"json\""),
        ("log.level", "error, warn, info, debug or trace"),
    ],
};

/// The configuration as commented TOML.
pub fn print(config: &Config) -> Result<String, toml::ser::Error> {
    EXPLAINED.print(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_explained_and_every_explanation_has_a_key() {
        assert_eq!(EXPLAINED.is_complete(&Config::default()), Ok(()));
    }

    #[test]
    fn the_text_can_be_fed_back() {
        let text = print(&Config::default()).expect("text");
        assert_eq!(toml::from_str::<Config>(&text).expect("parses"), Config::default());
    }
}

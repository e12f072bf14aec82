//! The kernel's rules alone, as if the user plane let everything through and somebody had added a default route.

use crate::packets::*;
use crate::possible;
use pakawaaz_upf::lab::{ALLOW_LIST, Namespace, SERVICE, readable, tun};
use pakawaaz_upf::tools;
use pakawaaz_user_plane::allow_list::{file, nftables};
use std::time::Duration;

/// What came from the TUN device until it is silent, without what IPv6 says by itself.
fn received(device: &tun_rs::SyncDevice, patience: Duration) -> Vec<Vec<u8>> {
    let (mut all, mut bytes) = (Vec::new(), [0; 2048]);
    while readable(device, patience) {
        while let Ok(length) = device.recv(&mut bytes) {
            let multicast = bytes[0] >> 4 == 6 && bytes[24] == 0xff;
            if !multicast {
                all.push(bytes[..length].to_vec());
            }
        }
    }
    all
}

#[test]
fn the_kernels_rules_stop_the_same_packets_without_us() {
    if !possible() {
        return;
    }
    let (inside, outside) = (Namespace::new("rules").expect("namespace"), Namespace::new("out").expect("namespace"));
    let lists = file::parse(ALLOW_LIST).expect("allow-list");
    let rules = nftables::rule_set(&lists, nftables::Interfaces { tun: "phones", n6: "n6" });
    inside.inside(|| tools::load_rules(&rules)).expect("namespace").expect("rules");
    let device = tun(&inside, "phones", &[]).expect("TUN");
    let steps = [
        format!("link add n6 type veth peer name outer netns {}", outside.name()),
        "addr add 10.99.255.2/30 dev n6".into(),
        "addr add fd00:99::2/64 dev n6 nodad".into(),
        "link set n6 up".into(),
        "route add 10.45.0.0/16 dev phones".into(),
        "-6 route add fd00:45::/48 dev phones".into(),
    ];
    steps.iter().for_each(|step| drop(inside.ip(step).expect("ip")));
    let steps = [
        "addr add 10.99.255.1/30 dev outer",
        "addr add fd00:99::1/64 dev outer nodad",
        "link set outer up",
        "route add local 0.0.0.0/0 dev lo table main",
        "-6 route add local ::/0 dev lo table main",
        "route add 10.45.0.0/16 via 10.99.255.2",
        "-6 route add fd00:45::/48 via fd00:99::2",
    ];
    steps.iter().for_each(|step| drop(outside.ip(step).expect("ip")));
    inside.ip("route add default via 10.99.255.1").expect("ip");
    inside.ip("-6 route add default via fd00:99::1").expect("ip");
    for key in ["ipv4/conf/all/forwarding", "ipv6/conf/all/forwarding"] {
        inside.set(key, "1").expect("forwarding");
    }
    let counting = "table inet count {\n counter seen { }\n chain counting {\n\
        type filter hook prerouting priority raw; policy accept;\n iifname lo return\n ip6 saddr { ::, fe80::/10 } return\n\
        icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } return\n counter name seen\n }\n}\n";
    outside.inside(|| tools::load_rules(counting)).expect("namespace").expect("rules");
    let arrived = || {
        let text =
            outside.inside(|| tools::run("nft", "reset counter inet count seen")).expect("namespace").expect("nft");
        let count = text.split_whitespace().skip_while(|word| *word != "packets").nth(1);
        count.and_then(|count| count.parse::<u64>().ok()).expect("count")
    };
    // With this the way is open, and all that is missing is permission.
    let echo_is_answered = || {
        device.send(&echo(PHONE, SERVICE)).expect("sends");
        let answers = received(&device, Duration::from_millis(900));
        answers.iter().any(|packet| packet[0] == 0x45 && packet[9] == 1 && packet[20] == 0)
    };
    assert!(echo_is_answered());
    assert_eq!(arrived(), 1);
    let foreign_addresses = spoofed().into_iter().filter(|(what, _)| {
        // Which phone it was only the tunnel says: that is the user plane's alone.
        !what.contains("from 10.45.") && !what.contains("from fd00:45:")
    });
    let attempts: Vec<_> = hostile().into_iter().chain(foreign_addresses).collect();
    for some in attempts.chunks(50) {
        for (_, packet) in some {
            // What is no packet at all the kernel refuses to take.
            let _ = device.send(packet);
        }
        let names: Vec<_> = some.iter().map(|(what, _)| what).collect();
        assert_eq!(arrived(), 0, "one of {names:?}");
    }
    // Nobody speaks to a phone first.
    for port in [5000, 40_000] {
        let (done, _) = outside.run("ping", &format!("-n -W 1 -c 1 -I {SERVICE} {PHONE}")).expect("ping");
        assert!(!done, "{port}");
    }
    let before = received(&device, Duration::from_millis(100));
    let is_error = |packet: &Vec<u8>| match packet[0] >> 4 {
        4 => packet[9] == 1 && packet[20] == 3,
        _ => packet[6] == 58 && packet[40] == 1,
    };
    assert!(before.iter().all(is_error), "{before:02x?}");
    assert!(echo_is_answered());
}

//! Whatever comes, nothing panics and nothing leaves but what may.

use crate::packets::*;
use crate::world::*;
use pakawaaz_user_plane::rules::{SessionRef, SessionRules, Tunnel, UserPlaneReply, UserPlaneRequest};
use pakawaaz_user_plane::{Limits, Verdict, fuzz, packet};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

fn network_address() -> impl Strategy<Value = Ipv4Addr> {
    // Near what is allowed, so that it is met now and then.
    prop_oneof![
        (0u8..64).prop_map(|last| Ipv4Addr::new(10, 99, 0, last)),
        (0u8..8).prop_map(|last| Ipv4Addr::new(10, 45, 0, last)),
        any::<u32>().prop_map(Ipv4Addr::from),
    ]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![Just(53), Just(443), Just(2152), Just(5000), Just(8080), any::<u16>()]
}

fn upper() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..80);
    prop_oneof![
        (port(), port(), bytes.clone()).prop_map(|(from, to, bytes)| (17, udp_header(from, to, &bytes))),
        (port(), port(), any::<u8>())
            .prop_map(|(from, to, flags)| { (6, tcp(A, from, CHAT, to, flags)[20..].to_vec()) }),
        (any::<u8>(), bytes.clone()).prop_map(|(kind, mut bytes)| {
            bytes.insert(0, kind);
            (1, bytes)
        }),
        (any::<u8>(), bytes),
    ]
}

/// Says itself, in few lines, what may leave.
fn may_leave(bytes: &[u8]) -> bool {
    let Ok(packet) = packet::parse(bytes) else { return false };
    let (IpAddr::V4(source), IpAddr::V4(destination)) = (packet.source, packet.destination) else { return false };
    let [a, b, c, last] = destination.octets();
    let service = [a, b, c] == [10, 99, 0];
    let port = packet.upper.get(2..4).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
    let from = packet.upper.get(..2).map_or(0, |port| u16::from_be_bytes([port[0], port[1]]));
    let tunnels = [2152, 2123, 8805];
    let destination_allowed = match (packet.protocol, packet.fragment.map_or(0, |part| part.offset)) {
        (_, 1..) => true,
        (17, _) => {
            (last == 53 && port == 53)
                || ((20..24).contains(&last) && ![53, 853, 5353].contains(&port) && !tunnels.contains(&port))
        }
        (6, _) => (last == 53 && port == 53) || (last == 10 && (port == 443 || (8000..=8100).contains(&port))),
        (1, _) => true,
        _ => false,
    };
    source.to_string() == A && service && destination_allowed && !(packet.protocol == 17 && tunnels.contains(&from))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        fuzz::packets(&data);
        fuzz::allow_list(&data);
        fuzz::link(&data);
        let _ = packet::parse(&data);
    }

    #[test]
    fn only_what_may_leave_leaves(
        packets in proptest::collection::vec((network_address(), network_address(), any::<bool>(), upper(), 0u16..4, any::<bool>()), 1..40),
    ) {
        let (mut world, teid) = World::with_a();
        for (source, destination, own, (protocol, upper), part, more) in packets {
            let source = if own { A.parse().expect("v4") } else { source };
            let bytes = fragment_v4(source, destination, protocol, &upper, 7, part * 8, more);
            if world.up(teid, &bytes) == Verdict::Forwarded {
                prop_assert!(may_leave(&bytes), "{}", format!("{:?}", packet::parse(&bytes)));
            }
        }
    }

    #[test]
    fn any_requests_and_packets_keep_the_books(
        steps in proptest::collection::vec((0u8..9, 1u64..5, 1u32..4, 0i64..30_000), 1..120),
    ) {
        let mut world = World::with(Limits { sessions: 3, kept_packets: 4, ..Limits::default() });
        let mut teids = std::collections::BTreeMap::new();
        for (what, number, gnb, wait) in steps {
            world.pass_millis(wait);
            let session_ref = SessionRef(number);
            let phone = format!("10.45.0.{number}");
            match what {
                0 | 1 => {
                    let downlink = (gnb > 1).then(|| gnb_tunnel(gnb));
                    let rules = SessionRules { downlink, ..session(number, &phone) };
                    world.request(UserPlaneRequest::Establish(Box::new(rules)));
                    if let Some(UserPlaneReply::Established { uplink, .. }) = world.out.control.last() {
                        teids.insert(number, uplink.teid);
                    }
                }
                2 => {
                    let reach = UserPlaneRequest::Reach { session: session_ref, downlink: gnb_tunnel(gnb), end_marker: true };
                    world.request(reach);
                }
                3 => world.request(UserPlaneRequest::Idle { session: session_ref }),
                4 => world.request(UserPlaneRequest::Release { session: session_ref }),
                5 => world.tick(),
                6 | 7 => {
                    let _ = world.plane.from_network(&tcp(CHAT, 443, &phone, 1, ACK), world.now, &mut world.out);
                }
                _ => {
                    if let Some(teid) = teids.get(&number).copied() {
                        world.up(teid, &udp(&phone, gnb as u16, CALLS, 5000));
                    }
                }
            }
            let counters = world.plane.counters();
            prop_assert_eq!(counters.sessions as usize, world.plane.sessions());
            prop_assert!(counters.kept_bytes <= 3 * 4 * 40);
        }
        world.request(UserPlaneRequest::ReleaseAll);
        let counters = world.plane.counters();
        prop_assert_eq!((world.plane.sessions(), counters.kept_bytes, counters.held_bytes), (0, 0, 0));
    }

    /// Each packet says in its port which gNB sent it, and in its identification which it is.
    #[test]
    fn only_the_sessions_gnb_speaks_for_its_phone(
        steps in proptest::collection::vec((0u8..8, 1u64..3, 2u16..5, 0i64..800), 1..150),
    ) {
        let mut world = World::new();
        let mut teids = std::collections::BTreeMap::new();
        let mut gnbs = std::collections::BTreeMap::new();
        let (mut went_on, mut sent) = (std::collections::BTreeSet::new(), 0u16);
        for (what, number, gnb, wait) in steps {
            world.pass_millis(wait);
            world.out.network.clear();
            let session_ref = SessionRef(number);
            let (phone, address) = (format!("10.45.0.{number}"), format!("10.3.0.{gnb}"));
            let downlink = Tunnel { address: at(&address), teid: 100 * u32::from(gnb) + number as u32 };
            match what {
                0 => {
                    let rules = SessionRules { downlink: Some(downlink), ..session(number, &phone) };
                    world.request(UserPlaneRequest::Establish(Box::new(rules)));
                    if let Some(UserPlaneReply::Established { uplink, .. }) = world.out.control.last() {
                        teids.insert(number, uplink.teid);
                        gnbs.insert(number, gnb);
                    }
                    world.out.control.clear();
                }
                1 => {
                    world.request(UserPlaneRequest::Reach { session: session_ref, downlink, end_marker: true });
                    gnbs.insert(number, gnb);
                }
                2 => {
                    world.request(UserPlaneRequest::Idle { session: session_ref });
                    gnbs.remove(&number);
                }
                3 => {
                    world.request(UserPlaneRequest::Release { session: session_ref });
                    gnbs.remove(&number);
                }
                4 => world.tick(),
                _ => {
                    if let Some(teid) = teids.get(&number).copied() {
                        sent += 1;
                        let packet = ip(at(&phone), at(CALLS), 17, &udp_header(gnb, 5000, &sent.to_be_bytes()));
                        world.datagram_from(&address, &g_pdu(teid, 9, &packet));
                    }
                }
            }
            let mut last = 0;
            for bytes in &world.out.network {
                let packet = packet::parse(bytes).expect("well formed");
                let port = u16::from_be_bytes([packet.upper[0], packet.upper[1]]);
                let which = u16::from_be_bytes([packet.upper[8], packet.upper[9]]);
                prop_assert_eq!(packet.source, at(&phone));
                prop_assert_eq!(gnbs.get(&number), Some(&port), "of another gNB than the session's");
                prop_assert!(which > last && went_on.insert(which), "in order, and once");
                last = which;
            }
        }
    }
}

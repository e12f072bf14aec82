//! Uplink is tied to the session's gNB: what another one sends waits for the control plane's word, and not for long.

use crate::packets::*;
use crate::world::*;
use pakawaaz_user_plane::rules::{SessionRef, SessionRules, Tunnel, UserPlaneReply, UserPlaneRequest};
use pakawaaz_user_plane::{Limits, Reason, Verdict};

const S: SessionRef = SessionRef(1);

fn packet(n: u16) -> Vec<u8> {
    tcp(A, n, CHAT, 443, ACK)
}

fn reach(gnb: &str) -> UserPlaneRequest {
    reach_of(S, gnb)
}

fn reach_of(session: SessionRef, gnb: &str) -> UserPlaneRequest {
    UserPlaneRequest::Reach { session, downlink: Tunnel { address: at(gnb), teid: 50 }, end_marker: false }
}

/// With phone A whose tunnel is not told yet.
fn not_told(limits: Limits) -> (World, u32) {
    let mut world = World::with(limits);
    let teid = world.establish(SessionRules { downlink: None, ..session(1, A) });
    (world, teid)
}

impl World {
    fn up_from(&mut self, gnb: &str, teid: u32, packet: &[u8]) -> Verdict {
        self.datagram_from(gnb, &g_pdu(teid, 9, packet))
    }
}

#[test]
fn another_gnb_that_hit_the_teid_sends_nothing_as_that_phone() {
    let (mut world, teid) = World::with_a();
    for n in 0..30 {
        assert_ne!(world.up_from(OTHER_GNB, teid, &packet(n)), Verdict::Forwarded);
        // The phone's own traffic does not feel it.
        assert_eq!(world.up(teid, &packet(n)), Verdict::Forwarded);
    }
    assert_eq!((world.plane.counters().held, world.refused(Reason::OtherGnb)), (8, 22));
    world.out.network.clear();
    // Nor does it get through when the control plane says again where the phone is.
    world.request(reach(GNB));
    assert!(world.out.network.is_empty());
    assert_eq!((world.plane.counters().uplink_packets, world.refused(Reason::OtherGnb)), (30, 30));
    assert_eq!(world.plane.counters().held_bytes, 0);
    assert_eq!(world.plane.usage(S).map(|usage| (usage.uplink_packets, usage.refused_packets)), Some((30, 30)));
}

#[test]
fn the_gnbs_port_is_free() {
    let (mut world, teid) = World::with_a();
    let source = "10.3.0.2:49152".parse().expect("address");
    let datagram = g_pdu(teid, 9, &packet(1));
    let verdict = world.plane.from_gnb(source, &datagram, world.now, &mut world.out);
    assert_eq!(verdict, Verdict::Forwarded);
}

#[test]
fn what_overtakes_the_control_plane_goes_on_once_in_order_and_by_all_rules() {
    let (mut world, teid) = not_told(Limits::default());
    let foreign = udp(B, 1, CALLS, 5000);
    for n in 0..5 {
        assert_eq!(world.up_from(GNB, teid, &packet(n)), Verdict::Held);
    }
    for refused in [&foreign, &tcp(A, 1, CHAT, 444, SYN)] {
        assert_eq!(world.up_from(GNB, teid, refused), Verdict::Held);
    }
    assert_eq!(world.up_from(OTHER_GNB, teid, &packet(99)), Verdict::Held);
    assert!(world.out.network.is_empty());
    assert!(world.out.control.is_empty(), "nobody is paged for it");
    world.pass_millis(999);
    world.request(reach(GNB));
    assert_eq!(world.out.network, (0..5).map(packet).collect::<Vec<_>>());
    let refused = [Reason::Source, Reason::NotAllowed, Reason::OtherGnb].map(|reason| world.refused(reason));
    assert_eq!(refused, [1, 1, 1]);
    let usage = world.plane.usage(S).expect("session");
    assert_eq!((usage.uplink_packets, usage.uplink_bytes, usage.refused_packets), (5, 5 * 40, 3));
    assert_eq!((world.plane.counters().held, world.plane.counters().held_bytes), (8, 0));
    // Not a second time, and not by Reach again; what comes now goes on at once.
    world.out.network.clear();
    world.request(reach(GNB));
    world.pass_millis(5_000);
    world.tick();
    assert!(world.out.network.is_empty());
    assert_eq!(world.up(teid, &packet(7)), Verdict::Forwarded);
}

#[test]
fn held_packets_are_within_the_sessions_rate_like_all_others() {
    let mut world = World::new();
    let rules = SessionRules { downlink: None, ambr: rate(1_000), ..session(1, A) };
    let teid = world.establish(rules);
    let large = ip(at(A), at(CALLS), 17, &udp_header(40000, 5000, &[0; 1400]));
    for _ in 0..4 {
        assert_eq!(world.up_from(GNB, teid, &large), Verdict::Held);
    }
    world.request(reach(GNB));
    assert_eq!((world.out.network.len(), world.plane.counters().policed), (2, 2));
}

#[test]
fn after_a_path_switch_the_new_gnb_speaks_and_the_old_one_does_not() {
    let (mut world, teid) = World::with_a();
    assert_eq!(world.up_from(OTHER_GNB, teid, &packet(1)), Verdict::Held);
    assert_eq!(world.up_from(GNB, teid, &packet(2)), Verdict::Forwarded);
    world.out.network.clear();
    world.request(reach(OTHER_GNB));
    assert_eq!(world.out.network, [packet(1)]);
    assert_eq!(world.up_from(OTHER_GNB, teid, &packet(3)), Verdict::Forwarded);
    assert_eq!(world.up(teid, &packet(4)), Verdict::Held);
}

#[test]
fn after_idle_nothing_of_the_old_gnb_goes_on() {
    let (mut world, teid) = World::with_a();
    assert_eq!(world.up(teid, &packet(1)), Verdict::Forwarded);
    world.request(UserPlaneRequest::Idle { session: S });
    assert_eq!(world.up(teid, &packet(2)), Verdict::Held);
    world.request(reach(OTHER_GNB));
    assert!(world.out.network.is_empty());
    assert_eq!(world.refused(Reason::OtherGnb), 1);
    assert_eq!(world.up(teid, &packet(3)), Verdict::Held);
    assert_eq!(world.up_from(OTHER_GNB, teid, &packet(4)), Verdict::Forwarded);
}

#[test]
fn a_tunnel_that_leads_nowhere_lets_nothing_go() {
    let (mut world, teid) = not_told(Limits::default());
    assert_eq!(world.up_from(GNB, teid, &packet(1)), Verdict::Held);
    world.request(reach("224.0.0.1"));
    // TEID 0 is nobody's.
    world.request(UserPlaneRequest::Reach { session: S, downlink: gnb_tunnel(0), end_marker: false });
    assert!(world.out.network.is_empty());
    world.request(reach(GNB));
    assert_eq!(world.out.network, [packet(1)]);
}

#[test]
fn what_is_held_is_dropped_in_time_and_with_its_session() {
    let (mut world, teid) = not_told(Limits::default());
    assert_eq!(world.up_from(GNB, teid, &packet(1)), Verdict::Held);
    world.pass_millis(999);
    world.tick();
    assert_ne!(world.plane.counters().held_bytes, 0);
    assert_eq!(world.up_from(GNB, teid, &packet(2)), Verdict::Held);
    world.pass_millis(1);
    // Too old, even when no tick came between.
    world.request(reach(GNB));
    assert_eq!(world.out.network, [packet(2)]);
    assert_eq!(world.refused(Reason::OtherGnb), 1);
    world.request(UserPlaneRequest::Idle { session: S });
    world.out.network.clear();

    assert_eq!(world.up_from(GNB, teid, &packet(3)), Verdict::Held);
    world.pass_millis(1000);
    world.tick();
    assert_eq!((world.plane.counters().held_bytes, world.refused(Reason::OtherGnb)), (0, 2));
    assert_eq!(world.plane.usage(S).map(|usage| usage.refused_packets), Some(2));

    let dropping = [UserPlaneRequest::Release { session: S }, UserPlaneRequest::ReleaseAll];
    let mut teid = teid;
    for (request, refused) in dropping.into_iter().zip(3..) {
        assert_eq!(world.up_from(GNB, teid, &packet(4)), Verdict::Held);
        world.request(request);
        assert_eq!((world.plane.counters().held_bytes, world.refused(Reason::OtherGnb)), (0, refused));
        // Who comes next gets none of it.
        world.out.control.clear();
        teid = world.establish(SessionRules { downlink: None, ..session(1, A) });
        world.request(reach(GNB));
        assert!(world.out.network.is_empty());
        world.request(UserPlaneRequest::Idle { session: S });
    }
}

/// A hostile gNB that knows the TEIDs of its own phones and of another's.
#[test]
fn a_gnb_that_floods_takes_no_room_of_another() {
    let limits = Limits { held_bytes: 20_000, held_bytes_in_all: 60_000, ..Limits::default() };
    let mut world = World::with(limits);
    let teids: Vec<u32> = (1..=100)
        .map(|n| world.establish(SessionRules { downlink: None, ..session(n, &format!("10.45.1.{n}")) }))
        .collect();
    let large = vec![0x45; 1400];
    for n in 0..5000 {
        world.up_from(OTHER_GNB, teids[n % teids.len()], if n % 2 == 0 { &large } else { &[] });
        assert!(world.plane.counters().held_bytes <= 20_000);
    }
    assert!(world.plane.counters().held_bytes > 15_000);
    // Every session's own gNB has room as if nothing had been.
    let own = |n: u8| tcp(&format!("10.45.1.{}", n + 1), 1, CHAT, 443, SYN);
    for n in 0..8u8 {
        assert_eq!(world.up_from(GNB, teids[usize::from(n)], &own(n)), Verdict::Held);
        assert_eq!(world.up_from(GNB, teids[0], &own(0)), if n < 7 { Verdict::Held } else { no(Reason::OtherGnb) });
    }
    for n in 0..8 {
        world.out.network.clear();
        world.request(reach_of(SessionRef(n + 1), GNB));
        assert_eq!(world.out.network.len(), if n == 0 { 8 } else { 1 });
    }
    // Many addresses have a bound together.
    for n in 0..200u8 {
        for teid in &teids[50..] {
            world.up_from(&format!("10.3.1.{n}"), *teid, &large);
            assert!(world.plane.counters().held_bytes <= 60_000);
        }
    }
    assert!(world.plane.counters().held_bytes > 50_000);
    world.pass_millis(1000);
    world.tick();
    assert_eq!(world.plane.counters().held_bytes, 0);
    assert_eq!(world.up_from("10.3.1.199", teids[99], &large), Verdict::Held);
}

#[test]
fn unknown_tunnels_and_what_is_no_user_data_are_dealt_with_as_ever() {
    let (mut world, teid) = World::with_a();
    assert_eq!(world.up_from(OTHER_GNB, teid ^ 1, &packet(1)), no(Reason::UnknownTunnel));
    assert_eq!(world.out.gnb.pop().map(|(to, _, _)| to.ip()), Some(at(OTHER_GNB)));
    assert_eq!(world.datagram_from(OTHER_GNB, &[0x30]), no(Reason::Malformed));
    assert_eq!(world.plane.counters().held, 0);
    assert!(!world.out.control.iter().any(|reply| matches!(reply, UserPlaneReply::TunnelLost { .. })));
}

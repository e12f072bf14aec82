//! Packets for a phone that is idle.

use crate::packets::*;
use crate::world::*;
use pakawaaz_gtpu::{MessageType, Signal, decode};
use pakawaaz_user_plane::rules::{SessionRef, SessionRules, Tunnel, UserPlaneReply, UserPlaneRequest};
use pakawaaz_user_plane::{Limits, Reason, Verdict};

const S: SessionRef = SessionRef(1);

fn packet(n: u16) -> Vec<u8> {
    tcp(CHAT, 443, A, n, ACK)
}

fn reach(teid: u32, end_marker: bool) -> UserPlaneRequest {
    UserPlaneRequest::Reach { session: S, downlink: gnb_tunnel(teid), end_marker }
}

fn idle(limits: Limits) -> World {
    let mut world = World::with(limits);
    world.establish(session(1, A));
    world.request(UserPlaneRequest::Idle { session: S });
    world
}

#[test]
fn packets_wait_are_told_once_and_are_delivered_in_order() {
    let mut world = idle(Limits::default());
    for n in 0..5 {
        assert_eq!(world.down(&packet(n)), Verdict::Kept);
    }
    assert_eq!(world.out.control, [UserPlaneReply::Waiting { session: S, qfi: 9 }]);
    world.request(reach(77, true));
    let delivered: Vec<_> = world.out.gnb.iter().map(|(_, _, datagram)| datagram[16..].to_vec()).collect();
    assert_eq!(delivered, (0..5).map(packet).collect::<Vec<_>>());
    assert_eq!(world.to_phone().0, gnb_tunnel(77));
    assert_eq!(world.plane.counters().kept_bytes, 0);
    assert_eq!(world.down(&packet(9)), Verdict::Forwarded);
    // Idle again: told again.
    world.request(UserPlaneRequest::Idle { session: S });
    world.out.control.clear();
    assert_eq!(world.down(&packet(9)), Verdict::Kept);
    assert_eq!(world.out.control.len(), 1);
}

#[test]
fn a_control_plane_that_connects_anew_hears_who_is_waited_for() {
    let mut world = idle(Limits::default());
    world.plane.remind(&mut world.out);
    assert!(world.out.control.is_empty());
    assert_eq!(world.down(&packet(1)), Verdict::Kept);
    world.plane.remind(&mut world.out);
    assert_eq!(world.out.control, vec![UserPlaneReply::Waiting { session: S, qfi: 9 }; 2]);
}

#[test]
fn what_is_refused_wakes_nobody() {
    let mut world = idle(Limits::default());
    assert_eq!(world.down(&tcp("203.0.113.1", 443, A, 1, ACK)), no(Reason::NotAllowed));
    assert_eq!(world.down(&udp(CALLS, 5000, A, 1)), no(Reason::NotAsked));
    assert_eq!(world.down(&tcp(CHAT, 443, A, 1, SYN)), no(Reason::NotAsked));
    assert!(world.out.control.is_empty());
}

#[test]
fn what_is_kept_is_bounded_in_packets_bytes_and_all_together() {
    let mut world = idle(Limits { kept_packets: 3, ..Limits::default() });
    let verdicts: Vec<_> = (0..4).map(|n| world.down(&packet(n))).collect();
    assert_eq!(verdicts, [Verdict::Kept, Verdict::Kept, Verdict::Kept, no(Reason::KeptTooMany)]);

    let mut world = idle(Limits { kept_bytes: 100, ..Limits::default() });
    let verdicts: Vec<_> = (0..3).map(|n| world.down(&packet(n))).collect();
    assert_eq!(verdicts, [Verdict::Kept, Verdict::Kept, no(Reason::KeptTooMany)]);

    let mut world = idle(Limits { kept_bytes_in_all: 100, ..Limits::default() });
    world.establish(session(2, B));
    world.request(UserPlaneRequest::Idle { session: SessionRef(2) });
    assert_eq!([world.down(&packet(1)), world.down(&packet(2))], [Verdict::Kept; 2]);
    assert_eq!(world.down(&tcp(CHAT, 443, B, 1, ACK)), no(Reason::KeptTooMany));
    // What one gives back another may have.
    world.request(UserPlaneRequest::Release { session: S });
    assert_eq!(world.down(&tcp(CHAT, 443, B, 1, ACK)), Verdict::Kept);
}

#[test]
fn a_phone_that_is_not_found_is_looked_for_again_later() {
    let mut world = idle(Limits::default());
    assert_eq!(world.down(&packet(1)), Verdict::Kept);
    world.pass_millis(19_999);
    world.tick();
    assert_eq!(world.plane.counters().kept_bytes, 40);
    world.pass_millis(1);
    world.tick();
    assert_eq!(world.plane.counters().kept_bytes, 0);
    assert_eq!(world.refused(Reason::KeptTooLong), 1);
    world.out.control.clear();
    assert_eq!(world.down(&packet(2)), Verdict::Kept);
    assert_eq!(world.out.control, [UserPlaneReply::Waiting { session: S, qfi: 9 }]);
    // Old ones are not delivered, even when no tick came between.
    world.pass_millis(30_000);
    world.out.gnb.clear();
    world.request(reach(5, false));
    assert!(world.out.gnb.is_empty());
}

#[test]
fn the_old_gnb_hears_that_nothing_more_comes() {
    let mut world = World::new();
    world.establish(session(1, A));
    let other = Tunnel { address: OTHER_GNB.parse().expect("address"), teid: 50 };
    world.request(UserPlaneRequest::Reach { session: S, downlink: other, end_marker: true });
    let (to, _, datagram) = world.out.gnb.pop().expect("end marker");
    let message = decode(&datagram).expect("message");
    assert_eq!((to.ip(), message.kind, message.teid), (at(GNB), MessageType::EndMarker, 1));
    assert_eq!(world.down(&packet(1)), Verdict::Forwarded);
    assert_eq!(world.to_phone().0, other);
    // Not asked for, or to the same place: none.
    world.out.gnb.clear();
    world.request(UserPlaneRequest::Reach { session: S, downlink: other, end_marker: true });
    world.request(reach(3, false));
    assert!(world.out.gnb.is_empty());
}

#[test]
fn a_gnb_that_lost_the_tunnel_is_believed_and_nobody_else_is() {
    let mut world = World::new();
    world.establish(session(1, A));
    let mut lost = [0; 64];
    let length = Signal::ErrorIndication { teid: 1, peer: at(GNB) }.encode(&mut lost).expect("fits");
    let lost = &lost[..length];
    assert_eq!(world.datagram_from(OTHER_GNB, lost), no(Reason::UnknownTunnel));
    assert_eq!(world.down(&packet(1)), Verdict::Forwarded);
    let mut of_another = [0; 64];
    let length = Signal::ErrorIndication { teid: 2, peer: at(GNB) }.encode(&mut of_another).expect("fits");
    assert_eq!(world.datagram(&of_another[..length]), no(Reason::UnknownTunnel));
    let mut for_another = [0; 64];
    let length = Signal::ErrorIndication { teid: 1, peer: at(OTHER_GNB) }.encode(&mut for_another).expect("fits");
    assert_eq!(world.datagram(&for_another[..length]), no(Reason::UnknownTunnel), "it speaks for itself only");
    assert!(world.out.control.is_empty());

    assert_eq!(world.datagram(lost), Verdict::Heeded);
    assert_eq!(world.out.control, [UserPlaneReply::TunnelLost { session: S }]);
    assert_eq!(world.down(&packet(1)), Verdict::Kept);
    assert_eq!(world.out.control.last(), Some(&UserPlaneReply::Waiting { session: S, qfi: 9 }));
    // Said twice, it is no news.
    assert_eq!(world.datagram(lost), no(Reason::UnknownTunnel));
}

/// A gNB says itself where its end of a tunnel is, and need not say the truth: what we send must not reach others.
#[test]
fn a_tunnel_leads_to_gnbs_and_nowhere_else() {
    let everywhere = ["10.3.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "::", "ff02::1"];
    let gnbs = vec!["10.3.0.0/29".parse().expect("net")];
    let listed = Limits { gnbs, ..Limits::default() };
    let elsewhere = everywhere.iter().chain(["10.99.0.10", "10.3.0.9", "10.45.0.3", "fd00:99::10"].iter());
    let cases = everywhere.iter().map(|to| (Limits::default(), to)).chain(elsewhere.map(|to| (listed.clone(), to)));
    for (limits, to) in cases {
        let mut world = World::with(limits);
        world.establish(session(1, A));
        let away = Tunnel { address: at(to), teid: 9 };
        world.request(UserPlaneRequest::Reach { session: S, downlink: away, end_marker: true });
        assert_eq!(world.out.control.pop(), Some(UserPlaneReply::TunnelLost { session: S }), "{to}");
        assert_eq!(world.refused(Reason::Stranger), 1);
        assert_eq!(world.down(&packet(1)), Verdict::Kept, "it waits for a tunnel that can be");
        assert!(world.out.gnb.is_empty());
        world.request(reach(3, false));
        assert_eq!(world.to_phone().0, gnb_tunnel(3));
        // The same when the session is made anew.
        let rules = SessionRules { downlink: Some(away), ..session(2, B) };
        world.establish_lost(rules);
        assert_eq!(world.refused(Reason::Stranger), 2);
    }
}

#[test]
fn an_idle_phone_may_send_before_its_tunnel_is_told() {
    let mut world = World::new();
    let teid = world.establish(session(1, A));
    world.request(UserPlaneRequest::Idle { session: S });
    let packet = tcp(A, 1, CHAT, 443, SYN);
    assert_eq!(world.up(teid, &packet), Verdict::Held);
    world.request(reach(77, false));
    assert_eq!(world.out.network, [packet]);
}

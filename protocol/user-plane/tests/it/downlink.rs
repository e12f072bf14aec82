//! To the phone: answers only, from where the phone may go.

use crate::packets::*;
use crate::world::*;
use pakawaaz_user_plane::rules::{PacketFilter, QosFlow};
use pakawaaz_user_plane::{Limits, Reason, Verdict};

#[test]
fn answers_arrive_through_the_tunnel_of_the_gnb() {
    let (mut world, teid) = World::with_a();
    assert_eq!(world.up(teid, &udp(A, 40000, CALLS, 5000)), Verdict::Forwarded);
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40000)), Verdict::Forwarded);
    let (tunnel, qfi, _) = world.to_phone();
    assert_eq!((tunnel, qfi), (gnb_tunnel(1), 9));
    assert_eq!(world.up(teid, &echo(A, CHAT, true, 5)), Verdict::Forwarded);
    assert_eq!(world.down(&echo(CHAT, A, false, 5)), Verdict::Forwarded);
}

#[test]
fn nobody_speaks_to_a_phone_first() {
    let (mut world, teid) = World::with_a();
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40000)), no(Reason::NotAsked));
    assert_eq!(world.down(&echo(CHAT, A, true, 5)), no(Reason::NotAsked));
    assert_eq!(world.down(&echo(CHAT, A, false, 5)), no(Reason::NotAsked));
    // Another port, another host, another protocol than what was asked.
    assert_eq!(world.up(teid, &udp(A, 40000, CALLS, 5000)), Verdict::Forwarded);
    assert_eq!(world.down(&udp(CALLS, 5001, A, 40000)), no(Reason::NotAsked));
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40001)), no(Reason::NotAsked));
    assert_eq!(world.down(&udp("10.99.0.22", 5000, A, 40000)), no(Reason::NotAsked));
    // From where the phone may not go.
    assert_eq!(world.down(&udp("203.0.113.5", 5000, A, 40000)), no(Reason::NotAllowed));
    assert_eq!(world.down(&tcp("203.0.113.5", 443, A, 40000, ACK)), no(Reason::NotAllowed));
    assert_eq!(world.down(&tcp(CHAT, 444, A, 40000, ACK)), no(Reason::NotAllowed));
    // From other phones, by whatever way they got there.
    assert_eq!(world.down(&udp(B, 5000, A, 40000)), no(Reason::Phone));
    assert_eq!(world.down(&udp(CALLS, 5000, "10.45.9.9", 40000)), no(Reason::UnknownPhone));
}

#[test]
fn tcp_goes_on_but_is_opened_by_phones_only() {
    let (mut world, _) = World::with_a();
    // Also what was opened before the user plane started: there is no state to lose.
    for flags in [ACK, SYN | ACK, ACK | 8, ACK | 1, RST, RST | ACK] {
        assert_eq!(world.down(&tcp(CHAT, 443, A, 40000, flags)), Verdict::Forwarded, "{flags:#x}");
    }
    for flags in [SYN, SYN | 8, SYN | 1, SYN | RST, 0, 1, 8, 32] {
        assert_eq!(world.down(&tcp(CHAT, 443, A, 40000, flags)), no(Reason::NotAsked), "{flags:#x}");
    }
}

#[test]
fn streams_close_after_silence() {
    let (mut world, teid) = World::with_a();
    assert_eq!(world.up(teid, &udp(A, 40000, CALLS, 5000)), Verdict::Forwarded);
    world.pass_millis(170_000);
    // Either side keeps it open.
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40000)), Verdict::Forwarded);
    world.pass_millis(170_000);
    world.tick();
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40000)), Verdict::Forwarded);
    world.pass_millis(180_001);
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40000)), no(Reason::NotAsked));
    // A question is answered soon, or not at all.
    assert_eq!(world.up(teid, &udp(A, 40000, RESOLVER, 53)), Verdict::Forwarded);
    world.pass_millis(15_001);
    assert_eq!(world.down(&udp(RESOLVER, 53, A, 40000)), no(Reason::NotAsked));
}

#[test]
fn errors_arrive_when_they_are_about_the_phones_own_packets() {
    let (mut world, teid) = World::with_a();
    let sent = udp(A, 40000, CALLS, 5000);
    let router = "10.98.0.1";
    assert_eq!(world.down(&error(router, A, 3, &sent)), no(Reason::NotAsked));
    assert_eq!(world.up(teid, &sent), Verdict::Forwarded);
    assert_eq!(world.down(&error(router, A, 3, &sent)), Verdict::Forwarded);
    assert_eq!(world.down(&error(router, A, 11, &tcp(A, 40000, CHAT, 443, SYN))), Verdict::Forwarded);
    assert_eq!(world.down(&error(router, A, 3, &udp(B, 40000, CALLS, 5000))), no(Reason::Icmp));
    assert_eq!(world.down(&error(router, A, 3, &tcp(A, 1, "203.0.113.5", 443, SYN))), no(Reason::NotAllowed));
    assert_eq!(world.down(&error(router, A, 5, &sent)), no(Reason::Icmp));
    assert_eq!(world.down(&error(router, A, 3, &sent[..20])), no(Reason::Icmp));
}

#[test]
fn errors_are_few() {
    let mut world = World::with(Limits { icmp_per_second: 2, ..Limits::default() });
    let teid = world.establish(session(1, A));
    let sent = udp(A, 40000, CALLS, 5000);
    assert_eq!(world.up(teid, &sent), Verdict::Forwarded);
    let error = error(CALLS, A, 3, &sent);
    assert_eq!([world.down(&error), world.down(&error)], [Verdict::Forwarded; 2]);
    assert_eq!(world.down(&error), no(Reason::Icmp));
}

#[test]
fn later_fragments_follow_the_first_one_to_the_phone() {
    let (mut world, teid) = World::with_a();
    let (a, calls) = (A.parse().expect("v4"), CALLS.parse().expect("v4"));
    let datagram = udp_header(5000, 40000, &[7; 92]);
    let first = fragment_v4(calls, a, 17, &datagram[..48], 9, 0, true);
    let rest = fragment_v4(calls, a, 17, &datagram[48..], 9, 48, false);
    assert_eq!(world.down(&first), no(Reason::NotAsked));
    assert_eq!(world.down(&rest), no(Reason::Fragment));
    assert_eq!(world.up(teid, &udp(A, 40000, CALLS, 5000)), Verdict::Forwarded);
    assert_eq!(world.down(&first), Verdict::Forwarded);
    assert_eq!(world.down(&rest), Verdict::Forwarded);
    // What went down opens nothing on the way up.
    assert_eq!(world.up(teid, &fragment_v4(a, calls, 17, &[1; 8], 9, 48, false)), no(Reason::Fragment));
}

#[test]
fn packets_find_their_flow_and_its_mark() {
    let mut world = World::new();
    let media = PacketFilter {
        remote: "10.99.0.20/30".parse().ok(),
        protocol: Some(17),
        remote_ports: Some((5000, 5010)),
        local_ports: None,
    };
    let call = QosFlow { qfi: 1, five_qi: 1, precedence: 10, filters: vec![media], ..default_flow() };
    let mut rules = session(1, A);
    rules.flows.push(call);
    let teid = world.establish(rules);
    for (port, qfi, mark) in [(5000, 1, 46), (5011, 9, 0)] {
        assert_eq!(world.up_in_flow(teid, qfi, &udp(A, 40000, CALLS, port)), Verdict::Forwarded);
        assert_eq!(world.down(&udp(CALLS, port, A, 40000)), Verdict::Forwarded);
        assert_eq!((world.to_phone().1, world.out.gnb[0].1), (qfi, mark));
    }
    // What does not belong into the call's flow, or in none that there is, goes nowhere.
    assert_eq!(world.up_in_flow(teid, 1, &tcp(A, 40000, CHAT, 443, SYN)), no(Reason::UnknownFlow));
    assert_eq!(world.up_in_flow(teid, 5, &tcp(A, 40000, CHAT, 443, SYN)), no(Reason::UnknownFlow));
}

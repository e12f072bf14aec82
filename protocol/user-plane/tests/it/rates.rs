//! Rates: of the session, of a flow, and apart from each other.

use crate::packets::*;
use crate::world::*;
use pakawaaz_user_plane::Verdict;
use pakawaaz_user_plane::rules::{
    BitRate, BitRates, PacketFilter, QosFlow, SessionRef, SessionRules, UserPlaneReply, UserPlaneRequest,
};

/// Bits per second of what passes in one second when a packet is sent each millisecond.
fn measured(world: &mut World, teid: u32, qfi: u8, packet: &[u8]) -> u64 {
    let mut bits = 0;
    for _ in 0..1000 {
        if world.up_in_flow(teid, qfi, packet) == Verdict::Forwarded {
            bits += 8 * packet.len() as u64;
        }
        world.pass_millis(1);
    }
    bits
}

fn large(port: u16) -> Vec<u8> {
    ip(at(A), at(CALLS), 17, &udp_header(40000, port, &[0; 972]))
}

fn call(maximum: u64) -> QosFlow {
    let filter = PacketFilter { remote: None, protocol: Some(17), remote_ports: Some((6000, 6000)), local_ports: None };
    QosFlow {
        qfi: 1,
        five_qi: 1,
        guaranteed: Some(rate(maximum)),
        maximum: Some(rate(maximum)),
        precedence: 1,
        filters: vec![filter],
    }
}

#[test]
fn the_session_keeps_its_rate_after_a_burst() {
    let mut world = World::new();
    let teid = world.establish(SessionRules { ambr: rate(1_000_000), ..session(1, A) });
    measured(&mut world, teid, 9, &large(5000));
    let second = measured(&mut world, teid, 9, &large(5000));
    assert!((990_000..=1_010_000).contains(&second), "{second}");
    world.request(UserPlaneRequest::Release { session: SessionRef(1) });
    let Some(UserPlaneReply::Usage { usage, .. }) = world.out.control.pop() else { panic!("no usage") };
    assert_eq!(usage.uplink_packets + usage.policed_packets, 2000);
}

#[test]
fn a_guaranteed_flow_has_its_own_rate() {
    let mut world = World::new();
    let flows = vec![default_flow(), call(64_000)];
    let teid = world.establish(SessionRules { ambr: rate(500_000), flows, ..session(1, A) });
    // The bulk uses its rate up, and the call does not feel it; nor may it have more than its own.
    measured(&mut world, teid, 9, &large(5000));
    measured(&mut world, teid, 1, &large(6000));
    let of_the_call = measured(&mut world, teid, 1, &large(6000));
    assert!((56_000..=72_000).contains(&of_the_call), "{of_the_call}");
    let of_the_bulk = measured(&mut world, teid, 9, &large(5000));
    assert!(of_the_bulk >= 490_000, "{of_the_bulk}");
}

#[test]
fn directions_are_apart_and_zero_is_nothing() {
    let mut world = World::new();
    let ambr = BitRates { uplink: BitRate(1_000_000), downlink: BitRate(0) };
    let teid = world.establish(SessionRules { ambr, ..session(1, A) });
    assert_eq!(world.up(teid, &large(5000)), Verdict::Forwarded);
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40000)), Verdict::Policed);
}

#[test]
fn other_rates_take_hold_at_once_and_give_nothing_away() {
    let mut world = World::new();
    let teid = world.establish(SessionRules { ambr: rate(100_000), ..session(1, A) });
    while world.up(teid, &large(5000)) == Verdict::Forwarded {}
    for _ in 0..10 {
        let flows = vec![default_flow()];
        world.request(UserPlaneRequest::Flows { session: SessionRef(1), ambr: rate(100_000), flows });
        assert_eq!(world.up(teid, &large(5000)), Verdict::Policed);
    }
    let flows = vec![default_flow(), call(1_000_000)];
    world.request(UserPlaneRequest::Flows { session: SessionRef(1), ambr: rate(8_000_000), flows });
    assert_eq!(world.up_in_flow(teid, 1, &large(6000)), Verdict::Forwarded);
    world.pass_millis(10);
    assert_eq!(world.up(teid, &large(5000)), Verdict::Forwarded);
}

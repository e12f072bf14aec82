//! IPv6: the session's prefix, the router that the phone sees, and what is left of neighbour discovery.

use crate::packets::*;
use crate::world::*;
use pakawaaz_user_plane::packet::{Transport, parse};
use pakawaaz_user_plane::router::is_intact;
use pakawaaz_user_plane::rules::{SessionRules, UserPlaneRequest};
use pakawaaz_user_plane::{Reason, Verdict};
use std::net::Ipv6Addr;

const CHAT6: &str = "fd00:99::10";
const LINK_LOCAL: &str = "fe80::1";
const ROUTER: &str = "fe80::2";

fn six(text: &str) -> Ipv6Addr {
    text.parse().expect("address")
}

/// The router advertisement that was sent: destination, and the whole ICMPv6 message.
fn advertised(world: &World) -> (Ipv6Addr, Vec<u8>) {
    let (_, qfi, packet) = world.to_phone();
    assert_eq!(qfi, 9);
    let read = parse(&packet).expect("packet");
    let (source, destination) = (six(&read.source.to_string()), six(&read.destination.to_string()));
    // The phone's interface identifier is 1, so the router took the other address.
    assert_eq!((source, read.hop_limit), (six(ROUTER), 255));
    assert!(is_intact(source, destination, read.upper));
    (destination, read.upper.to_vec())
}

fn solicitation(source: &str) -> Vec<u8> {
    icmpv6(six(source), six("ff02::2"), 255, &[133, 0, 0, 0, 0, 0, 0, 0])
}

#[test]
fn any_address_of_the_prefix_is_the_phones_and_no_other() {
    let (mut world, teid) = World::with_a6();
    assert_eq!(world.up(teid, &tcp(A6, 1, CHAT6, 443, SYN)), Verdict::Forwarded);
    assert_eq!(world.up(teid, &tcp("fd00:45:0:1:ffff::", 1, CHAT6, 443, SYN)), Verdict::Forwarded);
    assert_eq!(world.up(teid, &tcp(A, 1, CHAT, 443, SYN)), Verdict::Forwarded);
    assert_eq!(world.up(teid, &tcp("fd00:45:0:2::1", 1, CHAT6, 443, SYN)), no(Reason::Source));
    assert_eq!(world.up(teid, &tcp(LINK_LOCAL, 1, CHAT6, 443, SYN)), no(Reason::Source));
    assert_eq!(world.up(teid, &tcp("::", 1, CHAT6, 443, SYN)), no(Reason::Source));
    assert_eq!(world.up(teid, &tcp(A6, 1, "fd00:45:0:2::1", 443, SYN)), no(Reason::Phone));
    assert_eq!(world.up(teid, &tcp(A6, 1, "2001:db8::1", 443, SYN)), no(Reason::NotAllowed));
    assert_eq!(world.down(&tcp(CHAT6, 443, "fd00:45:0:1::9999", 1, ACK)), Verdict::Forwarded);
    assert_eq!(world.down(&tcp(CHAT6, 443, "fd00:45:0:2::1", 1, ACK)), no(Reason::UnknownPhone));
    assert_eq!(world.up(teid, &echo(A6, CHAT6, true, 3)), Verdict::Forwarded);
    assert_eq!(world.down(&echo(CHAT6, A6, false, 3)), Verdict::Forwarded);
}

#[test]
fn the_prefix_is_advertised_when_the_phone_is_first_reachable() {
    let mut world = World::new();
    let rules = SessionRules { ipv6: "fd00:45:0:1::".parse().ok(), downlink: None, ..session(1, A) };
    let reference = rules.session;
    world.establish(rules);
    assert!(world.out.gnb.is_empty());
    let reach = UserPlaneRequest::Reach { session: reference, downlink: gnb_tunnel(4), end_marker: false };
    world.request(reach.clone());
    let (to, message) = advertised(&world);
    assert_eq!(to, six("ff02::1"));
    // RFC 4861 §4.2, §4.6.2: autonomous but not on-link, for ever.
    assert_eq!(message[..2], [134, 0]);
    assert_eq!(message[4..8], [64, 0, 0xff, 0xff]);
    let prefix = [[3, 4, 64, 0x40, 0xff, 0xff, 0xff, 0xff].as_slice(), &[0xff; 4], &[0; 4]].concat();
    assert_eq!(message[16..32], prefix);
    assert_eq!(message[32..48], six("fd00:45:0:1::").octets());
    assert_eq!(message[48..56], [5, 1, 0, 0, 0, 0, 5, 120]);
    assert_eq!(message[56..64], [25, 3, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(message[64..], six("fd00:99::53").octets());
    // Once is enough.
    world.out.gnb.clear();
    world.request(UserPlaneRequest::Idle { session: reference });
    world.request(reach);
    assert!(world.out.gnb.is_empty());
}

#[test]
fn a_router_solicitation_is_answered() {
    let (mut world, teid) = World::with_a6();
    assert_eq!(world.up(teid, &solicitation(LINK_LOCAL)), Verdict::Heeded);
    assert_eq!(advertised(&world).0, six(LINK_LOCAL));
    assert_eq!(world.up(teid, &solicitation("::")), Verdict::Heeded);
    assert_eq!(advertised(&world).0, six("ff02::1"));
    assert_eq!(world.plane.counters().uplink_packets, 0);
}

#[test]
fn a_false_router_solicitation_is_not() {
    let (mut world, teid) = World::with_a6();
    let mut broken = solicitation(LINK_LOCAL);
    broken[42] ^= 1;
    assert_eq!(world.up(teid, &broken), no(Reason::LinkLocal));
    let far = icmpv6(six(LINK_LOCAL), six("ff02::2"), 64, &[133, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(world.up(teid, &far), no(Reason::LinkLocal));
    assert_eq!(world.up(teid, &solicitation("fe80::77")), no(Reason::Source));
    assert!(world.out.gnb.is_empty());
    // A session without IPv6 has no router.
    let v4_only = world.establish(session(2, B));
    assert_eq!(world.up(v4_only, &solicitation("fe80::2")), no(Reason::Source));
}

#[test]
fn the_router_says_that_it_is_there_and_that_its_address_is_taken() {
    let (mut world, teid) = World::with_a6();
    for (source, answered) in [(LINK_LOCAL, LINK_LOCAL), ("::", "ff02::1")] {
        let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
        message.extend_from_slice(&six(ROUTER).octets());
        let ask = icmpv6(six(source), six("ff02::1:ff00:2"), 255, &message);
        assert_eq!(world.up(teid, &ask), Verdict::Heeded);
        let (to, answer) = advertised(&world);
        assert_eq!(to, six(answered));
        assert_eq!((answer[0], answer[4], &answer[8..]), (136, 0xe0, &six(ROUTER).octets()[..]));
    }
    // Nobody else is on this link: the address that the phone tries is free.
    let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
    message.extend_from_slice(&six(A6).octets());
    let ask = icmpv6(six("::"), six("ff02::1:ff00:77"), 255, &message);
    assert_eq!(world.up(teid, &ask), no(Reason::LinkLocal));
}

#[test]
fn extension_headers_are_refused_but_for_fragments() {
    let (mut world, teid) = World::with_a6();
    let tcp = &tcp(A6, 1, CHAT6, 443, SYN)[40..];
    for header in [0, 43, 50, 51, 60, 135, 139, 140] {
        let upper = [&[6, 0, 0, 0, 0, 0, 0, 0][..], tcp].concat();
        let packet = v6(six(A6), six(CHAT6), header, 64, &upper);
        assert_eq!(world.up(teid, &packet), no(Reason::Options), "{header}");
        // Also behind a fragment header.
        let hidden = [&[header, 0, 0, 1, 0, 0, 0, 9][..], &upper[..24]].concat();
        assert_eq!(world.up(teid, &v6(six(A6), six(CHAT6), 44, 64, &hidden)), no(Reason::Options), "{header}");
    }
    let whole = [&[6, 0, 0, 0, 0, 0, 0, 9][..], tcp].concat();
    assert_eq!(world.up(teid, &v6(six(A6), six(CHAT6), 44, 64, &whole)), no(Reason::Fragment));
    let first = [&[6, 0, 0, 1, 0, 0, 0, 9][..], tcp, &[0; 4]].concat();
    assert_eq!(world.up(teid, &v6(six(A6), six(CHAT6), 44, 64, &first)), Verdict::Forwarded);
    let rest = [&[6, 0, 0, 24, 0, 0, 0, 9][..], &[1; 5]].concat();
    let rest = v6(six(A6), six(CHAT6), 44, 64, &rest);
    assert_eq!(parse(&rest).map(|packet| packet.transport), Ok(Transport::Later));
    assert_eq!(world.up(teid, &rest), Verdict::Forwarded);
    let over = [&[6, 0, 0, 8, 0, 0, 0, 9][..], &[1; 16]].concat();
    assert_eq!(world.up(teid, &v6(six(A6), six(CHAT6), 44, 64, &over)), no(Reason::Fragment));
}

#[test]
fn multicast_and_redirects_stay_on_the_link() {
    let (mut world, teid) = World::with_a6();
    assert_eq!(world.up(teid, &udp(A6, 5353, "ff02::fb", 5353)), no(Reason::LinkLocal));
    assert_eq!(world.up(teid, &udp(A6, 1, "fe80::2", 5000)), no(Reason::LinkLocal));
    for kind in [134, 136, 137, 143, 160] {
        let packet = icmpv6(six(LINK_LOCAL), six("ff02::2"), 255, &[kind, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(world.up(teid, &packet), no(Reason::LinkLocal), "{kind}");
    }
    assert_eq!(world.down(&udp("fe80::5", 1, "ff02::1", 5000)), no(Reason::LinkLocal));
}

#[test]
fn too_big_arrives() {
    let (mut world, _) = World::with_a6();
    let big = tcp(A6, 1, CHAT6, 443, ACK);
    assert_eq!(world.down(&error("fd00:99::1", A6, 2, &big)), Verdict::Forwarded);
}

//! From the phone: only its own address, only where the allow-list leads.

use crate::packets::*;
use crate::world::*;
use pakawaaz_gtpu::{Elements, MessageType, Signal, decode};
use pakawaaz_user_plane::rules::{SessionRef, UserPlaneReply, UserPlaneRequest};
use pakawaaz_user_plane::{Limits, Reason, UserPlane, Verdict};

#[test]
fn what_the_allow_list_names_goes_on() {
    let (mut world, teid) = World::with_a();
    for packet in [
        tcp(A, 40000, CHAT, 443, SYN),
        tcp(A, 40000, CHAT, 8100, ACK),
        udp(A, 40000, CALLS, 5000),
        udp(A, 40000, RESOLVER, 53),
        tcp(A, 40000, RESOLVER, 53, SYN),
        echo(A, CHAT, true, 1),
    ] {
        assert_eq!(world.up(teid, &packet), Verdict::Forwarded);
    }
    assert_eq!(world.plane.counters().uplink_packets, 6);
}

#[test]
fn nothing_else_does() {
    let (mut world, teid) = World::with_a();
    for packet in [
        tcp(A, 40000, CHAT, 444, SYN),
        tcp(A, 40000, CALLS, 443, SYN),
        udp(A, 40000, CHAT, 443),
        tcp(A, 40000, "203.0.113.5", 443, SYN),
        udp(A, 40000, "10.99.0.24", 5000),
        echo(A, "203.0.113.5", true, 1),
        tcp(A, 40000, OURS, 443, SYN),
        udp(A, 40000, "127.0.0.1", 5000),
    ] {
        assert_eq!(world.up(teid, &packet), no(Reason::NotAllowed));
    }
    let upper = [0; 40];
    for protocol in (0..=255u8).filter(|protocol| ![1, 6, 17].contains(protocol)) {
        let packet = v4(A.parse().expect("v4"), CHAT.parse().expect("v4"), protocol, &upper);
        assert_eq!(world.up(teid, &packet), no(Reason::NotAllowed), "{protocol}");
    }
    assert_eq!(world.plane.counters().uplink_packets, 0);
}

#[test]
fn a_phone_speaks_for_itself_only() {
    let (mut world, teid) = World::with_a();
    let b = world.establish(session(2, B));
    assert_eq!(world.up(teid, &udp(B, 40000, CALLS, 5000)), no(Reason::Source));
    assert_eq!(world.up(teid, &udp(CALLS, 40000, CALLS, 5000)), no(Reason::Source));
    assert_eq!(world.up(teid, &udp("0.0.0.0", 68, "255.255.255.255", 67)), no(Reason::Source));
    assert_eq!(world.up(teid, &udp("fd00:45:0:1::1", 40000, "fd00:99::21", 5000)), no(Reason::Source));
    assert_eq!(world.up(b, &udp(B, 40000, CALLS, 5000)), Verdict::Forwarded);
}

#[test]
fn phones_do_not_reach_each_other() {
    let (mut world, teid) = World::with_a();
    world.establish(session(2, B));
    // Also phones that are not there, and those of another data network.
    for phone in [B, "10.45.200.200", "10.46.0.1", A] {
        assert_eq!(world.up(teid, &udp(A, 40000, phone, 5000)), no(Reason::Phone));
        assert_eq!(world.up(teid, &echo(A, phone, true, 1)), no(Reason::Phone));
    }
}

#[test]
fn tunnels_in_the_tunnel_are_cut() {
    let (mut world, teid) = World::with_a();
    for port in [2152, 2123, 8805] {
        assert_eq!(world.up(teid, &udp(A, 40000, CALLS, port)), no(Reason::Nested));
        assert_eq!(world.up(teid, &udp(A, port, CALLS, 5000)), no(Reason::Nested));
    }
    let inner = g_pdu(teid, 9, &udp(A, 1, CALLS, 5000));
    let nested = v4(A.parse().expect("v4"), OURS.parse().expect("v4"), 17, &udp_header(2152, 2152, &inner));
    assert_ne!(world.up(teid, &nested), Verdict::Forwarded);
    for protocol in [4, 41, 47, 50, 51, 132] {
        let packet = v4(A.parse().expect("v4"), CALLS.parse().expect("v4"), protocol, &udp(A, 1, CALLS, 5000));
        assert_eq!(world.up(teid, &packet), no(Reason::NotAllowed));
    }
}

#[test]
fn tunnels_from_a_service_are_cut_too() {
    let (mut world, _) = World::with_a();
    for port in [2152, 2123, 8805] {
        assert_eq!(world.down(&udp(CALLS, port, A, 4000)), no(Reason::Nested));
        assert_eq!(world.down(&udp(CALLS, 5000, A, port)), no(Reason::Nested));
    }
}

#[test]
fn we_are_no_service_even_when_the_list_names_our_address() {
    let mut world = World::new();
    world.plane = UserPlane::new(at(CALLS), Limits::default(), lists(), world.now);
    world.request(UserPlaneRequest::Establish(Box::new(session(1, A))));
    let Some(UserPlaneReply::Established { uplink, .. }) = world.out.control.pop() else { panic!("established") };
    assert_eq!(world.up(uplink.teid, &udp(A, 4000, CALLS, 5000)), no(Reason::NotAllowed));
    assert_eq!(world.up(uplink.teid, &udp(A, 4000, "10.99.0.20", 5000)), Verdict::Forwarded);
}

#[test]
fn names_are_asked_of_our_resolvers_only() {
    let (mut world, teid) = World::with_a();
    // An entry that allows all ports there does not make it a resolver.
    for port in [53, 853, 5353] {
        assert_eq!(world.up(teid, &udp(A, 40000, CALLS, port)), no(Reason::Resolver));
    }
    assert_eq!(world.up(teid, &udp(A, 40000, "8.8.8.8", 53)), no(Reason::Resolver));
    assert_eq!(world.up(teid, &tcp(A, 40000, "8.8.8.8", 853, SYN)), no(Reason::Resolver));
    assert_eq!(world.up(teid, &udp(A, 40000, RESOLVER, 53)), Verdict::Forwarded);
    assert_eq!(world.up(teid, &udp(A, 40000, RESOLVER, 853)), no(Reason::NotAllowed));
}

#[test]
fn source_routes_and_other_options_are_refused() {
    let (mut world, teid) = World::with_a();
    for option in [131, 137, 7, 68, 148, 1] {
        let mut packet = udp(A, 40000, CALLS, 5000);
        packet.splice(20..20, [option, 4, 4, 0]);
        packet[0] = 0x46;
        let length = packet.len() as u16;
        packet[2..4].copy_from_slice(&length.to_be_bytes());
        fix_v4(&mut packet);
        assert_eq!(world.up(teid, &packet), no(Reason::Options), "option {option}");
    }
}

#[test]
fn lengths_and_checksums_have_to_agree() {
    let (mut world, teid) = World::with_a();
    let good = udp(A, 40000, CALLS, 5000);
    let mut padded = good.clone();
    padded.push(0);
    let mut checksum = good.clone();
    checksum[10] ^= 1;
    let mut short = good.clone();
    short[24] ^= 1;
    let mut version = good.clone();
    version[0] = 0x55;
    let mut reserved = good.clone();
    reserved[6] |= 0x80;
    fix_v4(&mut reserved);
    for packet in [&padded[..], &checksum, &short, &version, &reserved, &good[..19], &[]] {
        assert_eq!(world.up(teid, packet), no(Reason::Malformed));
    }
    assert_eq!(world.up(teid, &good), Verdict::Forwarded);
}

#[test]
fn later_fragments_follow_a_first_one_and_leave_its_header_alone() {
    let (mut world, teid) = World::with_a();
    let (a, calls) = (A.parse().expect("v4"), CALLS.parse().expect("v4"));
    let datagram = udp_header(40000, 5000, &[7; 100]);
    let part = |id, offset: usize, end: usize| {
        fragment_v4(a, calls, 17, &datagram[offset..end], id, offset as u16, end < datagram.len())
    };
    // No first one yet.
    assert_eq!(world.up(teid, &part(1, 48, 108)), no(Reason::Fragment));
    assert_eq!(world.up(teid, &part(1, 0, 48)), Verdict::Forwarded);
    // Over the header, over the rest of the first part, of another packet.
    assert_eq!(world.up(teid, &part(1, 8, 48)), no(Reason::Fragment));
    assert_eq!(world.up(teid, &part(1, 40, 108)), no(Reason::Fragment));
    assert_eq!(world.up(teid, &part(2, 48, 108)), no(Reason::Fragment));
    assert_eq!(world.up(teid, &part(1, 48, 96)), Verdict::Forwarded);
    assert_eq!(world.up(teid, &part(1, 96, 108)), Verdict::Forwarded);
    // Too late.
    world.pass_millis(5_001);
    assert_eq!(world.up(teid, &part(1, 96, 108)), no(Reason::Fragment));
    // A first one without the whole header, of a length that no fragment has, and one that ends beyond all packets.
    let tiny = fragment_v4(a, CHAT.parse().expect("v4"), 6, &[0; 16], 3, 0, true);
    assert_eq!(world.up(teid, &tiny), no(Reason::Fragment));
    assert_eq!(world.up(teid, &fragment_v4(a, calls, 17, &datagram[..50], 4, 0, true)), no(Reason::Fragment));
    assert_eq!(world.up(teid, &fragment_v4(a, calls, 17, &[0; 40], 4, 65_512, false)), no(Reason::Fragment));
    // A refused first one brings nothing after it.
    let refused = fragment_v4(a, calls, 17, &udp_header(40000, 53, &[0; 40])[..48], 5, 0, true);
    assert_eq!(world.up(teid, &refused), no(Reason::Resolver));
    assert_eq!(world.up(teid, &part(5, 48, 108)), no(Reason::Fragment));
}

#[test]
fn fragmented_packets_on_their_way_are_bounded() {
    let mut world = World::with(Limits { fragmented: 2, ..Limits::default() });
    let teid = world.establish(session(1, A));
    let (a, calls) = (A.parse().expect("v4"), CALLS.parse().expect("v4"));
    let datagram = udp_header(40000, 5000, &[7; 40]);
    for id in 0..3 {
        let first = fragment_v4(a, calls, 17, &datagram[..24], id, 0, true);
        assert_eq!(world.up(teid, &first), Verdict::Forwarded);
    }
    let mut rest = |id| world.up(teid, &fragment_v4(a, calls, 17, &datagram[24..], id, 24, false));
    assert_eq!([rest(0), rest(1), rest(2)], [no(Reason::Fragment), Verdict::Forwarded, Verdict::Forwarded]);
}

#[test]
fn errors_are_about_packets_of_the_service_to_the_phone() {
    let (mut world, teid) = World::with_a();
    let answer = udp(CALLS, 5000, A, 40000);
    assert_eq!(world.up(teid, &error(A, CALLS, 3, &answer)), Verdict::Forwarded);
    // About another phone's packet, another service's, something that no service sends, something unreadable.
    assert_eq!(world.up(teid, &error(A, CALLS, 3, &udp(CALLS, 5000, B, 40000))), no(Reason::Icmp));
    assert_eq!(world.up(teid, &error(A, "10.99.0.22", 3, &answer)), no(Reason::Icmp));
    assert_eq!(world.up(teid, &error(A, CHAT, 3, &udp(CHAT, 5000, A, 40000))), no(Reason::NotAllowed));
    assert_eq!(world.up(teid, &error(A, CALLS, 3, &[0x45; 20])), no(Reason::Icmp));
    // Redirects, router advertisements, time stamps, answers to echoes that nobody may send.
    for kind in [0, 4, 5, 9, 10, 13, 17] {
        let packet = v4(A.parse().expect("v4"), CHAT.parse().expect("v4"), 1, &[kind, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(world.up(teid, &packet), no(Reason::Icmp), "{kind}");
    }
}

#[test]
fn echoes_are_few() {
    let mut world = World::with(Limits { icmp_per_second: 3, ..Limits::default() });
    let teid = world.establish(session(1, A));
    for n in 0..3 {
        assert_eq!(world.up(teid, &echo(A, CHAT, true, n)), Verdict::Forwarded);
    }
    assert_eq!(world.up(teid, &echo(A, CHAT, true, 9)), no(Reason::Icmp));
    world.pass_millis(1000);
    assert_eq!(world.up(teid, &echo(A, CHAT, true, 9)), Verdict::Forwarded);
}

#[test]
fn streams_are_bounded_and_close() {
    let mut world = World::with(Limits { streams: 4, ..Limits::default() });
    let teid = world.establish(session(1, A));
    for port in 0..4 {
        assert_eq!(world.up(teid, &udp(A, 40000 + port, CALLS, 5000)), Verdict::Forwarded);
    }
    assert_eq!(world.up(teid, &udp(A, 50000, CALLS, 5000)), no(Reason::TooManyFlows));
    // TCP needs no place.
    assert_eq!(world.up(teid, &tcp(A, 50000, CHAT, 443, SYN)), Verdict::Forwarded);
    world.pass_millis(180_001);
    assert_eq!(world.up(teid, &udp(A, 50000, CALLS, 5000)), Verdict::Forwarded);
}

#[test]
fn streams_of_all_phones_together_are_bounded() {
    let mut world = World::with(Limits { streams_in_all: 3, ..Limits::default() });
    let (a, b) = (world.establish(session(1, A)), world.establish(session(2, B)));
    for port in [1000, 1001] {
        assert_eq!(world.up(a, &udp(A, port, CALLS, 5000)), Verdict::Forwarded);
    }
    assert_eq!(world.up(b, &udp(B, 1000, CALLS, 5000)), Verdict::Forwarded);
    assert_eq!(world.up(b, &udp(B, 1001, CALLS, 5000)), no(Reason::TooManyFlows));
    world.request(UserPlaneRequest::Release { session: SessionRef(1) });
    assert_eq!(world.up(b, &udp(B, 1001, CALLS, 5000)), Verdict::Forwarded, "and given back");
}

#[test]
fn unknown_tunnels_are_told_and_not_too_often() {
    let mut world = World::with(Limits { signals_per_second: 2, ..Limits::default() });
    let packet = udp(A, 1, CALLS, 5000);
    for _ in 0..5 {
        assert_eq!(world.up(0xdead_beef, &packet), no(Reason::UnknownTunnel));
    }
    assert_eq!(world.out.gnb.len(), 2);
    let (to, _, datagram) = &world.out.gnb[0];
    assert_eq!(to.to_string(), "10.3.0.2:2152");
    let message = decode(datagram).expect("message");
    assert_eq!((message.kind, message.teid), (MessageType::ErrorIndication, 0));
    let elements = Elements::decode(message.payload).expect("elements");
    assert_eq!((elements.teid_data, elements.peer_address), (Some(0xdead_beef), Some(at(OURS))));
}

#[test]
fn echo_requests_of_gnbs_are_answered_where_they_came_from() {
    let mut world = World::new();
    let mut request = [0; 16];
    let length = Signal::EchoRequest { sequence: 77 }.encode(&mut request).expect("fits");
    let source = "10.3.0.2:50000".parse().expect("address");
    let verdict = world.plane.from_gnb(source, &request[..length], world.now, &mut world.out);
    assert_eq!(verdict, Verdict::Heeded);
    let (to, _, answer) = &world.out.gnb[0];
    let message = decode(answer).expect("message");
    assert_eq!((*to, message.kind, message.sequence), (source, MessageType::EchoResponse, Some(77)));
}

#[test]
fn an_extension_that_has_to_be_understood_is_named() {
    let (mut world, teid) = World::with_a();
    let mut datagram = g_pdu(teid, 9, &udp(A, 1, CALLS, 5000));
    datagram[11] = 0x81;
    assert_eq!(world.datagram(&datagram), no(Reason::UnknownExtension));
    let answer = decode(&world.out.gnb[0].2).expect("message");
    assert_eq!(answer.kind, MessageType::SupportedExtensionHeadersNotification);
    assert_eq!(Elements::decode(answer.payload).expect("elements").extension_types, Some(&[0x85][..]));
    // One that may be skipped leaves the packet without a flow.
    datagram[11] = 0x20;
    assert_eq!(world.datagram(&datagram), no(Reason::UnknownFlow));
    assert!(world.out.network.is_empty());
}

#[test]
fn only_gnbs_are_heard() {
    let mut world = World::with(Limits { gnbs: vec!["10.3.0.0/29".parse().expect("net")], ..Limits::default() });
    let teid = world.establish(session(1, A));
    let packet = udp(A, 1, CALLS, 5000);
    assert_eq!(world.datagram_from("10.3.0.9", &g_pdu(teid, 9, &packet)), no(Reason::Stranger));
    assert_eq!(world.datagram_from(GNB, &g_pdu(teid, 9, &packet)), Verdict::Forwarded);
    assert_eq!(world.plane.counters().held, 0, "a stranger has to wait for nothing");
}

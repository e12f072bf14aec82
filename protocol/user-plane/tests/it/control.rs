//! What the control plane asks for, and hears.

use crate::packets::*;
use crate::world::*;
use pakawaaz_user_plane::link::{Decoder, encode};
use pakawaaz_user_plane::rules::{RefusedBecause, SessionRef, SessionRules, Usage, UserPlaneReply, UserPlaneRequest};
use pakawaaz_user_plane::{Limits, Reason, UserPlaneError, Verdict};
use std::collections::BTreeSet;

fn refusal(world: &mut World, rules: SessionRules) -> RefusedBecause {
    let wanted = rules.session;
    world.request(UserPlaneRequest::Establish(Box::new(rules)));
    match world.out.control.pop() {
        Some(UserPlaneReply::Refused { session, because }) if session == wanted => because,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let (mut world, _) = World::with_a();
    let dnn = |dnn: &str| SessionRules { dnn: dnn.into(), ..session(2, B) };
    assert_eq!(refusal(&mut world, dnn("internet")), RefusedBecause::UnknownDataNetwork);
    // An address of another data network, or of nobody's, has no allow-list.
    assert_eq!(refusal(&mut world, dnn("ims")), RefusedBecause::UnknownDataNetwork);
    assert_eq!(refusal(&mut world, session(2, "10.99.0.10")), RefusedBecause::UnknownDataNetwork);
    let prefix = SessionRules { ipv6: "2001:db8::".parse().ok(), ..session(2, B) };
    assert_eq!(refusal(&mut world, prefix), RefusedBecause::UnknownDataNetwork);
    assert_eq!(refusal(&mut world, session(1, B)), RefusedBecause::Taken);
    assert_eq!(refusal(&mut world, session(2, A)), RefusedBecause::Taken);
    let prefix =
        |number, address: &str| SessionRules { ipv6: "fd00:45:0:7::".parse().ok(), ..session(number, address) };
    world.establish(prefix(2, B));
    assert_eq!(refusal(&mut world, prefix(3, "10.45.0.4")), RefusedBecause::Taken);
    assert_eq!(world.plane.sessions(), 2);
}

#[test]
fn sessions_are_bounded() {
    let mut world = World::with(Limits { sessions: 1, ..Limits::default() });
    world.establish(session(1, A));
    assert_eq!(refusal(&mut world, session(2, B)), RefusedBecause::Full);
    world.request(UserPlaneRequest::Release { session: SessionRef(1) });
    world.establish(session(2, B));
}

#[test]
fn a_released_session_is_gone_and_says_what_it_carried() {
    let (mut world, teid) = World::with_a();
    let packet = udp(A, 40000, CALLS, 5000);
    assert_eq!(world.up(teid, &packet), Verdict::Forwarded);
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40000)), Verdict::Forwarded);
    assert_eq!(world.up(teid, &udp(B, 1, CALLS, 5000)), no(Reason::Source));
    world.request(UserPlaneRequest::Release { session: SessionRef(1) });
    let bytes = packet.len() as u64;
    let usage = Usage {
        uplink_packets: 1,
        uplink_bytes: bytes,
        downlink_packets: 1,
        downlink_bytes: bytes,
        refused_packets: 1,
        policed_packets: 0,
    };
    assert_eq!(world.out.control, [UserPlaneReply::Usage { session: SessionRef(1), usage }]);
    assert_eq!(world.up(teid, &packet), no(Reason::UnknownTunnel));
    assert_eq!(world.down(&udp(CALLS, 5000, A, 40000)), no(Reason::UnknownPhone));
    assert_eq!((world.plane.sessions(), world.plane.counters().sessions), (0, 0));
    // Twice is harmless.
    world.out.control.clear();
    world.request(UserPlaneRequest::Release { session: SessionRef(1) });
    assert!(world.out.control.is_empty());
}

#[test]
fn what_was_carried_is_said_when_somebody_asks() {
    let (mut world, teid) = World::with_a();
    world.establish(session(2, B));
    let packet = udp(A, 40000, CALLS, 5000);
    assert_eq!(world.up(teid, &packet), Verdict::Forwarded);
    world.out.control.clear();
    let sessions = vec![SessionRef(1), SessionRef(99), SessionRef(2)];
    world.request(UserPlaneRequest::Report { number: 7, sessions });
    let bytes = packet.len() as u64;
    let carried = Usage { uplink_packets: 1, uplink_bytes: bytes, ..Usage::default() };
    assert_eq!(
        world.out.control,
        [
            UserPlaneReply::Usage { session: SessionRef(1), usage: carried },
            UserPlaneReply::Usage { session: SessionRef(2), usage: Usage::default() },
            UserPlaneReply::Reported { number: 7 },
        ]
    );
    assert_eq!(world.plane.usage(SessionRef(1)), Some(carried));
    assert_eq!(world.plane.usage(SessionRef(99)), None);
    // Not said again by itself: nothing has changed.
    world.out.control.clear();
    world.now = world.now.plus(std::time::Duration::from_secs(600));
    world.tick();
    assert!(world.out.control.is_empty(), "{:?}", world.out.control);
}

#[test]
fn the_largest_report_fits_a_frame() {
    let sessions = vec![SessionRef(u64::MAX); pakawaaz_user_plane::rules::REPORTED_AT_ONCE];
    let mut bytes = Vec::new();
    encode(&UserPlaneRequest::Report { number: u64::MAX, sessions }, &mut bytes).expect("fits");
}

#[test]
fn release_all_leaves_nothing() {
    let (mut world, teid) = World::with_a6();
    let other = world.establish(session(2, B));
    world.request(UserPlaneRequest::Idle { session: SessionRef(2) });
    assert_eq!(world.down(&tcp(CHAT, 443, B, 1, ACK)), Verdict::Kept);
    world.request(UserPlaneRequest::ReleaseAll);
    assert_eq!((world.plane.sessions(), world.plane.counters().kept_bytes), (0, 0));
    for (teid, phone) in [(teid, A), (other, B)] {
        assert_eq!(world.up(teid, &tcp(phone, 1, CHAT, 443, SYN)), no(Reason::UnknownTunnel));
    }
    world.establish(session(1, A));
}

#[test]
fn usage_is_told_now_and_then_while_it_changes() {
    let (mut world, teid) = World::with_a();
    world.pass_millis(60_000);
    world.tick();
    assert!(world.out.control.is_empty());
    assert_eq!(world.up(teid, &udp(A, 1, CALLS, 5000)), Verdict::Forwarded);
    world.tick();
    assert_eq!(world.out.control.len(), 1);
    assert_eq!(world.up(teid, &udp(A, 1, CALLS, 5000)), Verdict::Forwarded);
    world.pass_millis(59_999);
    world.tick();
    assert_eq!(world.out.control.len(), 1);
    world.pass_millis(1);
    world.tick();
    world.pass_millis(60_000);
    world.tick();
    assert_eq!(world.out.control.len(), 2);
}

#[test]
fn teids_are_not_given_again_soon_and_never_zero() {
    let mut world = World::new();
    let mut seen = BTreeSet::new();
    for _ in 0..2000 {
        let teid = world.establish(session(1, A));
        assert!(teid != 0 && seen.insert(teid));
        world.request(UserPlaneRequest::Release { session: SessionRef(1) });
    }
    // Nothing to guess from: all parts of the range are used.
    let quarters: BTreeSet<u32> = seen.iter().map(|teid| teid >> 30).collect();
    assert_eq!(quarters.len(), 4);
}

#[test]
fn a_teid_rests_after_its_session() {
    /// Says the same number again and again, then the next one.
    struct Stuck(u32);
    impl rand_chacha::rand_core::RngCore for Stuck {
        fn next_u32(&mut self) -> u32 {
            self.0 += 1;
            self.0 / 8
        }
        fn next_u64(&mut self) -> u64 {
            self.next_u32().into()
        }
        fn fill_bytes(&mut self, dest: &mut [u8]) {
            dest.fill(0);
        }
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), rand_chacha::rand_core::Error> {
            Ok(())
        }
    }
    impl rand_chacha::rand_core::CryptoRng for Stuck {}

    let (mut world, mut rng) = (World::new(), Stuck(0));
    let given = |world: &mut World, rng: &mut Stuck| {
        world.out.control.clear();
        world.plane.request(UserPlaneRequest::Establish(Box::new(session(1, A))), world.now, rng, &mut world.out);
        let Some(UserPlaneReply::Established { uplink, .. }) = world.out.control.pop() else { panic!("refused") };
        world.request(UserPlaneRequest::Release { session: SessionRef(1) });
        uplink.teid
    };
    assert_eq!([given(&mut world, &mut rng), given(&mut world, &mut rng)], [1, 2]);
    rng.0 = 0;
    assert_eq!(given(&mut world, &mut rng), 3);
    world.pass_millis(600_000);
    world.tick();
    rng.0 = 0;
    assert_eq!(given(&mut world, &mut rng), 1);
}

#[test]
fn frames_come_back_however_the_stream_is_cut() {
    let requests = [
        UserPlaneRequest::Establish(Box::new(session(1, A))),
        UserPlaneRequest::Idle { session: SessionRef(1) },
        UserPlaneRequest::ReleaseAll,
    ];
    let mut bytes = Vec::new();
    for request in &requests {
        encode(request, &mut bytes).expect("frame");
    }
    for cut in 1..bytes.len() {
        let mut decoder = Decoder::default();
        let mut read = Vec::new();
        for part in bytes.chunks(cut) {
            decoder.feed(part);
            while let Some(request) = decoder.take::<UserPlaneRequest>().expect("frame") {
                read.push(request);
            }
        }
        assert_eq!(read, requests);
    }
}

#[test]
fn frames_of_others_end_the_link() {
    let mut good = Vec::new();
    encode(&UserPlaneReply::Restarted, &mut good).expect("frame");
    let mut version = good.clone();
    version[4] = 2;
    let mut long = good.clone();
    long[..4].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut more = good.clone();
    more[3] += 1;
    more.push(0);
    for bad in [version, long, more, vec![0; 4], vec![0, 0, 0, 2, 1, 99]] {
        let mut decoder = Decoder::default();
        decoder.feed(&bad);
        assert_eq!(decoder.take::<UserPlaneReply>(), Err(UserPlaneError::Frame), "{bad:?}");
    }
}

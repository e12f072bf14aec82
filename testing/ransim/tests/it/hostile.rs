//! Hostile gNBs and phones against the core: it must not panic, nor touch or forget a phone that is not theirs, nor
//! grow without bound.

use crate::bench::*;
use pakawaaz_control_plane::io::Input;
use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_ransim::hostile::{gnb, nas};
use pakawaaz_ransim::phone::State;
use pakawaaz_ransim::world::GnbId;
use rand_core::SeedableRng;

/// A victim at gNB 1 with a session, and a hostile gNB 2 that the core lets in.
fn victim() -> Bench {
    Bench::registered(Setup { gnbs: 2, change: Box::new(one_session), ..Setup::default() })
}

fn hostile(bench: &mut Bench, bytes: &[u8]) {
    bench.input(Input::Message { association: association(GnbId(1)), stream: 1, bytes });
}

/// What the core answers to the hostile gNB is nobody's business.
fn discard(bench: &mut Bench) {
    bench
        .world
        .wire
        .from_core
        .retain(|arrival| !matches!(arrival, pakawaaz_ransim::world::Arrival::Message { gnb: GnbId(1), .. }));
    bench.settle();
}

#[track_caller]
fn unharmed(bench: &mut Bench) {
    discard(bench);
    assert_eq!(bench.phone().state(), State::Registered);
    let imsi = bench.imsi(0);
    assert!(bench.core.ue(&imsi).is_some(), "the core still knows it");
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 1);
    assert_eq!(bench.gauge("SM.SessionNbrMean"), 1);
    assert!(!bench.facts.iter().any(|f| matches!(f, pakawaaz_control_plane::io::Fact::Deregistered { .. })));
    // And it works: idle, back, with the same session.
    if bench.phone().is_connected() {
        bench.go_idle();
    }
    let address = bench.phone().session(1).unwrap().ipv4;
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    bench.settle();
    let session = bench.phone().session(1).unwrap();
    assert!(session.bearer && session.ipv4 == address, "{:?}", bench.world.measure());
}

#[test]
fn plain_messages_in_a_phones_name_do_nothing_to_it() {
    for idle in [false, true] {
        let mut bench = victim();
        if idle {
            bench.go_idle();
        }
        let guti = bench.phone().guti().unwrap();
        for (i, message) in (1..).zip(nas::plain_for(guti)) {
            let pdu = gnb::initial(plmn(), 2, 2, 1000 + i, message);
            hostile(&mut bench, &pdu);
            discard(&mut bench);
        }
        unharmed(&mut bench);
    }
}

#[test]
fn a_forged_service_request_does_nothing_to_the_phone() {
    let mut bench = victim();
    bench.go_idle();
    let s_tmsi = bench.phone().s_tmsi().unwrap();
    let pdu = gnb::initial(plmn(), 2, 2, 1000, nas::forged_service_request(s_tmsi));
    hostile(&mut bench, &pdu);
    unharmed(&mut bench);
}

#[test]
fn recorded_messages_sent_again_do_nothing() {
    let mut bench = victim();
    bench.go_idle();
    // The attacker's gNB records a service request of the victim, and sends it later from its own cell.
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    let recorded: Vec<_> = bench.world.wire.to_core.iter().map(|(_, _, bytes)| bytes.clone()).collect();
    bench.settle();
    bench.go_idle();
    for bytes in &recorded {
        hostile(&mut bench, bytes);
        discard(&mut bench);
    }
    unharmed(&mut bench);
}

#[test]
fn a_changed_service_request_proves_nothing() {
    let mut bench = victim();
    bench.go_idle();
    // The message that the phone would send next, made by a phone that is heard by nobody but the attacker.
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    let (_, _, initial) = bench.world.wire.to_core.pop_front().unwrap();
    // 7e 01: protected; 4c: service request (TS 24.501 §9.2, §9.3, §9.7).
    let start = initial.windows(10).position(|w| w[..2] == [0x7e, 0x01] && w[7..10] == [0x7e, 0x00, 0x4c]).unwrap();
    let end = start + usize::from(initial[start - 1]);
    let message = &initial[start..end];
    let served = bench.core.counters().get("control_plane.service_requests");
    // The upper half of the octet of the security header type is spare (TS 24.501 §9.3.1) and says nothing; the type is
    // under no MAC, and a message under another one must not use up the COUNT of this one.
    let spare = |changed: &[u8]| {
        changed.len() == message.len() && changed[1] & 0x0f == message[1] & 0x0f && changed[1] != message[1]
    };
    let changed: Vec<_> = nas::bit_flips(message).filter(|m| !spare(m)).chain(nas::cut_off(message)).collect();
    for (i, nas) in (3000..).zip(changed.into_iter().chain([nas::wrong_mac(message), nas::wrong_count(message)])) {
        let pdu = gnb::initial(plmn(), 2, 2, i, nas);
        hostile(&mut bench, &pdu);
        bench.world.wire.from_core.clear();
    }
    assert_eq!(bench.core.counters().get("control_plane.service_requests"), served);
    bench.world.wire.to_core.push_back((GnbId(0), 1, initial));
    bench.settle();
    assert!(bench.phone().session(1).unwrap().bearer, "the right one is taken");
    unharmed(&mut bench);
}

#[test]
fn ids_of_another_association_reach_nobody() {
    let mut bench = victim();
    let (ran, amf) = bench.world.gnbs()[0].ngap_ids(PhoneId(0)).unwrap();
    let amf = amf.unwrap();
    for ran in [ran, 1, 77] {
        for pdu in gnb::foreign_ids(plmn(), 2, 2, amf, ran) {
            hostile(&mut bench, &pdu);
            discard(&mut bench);
            assert!(bench.phone().is_connected(), "its connection is untouched");
        }
    }
    unharmed(&mut bench);
}

#[test]
fn malformed_and_misplaced_pdus_do_nothing() {
    let mut bench = victim();
    for pdu in gnb::malformed().into_iter().chain(gnb::out_of_order(1, 1)).chain(gnb::out_of_order(9999, 9999)) {
        hostile(&mut bench, &pdu);
        discard(&mut bench);
    }
    unharmed(&mut bench);
}

#[test]
fn everything_a_gnb_says_mutated_a_thousand_times() {
    let mut bench = victim();
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(5);
    let guti = bench.phone().guti().unwrap();
    let mut pdus: Vec<Vec<u8>> = gnb::foreign_ids(plmn(), 2, 2, 1, 1);
    pdus.push(gnb::foreign_setup(plmn(), 2, 2));
    pdus.extend(nas::plain_for(guti).into_iter().map(|message| gnb::initial(plmn(), 2, 2, 50, message)));
    for round in 0..1000 {
        let pdu = &pdus[round % pdus.len()];
        let pdu = gnb::mutated(pdu, &mut rng);
        hostile(&mut bench, &pdu);
        discard(&mut bench);
    }
    unharmed(&mut bench);
}

#[test]
fn nonsense_in_nas_does_nothing() {
    let mut bench = victim();
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(6);
    for ran in 0..500 {
        let message = nas::nonsense(&mut rng);
        let pdu = gnb::initial(plmn(), 2, 2, 2000 + ran, message);
        hostile(&mut bench, &pdu);
        discard(&mut bench);
    }
    unharmed(&mut bench);
}

#[test]
fn a_flood_of_phones_that_do_not_exist_is_bounded() {
    let mut network = network(4);
    network.limits.unauthenticated_per_association = 50;
    let mut bench = Bench::registered(Setup { gnbs: 2, network, change: Box::new(one_session), ..Setup::default() });
    // The vault takes its time: all of them stay unauthenticated.
    bench.vault.down = true;
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(7);
    let flood: Vec<_> = gnb::registration_flood(plmn(), 2, 2, 7, &mut rng).take(2000).collect();
    for pdu in &flood {
        hostile(&mut bench, pdu);
        bench.world.wire.from_core.clear();
    }
    assert!(bench.gauge("control_plane.phones") <= 52, "{}", bench.gauge("control_plane.phones"));
    bench.vault.down = false;
    bench.pass(std::time::Duration::from_secs(120));
    assert!(bench.gauge("control_plane.phones") <= 2, "and they are forgotten");
    unharmed(&mut bench);
}

#[test]
fn the_null_scheme_is_refused() {
    let mut bench = Bench::with(Setup {
        change: Box::new(|config| config.concealment = pakawaaz_ransim::phone::Concealment::Null),
        ..Setup::default()
    });
    bench.power_on(0);
    assert!(!bench.phone().is_registered());
    assert!(
        bench.world.measure().failures.keys().any(|f| f.starts_with("registration rejected")),
        "{}",
        bench.world.measure()
    );
}

#[test]
fn a_phone_that_claims_only_null_algorithms_is_refused() {
    let mut bench = Bench::with(Setup {
        change: Box::new(|config| (config.ciphering, config.integrity) = (0x80, 0x80)),
        ..Setup::default()
    });
    bench.power_on(0);
    assert!(!bench.phone().is_registered());
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
}

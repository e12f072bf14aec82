//! Registration and its relatives.

use crate::bench::*;
use pakawaaz_control_plane::config::AuthenticationMethod;
use pakawaaz_control_plane::io::{Command, DeregisteredBecause, Fact};
use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_ransim::phone::{Ended, Event, Method, RegistrationKind, State};
use std::time::Duration;

#[test]
fn a_phone_registers_gets_a_session_and_leaves() {
    let mut bench = Bench::with(Setup { change: Box::new(one_session), ..Setup::default() });
    bench.power_on(0);
    assert_eq!(bench.phone().state(), State::Registered);
    let session = bench.phone().session(1).expect("a session");
    assert!(session.is_active() && session.bearer);
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 1);
    assert_eq!(bench.gauge("SM.SessionNbrMean"), 1);
    bench.world.deregister(PhoneId(0), bench.now);
    bench.settle();
    assert_eq!(bench.phone().state(), State::Deregistered);
    assert!(!bench.phone().is_connected(), "the core releases it");
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
    assert_eq!(bench.gauge("SM.SessionNbrMean"), 0);
    assert!(bench.sessions.is_empty(), "the user plane has none either");
    assert!(bench.facts.iter().any(|f| matches!(f, Fact::Deregistered { because: DeregisteredBecause::Phone, .. })));
    bench.assert_clean();
}

#[test]
fn both_methods_and_both_profiles_of_suci_work() {
    for method in [AuthenticationMethod::FiveGAka, AuthenticationMethod::EapAkaPrime] {
        for profile_b in [false, true] {
            let mut network = network(1);
            network.method = method;
            let mut bench = Bench::registered(Setup { network, profile_b, ..Setup::default() });
            let expected = match method {
                AuthenticationMethod::FiveGAka => Method::FiveGAka,
                AuthenticationMethod::EapAkaPrime => Method::EapAkaPrime,
            };
            assert!(bench.phone_events().contains(&Event::Authenticated(expected)));
            bench.assert_clean();
        }
    }
}

#[test]
fn a_home_network_that_lost_its_count_is_put_right() {
    for method in [AuthenticationMethod::FiveGAka, AuthenticationMethod::EapAkaPrime] {
        let mut network = network(1);
        network.method = method;
        let mut bench = Bench::registered(Setup { network, ..Setup::default() });
        bench.world.power_off(PhoneId(0), bench.now);
        bench.settle();
        // The home network's counter begins anew, the core forgets the phone.
        for (_, state) in bench.vault.cards.values_mut() {
            *state = pakawaaz_aka::SqnState::provisioned(bench.now);
        }
        bench.core = pakawaaz_control_plane::ControlPlane::new(bench.core.network().clone()).unwrap();
        bench.connect(pakawaaz_ransim::world::GnbId(0));
        bench.settle();
        bench.phone_events();
        bench.power_on(0);
        let events = bench.phone_events();
        assert!(bench.phone().is_registered(), "{method:?} {events:?}");
        assert!(events.iter().any(|e| matches!(e, Event::Refused(_))), "{events:?}");
    }
}

#[test]
fn every_registration_and_every_service_request_gives_another_guti() {
    let mut bench = Bench::registered(Setup::default());
    let mut seen = vec![bench.phone().guti().unwrap()];
    for _ in 0..3 {
        bench.go_idle();
        bench.world.with_phone(PhoneId(0), bench.now, |phone, io| phone.connect(io));
        bench.settle();
        let guti = bench.phone().guti().unwrap();
        assert!(!seen.contains(&guti), "a GUTI is used once");
        seen.push(guti);
    }
    bench.world.register(PhoneId(0), bench.now);
    bench.settle();
    assert!(!seen.contains(&bench.phone().guti().unwrap()));
    bench.assert_clean();
}

#[test]
fn an_idle_phone_reports_now_and_then_and_is_still_there() {
    let mut bench = Bench::registered(Setup::default());
    bench.go_idle();
    bench.phone_events();
    bench.pass(Duration::from_secs(3 * 3600));
    let events = bench.phone_events();
    let reports = events.iter().filter(|e| **e == Event::Registered { kind: RegistrationKind::Periodic }).count();
    assert!((2..=4).contains(&reports), "{reports} in three hours");
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 1);
    bench.assert_clean();
}

#[test]
fn a_phone_that_vanished_is_forgotten_in_the_end() {
    let mut bench = Bench::registered(Setup::default());
    bench.go_idle();
    // Its battery is out: nothing is due for it any more.
    let imsi = bench.imsi(0);
    bench.world.with_phone(PhoneId(0), bench.now, |phone, _| phone.pull_battery());
    bench.pass(Duration::from_secs(3 * 3600));
    assert!(bench.core.ue(&imsi).is_none());
    assert!(bench.facts.iter().any(|f| matches!(f, Fact::Deregistered { because: DeregisteredBecause::Silence, .. })));
    bench.power_on(0);
    assert!(bench.phone().is_registered(), "and may come back");
}

#[test]
fn switching_off_is_heard() {
    let mut bench = Bench::registered(Setup::default());
    bench.world.power_off(PhoneId(0), bench.now);
    bench.settle();
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
    assert_eq!(bench.gauge("control_plane.connected"), 0);
    bench.power_on(0);
    assert!(bench.phone().is_registered());
    bench.assert_clean();
}

#[test]
fn an_idle_phone_that_leaves_says_so_in_one_message() {
    for off in [false, true] {
        let mut bench = Bench::registered(Setup::default());
        bench.go_idle();
        if off {
            bench.world.power_off(PhoneId(0), bench.now);
        } else {
            bench.world.deregister(PhoneId(0), bench.now);
        }
        bench.settle();
        assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
        assert_eq!(bench.phone().state(), if off { State::Off } else { State::Deregistered });
        bench.assert_clean();
    }
}

#[test]
fn an_operator_detaches_a_phone_and_it_comes_back_or_not() {
    let mut bench = Bench::registered(Setup::default());
    let imsi = bench.imsi(0);
    bench.command(Command::Detach { imsi, come_back: true });
    let events = bench.phone_events();
    assert!(events.contains(&Event::Deregistered(Ended::Network { come_back: true })), "{events:?}");
    assert!(bench.phone().is_registered(), "it came back at once");
    bench.command(Command::Detach { imsi, come_back: false });
    assert_eq!(bench.phone().state(), State::Deregistered);
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
}

#[test]
fn an_idle_phone_is_paged_to_be_detached() {
    let mut bench = Bench::registered(Setup::default());
    bench.go_idle();
    bench.command(Command::Detach { imsi: bench.imsi(0), come_back: false });
    bench.pass(Duration::from_secs(10));
    assert_eq!(bench.phone().state(), State::Deregistered, "{:?}", bench.world.measure());
    assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
}

#[test]
fn a_revoked_card_is_out_and_stays_out() {
    for idle in [false, true] {
        let mut bench = Bench::registered(Setup { change: Box::new(one_session), ..Setup::default() });
        if idle {
            bench.go_idle();
        }
        let imsi = bench.imsi(0);
        bench.vault.blocked.push(imsi.as_str().to_owned());
        bench.command(Command::Revoke { imsi });
        assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
        assert!(
            bench.facts.iter().any(|f| matches!(f, Fact::Deregistered { because: DeregisteredBecause::Revoked, .. }))
        );
        assert!(bench.sessions.is_empty());
        // An idle phone learns it when it comes; a connected one at once.
        if idle {
            bench.world.data_waiting(PhoneId(0), 1, bench.now);
            bench.settle();
        }
        assert!(!bench.phone().is_registered(), "{:?}", bench.phone_events());
        bench.pass(Duration::from_secs(3600));
        bench.world.register(PhoneId(0), bench.now);
        bench.settle();
        bench.pass(Duration::from_secs(60));
        assert!(!bench.phone().is_registered());
        assert_eq!(bench.gauge("RM.RegisteredSubNbrMean"), 0);
    }
}

#[test]
fn equipment_that_is_not_the_cards_is_refused_with_an_alarm() {
    let mut bench = Bench::new();
    bench.vault.subscription.equipment = vec!["11111111111111".into()];
    bench.power_on(0);
    assert!(!bench.phone().is_registered());
    assert!(
        bench.alarms.iter().any(|a| matches!(a, pakawaaz_control_plane::io::Alarm::ForeignEquipment { .. })),
        "{:?}",
        bench.alarms
    );
}

#[test]
fn a_vault_that_does_not_answer_costs_a_retry() {
    let mut bench = Bench::new();
    bench.vault.down = true;
    bench.power_on(0);
    bench.pass(Duration::from_secs(12));
    assert!(!bench.phone().is_registered());
    bench.vault.down = false;
    bench.pass(Duration::from_secs(31 * 60));
    assert!(bench.phone().is_registered(), "{:?}", bench.world.measure());
}

#[test]
fn a_core_that_starts_anew_from_what_it_kept_costs_no_registration() {
    let mut bench = Bench::registered(Setup { change: Box::new(one_session), ..Setup::default() });
    bench.go_idle();
    let guti = bench.phone().guti();
    let network = bench.core.network().clone();
    bench.core = pakawaaz_control_plane::ControlPlane::new(network).unwrap();
    let kept: Vec<_> = bench.kept.values().cloned().collect();
    let mut out = Vec::new();
    let restored = bench.core.restore(kept, bench.now, &mut bench.rng, &mut out);
    assert_eq!((restored.phones, restored.unreadable.len()), (1, 0));
    bench.handle_outputs(out);
    bench.connect(pakawaaz_ransim::world::GnbId(0));
    bench.settle();
    bench.phone_events();
    let asked = bench.vault.asked;
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    bench.settle();
    assert!(bench.phone_events().contains(&Event::ServiceAccepted), "{:?}", bench.world.measure());
    assert_eq!(bench.vault.asked, asked, "nobody was authenticated again");
    assert_ne!(bench.phone().guti(), guti);
    assert!(bench.phone().session(1).unwrap().bearer);
}

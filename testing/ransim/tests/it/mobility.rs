//! Several gNBs: phones that move, associations that end, resets and overload.

use crate::bench::*;
use pakawaaz_control_plane::io::{Alarm, Command, Fact, Input};
use pakawaaz_ransim::gnb::{GnbConfig, Link, PhoneId};
use pakawaaz_ransim::phone::{Event, RegistrationKind};
use pakawaaz_ransim::world::{Arrival, GnbId};
use std::sync::Arc;
use std::time::Duration;

fn two() -> Bench {
    Bench::registered(Setup { gnbs: 2, change: Box::new(one_session), ..Setup::default() })
}

#[test]
fn an_idle_phone_moves_and_is_found_at_its_new_cell() {
    let mut bench = two();
    bench.go_idle();
    bench.world.move_phone(PhoneId(0), GnbId(1), bench.now);
    bench.settle();
    // Both cells are in its registration area: it says nothing, and is paged in both.
    bench.phone_events();
    let session = *bench.sessions.keys().next().unwrap();
    bench.input(Input::UserPlane(pakawaaz_user_plane::rules::UserPlaneReply::Waiting { session, qfi: 1 }));
    bench.settle();
    let path = bench.world.path(PhoneId(0), 1).expect("a tunnel");
    assert_eq!(path.gnb, GnbId(1));
    assert_eq!(bench.sessions.values().next().unwrap().unwrap().address, std::net::IpAddr::from([127, 0, 1, 2]));
    assert!(bench.facts.iter().any(|f| matches!(f, Fact::Moved { location, .. } if location.tac == 2)));
    bench.assert_clean();
}

#[test]
fn a_connected_phone_that_changes_cells_without_handover_is_released_and_comes_back() {
    let mut bench = two();
    bench.world.move_phone(PhoneId(0), GnbId(1), bench.now);
    bench.settle();
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    bench.settle();
    assert_eq!(bench.world.path(PhoneId(0), 1).map(|path| path.gnb), Some(GnbId(1)), "{:?}", bench.world.measure());
    assert_eq!(bench.gauge("control_plane.connected"), 1);
}

#[test]
fn a_phone_outside_of_its_area_registers_anew() {
    let mut bench = two();
    bench.go_idle();
    bench.phone_events();
    bench.world.with_phone(PhoneId(0), bench.now, |phone, io| phone.camp(io, 3));
    bench.settle();
    let events = bench.phone_events();
    assert!(events.contains(&Event::Registered { kind: RegistrationKind::Mobility }), "{events:?}");
    assert!(bench.phone().session(1).is_some(), "its session is still there");
}

#[test]
fn an_association_that_ends_makes_its_phones_idle_and_nothing_more() {
    let mut bench = two();
    bench.input(Input::Down { association: association(GnbId(0)) });
    bench.world.wire.from_core.push_back(Arrival::Down { gnb: GnbId(0) });
    bench.settle();
    assert!(!bench.phone().is_connected());
    assert_eq!((bench.gauge("RM.RegisteredSubNbrMean"), bench.gauge("control_plane.connected")), (1, 0));
    assert!(bench.alarms.iter().any(|a| matches!(a, Alarm::GnbLost { .. })));
    assert_eq!(bench.sessions.values().next(), Some(&None));
    bench.connect(GnbId(0));
    bench.settle();
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    bench.settle();
    assert!(bench.phone().session(1).unwrap().bearer, "{:?}", bench.world.measure());
}

#[test]
fn a_gnb_that_resets_makes_its_phones_idle() {
    let mut bench = two();
    bench.world.with_gnb(GnbId(0), bench.now, |gnb, io| gnb.reset_all(io));
    bench.settle();
    assert_eq!((bench.gauge("RM.RegisteredSubNbrMean"), bench.gauge("control_plane.connected")), (1, 0));
    assert_eq!(bench.sessions.values().next(), Some(&None));
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    bench.settle();
    assert!(bench.phone().session(1).unwrap().bearer);
    bench.assert_clean();
}

#[test]
fn a_gnb_with_other_areas_is_taken_or_refused() {
    let mut bench = two();
    bench.world.with_gnb(GnbId(0), bench.now, |gnb, io| gnb.reconfigure(io, vec![2]));
    bench.settle();
    assert_eq!(bench.world.measure().failed(), 0);
    bench.world.with_gnb(GnbId(0), bench.now, |gnb, io| gnb.reconfigure(io, vec![77]));
    bench.settle();
    assert!(bench.world.measure().failures.contains_key("configuration refused"), "{:?}", bench.world.measure());
}

#[test]
fn another_configuration_of_the_core_is_told_to_its_gnbs() {
    let mut bench = two();
    let mut network = (**bench.core.network()).clone();
    network.capacity = 10;
    network.amf_name = "amf-2".into();
    bench.command(Command::Configure(Arc::new(network)));
    let told = bench.events.iter().filter(|h| {
        matches!(h, pakawaaz_ransim::world::Happened::Gnb(_, pakawaaz_ransim::gnb::GnbEvent::AmfConfiguration))
    });
    assert_eq!(told.count(), 2);
    bench.assert_clean();
}

#[test]
fn a_gnb_that_is_not_on_the_list_is_refused() {
    let mut bench = Bench::new();
    let stranger = GnbConfig::new(plmn(), 999, 1, [127, 0, 1, 99].into());
    let id = bench.world.add_gnb(stranger).unwrap();
    bench.connect(id);
    bench.settle();
    assert_ne!(bench.world.gnbs()[id.0 as usize].link(), Link::Ready);
    assert!(bench.alarms.iter().any(|a| matches!(a, Alarm::ForeignGnb { .. })), "{:?}", bench.alarms);
}

#[test]
fn overload_holds_phones_back_and_its_end_lets_them_in() {
    let mut bench = Bench::with(Setup { phones: 20, ..Setup::default() });
    bench.command(Command::Overload { percent: 50 });
    for phone in 0..20 {
        bench.power_on(phone);
    }
    let there = bench.world.registered();
    assert!((1..20).contains(&there), "{there} of 20");
    bench.command(Command::Overload { percent: 0 });
    bench.pass(Duration::from_secs(30));
    assert_eq!(bench.world.registered(), 20, "{:?}", bench.world.measure());
}

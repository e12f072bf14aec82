//! Traces of phones whose lives have a bit of everything. Recorded, `oracle/check_traces.py` has tshark read them.

use crate::bench::*;
use crate::recorder::Recorder;
use pakawaaz_control_plane::config::AuthenticationMethod;
use pakawaaz_control_plane::io::{Command, Input};
use pakawaaz_control_plane::trace;
use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_user_plane::rules::UserPlaneReply;

/// A life with the phone traced from the beginning to the end.
fn traced_life(method: AuthenticationMethod) -> Bench {
    let mut network = network(1);
    network.method = method;
    let mut bench = Bench::with(Setup { network, change: Box::new(one_session), ..Setup::default() });
    let imsi = bench.imsi(0);
    bench.command(Command::Trace { imsi, on: true });
    bench.power_on(0);
    assert!(bench.phone().session(1).is_some_and(|session| session.bearer));
    // It goes idle, is called, and comes back.
    bench.go_idle();
    let session = *bench.sessions.keys().next().unwrap();
    bench.input(Input::UserPlane(UserPlaneReply::Waiting { session, qfi: 1 }));
    bench.settle();
    assert!(bench.phone().is_connected());
    bench.go_idle();
    bench.world.register(PhoneId(0), bench.now);
    bench.settle();
    bench.world.deregister(PhoneId(0), bench.now);
    bench.settle();
    bench.assert_clean();
    bench
}

fn checked(name: &str, bench: &Bench) {
    let names: Vec<&str> = bench.traced.iter().map(|entry| entry.name.as_str()).collect();
    for wanted in [
        "InitialUEMessage: RegistrationRequest",
        "InitialContextSetup: RegistrationAccept",
        "PDUSessionResourceSetup: DlNasTransport PduSessionEstablishmentAccept",
        "Paging",
        "InitialUEMessage: ServiceRequest",
        "InitialUEMessage: DeregistrationRequestUeOriginating",
    ] {
        assert!(names.contains(&wanted), "{wanted} in {names:?}");
    }
    let capture = trace::pcap(&bench.traced);
    assert_eq!(trace::read(&capture).map(|pdus| pdus.len()), Some(names.len()));
    let line = |entry: &trace::Entry| format!("{} {}\n", if entry.downlink { "down" } else { "up" }, entry.name);
    let ladder: String = bench.traced.iter().map(line).collect();
    Recorder::beside("traces", &format!("{name}.pcap"), &capture);
    Recorder::beside("traces", &format!("{name}.txt"), ladder.as_bytes());
}

#[test]
fn a_life_with_5g_aka() {
    checked("5g-aka", &traced_life(AuthenticationMethod::FiveGAka));
}

#[test]
fn a_life_with_eap_aka_prime() {
    checked("eap-aka-prime", &traced_life(AuthenticationMethod::EapAkaPrime));
}

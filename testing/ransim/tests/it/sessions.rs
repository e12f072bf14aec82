//! Sessions, paging and the user plane's tunnels.

use crate::bench::*;
use pakawaaz_control_plane::io::{Command, Fact, Input};
use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_ransim::phone::{Event, SessionKind, SessionWish, State};
use pakawaaz_user_plane::rules::{BitRate, BitRates, PacketFilter, QosFlow, UserPlaneReply, UserPlaneRequest};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

fn with_session() -> Bench {
    let mut bench = Bench::registered(Setup { change: Box::new(one_session), ..Setup::default() });
    bench.phone_events();
    assert!(bench.phone().session(1).is_some_and(|session| session.bearer), "{:?}", bench.world.measure());
    bench
}

#[test]
fn a_session_has_address_servers_and_size() {
    let bench = with_session();
    let session = bench.phone().session(1).unwrap();
    let address = session.ipv4.expect("an address");
    assert_eq!(address.octets()[..2], [10, 45]);
    assert!(session.dns.contains(&IpAddr::from([10, 9, 0, 53])), "{:?}", session.dns);
    assert_eq!(session.mtu, Some(1400));
    assert_eq!(session.ambr, Some((50_000, 50_000)));
    let qfi = session.default_qfi().expect("a default flow");
    let path = bench.world.path(PhoneId(0), 1).expect("a tunnel");
    assert_eq!(path.uplink.teid, 0x1001);
    let downlink = bench.sessions.values().next().unwrap().expect("the user plane knows the gNB's end");
    assert_eq!((downlink.teid, downlink.address), (path.teid, [127, 0, 1, 1].into()));
    assert!(bench.world.gnbs()[0].resource(PhoneId(0), 1).unwrap().qfis.contains(&qfi));
    let fact = bench.facts.iter().find_map(|f| match f {
        Fact::SessionStarted { ipv4, dnn, .. } => Some((*ipv4, dnn.as_str())),
        _ => None,
    });
    assert_eq!(fact, Some((Some(address), DNN)));
    bench.assert_clean();
}

#[test]
fn every_kind_of_session() {
    for (kind, v4, v6) in
        [(SessionKind::Ipv4, true, false), (SessionKind::Ipv6, false, true), (SessionKind::Ipv4v6, true, true)]
    {
        let change = move |config: &mut pakawaaz_ransim::phone::PhoneConfig| {
            config.sessions = vec![SessionWish { kind, dnn: Some(DNN.into()), ..SessionWish::default() }];
        };
        let bench = Bench::registered(Setup { change: Box::new(change), ..Setup::default() });
        let session = bench.phone().session(1).expect("a session");
        assert_eq!(
            (session.ipv4.is_some(), session.interface_id.is_some(), session.bearer),
            (v4, v6, true),
            "{kind:?}"
        );
        bench.assert_clean();
    }
}

#[test]
fn an_unknown_data_network_is_refused() {
    let mut bench = Bench::registered(Setup::default());
    let wish = SessionWish { dnn: Some("internet".into()), ..SessionWish::default() };
    let psi = bench.world.open_session(PhoneId(0), wish, bench.now).unwrap();
    bench.settle();
    let events = bench.phone_events();
    assert!(events.iter().any(|e| matches!(e, Event::SessionRejected { psi: p, .. } if *p == psi)), "{events:?}");
    assert_eq!(bench.gauge("SM.SessionNbrMean"), 0);
}

#[test]
fn more_sessions_than_allowed_are_refused() {
    let mut bench = Bench::registered(Setup::default());
    for _ in 0..6 {
        bench.world.open_session(PhoneId(0), SessionWish::default(), bench.now).unwrap();
        bench.settle();
    }
    let events = bench.phone_events();
    assert!(events.iter().any(|e| matches!(e, Event::SessionRejected { .. })), "{events:?}");
    assert!(bench.gauge("SM.SessionNbrMean") <= 4);
}

#[test]
fn a_phone_ends_its_session() {
    let mut bench = with_session();
    bench.world.with_phone(PhoneId(0), bench.now, |phone, io| phone.close_session(io, 1)).unwrap().unwrap();
    bench.settle();
    assert!(bench.phone().session(1).is_none());
    assert!(bench.world.path(PhoneId(0), 1).is_none());
    assert_eq!(bench.gauge("SM.SessionNbrMean"), 0);
    assert!(bench.sessions.is_empty());
    assert!(bench.facts.iter().any(|f| matches!(f, Fact::SessionEnded { .. })));
    bench.assert_clean();
}

#[test]
fn a_call_adds_a_flow_and_takes_it_away() {
    let mut bench = with_session();
    let rate = BitRates { uplink: BitRate(64_000), downlink: BitRate(64_000) };
    let flow = QosFlow {
        qfi: 5,
        five_qi: 1,
        guaranteed: Some(rate),
        maximum: Some(rate),
        precedence: 10,
        filters: vec![PacketFilter {
            remote: None,
            protocol: Some(17),
            remote_ports: Some((40_000, 40_100)),
            local_ports: None,
        }],
    };
    let imsi = bench.imsi(0);
    bench.command(Command::Flows { imsi, dnn: DNN.into(), flows: vec![flow] });
    let session = bench.phone().session(1).unwrap();
    assert_eq!(session.flows.get(&5), Some(&1), "{:?}", bench.world.measure());
    assert_eq!(session.rules.len(), 2);
    assert!(bench.world.gnbs()[0].resource(PhoneId(0), 1).unwrap().qfis.contains(&5));
    assert!(bench.flows.iter().any(|r| matches!(r, UserPlaneRequest::Flows { flows, .. } if flows.len() == 2)));
    bench.command(Command::Flows { imsi, dnn: DNN.into(), flows: vec![] });
    let session = bench.phone().session(1).unwrap();
    assert_eq!((session.rules.len(), session.flows.contains_key(&5)), (1, false));
    assert!(!bench.world.gnbs()[0].resource(PhoneId(0), 1).unwrap().qfis.contains(&5));
    bench.assert_clean();
}

#[test]
fn other_rates_reach_a_phone_that_has_a_session() {
    let mut bench = with_session();
    let slower = |kbps: u64| BitRates { uplink: BitRate(kbps * 1000), downlink: BitRate(kbps * 2000) };
    let mut subscription = bench.vault.subscription.clone();
    subscription.data_networks[0].ambr = Some(slower(3000));
    subscription.ue_ambr = slower(5000);
    let imsi = bench.imsi(0);
    bench.command(Command::Subscription { imsi, subscription: Arc::new(subscription) });
    assert_eq!(bench.phone().session(1).unwrap().ambr, Some((6000, 3000)), "{:?}", bench.world.measure());
    let told = |r: &UserPlaneRequest| matches!(r, UserPlaneRequest::Flows { ambr, .. } if *ambr == slower(3000));
    assert!(bench.flows.iter().any(told));
    assert_eq!(bench.core.counters().get("control_plane.ngap_unexpected"), 0, "the gNB has answered");
    bench.assert_clean();
}

#[test]
fn a_phone_asks_for_a_modification_and_gets_an_answer() {
    let mut bench = with_session();
    bench.world.with_phone(PhoneId(0), bench.now, |phone, io| phone.modify_session(io, 1)).unwrap().unwrap();
    bench.settle();
    let session = bench.phone().session(1).unwrap();
    assert_eq!(session.state, pakawaaz_ransim::phone::SessionState::Active, "answered, whatever the answer");
}

#[test]
fn idle_data_of_the_phone_brings_the_bearer_back() {
    let mut bench = with_session();
    let address = bench.phone().session(1).unwrap().ipv4;
    bench.go_idle();
    assert_eq!(bench.sessions.values().next(), Some(&None), "the user plane keeps packets");
    assert!(!bench.phone().session(1).unwrap().bearer);
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    bench.settle();
    let session = bench.phone().session(1).unwrap();
    assert!(session.bearer, "{:?}", bench.world.measure());
    assert_eq!(session.ipv4, address);
    assert!(bench.sessions.values().next().unwrap().is_some());
    bench.assert_clean();
}

#[test]
fn an_always_on_session_comes_back_with_every_connection() {
    let mut network = network(1);
    network.data_networks[0].always_on = true;
    let mut bench = Bench::registered(Setup { network, change: Box::new(one_session), ..Setup::default() });
    assert!(bench.phone().session(1).unwrap().always_on);
    bench.go_idle();
    bench.world.with_phone(PhoneId(0), bench.now, |phone, io| phone.connect(io));
    bench.settle();
    assert!(bench.phone().session(1).unwrap().bearer);
    bench.assert_clean();
}

#[test]
fn a_packet_for_an_idle_phone_pages_it() {
    let mut bench = with_session();
    bench.go_idle();
    bench.phone_events();
    let session = *bench.sessions.keys().next().unwrap();
    bench.input(Input::UserPlane(UserPlaneReply::Waiting { session, qfi: 1 }));
    bench.settle();
    let events = bench.phone_events();
    assert!(events.contains(&Event::Paged) && events.contains(&Event::ServiceAccepted), "{events:?}");
    assert!(bench.phone().session(1).unwrap().bearer);
    bench.assert_clean();
}

#[test]
fn a_silent_phone_is_released_by_its_gnb() {
    let mut bench = with_session();
    bench.pass(Duration::from_secs(25));
    assert!(!bench.phone().is_connected());
    assert_eq!(bench.phone().state(), State::Registered);
    assert_eq!(bench.gauge("control_plane.connected"), 0);
    bench.assert_clean();
}

#[test]
fn a_lost_tunnel_makes_the_phone_idle_and_it_comes_back() {
    let mut bench = with_session();
    let session = *bench.sessions.keys().next().unwrap();
    bench.input(Input::UserPlane(UserPlaneReply::TunnelLost { session }));
    bench.settle();
    assert!(!bench.phone().is_connected());
    bench.world.data_waiting(PhoneId(0), 1, bench.now);
    bench.settle();
    assert!(bench.phone().session(1).unwrap().bearer);
}

#[test]
fn a_user_plane_that_started_anew_gets_its_sessions_back() {
    let mut bench = with_session();
    bench.sessions.clear();
    bench.input(Input::UserPlane(UserPlaneReply::Restarted));
    bench.settle();
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.gauge("SM.SessionNbrMean"), bench.world.sessions() as u64, "both sides agree");
}

//! Messages that the other tests do not bring about, so that `oracle/check.py` judges each that the core sends or takes.

use crate::bench::*;
use oxirush_nas::nas_5gs::{
    CipheringAlgorithm, Direction, IntegrityAlgorithm, Nas5gsSecurityHeaderType, NasSecurityContext,
};
use oxirush_ngap::build_ngap;
use oxirush_ngap::helpers::{nr_cgi, plmn as ngap_plmn, tai};
use oxirush_ngap::ngap::*;
use oxirush_security::NasCount;
use oxirush_security::nas_5gs::{KAusf, Supi, derive_kamf, derive_kseaf};
use pakawaaz_aka::SqnState;
use pakawaaz_control_plane::ControlPlane;
use pakawaaz_control_plane::config::{AuthenticationMethod, Ciphering, Integrity};
use pakawaaz_control_plane::io::{Command, Fact, Input};
use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_ransim::hostile::{gnb, nas};
use pakawaaz_ransim::phone::{RegistrationKind, SessionKind, SessionWish};
use pakawaaz_ransim::world::GnbId;
use pakawaaz_user_plane::rules::{BitRate, BitRates, PacketFilter, QosFlow, UserPlaneReply};
use std::time::Duration;

fn with_session() -> Bench {
    Bench::registered(Setup { change: Box::new(one_session), ..Setup::default() })
}

/// The core is another one, which knows no phone.
fn forget(bench: &mut Bench) {
    bench.core = ControlPlane::new(bench.core.network().clone()).unwrap();
    bench.connect(GnbId(0));
    bench.settle();
}

/// Says things in the first phone's name, with its keys, that the simulator has no reason to say.
struct Voice {
    security: NasSecurityContext,
    ran: u32,
    amf: u64,
}

impl Voice {
    fn of(bench: &Bench) -> Self {
        let k_ausf = bench.facts.iter().rev().find_map(|fact| match fact {
            Fact::Authenticated { k_ausf, .. } => Some(KAusf::new(&k_ausf.0)),
            _ => None,
        });
        let name = bench.phone().config().serving_network();
        let k_seaf = derive_kseaf(&k_ausf.unwrap(), name.as_bytes()).unwrap();
        let k_amf = derive_kamf(&k_seaf, &Supi::imsi(bench.phone().imsi()).unwrap(), &[0, 0]).unwrap();
        let (_, uplink, downlink) = bench.phone().security().unwrap();
        let counts = (NasCount::new(uplink).ok(), NasCount::new(downlink).ok());
        let (integrity, ciphering) = (IntegrityAlgorithm::NIA2, CipheringAlgorithm::NEA2);
        let security = NasSecurityContext::restore_from_kamf(&k_amf, integrity, ciphering, counts, (None, None));
        let (ran, amf) = bench.world.gnbs()[0].ngap_ids(PhoneId(0)).unwrap();
        Self { security: security.unwrap(), ran, amf: amf.unwrap() }
    }

    fn say(&mut self, bench: &mut Bench, plain: &[u8]) {
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        let sealed = self.security.protect_opaque_payload(plain.to_vec(), header, Direction::Uplink).unwrap();
        let pdu = gnb::uplink(plmn(), 1, 1, self.amf, self.ran, sealed);
        from_gnb(bench, &pdu);
    }

    /// A 5GSM message in UL NAS transport for session `psi`.
    fn say_of_session(&mut self, bench: &mut Bench, psi: u8, message: &[u8]) {
        let mut plain = vec![0x7e, 0, 0x67, 0x01, 0, message.len() as u8];
        plain.extend_from_slice(message);
        plain.extend_from_slice(&[0x12, psi]);
        self.say(bench, &plain);
    }
}

fn from_gnb(bench: &mut Bench, bytes: &[u8]) {
    bench.input(Input::Message { association: association(GnbId(0)), stream: 1, bytes });
    bench.settle();
}

fn pdu(built: Result<NGAP_PDU, oxirush_ngap::Error>) -> Vec<u8> {
    built.unwrap().encode().unwrap()
}

fn cause() -> Cause {
    Cause::radioNetwork(CauseRadioNetwork::radio_resources_not_available)
}

fn call() -> QosFlow {
    let rate = BitRates { uplink: BitRate(64_000), downlink: BitRate(128_000) };
    let remote = Some("10.9.0.0/24".parse().unwrap());
    let filters = vec![
        PacketFilter {
            remote,
            protocol: Some(17),
            remote_ports: Some((40_000, 40_100)),
            local_ports: Some((5000, 5000)),
        },
        PacketFilter {
            remote: Some("fd00:9::/64".parse().unwrap()),
            protocol: Some(6),
            remote_ports: Some((443, 443)),
            local_ports: Some((1, 2)),
        },
    ];
    QosFlow { qfi: 5, five_qi: 1, guaranteed: Some(rate), maximum: Some(rate), precedence: 10, filters }
}

#[test]
fn every_pair_of_algorithms() {
    for integrity in [Integrity::Nia1, Integrity::Nia2, Integrity::Nia3] {
        for ciphering in [Ciphering::Nea1, Ciphering::Nea2, Ciphering::Nea3] {
            let mut network = network(1);
            (network.integrity, network.ciphering) = (vec![integrity], vec![ciphering]);
            let mut bench = Bench::registered(Setup { network, change: Box::new(one_session), ..Setup::default() });
            bench.go_idle();
            bench.world.data_waiting(PhoneId(0), 1, bench.now);
            bench.settle();
            bench.world.deregister(PhoneId(0), bench.now);
            bench.settle();
            bench.assert_clean();
        }
    }
}

#[test]
fn a_forgotten_phone_is_asked_who_it_is_and_a_forgotten_service_is_refused() {
    for method in [AuthenticationMethod::FiveGAka, AuthenticationMethod::EapAkaPrime] {
        let mut network = network(1);
        network.method = method;
        let mut bench = Bench::registered(Setup { network, change: Box::new(one_session), ..Setup::default() });
        bench.go_idle();
        forget(&mut bench);
        bench.world.with_phone(PhoneId(0), bench.now, |phone, io| phone.connect(io));
        bench.settle();
        bench.pass(Duration::from_secs(60));
        assert!(bench.phone().is_registered(), "{:?}", bench.world.measure());
        bench.go_idle();
        forget(&mut bench);
        bench.world.register(PhoneId(0), bench.now);
        bench.settle();
        assert!(bench.phone().is_registered(), "{:?}", bench.world.measure());
    }
}

#[test]
fn a_card_that_the_home_network_has_otherwise_is_rejected() {
    for method in [AuthenticationMethod::FiveGAka, AuthenticationMethod::EapAkaPrime] {
        let mut network = network(1);
        network.method = method;
        let mut bench = Bench::with(Setup { phones: 2, network, ..Setup::default() });
        let other = bench.vault.cards[bench.world.phone(PhoneId(1)).unwrap().imsi()].0.clone();
        let imsi = bench.phone().imsi().to_owned();
        bench.vault.cards.insert(imsi, (other, SqnState::provisioned(bench.now)));
        bench.power_on(0);
        assert!(!bench.phone().is_registered());
        assert_eq!(bench.core.counters().get("AMF.AuthReject"), 1, "{:?}", bench.world.measure());
    }
}

#[test]
fn a_capability_changed_on_the_way_is_noticed_by_the_phone() {
    let mut bench = Bench::new();
    bench.world.power_on(PhoneId(0), bench.now);
    let (_, _, initial) = bench.world.wire.to_core.back_mut().unwrap();
    let at = initial.windows(4).position(|w| w == [0x2e, 2, 0xf0, 0x70]).unwrap();
    initial[at + 2] = 0x70;
    bench.settle();
    assert!(!bench.phone().is_registered());
    assert_eq!(bench.core.counters().get("control_plane.security_mode_rejected"), 1);
}

#[test]
fn what_a_phone_may_say_beside_its_procedures() {
    let mut bench = with_session();
    let mut voice = Voice::of(&bench);
    // Status, an answer to a notification, an identity, an answer to no challenge.
    for plain in ["7e00646f", "7e0066", "7e005c000100", "7e00572d10000102030405060708090a0b0c0d0e0f"] {
        voice.say(&mut bench, &hex::decode(plain).unwrap());
    }
    // A short message, which nobody here forwards.
    voice.say(&mut bench, &[0x7e, 0, 0x67, 0x02, 0, 3, 0x09, 0x01, 0x00]);
    // Rules of its own for a session; the release of a session that there is not; one session named, another meant.
    let rules = [0x2e, 1, 9, 0xc9, 0x7a, 0, 9, 1, 0, 6, 0x21, 0x31, 1, 1, 0x80, 2];
    voice.say_of_session(&mut bench, 1, &rules);
    voice.say_of_session(&mut bench, 5, &[0x2e, 5, 10, 0xd1]);
    voice.say_of_session(&mut bench, 6, &[0x2e, 5, 11, 0xd1]);
    assert_eq!(bench.core.counters().get("control_plane.nas_dropped"), 0);
    // A change of the network's that it does not take, and in the end that it has no such session.
    let change = |flows| Command::Flows { imsi: bench.imsi(0), dnn: DNN.into(), flows };
    let (add, remove) = (change(vec![call()]), change(Vec::new()));
    bench.command(add);
    voice.say_of_session(&mut bench, 1, &[0x2e, 1, 0, 0xcd, 0x20]);
    bench.command(remove);
    voice.say_of_session(&mut bench, 1, &[0x2e, 1, 0, 0xd6, 0x2b]);
    assert!(bench.core.ue(&bench.imsi(0)).unwrap().sessions.is_empty());
}

#[test]
fn what_a_gnb_may_say_beside_its_procedures() {
    let mut bench = with_session();
    let (ran, amf) = bench.world.gnbs()[0].ngap_ids(PhoneId(0)).unwrap();
    let amf = amf.unwrap();
    let ngap = ngap_plmn(plmn().mcc(), plmn().mnc()).unwrap();
    let place = UserLocationInformationNR::new(nr_cgi(ngap, 1, 24, 2).unwrap(), tai(ngap, [0, 0, 1]), None, None);
    let place = UserLocationInformation::userLocationInformationNR(place);
    let wanted = LocationReportingRequestType::new(EventType::direct, ReportArea::cell, None, None, None);
    from_gnb(
        &mut bench,
        &pdu(build_ngap!(
            InitiatingMessage,
            LocationReport,
            LocationReport,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            UserLocationInformation(place),
            LocationReportingRequestType(wanted),
        )),
    );
    from_gnb(
        &mut bench,
        &pdu(build_ngap!(
            InitiatingMessage,
            NASNonDeliveryIndication,
            NASNonDeliveryIndication,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            NAS_PDU(vec![0x7e, 0x00, 0x5b, 0x01]),
            Cause(cause()),
        )),
    );
    let released = encode_open_type(&PDUSessionResourceNotifyReleasedTransfer::new(cause(), None)).unwrap();
    let item = PDUSessionResourceReleasedItemNot::new(PDUSessionID(1), released, None);
    from_gnb(
        &mut bench,
        &pdu(build_ngap!(
            InitiatingMessage,
            PDUSessionResourceNotify,
            PDUSessionResourceNotify,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            PDUSessionResourceReleasedListNot(PDUSessionResourceReleasedListNot(vec![item])),
        )),
    );
    // Ids that do not belong together, and procedures at the wrong time, are answered.
    from_gnb(&mut bench, &gnb::uplink(plmn(), 1, 1, amf + 77, ran, vec![0x7e, 0, 0x66]));
    from_gnb(&mut bench, &pdu(build_ngap!(SuccessfulOutcome, NGReset, NGResetAcknowledge,)));
    let network = bench.core.network().clone();
    bench.command(Command::Configure(network));
    from_gnb(
        &mut bench,
        &pdu(build_ngap!(
            UnsuccessfulOutcome,
            AMFConfigurationUpdate,
            AMFConfigurationUpdateFailure,
            Cause(Cause::misc(CauseMisc::om_intervention)),
        )),
    );
    from_gnb(
        &mut bench,
        &pdu(build_ngap!(
            InitiatingMessage,
            ErrorIndication,
            ErrorIndication,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            Cause(Cause::radioNetwork(CauseRadioNetwork::unknown_local_UE_NGAP_ID)),
        )),
    );
    assert!(bench.core.gnbs().all(|gnb| gnb.connected == 0));
}

#[test]
fn a_gnb_that_cannot_secure_the_radio() {
    let mut bench = Bench::with(Setup { change: Box::new(one_session), ..Setup::default() });
    bench.world.power_on(PhoneId(0), bench.now);
    // Until the gNB has the context to set up, but has not answered.
    while bench.core.counters().get("RM.RegInitSucc") == 0 {
        bench.world.step(bench.now);
        let sent: Vec<_> = bench.world.wire.to_core.drain(..).collect();
        for (gnb, stream, bytes) in sent {
            bench.input(Input::Message { association: association(gnb), stream, bytes: &bytes });
        }
    }
    let (ran, amf) = bench.world.gnbs()[0].ngap_ids(PhoneId(0)).unwrap();
    bench.input(Input::Message {
        association: association(GnbId(0)),
        stream: 1,
        bytes: &pdu(build_ngap!(
            UnsuccessfulOutcome,
            InitialContextSetup,
            InitialContextSetupFailure,
            AMF_UE_NGAP_ID(amf.unwrap()),
            RAN_UE_NGAP_ID(ran),
            Cause(cause()),
        )),
    });
    assert_eq!(bench.core.counters().get("control_plane.context_setup_failed"), 1);
}

#[test]
fn a_gnb_that_keeps_the_rates_that_it_had() {
    let mut bench = with_session();
    let (ran, amf) = bench.world.gnbs()[0].ngap_ids(PhoneId(0)).unwrap();
    let refused = pdu(build_ngap!(
        UnsuccessfulOutcome,
        UEContextModification,
        UEContextModificationFailure,
        AMF_UE_NGAP_ID(amf.unwrap()),
        RAN_UE_NGAP_ID(ran),
        Cause(cause()),
    ));
    from_gnb(&mut bench, &refused);
    assert_eq!(bench.core.counters().get("control_plane.context_modification_failed"), 1);
    assert!(bench.phone().is_connected(), "it has the new ones with its next context");
}

#[test]
fn part_of_an_interface_is_reset() {
    let mut bench = with_session();
    let (ran, amf) = bench.world.gnbs()[0].ngap_ids(PhoneId(0)).unwrap();
    let item = UEAssociatedLogicalNGConnectionItem::new(amf.map(AMFUENGAPID), Some(RANUENGAPID(ran)), None);
    let part = ResetType::partOfNG_Interface(UEAssociatedLogicalNGConnectionList(vec![item]));
    from_gnb(&mut bench, &pdu(build_ngap!(InitiatingMessage, NGReset, NGReset, Cause(cause()), ResetType(part))));
    assert!(bench.core.gnbs().all(|gnb| gnb.connected == 0));
}

#[test]
fn two_sessions_of_both_families_with_a_call_survive_idleness_and_a_mobility_update() {
    let change = |config: &mut pakawaaz_ransim::phone::PhoneConfig| {
        config.sessions = vec![
            SessionWish { kind: SessionKind::Ipv4v6, always_on: true, ..SessionWish::default() },
            SessionWish { kind: SessionKind::Ipv6, dnn: Some(DNN.into()), ..SessionWish::default() },
        ];
    };
    let mut network = network(4);
    network.data_networks[0].always_on = true;
    let mut bench = Bench::registered(Setup { gnbs: 2, network, change: Box::new(change), ..Setup::default() });
    let imsi = bench.imsi(0);
    bench.command(Command::Flows { imsi, dnn: DNN.into(), flows: vec![call()] });
    bench.command(Command::Flows { imsi, dnn: DNN.into(), flows: vec![QosFlow { precedence: 20, ..call() }] });
    bench.go_idle();
    let session = *bench.sessions.keys().next().unwrap();
    bench.input(Input::UserPlane(UserPlaneReply::Waiting { session, qfi: 5 }));
    bench.settle();
    assert!(bench.phone().session(1).unwrap().bearer, "{:?}", bench.world.measure());
    bench.go_idle();
    bench.world.with_phone(PhoneId(0), bench.now, |phone, io| phone.camp(io, 3));
    bench.settle();
    let kinds = |events: Vec<pakawaaz_ransim::phone::Event>| {
        events.into_iter().any(|e| e == pakawaaz_ransim::phone::Event::Registered { kind: RegistrationKind::Mobility })
    };
    assert!(kinds(bench.phone_events()));
    bench.assert_clean();
}

#[test]
fn a_phone_that_nobody_knows_and_one_in_clear_are_refused() {
    let mut bench = Bench::new();
    let mut rng = bench.rng.clone();
    // The last one asks for a service of the internet of things, for which it has no key.
    for (ran, message) in [
        (900, nas::random_guti(plmn(), &mut rng)),
        (901, nas::random_suci(plmn(), 7, &mut rng)),
        (902, nas::null_suci(plmn(), "0000000001")),
        (903, vec![0x7e, 0, 0x4f, 0x70]),
    ] {
        let pdu = gnb::initial(plmn(), 1, 1, ran, message);
        from_gnb(&mut bench, &pdu);
    }
    bench.pass(Duration::from_secs(60));
    assert_eq!(bench.gauge("control_plane.phones"), 0);
}

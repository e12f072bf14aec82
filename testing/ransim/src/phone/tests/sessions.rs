//! Sessions, from both sides.

use super::*;
use oxirush_nas::nas_5gs::*;
use std::net::{IpAddr, Ipv4Addr};

fn default_rule() -> QosRule {
    let filter = QosPacketFilter::Match {
        direction: QosPacketFilterDirection::Bidirectional,
        identifier: 1,
        components: vec![QosPacketFilterComponent::MatchAll],
    };
    QosRule::new(1, QosRuleOpCode::Create)
        .with_default_rule(true)
        .with_packet_filters(vec![filter])
        .with_precedence(255)
        .with_qfi(1)
}

fn downlink(network: &mut Network, message: impl Into<Nas5gsmMessage>, psi: u8, pti: u8) -> Vec<u8> {
    let container =
        NasPayloadContainer::from_n1_sm_message(&Nas5gsMessage::new_5gsm(message, psi, pti)).expect("encodes");
    let kind = NasPayloadContainerType::from_kind(PayloadContainerKind::N1SmInformation);
    let transport =
        NasDlNasTransport::new(kind, container).with_pdu_session_id(NasPduSessionIdentity2::from_pdu_session_id(psi));
    network.send(transport)
}

fn uplink(network: &mut Network, bytes: &[u8]) -> (NasUlNasTransport, Nas5gsmHeader, Nas5gsmMessage) {
    let Nas5gmmMessage::UlNasTransport(transport) = network.hears(bytes) else { panic!("no transport") };
    match transport.payload_container.decode_as_n1_sm_message().expect("a 5GSM message") {
        Nas5gsMessage::Gsm(header, message) => (*transport, header, message),
        other => panic!("{other}"),
    }
}

fn accept() -> NasPduSessionEstablishmentAccept {
    let pco = Pco::new(
        0,
        vec![
            PcoEntry { identifier: 0x000d, contents: vec![10, 9, 0, 53] },
            PcoEntry { identifier: 0x0010, contents: vec![0x05, 0x78] },
        ],
    );
    NasPduSessionEstablishmentAccept::new(
        NasPduSessionType::from_session_type(PduSessionTypeValue::Ipv4),
        NasSscMode::from_mode(SscModeValue::Ssc1),
        NasQosRules::from_rules(&[default_rule()]).expect("one rule"),
        NasSessionAmbr::from_kbps(50_000, 10_000).expect("exact"),
    )
    .with_pdu_address(NasPduAddress::from_ipv4([10, 1, 2, 3]))
    .with_extended_protocol_configuration_options(
        NasExtendedProtocolConfigurationOptions::from_pco(&pco, PcoDirection::Downlink).expect("options"),
    )
}

/// A registered phone with session 1.
fn with_session() -> Bench {
    let mut bench = Bench::with(|config| config.sessions = vec![SessionWish::default()]);
    bench.call(|phone, io| phone.power_on(io));
    let request = bench.sent_one();
    bench.network.hears_registration(&request);
    let asked = bench.network.registration.clone().expect("heard");
    assert!(asked.fgs_registration_type.follow_on_request(), "a session waits");
    let challenge = bench.network.challenge();
    bench.receive(&challenge);
    let response = bench.sent_one();
    bench.network.hears_response(&response);
    let command = bench.network.security_mode();
    bench.receive(&command);
    let complete = bench.sent_one();
    bench.network.hears_security_mode_complete(&complete);
    let accepted = bench.network.accept();
    bench.receive(&accepted);
    let mut sent = bench.sent();
    assert_eq!(sent.len(), 2, "registration complete, then the request");
    bench.network.hears(&sent.remove(0));
    let (transport, header, message) = uplink(&mut bench.network, &sent[0]);
    assert!(transport.request_type.expect("there").is_initial());
    let Nas5gsmMessage::PduSessionEstablishmentRequest(request) = message else { panic!("another message") };
    let options = request.extended_protocol_configuration_options.expect("options");
    assert!(options.pco(PcoDirection::Uplink).expect("reads").entry(0x000d).is_some(), "name servers are asked for");
    let (psi, pti) = (header.pdu_session_identity, header.procedure_transaction_identity);
    let bytes = downlink(&mut bench.network, accept(), psi, pti);
    bench.receive(&bytes);
    assert!(bench.events().contains(&Event::SessionUp { psi: 1 }));
    bench
}

#[test]
fn a_session_has_what_the_network_says() {
    let bench = with_session();
    let session = bench.phone.session(1).expect("there");
    assert_eq!(session.state, SessionState::Active);
    assert_eq!(session.ipv4, Some(Ipv4Addr::new(10, 1, 2, 3)));
    assert_eq!(session.dns, [IpAddr::from([10, 9, 0, 53])]);
    assert_eq!(session.mtu, Some(1400));
    assert_eq!(session.ambr, Some((50_000, 10_000)));
    assert_eq!(session.default_qfi(), Some(1));
}

#[test]
fn a_session_without_default_rule_is_released_by_the_phone() {
    let mut bench = with_session();
    bench.call(|phone, io| phone.open_session(io, SessionWish::default())).expect("room");
    let request = bench.sent_one();
    let (_, header, _) = uplink(&mut bench.network, &request);
    let mut bad = accept();
    bad.authorized_qos_rules = NasQosRules::from_rules(&[default_rule().with_default_rule(false)]).expect("one rule");
    let bytes = downlink(&mut bench.network, bad, header.pdu_session_identity, header.procedure_transaction_identity);
    bench.receive(&bytes);
    let sent = bench.sent_one();
    assert!(matches!(uplink(&mut bench.network, &sent).2, Nas5gsmMessage::PduSessionReleaseRequest(_)));
}

#[test]
fn a_refused_or_unforwarded_session_is_gone() {
    let mut bench = with_session();
    let psi = bench.call(|phone, io| phone.open_session(io, SessionWish::default())).expect("room");
    let request = bench.sent_one();
    let (_, header, _) = uplink(&mut bench.network, &request);
    let cause = NasFGsmCause::from_cause(GsmCause::MissingOrUnknownDnn);
    let pti = header.procedure_transaction_identity;
    let bytes = downlink(&mut bench.network, NasPduSessionEstablishmentReject::new(cause), psi, pti);
    bench.receive(&bytes);
    assert!(bench.events().contains(&Event::SessionRejected { psi, cause: 27 }));
    assert!(bench.phone.session(psi).is_none());
}

#[test]
fn the_network_adds_a_flow_and_a_nonsensical_change_is_refused() {
    let mut bench = with_session();
    let rule = QosRule::new(2, QosRuleOpCode::Create)
        .with_packet_filters(vec![QosPacketFilter::Match {
            direction: QosPacketFilterDirection::Bidirectional,
            identifier: 1,
            components: vec![QosPacketFilterComponent::ProtocolIdentifierOrNextHeader(17)],
        }])
        .with_precedence(10)
        .with_qfi(2);
    let flows = NasQosFlowDescriptions::from_descriptions(&[QosFlowDescription::new(
        2,
        QosFlowOpCode::Create,
        true,
        vec![QosFlowParameter::FiveQi(1)],
    )])
    .expect("one flow");
    let command = NasPduSessionModificationCommand::new()
        .with_authorized_qos_rules(NasQosRules::from_rules(std::slice::from_ref(&rule)).expect("one rule"))
        .with_authorized_qos_flow_descriptions(flows);
    let bytes = downlink(&mut bench.network, command, 1, 0);
    bench.receive(&bytes);
    let sent = bench.sent_one();
    assert!(matches!(uplink(&mut bench.network, &sent).2, Nas5gsmMessage::PduSessionModificationComplete(_)));
    assert_eq!(bench.phone.session(1).expect("there").flows.get(&2), Some(&1));

    let second_default = rule.with_default_rule(true);
    let command = NasPduSessionModificationCommand::new()
        .with_authorized_qos_rules(NasQosRules::from_rules(&[second_default]).expect("one rule"));
    let bytes = downlink(&mut bench.network, command, 1, 0);
    bench.receive(&bytes);
    let sent = bench.sent_one();
    assert!(matches!(uplink(&mut bench.network, &sent).2, Nas5gsmMessage::PduSessionModificationCommandReject(_)));
}

#[test]
fn a_session_ends_from_either_side() {
    let mut bench = with_session();
    bench.call(|phone, io| phone.close_session(io, 1)).expect("active");
    let sent = bench.sent_one();
    let (_, header, message) = uplink(&mut bench.network, &sent);
    assert!(matches!(message, Nas5gsmMessage::PduSessionReleaseRequest(_)));
    let cause = || NasFGsmCause::from_cause(GsmCause::RegularDeactivation);
    let pti = header.procedure_transaction_identity;
    let bytes = downlink(&mut bench.network, NasPduSessionReleaseCommand::new(cause()), 1, pti);
    bench.receive(&bytes);
    let sent = bench.sent_one();
    assert!(matches!(uplink(&mut bench.network, &sent).2, Nas5gsmMessage::PduSessionReleaseComplete(_)));
    assert!(bench.phone.session(1).is_none());

    let mut bench = with_session();
    let bytes = downlink(&mut bench.network, NasPduSessionReleaseCommand::new(cause()), 1, 0);
    bench.receive(&bytes);
    assert!(bench.events().contains(&Event::SessionDown { psi: 1 }));
}

#[test]
fn an_unanswered_request_is_repeated_four_times() {
    let mut bench = with_session();
    let psi = bench.call(|phone, io| phone.open_session(io, SessionWish::default())).expect("room");
    for _ in 0..5 {
        let sent = bench.sent_one();
        assert!(matches!(uplink(&mut bench.network, &sent).2, Nas5gsmMessage::PduSessionEstablishmentRequest(_)));
        bench.pass(Duration::from_secs(16));
    }
    assert!(bench.sent().is_empty());
    assert!(bench.events().contains(&Event::SessionRejected { psi, cause: 0 }));
}

#[test]
fn data_of_an_idle_phone_asks_for_its_session() {
    let mut bench = with_session();
    bench.go_idle();
    bench.call(|phone, io| phone.data_waiting(io, 1));
    let sent = bench.sent_one();
    let Nas5gmmMessage::ServiceRequest(request) = bench.network.hears(&sent) else { panic!("another message") };
    assert_eq!(request.service_type.service_type(), Some(ServiceType::Data));
    assert_eq!(request.uplink_data_status.expect("there").sessions_with_data(), [1]);
    assert_eq!(request.pdu_session_status.expect("there").active_sessions(), [1]);
}

#[test]
fn a_network_without_the_session_ends_it_by_the_session_status() {
    let mut bench = with_session();
    bench.go_idle();
    bench.call(|phone, io| phone.connect(io));
    let sent = bench.sent_one();
    bench.network.hears(&sent);
    let accept =
        NasServiceAccept::new().with_pdu_session_status(NasPduSessionStatus::from_sessions(&[]).expect("none"));
    let accept = bench.network.send(accept);
    bench.receive(&accept);
    assert!(bench.events().contains(&Event::SessionDown { psi: 1 }));
}

#[test]
fn a_message_for_no_session_is_answered_with_a_status() {
    let mut bench = with_session();
    let cause = NasFGsmCause::from_cause(GsmCause::RegularDeactivation);
    let bytes = downlink(&mut bench.network, NasPduSessionReleaseCommand::new(cause), 9, 0);
    bench.receive(&bytes);
    let sent = bench.sent_one();
    let (_, _, message) = uplink(&mut bench.network, &sent);
    let Nas5gsmMessage::FiveGsmStatus(status) = message else { panic!("no status") };
    assert_eq!(status.fgsm_cause.cause(), Some(GsmCause::InvalidPduSessionIdentity));
}

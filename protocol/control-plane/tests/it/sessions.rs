//! Sessions: what is given, what is refused, how they change and end.

use crate::world::*;
use oxirush_nas::nas_5gs::ServiceType;
use oxirush_nas::nas_5gs::*;
use oxirush_ngap::build_ngap;
use oxirush_ngap::ngap::*;
use pakawaaz_control_plane::config::Network;
use pakawaaz_control_plane::io::*;
use pakawaaz_user_plane::rules::{PacketFilter, QosFlow, RefusedBecause, SessionRef, UserPlaneReply, UserPlaneRequest};
use std::sync::Arc;
use std::time::Duration;

fn with(change: impl FnOnce(&mut Network)) -> (World, u32) {
    let mut network = network();
    change(&mut network);
    let mut world = World::with(network);
    world.gnb(GNB, 1);
    let phone = world.phone(1);
    let ran = world.register(phone);
    (world, ran)
}

fn ask(world: &mut World, ran: u32, psi: u8, kind: PduSessionTypeValue, dnn: Option<&str>) {
    let nas = world.phones[0].session_request(psi, kind, dnn);
    world.uplink(ran, &nas);
}

fn refused(world: &World, cause: GsmCause) {
    assert_eq!(world.phones[0].causes, [cause as u8]);
    assert!(world.view(1).unwrap().sessions.is_empty());
    assert_eq!(world.count("SM.PduSessionCreationFail"), 1);
    assert_eq!(world.core.gauges()[2], ("SM.SessionNbrMean", 0));
}

#[test]
fn a_session_has_its_address_rules_rates_and_options() {
    let (world, _) = World::with_session();
    let accept = &world.phones[0].sessions[&1];
    assert_eq!(accept.pdu_address.as_ref().unwrap().ipv4(), Some([10, 45, 0, 2]));
    assert_eq!(accept.selected_ssc_mode.mode(), Some(SscModeValue::Ssc1));
    assert_eq!(accept.session_ambr.uplink_kbps(), Some(100_000));
    let rules = accept.authorized_qos_rules.rules();
    assert_eq!(rules.len(), 1);
    assert!(rules[0].dqr);
    assert_eq!((rules[0].qfi, rules[0].precedence), (Some(1), Some(255)));
    let flows = accept.authorized_qos_flow_descriptions.as_ref().unwrap().descriptions();
    assert_eq!(flows[0].params, [QosFlowParameter::FiveQi(9)]);
    assert_eq!(accept.dnn.as_ref().unwrap().as_string().as_deref(), Some("platform"));
    let options = accept.extended_protocol_configuration_options.as_ref().unwrap().pco(PcoDirection::Downlink).unwrap();
    assert_eq!(options.entry(0x000d).unwrap().contents, [10, 9, 0, 1]);
    assert_eq!(options.entry(0x0003).unwrap().contents.len(), 16);
    assert_eq!(options.entry(0x0010).unwrap().contents, 1380u16.to_be_bytes());
    let started = |fact: &Fact| matches!(fact, Fact::SessionStarted { dnn, .. } if dnn == "platform");
    assert!(world.facts.iter().any(started));
    let rules = world.user_plane.iter().find_map(|request| match request {
        UserPlaneRequest::Establish(rules) => Some(rules.clone()),
        _ => None,
    });
    let rules = rules.unwrap();
    assert_eq!((rules.dnn.as_str(), rules.downlink, rules.flows.len()), ("platform", None, 1));
}

#[test]
fn every_kind_of_address_is_given() {
    for (kind, dnn, ipv4, ipv6) in [
        (PduSessionTypeValue::Ipv4, "platform", true, false),
        (PduSessionTypeValue::Ipv6, "platform", false, true),
        (PduSessionTypeValue::Ipv4v6, "platform", true, true),
        (PduSessionTypeValue::Ipv6, "six", false, true),
    ] {
        let (mut world, ran) = World::registered();
        ask(&mut world, ran, 3, kind, Some(dnn));
        let session = &world.view(1).unwrap().sessions[0];
        assert_eq!((session.ipv4.is_some(), session.ipv6.is_some()), (ipv4, ipv6));
        let accept = &world.phones[0].sessions[&3];
        assert_eq!(accept.selected_pdu_session_type.session_type(), Some(kind));
        assert_eq!(accept.pdu_address.as_ref().unwrap().ipv6_interface_id().is_some(), ipv6);
        assert!(accept.fgsm_cause.is_none());
    }
}

#[test]
fn both_kinds_are_narrowed_to_what_there_is() {
    for (dnn, kind, cause) in [
        ("four", PduSessionTypeValue::Ipv4, GsmCause::PduSessionTypeIpv4OnlyAllowed),
        ("six", PduSessionTypeValue::Ipv6, GsmCause::PduSessionTypeIpv6OnlyAllowed),
    ] {
        let (mut world, ran) = World::registered();
        ask(&mut world, ran, 1, PduSessionTypeValue::Ipv4v6, Some(dnn));
        let accept = &world.phones[0].sessions[&1];
        assert_eq!(accept.selected_pdu_session_type.session_type(), Some(kind));
        assert_eq!(accept.fgsm_cause.as_ref().unwrap().cause(), Some(cause));
    }
}

#[test]
fn what_there_is_not_is_refused_with_its_cause() {
    use PduSessionTypeValue as Kind;
    for (kind, dnn, cause) in [
        (Kind::Ipv4, Some("nowhere"), GsmCause::MissingOrUnknownDnn),
        (Kind::Unstructured, None, GsmCause::UnknownPduSessionType),
        (Kind::Ethernet, None, GsmCause::UnknownPduSessionType),
        (Kind::Ipv6, Some("four"), GsmCause::PduSessionTypeIpv4OnlyAllowed),
        (Kind::Ipv4, Some("six"), GsmCause::PduSessionTypeIpv6OnlyAllowed),
        (Kind::Ipv4, Some("closed"), GsmCause::RequestedServiceOptionNotSubscribed),
    ] {
        let (mut world, ran) = World::registered();
        ask(&mut world, ran, 1, kind, dnn);
        refused(&world, cause);
    }
}

fn request() -> NasPduSessionEstablishmentRequest {
    let rates = NasIntegrityProtectionMaximumDataRate::from_rates(MaxDataRate::FullRate, MaxDataRate::FullRate);
    NasPduSessionEstablishmentRequest::new(rates)
}

#[test]
fn a_name_in_the_wrong_slice_is_refused() {
    for slice in [NasSNssai::from_sst_sd(2, None), NasSNssai::from_sst_sd(9, None)] {
        let (mut world, ran) = World::registered();
        let nas = world.phones[0].session_request_with(1, request(), Some("platform"), Some(slice));
        world.uplink(ran, &nas);
        refused(&world, GsmCause::MissingOrUnknownDnnInASlice);
    }
}

#[test]
fn a_slice_chooses_the_data_network() {
    let (mut world, ran) = World::registered();
    let nas = world.phones[0].session_request_with(1, request(), None, Some(NasSNssai::from_sst_sd(2, None)));
    world.uplink(ran, &nas);
    assert_eq!(world.view(1).unwrap().sessions[0].dnn, "six");
}

#[test]
fn another_ssc_mode_is_refused() {
    let (mut world, ran) = World::registered();
    let request = request().with_ssc_mode(NasSscMode::from_mode(SscModeValue::Ssc3));
    let nas = world.phones[0].session_request_with(1, request, None, None);
    world.uplink(ran, &nas);
    refused(&world, GsmCause::NotSupportedSscMode);
}

#[test]
fn a_phone_that_cannot_protect_its_data_gets_no_session() {
    let (mut world, ran) = World::registered();
    let rates = NasIntegrityProtectionMaximumDataRate::from_rates(MaxDataRate::Null, MaxDataRate::FullRate);
    let nas = world.phones[0].session_request_with(1, NasPduSessionEstablishmentRequest::new(rates), None, None);
    world.uplink(ran, &nas);
    refused(&world, GsmCause::MaximumDataRatePerUeForUserPlaneIntegrityProtectionIsTooLow);
}

#[test]
fn a_pool_that_is_used_up_is_said() {
    let mut world = World::ready();
    for n in 1..=6 {
        let phone = world.phone(n);
        let ran = world.register(phone);
        let nas = world.phones[phone].session_request(1, PduSessionTypeValue::Ipv4, Some("four"));
        world.uplink(ran, &nas);
        let cause = GsmCause::InsufficientResourcesForSpecificSliceAndDnn as u8;
        let expected: &[u8] = if n <= 5 { &[] } else { &[cause] };
        assert_eq!(world.phones[phone].causes, expected, "phone {n}");
    }
}

#[test]
fn sessions_of_one_phone_are_bounded() {
    let (mut world, ran) = World::registered();
    for psi in 1..=5 {
        ask(&mut world, ran, psi, PduSessionTypeValue::Ipv4, None);
    }
    assert_eq!(world.view(1).unwrap().sessions.len(), 4);
    assert_eq!(world.phones[0].causes, [GmmCause::MaximumNumberOfPduSessionsReached as u8]);
}

#[test]
fn a_session_that_is_asked_for_again_replaces_the_one_before() {
    let (mut world, ran) = World::with_session();
    let before = world.view(1).unwrap().sessions[0].reference;
    let nas = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4v6, None);
    world.uplink(ran, &nas);
    let view = world.view(1).unwrap();
    assert_eq!(view.sessions.len(), 1);
    assert_ne!(view.sessions[0].reference, before);
    assert!(world.user_plane.contains(&UserPlaneRequest::Release { session: before }));
    assert!(world.sent_names().contains(&"PDUSessionResourceReleaseCommand"));
}

#[test]
fn a_session_of_another_access_does_not_exist() {
    let (mut world, ran) = World::registered();
    let mut transport = world.phones[0].sm(1, 2, request());
    transport.request_type = Some(NasRequestType::from_request_type(RequestTypeValue::ExistingPduSession));
    let nas = world.phones[0].protect(transport);
    world.uplink(ran, &nas);
    refused(&world, GsmCause::PduSessionDoesNotExist);
}

#[test]
fn always_on_is_the_networks_to_decide() {
    for network_wants in [false, true] {
        let (mut world, ran) = with(|network| network.data_networks[0].always_on = network_wants);
        let request = request().with_always_on_pdu_session_requested(NasAlwaysOnPduSessionRequested::from_apsr(true));
        let nas = world.phones[0].session_request_with(1, request, None, None);
        world.uplink(ran, &nas);
        let said = world.phones[0].sessions[&1].always_on_pdu_session_indication.unwrap();
        assert_eq!(said.apsi(), network_wants);
    }
}

#[test]
fn a_static_address_is_given() {
    let mut world = World::ready();
    let phone = world.phone(1);
    let mut subscription = subscription();
    subscription.data_networks[0].static_ipv4 = Some("10.45.7.7".parse().unwrap());
    world.subscriptions.insert(world.phones[phone].imsi.clone(), subscription);
    let ran = world.register(phone);
    ask(&mut world, ran, 1, PduSessionTypeValue::Ipv4, None);
    assert_eq!(world.view(1).unwrap().sessions[0].ipv4, Some("10.45.7.7".parse().unwrap()));
}

#[test]
fn a_gnb_that_refuses_the_session_ends_it() {
    let (mut world, ran) = World::registered();
    world.gnb_refuses_sessions = true;
    ask(&mut world, ran, 1, PduSessionTypeValue::Ipv4, None);
    refused(&world, GsmCause::InsufficientResources);
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Release { .. })));
}

#[test]
fn a_gnb_that_does_not_protect_the_data_is_not_used() {
    let (mut world, ran) = World::registered();
    world.gnb_integrity = false;
    ask(&mut world, ran, 1, PduSessionTypeValue::Ipv4, None);
    assert!(world.view(1).unwrap().sessions.is_empty());
    assert!(!world.user_plane.iter().any(|request| matches!(request, UserPlaneRequest::Reach { .. })));
}

#[test]
fn a_gnb_that_does_not_answer_ends_the_session() {
    let (mut world, ran) = World::registered();
    world.gnb_mute.insert("PDUSessionResourceSetupRequest");
    ask(&mut world, ran, 1, PduSessionTypeValue::Ipv4, None);
    world.pass(Duration::from_secs(11));
    refused(&world, GsmCause::InsufficientResources);
}

#[test]
fn what_the_user_plane_refuses_is_refused() {
    for (because, cause) in [
        (RefusedBecause::UnknownDataNetwork, GsmCause::MissingOrUnknownDnn),
        (RefusedBecause::Full, GsmCause::InsufficientResourcesForSpecificSliceAndDnn),
        (RefusedBecause::Taken, GsmCause::InsufficientResources),
        (RefusedBecause::Unavailable, GsmCause::NetworkFailure),
    ] {
        let (mut world, ran) = World::registered();
        world.user_plane_refuses = Some(because);
        ask(&mut world, ran, 1, PduSessionTypeValue::Ipv4, None);
        refused(&world, cause);
        assert_eq!(world.alarms.contains(&Alarm::UserPlaneUnavailable), because == RefusedBecause::Unavailable);
    }
}

#[test]
fn a_user_plane_that_does_not_answer_is_given_up() {
    let (mut world, ran) = World::registered();
    world.user_plane_mute = true;
    ask(&mut world, ran, 1, PduSessionTypeValue::Ipv4, None);
    world.pass(Duration::from_secs(11));
    refused(&world, GsmCause::NetworkFailure);
    assert_eq!(world.alarms, [Alarm::UserPlaneUnavailable]);
}

#[test]
fn the_phone_releases_its_session() {
    let (mut world, ran) = World::with_session();
    let sm = world.phones[0].sm(1, 9, NasPduSessionReleaseRequest::new());
    let nas = world.phones[0].protect(sm);
    world.uplink(ran, &nas);
    assert!(world.view(1).unwrap().sessions.is_empty());
    assert!(world.phones[0].sessions.is_empty());
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Release { .. })));
    assert_eq!(world.facts.iter().filter(|fact| matches!(fact, Fact::SessionEnded { .. })).count(), 1);
    let sm = world.phones[0].sm(1, 10, NasPduSessionReleaseRequest::new());
    let nas = world.phones[0].protect(sm);
    world.uplink(ran, &nas);
    assert_eq!(world.phones[0].causes, [GsmCause::InvalidPduSessionIdentity as u8], "there is none any more");
}

#[test]
fn a_release_without_answer_is_sent_five_times_and_then_done() {
    let (mut world, ran) = World::with_session();
    world.phones[0].mute_sm = true;
    let sm = world.phones[0].sm(1, 9, NasPduSessionReleaseRequest::new());
    let nas = world.phones[0].protect(sm);
    world.uplink(ran, &nas);
    assert_eq!(world.view(1).unwrap().sessions.len(), 1);
    world.pass(Duration::from_secs(100));
    let times = world.phones[0].heard.iter().filter(|name| *name == "PduSessionReleaseCommand").count();
    assert_eq!(times, 5);
    assert!(world.view(1).unwrap().sessions.is_empty());
}

fn call(qfi: u8) -> QosFlow {
    let filter = PacketFilter {
        remote: Some(pakawaaz_user_plane::rules::IpNet { address: "10.9.0.0".parse().unwrap(), prefix: 24 }),
        protocol: Some(17),
        remote_ports: Some((40_000, 40_000)),
        local_ports: Some((50_000, 50_010)),
    };
    QosFlow {
        qfi,
        five_qi: 1,
        guaranteed: Some(rates(1)),
        maximum: Some(rates(2)),
        precedence: 10,
        filters: vec![filter],
    }
}

fn flows(world: &mut World, flows: Vec<QosFlow>) {
    let imsi = world.imsi(1);
    world.command(Command::Flows { imsi, dnn: "platform".to_owned(), flows });
}

#[test]
fn a_call_gets_its_flow_and_gives_it_back() {
    let (mut world, _) = World::with_session();
    flows(&mut world, vec![call(2)]);
    assert_eq!(world.view(1).unwrap().sessions[0].flows, [2]);
    assert!(world.sent_names().contains(&"PDUSessionResourceModifyRequest"));
    let Some(Nas5gsmMessage::PduSessionModificationCommand(command)) = world.phones[0].last_sm.clone() else {
        panic!("a modification command")
    };
    let rules = command.authorized_qos_rules.unwrap().rules();
    assert_eq!((rules[0].op_code, rules[0].qfi), (QosRuleOpCode::Create, Some(2)));
    let Some(UserPlaneRequest::Flows { flows: told, .. }) = world.user_plane.last() else { panic!("flows") };
    assert_eq!(told.len(), 2);
    world.pass(Duration::from_secs(100));
    let times = world.phones[0].heard.iter().filter(|name| *name == "PduSessionModificationCommand").count();
    assert_eq!(times, 1, "it was acknowledged");
    flows(&mut world, Vec::new());
    assert!(world.view(1).unwrap().sessions[0].flows.is_empty());
    let Some(Nas5gsmMessage::PduSessionModificationCommand(command)) = world.phones[0].last_sm.clone() else {
        panic!("a modification command")
    };
    assert_eq!(command.authorized_qos_rules.unwrap().rules()[0].op_code, QosRuleOpCode::Delete);
}

/// Seen with another maker's gNB, which never answered the first change.
#[test]
fn a_call_that_ends_before_its_beginning_is_acknowledged_ends_at_phone_and_gnb_too() {
    let (mut world, _) = World::with_session();
    world.phones[0].mute_sm = true;
    flows(&mut world, vec![call(2)]);
    flows(&mut world, Vec::new());
    let asked = world.sent_names().iter().filter(|name| **name == "PDUSessionResourceModifyRequest").count();
    assert_eq!(asked, 2, "the gNB may have the flow by now");
    let Some(Nas5gsmMessage::PduSessionModificationCommand(command)) = world.phones[0].last_sm.clone() else {
        panic!("a modification command")
    };
    let rules = command.authorized_qos_rules.unwrap().rules();
    assert_eq!(rules.iter().map(|rule| (rule.rule_id, rule.op_code)).collect::<Vec<_>>(), [(2, QosRuleOpCode::Delete)]);
    assert!(world.view(1).unwrap().sessions[0].flows.is_empty());
}

#[test]
fn a_call_for_an_idle_phone_calls_it_and_sets_up_its_flow() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    flows(&mut world, vec![call(2)]);
    assert_eq!(world.paged.len(), 1);
    world.service(0, ServiceType::MobileTerminatedServices, &[]);
    assert!(world.view(1).unwrap().sessions[0].carried);
    assert!(world.heard().contains(&"PduSessionModificationCommand"));
}

#[test]
fn flows_that_make_no_sense_are_not_taken() {
    let (mut world, _) = World::with_session();
    for wrong in [vec![call(1)], vec![call(64)], vec![call(2), call(2)]] {
        flows(&mut world, wrong);
        assert!(world.view(1).unwrap().sessions[0].flows.is_empty());
    }
    assert_eq!(world.count("control_plane.session_modifications_failed"), 3);
}

/// The operator lets every session of the data network and all of the phone's together carry less.
fn slower(world: &mut World) {
    let imsi = world.imsi(1);
    let mut slower = subscription();
    slower.data_networks[0].ambr = Some(rates(3));
    slower.ue_ambr = rates(5);
    world.command(Command::Subscription { imsi, subscription: Arc::new(slower) });
}

fn told_rates(world: &World) -> Option<u64> {
    match world.phones[0].last_sm.clone() {
        Some(Nas5gsmMessage::PduSessionModificationCommand(command)) => command.session_ambr?.downlink_kbps(),
        _ => None,
    }
}

#[test]
fn other_rates_are_in_force_at_user_plane_phone_and_gnb_at_once() {
    let (mut world, ran) = World::with_session();
    let before = world.sent.len();
    slower(&mut world);
    let Some(UserPlaneRequest::Flows { ambr, flows, .. }) = world.user_plane.last() else { panic!("rates") };
    assert_eq!((*ambr, flows.len()), (rates(3), 1));
    assert_eq!(told_rates(&world), Some(3000));
    let told = ["PDUSessionResourceModifyRequest", "UEContextModificationRequest"];
    assert_eq!(world.sent_names()[before..], told);
    slower(&mut world);
    assert_eq!(world.sent.len(), before + 2, "nothing has changed");
    world.pass(Duration::from_secs(100));
    assert_eq!(world.sent.len(), before + 2, "it was acknowledged");
    let refused = build_ngap!(
        UnsuccessfulOutcome,
        UEContextModification,
        UEContextModificationFailure,
        AMF_UE_NGAP_ID(world.amf(ran)),
        RAN_UE_NGAP_ID(ran),
        Cause(Cause::misc(CauseMisc::unspecified)),
    );
    world.gnb_says(GNB, &refused.unwrap().encode().unwrap());
    assert_eq!(world.count("control_plane.context_modification_failed"), 1);
}

#[test]
fn other_rates_wait_for_a_phone_that_is_idle() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    slower(&mut world);
    let Some(UserPlaneRequest::Flows { ambr, .. }) = world.user_plane.last() else { panic!("rates") };
    assert_eq!((*ambr, world.paged.len(), told_rates(&world)), (rates(3), 0, None));
    world.service(0, ServiceType::Data, &[1]);
    assert_eq!(told_rates(&world), Some(3000));
}

#[test]
fn a_modification_without_answer_is_sent_five_times() {
    let (mut world, _) = World::with_session();
    world.phones[0].mute_sm = true;
    flows(&mut world, vec![call(2)]);
    world.pass(Duration::from_secs(100));
    let times = world.phones[0].heard.iter().filter(|name| *name == "PduSessionModificationCommand").count();
    assert_eq!(times, 5);
}

#[test]
fn a_change_that_the_phone_rejects_is_taken_back() {
    let (mut world, ran) = World::with_session();
    world.phones[0].mute_sm = true;
    flows(&mut world, vec![call(2)]);
    let cause = NasFGsmCause::from_cause(GsmCause::FiveGsQosNotAccepted);
    let sm = world.phones[0].sm(1, 0, NasPduSessionModificationCommandReject::new(cause));
    let nas = world.phones[0].protect(sm);
    world.uplink(ran, &nas);
    assert!(world.view(1).unwrap().sessions[0].flows.is_empty());
    let Some(UserPlaneRequest::Flows { flows: told, .. }) = world.user_plane.last() else { panic!("flows") };
    assert_eq!(told.len(), 1);
}

#[test]
fn a_phone_that_asks_for_flows_of_its_own_is_refused() {
    let (mut world, ran) = World::with_session();
    let rules = NasQosRules::from_rules(&[QosRule::new(1, QosRuleOpCode::ModifyNoFilters)
        .with_precedence(3)
        .with_qfi(1)
        .with_segregation(false)])
    .unwrap();
    let request = NasPduSessionModificationRequest::new().with_requested_qos_rules(rules);
    let sm = world.phones[0].sm(1, 5, request);
    let nas = world.phones[0].protect(sm);
    world.uplink(ran, &nas);
    assert_eq!(world.phones[0].causes, [GsmCause::FiveGsQosNotAccepted as u8]);
    let sm = world.phones[0].sm(9, 6, NasPduSessionModificationRequest::new());
    let nas = world.phones[0].protect(sm);
    world.uplink(ran, &nas);
    assert_eq!(world.phones[0].causes.last(), Some(&(GsmCause::InvalidPduSessionIdentity as u8)));
}

#[test]
fn a_user_plane_that_starts_anew_gets_its_sessions_and_phones_come_back() {
    let (mut world, ran) = World::with_session();
    world.user_plane.clear();
    world.input(Input::UserPlane(UserPlaneReply::Restarted));
    assert!(world.radio(ran).released);
    assert!(world.user_plane.iter().any(|request| matches!(request, UserPlaneRequest::Establish(_))));
    assert_eq!(world.alarms, [Alarm::UserPlaneUnavailable]);
    world.service(0, ServiceType::Data, &[1]);
    assert!(world.view(1).unwrap().sessions[0].carried);
}

#[test]
fn a_user_plane_that_is_gone_is_not_waited_for_and_no_session_is_lost() {
    let (mut world, ran) = World::with_session();
    let before = world.view(1).unwrap().sessions[0].reference;
    world.user_plane.clear();
    world.input(Input::UserPlaneGone);
    world.input(Input::UserPlaneGone);
    assert_eq!(world.alarms, [Alarm::UserPlaneUnavailable], "said once");
    ask(&mut world, ran, 2, PduSessionTypeValue::Ipv4, None);
    assert_eq!(world.phones[0].causes, [GsmCause::NetworkFailure as u8], "at once");
    assert!(!world.user_plane.iter().any(|request| matches!(request, UserPlaneRequest::Establish(_))));
    // What the phone has stays, however long it takes.
    world.pass(Duration::from_secs(60));
    assert_eq!(world.view(1).unwrap().sessions[0].reference, before);
    assert!(!world.user_plane.iter().any(|request| matches!(request, UserPlaneRequest::Release { .. })));
    world.input(Input::UserPlane(UserPlaneReply::Restarted));
    assert!(world.user_plane.iter().any(|request| matches!(request, UserPlaneRequest::Establish(_))));
    let ran = world.service(0, ServiceType::Data, &[1]);
    assert!(world.view(1).unwrap().sessions[0].carried);
    ask(&mut world, ran, 2, PduSessionTypeValue::Ipv4, None);
    assert!(world.phones[0].sessions.contains_key(&2), "and new ones are made again");
}

#[test]
fn a_phone_that_comes_back_before_the_user_plane_is_not_led_to_a_tunnel_that_is_gone() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    world.input(Input::UserPlaneGone);
    world.service(0, ServiceType::Data, &[1]);
    assert!(!world.view(1).unwrap().sessions[0].carried);
    // It stays connected, and is carried as soon as there is something that carries it.
    world.input(Input::UserPlane(UserPlaneReply::Restarted));
    assert!(world.view(1).unwrap().sessions[0].carried);
}

#[test]
fn a_session_in_the_making_is_refused_when_the_user_plane_goes() {
    let (mut world, ran) = World::registered();
    world.user_plane_mute = true;
    ask(&mut world, ran, 1, PduSessionTypeValue::Ipv4, None);
    assert!(world.phones[0].causes.is_empty());
    world.input(Input::UserPlaneGone);
    refused(&world, GsmCause::NetworkFailure);
    assert!(world.view(1).unwrap().sessions.is_empty());
}

#[test]
fn a_restored_session_outlives_a_user_plane_that_is_not_there() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    let session = world.view(1).unwrap().sessions[0].reference;
    let unavailable = UserPlaneReply::Refused { session, because: RefusedBecause::Unavailable };
    world.input(Input::UserPlane(unavailable));
    assert_eq!(world.view(1).unwrap().sessions.len(), 1);
}

#[test]
fn a_tunnel_that_the_gnb_has_lost_makes_the_phone_idle() {
    let (mut world, ran) = World::with_session();
    let session = world.view(1).unwrap().sessions[0].reference;
    world.input(Input::UserPlane(UserPlaneReply::TunnelLost { session }));
    assert!(world.radio(ran).released);
    world.input(Input::UserPlane(UserPlaneReply::TunnelLost { session: SessionRef(99) }));
}

#[test]
fn a_session_that_does_not_fit_its_name_is_answered() {
    let (mut world, ran) = World::with_session();
    let mut transport = world.phones[0].sm(1, 4, NasPduSessionReleaseRequest::new());
    transport.pdu_session_id = Some(NasPduSessionIdentity2::from_pdu_session_id(2));
    let nas = world.phones[0].protect(transport);
    world.uplink(ran, &nas);
    assert_eq!(world.phones[0].causes, [GsmCause::InvalidPduSessionIdentity as u8]);
    assert_eq!(world.view(1).unwrap().sessions.len(), 1);
}

#[test]
fn an_sms_goes_back_because_nobody_forwards_it() {
    let (mut world, ran) = World::registered();
    let sms = NasUlNasTransport::new(
        NasPayloadContainerType::from_kind(PayloadContainerKind::Sms),
        NasPayloadContainer::new(vec![1, 2, 3]),
    );
    let nas = world.phones[0].protect(sms);
    world.uplink(ran, &nas);
    assert_eq!(world.phones[0].causes, [GmmCause::PayloadWasNotForwarded as u8]);
}

#[test]
fn a_gnb_that_lets_go_of_a_session_makes_it_idle() {
    let (mut world, ran) = World::with_session();
    let transfer = PDUSessionResourceNotifyReleasedTransfer::new(Cause::nas(CauseNas::normal_release), None);
    let octets = encode_open_type(&transfer).unwrap().as_ref().to_vec();
    let item = PDUSessionResourceReleasedItemNot::new(PDUSessionID(1), octets.into(), None);
    let pdu = oxirush_ngap::build_ngap!(
        InitiatingMessage,
        PDUSessionResourceNotify,
        PDUSessionResourceNotify,
        AMF_UE_NGAP_ID(world.amf(ran)),
        RAN_UE_NGAP_ID(ran),
        PDUSessionResourceReleasedListNot(PDUSessionResourceReleasedListNot(vec![item])),
    );
    world.gnb_says(GNB, &pdu.unwrap().encode().unwrap());
    assert!(!world.view(1).unwrap().sessions[0].carried);
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Idle { .. })));
}

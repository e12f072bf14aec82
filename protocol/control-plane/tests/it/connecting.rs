//! Service requests, paging, configuration updates and deregistration.

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::views::UeState;
use pakawaaz_user_plane::rules::{UserPlaneReply, UserPlaneRequest};
use std::sync::Arc;
use std::time::Duration;

fn waiting(world: &mut World) {
    let session = world.view(1).unwrap().sessions[0].reference;
    world.input(Input::UserPlane(UserPlaneReply::Waiting { session, qfi: 1 }));
}

fn idle_with_session() -> World {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    world
}

#[test]
fn packets_for_an_idle_phone_call_it_and_bring_its_session_back() {
    let mut world = idle_with_session();
    waiting(&mut world);
    assert_eq!(world.view(1).unwrap().state, UeState::Paging);
    assert_eq!(world.paged, [world.phones[0].guti.unwrap().tmsi()]);
    world.service(0, ServiceType::MobileTerminatedServices, &[]);
    assert!(world.view(1).unwrap().sessions[0].carried);
    assert_eq!((world.count("MM.Paging5GReq"), world.count("MM.Paging5GSucc")), (1, 1));
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Reach { .. })));
}

#[test]
fn a_phone_is_called_three_times_and_packets_may_call_it_again() {
    let mut world = idle_with_session();
    waiting(&mut world);
    world.user_plane.clear();
    world.pass(Duration::from_secs(20));
    assert_eq!(world.paged.len(), 3);
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
    assert!(matches!(world.user_plane[..], [UserPlaneRequest::Idle { .. }]));
    waiting(&mut world);
    assert_eq!(world.paged.len(), 4);
}

#[test]
fn packets_for_a_connected_phone_set_its_session_up() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    world.service(0, ServiceType::Signalling, &[]);
    assert!(!world.view(1).unwrap().sessions[0].carried);
    waiting(&mut world);
    assert!(world.view(1).unwrap().sessions[0].carried);
    assert!(world.paged.is_empty());
}

#[test]
fn a_service_request_while_connected_sets_its_sessions_up() {
    let mut world = idle_with_session();
    let ran = world.service(0, ServiceType::Signalling, &[]);
    let s_tmsi = world.phones[0].guti.unwrap().s_tmsi();
    let request = NasServiceRequest::new(
        world.phones[0].ksi(),
        NasServiceType::from_service_type(ServiceType::Data),
        NasFGsMobileIdentity::from_s_tmsi(s_tmsi),
    )
    .with_uplink_data_status(NasUplinkDataStatus::from_sessions(&[1]).unwrap());
    let nas = world.phones[0].protect(request);
    world.uplink(ran, &nas);
    assert!(world.view(1).unwrap().sessions[0].carried);
}

#[test]
fn a_service_request_of_nobody_we_know_is_rejected() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    let mut elsewhere = World::ready();
    elsewhere.phones.push(world.phones.remove(0));
    elsewhere.phones[0].heard.clear();
    let ran = elsewhere.service(0, ServiceType::Data, &[]);
    assert_eq!(elsewhere.heard(), ["ServiceReject"]);
    assert_eq!(elsewhere.phones[0].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
    assert!(elsewhere.radio(ran).released);
    assert_eq!(elsewhere.core.gauges()[3], ("control_plane.phones", 0));
}

#[test]
fn a_session_that_the_gnb_refuses_after_a_service_request_waits() {
    let mut world = idle_with_session();
    world.gnb_refuses_sessions = true;
    world.service(0, ServiceType::Data, &[1]);
    let view = world.view(1).unwrap();
    assert_eq!((view.state, view.sessions[0].carried), (UeState::Connected, false));
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Idle { .. })));
}

#[test]
fn sessions_are_made_the_same_by_a_service_request() {
    let mut world = idle_with_session();
    world.phones[0].sessions.clear();
    world.service(0, ServiceType::Signalling, &[]);
    assert!(world.view(1).unwrap().sessions.is_empty());
    let accept = world.phones[0].last_service.clone().unwrap();
    assert!(accept.pdu_session_status.unwrap().active_sessions().is_empty());
}

#[test]
fn a_phone_whose_new_name_was_lost_is_known_by_both() {
    let mut world = idle_with_session();
    let old = world.phones[0].guti;
    world.phones[0].mute.insert(Nas5gmmMessageType::ConfigurationUpdateCommand);
    let ran = world.service(0, ServiceType::Signalling, &[]);
    world.pass(Duration::from_secs(60));
    let times = world.phones[0].heard.iter().filter(|name| *name == "ConfigurationUpdateCommand").count();
    assert_eq!(times, 6, "the network's name once, and the new GUTI five times");
    assert_eq!(world.phones[0].guti, old);
    world.release(ran);
    world.phones[0].mute.clear();
    world.service(0, ServiceType::Signalling, &[]);
    assert_eq!(world.view(1).unwrap().state, UeState::Connected);
    assert_ne!(world.phones[0].guti, old);
}

#[test]
fn a_phone_that_keeps_losing_its_new_names_stays_known_by_the_one_it_has() {
    let mut world = idle_with_session();
    let old = world.phones[0].guti;
    world.phones[0].mute.insert(Nas5gmmMessageType::ConfigurationUpdateCommand);
    for _ in 0..4 {
        let ran = world.service(0, ServiceType::Signalling, &[]);
        assert_eq!(world.phones[0].heard.last().map(String::as_str), Some("ConfigurationUpdateCommand"));
        world.release(ran);
    }
    assert_eq!(world.phones[0].guti, old);
    assert_eq!(world.asked.len(), 1, "never authenticated again");
}

#[test]
fn a_first_message_whose_container_cannot_be_read_is_asked_for_again_under_new_keys() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    let whole = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    world.phones[0].registration = Some(Nas5gsMessage::new_5gmm(whole.clone()));
    let mut cut = whole;
    cut.nas_message_container = Some(NasMessageContainer::new(vec![1, 2, 3]));
    let plain = Nas5gsMessage::new_5gmm(cut).encode().unwrap();
    let header = Nas5gsSecurityHeaderType::IntegrityProtected;
    let security = world.phones[0].security.as_mut().unwrap();
    let nas = security.protect_opaque_payload(plain, header, Direction::Uplink).unwrap();
    world.phones[0].exchange = false;
    world.connect(0, &nas);
    assert_eq!(world.view(1).unwrap().state, UeState::Connected);
    assert_eq!(world.asked.len(), 2, "authenticated again");
}

#[test]
fn a_first_message_that_begins_nothing_ends_the_connection() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    // It names nobody, so nobody is believed.
    let status = NasFGmmStatus::new(NasFGmmCause::from_cause(GmmCause::ProtocolErrorUnspecified));
    let nas = world.phones[0].protect(status);
    let ran = world.connect(0, &nas);
    assert!(world.radio(ran).released);
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
}

#[test]
fn a_second_connection_of_the_same_phone_ends_the_first() {
    let (mut world, first) = World::with_session();
    let second = world.service(0, ServiceType::Data, &[1]);
    assert!(world.radio(first).released);
    assert!(!world.radio(second).released);
    assert!(world.view(1).unwrap().sessions[0].carried);
    assert_eq!(world.core.gauges()[1], ("control_plane.connected", 1));
}

#[test]
fn a_gnb_that_does_not_complete_a_release_is_not_waited_for() {
    let (mut world, ran) = World::registered();
    world.gnb_mute.insert("UEContextReleaseCommand");
    world.release(ran);
    assert_eq!(world.view(1).unwrap().state, UeState::Releasing);
    world.pass(Duration::from_secs(11));
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
}

#[test]
fn a_phone_that_is_silent_for_too_long_is_gone() {
    let mut world = idle_with_session();
    world.pass(Duration::from_secs(61 * 60));
    assert!(world.view(1).is_some());
    world.pass(Duration::from_secs(2 * 60));
    assert!(world.view(1).is_none());
    let silent = |fact: &Fact| matches!(fact, Fact::Deregistered { because: DeregisteredBecause::Silence, .. });
    assert!(world.facts.iter().any(silent));
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
}

#[test]
fn a_phone_that_reports_in_time_stays() {
    let mut world = idle_with_session();
    for _ in 0..3 {
        world.pass(Duration::from_secs(50 * 60));
        let nas = world.phones[0].register(RegistrationType::PeriodicRegistrationUpdating);
        let ran = world.connect(0, &nas);
        world.release(ran);
    }
    assert!(world.view(1).is_some());
}

#[test]
fn a_phone_that_is_switched_off_gets_no_answer() {
    let (mut world, ran) = World::with_session();
    let request = world.phones[0].deregistration(true);
    let nas = world.phones[0].protect(request);
    let before = world.heard().len();
    world.uplink(ran, &nas);
    assert_eq!(world.heard().len(), before);
    assert!(world.view(1).is_none());
    assert!(world.radio(ran).released);
}

#[test]
fn an_idle_phone_deregisters_with_its_first_message() {
    let mut world = idle_with_session();
    let request = world.phones[0].deregistration(false);
    let nas = world.phones[0].initial(&Nas5gsMessage::new_5gmm(request));
    world.connect(0, &nas);
    assert!(world.view(1).is_none());
    assert_eq!(world.heard().last(), Some(&"DeregistrationAcceptUeOriginating"));
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
}

fn detach(world: &mut World) {
    let imsi = world.imsi(1);
    world.command(Command::Detach { imsi, come_back: true });
}

#[test]
fn an_operator_detaches_a_connected_phone() {
    let (mut world, ran) = World::with_session();
    detach(&mut world);
    assert_eq!(world.heard().last(), Some(&"DeregistrationRequestUeTerminated"));
    assert!(world.view(1).is_none());
    assert!(world.radio(ran).released);
    let network = |fact: &Fact| matches!(fact, Fact::Deregistered { because: DeregisteredBecause::Network, .. });
    assert!(world.facts.iter().any(network));
}

#[test]
fn an_operator_detaches_an_idle_phone_by_calling_it() {
    let mut world = idle_with_session();
    detach(&mut world);
    assert_eq!(world.paged.len(), 1);
    world.service(0, ServiceType::MobileTerminatedServices, &[]);
    assert_eq!(world.heard().last(), Some(&"DeregistrationRequestUeTerminated"));
    assert!(world.view(1).is_none());
}

#[test]
fn an_idle_phone_that_is_not_reached_is_detached_all_the_same() {
    let mut world = idle_with_session();
    detach(&mut world);
    world.pass(Duration::from_secs(20));
    assert!(world.view(1).is_none());
}

#[test]
fn a_detach_without_answer_is_sent_five_times_and_then_done() {
    let (mut world, _) = World::registered();
    world.phones[0].mute.insert(Nas5gmmMessageType::DeregistrationRequestUeTerminated);
    detach(&mut world);
    world.pass(Duration::from_secs(40));
    let times = world.phones[0].heard.iter().filter(|name| *name == "DeregistrationRequestUeTerminated").count();
    assert_eq!(times, 5);
    assert!(world.view(1).is_none());
}

#[test]
fn a_revoked_card_is_gone_at_once() {
    for idle in [false, true] {
        let (mut world, ran) = World::with_session();
        if idle {
            world.release(ran);
        } else {
            // It need not agree.
            world.phones[0].mute.insert(Nas5gmmMessageType::DeregistrationRequestUeTerminated);
        }
        let imsi = world.imsi(1);
        world.command(Command::Revoke { imsi });
        assert!(world.view(1).is_none());
        assert!(world.kept.is_empty());
        assert!(matches!(world.facts.last(), Some(Fact::Deregistered { because: DeregisteredBecause::Revoked, .. })));
        assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Release { .. })));
        world.refusal = Some(VaultRefusal::Blocked);
        world.phones[0].mute.clear();
        world.phones[0].security = None;
        world.phones[0].causes.clear();
        world.register(0);
        assert_eq!(world.phones[0].causes, [GmmCause::FiveGsServicesNotAllowed as u8]);
    }
}

fn revoke(world: &mut World) {
    let imsi = world.imsi(1);
    world.command(Command::Revoke { imsi });
    world.refusal = Some(VaultRefusal::Blocked);
}

fn phones(world: &World) -> u64 {
    world.core.gauges()[3].1
}

#[test]
fn a_revoked_idle_phone_is_called_to_be_told() {
    let mut world = idle_with_session();
    revoke(&mut world);
    // Everything of it has ended before it answers.
    assert!(matches!(world.facts.last(), Some(Fact::Deregistered { because: DeregisteredBecause::Revoked, .. })));
    assert!(world.kept.is_empty() && world.view(1).is_none());
    assert_eq!(world.paged, [world.phones[0].guti.unwrap().tmsi()]);
    let (facts, keeps) = (world.facts.len(), world.keeps);
    let ran = world.service(0, ServiceType::MobileTerminatedServices, &[1]);
    assert_eq!(world.heard().last(), Some(&"DeregistrationRequestUeTerminated"), "and no service accept");
    assert!(world.radio(ran).released);
    assert_eq!((world.facts.len(), world.keeps), (facts, keeps), "nothing is given or kept any more");
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
}

#[test]
fn a_revoked_phone_that_does_not_answer_is_forgotten_and_refused_later() {
    let mut world = idle_with_session();
    revoke(&mut world);
    assert_eq!(phones(&world), 1, "while it is called");
    world.pass(Duration::from_secs(20));
    assert_eq!(world.paged.len(), 3);
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
    world.service(0, ServiceType::Data, &[1]);
    assert_eq!(world.phones[0].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
    world.register(0);
    assert_eq!(world.phones[0].causes.last(), Some(&(GmmCause::FiveGsServicesNotAllowed as u8)));
    assert!(world.view(1).is_none());
}

#[test]
fn a_revoked_phone_does_not_register_under_the_keys_it_has() {
    let mut world = idle_with_session();
    revoke(&mut world);
    let nas = world.phones[0].register(RegistrationType::MobilityRegistrationUpdating);
    world.connect(0, &nas);
    assert_eq!(world.asked.len(), 2, "the vault is asked");
    assert_eq!(world.phones[0].causes, [GmmCause::FiveGsServicesNotAllowed as u8]);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
}

#[test]
fn a_phone_that_is_revoked_while_its_connection_ends_is_called_afterwards() {
    let (mut world, ran) = World::registered();
    world.gnb_mute.insert("UEContextReleaseCommand");
    world.release(ran);
    revoke(&mut world);
    assert!(world.paged.is_empty() && world.view(1).is_none());
    world.pass(Duration::from_secs(11));
    assert!(!world.paged.is_empty());
    world.pass(Duration::from_secs(60));
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
}

#[test]
fn a_card_that_may_do_less_loses_what_it_may_not() {
    let (mut world, _) = World::with_session();
    let mut less = subscription();
    less.data_networks.retain(|network| network.name != "platform");
    let imsi = world.imsi(1);
    world.command(Command::Subscription { imsi, subscription: Arc::new(less.clone()) });
    assert!(world.view(1).unwrap().sessions.is_empty());
    assert!(world.phones[0].sessions.is_empty());
    less.blocked = true;
    world.command(Command::Subscription { imsi, subscription: Arc::new(less) });
    assert!(world.view(1).is_none());
}

#[test]
fn a_card_that_is_bound_to_other_equipment_is_detached_with_an_alarm() {
    let (mut world, _) = World::registered();
    let mut bound = subscription();
    bound.equipment = vec!["11111111111111".to_owned()];
    let imsi = world.imsi(1);
    world.command(Command::Subscription { imsi, subscription: Arc::new(bound) });
    assert!(world.view(1).is_none());
    assert!(matches!(world.alarms[..], [Alarm::ForeignEquipment { .. }]));
}

#[test]
fn commands_for_a_card_that_is_not_here_do_nothing() {
    let mut world = World::ready();
    let imsi = world.imsi(1);
    detach(&mut world);
    world.command(Command::Revoke { imsi });
    world.command(Command::Flows { imsi, dnn: "platform".to_owned(), flows: Vec::new() });
    assert_eq!(world.sent.len(), 1);
}

//! Procedures that meet: what counts when phone and network want different things at the same time (TS 24.501 §5.4 and §5.5,
//! the clauses on abnormal cases in the network).

use crate::phone::network_plmn;
use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_control_plane::config::*;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::views::UeState;
use pakawaaz_user_plane::rules::UserPlaneRequest;
use std::time::Duration;

fn times(world: &World, name: &str) -> usize {
    world.phones[0].heard.iter().filter(|heard| *heard == name).count()
}

fn service_request(world: &World) -> NasServiceRequest {
    let name = world.phones[0].guti.unwrap_or_else(|| Guti::new(network_plmn(), 1, 1, 0, 77).unwrap());
    let kind = NasServiceType::from_service_type(ServiceType::Data);
    NasServiceRequest::new(world.phones[0].ksi(), kind, NasFGsMobileIdentity::from_s_tmsi(name.s_tmsi()))
}

/// A phone that has proved its card and is still asked what equipment it is.
fn authenticated() -> (World, u32) {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].imeisv = None;
    world.phones[phone].mute.insert(Nas5gmmMessageType::IdentityRequest);
    let ran = world.register(phone);
    assert_eq!(world.heard().last(), Some(&"IdentityRequest"));
    (world, ran)
}

#[test]
fn a_phone_that_is_not_registered_yet_gets_no_service() {
    let (mut world, ran) = authenticated();
    let session = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &session);
    let request = service_request(&world);
    let nas = world.phones[0].protect(request);
    world.uplink(ran, &nas);
    let session = world.phones[0].session_request(2, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &session);
    assert_eq!(world.phones[0].causes, [GmmCause::MessageTypeNotCompatibleWithTheProtocolState as u8; 3]);
    assert!(!world.sent_names().contains(&"InitialContextSetupRequest"), "no radio");
    assert!(!world.user_plane.iter().any(|asked| matches!(asked, UserPlaneRequest::Establish(_))), "no session");
    assert!(world.view(1).is_none());
}

#[test]
fn the_same_registration_again_before_its_accept_changes_nothing() {
    let (mut world, ran) = authenticated();
    let Some(Nas5gsMessage::Gmm(_, same)) = world.phones[0].registration.clone() else { panic!("a registration") };
    let nas = world.phones[0].protect(same);
    world.uplink(ran, &nas);
    assert_eq!((world.count("RM.RegInitReq"), times(&world, "IdentityRequest")), (1, 1));
    world.phones[0].mute.clear();
    world.pass(Duration::from_secs(6));
    assert!(world.view(1).is_some(), "it goes on");
}

#[test]
fn another_registration_before_the_first_is_acknowledged_takes_its_place() {
    let (mut world, ran) = World::registered();
    world.phones[0].mute.insert(Nas5gmmMessageType::RegistrationAccept);
    let request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    let first = world.phones[0].protect(request.clone());
    world.uplink(ran, &first);
    world.phones[0].mute.clear();
    let before = times(&world, "RegistrationAccept");
    let other = request.with_requested_nssai(NasNssai::from_snssais(&[NasSNssai::from_sst_sd(2, None)]).unwrap());
    let second = world.phones[0].protect(other);
    world.uplink(ran, &second);
    assert_eq!((world.count("RM.RegMobReq"), times(&world, "RegistrationAccept")), (2, before + 1));
    assert_eq!(world.phones[0].last_accept.clone().unwrap().allowed_nssai.unwrap().parse_all()[0].sst, 2);
    world.pass(Duration::from_secs(60));
    assert_eq!(times(&world, "RegistrationAccept"), before + 1, "the first accept is not repeated any more");
    assert_eq!(world.view(1).unwrap().state, UeState::Connected);
}

#[test]
fn a_deregistration_ends_a_registration_that_is_under_way() {
    for switch_off in [false, true] {
        let (mut world, ran) = World::with_session();
        world.phones[0].mute.insert(Nas5gmmMessageType::RegistrationAccept);
        let request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
        let nas = world.phones[0].protect(request);
        world.uplink(ran, &nas);
        let accepts = times(&world, "RegistrationAccept");
        let goodbye = world.phones[0].deregistration(switch_off);
        let goodbye = world.phones[0].protect(goodbye);
        world.uplink(ran, &goodbye);
        assert_eq!(times(&world, "DeregistrationAcceptUeOriginating"), usize::from(!switch_off));
        world.pass(Duration::from_secs(60));
        assert_eq!(times(&world, "RegistrationAccept"), accepts, "T3550 has stopped");
        assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
    }
}

#[test]
fn an_identity_that_was_not_asked_for_is_no_identity() {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].guti = Some(Guti::new(network_plmn(), 1, 1, 0, 77).unwrap());
    world.phones[phone].mute.insert(Nas5gmmMessageType::IdentityRequest);
    let ran = world.register(phone);
    assert_eq!(world.heard(), ["IdentityRequest"]);
    let other = NasIdentityResponse::new(NasFGsMobileIdentity::from_imeisv("3560920400000001").unwrap());
    world.uplink(ran, &Nas5gsMessage::new_5gmm(other).encode().unwrap());
    assert_eq!(world.phones[0].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
    assert!(world.radio(ran).released && world.asked.is_empty());
}

/// A phone that was told to deregister and has not answered yet.
fn told_to_leave() -> (World, u32) {
    let (mut world, ran) = World::with_session();
    world.phones[0].mute.insert(Nas5gmmMessageType::DeregistrationRequestUeTerminated);
    let imsi = world.imsi(1);
    world.command(Command::Detach { imsi, come_back: false });
    assert_eq!(world.heard().last(), Some(&"DeregistrationRequestUeTerminated"));
    (world, ran)
}

fn has_left_after_five_calls(world: &mut World) {
    world.pass(Duration::from_secs(40));
    assert_eq!(times(world, "DeregistrationRequestUeTerminated"), 5);
    assert!(world.view(1).is_none());
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
}

#[test]
fn a_service_request_does_not_stop_a_deregistration() {
    let (mut world, ran) = told_to_leave();
    let request = service_request(&world);
    let nas = world.phones[0].protect(request);
    world.uplink(ran, &nas);
    assert_eq!(times(&world, "ServiceAccept"), 0);
    has_left_after_five_calls(&mut world);
}

#[test]
fn a_mobility_or_periodic_registration_does_not_stop_a_deregistration() {
    for kind in [RegistrationType::MobilityRegistrationUpdating, RegistrationType::PeriodicRegistrationUpdating] {
        let (mut world, ran) = told_to_leave();
        let accepts = times(&world, "RegistrationAccept");
        let request = world.phones[0].registration_request(kind);
        let nas = world.phones[0].protect(request);
        world.uplink(ran, &nas);
        assert_eq!(times(&world, "RegistrationAccept"), accepts);
        has_left_after_five_calls(&mut world);
    }
}

#[test]
fn an_initial_registration_stops_a_deregistration_and_begins_anew() {
    let (mut world, ran) = told_to_leave();
    let request = world.phones[0].registration_request(RegistrationType::InitialRegistration);
    let nas = world.phones[0].protect(request);
    world.uplink(ran, &nas);
    assert_eq!(world.heard().last(), Some(&"ConfigurationUpdateCommand"));
    world.pass(Duration::from_secs(60));
    assert_eq!(times(&world, "DeregistrationRequestUeTerminated"), 1);
    let view = world.view(1).unwrap();
    assert_eq!((view.state, view.sessions.len()), (UeState::Connected, 0));
}

#[test]
fn a_phone_whose_connection_ends_while_it_is_told_to_leave_has_left() {
    for lost in [false, true] {
        let (mut world, ran) = told_to_leave();
        match lost {
            true => world.input(Input::Down { association: GNB }),
            false => world.release(ran),
        }
        assert!(world.view(1).is_none(), "not a phone that is registered and idle");
        let ends = |fact: &&Fact| matches!(fact, Fact::Deregistered { because: DeregisteredBecause::Network, .. });
        assert_eq!(world.facts.iter().filter(ends).count(), 1);
        world.pass(Duration::from_secs(60));
        assert_eq!(times(&world, "DeregistrationRequestUeTerminated"), 1);
        assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
    }
}

#[test]
fn a_phone_that_comes_back_on_another_connection_is_told_to_leave_there() {
    let (mut world, _) = told_to_leave();
    world.phones[0].mute.clear();
    world.service(0, ServiceType::Data, &[]);
    assert_eq!(times(&world, "DeregistrationRequestUeTerminated"), 2);
    assert!(world.view(1).is_none());
}

#[test]
fn two_deregistrations_that_meet_are_one() {
    for switch_off in [false, true] {
        let (mut world, ran) = told_to_leave();
        let goodbye = world.phones[0].deregistration(switch_off);
        let goodbye = world.phones[0].protect(goodbye);
        world.uplink(ran, &goodbye);
        assert_eq!(times(&world, "DeregistrationAcceptUeOriginating"), usize::from(!switch_off));
        world.pass(Duration::from_secs(60));
        assert_eq!(times(&world, "DeregistrationRequestUeTerminated"), 1, "T3522 has stopped");
        let ends = |fact: &&Fact| matches!(fact, Fact::Deregistered { because: DeregisteredBecause::Phone, .. });
        assert_eq!(world.facts.iter().filter(ends).count(), 1);
        assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
    }
}

#[test]
fn a_phone_that_is_wanted_gone_while_it_registers_is_told_when_it_has() {
    let (mut world, ran) = World::registered();
    world.phones[0].mute.insert(Nas5gmmMessageType::RegistrationAccept);
    let request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    let nas = world.phones[0].protect(request);
    world.uplink(ran, &nas);
    let imsi = world.imsi(1);
    world.command(Command::Detach { imsi, come_back: true });
    assert_eq!(times(&world, "DeregistrationRequestUeTerminated"), 0, "one thing after the other");
    world.phones[0].mute.clear();
    world.pass(Duration::from_secs(6));
    assert_eq!(world.heard().last(), Some(&"DeregistrationRequestUeTerminated"));
    assert!(world.view(1).is_none());
}

#[test]
fn every_pair_of_algorithms_protects_by_the_order_of_the_policy() {
    let integrity = [(Integrity::Nia1, IntegrityAlgorithm::NIA1), (Integrity::Nia2, IntegrityAlgorithm::NIA2)];
    let integrity = integrity.into_iter().chain([(Integrity::Nia3, IntegrityAlgorithm::NIA3)]);
    for (first_integrity, nia) in integrity {
        let ciphering = [(Ciphering::Nea1, CipheringAlgorithm::NEA1), (Ciphering::Nea2, CipheringAlgorithm::NEA2)];
        for (first_ciphering, nea) in ciphering.into_iter().chain([(Ciphering::Nea3, CipheringAlgorithm::NEA3)]) {
            let mut network = network();
            network.integrity.retain(|one| *one != first_integrity);
            network.integrity.insert(0, first_integrity);
            network.ciphering.retain(|one| *one != first_ciphering);
            network.ciphering.insert(0, first_ciphering);
            let mut world = World::with(network);
            world.gnb(GNB, 1);
            let phone = world.phone(1);
            let ran = world.register(phone);
            let security = world.phones[0].security.as_ref().unwrap();
            assert_eq!((security.integrity_algorithm(), security.ciphering_algorithm()), (nia, nea));
            let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
            world.uplink(ran, &request);
            world.release(ran);
            world.service(0, ServiceType::Data, &[1]);
            assert!(world.view(1).unwrap().sessions[0].carried, "{nia:?} {nea:?}");
        }
    }
}

#[test]
fn requests_and_commands_are_counted_as_they_are_sent() {
    // TS 28.552 counts what the AMF sends: the same challenge under another key name is a second request.
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].auth = crate::phone::Auth::KsiInUse;
    let ran = world.register(phone);
    assert_eq!(world.count("AMF.AuthReq"), 2);
    assert_eq!((world.count("MM.ConfUpdate"), world.count("MM.ConfUpdateSucc")), (1, 0), "the network's name");
    world.release(ran);
    world.service(0, ServiceType::Signalling, &[]);
    assert_eq!((world.count("MM.ConfUpdate"), world.count("MM.ConfUpdateSucc")), (2, 1), "a new GUTI, acknowledged");
}

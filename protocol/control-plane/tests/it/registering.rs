//! Registration with authentication and security mode, and everything that can go wrong on the way.

use crate::phone::{Auth, Phone};
use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_control_plane::config::*;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::views::UeState;
use std::time::Duration;

fn with_phone(change: impl FnOnce(&mut Phone)) -> (World, u32) {
    let mut world = World::ready();
    let phone = world.phone(1);
    change(&mut world.phones[phone]);
    let ran = world.register(phone);
    (world, ran)
}

fn gone(world: &World) {
    assert!(world.view(1).is_none());
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6], "nothing is left");
}

#[test]
fn registration_tells_the_platform_and_counts() {
    let (world, _) = World::registered();
    assert_eq!((world.count("RM.RegInitReq"), world.count("RM.RegInitSucc"), world.count("AMF.AuthReq")), (1, 1, 1));
    let registered = world.facts.iter().find_map(|fact| match fact {
        Fact::Registered { imsi, pei, location, .. } => Some((*imsi, pei.unwrap(), location.tac)),
        _ => None,
    });
    let (imsi, pei, tac) = registered.unwrap();
    assert_eq!((imsi, tac), (world.imsi(1), AREA));
    assert_eq!(pei.as_str(), world.phones[0].imeisv.as_deref().unwrap());
    assert!(world.facts.iter().any(|fact| matches!(fact, Fact::Authenticated { .. })), "K_AUSF goes to the AAnF");
    assert_eq!(world.kept.len(), 1);
    let accept = world.phones[0].last_accept.as_ref().unwrap();
    assert_eq!(accept.t3512_value.as_ref().unwrap().to_seconds(), Some(50 * 60), "54 minutes cannot be written");
    assert_eq!(accept.allowed_nssai.as_ref().unwrap().parse_all()[0].sst, 1);
}

#[test]
fn the_accept_names_all_areas_of_the_registration_area() {
    let (world, _) = World::registered();
    let list = world.phones[0].last_accept.as_ref().unwrap().tai_list.clone().unwrap();
    assert_eq!(list.to_string(), "[001-01-000001, 001-01-000002]");
}

#[test]
fn eap_aka_prime_registers_a_phone() {
    let mut world = World::ready();
    world.eap = true;
    let phone = world.phone(1);
    let ran = world.register(phone);
    assert_eq!(world.view(1).unwrap().state, UeState::Connected);
    assert!(same_key(world.radio(ran).k_gnb.as_ref().unwrap(), &world.phones[0]));
}

#[test]
fn a_wrong_answer_is_rejected_by_either_method() {
    for eap in [false, true] {
        let mut world = World::ready();
        world.eap = eap;
        let phone = world.phone(1);
        world.phones[phone].auth = Auth::Wrong;
        let ran = world.register(phone);
        assert_eq!(world.heard(), ["AuthenticationRequest", "AuthenticationReject"]);
        assert!(world.radio(ran).released);
        assert_eq!((world.count("AMF.AuthReject"), world.count("RM.RegInitFail")), (1, 1));
        gone(&world);
    }
}

#[test]
fn a_card_whose_sqn_is_elsewhere_is_resynchronised_once() {
    for eap in [false, true] {
        let mut world = World::ready();
        world.eap = eap;
        let phone = world.phone(1);
        world.phones[phone].auth = Auth::Synchronise;
        world.register(phone);
        assert_eq!(world.view(1).unwrap().state, UeState::Connected);
        assert_eq!(world.asked.len(), 2);
        assert!(world.asked[1].resynchronise.is_some());
        assert!(matches!(world.asked[1].who, WhoIs::Imsi(_)));
    }
}

#[test]
fn a_card_that_always_wants_to_resynchronise_is_rejected() {
    for eap in [false, true] {
        let mut world = World::ready();
        world.eap = eap;
        let phone = world.phone(1);
        world.phones[phone].auth = Auth::AlwaysSynchronise;
        world.register(phone);
        assert_eq!(world.asked.len(), 2);
        assert_eq!(world.heard().last(), Some(&"AuthenticationReject"));
        gone(&world);
    }
}

#[test]
fn a_card_that_does_not_believe_us_is_rejected() {
    for auth in [Auth::MacFailure, Auth::NonFiveG] {
        let mut world = World::ready();
        let phone = world.phone(1);
        // It came with its concealed identity: there is nothing more to ask.
        world.phones[phone].auth = auth;
        world.register(phone);
        assert_eq!(world.heard(), ["AuthenticationRequest", "AuthenticationReject"]);
        gone(&world);
    }
}

#[test]
fn a_key_name_in_use_gets_another_name_for_the_same_challenge() {
    let (world, _) = with_phone(|phone| phone.auth = Auth::KsiInUse);
    assert_eq!(world.view(1).unwrap().state, UeState::Connected);
    assert_eq!(world.phones[0].challenges, 2);
    assert_eq!(world.asked.len(), 1);
    assert_eq!(world.phones[0].ngksi, 1);
}

#[test]
fn the_phone_gets_the_best_algorithms_that_it_has() {
    let (world, _) = with_phone(|phone| phone.capability = (0xf0, 0xf0));
    let security = world.phones[0].security.as_ref().unwrap();
    assert_eq!(security.integrity_algorithm(), IntegrityAlgorithm::NIA2);
    let (world, _) = with_phone(|phone| phone.capability = (0x90, 0x40));
    let security = world.phones[0].security.as_ref().unwrap();
    assert_eq!(security.integrity_algorithm(), IntegrityAlgorithm::NIA1);
    assert_eq!(security.ciphering_algorithm(), CipheringAlgorithm::NEA3);
    assert_eq!(world.phones[0].replayed, Some(NasUeSecurityCapability::from_capabilities(0x90, 0x40)));
}

#[test]
fn a_phone_with_only_null_algorithms_is_refused() {
    for capability in [(0x80, 0x80), (0xf0, 0x80), (0x80, 0xf0), (0, 0)] {
        let (world, ran) = with_phone(|phone| phone.capability = capability);
        assert_eq!(world.phones[0].causes, [GmmCause::UeSecurityCapabilitiesMismatch as u8]);
        assert!(world.radio(ran).released);
        gone(&world);
    }
}

#[test]
fn capabilities_that_were_changed_on_the_way_are_found_out() {
    let mut world = World::ready();
    let phone = world.phone(1);
    let request = world.phones[phone].registration_request(RegistrationType::InitialRegistration);
    let nas = world.phones[phone].register_with(request.clone());
    let weaker = request.with_ue_security_capability(NasUeSecurityCapability::from_capabilities(0xc0, 0xc0));
    assert_ne!(nas, Nas5gsMessage::new_5gmm(weaker.clone()).encode().unwrap());
    world.connect(phone, &Nas5gsMessage::new_5gmm(weaker).encode().unwrap());
    assert!(world.view(1).is_none());
    assert_eq!(world.phones[0].causes, [GmmCause::UeSecurityCapabilitiesMismatch as u8]);
    assert!(world.count("RM.RegInitFail") == 1);
}

#[test]
fn a_guti_that_we_do_not_know_leads_to_the_concealed_identity_and_the_whole_message_is_asked_for() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    // Another core: it knows neither the name nor the context.
    let mut elsewhere = World::ready();
    elsewhere.phones.push(world.phones.remove(0));
    elsewhere.phones[0].heard.clear();
    elsewhere.register(0);
    assert_eq!(
        elsewhere.heard()[..4],
        ["IdentityRequest", "AuthenticationRequest", "SecurityModeCommand", "RegistrationAccept"]
    );
    assert!(matches!(elsewhere.asked[0].who, WhoIs::Suci(_)));
    assert_eq!(elsewhere.view(1).unwrap().state, UeState::Connected);
}

#[test]
fn a_phone_that_we_know_registers_without_a_new_authentication_and_gets_a_new_guti() {
    let (mut world, ran) = World::with_session();
    for kind in [
        RegistrationType::PeriodicRegistrationUpdating,
        RegistrationType::MobilityRegistrationUpdating,
        RegistrationType::InitialRegistration,
    ] {
        let before = world.phones[0].guti;
        if world.view(1).unwrap().state == UeState::Connected {
            let ran = *world.radios.keys().map(|(_, ran)| ran).max().unwrap();
            world.release(ran);
        }
        let nas = world.phones[0].register(kind);
        world.connect(0, &nas);
        assert_ne!(world.phones[0].guti, before);
        assert_eq!(world.asked.len(), 1);
        let sessions = if kind == RegistrationType::InitialRegistration { 0 } else { 1 };
        assert_eq!(world.view(1).unwrap().sessions.len(), sessions);
    }
    assert_eq!((world.count("RM.RegPeriodSucc"), world.count("RM.RegMobSucc")), (1, 1));
    let _ = ran;
}

#[test]
fn a_mobility_registration_while_connected_is_accepted_there() {
    let (mut world, ran) = World::with_session();
    let before = world.phones[0].guti;
    let request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    let nas = world.phones[0].protect(request);
    world.uplink(ran, &nas);
    assert_ne!(world.phones[0].guti, before);
    let view = world.view(1).unwrap();
    assert_eq!((view.state, view.sessions[0].carried), (UeState::Connected, true));
}

#[test]
fn a_phone_that_has_nothing_more_to_say_is_let_go_when_it_is_registered() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    let mut request = world.phones[0].registration_request(RegistrationType::PeriodicRegistrationUpdating);
    request.fgs_registration_type = request.fgs_registration_type.with_follow_on_request(false);
    let nas = world.phones[0].register_with(request);
    let ran = world.connect(0, &nas);
    assert!(world.radio(ran).released);
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
}

#[test]
fn the_status_of_sessions_is_made_the_same_and_data_brings_them_back() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    let mut request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    request.set_pdu_session_status(NasPduSessionStatus::from_sessions(&[1]).unwrap());
    request.set_uplink_data_status(NasUplinkDataStatus::from_sessions(&[1]).unwrap());
    let nas = world.phones[0].register_with(request);
    let ran = world.connect(0, &nas);
    assert!(world.view(1).unwrap().sessions[0].carried);
    let accept = world.phones[0].last_accept.clone().unwrap();
    assert_eq!(accept.pdu_session_status.unwrap().active_sessions(), [1]);
    assert!(accept.pdu_session_reactivation_result.unwrap().failed_sessions().is_empty());

    world.release(ran);
    let mut request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    request.set_pdu_session_status(NasPduSessionStatus::from_sessions(&[]).unwrap());
    let nas = world.phones[0].register_with(request);
    world.connect(0, &nas);
    assert!(world.view(1).unwrap().sessions.is_empty(), "the phone has forgotten it");
}

#[test]
fn a_phone_without_its_imeisv_is_asked_for_it_protected() {
    let (world, _) = with_phone(|phone| phone.imeisv = None);
    assert!(world.heard().contains(&"IdentityRequest"));
    assert_eq!(world.view(1).unwrap().pei, None);
}

fn with_subscription(change: impl FnOnce(&mut Subscription)) -> World {
    let mut world = World::ready();
    let phone = world.phone(1);
    let mut subscription = subscription();
    change(&mut subscription);
    world.subscriptions.insert(world.phones[phone].imsi.clone(), subscription);
    world.register(phone);
    world
}

#[test]
fn a_card_in_foreign_equipment_is_refused_with_an_alarm() {
    let world = with_subscription(|subscription| subscription.equipment = vec!["99999999999999".to_owned()]);
    assert_eq!(world.phones[0].causes, [GmmCause::IllegalMe as u8]);
    assert!(matches!(&world.alarms[..], [Alarm::ForeignEquipment { pei: Some(_), .. }]));
    gone(&world);
    let world = with_subscription(|subscription| subscription.equipment = vec!["35609204000000".to_owned()]);
    assert!(world.view(1).is_some(), "the equipment it is bound to");
}

#[test]
fn a_bound_card_in_equipment_without_identity_is_refused() {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].imeisv = None;
    let mut subscription = subscription();
    subscription.equipment = vec!["35609204000000".to_owned()];
    world.subscriptions.insert(world.phones[phone].imsi.clone(), subscription);
    world.register(phone);
    assert_eq!(world.phones[0].causes, [GmmCause::IllegalMe as u8]);
    assert!(matches!(&world.alarms[..], [Alarm::ForeignEquipment { pei: None, .. }]));
}

#[test]
fn a_blocked_card_is_refused() {
    let world = with_subscription(|subscription| subscription.blocked = true);
    assert_eq!(world.phones[0].causes, [GmmCause::FiveGsServicesNotAllowed as u8]);
    gone(&world);
}

#[test]
fn a_card_without_a_slice_of_ours_is_refused() {
    let world = with_subscription(|subscription| subscription.slices = vec![slice(7)]);
    assert_eq!(world.phones[0].causes, [GmmCause::NoNetworkSlicesAvailable as u8]);
    gone(&world);
}

#[test]
fn what_the_vault_refuses_is_refused_with_the_right_cause() {
    for (refusal, cause) in [
        (VaultRefusal::Unknown, GmmCause::IllegalUe),
        (VaultRefusal::Blocked, GmmCause::FiveGsServicesNotAllowed),
        (VaultRefusal::BadSuci, GmmCause::UeIdentityCannotBeDerivedByTheNetwork),
        (VaultRefusal::TooMany, GmmCause::Congestion),
        (VaultRefusal::Unavailable, GmmCause::Congestion),
    ] {
        let mut world = World::ready();
        world.refusal = Some(refusal);
        let phone = world.phone(1);
        world.register(phone);
        assert_eq!(world.phones[0].causes, [cause as u8]);
        assert_eq!(world.phones[0].t3346.is_some(), cause == GmmCause::Congestion);
        assert_eq!(world.alarms.contains(&Alarm::VaultUnavailable), refusal == VaultRefusal::Unavailable);
        gone(&world);
    }
}

#[test]
fn a_vault_with_too_much_to_do_gets_no_more_and_phones_come_back_later() {
    let mut network = network();
    network.limits.vault_requests = 3;
    let mut world = World::with(network);
    world.gnb(GNB, 1);
    world.vault_mute = true;
    for n in 1..=5 {
        let phone = world.phone(n);
        world.register(phone);
    }
    assert_eq!(world.asked.len(), 3);
    for phone in &world.phones[3..] {
        assert_eq!(phone.causes, [GmmCause::Congestion as u8]);
        let seconds = phone.t3346.unwrap();
        assert!((60..=240).contains(&seconds));
    }
}

#[test]
fn a_vault_that_does_not_answer_is_given_up_and_a_late_answer_is_dropped() {
    let mut world = World::ready();
    world.vault_mute = true;
    let phone = world.phone(1);
    world.register(phone);
    world.pass(Duration::from_secs(11));
    assert_eq!(world.phones[0].causes, [GmmCause::Congestion as u8]);
    assert!(world.alarms.contains(&Alarm::VaultUnavailable));
    let (ue, request) = world.waiting_vault[0];
    let reply = world.vault(&world.asked[0].clone());
    world.input(Input::Vault { ue, request, reply });
    gone(&world);
}

#[test]
fn a_message_without_answer_is_sent_five_times_and_then_given_up() {
    for (silent, times) in [
        (Nas5gmmMessageType::AuthenticationRequest, 5),
        (Nas5gmmMessageType::SecurityModeCommand, 5),
        (Nas5gmmMessageType::RegistrationAccept, 5),
    ] {
        // The guard would come first.
        let mut network = network();
        network.timers.unregistered = Duration::from_secs(600);
        let mut world = World::with(network);
        world.gnb(GNB, 1);
        let phone = world.phone(1);
        world.phones[phone].mute.insert(silent);
        world.register(phone);
        world.pass(Duration::from_secs(120));
        let name = format!("{silent:?}");
        assert_eq!(world.phones[0].heard.iter().filter(|heard| **heard == name).count(), times, "{name}");
        // After a lost accept the phone counts as registered (TS 24.501 §5.5.1.2.8 c).
        assert_eq!(world.view(1).is_some(), silent == Nas5gmmMessageType::RegistrationAccept);
    }
}

#[test]
fn identification_without_answer_is_given_up() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    let mut network = network();
    network.timers.unregistered = Duration::from_secs(600);
    let mut elsewhere = World::with(network);
    elsewhere.gnb(GNB, 1);
    elsewhere.phones.push(world.phones.remove(0));
    elsewhere.phones[0].heard.clear();
    elsewhere.phones[0].mute.insert(Nas5gmmMessageType::IdentityRequest);
    elsewhere.register(0);
    elsewhere.pass(Duration::from_secs(120));
    assert_eq!(elsewhere.heard(), ["IdentityRequest"; 5]);
    gone(&elsewhere);
}

#[test]
fn a_connection_on_which_nobody_registers_ends() {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].mute.insert(Nas5gmmMessageType::AuthenticationRequest);
    let ran = world.register(phone);
    world.pass(Duration::from_secs(31));
    assert!(world.radio(ran).released);
    gone(&world);
}

#[test]
fn a_lost_accept_is_repeated_when_the_phone_asks_again() {
    let (mut world, ran) = World::registered();
    world.phones[0].mute.insert(Nas5gmmMessageType::RegistrationAccept);
    let request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    let first = world.phones[0].protect(request.clone());
    world.uplink(ran, &first);
    let again = world.phones[0].protect(request);
    world.uplink(ran, &again);
    let accepts = world.phones[0].heard.iter().filter(|name| *name == "RegistrationAccept").count();
    assert_eq!(accepts, 3, "the first, and the last one twice");
    assert_eq!(world.count("RM.RegMobReq"), 1);
}

#[test]
fn a_repeated_first_message_changes_nothing_and_another_one_begins_anew() {
    let mut world = World::ready();
    world.vault_mute = true;
    let phone = world.phone(1);
    let ran = world.register(phone);
    assert_eq!(world.asked.len(), 1);
    let (ue, _) = world.waiting_vault[0];
    world.radios.get_mut(&(GNB, ran)).unwrap().amf = Some(ue.0);
    let same = world.phones[0].registration.clone().unwrap().encode().unwrap();
    world.uplink(ran, &same);
    assert_eq!(world.asked.len(), 1);
    let mut other = world.phones[0].registration_request(RegistrationType::InitialRegistration);
    other.fgs_registration_type = other.fgs_registration_type.with_follow_on_request(false);
    world.uplink(ran, &Nas5gsMessage::new_5gmm(other).encode().unwrap());
    assert_eq!(world.asked.len(), 2);
    assert_eq!(world.core.gauges()[4], ("control_plane.vault_requests", 1));
}

#[test]
fn a_phone_that_is_faster_than_its_gnb_is_named_once() {
    let mut world = World::ready();
    world.gnb_late = true;
    let phone = world.phone(1);
    let ran = world.register(phone);
    let renamed = world.phones[0].heard.iter().filter(|name| *name == "ConfigurationUpdateCommand").count();
    assert_eq!(renamed, 1, "only the name of the network");
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    assert!(world.view(1).unwrap().sessions[0].carried);
    world.release(ran);
    let before = world.phones[0].guti;
    world.service(0, ServiceType::Data, &[1]);
    assert_ne!(world.phones[0].guti, before);
}

#[test]
fn an_initial_registration_while_connected_frees_the_sessions_at_the_gnb_too() {
    let (mut world, ran) = World::with_session();
    let request = world.phones[0].registration_request(RegistrationType::InitialRegistration);
    let nas = world.phones[0].protect(request);
    world.uplink(ran, &nas);
    assert!(world.sent_names().contains(&"PDUSessionResourceReleaseCommand"));
    let view = world.view(1).unwrap();
    assert_eq!((view.state, view.sessions.len()), (UeState::Connected, 0));
}

#[test]
fn emergency_registration_is_not_offered() {
    let mut world = World::ready();
    let phone = world.phone(1);
    let nas = world.phones[phone].register(RegistrationType::EmergencyRegistration);
    world.connect(phone, &nas);
    assert_eq!(world.phones[0].causes, [GmmCause::FiveGsServicesNotAllowed as u8]);
    gone(&world);
}

#[test]
fn slices_that_are_asked_for_are_allowed_or_rejected_one_by_one() {
    let mut world = World::ready();
    let phone = world.phone(1);
    let request = world.phones[phone].registration_request(RegistrationType::InitialRegistration);
    let slices = [NasSNssai::from_sst_sd(2, None), NasSNssai::from_sst_sd(9, None)];
    let nas = world.phones[phone].register_with(request.with_requested_nssai(NasNssai::from_snssais(&slices).unwrap()));
    world.connect(phone, &nas);
    let accept = world.phones[0].last_accept.clone().unwrap();
    assert_eq!(accept.allowed_nssai.unwrap().parse_all()[0].sst, 2);
    assert_eq!(accept.rejected_nssai.unwrap().entries()[0].1.sst, 9);
}

#[test]
fn a_card_that_registers_from_another_phone_takes_the_place_of_the_first() {
    let (mut world, first) = World::with_session();
    let twin = world.phone(1);
    world.register(twin);
    assert_eq!(world.core.ues().count(), 1);
    assert!(world.radio(first).released);
    assert!(world.view(1).unwrap().sessions.is_empty());
    let replaced = |fact: &Fact| matches!(fact, Fact::Deregistered { because: DeregisteredBecause::Replaced, .. });
    assert!(world.facts.iter().any(replaced));
    assert_eq!(world.core.gauges()[0], ("RM.RegisteredSubNbrMean", 1));
}

#[test]
fn a_mobility_registration_that_had_to_be_authenticated_keeps_the_sessions() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    // The phone has lost its context, and not its sessions.
    world.phones[0].security = None;
    world.phones[0].heard.clear();
    let mut request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    request.set_pdu_session_status(NasPduSessionStatus::from_sessions(&[1]).unwrap());
    let nas = world.phones[0].register_with(request);
    world.connect(0, &nas);
    assert_eq!(world.heard()[..2], ["IdentityRequest", "AuthenticationRequest"]);
    assert_eq!(world.view(1).unwrap().sessions.len(), 1);
    assert_eq!(world.core.gauges()[0], ("RM.RegisteredSubNbrMean", 1));
    assert!(!world.facts.iter().any(|fact| matches!(fact, Fact::Deregistered { .. })));
}

#[test]
fn a_gnb_that_does_not_secure_the_radio_ends_the_registration() {
    let mut world = World::ready();
    world.gnb_mute.insert("InitialContextSetupRequest");
    let phone = world.phone(1);
    let ran = world.register(phone);
    world.pass(Duration::from_secs(11));
    assert!(world.radio(ran).released);
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
}

#[test]
fn a_network_without_data_networks_registers_phones_all_the_same() {
    let mut network = network();
    network.data_networks.clear();
    network.integrity = vec![Integrity::Nia3];
    network.ciphering = vec![Ciphering::Nea1];
    let mut world = World::with(network);
    world.gnb(GNB, 1);
    let phone = world.phone(1);
    world.register(phone);
    assert!(world.view(1).is_some());
}

//! What nobody may be able to do: a named test for each rule.

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_base::Millis;
use pakawaaz_control_plane::ControlPlaneError;
use pakawaaz_control_plane::identifiers::AssociationId;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::views::{UeState, UeView};
use pakawaaz_user_plane::rules::UserPlaneRequest;

/// Everything about a phone that somebody else must not be able to change.
fn untouched(world: &World) -> (UeView, usize) {
    (world.view(1).unwrap(), world.facts.len())
}

/// A connection that is another one's, with a first message.
fn intrude(world: &mut World, nas: &[u8]) {
    let phone = world.phone(66);
    world.connect(phone, nas);
}

#[test]
fn a_plain_deregistration_changes_nothing() {
    for switch_off in [false, true] {
        let (mut world, ran) = World::with_session();
        let request = world.phones[0].deregistration(switch_off);
        let plain = Nas5gsMessage::new_5gmm(request).encode().unwrap();
        let before = untouched(&world);
        world.uplink(ran, &plain);
        assert_eq!(untouched(&world), before, "on its own connection");
        intrude(&mut world, &plain);
        assert_eq!(untouched(&world), before, "on another connection");
        world.release(ran);
        let before = untouched(&world);
        intrude(&mut world, &plain);
        assert_eq!(untouched(&world), before, "while it is idle");
        // And the phone itself goes on under its context.
        world.service(0, ServiceType::Data, &[1]);
        assert!(world.view(1).unwrap().sessions[0].carried);
    }
}

#[test]
fn a_deregistration_under_a_wrong_mac_changes_nothing() {
    let (mut world, ran) = World::with_session();
    let request = world.phones[0].deregistration(false);
    let mut forged = world.phones[0].protect(request.clone());
    forged[3] ^= 1;
    let before = untouched(&world);
    world.uplink(ran, &forged);
    assert_eq!(untouched(&world), before);
    world.release(ran);
    let before = untouched(&world);
    let mut forged = world.phones[0].initial(&Nas5gsMessage::new_5gmm(request));
    forged[3] ^= 1;
    intrude(&mut world, &forged);
    assert_eq!(untouched(&world), before);
}

#[test]
fn a_registration_with_somebodys_guti_leads_to_authentication_and_changes_nothing() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    let request = world.phones[0].registration_request(RegistrationType::InitialRegistration);
    let before = untouched(&world);
    let thief = world.phone(66);
    world.connect(thief, &Nas5gsMessage::new_5gmm(request.clone()).encode().unwrap());
    assert_eq!(world.phones[thief].heard[0], "IdentityRequest");
    let old = world.view(1).unwrap();
    assert_eq!((old.clone(), 0), (before.0.clone(), 0));
    // Protected, under a key that the thief does not have.
    let mut forged = world.phones[0].initial(&Nas5gsMessage::new_5gmm(request));
    forged[5] ^= 0x10;
    let thief = world.phone(67);
    world.connect(thief, &forged);
    assert_eq!(world.view(1).unwrap(), old);
    world.service(0, ServiceType::Data, &[1]);
    assert!(world.view(1).unwrap().sessions[0].carried, "the phone's context is as it was");
}

#[test]
fn a_service_request_under_a_wrong_mac_is_rejected_and_the_context_stays() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    let before = untouched(&world);
    let mut forged = world.phones[0].service_request(ServiceType::Data, &[1]);
    forged[4] ^= 2;
    intrude(&mut world, &forged);
    assert_eq!(world.phones[1].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
    assert_eq!(untouched(&world), before);
}

#[test]
fn an_unprotected_message_on_a_secured_connection_is_dropped() {
    let (mut world, ran) = World::with_session();
    let before = untouched(&world);
    let sent = world.sent.len();
    let registration = world.phones[0].registration_request(RegistrationType::InitialRegistration);
    let failure = NasAuthenticationFailure::new(NasFGmmCause::from_cause(GmmCause::MacFailure));
    let reject = NasSecurityModeReject::new(NasFGmmCause::from_cause(GmmCause::UeSecurityCapabilitiesMismatch));
    let identity = NasIdentityResponse::new(world.phones[0].suci());
    let plain: [Nas5gmmMessage; 6] = [
        registration.into(),
        failure.into(),
        reject.into(),
        identity.into(),
        NasRegistrationComplete::new().into(),
        NasDeregistrationAcceptUeTerminated::new().into(),
    ];
    for message in plain {
        world.uplink(ran, &Nas5gsMessage::new_5gmm(message).encode().unwrap());
    }
    assert_eq!(untouched(&world), before);
    assert_eq!(world.sent.len(), sent, "nothing is answered");
}

#[test]
fn a_replayed_message_is_dropped() {
    let (mut world, ran) = World::with_session();
    let sm = world.phones[0].sm(1, 9, NasPduSessionReleaseRequest::new());
    let release = world.phones[0].protect(sm);
    world.uplink(ran, &release);
    assert!(world.view(1).unwrap().sessions.is_empty());
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    let before = untouched(&world);
    world.uplink(ran, &release);
    world.uplink(ran, &request);
    assert_eq!(untouched(&world), before);
}

#[test]
fn a_replayed_service_request_is_no_service_request() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    let request = world.phones[0].service_request(ServiceType::Data, &[1]);
    let ran = world.connect(0, &request);
    world.release(ran);
    let before = untouched(&world);
    intrude(&mut world, &request);
    assert_eq!(world.phones[1].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
    assert_eq!(untouched(&world), before);
}

#[test]
fn a_flood_of_first_messages_is_bounded() {
    let mut network = network();
    network.limits.unauthenticated_per_association = 10;
    let mut world = World::with(network);
    world.gnb(GNB, 1);
    world.gnb(OTHER, 2);
    world.vault_mute = true;
    for n in 1..=100 {
        let phone = world.phone(n);
        world.register(phone);
    }
    assert_eq!(world.core.gauges()[3], ("control_plane.phones", 10));
    assert_eq!(world.asked.len(), 10);
    assert_eq!(world.count("control_plane.phones_turned_away"), 90);
    let flood = Alarm::MisbehavingGnb { association: GNB, what: "too_many_unknown_phones" };
    assert_eq!(world.alarms, [flood], "one alarm");
    // Another gNB is not in the way.
    let phone = world.phone(200);
    let nas = world.phones[phone].register(RegistrationType::InitialRegistration);
    world.connect_at(OTHER, phone, &nas);
    assert_eq!(world.asked.len(), 11);
    // What was not answered goes, and there is room again.
    world.pass(std::time::Duration::from_secs(60));
    assert_eq!(world.core.gauges()[3], ("control_plane.phones", 0));
}

#[test]
fn phones_in_all_are_bounded() {
    let mut network = network();
    network.limits.ues = 3;
    let mut world = World::with(network);
    world.gnb(GNB, 1);
    for n in 1..=6 {
        let phone = world.phone(n);
        world.register(phone);
    }
    assert_eq!(world.core.ues().count(), 3);
}

/// The control plane after a restart, with what was kept.
fn restarted(world: &mut World) -> World {
    let mut after = World::new();
    after.now = world.now;
    after.phones = std::mem::take(&mut world.phones);
    after.phones.iter_mut().for_each(|phone| phone.heard.clear());
    let kept: Vec<UeSnapshot> = world.kept.values().cloned().collect();
    let mut out = Vec::new();
    let restored = after.core.restore(kept.clone(), after.now, &mut after.rng, &mut out);
    assert_eq!((restored.phones, restored.unreadable.len()), (kept.len(), 0));
    assert!(matches!(out.first(), Some(Output::UserPlane(UserPlaneRequest::ReleaseAll))));
    for output in out {
        if let Output::UserPlane(UserPlaneRequest::Establish(rules)) = output {
            let uplink = pakawaaz_user_plane::rules::Tunnel { address: "192.0.2.1".parse().unwrap(), teid: 5 };
            let reply = pakawaaz_user_plane::rules::UserPlaneReply::Established { session: rules.session, uplink };
            after.input(Input::UserPlane(reply));
        }
    }
    after.kept = world.kept.clone();
    after.gnb(AssociationId(1), 1);
    after
}

#[test]
fn after_a_restart_one_service_request_is_enough() {
    let (mut world, _) = World::with_session();
    let before = world.view(1).unwrap();
    let mut after = restarted(&mut world);
    let idle = after.view(1).unwrap();
    assert_eq!(idle.state, UeState::Idle);
    assert_eq!((idle.pei, idle.since, idle.location), (before.pei, before.since, before.location));
    assert_eq!(idle.sessions[0].ipv4, before.sessions[0].ipv4);
    after.service(0, ServiceType::Data, &[1]);
    assert_eq!(after.heard(), ["ServiceAccept", "ConfigurationUpdateCommand"]);
    assert!(after.asked.is_empty(), "no new authentication");
    assert!(after.view(1).unwrap().sessions[0].carried);
}

#[test]
fn a_session_whose_accept_was_sent_is_there_after_a_restart() {
    let (mut world, ran) = World::registered();
    world.gnb_setup_answers_lost = true;
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    let has = world.phones[0].sessions[&1].pdu_address.as_ref().unwrap().ipv4().unwrap();
    let mut after = restarted(&mut world);
    assert_eq!(after.view(1).unwrap().sessions[0].ipv4, Some(has.into()));
    after.service(0, ServiceType::Data, &[1]);
    assert_eq!(after.heard(), ["ServiceAccept", "ConfigurationUpdateCommand"]);
    assert!(after.view(1).unwrap().sessions[0].carried);
}

#[test]
fn a_session_whose_accept_was_lost_goes_with_the_next_service_after_a_restart() {
    let (mut world, ran) = World::registered();
    world.gnb_mute.insert("PDUSessionResourceSetupRequest");
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    assert!(world.phones[0].sessions.is_empty());
    let mut after = restarted(&mut world);
    assert_eq!(after.view(1).unwrap().sessions.len(), 1);
    after.service(0, ServiceType::Signalling, &[]);
    assert_eq!(after.view(1).unwrap().sessions, []);
    assert_eq!(after.facts.iter().filter(|fact| matches!(fact, Fact::SessionEnded { .. })).count(), 1);
}

#[test]
fn a_session_whose_accept_was_sent_outlives_its_connection() {
    let (mut world, ran) = World::registered();
    world.gnb_setup_answers_lost = true;
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    world.gnb_setup_answers_lost = false;
    world.release(ran);
    assert_eq!(world.view(1).unwrap().sessions.len(), 1);
    world.service(0, ServiceType::Data, &[1]);
    assert!(world.view(1).unwrap().sessions[0].carried);
}

#[test]
fn a_session_that_its_gnb_refused_is_not_kept() {
    let (mut world, ran) = World::registered();
    world.gnb_refuses_sessions = true;
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    assert!(world.view(1).unwrap().sessions.is_empty());
    let count = |of: fn(&Fact) -> bool| world.facts.iter().filter(|fact| of(fact)).count();
    let (began, ended) = (
        count(|fact| matches!(fact, Fact::SessionStarted { .. })),
        count(|fact| matches!(fact, Fact::SessionEnded { .. })),
    );
    assert_eq!((began, ended), (1, 1));
    assert!(restarted(&mut world).view(1).unwrap().sessions.is_empty());
}

#[test]
fn after_a_restart_a_registration_needs_no_new_authentication() {
    let (mut world, _) = World::registered();
    let mut after = restarted(&mut world);
    let nas = after.phones[0].register(RegistrationType::PeriodicRegistrationUpdating);
    after.connect(0, &nas);
    assert!(after.asked.is_empty());
    assert_eq!(after.view(1).unwrap().state, UeState::Connected);
}

#[test]
fn counts_are_never_used_twice_across_a_restart() {
    // However many messages were sent after the context was kept the last time.
    for messages in [0, 1, 5, 31, 32, 33, 100] {
        let (mut world, ran) = World::registered();
        for _ in 0..messages {
            // Each is answered by a status.
            let nonsense = world.phones[0].protect(NasAuthenticationResponse::new());
            world.uplink(ran, &nonsense);
        }
        let next = |world: &World| {
            world.phones[0].security.as_ref().unwrap().nas_count(Direction::Downlink, NasConnection::ThreeGpp).unwrap()
        };
        let before = next(&world);
        let mut after = restarted(&mut world);
        after.service(0, ServiceType::Signalling, &[]);
        assert_eq!(after.heard()[0], "ServiceAccept", "after {messages} messages");
        assert!(next(&after).get() > before.get(), "after {messages} messages");
    }
}

#[test]
fn a_service_request_from_before_a_restart_is_not_accepted_after_it() {
    let (mut world, ran) = World::registered();
    world.release(ran);
    let request = world.phones[0].service_request(ServiceType::Signalling, &[]);
    world.connect(0, &request);
    let mut after = restarted(&mut world);
    let before = untouched(&after);
    intrude(&mut after, &request);
    assert_eq!(after.phones[1].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
    assert_eq!(untouched(&after), before);
}

#[test]
fn a_context_that_cannot_be_read_is_reported_and_left_out() {
    let (mut world, _) = World::registered();
    let mut kept: Vec<UeSnapshot> = world.kept.values().cloned().collect();
    kept[0].context[0] = 9;
    let mut cut = world.kept.values().next().unwrap().clone();
    cut.context.truncate(20);
    kept.push(cut);
    let mut after = World::new();
    let restored = after.core.restore(kept, Millis(0), &mut world.rng, &mut Vec::new());
    assert_eq!(restored.phones, 0);
    assert_eq!(restored.unreadable, [ControlPlaneError::SnapshotVersion(9), ControlPlaneError::Snapshot]);
}

#[test]
fn a_context_is_kept_before_the_message_that_needs_it_leaves() {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].mute.insert(Nas5gmmMessageType::SecurityModeCommand);
    let ran = world.register(phone);
    world.phones[0].mute.clear();
    let mut complete = NasSecurityModeComplete::new();
    complete.set_imeisv(NasFGsMobileIdentity::from_imeisv("3560920400000001").unwrap());
    let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext;
    let complete = Nas5gsMessage::new_5gmm(complete);
    let nas = world.phones[0].security.as_mut().unwrap().protect(&complete, header, Direction::Uplink).unwrap();
    let pdu = uplink_nas_transport(world.amf(ran), ran, &nas);
    let mut out = Vec::new();
    let input = Input::Message { association: GNB, stream: 1, bytes: &pdu };
    world.core.handle(input, world.now, &mut world.rng, &mut out);
    let keep = out.iter().position(|output| matches!(output, Output::Keep(_))).unwrap();
    let send = out.iter().position(|output| matches!(output, Output::Send { .. })).unwrap();
    assert!(keep < send);
}

/// A false cell that has a phone answer a challenge must not end the key that phone and home network share by then.
#[test]
fn a_new_key_is_told_when_the_phone_has_taken_it_into_use_and_not_when_it_answered() {
    let mut world = World::ready();
    let phone = world.phone(1);
    let told = |world: &World| world.facts.iter().any(|fact| matches!(fact, Fact::Authenticated { .. }));
    world.phones[phone].mute.insert(Nas5gmmMessageType::SecurityModeCommand);
    let ran = world.register(phone);
    assert!(
        world.count("control_plane.authenticated") == 1 && !told(&world),
        "the challenge was answered, and no more"
    );
    world.phones[0].mute.clear();
    let complete = Nas5gsMessage::new_5gmm(NasSecurityModeComplete::new());
    let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext;
    let nas = world.phones[0].security.as_mut().unwrap().protect(&complete, header, Direction::Uplink).unwrap();
    world.uplink(ran, &nas);
    assert!(told(&world));
}

#[test]
fn nothing_secret_is_shown() {
    let (world, _) = World::registered();
    for fact in &world.facts {
        let shown = format!("{fact:?}");
        assert!(!shown.contains(&world.phones[0].imsi), "{shown}");
    }
    let shown = format!("{:?} {:?}", world.kept, world.core.ues().collect::<Vec<_>>());
    assert!(!shown.contains(&world.phones[0].imsi) && !shown.contains("3560920"));
}

//! Phones that have a card and keys, and gNBs that are on the list, and that mean harm: they hurt only themselves, cost
//! bounded memory, and learn nothing of others.

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use pakawaaz_control_plane::identifiers::AssociationId;
use pakawaaz_control_plane::io::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::time::Duration;

fn gauge(world: &World, name: &str) -> u64 {
    world.core.gauges().into_iter().find(|(n, _)| *n == name).unwrap().1
}

/// Phone 1 with a session at the first gNB; phone 2, registered at the second, is hostile.
fn victim_and_rogue(network: pakawaaz_control_plane::config::Network) -> (World, u32) {
    let mut world = World::with(network);
    world.gnb(GNB, 1);
    world.gnb(OTHER, 2);
    let victim = world.phone(1);
    let ran = world.register(victim);
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    let rogue = world.phone(2);
    let nas = world.phones[rogue].register(RegistrationType::InitialRegistration);
    let ran = world.connect_at(OTHER, rogue, &nas);
    assert!(world.view(1).unwrap().sessions[0].active && world.view(2).is_some());
    (world, ran)
}

fn rogue_says(world: &mut World, ran: u32, nas: &[u8]) {
    let amf = world.radios[&(OTHER, ran)].amf.unwrap();
    world.gnb_says(OTHER, &uplink_nas_transport(amf, ran, nas));
}

#[test]
fn nonsense_under_right_keys_hurts_nobody_else() {
    let (mut world, ran) = victim_and_rogue(network());
    let before = world.view(1).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    for round in 0..400 {
        let mut bytes = vec![0; 3 + (rng.next_u32() % 60) as usize];
        rng.fill_bytes(&mut bytes);
        bytes[0] = if round % 4 == 0 { 0x2e } else { 0x7e };
        bytes[1] &= 0x0f;
        // Message types of registration, session and transport; never the one that says good-bye.
        bytes[2] = match round % 3 {
            0 => 0x67,
            1 => 0xc1 + (bytes[2] % 20),
            _ => 0x54 + (bytes[2] % 18),
        };
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered;
        let security = world.phones[1].security.as_mut().unwrap();
        let nas = security.protect_opaque_payload(bytes, header, Direction::Uplink).unwrap();
        rogue_says(&mut world, ran, &nas);
    }
    assert_eq!(world.view(1).unwrap(), before);
    assert_eq!(gauge(&world, "control_plane.phones"), 2);
    assert!(gauge(&world, "control_plane.timers") <= 8, "{}", gauge(&world, "control_plane.timers"));
}

#[test]
fn a_phone_that_registers_again_and_again_is_one_phone() {
    let mut network = network();
    network.limits.unauthenticated_per_association = 10;
    let (mut world, _) = victim_and_rogue(network);
    // Its gNB completes nothing.
    world.gnb_mute.insert("UEContextReleaseCommand");
    world.gnb_mute.insert("InitialContextSetupRequest");
    for _ in 0..200 {
        let nas = world.phones[1].register(RegistrationType::InitialRegistration);
        world.connect_at(OTHER, 1, &nas);
        assert!(gauge(&world, "control_plane.phones") <= 13);
        assert!(gauge(&world, "control_plane.timers") <= 30, "{}", gauge(&world, "control_plane.timers"));
        assert!(gauge(&world, "control_plane.connected") <= 12);
    }
    assert!(world.count("control_plane.connections_given_up") > 100);
    assert!(world.view(2).is_some() && world.view(1).unwrap().sessions[0].carried);
    world.pass(Duration::from_secs(120));
    assert!(gauge(&world, "control_plane.phones") <= 2, "and nothing is left of them");
}

#[test]
fn sessions_that_come_and_go_leave_nothing() {
    let (mut world, ran) = victim_and_rogue(network());
    let before = world.view(1).unwrap();
    for round in 0..100 {
        for psi in 1..=15 {
            let request = world.phones[1].session_request(psi, PduSessionTypeValue::Ipv4, None);
            rogue_says(&mut world, ran, &request);
        }
        assert_eq!(world.view(2).unwrap().sessions.len(), 4, "round {round}");
        assert_eq!(gauge(&world, "SM.SessionNbrMean"), 5);
        for psi in 1..=15 {
            let release = world.phones[1].sm(psi, psi, NasPduSessionReleaseRequest::new());
            let release = world.phones[1].protect(release);
            rogue_says(&mut world, ran, &release);
        }
        assert!(world.view(2).unwrap().sessions.is_empty(), "round {round}");
    }
    assert_eq!(world.view(1).unwrap(), before);
    assert_eq!(gauge(&world, "SM.SessionNbrMean"), 1);
    assert!(gauge(&world, "control_plane.timers") <= 2);
}

#[test]
fn a_registration_is_not_completed_out_of_order() {
    // Every message that a phone can send, at each stage of a registration, before the one that is due.
    let ahead = |phone: &mut crate::phone::Phone| -> Vec<Vec<u8>> {
        let plain: [Nas5gmmMessage; 5] = [
            NasRegistrationComplete::new().into(),
            NasSecurityModeComplete::new().into(),
            NasConfigurationUpdateComplete::new().into(),
            NasDeregistrationAcceptUeTerminated::new().into(),
            phone.sm(1, 1, NasPduSessionReleaseRequest::new()).into(),
        ];
        plain.into_iter().map(|message| Nas5gsMessage::new_5gmm(message).encode().unwrap()).collect()
    };
    for stage in [Nas5gmmMessageType::AuthenticationRequest, Nas5gmmMessageType::SecurityModeCommand] {
        let mut world = World::ready();
        let phone = world.phone(1);
        world.phones[phone].mute.insert(stage);
        let ran = world.register(phone);
        for nas in ahead(&mut world.phones[phone]) {
            world.uplink(ran, &nas);
        }
        assert!(world.view(1).is_none() && world.facts.iter().all(|f| !matches!(f, Fact::Registered { .. })));
        assert_eq!(gauge(&world, "control_plane.phones"), 1);
        world.pass(Duration::from_secs(60));
        assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
    }
}

#[test]
fn an_answer_to_an_earlier_challenge_is_no_answer() {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].mute.insert(Nas5gmmMessageType::AuthenticationRequest);
    let first = world.register(phone);
    // Another connection, another challenge; the answer to it comes on the first one.
    world.phones[phone].mute.clear();
    let second = world.register(phone);
    assert!(world.view(1).is_some());
    let response = NasAuthenticationResponse::new()
        .with_authentication_response_parameter(NasAuthenticationResponseParameter::from_res_star([7; 16]));
    let amf = world.amf(first);
    world.gnb_says(GNB, &uplink_nas_transport(amf, first, &Nas5gsMessage::new_5gmm(response).encode().unwrap()));
    assert_eq!(world.count("AMF.AuthReject"), 1, "the connection that did not answer right is refused");
    assert!(!world.radio(second).released && world.view(1).is_some(), "the phone is not");
}

#[test]
fn a_gnb_that_sets_up_again_and_again_is_one_gnb() {
    let mut world = World::new();
    for n in 0..500 {
        let association = AssociationId(1 + n % 3);
        world.input(Input::Up { association, peer: "x".repeat(10), streams: 4 });
        world.gnb_says(association, &ng_setup(1, 24, AREA, 1));
        for closed in std::mem::take(&mut world.closed) {
            world.input(Input::Down { association: closed });
        }
        assert!(world.core.gnbs().count() <= 2);
        assert_eq!(world.core.gnbs().filter(|gnb| gnb.ready).count(), 1);
    }
    assert!(gauge(&world, "control_plane.timers") <= 1);
}

#[test]
fn a_gnbs_number_that_is_given_a_thousand_times_is_one_phone() {
    let mut world = World::ready();
    world.vault_mute = true;
    let phone = world.phone(1);
    let nas = world.phones[phone].register(RegistrationType::InitialRegistration);
    for _ in 0..1000 {
        world.gnb_says(GNB, &initial_ue_message(7, &nas, AREA));
    }
    assert_eq!(gauge(&world, "control_plane.phones"), 1);
    assert_eq!(gauge(&world, "control_plane.vault_requests"), 1);
    assert!(gauge(&world, "control_plane.timers") <= 3);
}

/// Digits as NAS writes them, from an even place.
fn bcd(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().map(|digit| digit - b'0').collect();
    digits.chunks_exact(2).map(|pair| pair[1] << 4 | pair[0]).collect()
}

#[test]
fn a_hostile_gnb_hears_nothing_of_anothers_phones() {
    let (mut world, _) = victim_and_rogue(network());
    let victim = world.view(1).unwrap();
    let (amf, ran) =
        world.radios.iter().find(|((gnb, _), _)| *gnb == GNB).map(|((_, ran), r)| (r.amf.unwrap(), *ran)).unwrap();
    let k_gnb = world.radios[&(GNB, ran)].k_gnb.clone().unwrap();
    let guti = world.phones[0].guti.unwrap();
    world.sent_bytes.clear();
    // In the victim's name, with its temporary identity, plain and forged; and with its numbers.
    let request = world.phones[0].registration_request(RegistrationType::MobilityRegistrationUpdating);
    let plain = Nas5gsMessage::new_5gmm(request).encode().unwrap();
    let service = NasServiceRequest::new(
        NasKeySetIdentifier::new(0),
        NasServiceType::from_service_type(ServiceType::Data),
        NasFGsMobileIdentity::from_s_tmsi(guti.s_tmsi()),
    );
    let service = Nas5gsMessage::new_5gmm(service).encode().unwrap();
    for (n, nas) in (500..).zip([plain.clone(), service, [&[0x7e, 1, 1, 2, 3, 4, 5], &plain[..]].concat()]) {
        world.gnb_says(OTHER, &initial_ue_message(n, &nas, AREA));
    }
    for amf in amf.saturating_sub(3)..amf + 3 {
        for ran in [ran, 1, 2, 500] {
            world.gnb_says(OTHER, &uplink_nas_transport(amf, ran, &plain));
            world.gnb_says(OTHER, &release_complete(amf, ran));
        }
    }
    let heard: Vec<u8> =
        world.sent_bytes.iter().filter(|(to, _)| *to == OTHER).flat_map(|(_, bytes)| bytes.clone()).collect();
    assert!(!heard.is_empty());
    let ipv4 = victim.sessions[0].ipv4.unwrap().octets().to_vec();
    let secrets = [
        bcd(&world.phones[0].imsi[5..]),
        bcd(&world.phones[0].imsi[6..14]),
        world.phones[0].imsi.as_bytes().to_vec(),
        bcd(&victim.pei.unwrap().as_str()[1..15]),
        bcd(&victim.pei.unwrap().as_str()[..14]),
        ipv4,
        k_gnb,
    ];
    for secret in secrets {
        assert!(!heard.windows(secret.len()).any(|window| window == secret.as_slice()), "{secret:02x?}");
    }
    assert_eq!(world.view(1).unwrap(), victim);
}

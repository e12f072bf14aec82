//! Checks that are one comparison each, and a hole when it is missing.

use crate::phone::Phone;
use crate::world::*;
use oxirush_nas::nas_5gs::ServiceType;
use oxirush_nas::nas_5gs::*;
use oxirush_ngap::ngap::*;
use oxirush_ngap::{build_ngap, ie};
use pakawaaz_control_plane::config::Network;
use pakawaaz_control_plane::identifiers::AssociationId;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::views::UeState;
use pakawaaz_user_plane::rules::UserPlaneRequest;
use std::sync::Arc;
use std::time::Duration;

fn times(world: &World, name: &str) -> usize {
    world.phones[0].heard.iter().filter(|heard| *heard == name).count()
}

fn configure(world: &mut World, change: impl FnOnce(&mut Network)) {
    let mut network = network();
    change(&mut network);
    world.command(Command::Configure(Arc::new(network)));
}

fn reaches(world: &World) -> usize {
    world.user_plane.iter().filter(|asked| matches!(asked, UserPlaneRequest::Reach { .. })).count()
}

#[test]
fn a_phone_does_not_move_to_an_area_that_its_gnb_does_not_serve() {
    let (mut world, ran) = World::registered();
    let status = NasFGmmStatus::new(NasFGmmCause::from_cause(GmmCause::ProtocolErrorUnspecified));
    let nas = world.phones[0].protect(status);
    let amf = world.amf(ran);
    // The network has the area, and this gNB may not serve it.
    world.gnb_says(GNB, &uplink_nas_transport_at(2, amf, ran, &nas));
    assert_eq!(world.view(1).unwrap().location.unwrap().tac, AREA);
    assert!(!world.facts.iter().any(|fact| matches!(fact, Fact::Moved { .. })));
}

#[test]
fn a_message_under_another_key_set_is_not_believed() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    world.phones[0].ngksi = (world.phones[0].ngksi + 1) % 7;
    world.service(0, ServiceType::Data, &[1]);
    assert_eq!(world.phones[0].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
}

/// A number as the kept context has it (LEB128).
fn varint(mut n: u32) -> Vec<u8> {
    let mut out = Vec::new();
    while n >= 0x80 {
        out.push(n.to_le_bytes()[0] | 0x80);
        n >>= 7;
    }
    out.push(n.to_le_bytes()[0]);
    out
}

/// After a restart, with so many uplink COUNTs used on both sides.
fn used_up(uplink: u32) -> World {
    let (world, _) = World::registered();
    let mut phone: Phone = world.phones.into_iter().next().unwrap();
    let mut kept = world.kept.into_values().next().unwrap();
    let key = *phone.k_amf.as_ref().unwrap().as_octets();
    let at = kept.context.windows(32).position(|octets| octets == key).unwrap() + 32 + 3;
    let used = phone.security.as_ref().unwrap().nas_count(Direction::Uplink, NasConnection::ThreeGpp).unwrap().get();
    // What was kept is one message behind the registration complete.
    let before = (0..=used).rev().map(varint).find(|octets| kept.context[at..].starts_with(octets)).unwrap();
    kept.context.splice(at..at + before.len(), varint(uplink));
    let security = phone.security.as_ref().unwrap();
    let (nia, nea) = (security.integrity_algorithm(), security.ciphering_algorithm());
    let downlink = security.nas_count(Direction::Downlink, NasConnection::ThreeGpp);
    let counts = (NasCount::new(uplink).ok(), downlink);
    let k_amf = phone.k_amf.as_ref().unwrap();
    phone.security = NasSecurityContext::restore_from_kamf(k_amf, nia, nea, counts, (None, None)).ok();
    phone.heard.clear();
    let mut after = World::new();
    after.phones.push(phone);
    let restored = after.core.restore([kept], after.now, &mut after.rng, &mut Vec::new());
    assert_eq!(restored.phones, 1);
    after.gnb(AssociationId(1), 1);
    after
}

#[test]
fn a_context_whose_counts_are_nearly_used_up_opens_no_connection() {
    const WORN: u32 = (1 << 24) - (1 << 16);
    let mut world = used_up(WORN - 1);
    world.service(0, ServiceType::Signalling, &[]);
    assert_eq!(world.heard()[0], "ServiceAccept");
    let mut world = used_up(WORN);
    world.service(0, ServiceType::Signalling, &[]);
    assert_eq!(world.heard(), ["ServiceReject"]);
    world.phones[0].heard.clear();
    world.register(0);
    assert_eq!(world.heard()[..2], ["IdentityRequest", "AuthenticationRequest"], "and gets new keys");
    assert_eq!(world.view(1).unwrap().state, UeState::Connected);
}

#[test]
fn a_gnbs_answer_that_makes_no_sense_carries_no_session() {
    for end in [(2, None), (1, Some(0))] {
        let (mut world, ran) = World::registered();
        world.gnb_end = end;
        let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
        world.uplink(ran, &request);
        assert_eq!(reaches(&world), 0, "{end:?}");
        assert!(world.sent_names().contains(&"PDUSessionResourceReleaseCommand"));
    }
}

#[test]
fn an_answer_that_nobody_asked_for_moves_no_tunnel() {
    let (mut world, ran) = World::with_session();
    let before = reaches(&world);
    world.gnb_end = (1, Some(99));
    let done = PDUSessionResourceSetupItemSURes::new(PDUSessionID(1), world.tunnel(1).into(), None);
    let response = build_ngap!(
        SuccessfulOutcome,
        PDUSessionResourceSetup,
        PDUSessionResourceSetupResponse,
        AMF_UE_NGAP_ID(world.amf(ran)),
        RAN_UE_NGAP_ID(ran),
        PDUSessionResourceSetupListSURes(PDUSessionResourceSetupListSURes(vec![done])),
    );
    world.gnb_says(GNB, &response.unwrap().encode().unwrap());
    assert_eq!(reaches(&world), before);
}

#[test]
fn an_area_that_was_taken_out_of_the_network_takes_no_phones() {
    // The gNB still has it; the network has not.
    let mut world = World::ready();
    configure(&mut world, |network| network.tacs = vec![2]);
    let phone = world.phone(1);
    world.register(phone);
    assert_eq!(world.phones[0].causes, [GmmCause::TrackingAreaNotAllowed as u8]);
    assert!(world.view(1).is_none());

    let (mut world, ran) = World::with_session();
    world.release(ran);
    configure(&mut world, |network| network.tacs = vec![2]);
    world.service(0, ServiceType::Data, &[1]);
    assert_eq!(world.phones[0].causes, [GmmCause::TrackingAreaNotAllowed as u8]);
    assert_eq!(times(&world, "ServiceAccept"), 0);
}

#[test]
fn a_card_that_was_blocked_while_it_was_idle_gets_no_service() {
    let (mut world, ran) = World::with_session();
    world.release(ran);
    let mut blocked = subscription();
    blocked.blocked = true;
    let imsi = world.imsi(1);
    world.command(Command::Subscription { imsi, subscription: Arc::new(blocked) });
    assert_eq!(world.paged.len(), 1, "it is called to be told");
    world.service(0, ServiceType::MobileTerminatedServices, &[1]);
    assert_eq!(times(&world, "ServiceAccept"), 0);
    assert_eq!(world.phones[0].causes, [GmmCause::FiveGsServicesNotAllowed as u8]);
    world.pass(Duration::from_secs(60));
    assert!(world.view(1).is_none());
    assert_eq!(world.core.gauges().map(|(_, value)| value), [0; 6]);
}

fn radio_capability(world: &mut World, ran: u32, octets: usize) {
    let pdu = build_ngap!(
        InitiatingMessage,
        UERadioCapabilityInfoIndication,
        UERadioCapabilityInfoIndication,
        AMF_UE_NGAP_ID(world.amf(ran)),
        RAN_UE_NGAP_ID(ran),
        UERadioCapability(vec![7; octets]),
    );
    world.gnb_says(GNB, &pdu.unwrap().encode().unwrap());
}

/// Whether the last context setup has a radio capability.
fn given_back(world: &World) -> bool {
    let setup = |bytes: &Vec<u8>| {
        let pdu = NGAP_PDU::decode(bytes).unwrap();
        pdu.ie::<ie::SecurityKey>().map(|_| pdu.ie::<ie::UERadioCapability>().is_some())
    };
    world.sent_bytes.iter().rev().find_map(|(_, bytes)| setup(bytes)).expect("a context setup")
}

#[test]
fn of_a_phone_that_has_proved_nothing_no_radio_capability_is_kept() {
    let mut world = World::ready();
    let phone = world.phone(1);
    world.phones[phone].mute.insert(Nas5gmmMessageType::AuthenticationRequest);
    let ran = world.register(phone);
    radio_capability(&mut world, ran, 100);
    world.phones[0].mute.clear();
    world.pass(Duration::from_secs(6));
    assert!(world.view(1).is_some() && !given_back(&world));
}

#[test]
fn a_radio_capability_of_any_size_is_not_kept() {
    for (octets, kept) in [(4096, true), (4097, false)] {
        let (mut world, ran) = World::registered();
        radio_capability(&mut world, ran, octets);
        world.release(ran);
        world.service(0, ServiceType::Signalling, &[]);
        assert_eq!(given_back(&world), kept, "{octets}");
    }
}

#[test]
fn a_pdu_that_is_larger_than_anything_that_a_gnb_has_to_say_is_not_read() {
    let (mut world, ran) = World::registered();
    let pdu = uplink_nas_transport(world.amf(ran), ran, &vec![0x7e; 66_000]);
    world.gnb_says(GNB, &pdu);
    assert_eq!(world.count("control_plane.ngap_transfer_syntax_error"), 1);
}

/// TS 33.501 §6.12.3: from one name nobody can tell the next.
#[test]
fn names_do_not_follow_one_another() {
    let (mut world, mut ran) = World::registered();
    let mut names = vec![world.phones[0].guti.unwrap().tmsi()];
    for _ in 0..8 {
        world.release(ran);
        ran = world.service(0, ServiceType::Signalling, &[]);
        names.push(world.phones[0].guti.unwrap().tmsi());
    }
    let steps: std::collections::BTreeSet<u32> = names.windows(2).map(|two| two[1].wrapping_sub(two[0])).collect();
    assert_eq!(steps.len(), 8);
    assert!(steps.iter().any(|step| *step > u32::MAX / 2) && steps.iter().any(|step| *step < u32::MAX / 2));
    assert!(names.iter().any(|name| *name > u32::MAX / 4), "from all there are");
}

#[test]
fn a_name_that_was_replaced_is_nobodys() {
    let (mut world, ran) = World::with_session();
    let old = world.phones[0].guti;
    world.release(ran);
    let ran = world.service(0, ServiceType::Signalling, &[]);
    world.release(ran);
    assert_ne!(world.phones[0].guti, old);
    world.phones[0].guti = old;
    world.service(0, ServiceType::Signalling, &[]);
    assert_eq!(world.phones[0].causes, [GmmCause::UeIdentityCannotBeDerivedByTheNetwork as u8]);
}

#[test]
fn a_reserved_session_identity_is_not_answered() {
    let (mut world, ran) = World::with_session();
    for psi in [16u8, 255] {
        let container = NasPayloadContainer::new(vec![0x2e, psi, 0, 0xc9]);
        let kind = NasPayloadContainerType::from_kind(PayloadContainerKind::N1SmInformation);
        let nas = world.phones[0].protect(NasUlNasTransport::new(kind, container));
        let heard = world.phones[0].heard.len();
        world.uplink(ran, &nas);
        assert_eq!(world.phones[0].heard.len(), heard, "{psi}");
    }
    assert!(world.view(1).unwrap().sessions[0].carried);
}

#[test]
fn a_message_after_the_release_command_is_not_worked_on() {
    let (mut world, ran) = World::registered();
    world.gnb_mute.insert("UEContextReleaseCommand");
    world.release(ran);
    let request = world.phones[0].session_request(1, PduSessionTypeValue::Ipv4, None);
    world.uplink(ran, &request);
    let goodbye = world.phones[0].deregistration(false);
    let goodbye = world.phones[0].protect(goodbye);
    world.uplink(ran, &goodbye);
    assert!(!world.user_plane.iter().any(|asked| matches!(asked, UserPlaneRequest::Establish(_))));
    assert_eq!(world.view(1).unwrap().state, UeState::Releasing);
}

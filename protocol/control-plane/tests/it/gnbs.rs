//! gNBs: who may connect, what they may say, and what happens when they go.

use crate::world::*;
use oxirush_nas::nas_5gs::RegistrationType;
use oxirush_ngap::ngap::*;
use oxirush_ngap::{build_ngap, build_ngap_ie};
use pakawaaz_control_plane::identifiers::AssociationId;
use pakawaaz_control_plane::io::*;
use pakawaaz_control_plane::views::UeState;
use pakawaaz_user_plane::rules::UserPlaneRequest;
use std::sync::Arc;
use std::time::Duration;

fn up(world: &mut World, association: AssociationId) {
    world.input(Input::Up { association, peer: "192.0.2.7".to_owned(), streams: 2 });
}

fn refused(setup: &[u8]) -> (World, Cause) {
    let mut world = World::new();
    up(&mut world, GNB);
    world.gnb_says(GNB, setup);
    assert_eq!(world.sent_names(), ["NGSetupFailure"]);
    assert!(!world.core.gnbs().next().unwrap().ready);
    let cause = world.causes.remove(0);
    (world, cause)
}

#[test]
fn a_gnb_on_the_list_is_set_up() {
    let world = World::ready();
    assert_eq!(world.sent_names(), ["NGSetupResponse"]);
    let gnb = world.core.gnbs().next().unwrap();
    assert!(gnb.ready);
    assert_eq!((gnb.id, gnb.name.as_str(), gnb.tacs), (Some((1, 24)), "gnb", vec![AREA]));
}

#[test]
fn a_gnb_that_is_not_on_the_list_is_refused_with_an_alarm() {
    for setup in [ng_setup(9, 24, AREA, 1), ng_setup(1, 22, AREA, 1), ng_setup(1, 24, 2, 1), ng_setup(1, 24, 77, 1)] {
        let (world, cause) = refused(&setup);
        assert!(matches!(cause, Cause::misc(_)));
        assert_eq!(world.alarms, [Alarm::ForeignGnb { peer: "192.0.2.7".to_owned() }]);
    }
}

#[test]
fn a_gnb_without_our_slice_is_refused() {
    let (world, cause) = refused(&ng_setup(1, 24, AREA, 9));
    assert_eq!(cause, Cause::radioNetwork(CauseRadioNetwork::slice_not_supported));
    assert!(world.alarms.is_empty());
}

#[test]
fn a_gnb_of_another_network_is_refused() {
    let plmn = oxirush_ngap::helpers::plmn("999", "70").unwrap();
    let gnb = GlobalRANNodeID::globalGNB_ID(oxirush_ngap::helpers::global_gnb_id(plmn, 1, 24).unwrap());
    let setup = build_ngap!(
        InitiatingMessage,
        NGSetup,
        NGSetupRequest,
        GlobalRANNodeID(gnb),
        SupportedTAList(areas(AREA, 1)),
        DefaultPagingDRX(PagingDRX::v128),
    );
    let (_, cause) = refused(&setup.unwrap().encode().unwrap());
    assert_eq!(cause, Cause::misc(CauseMisc::unknown_PLMN_or_SNPN));
}

#[test]
fn nothing_is_done_before_ng_setup() {
    let mut world = World::new();
    up(&mut world, GNB);
    let phone = world.phone(1);
    let nas = world.phones[phone].register(RegistrationType::InitialRegistration);
    world.connect(phone, &nas);
    assert_eq!(world.sent_names(), ["ErrorIndication"]);
    assert_eq!(world.causes, [Cause::protocol(CauseProtocol::message_not_compatible_with_receiver_state)]);
    assert!(world.asked.is_empty());
}

#[test]
fn bytes_that_are_no_pdu_are_a_transfer_syntax_error() {
    let mut world = World::ready();
    world.gnb_says(GNB, &[0xff, 0xff, 1, 2, 3]);
    assert_eq!(world.sent_names().last(), Some(&"ErrorIndication"));
    assert_eq!(world.causes, [Cause::protocol(CauseProtocol::transfer_syntax_error)]);
    world.gnb_says(GNB, &[0xff, 0xff, 1, 2, 3]);
    assert_eq!(world.alarms.len(), 1, "one alarm, however often");
}

#[test]
fn a_setup_without_what_it_needs_fails_with_diagnostics() {
    let mut world = World::new();
    up(&mut world, GNB);
    let setup = build_ngap!(InitiatingMessage, NGSetup, NGSetupRequest, DefaultPagingDRX(PagingDRX::v128));
    world.gnb_says(GNB, &setup.unwrap().encode().unwrap());
    assert_eq!(world.sent_names(), ["NGSetupFailure"]);
    assert!(matches!(world.causes[0], Cause::protocol(_)));
}

#[test]
fn an_ie_that_must_be_understood_and_is_not_refuses_the_message() {
    let (mut world, ran) = World::registered();
    let amf = world.amf(ran);
    let ies = vec![
        build_ngap_ie!(UplinkNASTransport, AMF_UE_NGAP_ID(amf)).unwrap(),
        build_ngap_ie!(UplinkNASTransport, RAN_UE_NGAP_ID(ran)).unwrap(),
        build_ngap_ie!(UplinkNASTransport, NAS_PDU(vec![0x7e, 0, 0x43])).unwrap(),
        build_ngap_ie!(UplinkNASTransport, REJECT TimeToWait(TimeToWait::v1s)).unwrap(),
        build_ngap_ie!(UplinkNASTransport, UserLocationInformation(location(AREA))).unwrap(),
    ];
    let message = UplinkNASTransport::new(ProtocolIEContainer(ies));
    let pdu = NGAP_PDU::of_message(&message, Criticality::ignore).unwrap().encode().unwrap();
    world.gnb_says(GNB, &pdu);
    assert_eq!(world.sent_names().last(), Some(&"ErrorIndication"));
    assert_eq!(world.causes.last(), Some(&Cause::protocol(CauseProtocol::abstract_syntax_error_reject)));
}

#[test]
fn a_procedure_that_an_amf_does_not_take_is_answered_by_its_criticality() {
    let (mut world, _) = World::registered();
    let before = world.sent.len();
    let paging_from_gnb = build_ngap!(InitiatingMessage, OverloadStop, OverloadStop,);
    world.gnb_says(GNB, &paging_from_gnb.unwrap().encode().unwrap());
    assert_eq!(world.sent_names()[before..], ["ErrorIndication"]);
}

#[test]
fn ids_that_nobody_has_are_answered() {
    let (mut world, ran) = World::registered();
    let amf = world.amf(ran);
    world.gnb_says(GNB, &uplink_nas_transport(amf + 77, ran, &[0x7e, 0, 0x43]));
    assert_eq!(world.causes.pop(), Some(Cause::radioNetwork(CauseRadioNetwork::unknown_local_UE_NGAP_ID)));
    world.gnb_says(GNB, &uplink_nas_transport(amf, ran + 77, &[0x7e, 0, 0x43]));
    assert_eq!(world.causes.pop(), Some(Cause::radioNetwork(CauseRadioNetwork::inconsistent_remote_UE_NGAP_ID)));
    assert_eq!(world.view(1).unwrap().state, UeState::Connected);
}

#[test]
fn an_error_indication_that_a_phone_is_unknown_ends_its_connection() {
    let (mut world, ran) = World::registered();
    let pdu = build_ngap!(
        InitiatingMessage,
        ErrorIndication,
        ErrorIndication,
        AMF_UE_NGAP_ID(world.amf(ran)),
        RAN_UE_NGAP_ID(ran),
        Cause(Cause::radioNetwork(CauseRadioNetwork::unknown_local_UE_NGAP_ID)),
    );
    let pdu = pdu.unwrap().encode().unwrap();
    world.gnb(OTHER, 2);
    world.gnb_says(OTHER, &pdu);
    assert_eq!(world.view(1).unwrap().state, UeState::Connected, "another gNB says nothing about it");
    world.gnb_says(GNB, &pdu);
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
}

#[test]
fn an_association_that_goes_makes_its_phones_idle() {
    let (mut world, _) = World::with_session();
    world.input(Input::Down { association: GNB });
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Idle { .. })));
    assert_eq!(world.alarms, [Alarm::GnbLost { association: GNB }]);
    assert_eq!(world.core.gnbs().count(), 0);
}

fn reset(what: ResetType) -> Vec<u8> {
    let pdu = build_ngap!(
        InitiatingMessage,
        NGReset,
        NGReset,
        Cause(Cause::misc(CauseMisc::om_intervention)),
        ResetType(what),
    );
    pdu.unwrap().encode().unwrap()
}

#[test]
fn a_reset_of_everything_makes_all_phones_idle() {
    let (mut world, _) = World::with_session();
    world.gnb_says(GNB, &reset(ResetType::nG_Interface(ResetAll::reset_all)));
    assert_eq!(world.sent_names().last(), Some(&"NGResetAcknowledge"));
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
}

fn part(amf: Option<u64>, ran: Option<u32>) -> Vec<u8> {
    let item = UEAssociatedLogicalNGConnectionItem::new(amf.map(AMFUENGAPID), ran.map(RANUENGAPID), None);
    reset(ResetType::partOfNG_Interface(UEAssociatedLogicalNGConnectionList(vec![item])))
}

#[test]
fn a_reset_of_one_phone_leaves_the_others() {
    let (mut world, ran) = World::registered();
    let second = world.phone(2);
    let other = world.register(second);
    world.gnb_says(GNB, &part(Some(world.amf(ran)), Some(ran)));
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
    assert_eq!(world.view(2).unwrap().state, UeState::Connected);
    world.gnb_says(GNB, &part(None, Some(other)));
    assert_eq!(world.view(2).unwrap().state, UeState::Idle);
}

#[test]
fn a_hostile_gnb_cannot_reset_or_release_the_phones_of_another() {
    let (mut world, ran) = World::with_session();
    world.gnb(OTHER, 2);
    let amf = world.amf(ran);
    world.gnb_says(OTHER, &part(Some(amf), Some(ran)));
    world.gnb_says(OTHER, &part(None, Some(ran)));
    let request = build_ngap!(
        InitiatingMessage,
        UEContextReleaseRequest,
        UEContextReleaseRequest,
        AMF_UE_NGAP_ID(amf),
        RAN_UE_NGAP_ID(ran),
        Cause(Cause::radioNetwork(CauseRadioNetwork::user_inactivity)),
    );
    world.gnb_says(OTHER, &request.unwrap().encode().unwrap());
    world.gnb_says(OTHER, &release_complete(amf, ran));
    let nas = world.phones[0].deregistration(false);
    let nas = world.phones[0].protect(nas);
    world.gnb_says(OTHER, &uplink_nas_transport(amf, ran, &nas));
    let view = world.view(1).unwrap();
    assert_eq!((view.state, view.sessions[0].carried), (UeState::Connected, true));
    assert!(world.alarms.contains(&Alarm::MisbehavingGnb { association: OTHER, what: "ids_of_another_gnb" }));
}

#[test]
fn a_new_configuration_reaches_the_gnbs_and_closes_those_that_are_not_on_the_list() {
    let mut world = World::ready();
    world.gnb(OTHER, 2);
    let mut network = network();
    network.gnbs.retain(|gnb| gnb.id.0 == 1);
    network.amf_name = "amf.new".to_owned();
    world.command(Command::Configure(Arc::new(network)));
    assert_eq!(world.sent.last(), Some(&(GNB, "AMFConfigurationUpdate".to_owned())));
    assert_eq!(world.closed, [OTHER]);
    let acknowledge = build_ngap!(SuccessfulOutcome, AMFConfigurationUpdate, AMFConfigurationUpdateAcknowledge,);
    world.gnb_says(GNB, &acknowledge.unwrap().encode().unwrap());
    world.pass(Duration::from_secs(60));
    assert!(!world.alarms.iter().any(|alarm| matches!(alarm, Alarm::MisbehavingGnb { .. })));
}

#[test]
fn a_configuration_that_cannot_work_is_not_taken() {
    let mut world = World::ready();
    let mut broken = network();
    broken.integrity.clear();
    world.command(Command::Configure(Arc::new(broken)));
    assert_eq!(world.core.network().integrity.len(), 3);
}

#[test]
fn a_configuration_that_a_gnb_does_not_acknowledge_is_alarmed() {
    let mut world = World::ready();
    world.command(Command::Configure(Arc::new(network())));
    world.pass(Duration::from_secs(11));
    assert_eq!(world.alarms, [Alarm::MisbehavingGnb { association: GNB, what: "configuration_refused" }]);
}

fn update(areas: SupportedTAList) -> Vec<u8> {
    let pdu = build_ngap!(
        InitiatingMessage,
        RANConfigurationUpdate,
        RANConfigurationUpdate,
        RANNodeName("renamed"),
        SupportedTAList(areas),
    );
    pdu.unwrap().encode().unwrap()
}

#[test]
fn a_gnb_may_rename_itself_and_not_serve_areas_that_are_not_its_own() {
    let mut world = World::ready();
    world.gnb_says(GNB, &update(areas(AREA, 1)));
    assert_eq!(world.sent_names().last(), Some(&"RANConfigurationUpdateAcknowledge"));
    assert_eq!(world.core.gnbs().next().unwrap().name, "renamed");
    world.gnb_says(GNB, &update(areas(2, 1)));
    assert_eq!(world.sent_names().last(), Some(&"RANConfigurationUpdateFailure"));
    assert_eq!(world.core.gnbs().next().unwrap().tacs, [AREA]);
}

#[test]
fn a_gnb_that_comes_back_replaces_its_dead_association() {
    let (mut world, _) = World::registered();
    world.gnb(AssociationId(3), 1);
    assert_eq!(world.closed, [GNB]);
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
    assert_eq!(world.core.gnbs().count(), 1);
}

#[test]
fn an_identity_that_comes_from_two_places_is_alarmed_and_a_gnb_that_comes_back_is_not() {
    let mut world = World::new();
    for (n, peer) in ["192.0.2.7:1000", "192.0.2.7:1001", "192.0.2.8:1000", "192.0.2.7:1002"].into_iter().enumerate() {
        let association = AssociationId(n as u64);
        world.input(Input::Up { association, peer: peer.to_owned(), streams: 2 });
        world.gnb_says(association, &ng_setup(1, 24, AREA, 1));
    }
    let twice = |n| Alarm::MisbehavingGnb { association: AssociationId(n), what: "identity_in_use_elsewhere" };
    assert_eq!(world.alarms, [twice(2), twice(3)]);
}

#[test]
fn overload_is_told_to_all_gnbs_also_to_those_that_come_later() {
    let mut world = World::ready();
    world.command(Command::Overload { percent: 40 });
    assert_eq!(world.sent_names().last(), Some(&"OverloadStart"));
    world.gnb(OTHER, 2);
    assert_eq!(world.sent.last(), Some(&(OTHER, "OverloadStart".to_owned())));
    world.command(Command::Overload { percent: 0 });
    assert_eq!(world.sent_names()[world.sent.len() - 2..], ["OverloadStop", "OverloadStop"]);
}

/// So many associations that nobody sets up, each of another host.
fn idle(world: &mut World, associations: std::ops::RangeInclusive<u64>) {
    for n in associations {
        world.input(Input::Up { association: AssociationId(n), peer: format!("198.51.100.{n}:1"), streams: 2 });
    }
}

fn with_room_for(associations: usize) -> World {
    let mut network = network();
    network.limits.associations = associations;
    World::with(network)
}

const FULL: Alarm = Alarm::Associations { full: true };
const ROOM: Alarm = Alarm::Associations { full: false };

#[test]
fn associations_are_bounded() {
    let mut world = with_room_for(2);
    world.gnb(AssociationId(1), 1);
    world.gnb(AssociationId(2), 2);
    assert!(world.alarms.is_empty());
    for n in 3..=5 {
        up(&mut world, AssociationId(n));
    }
    assert_eq!(world.core.gnbs().filter(|gnb| gnb.ready).count(), 2, "nobody who is set up makes room");
    assert_eq!(world.closed, [AssociationId(3), AssociationId(4), AssociationId(5)]);
    assert_eq!(world.alarms, [FULL], "said once");
    world.input(Input::Down { association: AssociationId(1) });
    assert_eq!(world.alarms, [FULL, Alarm::GnbLost { association: AssociationId(1) }, ROOM]);
}

#[test]
fn an_association_that_nobody_sets_up_is_closed() {
    let mut world = World::new();
    up(&mut world, GNB);
    // Whatever it says, if it is not that.
    world.pass(Duration::from_secs(19));
    world.gnb_says(GNB, &[0, 1, 2]);
    assert!(world.closed.is_empty());
    world.pass(Duration::from_secs(1));
    assert_eq!(world.closed, [GNB]);
    assert_eq!(world.core.gnbs().count(), 0);
    assert_eq!(world.count("control_plane.associations_given_up"), 1);
    world.input(Input::Down { association: GNB });
    assert!(!world.alarms.iter().any(|alarm| matches!(alarm, Alarm::GnbLost { .. })), "no gNB was lost");
}

#[test]
fn a_gnb_that_is_set_up_stays() {
    let mut world = World::ready();
    assert_eq!(world.core.next_deadline(), None);
    world.pass(Duration::from_secs(3600));
    assert!(world.closed.is_empty());
}

#[test]
fn a_gnb_that_is_refused_may_try_once_more_after_its_wait_and_is_closed_then() {
    let wrong = ng_setup(9, 24, AREA, 1);
    let (mut world, _) = refused(&wrong);
    // It was told to wait for a minute.
    world.pass(Duration::from_secs(61));
    assert!(world.closed.is_empty());
    world.gnb_says(GNB, &ng_setup(1, 24, AREA, 1));
    world.pass(Duration::from_secs(3600));
    assert!(world.closed.is_empty() && world.core.gnbs().next().unwrap().ready);
    // What was set up before is not exempt, and asking again and again wins no time.
    world.gnb_says(GNB, &wrong);
    for _ in 0..20 {
        world.pass(Duration::from_secs(4));
        world.gnb_says(GNB, &wrong);
    }
    assert_eq!(world.closed, [GNB]);
}

#[test]
fn associations_that_nobody_sets_up_keep_no_gnb_out() {
    let mut world = with_room_for(8);
    idle(&mut world, 1..=20);
    assert_eq!(world.core.gnbs().count(), 8);
    world.gnb(AssociationId(30), 1);
    world.gnb(AssociationId(31), 2);
    assert_eq!(world.sent_names(), ["NGSetupResponse", "NGSetupResponse"]);
    // However many come after them.
    idle(&mut world, 40..=80);
    assert_eq!(world.core.gnbs().filter(|gnb| gnb.ready).count(), 2);
    assert_eq!(world.core.gnbs().count(), 8);
    assert_eq!(world.alarms, [FULL]);
    world.pass(Duration::from_secs(20));
    assert_eq!(world.core.gnbs().count(), 2);
    assert_eq!(world.alarms, [FULL, ROOM]);
}

#[test]
fn a_host_has_few_associations_that_are_not_set_up_and_takes_no_place_of_others() {
    let mut network = network();
    network.limits.associations = 8;
    network.limits.waiting_per_host = 3;
    let mut world = World::with(network);
    idle(&mut world, 1..=2);
    let flood = |world: &mut World, peer: fn(u64) -> String| {
        for n in 10..=30 {
            world.input(Input::Up { association: AssociationId(n), peer: peer(n), streams: 2 });
        }
        let left: Vec<u64> = world.core.gnbs().map(|gnb| gnb.association.0).collect();
        assert_eq!(left, [1, 2, 28, 29, 30]);
        assert!(
            world
                .alarms
                .iter()
                .all(|alarm| matches!(alarm, Alarm::MisbehavingGnb { what: "too_many_associations", .. }))
        );
        assert!(!world.alarms.is_empty());
    };
    flood(&mut world, |n| format!("192.0.2.7:{n}"));
    for n in 28..=30 {
        world.input(Input::Down { association: AssociationId(n) });
    }
    // An IPv6 host has as many addresses as it likes.
    flood(&mut world, |n| format!("[2001:db8::{n}]:38412"));
}

#[test]
fn a_phone_in_an_area_that_its_gnb_does_not_serve_is_not_believed() {
    let mut world = World::ready();
    let phone = world.phone(1);
    let nas = world.phones[phone].register(RegistrationType::InitialRegistration);
    world.gnb_says(GNB, &initial_ue_message(1, &nas, 2));
    assert_eq!(world.sent_names().last(), Some(&"ErrorIndication"));
    assert!(world.asked.is_empty());
    assert_eq!(world.alarms, [Alarm::MisbehavingGnb { association: GNB, what: "foreign_tracking_area" }]);
}

#[test]
fn a_gnb_number_that_is_given_again_ends_the_connection_before() {
    let (mut world, ran) = World::registered();
    let second = world.phone(2);
    let nas = world.phones[second].register(RegistrationType::InitialRegistration);
    world.radios.get_mut(&(GNB, ran)).unwrap().phone = second;
    world.gnb_says(GNB, &initial_ue_message(ran, &nas, AREA));
    assert_eq!(world.view(1).unwrap().state, UeState::Idle);
    assert_eq!(world.view(2).unwrap().state, UeState::Connected);
}

#[test]
fn the_radio_capability_is_kept_and_given_to_the_next_gnb() {
    let (mut world, ran) = World::registered();
    let pdu = build_ngap!(
        InitiatingMessage,
        UERadioCapabilityInfoIndication,
        UERadioCapabilityInfoIndication,
        AMF_UE_NGAP_ID(world.amf(ran)),
        RAN_UE_NGAP_ID(ran),
        UERadioCapability(vec![1, 2, 3]),
    );
    world.gnb_says(GNB, &pdu.unwrap().encode().unwrap());
    world.release(ran);
    let request = world.phones[0].service_request(oxirush_nas::nas_5gs::ServiceType::Signalling, &[]);
    let mut out = Vec::new();
    let message = initial_ue_message(99, &request, AREA);
    world.core.handle(
        Input::Message { association: GNB, stream: 0, bytes: &message },
        world.now,
        &mut world.rng,
        &mut out,
    );
    let setup = out.iter().find_map(|output| match output {
        Output::Send { bytes, .. } => Some(bytes.clone()),
        _ => None,
    });
    let setup = NGAP_PDU::decode(&setup.unwrap()).unwrap();
    let radio = setup.ie::<oxirush_ngap::ie::UERadioCapability>().unwrap().unwrap();
    assert_eq!(radio.0.as_slice(), [1, 2, 3]);
}

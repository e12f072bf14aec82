//! Session management out of step: transaction identities, identities of sessions that there are not, status messages, and
//! procedures that meet (TS 24.501 §6.3, §6.4, §6.5.3, §7.3).

use crate::world::*;
use oxirush_nas::nas_5gs::*;
use oxirush_ngap::ie;
use oxirush_ngap::ngap::{
    FiveQI, GBRQosInformation, NGAP_PDU, PDUSessionResourceModifyRequestTransfer, QosCharacteristics, decode_open_type,
};
use pakawaaz_control_plane::io::*;
use pakawaaz_user_plane::rules::{QosFlow, UserPlaneRequest};
use std::time::Duration;

fn says(world: &mut World, ran: u32, psi: u8, pti: u8, message: impl Into<Nas5gsmMessage>) {
    let sm = world.phones[0].sm(psi, pti, message);
    let nas = world.phones[0].protect(sm);
    world.uplink(ran, &nas);
}

fn wish(world: &mut World, ran: u32, psi: u8, pti: u8) {
    let rates = NasIntegrityProtectionMaximumDataRate::from_rates(MaxDataRate::FullRate, MaxDataRate::FullRate);
    let mut transport = world.phones[0].sm(psi, pti, NasPduSessionEstablishmentRequest::new(rates));
    transport.request_type = Some(NasRequestType::from_request_type(RequestTypeValue::InitialRequest));
    let nas = world.phones[0].protect(transport);
    world.uplink(ran, &nas);
}

fn flow(qfi: u8, five_qi: u8) -> QosFlow {
    let guaranteed = [1, 2].contains(&five_qi).then(|| rates(1));
    QosFlow { qfi, five_qi, guaranteed, maximum: guaranteed, precedence: qfi, filters: Vec::new() }
}

fn flows(world: &mut World, flows: Vec<QosFlow>) {
    let imsi = world.imsi(1);
    world.command(Command::Flows { imsi, dnn: "platform".to_owned(), flows });
}

fn times(world: &World, name: &str) -> usize {
    world.phones[0].heard.iter().filter(|heard| *heard == name).count()
}

fn established(world: &World) -> usize {
    world.user_plane.iter().filter(|asked| matches!(asked, UserPlaneRequest::Establish(_))).count()
}

fn causes(world: &mut World) -> Vec<u8> {
    std::mem::take(&mut world.phones[0].causes)
}

fn status(cause: GsmCause) -> NasFGsmStatus {
    NasFGsmStatus::new(NasFGsmCause::from_cause(cause))
}

#[test]
fn a_request_needs_a_transaction_of_its_own() {
    let (mut world, ran) = World::with_session();
    wish(&mut world, ran, 2, 0);
    says(&mut world, ran, 1, 0, NasPduSessionModificationRequest::new());
    says(&mut world, ran, 1, 0, NasPduSessionReleaseRequest::new());
    assert_eq!(causes(&mut world), [GsmCause::InvalidPtiValue as u8; 3]);
    // 255 is reserved (TS 24.007 §11.2.3.1a): nothing is answered, and nothing is done.
    let heard = world.phones[0].heard.len();
    wish(&mut world, ran, 2, 255);
    says(&mut world, ran, 1, 255, NasPduSessionReleaseRequest::new());
    assert_eq!(world.phones[0].heard.len(), heard);
    assert_eq!(world.view(1).unwrap().sessions.len(), 1);
}

#[test]
fn a_transaction_that_is_under_way_is_not_begun_twice() {
    let (mut world, ran) = World::registered();
    world.user_plane_mute = true;
    wish(&mut world, ran, 1, 21);
    wish(&mut world, ran, 1, 21);
    assert_eq!((established(&world), world.phones[0].causes.len()), (1, 0), "a repetition changes nothing");
    wish(&mut world, ran, 2, 21);
    assert_eq!(causes(&mut world), [GsmCause::PtiAlreadyInUse as u8]);
    assert_eq!((established(&world), world.count("SM.PduSessionCreationFail")), (1, 1));
    wish(&mut world, ran, 2, 22);
    assert_eq!(established(&world), 2);
}

#[test]
fn an_answer_in_another_transaction_is_no_answer() {
    let (mut world, ran) = World::with_session();
    world.phones[0].mute_sm = true;
    flows(&mut world, vec![flow(2, 1)]);
    says(&mut world, ran, 1, 9, NasPduSessionModificationComplete::new());
    world.phones[0].mute_sm = false;
    assert_eq!(world.phones[0].last_sm, Some(status(GsmCause::PtiMismatch).into()));
    let before = times(&world, "PduSessionModificationCommand");
    world.pass(Duration::from_secs(16));
    assert_eq!(times(&world, "PduSessionModificationCommand"), before + 1, "T3591 goes on");
    world.phones[0].mute_sm = true;
    says(&mut world, ran, 1, 31, NasPduSessionReleaseRequest::new());
    says(&mut world, ran, 1, 30, NasPduSessionReleaseComplete::new());
    assert_eq!(world.phones[0].last_sm, Some(status(GsmCause::PtiMismatch).into()));
    assert_eq!(world.view(1).unwrap().sessions.len(), 1);
    says(&mut world, ran, 1, 31, NasPduSessionReleaseComplete::new());
    assert!(world.view(1).unwrap().sessions.is_empty());
}

#[test]
fn an_answer_for_a_session_that_there_is_not_is_told_so() {
    let (mut world, ran) = World::with_session();
    let cause = NasFGsmCause::from_cause(GsmCause::FiveGsQosNotAccepted);
    says(&mut world, ran, 9, 0, NasPduSessionModificationComplete::new());
    says(&mut world, ran, 9, 0, NasPduSessionModificationCommandReject::new(cause));
    says(&mut world, ran, 9, 3, NasPduSessionReleaseComplete::new());
    assert_eq!(causes(&mut world), [GsmCause::InvalidPduSessionIdentity as u8; 3]);
    // A second answer to a command that was repeated is none.
    says(&mut world, ran, 1, 0, NasPduSessionModificationComplete::new());
    assert!(causes(&mut world).is_empty());
    assert!(world.view(1).unwrap().sessions[0].carried);
}

#[test]
fn a_status_that_the_phone_does_not_have_the_session_ends_it_and_others_do_not() {
    let (mut world, ran) = World::with_session();
    for cause in [GsmCause::MessageTypeNotCompatibleWithTheProtocolState, GsmCause::PtiMismatch] {
        says(&mut world, ran, 1, 0, status(cause));
        assert!(world.view(1).unwrap().sessions[0].carried, "{cause:?}");
    }
    says(&mut world, ran, 3, 0, status(GsmCause::InvalidPduSessionIdentity));
    assert!(world.view(1).unwrap().sessions[0].carried, "another session");
    says(&mut world, ran, 1, 0, status(GsmCause::InvalidPduSessionIdentity));
    assert!(world.view(1).unwrap().sessions.is_empty());
    assert!(world.sent_names().contains(&"PDUSessionResourceReleaseCommand"), "the gNB lets go too");
    assert!(matches!(world.user_plane.last(), Some(UserPlaneRequest::Release { .. })));
}

#[test]
fn a_status_ends_the_transaction_that_it_names() {
    for cause in [GsmCause::PtiMismatch, GsmCause::InvalidPtiValue, GsmCause::MessageTypeNonExistentOrNotImplemented] {
        let (mut world, ran) = World::with_session();
        world.phones[0].mute_sm = true;
        flows(&mut world, vec![flow(2, 1)]);
        says(&mut world, ran, 1, 8, status(cause));
        assert_eq!(world.view(1).unwrap().sessions[0].flows, [2], "another transaction");
        says(&mut world, ran, 1, 0, status(cause));
        assert!(world.view(1).unwrap().sessions[0].flows.is_empty(), "taken back: {cause:?}");
        let said = times(&world, "PduSessionModificationCommand");
        world.pass(Duration::from_secs(100));
        assert_eq!(times(&world, "PduSessionModificationCommand"), said, "T3591 has stopped");
        says(&mut world, ran, 1, 33, NasPduSessionReleaseRequest::new());
        says(&mut world, ran, 1, 33, status(cause));
        assert!(world.view(1).unwrap().sessions.is_empty(), "the release is over: {cause:?}");
    }
}

#[test]
fn a_release_ends_a_modification_that_is_under_way() {
    let (mut world, ran) = World::with_session();
    world.phones[0].mute_sm = true;
    flows(&mut world, vec![flow(2, 1)]);
    world.phones[0].mute_sm = false;
    says(&mut world, ran, 1, 12, NasPduSessionReleaseRequest::new());
    assert!(world.view(1).unwrap().sessions.is_empty());
    let said = times(&world, "PduSessionModificationCommand");
    world.pass(Duration::from_secs(100));
    assert_eq!(times(&world, "PduSessionModificationCommand"), said);
    assert_eq!(world.core.gauges()[5].1, 0, "no timer is left");
}

#[test]
fn a_release_that_is_asked_for_twice_is_one() {
    let (mut world, ran) = World::with_session();
    world.phones[0].mute_sm = true;
    for _ in 0..2 {
        says(&mut world, ran, 1, 12, NasPduSessionReleaseRequest::new());
    }
    assert_eq!(times(&world, "PduSessionReleaseCommand"), 1);
    says(&mut world, ran, 1, 13, NasPduSessionModificationRequest::new());
    let cause = NasFGsmCause::from_cause(GsmCause::MessageNotCompatibleWithTheProtocolState);
    assert_eq!(world.phones[0].last_sm, Some(NasPduSessionModificationReject::new(cause).into()), "it is going");
}

#[test]
fn either_direction_without_integrity_gets_no_session() {
    use MaxDataRate::{FullRate, Kbps64, Null};
    for (up, down, given) in
        [(Null, FullRate, false), (FullRate, Null, false), (Null, Null, false), (Kbps64, Kbps64, true)]
    {
        let (mut world, ran) = World::registered();
        let rates = NasIntegrityProtectionMaximumDataRate::from_rates(up, down);
        let nas = world.phones[0].session_request_with(1, NasPduSessionEstablishmentRequest::new(rates), None, None);
        world.uplink(ran, &nas);
        assert_eq!(world.phones[0].sessions.contains_key(&1), given, "{up:?} {down:?}");
    }
}

#[test]
fn a_gnb_that_does_not_cipher_the_data_is_not_used() {
    for after_idle in [false, true] {
        let (mut world, ran) = if after_idle { World::with_session() } else { World::registered() };
        world.gnb_ciphering = false;
        world.user_plane.clear();
        if after_idle {
            world.release(ran);
            world.service(0, ServiceType::Data, &[1]);
        } else {
            wish(&mut world, ran, 1, 21);
        }
        assert!(!world.user_plane.iter().any(|asked| matches!(asked, UserPlaneRequest::Reach { .. })));
        assert!(world.sent_names().contains(&"PDUSessionResourceReleaseCommand"), "it is told to let go");
        assert!(world.view(1).unwrap().sessions.iter().all(|session| !session.carried));
    }
}

#[test]
fn calls_signalling_and_the_rest_have_their_five_qi_at_phone_and_gnb() {
    let (mut world, _) = World::with_session();
    let asked = vec![flow(2, 1), flow(3, 2), flow(4, 5), flow(5, 69)];
    flows(&mut world, asked.clone());
    let Some(Nas5gsmMessage::PduSessionModificationCommand(command)) = world.phones[0].last_sm.clone() else {
        panic!("a modification command")
    };
    let said = command.authorized_qos_flow_descriptions.unwrap().descriptions();
    let (_, pdu) = world
        .sent_bytes
        .iter()
        .rev()
        .find(|(_, bytes)| NGAP_PDU::decode(bytes).unwrap().ie::<ie::PDUSessionResourceModifyListModReq>().is_some())
        .unwrap();
    let pdu = NGAP_PDU::decode(pdu).unwrap();
    let list = pdu.ie::<ie::PDUSessionResourceModifyListModReq>().unwrap().unwrap();
    let transfer = list.0[0].pdu_session_resource_modify_request_transfer.as_slice();
    let transfer: PDUSessionResourceModifyRequestTransfer<'_> = decode_open_type(transfer).unwrap();
    let at_gnb = transfer.ie::<ie::QosFlowAddOrModifyRequestList>().unwrap().unwrap();
    for (place, flow) in asked.iter().enumerate() {
        let guaranteed = flow.guaranteed.is_some();
        assert!(said[place].params.contains(&QosFlowParameter::FiveQi(flow.five_qi)));
        let rates = said[place].params.iter().any(|one| matches!(one, QosFlowParameter::GfbrDl(_)));
        assert_eq!((said[place].qfi, rates), (flow.qfi, guaranteed));
        let parameters = at_gnb.0[place].qos_flow_level_qos_parameters.as_ref().unwrap();
        let QosCharacteristics::nonDynamic5QI(kind) = &parameters.qos_characteristics else { panic!("a standard one") };
        assert_eq!(kind.five_qi, FiveQI(flow.five_qi.into()));
        let rates: &Option<GBRQosInformation> = &parameters.gbr_qos_information;
        assert_eq!(rates.is_some(), guaranteed);
    }
}

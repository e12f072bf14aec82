//! Every message of a gNB comes in here and is brought to its procedure.

use super::common::location_of;
use super::{faults, sessions as n2_sessions};
use crate::core::Cx;
use crate::gnb::{self, Setup};
use crate::identifiers::{AssociationId, RanUeNgapId};
use crate::session::{self, DEFAULT_QFI};
use crate::ue::initial::{self, Initial};
use crate::ue::nas::Then;
use crate::ue::{MOST_RADIO, Ue, UeKey, Ues, context_release, nas, service_request};
use oxirush_ngap::ngap::*;
use oxirush_ngap::{Error, NgapPduKind, extract_ngap_ies, ie};

/// The largest PDU that is looked at. Nothing that a gNB has to say comes near.
const LARGEST: usize = 65_536;

/// One PDU.
pub(crate) fn message(ues: &mut Ues, cx: &mut Cx<'_>, association: AssociationId, bytes: &[u8]) {
    let Some(gnb) = cx.core.gnbs.get(&association) else { return };
    let ready = gnb.ready;
    cx.count("control_plane.ngap_received");
    cx.trace_begins(bytes);
    if bytes.len() > LARGEST {
        return faults::transfer_syntax(cx, association);
    }
    let Ok(pdu) = NGAPPDU::decode_borrowed(bytes) else { return faults::transfer_syntax(cx, association) };
    let kind = pdu.kind();
    if let NgapPduKind::Other { .. } = kind {
        return faults::not_for_us(cx, association, &pdu);
    }
    if !ready && !matches!(kind, NgapPduKind::Initiating_NGSetup | NgapPduKind::Initiating_ErrorIndication) {
        return faults::wrong_time(cx, association);
    }
    if !faults::structure(cx, association, &pdu) {
        return;
    }
    if let Err(error) = dispatch(ues, cx, association, kind, &pdu) {
        faults::unreadable(cx, association, &pdu, &error);
    }
}

fn dispatch(
    ues: &mut Ues,
    cx: &mut Cx<'_>,
    association: AssociationId,
    kind: NgapPduKind,
    pdu: &NGAPPDU<'_>,
) -> Result<(), Error> {
    match kind {
        NgapPduKind::Initiating_NGSetup => {
            extract_ngap_ies!(pdu, NGSetupRequest,
                req node: GlobalRANNodeID = GlobalRANNodeID(node) => node,
                lax name: String = RANNodeName(name) => name.0.into_owned(),
                req areas: SupportedTAList = SupportedTAList(areas) => areas,
            );
            gnb::set_up(ues, cx, association, Setup { node, name, areas });
        }
        NgapPduKind::Initiating_RANConfigurationUpdate => {
            extract_ngap_ies!(pdu, RANConfigurationUpdate,
                lax name: String = RANNodeName(name) => name.0.into_owned(),
                opt areas: SupportedTAList = SupportedTAList(areas) => areas,
                lax node: GlobalRANNodeID = GlobalRANNodeID(node) => node,
            );
            gnb::reconfigured(cx, association, name, areas, node);
        }
        NgapPduKind::Successful_AMFConfigurationUpdate => gnb::configured(cx, association, true),
        NgapPduKind::Unsuccessful_AMFConfigurationUpdate => gnb::configured(cx, association, false),
        NgapPduKind::Initiating_NGReset => {
            extract_ngap_ies!(pdu, NGReset,
                req what: ResetType = ResetType(what) => what,
            );
            match what {
                ResetType::nG_Interface(_) => gnb::reset(ues, cx, association),
                ResetType::partOfNG_Interface(part) => gnb::reset_part(ues, cx, association, &part),
                ResetType::choice_Extensions(_) => faults::not_for_us(cx, association, pdu),
            }
        }
        NgapPduKind::Successful_NGReset => {}
        NgapPduKind::Initiating_ErrorIndication => return error_indication(ues, cx, association, pdu),
        NgapPduKind::Initiating_InitialUEMessage => {
            extract_ngap_ies!(pdu, InitialUEMessage,
                req ran: u32 = RAN_UE_NGAP_ID(id),
                req nas: NASPDU<'_> = NAS_PDU(nas) => nas,
                req place: UserLocationInformation<'_> = UserLocationInformation(place) => place,
            );
            let Some(location) = location_of(&place) else {
                faults::wrong_time(cx, association);
                return Ok(());
            };
            let nas = nas.0.as_slice();
            initial::message(ues, cx, Initial { association, ran: RanUeNgapId(ran), nas, location });
        }
        _ => return of_a_phone(ues, cx, association, kind, pdu),
    }
    Ok(())
}

/// The gNB does not know a phone, or could not do what it was told: the phone's connection is of no use.
fn error_indication(
    ues: &mut Ues,
    cx: &mut Cx<'_>,
    association: AssociationId,
    pdu: &NGAPPDU<'_>,
) -> Result<(), Error> {
    cx.count("control_plane.error_indication_received");
    extract_ngap_ies!(pdu, ErrorIndication,
        lax amf: u64 = AMF_UE_NGAP_ID(id),
        lax cause: Cause = Cause(cause) => cause,
    );
    let Some(amf) = amf else { return Ok(()) };
    let Some(key) = cx.core.by_ngap.get(&crate::identifiers::AmfUeNgapId(amf)).copied() else { return Ok(()) };
    let Some(ue) = ues.get_mut(&key) else { return Ok(()) };
    if ue.connection.as_ref().is_none_or(|connection| connection.association != association) {
        cx.misbehaving(association, "ids_of_another_gnb");
        return Ok(());
    }
    let unknown = matches!(
        cause,
        Some(Cause::radioNetwork(
            CauseRadioNetwork::unknown_local_UE_NGAP_ID | CauseRadioNetwork::inconsistent_remote_UE_NGAP_ID
        ))
    );
    if unknown {
        context_release::over(ue, cx);
        initial::settle(ues, cx, key);
    }
    Ok(())
}

fn of_a_phone(
    ues: &mut Ues,
    cx: &mut Cx<'_>,
    association: AssociationId,
    kind: NgapPduKind,
    pdu: &NGAPPDU<'_>,
) -> Result<(), Error> {
    let known = matches!(
        kind,
        NgapPduKind::Initiating_UplinkNASTransport
            | NgapPduKind::Initiating_NASNonDeliveryIndication
            | NgapPduKind::Successful_InitialContextSetup
            | NgapPduKind::Unsuccessful_InitialContextSetup
            | NgapPduKind::Successful_UEContextModification
            | NgapPduKind::Unsuccessful_UEContextModification
            | NgapPduKind::Initiating_UEContextReleaseRequest
            | NgapPduKind::Successful_UEContextRelease
            | NgapPduKind::Initiating_UERadioCapabilityInfoIndication
            | NgapPduKind::Successful_PDUSessionResourceSetup
            | NgapPduKind::Successful_PDUSessionResourceModify
            | NgapPduKind::Successful_PDUSessionResourceRelease
            | NgapPduKind::Initiating_PDUSessionResourceNotify
            | NgapPduKind::Initiating_LocationReport
    );
    if !known {
        faults::not_for_us(cx, association, pdu);
        return Ok(());
    }
    let (Some(amf), Some(ran)) = (pdu.ie::<ie::AMF_UE_NGAP_ID>(), pdu.ie::<ie::RAN_UE_NGAP_ID>()) else {
        faults::wrong_time(cx, association);
        return Ok(());
    };
    let Some(key) = faults::phone(ues, cx, association, amf?.0, ran?.0) else { return Ok(()) };
    let then = match ues.get_mut(&key) {
        Some(ue) => phone(ue, cx, kind, pdu)?,
        None => Then::Nothing,
    };
    after(ues, cx, key, then);
    Ok(())
}

/// What is left after something has happened to one phone.
pub(crate) fn after(ues: &mut Ues, cx: &mut Cx<'_>, key: UeKey, then: Then) {
    match then {
        Then::Adopt => initial::adopt(ues, cx, key),
        Then::Nothing => initial::settle(ues, cx, key),
    }
}

fn place(ue: &mut Ue, cx: &mut Cx<'_>, place: Option<UserLocationInformation<'_>>) {
    let Some(location) = place.as_ref().and_then(location_of) else { return };
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let serves = cx.core.gnbs.get(&connection.association).is_some_and(|gnb| gnb.tacs.contains(&location.tac));
    if !serves || connection.location == location {
        return;
    }
    connection.location = location;
    if ue.registered
        && ue.location.replace(location) != Some(location)
        && let Some(imsi) = ue.imsi
    {
        cx.fact(crate::io::Fact::Moved { imsi, location, at: cx.now });
    }
}

fn phone(ue: &mut Ue, cx: &mut Cx<'_>, kind: NgapPduKind, pdu: &NGAPPDU<'_>) -> Result<Then, Error> {
    if cx.tracing()
        && kind != NgapPduKind::Initiating_UplinkNASTransport
        && let Some(connection) = ue.connection.as_deref_mut()
    {
        cx.trace_uplink(connection, None);
    }
    match kind {
        NgapPduKind::Initiating_UplinkNASTransport => {
            extract_ngap_ies!(pdu, UplinkNASTransport,
                req nas: NASPDU<'_> = NAS_PDU(nas) => nas,
                lax where_is: UserLocationInformation<'_> = UserLocationInformation(place) => place,
            );
            place(ue, cx, where_is);
            return Ok(nas::receive(ue, cx, nas.0.as_slice()));
        }
        NgapPduKind::Initiating_LocationReport => {
            extract_ngap_ies!(pdu, LocationReport,
                lax where_is: UserLocationInformation<'_> = UserLocationInformation(place) => place,
            );
            place(ue, cx, where_is);
        }
        // What was not delivered is repeated by its own timer (§8.6.4).
        NgapPduKind::Initiating_NASNonDeliveryIndication => cx.count("control_plane.nas_not_delivered"),
        NgapPduKind::Successful_InitialContextSetup => {
            extract_ngap_ies!(pdu, InitialContextSetupResponse,
                lax done: PDUSessionResourceSetupListCxtRes<'_> = PDUSessionResourceSetupListCxtRes(list) => list,
                lax failed: PDUSessionResourceFailedToSetupListCxtRes<'_> =
                    PDUSessionResourceFailedToSetupListCxtRes(list) => list,
            );
            for item in done.iter().flat_map(|list| &list.0) {
                let transfer = item.pdu_session_resource_setup_response_transfer.as_slice();
                resource(ue, cx, item.pdu_session_id.0, transfer);
            }
            for item in failed.iter().flat_map(|list| &list.0) {
                session::not_carried(ue, cx, item.pdu_session_id.0);
            }
            service_request::access_established(ue, cx);
        }
        NgapPduKind::Unsuccessful_InitialContextSetup => service_request::access_failed(ue, cx),
        NgapPduKind::Successful_UEContextModification => {}
        // It keeps the rates that it had until the phone's next context (§8.3.4.3).
        NgapPduKind::Unsuccessful_UEContextModification => cx.count("control_plane.context_modification_failed"),
        NgapPduKind::Successful_PDUSessionResourceSetup => {
            extract_ngap_ies!(pdu, PDUSessionResourceSetupResponse,
                lax done: PDUSessionResourceSetupListSURes<'_> = PDUSessionResourceSetupListSURes(list) => list,
                lax failed: PDUSessionResourceFailedToSetupListSURes<'_> =
                    PDUSessionResourceFailedToSetupListSURes(list) => list,
            );
            for item in done.iter().flat_map(|list| &list.0) {
                let transfer = item.pdu_session_resource_setup_response_transfer.as_slice();
                resource(ue, cx, item.pdu_session_id.0, transfer);
            }
            for item in failed.iter().flat_map(|list| &list.0) {
                session::not_carried(ue, cx, item.pdu_session_id.0);
            }
        }
        NgapPduKind::Successful_PDUSessionResourceModify => {
            extract_ngap_ies!(pdu, PDUSessionResourceModifyResponse,
                lax done: PDUSessionResourceModifyListModRes<'_> = PDUSessionResourceModifyListModRes(list) => list,
                lax failed: PDUSessionResourceFailedToModifyListModRes<'_> =
                    PDUSessionResourceFailedToModifyListModRes(list) => list,
            );
            for item in done.iter().flat_map(|list| &list.0) {
                let failed = n2_sessions::not_modified(item.pdu_session_resource_modify_response_transfer.as_slice());
                session::modification::not_modified(ue, cx, item.pdu_session_id.0, &failed);
            }
            for item in failed.iter().flat_map(|list| &list.0) {
                session::modification::rejected(ue, cx, item.pdu_session_id.0);
            }
        }
        // The phone's own completion ends the release; the gNB has let go already.
        NgapPduKind::Successful_PDUSessionResourceRelease => {}
        NgapPduKind::Initiating_PDUSessionResourceNotify => {
            extract_ngap_ies!(pdu, PDUSessionResourceNotify,
                lax gone: PDUSessionResourceReleasedListNot<'_> = PDUSessionResourceReleasedListNot(list) => list,
            );
            for item in gone.iter().flat_map(|list| &list.0) {
                session::not_carried(ue, cx, item.pdu_session_id.0);
            }
        }
        NgapPduKind::Initiating_UEContextReleaseRequest => {
            extract_ngap_ies!(pdu, UEContextReleaseRequest,
                lax cause: Cause = Cause(cause) => cause,
            );
            let cause = cause.unwrap_or(Cause::radioNetwork(CauseRadioNetwork::release_due_to_ngran_generated_reason));
            context_release::command(ue, cx, cause);
        }
        NgapPduKind::Successful_UEContextRelease => {
            extract_ngap_ies!(pdu, UEContextReleaseComplete,
                lax where_is: UserLocationInformation<'_> = UserLocationInformation(place) => place,
            );
            if ue.connection.as_ref().is_some_and(|connection| connection.releasing) {
                place(ue, cx, where_is);
                context_release::over(ue, cx);
            } else {
                let association = ue.connection.as_ref().map(|connection| connection.association);
                if let Some(association) = association {
                    faults::wrong_time(cx, association);
                }
            }
        }
        NgapPduKind::Initiating_UERadioCapabilityInfoIndication => {
            extract_ngap_ies!(pdu, UERadioCapabilityInfoIndication,
                lax radio: Vec<u8> = UERadioCapability(radio) => radio.0.into_vec(),
                lax paging: UERadioCapabilityForPaging<'_> = UERadioCapabilityForPaging(paging) => paging,
            );
            // Of a phone that has proved nothing, nothing is kept.
            if ue.registered {
                ue.radio = radio.filter(|radio| radio.len() <= MOST_RADIO).map(Vec::into_boxed_slice);
                let paging = paging.and_then(|paging| Some(encode_open_type(&paging).ok()?.as_ref().to_vec()));
                ue.radio_paging = paging.filter(|paging| paging.len() <= MOST_RADIO).map(Vec::into_boxed_slice);
            }
        }
        _ => {}
    }
    Ok(Then::Nothing)
}

/// The gNB says that it carries a session; whether what it says can be used is seen here.
fn resource(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, transfer: &[u8]) {
    match n2_sessions::accepted(transfer, DEFAULT_QFI) {
        Some(tunnel) => session::carried(ue, cx, psi, tunnel),
        None => {
            cx.count("control_plane.resource_not_usable");
            let asked = ue.session(psi).is_some_and(|session| session.resources == session::Resources::Requested);
            if asked {
                session::release_at_gnb(ue, cx, psi, None);
                session::not_carried(ue, cx, psi);
            }
        }
    }
}

//! Answers to what cannot be read, or must not be said (TS 38.413 §10).

use super::build;
use super::common::Ids;
use crate::core::Cx;
use crate::identifiers::{AmfUeNgapId, AssociationId, RanUeNgapId};
use crate::ue::{UeKey, Ues};
use oxirush_ngap::ngap::{Cause, CauseProtocol, CauseRadioNetwork, Criticality, NGAPPDU};
use oxirush_ngap::{Deviation, NgapPduKind, ie};

/// Bytes that are no NGAP PDU (§10.2).
pub(crate) fn transfer_syntax(cx: &mut Cx<'_>, association: AssociationId) {
    cx.count("control_plane.ngap_transfer_syntax_error");
    cx.misbehaving(association, "transfer_syntax_error");
    let cause = Cause::protocol(CauseProtocol::transfer_syntax_error);
    cx.send(association, 0, build::error_indication(None, None, Some(cause), None));
}

/// Whether a deviation makes us refuse the message, or say that we have ignored something (§10.3.4, §10.3.5, §10.3.6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Silent,
    Notify,
    Reject,
}

fn weight(deviation: &Deviation) -> Weight {
    match deviation {
        // The message as a whole is what it is; its own criticality is not looked at when it is understood.
        Deviation::PduCriticality { .. } | Deviation::IeCriticality { .. } | Deviation::NotCanonical { .. } => {
            Weight::Silent
        }
        Deviation::RepeatedIe { .. } | Deviation::OutOfOrder { .. } => Weight::Reject,
        other => match other.ie() {
            Some((_, Criticality::reject)) => Weight::Reject,
            Some((_, Criticality::notify)) => Weight::Notify,
            _ => Weight::Silent,
        },
    }
}

/// Looks at the IEs of a message as a whole. Whether the message may be worked on; if not, it has been answered.
pub(crate) fn structure(cx: &mut Cx<'_>, association: AssociationId, pdu: &NGAPPDU<'_>) -> bool {
    let Ok(deviations) = pdu.check_structure() else {
        transfer_syntax(cx, association);
        return false;
    };
    let heaviest = deviations.iter().map(weight).max().unwrap_or(Weight::Silent);
    if heaviest == Weight::Silent {
        return true;
    }
    answer(cx, association, pdu, &deviations, heaviest);
    heaviest != Weight::Reject
}

/// An IE that had to be read and could not be.
pub(crate) fn unreadable(cx: &mut Cx<'_>, association: AssociationId, pdu: &NGAPPDU<'_>, error: &oxirush_ngap::Error) {
    let deviations: Vec<Deviation> = Deviation::of(error).into_iter().collect();
    answer(cx, association, pdu, &deviations, Weight::Reject);
}

fn answer(cx: &mut Cx<'_>, association: AssociationId, pdu: &NGAPPDU<'_>, deviations: &[Deviation], weight: Weight) {
    cx.count("control_plane.ngap_abstract_syntax_error");
    let cause = match (weight, deviations.iter().find_map(Deviation::cause)) {
        (Weight::Reject, Some(cause)) => cause,
        (Weight::Reject, None) => CauseProtocol::abstract_syntax_error_reject,
        _ => CauseProtocol::abstract_syntax_error_ignore_and_notify,
    };
    let cause = Cause::protocol(cause);
    // Procedures that have an unsuccessful outcome are answered with it (§10.3.4.1); all others by an error indication.
    match pdu.kind() {
        NgapPduKind::Initiating_NGSetup if weight == Weight::Reject => {
            let diagnostics = pdu.criticality_diagnostics_for_response(deviations);
            cx.send(association, 0, build::ng_setup_failure(cause, None, Some(diagnostics)));
        }
        NgapPduKind::Initiating_RANConfigurationUpdate if weight == Weight::Reject => {
            let diagnostics = pdu.criticality_diagnostics_for_response(deviations);
            let pdu = build::ran_configuration_update_failure(cause, None, Some(diagnostics));
            cx.send(association, 0, pdu);
        }
        // An error indication is not answered by one.
        NgapPduKind::Initiating_ErrorIndication => {}
        _ => {
            let amf = pdu.ie::<ie::AMF_UE_NGAP_ID>().and_then(Result::ok).map(|id| id.0);
            let ran = pdu.ie::<ie::RAN_UE_NGAP_ID>().and_then(Result::ok).map(|id| id.0);
            let diagnostics = pdu.criticality_diagnostics(deviations);
            cx.send(association, 0, build::error_indication(amf, ran, Some(cause), Some(diagnostics)));
        }
    }
}

/// A procedure that there is not, or that an AMF does not take (§10.3.4.1.1 with the procedure's criticality, §10.4).
pub(crate) fn not_for_us(cx: &mut Cx<'_>, association: AssociationId, pdu: &NGAPPDU<'_>) {
    cx.count("control_plane.ngap_unexpected");
    let cause = match pdu.criticality() {
        Criticality::reject => CauseProtocol::abstract_syntax_error_reject,
        Criticality::notify => CauseProtocol::abstract_syntax_error_ignore_and_notify,
        Criticality::ignore => return,
    };
    let diagnostics = pdu.criticality_diagnostics(&[]);
    let pdu = build::error_indication(None, None, Some(Cause::protocol(cause)), Some(diagnostics));
    cx.send(association, 0, pdu);
}

/// A message at a time when it makes no sense (§10.4).
pub(crate) fn wrong_time(cx: &mut Cx<'_>, association: AssociationId) {
    cx.count("control_plane.ngap_unexpected");
    let cause = Cause::protocol(CauseProtocol::message_not_compatible_with_receiver_state);
    cx.send(association, 0, build::error_indication(None, None, Some(cause), None));
}

/// The phone that an association means (§10.6). The ids of another association, or a pair that does not belong together,
/// are answered and lead nowhere.
pub(crate) fn phone(ues: &Ues, cx: &mut Cx<'_>, association: AssociationId, amf: u64, ran: u32) -> Option<UeKey> {
    let ids = Ids { amf: AmfUeNgapId(amf), ran: RanUeNgapId(ran) };
    let key = cx.core.by_ngap.get(&ids.amf).copied();
    let connection = key.and_then(|key| ues.get(&key)).and_then(|ue| ue.connection.as_deref());
    let cause = match connection {
        Some(connection) if connection.association != association => {
            cx.misbehaving(association, "ids_of_another_gnb");
            CauseRadioNetwork::unknown_local_UE_NGAP_ID
        }
        Some(connection) if connection.ids.ran != ids.ran => CauseRadioNetwork::inconsistent_remote_UE_NGAP_ID,
        Some(_) => return key,
        None => CauseRadioNetwork::unknown_local_UE_NGAP_ID,
    };
    cx.count("control_plane.ngap_unknown_phone");
    let pdu = build::error_indication(Some(amf), Some(ran), Some(Cause::radioNetwork(cause)), None);
    cx.send(association, 0, pdu);
    None
}

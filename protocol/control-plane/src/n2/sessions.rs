//! PDU session resources on N2 (TS 38.413 §8.2): the messages, and the transfers inside them.

use super::build::{Ies, bit_rate, pdu, ue_ambr};
use super::common::{Ids, snssai, tunnel, tunnel_of};
use crate::config::Snssai;
use crate::session::Kind;
use oxirush_ngap::ngap::*;
use oxirush_ngap::{Error, Message, build_ngap, build_ngap_ie};
use pakawaaz_user_plane::rules::{BitRates, QosFlow, Tunnel};

/// A session as a gNB is asked to carry it.
pub(crate) struct Resource<'a> {
    pub(crate) kind: Kind,
    pub(crate) ambr: BitRates,
    pub(crate) uplink: Tunnel,
    /// All of them, the default one first.
    pub(crate) flows: &'a [QosFlow],
}

fn parameters(flow: &QosFlow) -> QosFlowLevelQosParameters {
    let characteristics = QosCharacteristics::nonDynamic5QI(NonDynamic5QIDescriptor::new(
        FiveQI(flow.five_qi.into()),
        None,
        None,
        None,
        None,
    ));
    // Flows with guarantees (calls) may take from others; nothing takes from them.
    let (priority, capability, vulnerability) = match flow.guaranteed {
        Some(_) => (2, PreEmptionCapability::may_trigger_pre_emption, PreEmptionVulnerability::not_pre_emptable),
        None => (8, PreEmptionCapability::shall_not_trigger_pre_emption, PreEmptionVulnerability::pre_emptable),
    };
    let retention = AllocationAndRetentionPriority::new(PriorityLevelARP(priority), capability, vulnerability, None);
    let gbr = flow.guaranteed.map(|guaranteed| {
        let maximum = flow.maximum.unwrap_or(guaranteed);
        GBRQosInformation::new(
            bit_rate(maximum.downlink.0),
            bit_rate(maximum.uplink.0),
            bit_rate(guaranteed.downlink.0),
            bit_rate(guaranteed.uplink.0),
            None,
            None,
            None,
            None,
        )
    });
    QosFlowLevelQosParameters::new(characteristics, retention, gbr, None, None, None)
}

fn ambr(rates: BitRates) -> PDUSessionAggregateMaximumBitRate {
    PDUSessionAggregateMaximumBitRate::new(bit_rate(rates.downlink.0), bit_rate(rates.uplink.0), None)
}

/// The transfer for a new or returning resource. Integrity of the user plane is required, and so is its ciphering: a gNB
/// that cannot protect it has to refuse.
pub(crate) fn setup_transfer(resource: &Resource<'_>) -> Result<Vec<u8>, Error> {
    let kind = match resource.kind {
        Kind::Ipv4 => PDUSessionType::ipv4,
        Kind::Ipv6 => PDUSessionType::ipv6,
        Kind::Ipv4v6 => PDUSessionType::ipv4v6,
    };
    let security = SecurityIndication::new(
        IntegrityProtectionIndication::required,
        ConfidentialityProtectionIndication::required,
        // Conditional on integrity protection (TS 38.413 §9.3.1.27).
        Some(MaximumIntegrityProtectedDataRate::maximum_UE_rate),
        None,
    );
    let flows = resource
        .flows
        .iter()
        .map(|flow| QosFlowSetupRequestItem::new(QosFlowIdentifier(flow.qfi.into()), parameters(flow), None, None));
    let flows = QosFlowSetupRequestList(flows.collect());
    let transfer = PDUSessionResourceSetupRequestTransfer::new(ProtocolIEContainer(vec![
        build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, PDUSessionAggregateMaximumBitRate(ambr(resource.ambr)))?,
        build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, UL_NGU_UP_TNLInformation(tunnel(resource.uplink)))?,
        build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, PDUSessionType(kind))?,
        build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, SecurityIndication(security))?,
        build_ngap_ie!(PDUSessionResourceSetupRequestTransfer, QosFlowSetupRequestList(flows))?,
    ]));
    Ok(encode_open_type(&transfer)?.as_ref().to_vec())
}

pub(crate) fn setup_item(psi: u8, slice: Snssai, transfer: Vec<u8>) -> PDUSessionResourceSetupItemCxtReq<'static> {
    PDUSessionResourceSetupItemCxtReq::new(PDUSessionID(psi), None, snssai(slice), transfer.into(), None)
}

/// One session; `nas` goes to the phone when the gNB has set the session up, `message_nas` in any case.
pub(crate) fn setup_request(
    ids: Ids,
    ue_rates: BitRates,
    message_nas: Option<&[u8]>,
    sessions: Vec<(u8, Snssai, Vec<u8>, Option<Vec<u8>>)>,
) -> Result<Vec<u8>, Error> {
    let items = sessions.into_iter().map(|(psi, slice, transfer, nas)| {
        let nas = nas.map(|nas| NASPDU(nas.into()));
        PDUSessionResourceSetupItemSUReq::new(PDUSessionID(psi), nas, snssai(slice), transfer.into(), None)
    });
    let items = PDUSessionResourceSetupListSUReq(items.collect());
    let mut ies: Ies<'_> = vec![
        build_ngap_ie!(PDUSessionResourceSetupRequest, AMF_UE_NGAP_ID(ids.amf.0))?,
        build_ngap_ie!(PDUSessionResourceSetupRequest, RAN_UE_NGAP_ID(ids.ran.0))?,
    ];
    if let Some(nas) = message_nas {
        ies.push(build_ngap_ie!(PDUSessionResourceSetupRequest, NAS_PDU(nas))?);
    }
    ies.push(build_ngap_ie!(PDUSessionResourceSetupRequest, PDUSessionResourceSetupListSUReq(items))?);
    ies.push(build_ngap_ie!(PDUSessionResourceSetupRequest, UEAggregateMaximumBitRate(ue_ambr(ue_rates)))?);
    pdu!(PDUSessionResourceSetupRequest, ies)
}

/// Flows that come or change, and flows that go.
pub(crate) fn modify_request(
    ids: Ids,
    psi: u8,
    rates: BitRates,
    flows: &[QosFlow],
    gone: &[u8],
    nas: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut transfer: Ies<'_> =
        vec![build_ngap_ie!(PDUSessionResourceModifyRequestTransfer, PDUSessionAggregateMaximumBitRate(ambr(rates)))?];
    if !flows.is_empty() {
        let items = flows.iter().map(|flow| {
            QosFlowAddOrModifyRequestItem::new(QosFlowIdentifier(flow.qfi.into()), Some(parameters(flow)), None, None)
        });
        let items = QosFlowAddOrModifyRequestList(items.collect());
        transfer.push(build_ngap_ie!(PDUSessionResourceModifyRequestTransfer, QosFlowAddOrModifyRequestList(items))?);
    }
    if !gone.is_empty() {
        let cause = Cause::nas(CauseNas::normal_release);
        let items =
            gone.iter().map(|qfi| QosFlowWithCauseItem::new(QosFlowIdentifier((*qfi).into()), cause.clone(), None));
        let items = QosFlowListWithCause(items.collect());
        transfer.push(build_ngap_ie!(PDUSessionResourceModifyRequestTransfer, QosFlowToReleaseList(items))?);
    }
    let transfer = PDUSessionResourceModifyRequestTransfer::new(ProtocolIEContainer(transfer));
    let transfer = encode_open_type(&transfer)?.as_ref().to_vec();
    let item =
        PDUSessionResourceModifyItemModReq::new(PDUSessionID(psi), Some(NASPDU(nas.into())), transfer.into(), None);
    build_ngap!(
        InitiatingMessage,
        PDUSessionResourceModify,
        PDUSessionResourceModifyRequest,
        AMF_UE_NGAP_ID(ids.amf.0),
        RAN_UE_NGAP_ID(ids.ran.0),
        PDUSessionResourceModifyListModReq(PDUSessionResourceModifyListModReq(vec![item])),
    )?
    .encode()
}

pub(crate) fn release_command(ids: Ids, psi: u8, cause: Cause, nas: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let transfer = encode_open_type(&PDUSessionResourceReleaseCommandTransfer::new(cause, None))?.as_ref().to_vec();
    let item = PDUSessionResourceToReleaseItemRelCmd::new(PDUSessionID(psi), transfer.into(), None);
    let list = PDUSessionResourceToReleaseListRelCmd(vec![item]);
    let mut ies: Ies<'_> = vec![
        build_ngap_ie!(PDUSessionResourceReleaseCommand, AMF_UE_NGAP_ID(ids.amf.0))?,
        build_ngap_ie!(PDUSessionResourceReleaseCommand, RAN_UE_NGAP_ID(ids.ran.0))?,
    ];
    if let Some(nas) = nas {
        ies.push(build_ngap_ie!(PDUSessionResourceReleaseCommand, NAS_PDU(nas))?);
    }
    ies.push(build_ngap_ie!(PDUSessionResourceReleaseCommand, PDUSessionResourceToReleaseListRelCmd(list))?);
    pdu!(PDUSessionResourceReleaseCommand, ies)
}

/// The gNB's end of a resource that it has set up; none when it cannot be used: unreadable, without the default flow, or
/// without the protection that was required. A gNB that says nothing of protection has done what was required, or would have
/// had to refuse (TS 38.413 §8.2.1.2).
pub(crate) fn accepted(transfer: &[u8], default_qfi: u8) -> Option<Tunnel> {
    let transfer: PDUSessionResourceSetupResponseTransfer<'_> = decode_open_type(transfer).ok()?;
    if let Some(result) = &transfer.security_result
        && (result.integrity_protection_result != IntegrityProtectionResult::performed
            || result.confidentiality_protection_result != ConfidentialityProtectionResult::performed)
    {
        return None;
    }
    let information = &transfer.dl_qos_flow_per_tnl_information;
    let flows = &information.associated_qos_flow_list.0;
    if !flows.iter().any(|flow| flow.qos_flow_identifier.0 == u64::from(default_qfi)) {
        return None;
    }
    tunnel_of(&information.up_transport_layer_information)
}

/// Flows that a gNB did not take over in a modification.
pub(crate) fn not_modified(transfer: &[u8]) -> Vec<u8> {
    let Ok(transfer) = decode_open_type::<PDUSessionResourceModifyResponseTransfer<'_>>(transfer) else {
        return Vec::new();
    };
    let failed = transfer.qos_flow_failed_to_add_or_modify_list.as_ref();
    failed
        .map(|list| list.0.iter().filter_map(|item| u8::try_from(item.qos_flow_identifier.0).ok()).collect())
        .unwrap_or_default()
}

//! Session resources: tunnels and QoS flows of a phone's sessions (TS 38.413 §8.2).

use super::{Downlink, Gnb, GnbEvent, GnbIo, PhoneId, radio_cause};
use oxirush_ngap::aper::{BitString, Octets};
use oxirush_ngap::ngap::{
    AssociatedQosFlowItem, AssociatedQosFlowList, Cause, CauseRadioNetwork, ConfidentialityProtectionIndication,
    ConfidentialityProtectionResult, GTPTEID, GTPTunnel, IntegrityProtectionIndication, IntegrityProtectionResult,
    NASPDU, NGAP_PDU, PDUSessionID, PDUSessionResourceFailedToModifyItemModRes,
    PDUSessionResourceFailedToModifyListModRes, PDUSessionResourceFailedToSetupItemCxtRes,
    PDUSessionResourceFailedToSetupItemSURes, PDUSessionResourceFailedToSetupListCxtRes,
    PDUSessionResourceFailedToSetupListSURes, PDUSessionResourceModifyItemModRes, PDUSessionResourceModifyListModRes,
    PDUSessionResourceModifyRequestTransfer, PDUSessionResourceModifyResponseTransfer,
    PDUSessionResourceModifyUnsuccessfulTransfer, PDUSessionResourceReleaseResponseTransfer,
    PDUSessionResourceReleasedItemRelRes, PDUSessionResourceReleasedListRelRes, PDUSessionResourceSetupItemCxtRes,
    PDUSessionResourceSetupItemSURes, PDUSessionResourceSetupListCxtRes, PDUSessionResourceSetupListSURes,
    PDUSessionResourceSetupRequestTransfer, PDUSessionResourceSetupResponseTransfer,
    PDUSessionResourceSetupUnsuccessfulTransfer, QosFlowAddOrModifyResponseItem, QosFlowAddOrModifyResponseList,
    QosFlowIdentifier, QosFlowPerTNLInformation, SecurityIndication, SecurityResult, TransportLayerAddress,
    UPTransportLayerInformation, decode_open_type, encode_open_type,
};
use oxirush_ngap::{Error as NgapError, build_ngap, extract_ngap_ies};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// One end of a GTP-U tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// Where it listens (UDP 2152).
    pub address: IpAddr,
    /// Tunnel endpoint identifier; never 0.
    pub teid: u32,
}

/// The tunnel of one session at the gNB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The user plane's end.
    pub uplink: Tunnel,
    /// Our end, at the gNB's N3 address.
    pub teid: u32,
    /// QoS flows that the core set up.
    pub qfis: BTreeSet<u8>,
    /// The radio protects the integrity of this session's packets.
    pub integrity: bool,
}

/// A session that is to be set up.
#[derive(Debug)]
pub(super) struct SetupItem {
    psi: u8,
    nas: Option<Vec<u8>>,
    wanted: Result<Wanted, Cause>,
}

#[derive(Clone, Debug)]
struct Wanted {
    uplink: Tunnel,
    qfis: BTreeSet<u8>,
    security: Option<SecurityIndication>,
}

impl SetupItem {
    pub(super) fn new(psi: u8, nas: Option<NASPDU<'_>>, transfer: &[u8]) -> Self {
        let wanted =
            read_setup(transfer).map_err(|_| Cause::protocol(oxirush_ngap::ngap::CauseProtocol::transfer_syntax_error));
        let wanted = wanted.and_then(|w| w.ok_or(radio_cause(CauseRadioNetwork::invalid_qos_combination)));
        Self { psi, nas: nas.map(|nas| nas.0.to_vec()), wanted }
    }
}

fn read_setup(transfer: &[u8]) -> Result<Option<Wanted>, NgapError> {
    let transfer: PDUSessionResourceSetupRequestTransfer<'_> = decode_open_type(transfer)?;
    extract_ngap_ies!(transfer, PDUSessionResourceSetupRequestTransfer,
        req tunnel: Option<Tunnel> = UL_NGU_UP_TNLInformation(info) => tunnel_of(&info),
        req flows: Vec<u64> = QosFlowSetupRequestList(list) =>
            list.0.iter().map(|item| item.qos_flow_identifier.0).collect(),
        opt security: SecurityIndication = SecurityIndication(indication) => indication,
    );
    let qfis = qfis(&flows);
    Ok(tunnel.filter(|_| qfis.len() == flows.len() && !qfis.is_empty()).map(|uplink| Wanted { uplink, qfis, security }))
}

fn qfis(flows: &[u64]) -> BTreeSet<u8> {
    flows.iter().filter_map(|qfi| u8::try_from(*qfi).ok()).filter(|qfi| *qfi < 64).collect()
}

/// IPv4, IPv6 or both one after the other, of which the first is taken (TS 38.414 §5.3).
fn tunnel_of(info: &UPTransportLayerInformation<'_>) -> Option<Tunnel> {
    let UPTransportLayerInformation::gTPTunnel(tunnel) = info else { return None };
    let octets = tunnel.transport_layer_address.0.as_octets();
    let address: IpAddr = match octets.len() {
        4 | 20 => <[u8; 4]>::try_from(octets.get(..4)?).ok()?.into(),
        16 => <[u8; 16]>::try_from(octets).ok()?.into(),
        _ => return None,
    };
    let teid = u32::from_be_bytes(tunnel.gtp_teid.0);
    (teid != 0).then_some(Tunnel { address, teid })
}

fn tnl(tunnel: Tunnel) -> UPTransportLayerInformation<'static> {
    let octets = match tunnel.address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let address = TransportLayerAddress(BitString::from_octets(octets));
    UPTransportLayerInformation::gTPTunnel(GTPTunnel::new(address, GTPTEID(tunnel.teid.to_be_bytes()), None))
}

/// What became of the sessions of one request: transfers by session.
#[derive(Default)]
pub(super) struct Outcome {
    up: Vec<(u8, Octets<'static>)>,
    failed: Vec<(u8, Octets<'static>)>,
}

impl Outcome {
    pub(super) fn into_context_response(self, amf: u64, ran: u32) -> Result<NGAP_PDU, NgapError> {
        let up = self.up.into_iter().map(|(psi, t)| PDUSessionResourceSetupItemCxtRes::new(PDUSessionID(psi), t, None));
        let up: Vec<_> = up.collect();
        let failed = self.failed.into_iter();
        let failed = failed.map(|(psi, t)| PDUSessionResourceFailedToSetupItemCxtRes::new(PDUSessionID(psi), t, None));
        let failed: Vec<_> = failed.collect();
        match (up.is_empty(), failed.is_empty()) {
            (true, true) => build_ngap!(
                SuccessfulOutcome,
                InitialContextSetup,
                InitialContextSetupResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
            ),
            (false, true) => build_ngap!(
                SuccessfulOutcome,
                InitialContextSetup,
                InitialContextSetupResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceSetupListCxtRes(PDUSessionResourceSetupListCxtRes(up)),
            ),
            (true, false) => build_ngap!(
                SuccessfulOutcome,
                InitialContextSetup,
                InitialContextSetupResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceFailedToSetupListCxtRes(PDUSessionResourceFailedToSetupListCxtRes(failed)),
            ),
            (false, false) => build_ngap!(
                SuccessfulOutcome,
                InitialContextSetup,
                InitialContextSetupResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceSetupListCxtRes(PDUSessionResourceSetupListCxtRes(up)),
                PDUSessionResourceFailedToSetupListCxtRes(PDUSessionResourceFailedToSetupListCxtRes(failed)),
            ),
        }
    }

    fn into_setup_response(self, amf: u64, ran: u32) -> Result<NGAP_PDU, NgapError> {
        let up = self.up.into_iter().map(|(psi, t)| PDUSessionResourceSetupItemSURes::new(PDUSessionID(psi), t, None));
        let up: Vec<_> = up.collect();
        let failed = self.failed.into_iter();
        let failed = failed.map(|(psi, t)| PDUSessionResourceFailedToSetupItemSURes::new(PDUSessionID(psi), t, None));
        let failed: Vec<_> = failed.collect();
        match (up.is_empty(), failed.is_empty()) {
            (false, true) => build_ngap!(
                SuccessfulOutcome,
                PDUSessionResourceSetup,
                PDUSessionResourceSetupResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceSetupListSURes(PDUSessionResourceSetupListSURes(up)),
            ),
            (true, _) => build_ngap!(
                SuccessfulOutcome,
                PDUSessionResourceSetup,
                PDUSessionResourceSetupResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceFailedToSetupListSURes(PDUSessionResourceFailedToSetupListSURes(failed)),
            ),
            (false, false) => build_ngap!(
                SuccessfulOutcome,
                PDUSessionResourceSetup,
                PDUSessionResourceSetupResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceSetupListSURes(PDUSessionResourceSetupListSURes(up)),
                PDUSessionResourceFailedToSetupListSURes(PDUSessionResourceFailedToSetupListSURes(failed)),
            ),
        }
    }
}

impl Gnb {
    /// Sets tunnels up and tells the phone; a session's NAS message goes to it whatever becomes of its tunnel.
    pub(super) fn set_up_resources(&mut self, io: &mut GnbIo<'_>, ran: u32, items: Vec<SetupItem>) -> Outcome {
        let mut outcome = Outcome::default();
        let Some(phone) = self.ues.get(&ran).map(|ue| ue.phone) else { return outcome };
        for item in items {
            let result = item.wanted.and_then(|wanted| self.set_up_resource(io, ran, phone, item.psi, wanted));
            match result {
                Ok(transfer) => {
                    outcome.up.push((item.psi, transfer));
                    io.radio(phone, Downlink::Bearer { psi: item.psi, up: true });
                    io.event(GnbEvent::ResourceUp { phone, psi: item.psi });
                    if let Some(nas) = item.nas {
                        io.radio(phone, Downlink::Nas(nas));
                    }
                }
                Err(cause) => {
                    let transfer = PDUSessionResourceSetupUnsuccessfulTransfer::new(cause, None, None);
                    if let Ok(transfer) = encode_open_type(&transfer) {
                        outcome.failed.push((item.psi, transfer));
                    }
                }
            }
        }
        outcome
    }

    fn set_up_resource(
        &mut self,
        io: &mut GnbIo<'_>,
        ran: u32,
        phone: PhoneId,
        psi: u8,
        wanted: Wanted,
    ) -> Result<Octets<'static>, Cause> {
        let indication = wanted.security.as_ref();
        let integrity = indication.map(|i| i.integrity_protection_indication);
        if integrity != Some(IntegrityProtectionIndication::required) {
            io.event(GnbEvent::UserPlaneUnprotected { phone, psi });
            if self.config.integrity_required {
                return Err(radio_cause(CauseRadioNetwork::up_integrity_protection_not_possible));
            }
        }
        let taken = self.ues.get(&ran).is_some_and(|ue| ue.resources.contains_key(&psi));
        if taken {
            return Err(radio_cause(CauseRadioNetwork::multiple_PDU_session_ID_instances));
        }
        let teid = self.allocate_teid(phone, psi);
        let flows = wanted.qfis.iter();
        let flows = flows.map(|qfi| AssociatedQosFlowItem::new(QosFlowIdentifier(u64::from(*qfi)), None, None));
        let ours = tnl(Tunnel { address: self.config.n3, teid });
        let information = QosFlowPerTNLInformation::new(ours, AssociatedQosFlowList(flows.collect()), None);
        // The result is told only where the core left a choice (§9.3.4.2).
        let confidentiality = indication.map(|i| i.confidentiality_protection_indication);
        let preferred = integrity == Some(IntegrityProtectionIndication::preferred)
            || confidentiality == Some(ConfidentialityProtectionIndication::preferred);
        let performed = integrity.is_some_and(|i| i != IntegrityProtectionIndication::not_needed);
        let result = preferred.then(|| {
            SecurityResult::new(
                if performed { IntegrityProtectionResult::performed } else { IntegrityProtectionResult::not_performed },
                ConfidentialityProtectionResult::performed,
                None,
            )
        });
        let transfer = PDUSessionResourceSetupResponseTransfer::new(information, None, result, None, None);
        let transfer = encode_open_type(&transfer).map_err(|_| radio_cause(CauseRadioNetwork::unspecified))?;
        let resource = Resource { uplink: wanted.uplink, teid, qfis: wanted.qfis, integrity: performed };
        if let Some(ue) = self.ues.get_mut(&ran) {
            ue.resources.insert(psi, resource);
        }
        Ok(transfer)
    }

    fn allocate_teid(&mut self, phone: PhoneId, psi: u8) -> u32 {
        while self.next_teid == 0 || self.teids.contains_key(&self.next_teid) {
            self.next_teid = self.next_teid.wrapping_add(1);
        }
        let teid = self.next_teid;
        self.next_teid = teid.wrapping_add(1);
        self.teids.insert(teid, (phone, psi));
        teid
    }

    pub(super) fn resource_setup(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, PDUSessionResourceSetupRequest,
            req amf: u64 = AMF_UE_NGAP_ID(id),
            req ran: u32 = RAN_UE_NGAP_ID(id),
            req items: Vec<SetupItem> = PDUSessionResourceSetupListSUReq(list) => list.0.into_iter().map(|item| {
                SetupItem::new(
                    item.pdu_session_id.0,
                    item.pdu_session_nas_pdu,
                    &item.pdu_session_resource_setup_request_transfer,
                )
            }).collect(),
            opt nas: Vec<u8> = NAS_PDU(nas) => nas.0.to_vec(),
        );
        let Some(ue) = self.phone_of(io, amf, ran).filter(|ue| !ue.detached) else { return Ok(()) };
        let (phone, secured) = (ue.phone, ue.secured);
        let items = if secured {
            items
        } else {
            // Without protected radio there are no bearers.
            let cause = || radio_cause(CauseRadioNetwork::failure_in_radio_interface_procedure);
            items.into_iter().map(|item| SetupItem { wanted: Err(cause()), ..item }).collect()
        };
        let outcome = self.set_up_resources(io, ran, items);
        io.send(self.stream(ran), outcome.into_setup_response(amf, ran));
        if let Some(nas) = nas {
            io.radio(phone, Downlink::Nas(nas));
        }
        Ok(())
    }

    pub(super) fn resource_modify(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        type Item = (u8, Option<Vec<u8>>, Vec<u8>);
        extract_ngap_ies!(pdu, PDUSessionResourceModifyRequest,
            req amf: u64 = AMF_UE_NGAP_ID(id),
            req ran: u32 = RAN_UE_NGAP_ID(id),
            req items: Vec<Item> = PDUSessionResourceModifyListModReq(list) => list.0.into_iter().map(|item| (
                item.pdu_session_id.0,
                item.nas_pdu.map(|nas| nas.0.to_vec()),
                item.pdu_session_resource_modify_request_transfer.to_vec(),
            )).collect(),
        );
        let Some(ue) = self.phone_of(io, amf, ran).filter(|ue| !ue.detached) else { return Ok(()) };
        let phone = ue.phone;
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for (psi, nas, transfer) in items {
            match ue.resources.get_mut(&psi) {
                Some(resource) => {
                    let transfer = modify(resource, &transfer)?;
                    done.push(PDUSessionResourceModifyItemModRes::new(PDUSessionID(psi), transfer, None));
                    if let Some(nas) = nas {
                        io.radio(phone, Downlink::Nas(nas));
                    }
                }
                None => {
                    let cause = radio_cause(CauseRadioNetwork::unknown_PDU_session_ID);
                    let transfer = PDUSessionResourceModifyUnsuccessfulTransfer::new(cause, None, None);
                    let transfer = encode_open_type(&transfer)?;
                    failed.push(PDUSessionResourceFailedToModifyItemModRes::new(PDUSessionID(psi), transfer, None));
                }
            }
        }
        let response = match (done.is_empty(), failed.is_empty()) {
            (_, true) => build_ngap!(
                SuccessfulOutcome,
                PDUSessionResourceModify,
                PDUSessionResourceModifyResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceModifyListModRes(PDUSessionResourceModifyListModRes(done)),
            ),
            (true, false) => build_ngap!(
                SuccessfulOutcome,
                PDUSessionResourceModify,
                PDUSessionResourceModifyResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceFailedToModifyListModRes(PDUSessionResourceFailedToModifyListModRes(failed)),
            ),
            (false, false) => build_ngap!(
                SuccessfulOutcome,
                PDUSessionResourceModify,
                PDUSessionResourceModifyResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceModifyListModRes(PDUSessionResourceModifyListModRes(done)),
                PDUSessionResourceFailedToModifyListModRes(PDUSessionResourceFailedToModifyListModRes(failed)),
            ),
        };
        io.send(self.stream(ran), response);
        Ok(())
    }

    pub(super) fn resource_release(&mut self, io: &mut GnbIo<'_>, pdu: &NGAP_PDU) -> Result<(), NgapError> {
        extract_ngap_ies!(pdu, PDUSessionResourceReleaseCommand,
            req amf: u64 = AMF_UE_NGAP_ID(id),
            req ran: u32 = RAN_UE_NGAP_ID(id),
            req sessions: Vec<u8> = PDUSessionResourceToReleaseListRelCmd(list) =>
                list.0.iter().map(|item| item.pdu_session_id.0).collect(),
            opt nas: Vec<u8> = NAS_PDU(nas) => nas.0.to_vec(),
        );
        let Some(ue) = self.phone_of(io, amf, ran).filter(|ue| !ue.detached) else { return Ok(()) };
        let phone = ue.phone;
        let mut gone = Vec::new();
        let mut released = Vec::new();
        for psi in sessions {
            if let Some(resource) = ue.resources.remove(&psi) {
                gone.push((psi, resource.teid));
            }
            let transfer = encode_open_type(&PDUSessionResourceReleaseResponseTransfer::new(None))?;
            released.push(PDUSessionResourceReleasedItemRelRes::new(PDUSessionID(psi), transfer, None));
        }
        for (psi, teid) in gone {
            self.teids.remove(&teid);
            io.radio(phone, Downlink::Bearer { psi, up: false });
            io.event(GnbEvent::ResourceDown { phone, psi });
        }
        let response = build_ngap!(
            SuccessfulOutcome,
            PDUSessionResourceRelease,
            PDUSessionResourceReleaseResponse,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            PDUSessionResourceReleasedListRelRes(PDUSessionResourceReleasedListRelRes(released)),
        );
        io.send(self.stream(ran), response);
        if let Some(nas) = nas {
            io.radio(phone, Downlink::Nas(nas));
        }
        Ok(())
    }
}

/// Applies a modification to a tunnel; the answer names every flow that was asked for.
fn modify(resource: &mut Resource, transfer: &[u8]) -> Result<Octets<'static>, NgapError> {
    let transfer: PDUSessionResourceModifyRequestTransfer<'_> = decode_open_type(transfer)?;
    extract_ngap_ies!(transfer, PDUSessionResourceModifyRequestTransfer,
        opt flows: Vec<u64> = QosFlowAddOrModifyRequestList(list) =>
            list.0.iter().map(|item| item.qos_flow_identifier.0).collect(),
        opt gone: Vec<u64> = QosFlowToReleaseList(list) =>
            list.0.iter().map(|item| item.qos_flow_identifier.0).collect(),
    );
    let flows = qfis(&flows.unwrap_or_default());
    resource.qfis.extend(&flows);
    for qfi in qfis(&gone.unwrap_or_default()) {
        resource.qfis.remove(&qfi);
    }
    let taken = flows.iter().map(|qfi| QosFlowAddOrModifyResponseItem::new(QosFlowIdentifier(u64::from(*qfi)), None));
    let taken: Vec<_> = taken.collect();
    let list = (!taken.is_empty()).then_some(QosFlowAddOrModifyResponseList(taken));
    encode_open_type(&PDUSessionResourceModifyResponseTransfer::new(None, None, list, None, None, None))
}

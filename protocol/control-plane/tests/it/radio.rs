//! What gNBs do with what they are told.

use crate::pdus::{release_complete, uplink_nas_transport};
use crate::world::World;
use oxirush_ngap::ngap::*;
use oxirush_ngap::{BitString, NgapPduKind, build_ngap, build_ngap_ie, ie};
use pakawaaz_control_plane::identifiers::AssociationId;

impl World {
    /// NAS to a phone, and the phone's answers as PDUs.
    fn tell_phone(&mut self, association: AssociationId, amf: u64, ran: u32, nas: &[u8]) -> Vec<Vec<u8>> {
        let Some(radio) = self.radios.get(&(association, ran)) else { return Vec::new() };
        let answers = self.phones[radio.phone].receive(nas);
        answers.iter().map(|nas| uplink_nas_transport(amf, ran, nas)).collect()
    }

    pub fn at_gnb(&mut self, association: AssociationId, stream: u16, bytes: &[u8]) -> Vec<Vec<u8>> {
        let pdu = NGAPPDU::decode_borrowed(bytes).expect("what we send can be read");
        let deviations = pdu.check().expect("what we send can be checked");
        assert!(deviations.is_empty(), "{pdu}: {deviations:?}");
        let name = pdu.to_string();
        let name = name.split(' ').next().unwrap_or_default().to_owned();
        self.sent.push((association, name.clone()));
        if let Some(Ok(cause)) = pdu.ie::<ie::Cause>() {
            self.causes.push(cause);
        }
        let ids = pdu.ie::<ie::AMF_UE_NGAP_ID>().zip(pdu.ie::<ie::RAN_UE_NGAP_ID>());
        let ids = ids.map(|(amf, ran)| (amf.unwrap().0, ran.unwrap().0));
        if let Some((amf, ran)) = ids
            && let Some(radio) = self.radios.get_mut(&(association, ran))
            && !matches!(pdu.kind(), NgapPduKind::Initiating_ErrorIndication)
        {
            assert_ne!(stream, 0, "phones have their own streams");
            radio.amf = Some(amf);
        }
        if self.gnb_mute.contains(name.as_str()) {
            return Vec::new();
        }
        let (amf, ran) = ids.unwrap_or_default();
        match pdu.kind() {
            NgapPduKind::Initiating_DownlinkNASTransport => {
                let nas = pdu.ie::<ie::NAS_PDU>().unwrap().unwrap();
                self.tell_phone(association, amf, ran, nas.0.as_slice())
            }
            NgapPduKind::Initiating_InitialContextSetup => self.context_setup(association, amf, ran, &pdu),
            NgapPduKind::Initiating_PDUSessionResourceSetup => self.session_setup(association, amf, ran, &pdu),
            NgapPduKind::Initiating_PDUSessionResourceModify => {
                let list = pdu.ie::<ie::PDUSessionResourceModifyListModReq>().unwrap().unwrap();
                let item = list.0.first().unwrap();
                let nas = item.nas_pdu.as_ref().unwrap().0.as_slice().to_vec();
                let mut answers = self.tell_phone(association, amf, ran, &nas);
                let transfer = PDUSessionResourceModifyResponseTransfer::new(None, None, None, None, None, None);
                let octets = encode_open_type(&transfer).unwrap().as_ref().to_vec();
                let done = PDUSessionResourceModifyItemModRes::new(item.pdu_session_id, octets.into(), None);
                let response = build_ngap!(
                    SuccessfulOutcome,
                    PDUSessionResourceModify,
                    PDUSessionResourceModifyResponse,
                    AMF_UE_NGAP_ID(amf),
                    RAN_UE_NGAP_ID(ran),
                    PDUSessionResourceModifyListModRes(PDUSessionResourceModifyListModRes(vec![done])),
                );
                answers.push(response.unwrap().encode().unwrap());
                answers
            }
            NgapPduKind::Initiating_PDUSessionResourceRelease => {
                let mut answers = Vec::new();
                if let Some(Ok(nas)) = pdu.ie::<ie::NAS_PDU>() {
                    answers = self.tell_phone(association, amf, ran, nas.0.as_slice());
                }
                answers
            }
            NgapPduKind::Initiating_UEContextRelease => self.context_release(association, &pdu),
            NgapPduKind::Initiating_Paging => {
                let UEPagingIdentity::fiveG_S_TMSI(identity) = pdu.ie::<ie::UEPagingIdentity>().unwrap().unwrap()
                else {
                    panic!("a 5G-S-TMSI")
                };
                self.paged.push(u32::from_be_bytes(identity.five_g_tmsi.0));
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    pub fn tunnel(&self, psi: u8) -> Vec<u8> {
        let address = TransportLayerAddress(BitString::from(vec![198, 51, 100, 1]));
        let (qfi, teid) = self.gnb_end;
        let teid = teid.unwrap_or(u32::from_be_bytes([0, 0, 7, psi]));
        let tunnel = GTPTunnel::new(address, GTPTEID(teid.to_be_bytes()), None);
        let flow = AssociatedQosFlowItem::new(QosFlowIdentifier(qfi), None, None);
        let information = QosFlowPerTNLInformation::new(
            UPTransportLayerInformation::gTPTunnel(tunnel),
            AssociatedQosFlowList(vec![flow]),
            None,
        );
        let result = match self.gnb_integrity {
            true => IntegrityProtectionResult::performed,
            false => IntegrityProtectionResult::not_performed,
        };
        let ciphering = match self.gnb_ciphering {
            true => ConfidentialityProtectionResult::performed,
            false => ConfidentialityProtectionResult::not_performed,
        };
        let security = SecurityResult::new(result, ciphering, None);
        let transfer = PDUSessionResourceSetupResponseTransfer::new(information, None, Some(security), None, None);
        encode_open_type(&transfer).unwrap().as_ref().to_vec()
    }

    /// The transfer of a request asks for what our rules say.
    fn look_at_transfer(&mut self, association: AssociationId, ran: u32, transfer: &[u8]) {
        let deviations = PDUSessionResourceSetupRequestTransfer::check(transfer).unwrap();
        assert!(deviations.is_empty(), "{deviations:?}");
        let transfer: PDUSessionResourceSetupRequestTransfer<'_> = decode_open_type(transfer).unwrap();
        let UPTransportLayerInformation::gTPTunnel(tunnel) =
            transfer.ie::<ie::UL_NGU_UP_TNLInformation>().expect("an end of ours").unwrap()
        else {
            panic!("a tunnel")
        };
        let teid = u32::from_be_bytes(tunnel.gtp_teid.0);
        assert!(self.tunnels.contains(&teid), "nobody is led to a tunnel that is gone");
        let security = transfer.ie::<ie::SecurityIndication>().expect("a security indication").unwrap();
        let required = security.integrity_protection_indication == IntegrityProtectionIndication::required
            && security.confidentiality_protection_indication == ConfidentialityProtectionIndication::required;
        if let Some(radio) = self.radios.get_mut(&(association, ran)) {
            radio.integrity_required = required;
        }
    }

    fn context_setup(&mut self, association: AssociationId, amf: u64, ran: u32, pdu: &NGAPPDU<'_>) -> Vec<Vec<u8>> {
        let key = pdu.ie::<ie::SecurityKey>().unwrap().unwrap().0.as_octets().to_vec();
        if let Some(radio) = self.radios.get_mut(&(association, ran)) {
            radio.k_gnb = Some(key);
        }
        let mut done = Vec::new();
        let mut failed = Vec::new();
        if let Some(Ok(list)) = pdu.ie::<ie::PDUSessionResourceSetupListCxtReq>() {
            for item in &list.0 {
                self.look_at_transfer(association, ran, item.pdu_session_resource_setup_request_transfer.as_slice());
                let psi = item.pdu_session_id.0;
                if self.gnb_refuses_sessions {
                    let cause = Cause::radioNetwork(CauseRadioNetwork::up_integrity_protection_not_possible);
                    let transfer = PDUSessionResourceSetupUnsuccessfulTransfer::new(cause, None, None);
                    let octets = encode_open_type(&transfer).unwrap().as_ref().to_vec();
                    failed.push(PDUSessionResourceFailedToSetupItemCxtRes::new(PDUSessionID(psi), octets.into(), None));
                } else {
                    done.push(PDUSessionResourceSetupItemCxtRes::new(PDUSessionID(psi), self.tunnel(psi).into(), None));
                }
            }
        }
        let mut ies = vec![
            build_ngap_ie!(InitialContextSetupResponse, AMF_UE_NGAP_ID(amf)).unwrap(),
            build_ngap_ie!(InitialContextSetupResponse, RAN_UE_NGAP_ID(ran)).unwrap(),
        ];
        if !done.is_empty() {
            let list = PDUSessionResourceSetupListCxtRes(done);
            ies.push(build_ngap_ie!(InitialContextSetupResponse, PDUSessionResourceSetupListCxtRes(list)).unwrap());
        }
        if !failed.is_empty() {
            let list = PDUSessionResourceFailedToSetupListCxtRes(failed);
            ies.push(
                build_ngap_ie!(InitialContextSetupResponse, PDUSessionResourceFailedToSetupListCxtRes(list)).unwrap(),
            );
        }
        let response = InitialContextSetupResponse::new(ProtocolIEContainer(ies));
        let response = NGAP_PDU::of_message(&response, Criticality::reject).unwrap().encode().unwrap();
        let mut answers = vec![response];
        if let Some(Ok(nas)) = pdu.ie::<ie::NAS_PDU>() {
            answers.extend(self.tell_phone(association, amf, ran, nas.0.as_slice()));
        }
        if self.gnb_late {
            answers.rotate_left(1);
        }
        answers
    }

    fn session_setup(&mut self, association: AssociationId, amf: u64, ran: u32, pdu: &NGAPPDU<'_>) -> Vec<Vec<u8>> {
        let mut answers = Vec::new();
        if let Some(Ok(nas)) = pdu.ie::<ie::NAS_PDU>() {
            answers.extend(self.tell_phone(association, amf, ran, nas.0.as_slice()));
        }
        let list = pdu.ie::<ie::PDUSessionResourceSetupListSUReq>().unwrap().unwrap();
        for item in &list.0 {
            self.look_at_transfer(association, ran, item.pdu_session_resource_setup_request_transfer.as_slice());
            let psi = item.pdu_session_id.0;
            if self.gnb_refuses_sessions {
                let cause = Cause::radioNetwork(CauseRadioNetwork::up_integrity_protection_not_possible);
                let transfer = PDUSessionResourceSetupUnsuccessfulTransfer::new(cause, None, None);
                let octets = encode_open_type(&transfer).unwrap().as_ref().to_vec();
                let item = PDUSessionResourceFailedToSetupItemSURes::new(PDUSessionID(psi), octets.into(), None);
                let response = build_ngap!(
                    SuccessfulOutcome,
                    PDUSessionResourceSetup,
                    PDUSessionResourceSetupResponse,
                    AMF_UE_NGAP_ID(amf),
                    RAN_UE_NGAP_ID(ran),
                    PDUSessionResourceFailedToSetupListSURes(PDUSessionResourceFailedToSetupListSURes(vec![item])),
                );
                answers.push(response.unwrap().encode().unwrap());
                continue;
            }
            if let Some(nas) = &item.pdu_session_nas_pdu {
                answers.extend(self.tell_phone(association, amf, ran, nas.0.as_slice()));
            }
            if self.gnb_setup_answers_lost {
                continue;
            }
            let done = PDUSessionResourceSetupItemSURes::new(PDUSessionID(psi), self.tunnel(psi).into(), None);
            let response = build_ngap!(
                SuccessfulOutcome,
                PDUSessionResourceSetup,
                PDUSessionResourceSetupResponse,
                AMF_UE_NGAP_ID(amf),
                RAN_UE_NGAP_ID(ran),
                PDUSessionResourceSetupListSURes(PDUSessionResourceSetupListSURes(vec![done])),
            );
            answers.push(response.unwrap().encode().unwrap());
        }
        answers
    }

    fn context_release(&mut self, association: AssociationId, pdu: &NGAPPDU<'_>) -> Vec<Vec<u8>> {
        extract_release(pdu, |amf, ran| {
            if let Some(radio) = self.radios.get_mut(&(association, ran)) {
                radio.released = true;
                radio.amf = Some(amf);
            }
            release_complete(amf, ran)
        })
    }
}

fn extract_release(pdu: &NGAPPDU<'_>, mut of: impl FnMut(u64, u32) -> Vec<u8>) -> Vec<Vec<u8>> {
    let UENGAPIDs::uE_NGAP_ID_pair(pair) = pdu.ie::<ie::UE_NGAP_IDs>().unwrap().unwrap() else { panic!("a pair") };
    vec![of(pair.amf_ue_ngap_id.0, pair.ran_ue_ngap_id.0)]
}

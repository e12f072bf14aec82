//! Messages of gNBs.

use oxirush_ngap::helpers::{self, *};
use oxirush_ngap::ngap::*;
use oxirush_ngap::{Bits, build_ngap};

/// The tracking area of the tests.
pub const AREA: u32 = 1;

pub fn release_complete(amf: u64, ran: u32) -> Vec<u8> {
    let pdu = build_ngap!(
        SuccessfulOutcome,
        UEContextRelease,
        UEContextReleaseComplete,
        AMF_UE_NGAP_ID(amf),
        RAN_UE_NGAP_ID(ran),
    );
    pdu.unwrap().encode().unwrap()
}

pub fn plmn_of_test() -> PLMNIdentity {
    helpers::plmn("001", "01").unwrap()
}

pub fn areas(tac: u32, sst: u8) -> SupportedTAList {
    let slices = SliceSupportList(vec![SliceSupportItem::new(s_nssai(sst, None), None)]);
    let plmns = BroadcastPLMNList(vec![BroadcastPLMNItem::new(plmn_of_test(), slices, None)]);
    let [_, a, b, c] = tac.to_be_bytes();
    SupportedTAList(vec![SupportedTAItem::new(TAC([a, b, c]), plmns, None)])
}

pub fn ng_setup(id: u32, bits: u32, tac: u32, sst: u8) -> Vec<u8> {
    let gnb = GlobalRANNodeID::globalGNB_ID(global_gnb_id(plmn_of_test(), id, bits).unwrap());
    let pdu = build_ngap!(
        InitiatingMessage,
        NGSetup,
        NGSetupRequest,
        GlobalRANNodeID(gnb),
        RANNodeName("gnb"),
        SupportedTAList(areas(tac, sst)),
        DefaultPagingDRX(PagingDRX::v128),
    );
    pdu.unwrap().encode().unwrap()
}

pub fn location(tac: u32) -> UserLocationInformation<'static> {
    let cell = NRCGI::new(plmn_of_test(), NRCellIdentity(Bits::low(0x10, 36)), None);
    let [_, a, b, c] = tac.to_be_bytes();
    let nr = UserLocationInformationNR::new(cell, helpers::tai(plmn_of_test(), [a, b, c]), None, None);
    UserLocationInformation::userLocationInformationNR(nr)
}

pub fn initial_ue_message(ran: u32, nas: &[u8], tac: u32) -> Vec<u8> {
    let pdu = build_ngap!(
        InitiatingMessage,
        InitialUEMessage,
        InitialUEMessage,
        RAN_UE_NGAP_ID(ran),
        NAS_PDU(nas),
        UserLocationInformation(location(tac)),
        RRCEstablishmentCause(RRCEstablishmentCause::mo_Signalling),
    );
    pdu.unwrap().encode().unwrap()
}

pub fn uplink_nas_transport(amf: u64, ran: u32, nas: &[u8]) -> Vec<u8> {
    uplink_nas_transport_at(AREA, amf, ran, nas)
}

pub fn uplink_nas_transport_at(tac: u32, amf: u64, ran: u32, nas: &[u8]) -> Vec<u8> {
    let pdu = build_ngap!(
        InitiatingMessage,
        UplinkNASTransport,
        UplinkNASTransport,
        AMF_UE_NGAP_ID(amf),
        RAN_UE_NGAP_ID(ran),
        NAS_PDU(nas),
        UserLocationInformation(location(tac)),
    );
    pdu.unwrap().encode().unwrap()
}

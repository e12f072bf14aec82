//! Hostile NGAP PDUs.

use super::nas;
use oxirush_ngap::helpers::{global_gnb_id, nr_cgi, plmn as ngap_plmn, s_nssai, tai};
use oxirush_ngap::ngap::{
    BroadcastPLMNItem, BroadcastPLMNList, Cause, CauseRadioNetwork, GlobalRANNodeID, NGAP_PDU, PagingDRX,
    RRCEstablishmentCause, ResetAll, ResetType, SliceSupportItem, SliceSupportList, SupportedTAItem, SupportedTAList,
    TAC, UEAssociatedLogicalNGConnectionItem, UEAssociatedLogicalNGConnectionList, UserLocationInformation,
    UserLocationInformationNR,
};
use oxirush_ngap::{Error as NgapError, build_ngap};
use oxirush_security::Plmn;
use rand_core::CryptoRngCore;

fn bytes(pdu: Result<NGAP_PDU, NgapError>) -> Vec<u8> {
    pdu.and_then(|pdu| pdu.encode()).unwrap_or_default()
}

fn location(plmn: Plmn, gnb: u32, tac: u32) -> Result<UserLocationInformation<'static>, NgapError> {
    let plmn = ngap_plmn(plmn.mcc(), plmn.mnc())?;
    let [_, a, b, c] = tac.to_be_bytes();
    let place = UserLocationInformationNR::new(nr_cgi(plmn, gnb, 24, 1)?, tai(plmn, [a, b, c]), None, None);
    Ok(UserLocationInformation::userLocationInformationNR(place))
}

/// A gNB that nobody allowed asks to be let in (and, with the id of an allowed one, pretends to be it).
pub fn foreign_setup(plmn: Plmn, gnb: u32, tac: u32) -> Vec<u8> {
    let build = || {
        let plmn = ngap_plmn(plmn.mcc(), plmn.mnc())?;
        let [_, a, b, c] = tac.to_be_bytes();
        let slices = SliceSupportList(vec![SliceSupportItem::new(s_nssai(1, None), None)]);
        let plmns = BroadcastPLMNList(vec![BroadcastPLMNItem::new(plmn, slices, None)]);
        build_ngap!(
            InitiatingMessage,
            NGSetup,
            NGSetupRequest,
            GlobalRANNodeID(GlobalRANNodeID::globalGNB_ID(global_gnb_id(plmn, gnb, 24)?)),
            SupportedTAList(SupportedTAList(vec![SupportedTAItem::new(TAC([a, b, c]), plmns, None)])),
            DefaultPagingDRX(PagingDRX::v128),
        )
    };
    bytes(build())
}

/// An initial UE message with any NAS bytes.
pub fn initial(plmn: Plmn, gnb: u32, tac: u32, ran: u32, message: Vec<u8>) -> Vec<u8> {
    bytes(location(plmn, gnb, tac).and_then(|location| {
        build_ngap!(
            InitiatingMessage,
            InitialUEMessage,
            InitialUEMessage,
            RAN_UE_NGAP_ID(ran),
            NAS_PDU(message),
            UserLocationInformation(location),
            RRCEstablishmentCause(RRCEstablishmentCause::mo_Signalling),
        )
    }))
}

/// An uplink NAS transport with any ids and bytes.
pub fn uplink(plmn: Plmn, gnb: u32, tac: u32, amf: u64, ran: u32, message: Vec<u8>) -> Vec<u8> {
    bytes(location(plmn, gnb, tac).and_then(|location| {
        build_ngap!(
            InitiatingMessage,
            UplinkNASTransport,
            UplinkNASTransport,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            NAS_PDU(message),
            UserLocationInformation(location),
        )
    }))
}

/// A flood of phones that do not exist, half with random SUCIs, half with random GUTIs; as lazy as the receiver lets
/// it be.
pub fn registration_flood<'a>(
    plmn: Plmn,
    gnb: u32,
    tac: u32,
    key_id: u8,
    rng: &'a mut dyn CryptoRngCore,
) -> impl Iterator<Item = Vec<u8>> + 'a {
    (1u32..).map(move |ran| {
        let message = match ran % 2 {
            0 => nas::random_guti(plmn, rng),
            _ => nas::random_suci(plmn, key_id, rng),
        };
        initial(plmn, gnb, tac, ran, message)
    })
}

/// Everything that a gNB can say about a phone, for ids that are another association's: none may touch that phone.
pub fn foreign_ids(plmn: Plmn, gnb: u32, tac: u32, amf: u64, ran: u32) -> Vec<Vec<u8>> {
    let cause = || Cause::radioNetwork(CauseRadioNetwork::radio_connection_with_ue_lost);
    let item = UEAssociatedLogicalNGConnectionItem::new(
        Some(oxirush_ngap::ngap::AMFUENGAPID(amf)),
        Some(oxirush_ngap::ngap::RANUENGAPID(ran)),
        None,
    );
    let named = ResetType::partOfNG_Interface(UEAssociatedLogicalNGConnectionList(vec![item]));
    vec![
        uplink(plmn, gnb, tac, amf, ran, vec![0x7e, 0x00, 0x43]),
        bytes(build_ngap!(
            InitiatingMessage,
            UEContextReleaseRequest,
            UEContextReleaseRequest,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            Cause(cause()),
        )),
        bytes(build_ngap!(
            SuccessfulOutcome,
            UEContextRelease,
            UEContextReleaseComplete,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
        )),
        bytes(build_ngap!(
            SuccessfulOutcome,
            InitialContextSetup,
            InitialContextSetupResponse,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
        )),
        bytes(build_ngap!(
            UnsuccessfulOutcome,
            InitialContextSetup,
            InitialContextSetupFailure,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            Cause(cause()),
        )),
        bytes(build_ngap!(
            SuccessfulOutcome,
            PDUSessionResourceSetup,
            PDUSessionResourceSetupResponse,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
        )),
        bytes(build_ngap!(
            InitiatingMessage,
            ErrorIndication,
            ErrorIndication,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            Cause(cause()),
        )),
        bytes(build_ngap!(InitiatingMessage, NGReset, NGReset, Cause(cause()), ResetType(named),)),
    ]
}

/// The gNB says that it has lost everything (TS 38.413 §8.7.4.2.2).
pub fn reset_all() -> Vec<u8> {
    let all = ResetType::nG_Interface(ResetAll::reset_all);
    let cause = Cause::radioNetwork(CauseRadioNetwork::unspecified);
    bytes(build_ngap!(InitiatingMessage, NGReset, NGReset, Cause(cause), ResetType(all),))
}

/// Answers to questions that nobody asked, and messages that only a core sends.
pub fn out_of_order(amf: u64, ran: u32) -> Vec<Vec<u8>> {
    vec![
        bytes(build_ngap!(SuccessfulOutcome, NGReset, NGResetAcknowledge,)),
        bytes(build_ngap!(SuccessfulOutcome, AMFConfigurationUpdate, AMFConfigurationUpdateAcknowledge,)),
        bytes(build_ngap!(
            InitiatingMessage,
            DownlinkNASTransport,
            DownlinkNASTransport,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
            NAS_PDU(vec![0x7e, 0x00, 0x5c, 0x01]),
        )),
        bytes(build_ngap!(
            SuccessfulOutcome,
            UEContextModification,
            UEContextModificationResponse,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
        )),
        bytes(build_ngap!(
            SuccessfulOutcome,
            UEContextRelease,
            UEContextReleaseComplete,
            AMF_UE_NGAP_ID(amf),
            RAN_UE_NGAP_ID(ran),
        )),
    ]
}

/// PDUs that are none: empty, cut off, of unknown procedures, with lengths that lie, without their mandatory IEs.
pub fn malformed() -> Vec<Vec<u8>> {
    vec![
        vec![],
        vec![0x00],
        vec![0xff; 64],
        vec![0x00, 0x15, 0x00, 0xff, 0xff],
        vec![0x00, 0xfe, 0x00, 0x03, 0x00, 0x00, 0x00],
        vec![0x00, 0x15, 0x00, 0x03, 0x00, 0x00, 0x00],
        vec![0x00, 0x0f, 0x40, 0x03, 0x00, 0x00, 0x00],
        vec![0x00, 0x2e, 0x40, 0x03, 0x00, 0x00, 0x00],
        vec![0x00, 0x2a, 0x40, 0x15, 0x00, 0x00, 0x03, 0x00, 0x0a, 0x00, 0x80, 0xff],
        vec![0x00; 65_536],
    ]
}

/// A PDU with a few random changes: bytes, length, a piece of itself again.
pub fn mutated(pdu: &[u8], rng: &mut dyn CryptoRngCore) -> Vec<u8> {
    let mut out = pdu.to_vec();
    let mut dice = [0; 16];
    rng.fill_bytes(&mut dice);
    let at = |dice: u8, length: usize| usize::from(dice) * length.max(1) / 256;
    for pair in dice[..8].chunks_exact(2) {
        if out.is_empty() {
            break;
        }
        let place = at(pair[0], out.len());
        out[place] = pair[1];
    }
    match dice[8] % 4 {
        0 => out.truncate(at(dice[9], out.len())),
        1 => out.extend_from_slice(&dice[10..]),
        2 => {
            let from = at(dice[9], out.len());
            let piece = out[from..].to_vec();
            out.extend(piece);
        }
        _ => {}
    }
    out
}

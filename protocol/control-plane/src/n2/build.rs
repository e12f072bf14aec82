//! The messages of the AMF. Each is a whole PDU in bytes.

use super::common::{Ids, our_guami, plmn, slices, snssai, tai};
use crate::config::{Network, Snssai};
use oxirush_ngap::ngap::*;
use oxirush_ngap::{Bits, Error, Message, build_ngap, build_ngap_ie};
use pakawaaz_user_plane::rules::BitRates;

/// What a message is made of when some of its IEs are optional.
pub(crate) type Ies<'a> = Vec<ProtocolIEField<'a>>;

macro_rules! pdu {
    ($message:ident, $ies:expr) => {
        NGAP_PDU::of_message(&$message::new(ProtocolIEContainer($ies)), $message::CRITICALITY)
            .and_then(|pdu| pdu.encode())
    };
}
pub(crate) use pdu;

pub(crate) fn ng_setup_response(network: &Network) -> Result<Vec<u8>, Error> {
    build_ngap!(
        SuccessfulOutcome,
        NGSetup,
        NGSetupResponse,
        AMFName(network.amf_name.as_str()),
        ServedGUAMIList(ServedGUAMIList(vec![ServedGUAMIItem::new(our_guami(network)?, None, None)])),
        RelativeAMFCapacity(RelativeAMFCapacity(network.capacity)),
        PLMNSupportList(PLMNSupportList(vec![PLMNSupportItem::new(plmn(network.plmn), slices(network), None)])),
    )?
    .encode()
}

pub(crate) fn ng_setup_failure(
    cause: Cause,
    wait: Option<TimeToWait>,
    diagnostics: Option<CriticalityDiagnostics>,
) -> Result<Vec<u8>, Error> {
    let mut ies: Ies<'_> = vec![build_ngap_ie!(NGSetupFailure, Cause(cause))?];
    if let Some(wait) = wait {
        ies.push(build_ngap_ie!(NGSetupFailure, TimeToWait(wait))?);
    }
    if let Some(diagnostics) = diagnostics {
        ies.push(build_ngap_ie!(NGSetupFailure, CriticalityDiagnostics(diagnostics))?);
    }
    pdu!(NGSetupFailure, ies)
}

pub(crate) fn ran_configuration_update_acknowledge() -> Result<Vec<u8>, Error> {
    pdu!(RANConfigurationUpdateAcknowledge, Vec::new())
}

pub(crate) fn ran_configuration_update_failure(
    cause: Cause,
    wait: Option<TimeToWait>,
    diagnostics: Option<CriticalityDiagnostics>,
) -> Result<Vec<u8>, Error> {
    let mut ies: Ies<'_> = vec![build_ngap_ie!(RANConfigurationUpdateFailure, Cause(cause))?];
    if let Some(wait) = wait {
        ies.push(build_ngap_ie!(RANConfigurationUpdateFailure, TimeToWait(wait))?);
    }
    if let Some(diagnostics) = diagnostics {
        ies.push(build_ngap_ie!(RANConfigurationUpdateFailure, CriticalityDiagnostics(diagnostics))?);
    }
    pdu!(RANConfigurationUpdateFailure, ies)
}

pub(crate) fn amf_configuration_update(network: &Network) -> Result<Vec<u8>, Error> {
    build_ngap!(
        InitiatingMessage,
        AMFConfigurationUpdate,
        AMFConfigurationUpdate,
        AMFName(network.amf_name.as_str()),
        ServedGUAMIList(ServedGUAMIList(vec![ServedGUAMIItem::new(our_guami(network)?, None, None)])),
        RelativeAMFCapacity(RelativeAMFCapacity(network.capacity)),
        PLMNSupportList(PLMNSupportList(vec![PLMNSupportItem::new(plmn(network.plmn), slices(network), None)])),
    )?
    .encode()
}

/// The acknowledgement names the connections that were reset, when the gNB named them.
pub(crate) fn ng_reset_acknowledge(part: Option<UEAssociatedLogicalNGConnectionList>) -> Result<Vec<u8>, Error> {
    let mut ies: Ies<'_> = Vec::new();
    if let Some(part) = part {
        ies.push(build_ngap_ie!(NGResetAcknowledge, UE_associatedLogicalNG_connectionList(part))?);
    }
    pdu!(NGResetAcknowledge, ies)
}

pub(crate) fn overload_start(percent: u8) -> Result<Vec<u8>, Error> {
    build_ngap!(
        InitiatingMessage,
        OverloadStart,
        OverloadStart,
        AMFOverloadResponse(OverloadResponse::overloadAction(OverloadAction::reject_rrc_cr_signalling)),
        AMFTrafficLoadReductionIndication(TrafficLoadReductionIndication(percent)),
    )?
    .encode()
}

pub(crate) fn overload_stop() -> Result<Vec<u8>, Error> {
    pdu!(OverloadStop, Vec::new())
}

/// `ids` are repeated as the gNB gave them, whichever of them it gave.
pub(crate) fn error_indication(
    amf: Option<u64>,
    ran: Option<u32>,
    cause: Option<Cause>,
    diagnostics: Option<CriticalityDiagnostics>,
) -> Result<Vec<u8>, Error> {
    let mut ies: Ies<'_> = Vec::new();
    if let Some(amf) = amf {
        ies.push(build_ngap_ie!(ErrorIndication, AMF_UE_NGAP_ID(amf))?);
    }
    if let Some(ran) = ran {
        ies.push(build_ngap_ie!(ErrorIndication, RAN_UE_NGAP_ID(ran))?);
    }
    if let Some(cause) = cause {
        ies.push(build_ngap_ie!(ErrorIndication, Cause(cause))?);
    }
    if let Some(diagnostics) = diagnostics {
        ies.push(build_ngap_ie!(ErrorIndication, CriticalityDiagnostics(diagnostics))?);
    }
    pdu!(ErrorIndication, ies)
}

pub(crate) fn downlink_nas_transport(ids: Ids, nas: &[u8]) -> Result<Vec<u8>, Error> {
    build_ngap!(
        InitiatingMessage,
        DownlinkNASTransport,
        DownlinkNASTransport,
        AMF_UE_NGAP_ID(ids.amf.0),
        RAN_UE_NGAP_ID(ids.ran.0),
        NAS_PDU(nas),
    )?
    .encode()
}

pub(crate) fn ue_context_release_command(ids: Ids, cause: Cause) -> Result<Vec<u8>, Error> {
    let pair = UENGAPIDPair::new(AMFUENGAPID(ids.amf.0), RANUENGAPID(ids.ran.0), None);
    build_ngap!(
        InitiatingMessage,
        UEContextRelease,
        UEContextReleaseCommand,
        UE_NGAP_IDs(UENGAPIDs::uE_NGAP_ID_pair(pair)),
        Cause(cause),
    )?
    .encode()
}

/// What all sessions of a phone may carry together.
pub(crate) fn ue_context_modification_request(ids: Ids, rates: BitRates) -> Result<Vec<u8>, Error> {
    build_ngap!(
        InitiatingMessage,
        UEContextModification,
        UEContextModificationRequest,
        AMF_UE_NGAP_ID(ids.amf.0),
        RAN_UE_NGAP_ID(ids.ran.0),
        UEAggregateMaximumBitRate(ue_ambr(rates)),
    )?
    .encode()
}

/// What a gNB needs to know of a phone that has security.
pub(crate) struct UeContext<'a> {
    pub(crate) ambr: BitRates,
    pub(crate) allowed: &'a [Snssai],
    /// Octets 3 and 4 of the UE security capability: ciphering and integrity.
    pub(crate) capability: (u8, u8),
    pub(crate) k_gnb: &'a [u8; 32],
    pub(crate) radio: Option<&'a [u8]>,
    pub(crate) sessions: Vec<PDUSessionResourceSetupItemCxtReq<'a>>,
    pub(crate) nas: Option<&'a [u8]>,
}

pub(crate) fn initial_context_setup_request(network: &Network, ids: Ids, ue: UeContext<'_>) -> Result<Vec<u8>, Error> {
    let allowed = ue.allowed.iter().map(|slice| AllowedNSSAIItem::new(snssai(*slice), None)).collect();
    // NAS counts the null algorithm as the first bit, NGAP does not (TS 38.413 §9.3.1.86).
    let capability = oxirush_ngap::helpers::ue_security_capabilities(ue.capability.0 << 1, ue.capability.1 << 1);
    let mut ies: Ies<'_> = vec![
        build_ngap_ie!(InitialContextSetupRequest, AMF_UE_NGAP_ID(ids.amf.0))?,
        build_ngap_ie!(InitialContextSetupRequest, RAN_UE_NGAP_ID(ids.ran.0))?,
    ];
    if !ue.sessions.is_empty() {
        ies.push(build_ngap_ie!(InitialContextSetupRequest, UEAggregateMaximumBitRate(ue_ambr(ue.ambr)))?);
    }
    ies.push(build_ngap_ie!(InitialContextSetupRequest, GUAMI(our_guami(network)?))?);
    if !ue.sessions.is_empty() {
        let list = PDUSessionResourceSetupListCxtReq(ue.sessions);
        ies.push(build_ngap_ie!(InitialContextSetupRequest, PDUSessionResourceSetupListCxtReq(list))?);
    }
    ies.push(build_ngap_ie!(InitialContextSetupRequest, AllowedNSSAI(AllowedNSSAI(allowed)))?);
    ies.push(build_ngap_ie!(InitialContextSetupRequest, UESecurityCapabilities(capability))?);
    ies.push(build_ngap_ie!(InitialContextSetupRequest, SecurityKey(*ue.k_gnb))?);
    if let Some(radio) = ue.radio {
        ies.push(build_ngap_ie!(InitialContextSetupRequest, UERadioCapability(radio))?);
    }
    if let Some(nas) = ue.nas {
        ies.push(build_ngap_ie!(InitialContextSetupRequest, NAS_PDU(nas))?);
    }
    pdu!(InitialContextSetupRequest, ies)
}

pub(crate) fn ue_ambr(rates: BitRates) -> UEAggregateMaximumBitRate {
    UEAggregateMaximumBitRate::new(bit_rate(rates.downlink.0), bit_rate(rates.uplink.0), None)
}

/// Bit rates end at 4 Tbit/s in NGAP without an extension.
pub(crate) fn bit_rate(rate: u64) -> BitRate {
    BitRate(rate.min(4_000_000_000_000))
}

/// `set`, `pointer` and `tmsi` are the 5G-S-TMSI.
pub(crate) fn paging(network: &Network, tmsi: u32, radio: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    let (_, set, pointer) = network.amf;
    let identity = FiveGSTMSI::new(
        AMFSetID(Bits::low(set.into(), 10)),
        AMFPointer(Bits::low(pointer.into(), 6)),
        FiveGTMSI(tmsi.to_be_bytes()),
        None,
    );
    let areas = network.tacs.iter().take(16).map(|tac| TAIListForPagingItem::new(tai(network, *tac), None)).collect();
    let mut ies: Ies<'_> = vec![
        build_ngap_ie!(Paging, UEPagingIdentity(UEPagingIdentity::fiveG_S_TMSI(identity)))?,
        build_ngap_ie!(Paging, TAIListForPaging(TAIListForPaging(areas)))?,
    ];
    if let Some(radio) = radio
        && let Ok(radio) = decode_open_type::<UERadioCapabilityForPaging<'_>>(radio)
    {
        ies.push(build_ngap_ie!(Paging, UERadioCapabilityForPaging(radio))?);
    }
    pdu!(Paging, ies)
}

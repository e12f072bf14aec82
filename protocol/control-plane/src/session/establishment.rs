//! PDU session establishment (TS 24.501 §6.4.1, TS 23.502 §4.3.2.2).

use super::{Kind, Phase, Resources, Session, lose, messages, send_message, set_up};
use crate::config::{DataNetwork, Network, Snssai};
use crate::core::Cx;
use crate::io::{Alarm, Fact};
use crate::snapshot;
use crate::timers::{SessionTimer, Timer};
use crate::ue::registration::nas_slice;
use crate::ue::{Ue, nas_transport};
use oxirush_nas::nas_5gs::{
    GmmCause, GsmCause, MaxDataRate, Nas5gsMessage, NasAllowedSscMode, NasAlwaysOnPduSessionIndication, NasDnn,
    NasExtendedProtocolConfigurationOptions, NasFGsmCause, NasGprsTimer3, NasPduAddress,
    NasPduSessionEstablishmentAccept, NasPduSessionEstablishmentReject, NasPduSessionEstablishmentRequest,
    NasPduSessionType, NasSscMode, NasUlNasTransport, PduSessionTypeValue, RequestTypeValue, SscModeValue,
};
use pakawaaz_user_plane::rules::{RefusedBecause, Tunnel, UserPlaneRequest};

/// What the accept will say beside the session itself.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Creating {
    pub(crate) pti: u8,
    /// Less than was asked for, and why (#50, #51).
    narrowed: Option<GsmCause>,
    /// The phone asked whether the session is always on.
    asked_always_on: bool,
    options: Option<NasExtendedProtocolConfigurationOptions>,
}

/// PDU SESSION ESTABLISHMENT REJECT. A session in the making is ended by whoever refuses it, and counted there.
pub(crate) fn refuse(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8, cause: GsmCause) {
    let making = ue.session(psi).is_some_and(|session| same_transaction(session, pti));
    if !making {
        cx.count("SM.PduSessionCreationFail");
    }
    let mut reject = NasPduSessionEstablishmentReject::new(NasFGsmCause::from_cause(cause));
    match cause {
        // Bit 1 is SSC mode 1 (§9.11.4.5).
        GsmCause::NotSupportedSscMode => reject.allowed_ssc_mode = Some(NasAllowedSscMode::new(1)),
        GsmCause::InsufficientResources | GsmCause::InsufficientResourcesForSpecificSliceAndDnn => {
            reject.back_off_timer_value = NasGprsTimer3::from_seconds(60).ok();
        }
        _ => {}
    }
    send_message(ue, cx, psi, pti, reject);
}

fn same_transaction(session: &Session, pti: u8) -> bool {
    matches!(&session.phase, Phase::Creating(creating) if creating.pti == pti)
}

/// PDU SESSION ESTABLISHMENT REQUEST.
pub(crate) fn request(
    ue: &mut Ue,
    cx: &mut Cx<'_>,
    psi: u8,
    pti: u8,
    request: &NasPduSessionEstablishmentRequest,
    transport: NasUlNasTransport,
) {
    let other = ue.sessions.iter().find(|session| same_transaction(session, pti)).map(|session| session.psi);
    if other == Some(psi) {
        // A repetition while the first one is worked on changes nothing (§6.4.1.7 a).
        return;
    }
    cx.count("SM.PduSessionCreationReq");
    if other.is_some() {
        return refuse(ue, cx, psi, pti, GsmCause::PtiAlreadyInUse);
    }
    match transport.request_type.as_ref().and_then(|kind| kind.request_type()) {
        Some(RequestTypeValue::InitialRequest) | None => {}
        // There is no other access that a session could come from.
        Some(RequestTypeValue::ExistingPduSession | RequestTypeValue::ExistingEmergencyPduSession) => {
            return refuse(ue, cx, psi, pti, GsmCause::PduSessionDoesNotExist);
        }
        Some(_) => return refuse(ue, cx, psi, pti, GsmCause::ServiceOptionNotSupported),
    }
    if ue.session(psi).is_some() {
        // The phone has forgotten the session of this name (§6.4.1.7 d).
        lose(ue, cx, psi);
    }
    if ue.sessions.len() >= cx.core.limits().sessions_per_ue {
        cx.count("SM.PduSessionCreationFail");
        return nas_transport::not_forwarded(ue, cx, transport, GmmCause::MaximumNumberOfPduSessionsReached);
    }
    if cx.core.user_plane_gone {
        // Nobody would answer, and the phone need not wait for that.
        return refuse(ue, cx, psi, pti, GsmCause::NetworkFailure);
    }
    match session(ue, cx, psi, pti, request, &transport) {
        Ok(session) => {
            let after = cx.core.network.timers.internal;
            let mut session = Box::new(session);
            session.user_plane_timer = Some(cx.start(after, Timer::Session(ue.key, psi, SessionTimer::UserPlane)));
            cx.core.by_session.insert(session.reference, (ue.key, psi));
            cx.user_plane(UserPlaneRequest::Establish(Box::new(session.rules())));
            ue.sessions.push(session);
        }
        Err(cause) => refuse(ue, cx, psi, pti, cause),
    }
}

/// The data network that is meant.
fn choose<'n>(ue: &Ue, network: &'n Network, transport: &NasUlNasTransport) -> Result<&'n DataNetwork, GsmCause> {
    let subscribed =
        ue.subscription.as_deref().map(|subscription| subscription.data_networks.as_slice()).unwrap_or_default();
    let slices = ue.slices(network);
    let slice = transport.s_nssai.as_ref().and_then(|slice| slice.parse()).map(|contents| Snssai {
        sst: contents.sst,
        sd: contents.sd.map(|[a, b, c]| u32::from_be_bytes([0, a, b, c])),
    });
    if slice.is_some_and(|slice| !slices.contains(&slice)) {
        return Err(GsmCause::MissingOrUnknownDnnInASlice);
    }
    let fits = |one: &DataNetwork| slices.contains(&one.slice) && slice.is_none_or(|slice| slice == one.slice);
    let named = match &transport.dnn {
        Some(dnn) => Some(dnn.as_string().ok_or(GsmCause::MissingOrUnknownDnn)?),
        None => None,
    };
    let Some(name) = named else {
        // The card's first data network that the slice has.
        let default =
            subscribed.iter().find_map(|one| network.data_networks.iter().find(|dn| dn.name == one.name && fits(dn)));
        return default.ok_or(GsmCause::MissingOrUnknownDnn);
    };
    // A phone may add the network's identifier to the name (TS 23.003 §9.1.2).
    let name = name.split(".mnc").next().unwrap_or_default();
    let found = network.data_networks.iter().filter(|one| one.name.eq_ignore_ascii_case(name));
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        return Err(GsmCause::MissingOrUnknownDnn);
    }
    let Some(one) = found.into_iter().find(|one| fits(one)) else { return Err(GsmCause::MissingOrUnknownDnnInASlice) };
    match subscribed.iter().any(|known| known.name == one.name) {
        true => Ok(one),
        false => Err(GsmCause::RequestedServiceOptionNotSubscribed),
    }
}

/// What the session carries, and why it is less than was asked for.
fn kind(dn: &DataNetwork, asked: Option<PduSessionTypeValue>) -> Result<(Kind, Option<GsmCause>), GsmCause> {
    use PduSessionTypeValue as Asked;
    match (asked, dn.ipv4_pool.is_some(), dn.ipv6_pool.is_some()) {
        (Some(Asked::Unstructured | Asked::Ethernet), _, _) | (_, false, false) => Err(GsmCause::UnknownPduSessionType),
        (Some(Asked::Ipv4v6), true, true) => Ok((Kind::Ipv4v6, None)),
        (Some(Asked::Ipv4v6), true, false) => Ok((Kind::Ipv4, Some(GsmCause::PduSessionTypeIpv4OnlyAllowed))),
        (Some(Asked::Ipv4v6), false, true) => Ok((Kind::Ipv6, Some(GsmCause::PduSessionTypeIpv6OnlyAllowed))),
        (Some(Asked::Ipv4) | None, true, _) => Ok((Kind::Ipv4, None)),
        (Some(Asked::Ipv6), _, true) | (None, false, true) => Ok((Kind::Ipv6, None)),
        (Some(Asked::Ipv4), false, true) => Err(GsmCause::PduSessionTypeIpv6OnlyAllowed),
        (Some(Asked::Ipv6), true, false) => Err(GsmCause::PduSessionTypeIpv4OnlyAllowed),
        (Some(_), _, _) => Err(GsmCause::UnknownPduSessionType),
    }
}

fn session(
    ue: &Ue,
    cx: &mut Cx<'_>,
    psi: u8,
    pti: u8,
    request: &NasPduSessionEstablishmentRequest,
    transport: &NasUlNasTransport,
) -> Result<Session, GsmCause> {
    let network = cx.network();
    let dn = choose(ue, &network, transport)?;
    let asked =
        request.pdu_session_type.as_ref().map(|kind| kind.session_type().ok_or(GsmCause::UnknownPduSessionType));
    let (kind, narrowed) = kind(dn, asked.transpose()?)?;
    if request.ssc_mode.as_ref().is_some_and(|mode| mode.mode() != Some(SscModeValue::Ssc1)) {
        return Err(GsmCause::NotSupportedSscMode);
    }
    // The user plane's integrity is not negotiable.
    let rates = &request.integrity_protection_maximum_data_rate;
    if [rates.ul(), rates.dl()].contains(&Some(MaxDataRate::Null)) {
        return Err(GsmCause::MaximumDataRatePerUeForUserPlaneIntegrityProtectionIsTooLow);
    }
    let subscribed = ue.subscription.as_ref().and_then(|all| all.data_networks.iter().find(|one| one.name == dn.name));
    let full = GsmCause::InsufficientResourcesForSpecificSliceAndDnn;
    let ipv4 = match (kind, dn.ipv4_pool) {
        (Kind::Ipv4 | Kind::Ipv4v6, Some(pool)) => {
            let wanted = subscribed.and_then(|one| one.static_ipv4);
            Some(cx.core.addresses.take_v4(&dn.name, pool, wanted).ok_or(full)?)
        }
        _ => None,
    };
    let ipv6 = match (kind, dn.ipv6_pool) {
        (Kind::Ipv6 | Kind::Ipv4v6, Some(pool)) => {
            let wanted = subscribed.and_then(|one| one.static_ipv6);
            let prefix = cx.core.addresses.take_v6(&dn.name, pool, wanted);
            if prefix.is_none() {
                cx.core.addresses.free(&dn.name, ipv4, None);
            }
            Some(prefix.ok_or(full)?)
        }
        _ => None,
    };
    let mut interface_id = [0; 8];
    cx.rng.fill_bytes(&mut interface_id);
    let options = request.extended_protocol_configuration_options.as_ref();
    let asked_always_on = request.always_on_pdu_session_requested.as_ref().is_some_and(|asked| asked.apsr());
    let creating =
        Creating { pti, narrowed, asked_always_on, options: options.and_then(|asked| messages::options(dn, asked)) };
    Ok(Session {
        psi,
        reference: cx.core.new_session(),
        dnn: dn.name.as_str().into(),
        slice: dn.slice,
        kind,
        ipv4,
        ipv6,
        interface_id,
        ambr: subscribed.and_then(|one| one.ambr).unwrap_or(dn.ambr),
        five_qi: dn.default_five_qi,
        always_on: dn.always_on,
        flows: Vec::new(),
        uplink: None,
        resources: Resources::Inactive,
        phase: Phase::Creating(Box::new(creating)),
        wanted: false,
        held: false,
        unsaid: false,
        unsaid_rates: false,
        repeated: None,
        user_plane_timer: None,
        ngap_timer: None,
        accepted: false,
        since: cx.now,
    })
}

/// PDU SESSION ESTABLISHMENT ACCEPT.
pub(crate) fn accept(session: &Session, creating: &Creating, network: &Network) -> Option<Vec<u8>> {
    let (rules, descriptions) = messages::first(session)?;
    let (kind, address) = match (session.kind, session.ipv4) {
        (Kind::Ipv4, Some(ipv4)) => (PduSessionTypeValue::Ipv4, NasPduAddress::from_ipv4(ipv4.octets())),
        (Kind::Ipv4v6, Some(ipv4)) => {
            (PduSessionTypeValue::Ipv4v6, NasPduAddress::from_ipv4v6(session.interface_id, ipv4.octets()))
        }
        _ => (PduSessionTypeValue::Ipv6, NasPduAddress::from_ipv6_iid(session.interface_id)),
    };
    let mut accept = NasPduSessionEstablishmentAccept::new(
        NasPduSessionType::from_session_type(kind),
        NasSscMode::from_mode(SscModeValue::Ssc1),
        rules,
        messages::session_ambr(session.ambr),
    );
    accept.pdu_address = Some(address);
    accept.fgsm_cause = creating.narrowed.map(NasFGsmCause::from_cause);
    accept.s_nssai = Some(nas_slice(session.slice));
    if session.always_on || creating.asked_always_on {
        accept.always_on_pdu_session_indication = Some(NasAlwaysOnPduSessionIndication::from_apsi(session.always_on));
    }
    accept.authorized_qos_flow_descriptions = Some(descriptions);
    accept.extended_protocol_configuration_options = creating.options.clone();
    accept.dnn = NasDnn::from_string(&session.dnn).ok();
    let _ = network;
    Nas5gsMessage::new_5gsm(accept, session.psi, creating.pti).encode().ok()
}

/// The user plane has the session.
pub(crate) fn established(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, uplink: Tunnel) {
    let Some(session) = ue.session(psi) else { return };
    cx.core.timers.stop(session.user_plane_timer.take());
    session.uplink = Some(uplink);
    if session.is_unanswered() || session.wanted {
        set_up(ue, cx, psi);
    }
}

/// The user plane does not take the session, or (none) does not answer. A session that the phone has already ends only when
/// the user plane itself does not want it: one that is not there gets it when it is back.
pub(crate) fn not_established(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, because: Option<RefusedBecause>) {
    if matches!(because, None | Some(RefusedBecause::Unavailable)) {
        cx.alarm(Alarm::UserPlaneUnavailable);
    }
    let Some(session) = ue.session(psi) else { return };
    cx.core.timers.stop(session.user_plane_timer.take());
    if let Phase::Creating(creating) = &session.phase
        && !session.accepted
    {
        let pti = creating.pti;
        let cause = match because {
            Some(RefusedBecause::UnknownDataNetwork) => GsmCause::MissingOrUnknownDnn,
            Some(RefusedBecause::Full) => GsmCause::InsufficientResourcesForSpecificSliceAndDnn,
            Some(RefusedBecause::Taken) => GsmCause::InsufficientResources,
            Some(RefusedBecause::Unavailable) | None => GsmCause::NetworkFailure,
        };
        refuse(ue, cx, psi, pti, cause);
        return lose(ue, cx, psi);
    }
    if !matches!(because, None | Some(RefusedBecause::Unavailable)) {
        super::release::begin(ue, cx, psi, 0, GsmCause::ReactivationRequested);
    }
}

/// The accept goes to the phone now. The session is kept before that, and not when the gNB has confirmed it: a phone that
/// has its accept has its session after a restart as well, and one that never got it says so with its next service.
pub(crate) fn accepted(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    let at = cx.now;
    let (Some(imsi), Some(session)) = (ue.imsi, ue.session(psi)) else { return };
    (session.accepted, session.since) = (true, at);
    let (dnn, ipv4, ipv6) = (session.dnn.to_string(), session.ipv4, session.ipv6);
    cx.fact(Fact::SessionStarted { imsi, psi, dnn, ipv4, ipv6, at });
    snapshot::keep(ue, cx);
}

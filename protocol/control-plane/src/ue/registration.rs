//! Registration (TS 24.501 §5.5.1): initial, mobility and periodic.

use super::connection::{Access, Expect, Procedure, Registering};
use super::{
    Capability, Ue, authentication, configuration_update, context_release, deregistration, identity, paging,
    service_request,
};
use crate::config::{Network, Snssai};
use crate::core::Cx;
use crate::io::{Alarm, DeregisteredBecause, Fact, WhoIs};
use crate::n2::common::sd_octets;
use crate::{session, snapshot};
use oxirush_nas::nas_5gs::{
    GmmCause, MobileIdentityType, Nas5gsMessage, NasCount, NasFGmmCause, NasFGsNetworkFeatureSupport,
    NasFGsRegistrationResult, NasFGsTrackingAreaIdentityList, NasGprsTimer2, NasNssai, NasPduSessionReactivationResult,
    NasPduSessionReactivationResultErrorCause, NasPduSessionStatus, NasRegistrationAccept, NasRegistrationReject,
    NasRegistrationRequest, NasRejectedNssai, NasSNssai, NasT3512Value, RegistrationResult, RegistrationType,
    RejectedNssaiCause,
};
use oxirush_ngap::ngap::{Cause, CauseNas};

/// Why a registration is refused.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusal {
    cause: GmmCause,
    /// Come back after about this many seconds (T3346).
    later: bool,
}

impl Refusal {
    pub(crate) fn of(cause: GmmCause) -> Self {
        Self { cause, later: false }
    }
    pub(crate) fn congestion() -> Self {
        Self { cause: GmmCause::Congestion, later: true }
    }
}

/// T3346 of one to four minutes, so that those who were refused together do not come back together.
pub(crate) fn t3346(cx: &mut Cx<'_>) -> Option<NasGprsTimer2> {
    NasGprsTimer2::from_seconds(60 * u64::from(1 + cx.rng.next_u32() % 4)).ok()
}

fn kind(request: &NasRegistrationRequest) -> Option<RegistrationType> {
    request.fgs_registration_type.registration_type()
}

pub(crate) fn is_initial(request: &NasRegistrationRequest) -> bool {
    !matches!(
        kind(request),
        Some(RegistrationType::MobilityRegistrationUpdating | RegistrationType::PeriodicRegistrationUpdating)
    )
}

fn count(cx: &mut Cx<'_>, request: &NasRegistrationRequest, names: [&'static str; 3]) {
    cx.count(match kind(request) {
        Some(RegistrationType::MobilityRegistrationUpdating) => names[1],
        Some(RegistrationType::PeriodicRegistrationUpdating) => names[2],
        _ => names[0],
    });
}

/// The registration that goes on has failed; only counts it.
pub(crate) fn failed(ue: &mut Ue, cx: &mut Cx<'_>) {
    if let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) {
        count(cx, &registering.request, ["RM.RegInitFail", "RM.RegMobFail", "RM.RegPeriodFail"]);
    }
}

/// REGISTRATION REJECT, and the end of the connection. A phone that was registered is not any more.
pub(crate) fn refuse(ue: &mut Ue, cx: &mut Cx<'_>, refusal: Refusal) {
    failed(ue, cx);
    let mut reject = NasRegistrationReject::new(NasFGmmCause::from_cause(refusal.cause));
    if refusal.later {
        reject.t3346_value = t3346(cx);
    }
    cx.nas_message(ue, &Nas5gsMessage::new_5gmm(reject));
    context_release::command(ue, cx, Cause::nas(CauseNas::unspecified));
    if ue.registered && !refusal.later {
        deregistration::local(ue, cx, DeregisteredBecause::Network);
    }
}

/// A registration by a phone that has proved nothing: it is authenticated first.
pub(crate) fn unverified(ue: &mut Ue, cx: &mut Cx<'_>, request: NasRegistrationRequest, was_protected: bool) {
    count(cx, &request, ["RM.RegInitReq", "RM.RegMobReq", "RM.RegPeriodReq"]);
    let identity = request.fgs_mobile_identity.clone();
    let emergency = !matches!(
        kind(&request),
        Some(
            RegistrationType::InitialRegistration
                | RegistrationType::MobilityRegistrationUpdating
                | RegistrationType::PeriodicRegistrationUpdating
        )
    );
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    connection.procedure = Procedure::Registration(Box::new(Registering::new(request, was_protected)));
    if emergency {
        // Emergency, onboarding and disaster roaming: not offered.
        return refuse(ue, cx, Refusal::of(GmmCause::FiveGsServicesNotAllowed));
    }
    match identity.identity_type() {
        Some(MobileIdentityType::Suci) => {
            if let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) {
                registering.identified = true;
            }
            authentication::begin(ue, cx, WhoIs::Suci(identity.value.to_vec()), None);
        }
        Some(MobileIdentityType::Guti) => identity::request(ue, cx),
        _ => refuse(ue, cx, Refusal::of(GmmCause::UeIdentityCannotBeDerivedByTheNetwork)),
    }
}

/// A registration again on a connection that is not secured (TS 24.501 §5.5.1.2.8): the same is a repetition and changes
/// nothing; another one begins anew.
pub(crate) fn again(ue: &mut Ue, cx: &mut Cx<'_>, request: NasRegistrationRequest) {
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    if connection.registering().is_some_and(|registering| registering.request == request) {
        return;
    }
    if let Some(pending) = connection.pending.take() {
        cx.core.timers.stop(Some(pending.timer));
    }
    if let Some(asked) = connection.asked.take() {
        cx.core.timers.stop(Some(asked.timer));
        cx.core.asked = cx.core.asked.saturating_sub(1);
    }
    unverified(ue, cx, request, false);
}

/// A registration under the context that we have.
pub(crate) fn verified(ue: &mut Ue, cx: &mut Cx<'_>, request: NasRegistrationRequest, uplink: NasCount) {
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    if let Some(registering) = connection.registering()
        && registering.accepted
        && registering.request == request
        && connection.pending.as_ref().is_some_and(|pending| pending.expect == Expect::RegistrationComplete)
    {
        // The accept was lost (§5.5.1.2.8 d): it is sent again, and T3550 goes on.
        return cx.repeat_now(ue);
    }
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    if connection.registering().is_some_and(|registering| !registering.accepted && registering.request == request) {
        // A repetition while the first one is worked on (§5.5.1.2.8 e).
        return;
    }
    count(cx, &request, ["RM.RegInitReq", "RM.RegMobReq", "RM.RegPeriodReq"]);
    if connection.access == Access::None {
        connection.count = Some(uplink);
    }
    if let Some(pending) = connection.pending.take() {
        cx.core.timers.stop(Some(pending.timer));
    }
    let initial = is_initial(&request);
    if let Some(capability) = request.ue_security_capability.as_ref().and_then(|given| Capability::new(&given.value)) {
        ue.capability = Some(capability);
    }
    connection.procedure = Procedure::Registration(Box::new(Registering::new(request, false)));
    if initial {
        // The phone has forgotten its sessions.
        session::lose_all(ue, cx);
    }
    go_on(ue, cx);
}

/// The phone is authenticated and secured. What is missing of it is asked for; then it is judged.
pub(crate) fn go_on(ue: &mut Ue, cx: &mut Cx<'_>) {
    let network = cx.network();
    let Some(subscription) = ue.subscription.clone() else { return };
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let tac = connection.location.tac;
    let Some(registering) = connection.registering() else { return };
    if registering.accepted {
        return;
    }
    if ue.pei.is_none() && !std::mem::replace(&mut registering.equipment_asked, true) {
        return identity::request_equipment(ue, cx);
    }
    if subscription.blocked {
        return refuse(ue, cx, Refusal::of(GmmCause::FiveGsServicesNotAllowed));
    }
    let equipment = ue.pei.as_ref().map(|pei| pei.equipment());
    if !subscription.equipment.is_empty()
        && !subscription.equipment.iter().any(|bound| Some(bound.as_str()) == equipment)
    {
        if let Some(imsi) = ue.imsi {
            cx.alarm(Alarm::ForeignEquipment { imsi, pei: ue.pei });
        }
        return refuse(ue, cx, Refusal::of(GmmCause::IllegalMe));
    }
    if !network.tacs.contains(&tac) {
        return refuse(ue, cx, Refusal::of(GmmCause::TrackingAreaNotAllowed));
    }
    if ue.slices(&network).is_empty() {
        return refuse(ue, cx, Refusal::of(GmmCause::NoNetworkSlicesAvailable));
    }
    accept(ue, cx);
}

/// Slices that are allowed, and those that were asked for and are not.
fn nssai(ue: &Ue, network: &Network, request: &NasRegistrationRequest) -> (Vec<Snssai>, Vec<Snssai>) {
    let usable = ue.slices(network);
    let requested: Vec<Snssai> = request.requested_nssai.as_ref().map_or_else(Vec::new, |nssai| {
        let slice = |contents: oxirush_nas::nas_5gs::SNssaiContents| Snssai {
            sst: contents.sst,
            sd: contents.sd.map(|[a, b, c]| u32::from_be_bytes([0, a, b, c])),
        };
        nssai.parse_all().into_iter().map(slice).collect()
    });
    let (mut allowed, rejected): (Vec<_>, Vec<_>) = requested.into_iter().partition(|slice| usable.contains(slice));
    if allowed.is_empty() {
        // Nothing asked for, or nothing that there is: the card's default slice (TS 23.501 §5.15.5.2.1).
        allowed.extend(usable.first().copied());
    }
    (allowed, rejected)
}

pub(crate) fn nas_slice(slice: Snssai) -> NasSNssai {
    NasSNssai::from_sst_sd(slice.sst, slice.sd.map(sd_octets))
}

fn accept(ue: &mut Ue, cx: &mut Cx<'_>) {
    let network = cx.network();
    let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) else {
        return;
    };
    registering.accepted = true;
    let request = registering.request.clone();
    paging::reached(ue, cx);

    let mut accept =
        NasRegistrationAccept::new(NasFGsRegistrationResult::from_result(RegistrationResult::ThreeGppAccess));
    accept.fg_guti = configuration_update::new_guti(ue, cx);
    let tacs = configuration_update::areas(&network);
    accept.tai_list = NasFGsTrackingAreaIdentityList::from_plmn_tacs(&network.plmn, tacs).ok();
    let (allowed, rejected) = nssai(ue, &network, &request);
    let allowed: Vec<_> = allowed.into_iter().map(nas_slice).collect();
    accept.allowed_nssai = NasNssai::from_snssais(&allowed).ok();
    if !rejected.is_empty() {
        let slices: Vec<_> = rejected.into_iter().take(8).map(nas_slice).collect();
        let entries: Vec<_> =
            slices.iter().map(|slice| (RejectedNssaiCause::NotAvailableInPlmnOrSnpn, slice)).collect();
        accept.rejected_nssai = NasRejectedNssai::from_entries(&entries).ok();
    }
    accept.fgs_network_feature_support = Some(NasFGsNetworkFeatureSupport::new(vec![0, 0]));
    accept.t3512_value = t3512(&network);

    if let Some(status) = &request.pdu_session_status {
        session::synchronise(ue, cx, &status.active_sessions());
        accept.pdu_session_status = NasPduSessionStatus::from_sessions(&session::identities(ue)).ok();
    }
    let wanted = request.uplink_data_status.as_ref().map(|status| status.sessions_with_data()).unwrap_or_default();
    let (resources, failed) = session::reactivate(ue, cx, &wanted);
    if !wanted.is_empty() {
        let psis: Vec<u8> = failed.iter().map(|(psi, _)| *psi).collect();
        accept.pdu_session_reactivation_result = NasPduSessionReactivationResult::from_failed_sessions(&psis).ok();
        if !failed.is_empty() {
            accept.pdu_session_reactivation_result_error_cause =
                NasPduSessionReactivationResultErrorCause::from_entries(&failed).ok();
        }
    }
    registered(ue, cx, &request);
    snapshot::keep(ue, cx);

    let picture = configuration_update::picture(ue, &network);
    let for_more = request.fgs_registration_type.follow_on_request();
    let busy = !resources.is_empty() || ue.detach.is_some() || ue.sessions.iter().any(|session| session.wanted);
    let Ok(plain) = Nas5gsMessage::new_5gmm(accept).encode() else { return cx.count("control_plane.unencodable") };
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    connection.release_after_complete = !for_more && !busy;
    // The name follows when the accept is acknowledged, to a phone that registers for the first time.
    connection.telling = is_initial(&request).then_some(picture);
    service_request::deliver(ue, cx, &plain, resources);
    cx.await_answer(ue, plain, Expect::RegistrationComplete, network.timers.t3550);
}

fn t3512(network: &Network) -> Option<NasT3512Value> {
    // The timer's units are coarse: whole minutes can always be written up to 31, above that multiples of ten.
    let seconds = network.timers.t3512.as_secs();
    let coarse = [1, 2, 30, 60, 600, 3600, 36_000].into_iter().find(|unit| seconds / unit <= 31).unwrap_or(36_000);
    NasT3512Value::from_seconds(seconds)
        .or_else(|_| NasT3512Value::from_seconds((seconds / coarse).min(31) * coarse))
        .ok()
}

/// The phone is registered from now on.
fn registered(ue: &mut Ue, cx: &mut Cx<'_>, request: &NasRegistrationRequest) {
    let (Some(imsi), Some(connection)) = (ue.imsi, ue.connection.as_deref()) else { return };
    let (location, at) = (connection.location, cx.now);
    count(cx, request, ["RM.RegInitSucc", "RM.RegMobSucc", "RM.RegPeriodSucc"]);
    ue.seen_at = at;
    if !ue.registered {
        ue.registered = true;
        ue.registered_at = at;
        cx.core.registered += 1;
        cx.fact(Fact::Registered { imsi, pei: ue.pei, location, at });
    } else if is_initial(request) {
        ue.registered_at = at;
        cx.fact(Fact::Registered { imsi, pei: ue.pei, location, at });
    } else if ue.location != Some(location) {
        cx.fact(Fact::Moved { imsi, location, at });
    }
    ue.location = Some(location);
    if let Some(connection) = ue.connection.as_deref_mut() {
        cx.stop(&mut connection.guard);
    }
}

/// REGISTRATION COMPLETE.
pub(crate) fn complete(ue: &mut Ue, cx: &mut Cx<'_>) {
    if cx.answered(ue, Expect::RegistrationComplete).is_none() {
        return;
    }
    configuration_update::forget_old_guti(ue, cx);
    finished(ue, cx, true);
}

/// The phone never acknowledged. It counts as registered, under both names (§5.5.1.2.8 c).
pub(crate) fn unacknowledged(ue: &mut Ue, cx: &mut Cx<'_>) {
    finished(ue, cx, false);
}

fn finished(ue: &mut Ue, cx: &mut Cx<'_>, acknowledged: bool) {
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let initial = connection.registering().is_some_and(|registering| is_initial(&registering.request));
    let release = std::mem::take(&mut connection.release_after_complete);
    connection.procedure = Procedure::None;
    if initial && acknowledged {
        configuration_update::name(ue, cx);
        configuration_update::told(ue);
    }
    if deregistration::pending(ue, cx) {
        return;
    }
    if acknowledged && configuration_update::due(ue, cx) {
        if let Some(connection) = ue.connection.as_deref_mut() {
            connection.release_after_complete = release;
        }
        return;
    }
    if release {
        context_release::command(ue, cx, Cause::nas(CauseNas::normal_release));
    }
}

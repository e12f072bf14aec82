//! Primary authentication (TS 33.501 §6.1, TS 24.501 §5.4.1): 5G-AKA and EAP-AKA', one challenge at a time.

use super::connection::{Asked, Challenge, Expect, Proven};
use super::registration::{self, Refusal};
use super::{Ue, context_release, security_mode};
use crate::core::Cx;
use crate::eap;
use crate::io::{Alarm, Expected, HomeVector, Output, SharedKAusf, VaultRefusal, VaultRequest, WhoIs};
use crate::security::{self, ABBA, SecurityContext};
use crate::timers::{Timer, UeTimer};
use oxirush_nas::nas_5gs::{
    GmmCause, KeySetIdentifier, Nas5gsMessage, NasAbba, NasAuthenticationFailure, NasAuthenticationParameterAutn,
    NasAuthenticationParameterRand, NasAuthenticationReject, NasAuthenticationRequest, NasAuthenticationResponse,
    NasEapMessage, NasKeySetIdentifier,
};
use oxirush_ngap::ngap::{Cause, CauseNas};
use oxirush_security::Rand;
use oxirush_security::nas_5gs::{ResStar, XresStar, compute_hres_star, compute_hxres_star};
use std::sync::Arc;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Asks the vault for a challenge, unless it has enough to do already.
pub(crate) fn begin(ue: &mut Ue, cx: &mut Cx<'_>, who: WhoIs, resynchronise: Option<([u8; 16], [u8; 14])>) {
    if cx.core.asked >= cx.core.limits().vault_requests {
        return registration::refuse(ue, cx, Refusal::congestion());
    }
    let serving_network = security::serving_network_name(&cx.core.network);
    let request = cx.core.new_vault_request();
    let key = ue.key;
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let after = cx.core.network.timers.internal;
    let timer = cx.start(after, Timer::Ue(key, UeTimer::Vault));
    if let Some(before) = connection.asked.take() {
        cx.core.timers.stop(Some(before.timer));
    } else {
        cx.core.asked += 1;
    }
    let resynchronised = resynchronise.is_some();
    connection.asked = Some(Asked { request, resynchronised, timer });
    let method = cx.core.network.method;
    let ask = VaultRequest { who, serving_network, method, resynchronise };
    cx.out.push(Output::Vault { ue: connection.ids.amf, request, ask });
}

/// The vault has answered, or (none) has not.
pub(crate) fn vault(ue: &mut Ue, cx: &mut Cx<'_>, request: Option<u32>, reply: Result<Box<HomeVector>, VaultRefusal>) {
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    if request.is_some_and(|request| connection.asked.as_ref().is_none_or(|asked| asked.request != request)) {
        return;
    }
    let Some(asked) = connection.asked.take() else { return };
    cx.core.timers.stop(Some(asked.timer));
    cx.core.asked = cx.core.asked.saturating_sub(1);
    if connection.releasing {
        return;
    }
    match reply {
        Ok(vector) => challenge(ue, cx, vector, asked.resynchronised),
        Err(refusal) => refused(ue, cx, refusal),
    }
}

fn refused(ue: &mut Ue, cx: &mut Cx<'_>, refusal: VaultRefusal) {
    let cause = match refusal {
        VaultRefusal::Unknown => GmmCause::IllegalUe,
        VaultRefusal::Blocked => GmmCause::FiveGsServicesNotAllowed,
        VaultRefusal::BadSuci => GmmCause::UeIdentityCannotBeDerivedByTheNetwork,
        VaultRefusal::BadAuts => return reject(ue, cx),
        VaultRefusal::TooMany => return registration::refuse(ue, cx, Refusal::congestion()),
        VaultRefusal::Unavailable => {
            cx.alarm(Alarm::VaultUnavailable);
            return registration::refuse(ue, cx, Refusal::congestion());
        }
    };
    registration::refuse(ue, cx, Refusal::of(cause));
}

/// A key set identifier that the phone does not use (TS 24.501 §5.4.1.3.2).
fn next_ksi(used: u8) -> u8 {
    if used >= 6 { 0 } else { used + 1 }
}

fn challenge(ue: &mut Ue, cx: &mut Cx<'_>, vector: Box<HomeVector>, resynchronised: bool) {
    let mut id = [0];
    cx.rng.fill_bytes(&mut id);
    if let Some(connection) = ue.connection.as_deref_mut() {
        cx.trace_known(connection, vector.imsi);
    }
    let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) else {
        return;
    };
    let used = match registering.request.ngksi.key_set_identifier() {
        KeySetIdentifier::Native(ksi) => ksi,
        _ => 6,
    };
    let challenge = Challenge { vector, ngksi: next_ksi(used), eap_id: id[0], resynchronised, renamed: false };
    registering.eap = matches!(challenge.vector.expected, Expected::EapAkaPrime { .. }).then_some(id[0]);
    registering.challenge = Some(challenge);
    send(ue, cx);
}

fn send(ue: &mut Ue, cx: &mut Cx<'_>) {
    let network = cx.network();
    let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) else {
        return;
    };
    let Some(challenge) = &registering.challenge else { return };
    let ksi = NasKeySetIdentifier::new(challenge.ngksi);
    let mut request = NasAuthenticationRequest::new(ksi, NasAbba::new(ABBA.to_vec()));
    match &challenge.vector.expected {
        Expected::FiveGAka { .. } => {
            request.set_authentication_parameter_rand(NasAuthenticationParameterRand::from_rand(challenge.vector.rand));
            request.set_authentication_parameter_autn(NasAuthenticationParameterAutn::from_autn(challenge.vector.autn));
        }
        Expected::EapAkaPrime { k_aut, .. } => {
            let name = security::serving_network_name(&network);
            let packet = eap::challenge(challenge.eap_id, &challenge.vector.rand, &challenge.vector.autn, &name, k_aut);
            request.set_eap_message(NasEapMessage::new(packet));
        }
    }
    cx.count("AMF.AuthReq");
    cx.expect(ue, &Nas5gsMessage::new_5gmm(request), Expect::Authentication, network.timers.t3560);
}

/// AUTHENTICATION RESPONSE.
pub(crate) fn response(ue: &mut Ue, cx: &mut Cx<'_>, response: &NasAuthenticationResponse) {
    if cx.answered(ue, Expect::Authentication).is_none() {
        return;
    }
    let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) else {
        return;
    };
    let Some(challenge) = registering.challenge.take() else { return };
    match &challenge.vector.expected {
        Expected::FiveGAka { xres_star, .. } => {
            let parameter = response.authentication_response_parameter.as_ref();
            let Some(res_star) = parameter.and_then(|parameter| parameter.res_star()) else { return reject(ue, cx) };
            let (rand, res_star) = (Rand::new(&challenge.vector.rand), ResStar::new(res_star));
            let xres_star = XresStar::new(xres_star);
            // The SEAF's check, then the home network's (TS 33.501 §6.1.3.2): one after the other, as if they were apart.
            let seaf = compute_hxres_star(&rand, &xres_star).accepts(&compute_hres_star(&rand, &res_star));
            if !(seaf && xres_star.accepts(&res_star)) {
                return reject(ue, cx);
            }
            proven(ue, cx, challenge, None);
        }
        Expected::EapAkaPrime { xres, k_aut, .. } => {
            let Some(packet) = &response.eap_message else { return reject(ue, cx) };
            match eap::answer(challenge.eap_id, k_aut, &packet.value) {
                eap::Answer::Response(res) if bool::from(res.as_slice().ct_eq(xres.as_slice())) => {
                    let success = eap::success(challenge.eap_id);
                    proven(ue, cx, challenge, Some(success));
                }
                eap::Answer::Synchronisation(auts) => resynchronise(ue, cx, &challenge, auts),
                eap::Answer::Response(_) | eap::Answer::Reject | eap::Answer::Invalid => reject(ue, cx),
            }
        }
    }
}

fn proven(ue: &mut Ue, cx: &mut Cx<'_>, challenge: Challenge, eap_success: Option<Vec<u8>>) {
    cx.count("control_plane.authenticated");
    let network = cx.network();
    let vector = challenge.vector;
    let (Expected::FiveGAka { k_ausf, .. } | Expected::EapAkaPrime { k_ausf, .. }) = &vector.expected;
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let Some(registering) = connection.registering() else { return };
    let Some(capability) = &registering.request.ue_security_capability else {
        return registration::refuse(ue, cx, Refusal::of(GmmCause::ConditionalIeError));
    };
    let (ea, ia) = (capability.ea_byte(), capability.ia_byte());
    let Some((integrity, ciphering)) = security::choose(&network, ea, ia) else {
        return registration::refuse(ue, cx, Refusal::of(GmmCause::UeSecurityCapabilitiesMismatch));
    };
    let Some(k_amf) = security::k_amf(k_ausf, &network, vector.imsi.as_str()) else { return reject(ue, cx) };
    let security = SecurityContext::fresh(k_amf, challenge.ngksi, integrity, ciphering);
    let k_ausf = SharedKAusf(Arc::new(Zeroizing::new(*k_ausf.as_octets())));
    registering.proven = Some(Proven { imsi: vector.imsi, security, eap_success, k_ausf, pei: None });
    ue.subscription = Some(Arc::clone(&vector.subscription));
    security_mode::command(ue, cx);
}

/// AUTHENTICATION FAILURE (TS 24.501 §5.4.1.3.7).
pub(crate) fn failure(ue: &mut Ue, cx: &mut Cx<'_>, failure: &NasAuthenticationFailure) {
    if cx.answered(ue, Expect::Authentication).is_none() {
        return;
    }
    let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) else {
        return;
    };
    let Some(mut challenge) = registering.challenge.take() else { return };
    cx.count("AMF.AuthFail");
    match failure.fgmm_cause.cause() {
        Some(GmmCause::SynchFailure) => {
            let auts =
                failure.authentication_failure_parameter.as_ref().and_then(|parameter| parameter.auts().copied());
            match auts {
                Some(auts) => resynchronise(ue, cx, &challenge, auts),
                None => reject(ue, cx),
            }
        }
        Some(GmmCause::NgKsiAlreadyInUse) if !challenge.renamed => {
            challenge.ngksi = next_ksi(challenge.ngksi);
            challenge.renamed = true;
            registering.challenge = Some(challenge);
            send(ue, cx);
        }
        // A card that does not believe us (#20, #26) has just said who it is, concealed: there is nothing more to ask.
        _ => reject(ue, cx),
    }
}

fn resynchronise(ue: &mut Ue, cx: &mut Cx<'_>, challenge: &Challenge, auts: [u8; 14]) {
    cx.count("control_plane.resynchronisations");
    if challenge.resynchronised {
        return reject(ue, cx);
    }
    begin(ue, cx, WhoIs::Imsi(challenge.vector.imsi), Some((challenge.vector.rand, auts)));
}

/// AUTHENTICATION REJECT (TS 24.501 §5.4.1.3.5), then the connection ends.
fn reject(ue: &mut Ue, cx: &mut Cx<'_>) {
    cx.count("AMF.AuthReject");
    registration::failed(ue, cx);
    let eap = ue.connection.as_deref_mut().and_then(|connection| connection.registering()).and_then(|one| one.eap);
    let mut reject = NasAuthenticationReject::new();
    reject.eap_message = eap.map(|id| NasEapMessage::new(eap::failure(id)));
    cx.nas_message(ue, &Nas5gsMessage::new_5gmm(reject));
    context_release::command(ue, cx, Cause::nas(CauseNas::authentication_failure));
}

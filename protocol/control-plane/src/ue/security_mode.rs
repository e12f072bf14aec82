//! Security mode control (TS 24.501 §5.4.2): the new context is taken into use.

use super::connection::Expect;
use super::nas::Then;
use super::registration::{self, Refusal};
use super::{Ue, context_release, identity};
use crate::core::Cx;
use crate::n2::build;
use crate::security::ABBA;
use oxirush_nas::nas_5gs::{
    GmmCause, ImeisvRequestValue, Nas5gmmMessage, Nas5gsMessage, Nas5gsSecurityHeaderType, NasAbba,
    NasAdditional5gSecurityInformation, NasEapMessage, NasError, NasImeisvRequest, NasKeySetIdentifier,
    NasSecurityAlgorithms, NasSecurityModeCommand, NasSecurityModeReject,
};
use oxirush_ngap::ngap::{Cause, CauseNas};

/// SECURITY MODE COMMAND: algorithms, the phone's capabilities as we have heard them, and the wish for its IMEISV.
pub(crate) fn command(ue: &mut Ue, cx: &mut Cx<'_>) {
    let every = cx.core.network.timers.t3560;
    let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) else {
        return;
    };
    let (Some(proven), Some(capability)) = (&registering.proven, registering.request.ue_security_capability.clone())
    else {
        return;
    };
    let (integrity, ciphering) = proven.security.algorithms();
    let algorithms = NasSecurityAlgorithms::from_algorithms(ciphering.nas(), integrity.nas());
    let ksi = NasKeySetIdentifier::new(proven.security.ngksi());
    let mut command = NasSecurityModeCommand::new(algorithms, ksi, capability);
    let mut imeisv = NasImeisvRequest::new(0);
    imeisv.set_request(ImeisvRequestValue::Requested);
    command.set_imeisv_request(imeisv);
    if registering.unverified {
        // The first message was protected under a context that we do not have: the phone repeats it (§4.4.6).
        command.set_additional_5g_security_information(NasAdditional5gSecurityInformation::from_flags(true, false));
    }
    if let Some(success) = &proven.eap_success {
        command.set_eap_message(NasEapMessage::new(success.clone()));
        command.set_abba(NasAbba::new(ABBA.to_vec()));
    }
    cx.expect(ue, &Nas5gsMessage::new_5gmm(command), Expect::SecurityMode, every);
}

/// Sends the command, or repeats it: under the new context, not ciphered.
pub(crate) fn send(ue: &mut Ue, cx: &mut Cx<'_>, plain: &[u8]) {
    let proven = |ue: &mut Ue| {
        let registering = ue.connection.as_deref_mut()?.registering()?;
        let header = Nas5gsSecurityHeaderType::IntegrityProtectedWithNewFiveGNasSecurityContext;
        registering.proven.as_mut()?.security.protect(plain, header)
    };
    let Some(sealed) = proven(ue) else { return };
    cx.trace_nas(ue, &sealed, plain);
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let pdu = build::downlink_nas_transport(connection.ids, &sealed);
    cx.tell_gnb(connection, pdu);
}

/// A message under the new context: the SECURITY MODE COMPLETE, or nothing.
pub(crate) fn complete(ue: &mut Ue, cx: &mut Cx<'_>, bytes: &[u8]) -> Then {
    let Some(connection) = ue.connection.as_deref_mut() else { return Then::Nothing };
    let Some(registering) = connection.registering() else { return Then::Nothing };
    let Some(proven) = registering.proven.as_mut() else { return Then::Nothing };
    let verified = match proven.security.unprotect(bytes) {
        Ok(verified) => verified,
        Err(NasError::AuthenticMessageRefused { .. }) => {
            // It is the phone, and it cannot be understood.
            registration::refuse(ue, cx, Refusal::of(GmmCause::InvalidMandatoryInformation));
            return Then::Nothing;
        }
        Err(_) => {
            cx.count("control_plane.nas_dropped");
            return Then::Nothing;
        }
    };
    cx.trace_verified(ue, bytes, &verified);
    let Some(connection) = ue.connection.as_deref_mut() else { return Then::Nothing };
    let Some(registering) = connection.registering() else { return Then::Nothing };
    let Some(proven) = registering.proven.as_mut() else { return Then::Nothing };
    let Nas5gsMessage::Gmm(_, Nas5gmmMessage::SecurityModeComplete(complete)) = verified.message else {
        return Then::Nothing;
    };
    proven.pei = complete.imeisv.as_ref().or(complete.non_imeisv_pei.as_ref()).and_then(identity::pei);
    let mut mismatch = false;
    if let Some(container) = &complete.nas_message_container
        && let Ok(Nas5gsMessage::Gmm(_, Nas5gmmMessage::RegistrationRequest(whole))) = container.decode_as_nas_message()
    {
        // What was heard in clear decided on the algorithms; the protected message says whether it was true.
        let heard = registering.request.ue_security_capability.as_ref();
        mismatch = whole.ue_security_capability.as_ref().is_some_and(|given| heard != Some(given));
        let mut whole = *whole;
        if whole.ue_security_capability.is_none() {
            whole.ue_security_capability = registering.request.ue_security_capability.clone();
        }
        registering.request = whole;
    }
    connection.count = Some(verified.count);
    cx.answered(ue, Expect::SecurityMode);
    if mismatch {
        registration::refuse(ue, cx, Refusal::of(GmmCause::UeSecurityCapabilitiesMismatch));
        return Then::Nothing;
    }
    Then::Adopt
}

/// SECURITY MODE REJECT: the phone refuses the command; its capabilities were changed on the way, or it is broken.
pub(crate) fn reject(ue: &mut Ue, cx: &mut Cx<'_>, _reject: &NasSecurityModeReject) {
    if cx.answered(ue, Expect::SecurityMode).is_none() {
        return;
    }
    cx.count("control_plane.security_mode_rejected");
    registration::failed(ue, cx);
    context_release::command(ue, cx, Cause::nas(CauseNas::unspecified));
}

//! NAS messages of a connected phone: protecting, checking, and bringing each to its procedure.

use super::connection::Expect;
use super::{
    Ue, authentication, configuration_update, deregistration, identity, nas_transport, registration, security_mode,
    service_request,
};
use crate::core::Cx;
use crate::io::Output;
use crate::snapshot;
use oxirush_nas::nas_5gs::{
    Direction, GmmCause, Nas5gmmMessage, Nas5gsMessage, Nas5gsSecurityHeaderType, NasCount, NasError, NasFGmmCause,
    NasFGmmStatus,
};

/// What is left to do where all phones can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing.
    Nothing,
    /// The phone has proved who it is, and takes its card's place.
    Adopt,
}

/// The contexts are kept anew after this many messages to a phone; on restoring, twice as many COUNTs are left out.
pub(crate) const KEPT_EVERY: u32 = 32;

impl Cx<'_> {
    /// A message for the phone as it goes onto the air. None when there is no connection, or no COUNT left.
    pub(crate) fn protect(&mut self, ue: &mut Ue, plain: &[u8]) -> Option<Vec<u8>> {
        let secured = ue.connection.as_ref()?.secured;
        self.trace(ue, true, plain);
        if !secured {
            return Some(plain.to_vec());
        }
        let security = ue.security.as_mut()?;
        let sealed = security.protect(plain, Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered);
        if security.counts().1 >= ue.kept_downlink.saturating_add(KEPT_EVERY) {
            snapshot::keep(ue, self);
        }
        if sealed.is_none() {
            self.count("control_plane.count_exhausted");
        }
        sealed
    }

    /// Encodes and sends a message.
    pub(crate) fn nas_message(&mut self, ue: &mut Ue, message: &Nas5gsMessage) {
        match message.encode() {
            Ok(plain) => self.nas(ue, &plain),
            Err(_) => self.count("control_plane.unencodable"),
        }
    }

    pub(crate) fn trace(&mut self, ue: &Ue, downlink: bool, plain: &[u8]) {
        if self.core.traced.is_empty() {
            return;
        }
        if let Some(imsi) = ue.imsi.filter(|imsi| self.core.traced.contains(imsi)) {
            let name = name(plain);
            self.out.push(Output::Traced { imsi, downlink, name, bytes: plain.to_vec() });
        }
    }

    /// 5GMM STATUS (TS 24.501 §5.4.5).
    pub(crate) fn status(&mut self, ue: &mut Ue, cause: GmmCause) {
        self.nas_message(ue, &Nas5gsMessage::new_5gmm(NasFGmmStatus::new(NasFGmmCause::from_cause(cause))));
    }
}

/// The name of a plain message, for a ladder.
fn name(plain: &[u8]) -> String {
    match Nas5gsMessage::decode(plain) {
        Ok(Nas5gsMessage::Gmm(_, message)) => format!("{:?}", message.message_type()),
        Ok(Nas5gsMessage::Gsm(_, message)) => format!("{:?}", message.message_type()),
        _ => "Unreadable".to_owned(),
    }
}

/// A message that came in uplink NAS transport.
pub(crate) fn receive(ue: &mut Ue, cx: &mut Cx<'_>, bytes: &[u8]) -> Then {
    let Some(connection) = ue.connection.as_deref_mut().filter(|connection| !connection.releasing) else {
        return Then::Nothing;
    };
    if !connection.secured {
        return unsecured(ue, cx, bytes);
    }
    let Some(security) = ue.security.as_mut() else { return Then::Nothing };
    match security.unprotect(bytes) {
        Ok(verified) => {
            ue.seen_at = cx.now;
            if !cx.core.traced.is_empty()
                && let Ok(plain) = verified.message.encode()
            {
                cx.trace(ue, false, &plain);
            }
            secured(ue, cx, verified.message, verified.count);
        }
        Err(NasError::AuthenticMessageRefused { error, plain }) => {
            if let Some(answer) = Nas5gsMessage::answer_to_refused(&plain, &error, Direction::Uplink) {
                cx.nas_message(ue, &answer);
            }
        }
        // Once the exchange is secured, nothing without the right MAC is looked at (TS 24.501 §4.4.4.3).
        Err(_) => cx.count("control_plane.nas_dropped"),
    }
    Then::Nothing
}

/// A message whose MAC was right.
pub(crate) fn secured(ue: &mut Ue, cx: &mut Cx<'_>, message: Nas5gsMessage, count: NasCount) {
    let required = message.unknown_ies().iter().any(|ie| ie.is_comprehension_required());
    let Nas5gsMessage::Gmm(_, message) = message else {
        return cx.status(ue, GmmCause::MessageTypeNonExistentOrNotImplemented);
    };
    if required {
        return cx.status(ue, GmmCause::InvalidMandatoryInformation);
    }
    match message {
        Nas5gmmMessage::RegistrationRequest(request) => registration::verified(ue, cx, *request, count),
        Nas5gmmMessage::RegistrationComplete(_) => registration::complete(ue, cx),
        Nas5gmmMessage::ServiceRequest(request) => service_request::verified(ue, cx, &request, count),
        Nas5gmmMessage::DeregistrationRequestUeOriginating(request) => deregistration::by_phone(ue, cx, &request),
        Nas5gmmMessage::DeregistrationAcceptUeTerminated(_) => deregistration::accepted(ue, cx),
        Nas5gmmMessage::ConfigurationUpdateComplete(_) => configuration_update::complete(ue, cx),
        Nas5gmmMessage::IdentityResponse(response) => identity::equipment(ue, cx, &response.mobile_identity),
        Nas5gmmMessage::UlNasTransport(transport) => nas_transport::uplink(ue, cx, *transport),
        Nas5gmmMessage::FiveGmmStatus(_) | Nas5gmmMessage::NotificationResponse(_) => {}
        Nas5gmmMessage::AuthenticationResponse(_)
        | Nas5gmmMessage::AuthenticationFailure(_)
        | Nas5gmmMessage::SecurityModeComplete(_)
        | Nas5gmmMessage::SecurityModeReject(_) => {
            cx.status(ue, GmmCause::MessageTypeNotCompatibleWithTheProtocolState)
        }
        _ => cx.status(ue, GmmCause::MessageTypeNonExistentOrNotImplemented),
    }
}

/// A message of a phone that has proved nothing yet. Nobody else's context is within reach here.
fn unsecured(ue: &mut Ue, cx: &mut Cx<'_>, bytes: &[u8]) -> Then {
    let Some(connection) = ue.connection.as_deref_mut() else { return Then::Nothing };
    let header = bytes.get(1).map(|octet| octet & 0x0f);
    let awaits_security = connection.pending.as_ref().is_some_and(|pending| pending.expect == Expect::SecurityMode);
    let newly = Nas5gsSecurityHeaderType::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext as u8;
    if awaits_security && header == Some(newly) {
        return security_mode::complete(ue, cx, bytes);
    }
    let received = Nas5gsMessage::decode(bytes);
    let message = match received {
        Ok(Nas5gsMessage::SecurityProtected(_, inner)) => *inner,
        Ok(message) => message,
        Err(_) => {
            if let Some(answer) = Nas5gsMessage::answer_to(bytes, &received, Direction::Uplink) {
                cx.nas_message(ue, &answer);
            }
            return Then::Nothing;
        }
    };
    let Nas5gsMessage::Gmm(_, message) = message else {
        cx.count("control_plane.nas_dropped");
        return Then::Nothing;
    };
    // TS 24.501 §4.4.4.3 has the list. A deregistration is on it, but there is nothing here that could be deregistered.
    match message {
        Nas5gmmMessage::RegistrationRequest(request) => registration::again(ue, cx, *request),
        Nas5gmmMessage::IdentityResponse(response) => identity::concealed(ue, cx, &response.mobile_identity),
        Nas5gmmMessage::AuthenticationResponse(response) => authentication::response(ue, cx, &response),
        Nas5gmmMessage::AuthenticationFailure(failure) => authentication::failure(ue, cx, &failure),
        Nas5gmmMessage::SecurityModeReject(reject) => security_mode::reject(ue, cx, &reject),
        _ => cx.count("control_plane.nas_dropped"),
    }
    Then::Nothing
}

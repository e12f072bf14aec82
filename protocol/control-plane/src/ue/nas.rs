//! NAS messages of a connected phone: protecting, checking, and bringing each to its procedure.

use super::connection::Expect;
use super::{
    Ue, authentication, configuration_update, deregistration, identity, nas_transport, registration, security_mode,
    service_request,
};
use crate::core::Cx;
use crate::snapshot;
use crate::traced::nas_name;
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
    ///
    /// The only way to a phone that is registered. Its COUNT, and that of the message which has opened the connection, are
    /// kept before it leaves, or are among those that are left out on restoring.
    pub(crate) fn protect(&mut self, ue: &mut Ue, plain: &[u8]) -> Option<Vec<u8>> {
        let secured = ue.connection.as_ref()?.secured;
        if !secured {
            self.trace_nas(ue, plain, plain);
            return Some(plain.to_vec());
        }
        let security = ue.security.as_mut()?;
        let sealed = security.protect(plain, Nas5gsSecurityHeaderType::IntegrityProtectedAndCiphered);
        if ue.opened || security.counts().1 >= ue.kept_downlink.saturating_add(KEPT_EVERY) {
            snapshot::keep(ue, self);
        }
        match &sealed {
            Some(sealed) => self.trace_nas(ue, sealed, plain),
            None => self.count("control_plane.count_exhausted"),
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

    /// 5GMM STATUS (TS 24.501 §5.4.5).
    pub(crate) fn status(&mut self, ue: &mut Ue, cause: GmmCause) {
        self.nas_message(ue, &Nas5gsMessage::new_5gmm(NasFGmmStatus::new(NasFGmmCause::from_cause(cause))));
    }
}

/// Where a protected message comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It opens a connection.
    Initial,
    /// It answers the security mode command.
    SecurityMode,
    /// Secure exchange is established.
    Secured,
}

/// Whether a message has the security header type that it must have here (TS 24.501 §4.4.4.3, §4.4.5, §4.4.6, §9.3.1).
///
/// No MAC covers that octet. It is judged before anything is verified: a message whose type was changed on the way would
/// have a right MAC, could not be read, and would use up the COUNT of the one that the phone has sent. On a secured
/// connection a phone may send an initial message readable; what is readable cannot have been ciphered.
pub(crate) fn is_expected(bytes: &[u8], place: Place) -> bool {
    use Nas5gsSecurityHeaderType as Header;
    let Some(Ok(header)) = bytes.get(1).map(|octet| Header::try_from(octet & 0x0f)) else { return false };
    let readable = || {
        matches!(bytes.get(7..10), Some([0x7e, 0x00, kind])
            if [REGISTRATION_REQUEST, DEREGISTRATION_REQUEST, SERVICE_REQUEST].contains(kind))
    };
    match (place, header) {
        (Place::Initial, Header::IntegrityProtected) => readable(),
        (Place::SecurityMode, Header::IntegrityProtectedAndCipheredWithNewFiveGNasSecurityContext) => true,
        (Place::Secured, Header::IntegrityProtectedAndCiphered) => !readable(),
        (Place::Secured, Header::IntegrityProtected) => readable(),
        _ => false,
    }
}

/// Message types (TS 24.501 §9.7) that open connections.
const REGISTRATION_REQUEST: u8 = 0x41;
const DEREGISTRATION_REQUEST: u8 = 0x45;
const SERVICE_REQUEST: u8 = 0x4c;

/// A message that came in uplink NAS transport.
pub(crate) fn receive(ue: &mut Ue, cx: &mut Cx<'_>, bytes: &[u8]) -> Then {
    let Some(connection) = ue.connection.as_deref_mut().filter(|connection| !connection.releasing) else {
        return Then::Nothing;
    };
    if !connection.secured {
        return unsecured(ue, cx, bytes);
    }
    if !is_expected(bytes, Place::Secured) {
        cx.count("control_plane.nas_dropped");
        return Then::Nothing;
    }
    let Some(security) = ue.security.as_mut() else { return Then::Nothing };
    match security.unprotect(bytes) {
        Ok(verified) => {
            ue.seen_at = cx.now;
            ue.opened |= is_expected(bytes, Place::Initial);
            cx.trace_verified(ue, bytes, &verified);
            secured(ue, cx, verified.message, verified.count);
            snapshot::keep_opened(ue, cx);
        }
        Err(NasError::AuthenticMessageRefused { error, plain }) => {
            match Nas5gsMessage::answer_to_refused(&plain, &error, Direction::Uplink) {
                Some(answer @ Nas5gsMessage::Gmm(..)) => cx.nas_message(ue, &answer),
                // Session management travels in NAS transport only (§5.4.5), and so would its answer.
                Some(_) => cx.status(ue, GmmCause::MessageTypeNonExistentOrNotImplemented),
                None => {}
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
    if !fits(ue, cx, &message) {
        return;
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

/// Whether a message may be worked on now; if not, it is answered or dropped here.
fn fits(ue: &mut Ue, cx: &mut Cx<'_>, message: &Nas5gmmMessage) -> bool {
    let service = matches!(message, Nas5gmmMessage::ServiceRequest(_));
    // A proven card is not a registered phone: whether it may be one, in this equipment and at this place, is judged before
    // anything is given to it (TS 24.501 §4.4.4.3: the procedure in progress goes first).
    if !ue.registered && (service || matches!(message, Nas5gmmMessage::UlNasTransport(_))) {
        cx.status(ue, GmmCause::MessageTypeNotCompatibleWithTheProtocolState);
        return false;
    }
    // A phone that was told to deregister cannot go on by asking for something else; only an initial registration begins
    // anew, and is judged again (§5.5.2.3.5).
    let leaving = ue.connection.as_ref().and_then(|connection| connection.pending.as_ref());
    let leaving = leaving.is_some_and(|pending| pending.expect == Expect::DeregistrationAccept);
    let stays = match message {
        Nas5gmmMessage::RegistrationRequest(request) => !registration::is_initial(request),
        _ => service,
    };
    if leaving && stays {
        cx.count("control_plane.nas_dropped");
    }
    !(leaving && stays)
}

/// A message of a phone that has proved nothing yet. Nobody else's context is within reach here.
fn unsecured(ue: &mut Ue, cx: &mut Cx<'_>, bytes: &[u8]) -> Then {
    let Some(connection) = ue.connection.as_deref_mut() else { return Then::Nothing };
    let awaits_security = connection.pending.as_ref().is_some_and(|pending| pending.expect == Expect::SecurityMode);
    if awaits_security && is_expected(bytes, Place::SecurityMode) {
        return security_mode::complete(ue, cx, bytes);
    }
    if cx.tracing() {
        cx.trace_uplink(connection, Some((bytes, bytes, &nas_name(bytes))));
    }
    let received = Nas5gsMessage::decode(bytes);
    let message = match received {
        Ok(Nas5gsMessage::SecurityProtected(_, inner)) => *inner,
        Ok(message) => message,
        Err(_) => {
            if let Some(answer @ Nas5gsMessage::Gmm(..)) = Nas5gsMessage::answer_to(bytes, &received, Direction::Uplink)
            {
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

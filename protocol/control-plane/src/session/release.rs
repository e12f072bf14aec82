//! PDU session release (TS 24.501 §6.3.3, §6.4.3).

use super::{Phase, Repeated, Resources, Session, end, establishment, lose, release_at_gnb, send, send_message};
use crate::core::Cx;
use crate::io::Fact;
use crate::snapshot;
use crate::timers::{SessionTimer, Timer};
use crate::ue::{Ue, nas_transport};
use oxirush_nas::nas_5gs::{
    GsmCause, Nas5gsMessage, NasFGsmCause, NasPduSessionReleaseCommand, NasPduSessionReleaseReject,
};
use pakawaaz_user_plane::rules::UserPlaneRequest;

/// PDU SESSION RELEASE REQUEST of the phone.
pub(crate) fn by_phone(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8) {
    match ue.session(psi) {
        // With its accept the phone has the session, whether the gNB has said that it carries it or not.
        Some(session) if session.phase == Phase::Active || session.accepted && session.phase != Phase::Releasing => {
            begin(ue, cx, psi, pti, GsmCause::RegularDeactivation);
        }
        // A repetition: the command is under way.
        Some(_) => {}
        None => {
            let cause = NasFGsmCause::from_cause(GsmCause::InvalidPduSessionIdentity);
            send_message(ue, cx, psi, pti, NasPduSessionReleaseReject::new(cause));
        }
    }
}

/// Commands phone and gNB to let go of a session. The user plane lets go at once: nothing is carried while it is asked. One
/// whose accept was not sent yet is refused.
pub(crate) fn begin(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8, cause: GsmCause) {
    let (key, every, at) = (ue.key, cx.core.network.timers.t3592, cx.now);
    let (connected, imsi) = (ue.is_connected(), ue.imsi);
    match ue.session(psi) {
        Some(session) if session.accepted => session.made(cx),
        Some(Session { phase: Phase::Creating(creating), .. }) => {
            let pti = creating.pti;
            let cause = match cause {
                GsmCause::RegularDeactivation => GsmCause::MissingOrUnknownDnn,
                other => other,
            };
            establishment::refuse(ue, cx, psi, pti, cause);
            return end(ue, cx, psi);
        }
        _ => {}
    }
    let Some(session) = ue.session(psi).filter(|session| session.phase == Phase::Active) else { return };
    if !connected {
        // The phone learns of it by the status of its sessions when it comes back.
        end(ue, cx, psi);
        return snapshot::keep(ue, cx);
    }
    session.phase = Phase::Releasing;
    if let Some(repeated) = session.repeated.take() {
        cx.core.timers.stop(Some(repeated.timer));
    }
    cx.core.timers.stop(session.ngap_timer.take());
    let carried = std::mem::replace(&mut session.resources, Resources::Inactive) != Resources::Inactive;
    let reference = session.reference;
    let command = NasPduSessionReleaseCommand::new(NasFGsmCause::from_cause(cause));
    let Ok(plain) = Nas5gsMessage::new_5gsm(command, psi, pti).encode() else { return };
    let timer = cx.start(every, Timer::Session(key, psi, SessionTimer::Nas));
    session.repeated = Some(Box::new(Repeated { plain: plain.clone(), sent: 1, timer, before: Vec::new() }));
    cx.user_plane(UserPlaneRequest::Release { session: reference });
    if let Some(imsi) = imsi {
        cx.fact(Fact::SessionEnded { imsi, psi, at });
    }
    if carried {
        let nas = nas_transport::downlink(psi, plain).and_then(|plain| cx.protect(ue, &plain));
        release_at_gnb(ue, cx, psi, nas.as_deref());
    } else {
        send(ue, cx, psi, plain);
    }
    snapshot::keep(ue, cx);
}

/// PDU SESSION RELEASE COMPLETE.
pub(crate) fn complete(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    if ue.session(psi).is_some_and(|session| session.phase == Phase::Releasing) {
        end(ue, cx, psi);
    }
}

/// The phone says that it does not have the session.
pub(crate) fn local(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    lose(ue, cx, psi);
    snapshot::keep(ue, cx);
}

//! The first message of a phone on a connection (TS 38.413 §8.6.1, TS 24.501 §4.4.6): who is it, and can it be believed?

use super::connection::{Connection, Proven};
use super::nas::{self, Place};
use super::{Access, Capability, Ue, UeKey, Ues, context_release, deregistration, registration, service_request};
use crate::core::Cx;
use crate::identifiers::{AssociationId, Location, RanUeNgapId};
use crate::io::{DeregisteredBecause, Fact};
use crate::n2::{Ids, build};
use crate::session;
use crate::snapshot;
use crate::timers::{Timer, UeTimer};
use oxirush_nas::nas_5gs::{
    Direction, GmmCause, KeySetIdentifier, Nas5gmmMessage, Nas5gsMessage, NasFGsMobileIdentity, NasKeySetIdentifier,
    Verified,
};
use oxirush_ngap::ngap::{Cause, CauseMisc, CauseNas, CauseRadioNetwork};

/// INITIAL UE MESSAGE.
pub(crate) struct Initial<'a> {
    pub(crate) association: AssociationId,
    pub(crate) ran: RanUeNgapId,
    pub(crate) nas: &'a [u8],
    pub(crate) location: Location,
}

/// A phone connects.
pub(crate) fn message(ues: &mut Ues, cx: &mut Cx<'_>, initial: Initial<'_>) {
    let Some(gnb) = cx.core.gnbs.get(&initial.association) else { return };
    if !gnb.tacs.contains(&initial.location.tac) || initial.location.plmn != cx.core.network.plmn {
        cx.misbehaving(initial.association, "foreign_tracking_area");
        let cause = Some(Cause::radioNetwork(CauseRadioNetwork::unspecified));
        return cx.send(initial.association, 0, build::error_indication(None, Some(initial.ran.0), cause, None));
    }
    if let Some(before) = gnb.ues.get(&initial.ran).copied() {
        // The gNB gives the number anew: the connection before is gone there.
        if let Some(ue) = ues.get_mut(&before) {
            context_release::over(ue, cx);
        }
        settle(ues, cx, before);
    }
    let decoded = Nas5gsMessage::decode(initial.nas);
    let (message, protected) = match &decoded {
        Ok(Nas5gsMessage::SecurityProtected(_, inner)) => (Some(inner.as_ref()), true),
        Ok(message) => (Some(message), false),
        Err(_) => (None, false),
    };
    let gmm = match message {
        Some(Nas5gsMessage::Gmm(_, gmm)) => Some(gmm),
        _ => None,
    };
    let registers = matches!(gmm, Some(Nas5gmmMessage::RegistrationRequest(_)));
    if protected
        && nas::is_expected(initial.nas, Place::Initial)
        && let Some((identity, ksi)) = gmm.and_then(names)
        && let Some((key, verified)) = believe(ues, cx, identity, ksi, registers, initial.nas)
    {
        return known(ues, cx, &initial, key, verified);
    }
    if !room(ues, cx, &initial) {
        return;
    }
    let key = cx.core.new_ue();
    let mut ue = Box::new(Ue::new(key, cx.now));
    open(&mut ue, cx, &initial, false);
    if let Some(connection) = ue.connection.as_deref_mut().filter(|_| cx.tracing()) {
        let name = gmm.map(|gmm| format!("{:?}", gmm.message_type())).unwrap_or_default();
        cx.trace_uplink(connection, Some((initial.nas, initial.nas, &name)));
    }
    match gmm {
        Some(Nas5gmmMessage::RegistrationRequest(request)) => {
            registration::unverified(&mut ue, cx, (**request).clone(), protected);
        }
        Some(Nas5gmmMessage::ServiceRequest(_) | Nas5gmmMessage::ControlPlaneServiceRequest(_)) => {
            // The context, if there is one, stays as it is (TS 24.501 §4.4.4.3, §5.6.1.5).
            cx.count("control_plane.service_requests_unknown");
            let reject = service_request::reject(GmmCause::UeIdentityCannotBeDerivedByTheNetwork);
            cx.nas_message(&mut ue, &reject);
            context_release::command(&mut ue, cx, Cause::nas(CauseNas::unspecified));
        }
        _ => {
            // A deregistration without proof is among them: it is not worked on (§4.4.4.3).
            cx.count("control_plane.nas_dropped");
            if decoded.is_err()
                && let Some(answer @ Nas5gsMessage::Gmm(..)) =
                    Nas5gsMessage::answer_to(initial.nas, &decoded, Direction::Uplink)
            {
                cx.nas_message(&mut ue, &answer);
            }
            context_release::command(&mut ue, cx, Cause::nas(CauseNas::unspecified));
        }
    }
    ues.insert(key, ue);
    settle(ues, cx, key);
}

/// Whom a message says it is from, and under which key.
fn names(message: &Nas5gmmMessage) -> Option<(&NasFGsMobileIdentity, NasKeySetIdentifier)> {
    match message {
        Nas5gmmMessage::RegistrationRequest(request) => Some((&request.fgs_mobile_identity, request.ngksi)),
        Nas5gmmMessage::ServiceRequest(request) => Some((&request.fg_s_tmsi, request.ngksi)),
        Nas5gmmMessage::DeregistrationRequestUeOriginating(request) => {
            Some((&request.fgs_mobile_identity, request.ngksi))
        }
        _ => None,
    }
}

/// The phone that has sent a message, when its context proves it, and what is verified. A message that proves nothing
/// leaves every context as it was.
fn believe(
    ues: &mut Ues,
    cx: &mut Cx<'_>,
    identity: &NasFGsMobileIdentity,
    ksi: NasKeySetIdentifier,
    registers: bool,
    bytes: &[u8],
) -> Option<(UeKey, Verified<Nas5gsMessage>)> {
    let (region, set, pointer) = cx.core.network.amf;
    let tmsi = if let Some(guti) = identity.as_guti() {
        let ours = guti.plmn() == cx.core.network.plmn && guti.amf_region_id() == region;
        (ours && guti.amf_set_id() == set && guti.amf_pointer() == pointer).then(|| guti.tmsi())?
    } else {
        let s_tmsi = identity.as_s_tmsi()?;
        (s_tmsi.amf_set_id() == set && s_tmsi.amf_pointer() == pointer).then(|| s_tmsi.tmsi())?
    };
    let key = *cx.core.by_tmsi.get(&tmsi)?;
    let ue = ues.get_mut(&key)?;
    if ue.farewell && registers {
        // The card is revoked: its keys open no registration. The vault judges it as it judges everybody.
        return None;
    }
    let connected = ue.connection.is_some();
    let security = ue.security.as_mut()?;
    if ksi.key_set_identifier() != KeySetIdentifier::Native(security.ngksi()) || security.worn() {
        return None;
    }
    let verified = security.unprotect(bytes);
    if !connected {
        security.rest();
    }
    match verified {
        Ok(verified) => {
            ue.opened = true;
            named_by(ue, cx, tmsi);
            Some((key, verified))
        }
        Err(_) => {
            cx.count("control_plane.nas_unproven");
            None
        }
    }
}

/// The phone has used this name, so it is the one that it has: the other one, if there are two, never reached it or is
/// over.
fn named_by(ue: &mut Ue, cx: &mut Cx<'_>, tmsi: u32) {
    if ue.old_tmsi == Some(tmsi) {
        std::mem::swap(&mut ue.tmsi, &mut ue.old_tmsi);
    }
    super::configuration_update::forget_old_guti(ue, cx);
}

/// A message of a phone that we know.
fn known(ues: &mut Ues, cx: &mut Cx<'_>, initial: &Initial<'_>, key: UeKey, verified: Verified<Nas5gsMessage>) {
    let Some(mut ue) = ues.remove(&key) else { return };
    leave_behind(ues, cx, &mut ue);
    open(&mut ue, cx, initial, true);
    ue.seen_at = cx.now;
    cx.trace_verified(&mut ue, initial.nas, &verified);
    let Verified { message, count, .. } = verified;
    match (std::mem::take(&mut ue.farewell), &message) {
        (true, Nas5gsMessage::Gmm(_, Nas5gmmMessage::ServiceRequest(_))) => deregistration::farewell(&mut ue, cx),
        _ => nas::secured(&mut ue, cx, message, count),
    }
    snapshot::keep_opened(&mut ue, cx);
    let idle = |connection: &Connection| {
        connection.access == Access::None && connection.pending.is_none() && !connection.releasing
    };
    if ue.connection.as_deref().is_some_and(idle) {
        // It was no message to begin with: nothing goes on, and nothing would end the connection.
        context_release::command(&mut ue, cx, Cause::nas(CauseNas::unspecified));
    }
    ues.insert(key, ue);
    settle(ues, cx, key);
}

/// Whether there is room for one more phone that has proved nothing.
fn room(ues: &Ues, cx: &mut Cx<'_>, initial: &Initial<'_>) -> bool {
    let limits = *cx.core.limits();
    let Some(gnb) = cx.core.gnbs.get(&initial.association) else { return false };
    let flood = gnb.unauthenticated >= limits.unauthenticated_per_association;
    if !flood && ues.len() < limits.ues {
        return true;
    }
    cx.count("control_plane.phones_turned_away");
    if flood {
        cx.misbehaving(initial.association, "too_many_unknown_phones");
    }
    let cause = Some(Cause::misc(CauseMisc::control_processing_overload));
    cx.send(initial.association, 0, build::error_indication(None, Some(initial.ran.0), cause, None));
    false
}

fn open(ue: &mut Ue, cx: &mut Cx<'_>, initial: &Initial<'_>, secured: bool) {
    let ids = Ids { amf: cx.core.new_ngap(), ran: initial.ran };
    let mut connection = Box::new(Connection::new(initial.association, ids, initial.location));
    connection.secured = secured;
    connection.tracing = cx.trace_connection(ue.imsi.filter(|_| secured));
    cx.core.by_ngap.insert(ids.amf, ue.key);
    if let Some(gnb) = cx.core.gnbs.get_mut(&initial.association) {
        gnb.ues.insert(initial.ran, ue.key);
        if !secured {
            gnb.unauthenticated += 1;
        }
    }
    if !ue.registered {
        let after = cx.core.network.timers.unregistered;
        connection.guard = Some(cx.start(after, Timer::Ue(ue.key, UeTimer::Guard)));
    }
    ue.connection = Some(connection);
}

/// The connection that a phone had is of no use to it any more. It ends by itself, without the phone.
fn leave_behind(ues: &mut Ues, cx: &mut Cx<'_>, ue: &mut Ue) {
    if ue.connection.is_none() {
        return;
    }
    deregistration::once_more(ue);
    session::rest(ue, cx);
    let Some(mut connection) = cx.close(ue) else { return };
    let releasing = std::mem::take(&mut connection.releasing);
    let limits = cx.core.limits();
    let left = cx.core.gnbs.get(&connection.association).map_or(0, |gnb| gnb.ues.len());
    if ues.len() >= limits.ues || left >= limits.unauthenticated_per_association {
        // A phone that connects again and again, at a gNB that completes nothing: its end is not waited for.
        cx.count("control_plane.connections_given_up");
        let cause = Cause::radioNetwork(CauseRadioNetwork::release_due_to_5gc_generated_reason);
        let pdu = build::ue_context_release_command(connection.ids, cause);
        return cx.tell_gnb(&mut connection, pdu);
    }
    let mut shell = Box::new(Ue::new(cx.core.new_ue(), cx.now));
    // Counted as what it is: no phone that could still prove anything.
    connection.secured = true;
    connection.procedure = super::Procedure::None;
    cx.core.by_ngap.insert(connection.ids.amf, shell.key);
    if let Some(gnb) = cx.core.gnbs.get_mut(&connection.association) {
        gnb.ues.insert(connection.ran(), shell.key);
    }
    shell.connection = Some(connection);
    if releasing {
        // The command is under way already; only its end is waited for.
        let after = cx.core.network.timers.ngap;
        let timer = cx.start(after, Timer::Ue(shell.key, UeTimer::Ngap));
        if let Some(connection) = shell.connection.as_deref_mut() {
            connection.releasing = true;
            connection.ngap_timer = Some(timer);
        }
    } else {
        context_release::command(
            &mut shell,
            cx,
            Cause::radioNetwork(CauseRadioNetwork::release_due_to_5gc_generated_reason),
        );
    }
    ues.insert(shell.key, shell);
}

/// A phone has proved which card it has, and takes the place of what we had of that card.
pub(crate) fn adopt(ues: &mut Ues, cx: &mut Cx<'_>, key: UeKey) {
    let Some(mut ue) = ues.remove(&key) else { return };
    let Some(registering) = ue.connection.as_deref_mut().and_then(|connection| connection.registering()) else {
        return;
    };
    let is_initial = registration::is_initial(&registering.request);
    let capability =
        registering.request.ue_security_capability.as_ref().and_then(|given| Capability::new(&given.value));
    let Some(Proven { imsi, security, k_ausf, pei, .. }) = registering.proven.take() else { return };
    let before = cx.core.by_imsi.get(&imsi).copied().filter(|before| *before != key);
    if let Some(mut old) = before.and_then(|before| ues.remove(&before)) {
        leave_behind(ues, cx, &mut old);
        if is_initial {
            deregistration::local(&mut old, cx, DeregisteredBecause::Replaced);
        } else {
            inherit(&mut ue, &mut old, cx);
        }
    }
    ue.imsi = Some(imsi);
    ue.pei = pei;
    ue.capability = capability;
    ue.kept_downlink = 0;
    ue.security = Some(security);
    ue.seen_at = cx.now;
    // Not when the challenge was answered: a false cell can have a phone answer one, and the phone would still have the keys
    // from before. Now it has said, with the new keys, that it uses them.
    cx.fact(Fact::Authenticated { imsi, k_ausf, at: cx.now });
    cx.core.by_imsi.insert(imsi, key);
    if let Some(connection) = ue.connection.as_deref_mut()
        && !std::mem::replace(&mut connection.secured, true)
        && let Some(gnb) = cx.core.gnbs.get_mut(&connection.association)
    {
        gnb.unauthenticated = gnb.unauthenticated.saturating_sub(1);
    }
    registration::go_on(&mut ue, cx);
    ues.insert(key, ue);
    settle(ues, cx, key);
}

/// What a card had stays with it, though its security context is new: its sessions, and that it is registered.
fn inherit(ue: &mut Ue, old: &mut Ue, cx: &mut Cx<'_>) {
    ue.sessions = std::mem::take(&mut old.sessions);
    for session in &mut ue.sessions {
        cx.core.by_session.insert(session.reference, (ue.key, session.psi));
        if session.user_plane_timer.is_some() {
            let after = cx.core.network.timers.internal;
            cx.core.timers.stop(session.user_plane_timer.take());
            let timer = Timer::Session(ue.key, session.psi, crate::timers::SessionTimer::UserPlane);
            session.user_plane_timer = Some(cx.start(after, timer));
        }
    }
    (ue.registered, ue.registered_at) = (std::mem::take(&mut old.registered), old.registered_at);
    ue.location = old.location;
    ue.detach = old.detach.take();
    ue.told = old.told.take();
    for tmsi in [old.tmsi.take(), old.old_tmsi.take()].into_iter().flatten() {
        cx.core.by_tmsi.remove(&tmsi);
    }
    let mut silence = old.silence.take();
    cx.stop(&mut silence);
    if let Some(paging) = old.paging.take() {
        cx.core.timers.stop(Some(paging.timer));
    }
}

/// Removes a phone that has neither a connection nor a registration; ends a connection that nothing happens on.
pub(crate) fn settle(ues: &mut Ues, cx: &mut Cx<'_>, key: UeKey) {
    let Some(ue) = ues.get(&key) else { return };
    if ue.connection.is_some() || ue.registered || ue.farewell {
        return;
    }
    let Some(mut ue) = ues.remove(&key) else { return };
    session::end_all(&mut ue, cx);
    for tmsi in [ue.tmsi, ue.old_tmsi].into_iter().flatten() {
        cx.core.by_tmsi.remove(&tmsi);
    }
    if let Some(imsi) = ue.imsi
        && cx.core.by_imsi.get(&imsi) == Some(&key)
    {
        cx.core.by_imsi.remove(&imsi);
    }
    let mut silence = ue.silence.take();
    cx.stop(&mut silence);
    if let Some(paging) = ue.paging.take() {
        cx.core.timers.stop(Some(paging.timer));
    }
}

/// The guard of a connection has run out: whoever it is has had the time to register.
pub(crate) fn guard(ue: &mut Ue, cx: &mut Cx<'_>) {
    if ue.registered {
        return;
    }
    registration::failed(ue, cx);
    context_release::command(ue, cx, Cause::nas(CauseNas::unspecified));
}

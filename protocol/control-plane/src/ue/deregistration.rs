//! Deregistration (TS 24.501 §5.5.2): by the phone, by the network, and of a phone that is silent.

use super::connection::{Expect, Procedure};
use super::{Ue, configuration_update, context_release, paging};
use crate::core::Cx;
use crate::io::{DeregisteredBecause, Fact, Output};
use crate::session;
use oxirush_nas::nas_5gs::{
    AccessTypeValue, Nas5gsMessage, NasDeRegistrationType, NasDeregistrationAcceptUeOriginating,
    NasDeregistrationRequestUeOriginating, NasDeregistrationRequestUeTerminated,
};
use oxirush_ngap::ngap::{Cause, CauseNas};

/// The phone is not registered any more: sessions, names and context go. The connection, if any, is left alone, so that a
/// last message can still be protected.
pub(crate) fn local(ue: &mut Ue, cx: &mut Cx<'_>, because: DeregisteredBecause) {
    session::end_all(ue, cx);
    configuration_update::forget_old_guti(ue, cx);
    if let Some(tmsi) = ue.tmsi.take() {
        cx.core.by_tmsi.remove(&tmsi);
    }
    let mut silence = ue.silence.take();
    cx.stop(&mut silence);
    if let Some(paging) = ue.paging.take() {
        cx.core.timers.stop(Some(paging.timer));
    }
    ue.detach = None;
    ue.farewell = false;
    if let Some(imsi) = ue.imsi
        && cx.core.by_imsi.get(&imsi) == Some(&ue.key)
    {
        cx.core.by_imsi.remove(&imsi);
        if std::mem::take(&mut ue.registered) {
            cx.core.registered = cx.core.registered.saturating_sub(1);
            cx.out.push(Output::Forget { imsi });
            cx.fact(Fact::Deregistered { imsi, because, at: cx.now });
        }
    }
    ue.registered = false;
}

/// DEREGISTRATION REQUEST of the phone, protected.
pub(crate) fn by_phone(ue: &mut Ue, cx: &mut Cx<'_>, request: &NasDeregistrationRequestUeOriginating) {
    cx.count("control_plane.deregistrations_by_phone");
    if let Some(connection) = ue.connection.as_deref_mut() {
        connection.procedure = Procedure::None;
        if let Some(pending) = connection.pending.take() {
            cx.core.timers.stop(Some(pending.timer));
        }
    }
    if !request.de_registration_type.switch_off() {
        cx.nas_message(ue, &Nas5gsMessage::new_5gmm(NasDeregistrationAcceptUeOriginating::new()));
    }
    local(ue, cx, DeregisteredBecause::Phone);
    context_release::command(ue, cx, Cause::nas(CauseNas::deregister));
}

/// The network wants the phone gone. An idle phone is called first.
pub(crate) fn by_network(ue: &mut Ue, cx: &mut Cx<'_>, come_back: bool) {
    ue.detach = Some(come_back);
    if ue.connection.is_none() {
        return paging::begin(ue, cx);
    }
    let free = ue.connection.as_ref().is_some_and(|connection| {
        !connection.releasing && connection.secured && matches!(connection.procedure, Procedure::None)
    });
    if free {
        pending(ue, cx);
    }
}

/// Sends the DEREGISTRATION REQUEST that waits for the phone to be reachable; whether there was one.
pub(crate) fn pending(ue: &mut Ue, cx: &mut Cx<'_>) -> bool {
    let Some(come_back) = ue.detach.take() else { return false };
    let message = request(come_back);
    session::end_all(ue, cx);
    let every = cx.core.network.timers.t3522;
    cx.expect(ue, &message, Expect::DeregistrationAccept, every);
    true
}

fn request(come_back: bool) -> Nas5gsMessage {
    let kind = NasDeRegistrationType::new(0)
        .with_access_type(AccessTypeValue::ThreeGppAccess)
        .with_re_registration_required(come_back);
    Nas5gsMessage::new_5gmm(NasDeregistrationRequestUeTerminated::new(kind))
}

/// The card is revoked: everything of the phone ends at once, whatever it answers. A connected phone is told now; an idle
/// one is called to be told (§5.5.2.3.1, TS 23.502 §4.2.2.3.3), and refused when it comes later.
pub(crate) fn revoke(ue: &mut Ue, cx: &mut Cx<'_>) {
    let told = ue.connection.as_ref().is_some_and(|connection| connection.secured && !connection.releasing);
    if told {
        cx.nas_message(ue, &request(false));
    }
    let (names, known) = ([ue.tmsi, ue.old_tmsi], ue.registered && ue.security.is_some());
    local(ue, cx, DeregisteredBecause::Revoked);
    if known && !told && names[0].is_some() {
        // For as long as it is called, its names lead to it and its keys protect the message.
        [ue.tmsi, ue.old_tmsi] = names;
        for tmsi in names.into_iter().flatten() {
            cx.core.by_tmsi.insert(tmsi, ue.key);
        }
        ue.farewell = true;
        // One whose connection is ending is called when that is over.
        paging::begin(ue, cx);
    }
    context_release::command(ue, cx, Cause::nas(CauseNas::deregister));
}

/// A phone whose card was revoked has come: it is told, and nothing else is done for it.
pub(crate) fn farewell(ue: &mut Ue, cx: &mut Cx<'_>) {
    paging::reached(ue, cx);
    let every = cx.core.network.timers.t3522;
    cx.expect(ue, &request(false), Expect::DeregistrationAccept, every);
}

/// Whether the phone is being told to leave, and if so whether it is to come back.
fn telling(ue: &Ue) -> Option<bool> {
    /// "Re-registration required" in the type of deregistration (§9.11.3.20), which follows the three octets of the header.
    const COME_BACK: u8 = 0b100;
    let pending = ue.connection.as_ref()?.pending.as_ref()?;
    (pending.expect == Expect::DeregistrationAccept)
        .then(|| pending.plain.get(3).is_some_and(|kind| kind & COME_BACK != 0))
}

/// The connection ends under a phone that is being told to leave: it has left (§5.5.2.3.5, failure of the lower layers).
pub(crate) fn cut_short(ue: &mut Ue, cx: &mut Cx<'_>) {
    if telling(ue).is_some() {
        local(ue, cx, DeregisteredBecause::Network);
    }
}

/// The phone has come back on another connection before it was told all: it is told there.
pub(crate) fn once_more(ue: &mut Ue) {
    if let Some(come_back) = telling(ue).filter(|_| ue.registered) {
        ue.detach = Some(come_back);
    }
}

/// DEREGISTRATION ACCEPT of the phone.
pub(crate) fn accepted(ue: &mut Ue, cx: &mut Cx<'_>) {
    if cx.answered(ue, Expect::DeregistrationAccept).is_some() {
        over(ue, cx);
    }
}

/// Accepted, or not answered five times (§5.5.2.3.5): either way it is done.
pub(crate) fn over(ue: &mut Ue, cx: &mut Cx<'_>) {
    local(ue, cx, DeregisteredBecause::Network);
    context_release::command(ue, cx, Cause::nas(CauseNas::deregister));
}

//! The end of a connection (TS 38.413 §8.3.2, §8.3.3): asked for by the gNB, commanded by us, or lost.

use super::{Ue, deregistration, paging};
use crate::core::Cx;
use crate::n2::build;
use crate::session;
use crate::timers::{Timer, UeTimer};
use oxirush_ngap::ngap::Cause;

/// Commands the gNB to let go of the phone. From now on nothing more is exchanged on this connection.
pub(crate) fn command(ue: &mut Ue, cx: &mut Cx<'_>, cause: Cause) {
    deregistration::cut_short(ue, cx);
    session::rest(ue, cx);
    let key = ue.key;
    let after = cx.core.network.timers.ngap;
    let Some(connection) = ue.connection.as_deref_mut().filter(|connection| !connection.releasing) else { return };
    connection.releasing = true;
    if let Some(pending) = connection.pending.take() {
        cx.core.timers.stop(Some(pending.timer));
    }
    cx.stop(&mut connection.ngap_timer);
    connection.ngap_timer = Some(cx.start(after, Timer::Ue(key, UeTimer::Ngap)));
    let pdu = build::ue_context_release_command(connection.ids, cause);
    cx.tell_gnb(connection, pdu);
}

/// The connection is over: by the gNB's completion, because it did not answer, or because its association is gone.
pub(crate) fn over(ue: &mut Ue, cx: &mut Cx<'_>) {
    deregistration::cut_short(ue, cx);
    session::rest(ue, cx);
    if cx.close(ue).is_none() {
        return;
    }
    idle(ue, cx);
    // What came up while the connection was ending.
    let called = ue.farewell || ue.detach.is_some();
    if called || ue.sessions.iter().any(|session| session.wanted && session.uplink.is_some()) {
        paging::begin(ue, cx);
    }
}

/// The phone is idle: it reports within T3512, or is taken for gone (TS 24.501 §5.3.7).
pub(crate) fn idle(ue: &mut Ue, cx: &mut Cx<'_>) {
    let mut silence = ue.silence.take();
    cx.stop(&mut silence);
    if ue.registered {
        let timers = cx.core.network.timers;
        let after = timers.t3512.saturating_add(timers.implicit_deregistration);
        ue.silence = Some(cx.start(after, Timer::Ue(ue.key, UeTimer::Silence)));
    }
}

//! Paging (TS 38.413 §8.5, TS 24.501 §5.6.2): an idle phone is called in the whole registration area.

use super::{Paging, Ue, deregistration};
use crate::core::Cx;
use crate::io::DeregisteredBecause;
use crate::n2::build;
use crate::timers::{Timer, UeTimer};
use pakawaaz_user_plane::rules::UserPlaneRequest;

/// Calls before the phone is taken for unreachable.
const CALLS: u8 = 3;

/// Calls the phone, unless it is called already.
pub(crate) fn begin(ue: &mut Ue, cx: &mut Cx<'_>) {
    if ue.paging.is_some() || ue.connection.is_some() || !(ue.registered || ue.farewell) {
        return;
    }
    cx.count("MM.Paging5GReq");
    call(ue, cx, 1);
}

fn call(ue: &mut Ue, cx: &mut Cx<'_>, sent: u8) {
    let network = cx.network();
    let Some(tmsi) = ue.tmsi else { return };
    let pdu = build::paging(&network, tmsi, ue.radio_paging.as_deref());
    let serving = |gnb: &crate::gnb::Gnb| gnb.ready && gnb.tacs.iter().any(|tac| network.tacs.contains(tac));
    let gnbs: Vec<_> =
        cx.core.gnbs.iter().filter(|(_, gnb)| serving(gnb)).map(|(association, _)| *association).collect();
    if let Ok(pdu) = &pdu {
        cx.trace_paging(ue.imsi, pdu);
    }
    for association in gnbs {
        cx.send(association, 0, pdu.clone());
    }
    let timer = cx.start(network.timers.t3513, Timer::Ue(ue.key, UeTimer::Paging));
    ue.paging = Some(Box::new(Paging { sent, timer }));
}

/// T3513 has run out.
pub(crate) fn unanswered(ue: &mut Ue, cx: &mut Cx<'_>) {
    let Some(paging) = ue.paging.take() else { return };
    if paging.sent < CALLS {
        return call(ue, cx, paging.sent + 1);
    }
    cx.count("control_plane.paging_unanswered");
    if std::mem::take(&mut ue.farewell) {
        // It was told of nothing; whatever it says from now on is refused.
        return;
    }
    if ue.detach.take().is_some() {
        return deregistration::local(ue, cx, DeregisteredBecause::Network);
    }
    for session in &mut ue.sessions {
        // Later packets ask again.
        if std::mem::take(&mut session.wanted) {
            cx.out.push(crate::io::Output::UserPlane(UserPlaneRequest::Idle { session: session.reference }));
        }
    }
}

/// The phone has come: by itself, or because it was called.
pub(crate) fn reached(ue: &mut Ue, cx: &mut Cx<'_>) {
    let mut silence = ue.silence.take();
    cx.stop(&mut silence);
    if let Some(paging) = ue.paging.take() {
        cx.core.timers.stop(Some(paging.timer));
        cx.count("MM.Paging5GSucc");
    }
}

//! PDU session modification (TS 24.501 §6.3.2, §6.4.2): flows for calls come and go. The network decides on QoS; a phone
//! that asks for flows of its own is refused.

use super::{DEFAULT_QFI, Phase, Repeated, Resources, Session, messages, send, send_message};
use crate::core::Cx;
use crate::n2::sessions as n2;
use crate::snapshot;
use crate::timers::{SessionTimer, Timer};
use crate::ue::pending::ATTEMPTS;
use crate::ue::{Ue, nas_transport, paging};
use oxirush_nas::nas_5gs::{
    GsmCause, Nas5gsMessage, NasFGsmCause, NasPduSessionModificationCommand, NasPduSessionModificationReject,
    NasPduSessionModificationRequest,
};
use pakawaaz_user_plane::rules::{BitRates, QosFlow, UserPlaneRequest};

/// The session has these flows beside the default one from now on. Numbers outside 2 to 63, and a number twice, are not
/// accepted; whether they were.
pub(crate) fn flows(ue: &mut Ue, cx: &mut Cx<'_>, dnn: &str, flows: Vec<QosFlow>) -> bool {
    let numbers: std::collections::BTreeSet<u8> = flows.iter().map(|flow| flow.qfi).collect();
    let sound = numbers.len() == flows.len() && numbers.iter().all(|qfi| (DEFAULT_QFI + 1..=63).contains(qfi));
    let session = ue.sessions.iter_mut().find(|session| &*session.dnn == dnn && session.phase == Phase::Active);
    let Some(session) = session.filter(|_| sound) else { return false };
    let psi = session.psi;
    if session.flows == flows {
        return true;
    }
    let before = std::mem::replace(&mut session.flows, flows);
    // An earlier change that is not acknowledged may have reached the phone, or not.
    let known = session.repeated.take().map(|repeated| {
        cx.core.timers.stop(Some(repeated.timer));
        either(repeated.before, &before, &session.flows)
    });
    tell_user_plane(session, cx);
    session.unsaid = true;
    let active = session.resources == Resources::Active;
    if active {
        say_from(ue, cx, psi, 0, known.unwrap_or(before));
    } else {
        session.wanted = true;
        if ue.connection.is_none() {
            paging::begin(ue, cx);
        } else {
            super::resume(ue, cx);
        }
    }
    snapshot::keep(ue, cx);
    true
}

/// What a change to `after` begins from when nobody knows whether the phone has `old` or already `new`: told from here, it
/// comes to the same in both cases. To delete what there is not, and to create anew what there is, is no error
/// (TS 24.501 §6.3.2.4).
fn either(old: Vec<QosFlow>, new: &[QosFlow], after: &[QosFlow]) -> Vec<QosFlow> {
    let wanted = |qfi: u8| after.iter().find(|flow| flow.qfi == qfi);
    let mut base: Vec<QosFlow> = Vec::new();
    for flow in old {
        match new.iter().find(|other| other.qfi == flow.qfi) {
            // Perhaps it was changed: it is said again.
            Some(other) if wanted(flow.qfi) == Some(&flow) => base.push(other.clone()),
            // Perhaps it was deleted: it is created again.
            None if wanted(flow.qfi).is_some() => {}
            _ => base.push(flow),
        }
    }
    // Perhaps it was created, and is to go.
    for flow in new.iter().filter(|flow| wanted(flow.qfi).is_none()) {
        if !base.iter().any(|other| other.qfi == flow.qfi) {
            base.push(flow.clone());
        }
    }
    base
}

fn tell_user_plane(session: &Session, cx: &mut Cx<'_>) {
    let (ambr, flows) = (session.ambr, session.all_flows());
    cx.user_plane(UserPlaneRequest::Flows { session: session.reference, ambr, flows });
}

/// The session may carry so much from now on; the user plane sees to it, and phone and gNB are told when the gNB carries it.
pub(crate) fn rates(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, ambr: BitRates) {
    let Some(session) = ue.session(psi).filter(|session| session.phase == Phase::Active) else { return };
    if session.ambr == ambr {
        return;
    }
    session.ambr = ambr;
    session.unsaid_rates = true;
    tell_user_plane(session, cx);
    super::resume(ue, cx);
}

/// Tells phone and gNB what they do not know yet: all flows anew, or the rates.
pub(crate) fn say(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    let Some(session) = ue.session(psi) else { return };
    let known = if session.unsaid { Vec::new() } else { session.flows.clone() };
    say_from(ue, cx, psi, 0, known);
}

fn say_from(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8, before: Vec<QosFlow>) {
    let (key, every) = (ue.key, cx.core.network.timers.t3591);
    let Some(session) = ue.session(psi) else { return };
    session.unsaid = false;
    let rates = std::mem::take(&mut session.unsaid_rates);
    let change = messages::change(&before, &session.flows);
    if change.is_none() && !rates {
        return;
    }
    let mut command = NasPduSessionModificationCommand::new();
    command.session_ambr = rates.then(|| messages::session_ambr(session.ambr));
    if let Some((rules, descriptions)) = change {
        command.authorized_qos_rules = Some(rules);
        command.authorized_qos_flow_descriptions = Some(descriptions);
    }
    let Ok(plain) = Nas5gsMessage::new_5gsm(command, psi, pti).encode() else { return };
    let changed: Vec<_> = session.flows.iter().filter(|flow| !before.contains(flow)).cloned().collect();
    let gone: Vec<u8> =
        before.iter().map(|flow| flow.qfi).filter(|qfi| !session.flows.iter().any(|flow| flow.qfi == *qfi)).collect();
    let ambr = session.ambr;
    let timer = cx.start(every, Timer::Session(key, psi, SessionTimer::Nas));
    session.repeated = Some(Box::new(Repeated { plain: plain.clone(), sent: 1, timer, before }));
    let sealed = nas_transport::downlink(psi, plain).and_then(|plain| cx.protect(ue, &plain));
    let (Some(nas), Some(connection)) = (sealed, ue.connection.as_deref_mut()) else { return };
    let pdu = n2::modify_request(connection.ids, psi, ambr, &changed, &gone, &nas);
    cx.tell_gnb(connection, pdu);
}

/// T3591 or T3592 has run out.
pub(crate) fn unanswered(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    let key = ue.key;
    let timers = cx.core.network.timers;
    let Some(session) = ue.session(psi) else { return };
    let releasing = session.phase == Phase::Releasing;
    let Some(repeated) = session.repeated.as_mut() else { return };
    if repeated.sent < ATTEMPTS {
        repeated.sent += 1;
        let every = if releasing { timers.t3592 } else { timers.t3591 };
        repeated.timer = cx.start(every, Timer::Session(key, psi, SessionTimer::Nas));
        let plain = repeated.plain.clone();
        return send(ue, cx, psi, plain);
    }
    session.repeated.take();
    match releasing {
        true => super::end(ue, cx, psi),
        // The flows stay as they were asked for: the user plane and the gNB have them (§6.3.2.5 a).
        false => cx.count("control_plane.unanswered"),
    }
}

/// PDU SESSION MODIFICATION COMPLETE.
pub(crate) fn complete(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    if let Some(session) = ue.session(psi).filter(|session| session.phase == Phase::Active)
        && let Some(repeated) = session.repeated.take()
    {
        cx.core.timers.stop(Some(repeated.timer));
        // The rates may have changed in the meantime.
        super::resume(ue, cx);
    }
}

/// The phone or its gNB does not take the change: everything is as it was before.
pub(crate) fn rejected(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    let Some(session) = ue.session(psi).filter(|session| session.phase == Phase::Active) else { return };
    let Some(repeated) = session.repeated.take() else { return };
    cx.core.timers.stop(Some(repeated.timer));
    session.flows = repeated.before;
    tell_user_plane(session, cx);
    cx.count("control_plane.session_modifications_failed");
    snapshot::keep(ue, cx);
}

/// Flows that the gNB could not set up are not there; the phone is told.
pub(crate) fn not_modified(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, failed: &[u8]) {
    let Some(session) = ue.session(psi).filter(|session| session.phase == Phase::Active) else { return };
    let before = session.flows.clone();
    session.flows.retain(|flow| !failed.contains(&flow.qfi));
    if session.flows.len() == before.len() {
        return;
    }
    if let Some(repeated) = session.repeated.take() {
        cx.core.timers.stop(Some(repeated.timer));
    }
    tell_user_plane(session, cx);
    cx.count("control_plane.session_modifications_failed");
    say_from(ue, cx, psi, 0, before);
    snapshot::keep(ue, cx);
}

/// PDU SESSION MODIFICATION REQUEST of the phone.
pub(crate) fn by_phone(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8, request: &NasPduSessionModificationRequest) {
    let cause = match ue.session(psi).map(|session| session.phase == Phase::Active) {
        None => GsmCause::InvalidPduSessionIdentity,
        Some(false) => GsmCause::MessageNotCompatibleWithTheProtocolState,
        Some(true) if request.requested_qos_rules.is_some() || request.requested_qos_flow_descriptions.is_some() => {
            GsmCause::FiveGsQosNotAccepted
        }
        Some(true) => {
            // Only tells its capabilities: nothing changes, and the command says so.
            return send_message(ue, cx, psi, pti, NasPduSessionModificationCommand::new());
        }
    };
    send_message(ue, cx, psi, pti, NasPduSessionModificationReject::new(NasFGsmCause::from_cause(cause)));
}

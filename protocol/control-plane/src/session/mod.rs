//! PDU sessions (the SMF's part; TS 24.501 §6, TS 23.502 §4.3): one file for each procedure, and here what they share.

pub(crate) mod establishment;
pub(crate) mod messages;
pub(crate) mod modification;
pub(crate) mod release;

use crate::config::Snssai;
use crate::core::Cx;
use crate::io::{Fact, Output};
use crate::n2::sessions::{self as n2, Resource};
use crate::snapshot;
use crate::timers::{SessionTimer, Timer, TimerId};
use crate::ue::service_request::Carried;
use crate::ue::{Access, Ue, nas_transport};
use oxirush_nas::nas_5gs::{
    Direction, GmmCause, GsmCause, Nas5gsMessage, Nas5gsmMessage, NasFGsmCause, NasFGsmStatus, NasUlNasTransport,
};
use oxirush_ngap::ngap::{Cause, CauseNas};
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::{BitRates, QosFlow, SessionRef, SessionRules, Tunnel, UserPlaneRequest};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The flow that takes what no other takes.
pub(crate) const DEFAULT_QFI: u8 = 1;

/// What a session carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ipv4,
    Ipv6,
    Ipv4v6,
}

/// The session's resources at the gNB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resources {
    Inactive,
    Requested,
    Active,
}

/// Where the session is in its life.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The phone has no accept yet.
    Creating(Box<establishment::Creating>),
    Active,
    /// The phone was told to let go of it.
    Releasing,
}

/// A 5GSM message that is repeated until its answer comes.
#[derive(Debug)]
pub(crate) struct Repeated {
    /// The message with its header.
    pub(crate) plain: Vec<u8>,
    pub(crate) sent: u8,
    pub(crate) timer: TimerId,
    /// Flows as they were, when this is a modification.
    pub(crate) before: Vec<QosFlow>,
}

impl Repeated {
    /// The transaction of the message: the third octet of its header (TS 24.501 §9.1.1).
    fn pti(&self) -> u8 {
        self.plain.get(2).copied().unwrap_or_default()
    }
}

/// A session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) psi: u8,
    pub(crate) reference: SessionRef,
    pub(crate) dnn: Box<str>,
    pub(crate) slice: Snssai,
    pub(crate) kind: Kind,
    pub(crate) ipv4: Option<Ipv4Addr>,
    pub(crate) ipv6: Option<Ipv6Addr>,
    pub(crate) interface_id: [u8; 8],
    pub(crate) ambr: BitRates,
    pub(crate) five_qi: u8,
    pub(crate) always_on: bool,
    /// Beside the default one.
    pub(crate) flows: Vec<QosFlow>,
    /// Our end; none until the user plane has the session.
    pub(crate) uplink: Option<Tunnel>,
    pub(crate) resources: Resources,
    pub(crate) phase: Phase,
    /// To be set up at the gNB as soon as the phone is there.
    pub(crate) wanted: bool,
    /// Its gNB has refused it on this connection: packets alone do not have it asked again.
    pub(crate) held: bool,
    /// The phone does not know of the flows yet.
    pub(crate) unsaid: bool,
    /// The phone does not know of the rates yet.
    pub(crate) unsaid_rates: bool,
    pub(crate) repeated: Option<Box<Repeated>>,
    pub(crate) user_plane_timer: Option<TimerId>,
    pub(crate) ngap_timer: Option<TimerId>,
    /// The phone was sent its accept, and may have it: the session is kept from then on.
    pub(crate) accepted: bool,
    pub(crate) since: Millis,
}

impl Session {
    pub(crate) fn default_flow(&self) -> QosFlow {
        QosFlow {
            qfi: DEFAULT_QFI,
            five_qi: self.five_qi,
            guaranteed: None,
            maximum: None,
            precedence: 255,
            filters: Vec::new(),
        }
    }
    pub(crate) fn all_flows(&self) -> Vec<QosFlow> {
        std::iter::once(self.default_flow()).chain(self.flows.iter().cloned()).collect()
    }
    /// What the user plane is told; packets for the phone wait.
    pub(crate) fn rules(&self) -> SessionRules {
        SessionRules {
            session: self.reference,
            dnn: self.dnn.to_string(),
            ipv4: self.ipv4,
            ipv6: self.ipv6,
            interface_id: self.interface_id,
            ambr: self.ambr,
            flows: self.all_flows(),
            downlink: None,
        }
    }
    /// The phone has it.
    fn made(&mut self, cx: &mut Cx<'_>) {
        if matches!(self.phase, Phase::Creating(_)) {
            self.phase = Phase::Active;
            cx.count("SM.PduSessionCreationSucc");
        }
    }
    /// New, and its accept was not sent: the phone waits for an answer.
    pub(crate) fn is_unanswered(&self) -> bool {
        matches!(self.phase, Phase::Creating(_)) && !self.accepted
    }
    fn transfer(&self) -> Option<Vec<u8>> {
        let flows = self.all_flows();
        let resource = Resource { kind: self.kind, ambr: self.ambr, uplink: self.uplink?, flows: &flows };
        n2::setup_transfer(&resource).ok()
    }
}

/// Identities of the sessions that phone and network have.
pub(crate) fn identities(ue: &Ue) -> Vec<u8> {
    ue.sessions.iter().filter(|session| session.phase == Phase::Active).map(|session| session.psi).collect()
}

/// A 5GSM message of the phone.
pub(crate) fn receive(ue: &mut Ue, cx: &mut Cx<'_>, transport: NasUlNasTransport) {
    let octets = &transport.payload_container.value;
    let received = Nas5gsMessage::decode(octets);
    let (header, message) = match received {
        Ok(Nas5gsMessage::Gsm(header, message)) => (header, message),
        Ok(_) => return nas_transport::not_forwarded(ue, cx, transport, GmmCause::PayloadWasNotForwarded),
        // A reserved identity is nobody's (§7.3.2): an answer would have to bear it too.
        Err(_) if octets.get(1).is_some_and(|psi| *psi > 15) => return cx.count("control_plane.nas_dropped"),
        Err(_) => {
            let psi = octets.get(1).copied().unwrap_or_default();
            if let Some(Ok(answer)) =
                Nas5gsMessage::answer_to(octets, &received, Direction::Uplink).map(|answer| answer.encode())
            {
                send(ue, cx, psi, answer);
            }
            return;
        }
    };
    let (psi, pti) = (header.pdu_session_identity, header.procedure_transaction_identity);
    let named = transport.pdu_session_id.as_ref().map(|identity| identity.pdu_session_id());
    if !(1..=15).contains(&psi) || named.is_some_and(|named| named != psi) {
        return status(ue, cx, psi, pti, GsmCause::InvalidPduSessionIdentity);
    }
    if pti == RESERVED_PTI {
        return cx.count("control_plane.nas_dropped");
    }
    let asks = matches!(
        message,
        Nas5gsmMessage::PduSessionEstablishmentRequest(_)
            | Nas5gsmMessage::PduSessionModificationRequest(_)
            | Nas5gsmMessage::PduSessionReleaseRequest(_)
    );
    if asks && pti == 0 {
        return status(ue, cx, psi, pti, GsmCause::InvalidPtiValue);
    }
    match message {
        Nas5gsmMessage::PduSessionEstablishmentRequest(request) => {
            establishment::request(ue, cx, psi, pti, &request, transport);
        }
        Nas5gsmMessage::PduSessionModificationRequest(request) => modification::by_phone(ue, cx, psi, pti, &request),
        Nas5gsmMessage::PduSessionModificationComplete(_) => {
            if answers(ue, cx, psi, pti) {
                modification::complete(ue, cx, psi);
            }
        }
        Nas5gsmMessage::PduSessionModificationCommandReject(_) => {
            if answers(ue, cx, psi, pti) {
                modification::rejected(ue, cx, psi);
            }
        }
        Nas5gsmMessage::PduSessionReleaseRequest(_) => release::by_phone(ue, cx, psi, pti),
        Nas5gsmMessage::PduSessionReleaseComplete(_) => {
            if answers(ue, cx, psi, pti) {
                release::complete(ue, cx, psi);
            }
        }
        Nas5gsmMessage::FiveGsmStatus(said) => {
            if let Some(cause) = said.fgsm_cause.cause() {
                said_status(ue, cx, psi, pti, cause);
            }
        }
        _ => status(ue, cx, psi, pti, GsmCause::MessageTypeNonExistentOrNotImplemented),
    }
}

/// A procedure transaction identity that is nobody's (TS 24.007 §11.2.3.1a).
const RESERVED_PTI: u8 = 255;

/// Whether a message answers the command that a session waits with (§7.3.1, §7.3.2); if not, the phone is told. An answer to
/// a command that was answered already is one of those that were sent twice: nothing is said to it.
fn answers(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8) -> bool {
    let cause = match ue.session(psi).map(|session| session.repeated.as_deref().map(Repeated::pti)) {
        Some(Some(waits)) if waits == pti => return true,
        Some(None) => return false,
        Some(Some(_)) => GsmCause::PtiMismatch,
        None => GsmCause::InvalidPduSessionIdentity,
    };
    status(ue, cx, psi, pti, cause);
    false
}

/// 5GSM STATUS of the phone (§6.5.3): it does not have the session, or it does not take the command of a transaction.
fn said_status(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8, cause: GsmCause) {
    let Some(session) = ue.session(psi) else { return };
    let meant = session.repeated.as_deref().is_some_and(|repeated| repeated.pti() == pti);
    let releasing = session.phase == Phase::Releasing;
    match cause {
        GsmCause::InvalidPduSessionIdentity => release::local(ue, cx, psi),
        GsmCause::PtiMismatch | GsmCause::InvalidPtiValue | GsmCause::MessageTypeNonExistentOrNotImplemented
            if meant =>
        {
            match releasing {
                true => end(ue, cx, psi),
                false => modification::rejected(ue, cx, psi),
            }
        }
        _ => {}
    }
}

/// A 5GSM message to the phone, in DL NAS transport.
pub(crate) fn send(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, message: Vec<u8>) {
    if let Some(plain) = nas_transport::downlink(psi, message) {
        cx.nas(ue, &plain);
    }
}

pub(crate) fn send_message(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8, message: impl Into<Nas5gsmMessage>) {
    match Nas5gsMessage::new_5gsm(message, psi, pti).encode() {
        Ok(octets) => send(ue, cx, psi, octets),
        Err(_) => cx.count("control_plane.unencodable"),
    }
}

pub(crate) fn status(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, pti: u8, cause: GsmCause) {
    send_message(ue, cx, psi & 0x0f, pti, NasFGsmStatus::new(NasFGsmCause::from_cause(cause)));
}

/// Sessions that the phone does not have are ended here (TS 24.501 §5.5.1.3.4, §5.6.1.4).
pub(crate) fn synchronise(ue: &mut Ue, cx: &mut Cx<'_>, at_phone: &[u8]) {
    let lost: Vec<u8> = ue.sessions.iter().map(|session| session.psi).filter(|psi| !at_phone.contains(psi)).collect();
    for psi in lost {
        lose(ue, cx, psi);
    }
}

/// The phone does not have the session: it ends here, and at the gNB when that carries it.
pub(crate) fn lose(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    if ue.session(psi).is_some_and(|session| session.resources != Resources::Inactive) {
        release_at_gnb(ue, cx, psi, None);
    }
    end(ue, cx, psi);
}

/// The phone has forgotten all of them.
pub(crate) fn lose_all(ue: &mut Ue, cx: &mut Cx<'_>) {
    while let Some(psi) = ue.sessions.first().map(|session| session.psi) {
        lose(ue, cx, psi);
    }
}

/// Sessions that are to be carried now: those that the phone asks for, and those that packets wait for. The second list is
/// of those that were asked for and cannot be.
pub(crate) fn reactivate(ue: &mut Ue, cx: &mut Cx<'_>, asked: &[u8]) -> (Vec<Carried>, Vec<(u8, GmmCause)>) {
    let (mut carried, mut failed) = (Vec::new(), Vec::new());
    let key = ue.key;
    let after = cx.core.network.timers.ngap;
    for session in &mut ue.sessions {
        let asked = asked.contains(&session.psi);
        if !(asked || session.wanted) || session.phase != Phase::Active || session.resources != Resources::Inactive {
            continue;
        }
        match session.transfer() {
            Some(transfer) => {
                session.resources = Resources::Requested;
                session.wanted = false;
                session.held = false;
                cx.core.timers.stop(session.ngap_timer.take());
                session.ngap_timer = Some(cx.start(after, Timer::Session(key, session.psi, SessionTimer::Ngap)));
                carried.push((session.psi, session.slice, transfer));
            }
            None => {
                // The user plane does not have it yet, after a restart.
                session.wanted = true;
                if asked {
                    failed.push((session.psi, GmmCause::InsufficientUserPlaneResourcesForThePduSession));
                }
            }
        }
    }
    (carried, failed)
}

/// The radio is secured: what had to wait for that is sent now.
pub(crate) fn resume(ue: &mut Ue, cx: &mut Cx<'_>) {
    let ready = ue.connection.as_ref().is_some_and(|c| c.access == Access::Established && !c.releasing);
    if !ready {
        return;
    }
    let waiting: Vec<u8> = ue
        .sessions
        .iter()
        .filter(|session| session.wanted && session.uplink.is_some() && session.resources == Resources::Inactive)
        .map(|session| session.psi)
        .collect();
    for psi in waiting {
        set_up(ue, cx, psi);
    }
    let unsaid: Vec<u8> = ue
        .sessions
        .iter()
        .filter(|session| session.unsaid || session.unsaid_rates)
        .filter(|session| session.resources == Resources::Active && session.repeated.is_none())
        .map(|session| session.psi)
        .collect();
    for psi in unsaid {
        modification::say(ue, cx, psi);
    }
}

/// Asks the gNB to carry one session; the accept goes with it when the phone does not have it yet.
pub(crate) fn set_up(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    let key = ue.key;
    let rates = ue.subscription.as_ref().map(|subscription| subscription.ue_ambr).unwrap_or_default();
    let after = cx.core.network.timers.ngap;
    let ready = ue.connection.as_ref().is_some_and(|c| c.access == Access::Established && !c.releasing);
    let Some(session) = ue.session(psi) else { return };
    if !ready {
        session.wanted = true;
        return;
    }
    let Some(transfer) = session.transfer() else { return };
    session.wanted = false;
    session.resources = Resources::Requested;
    let timer = cx.start(after, Timer::Session(key, psi, SessionTimer::Ngap));
    cx.core.timers.stop(session.ngap_timer.replace(timer));
    let slice = session.slice;
    let nas = match &session.phase {
        Phase::Creating(creating) => establishment::accept(session, creating, &cx.core.network),
        _ => None,
    };
    let nas = nas.and_then(|message| nas_transport::downlink(psi, message)).and_then(|plain| cx.protect(ue, &plain));
    if nas.is_some() {
        establishment::accepted(ue, cx, psi);
    }
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let pdu = n2::setup_request(connection.ids, rates, None, vec![(psi, slice, transfer, nas)]);
    cx.tell_gnb(connection, pdu);
}

/// The gNB carries the session, to there.
pub(crate) fn carried(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, downlink: Tunnel) {
    let Some(session) = ue.session(psi).filter(|session| session.resources == Resources::Requested) else { return };
    session.resources = Resources::Active;
    cx.core.timers.stop(session.ngap_timer.take());
    let reference = session.reference;
    session.made(cx);
    cx.user_plane(UserPlaneRequest::Reach { session: reference, downlink, end_marker: false });
    resume(ue, cx);
}

/// The gNB does not carry the session: it refused, or did not answer.
pub(crate) fn not_carried(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    let Some(session) = ue.session(psi).filter(|session| session.resources != Resources::Inactive) else { return };
    session.resources = Resources::Inactive;
    cx.core.timers.stop(session.ngap_timer.take());
    let reference = session.reference;
    match &session.phase {
        Phase::Creating(creating) => {
            let pti = creating.pti;
            establishment::refuse(ue, cx, psi, pti, GsmCause::InsufficientResources);
            end(ue, cx, psi);
        }
        Phase::Active => {
            session.held = true;
            cx.user_plane(UserPlaneRequest::Idle { session: reference });
        }
        Phase::Releasing => {}
    }
}

/// The connection ends: sessions stay, and nothing of them is carried. One whose accept was sent stays as well: whether the
/// phone has it, the phone says with its next service.
pub(crate) fn rest(ue: &mut Ue, cx: &mut Cx<'_>) {
    let mut over = Vec::new();
    for session in &mut ue.sessions {
        cx.core.timers.stop(session.ngap_timer.take());
        if let Some(repeated) = session.repeated.take() {
            cx.core.timers.stop(Some(repeated.timer));
            session.unsaid |= session.phase == Phase::Active;
            session.unsaid_rates |= session.phase == Phase::Active;
        }
        let held = std::mem::take(&mut session.held);
        if session.accepted {
            session.made(cx);
        }
        if session.phase != Phase::Active {
            over.push(session.psi);
        } else if std::mem::replace(&mut session.resources, Resources::Inactive) != Resources::Inactive || held {
            cx.out.push(Output::UserPlane(UserPlaneRequest::Idle { session: session.reference }));
        }
    }
    for psi in over {
        end(ue, cx, psi);
    }
}

/// Ends a session at our side; says nothing to phone or gNB.
pub(crate) fn end(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    let Some(at) = ue.sessions.iter().position(|session| session.psi == psi) else { return };
    let mut session = ue.sessions.swap_remove(at);
    cx.stop(&mut session.ngap_timer);
    cx.stop(&mut session.user_plane_timer);
    if let Some(repeated) = session.repeated.take() {
        cx.core.timers.stop(Some(repeated.timer));
    }
    if matches!(session.phase, Phase::Creating(_)) {
        cx.count("SM.PduSessionCreationFail");
    }
    cx.core.by_session.remove(&session.reference);
    cx.core.addresses.free(&session.dnn, session.ipv4, session.ipv6);
    if session.phase != Phase::Releasing {
        cx.user_plane(UserPlaneRequest::Release { session: session.reference });
    }
    if session.accepted
        && session.phase != Phase::Releasing
        && let Some(imsi) = ue.imsi
    {
        cx.fact(Fact::SessionEnded { imsi, psi, at: cx.now });
        // Kept since its accept, and the phone does not have it now. A phone of before has its place taken already.
        if matches!(session.phase, Phase::Creating(_)) && cx.core.by_imsi.get(&imsi) == Some(&ue.key) {
            snapshot::keep(ue, cx);
        }
    }
}

/// Ends all of them at our side.
pub(crate) fn end_all(ue: &mut Ue, cx: &mut Cx<'_>) {
    while let Some(psi) = ue.sessions.first().map(|session| session.psi) {
        end(ue, cx, psi);
    }
}

/// The gNB is told to let go of a session whose phone does not know of it, or has forgotten it.
pub(crate) fn release_at_gnb(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8, nas: Option<&[u8]>) {
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let pdu = n2::release_command(connection.ids, psi, Cause::nas(CauseNas::normal_release), nas);
    cx.tell_gnb(connection, pdu);
}

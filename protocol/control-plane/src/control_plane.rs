//! The entrance: one input at a time.

use crate::config::Network;
use crate::core::{Core, Cx};
use crate::counters::Counters;
use crate::error::ControlPlaneError;
use crate::identifiers::{AmfUeNgapId, AssociationId, Imsi};
use crate::io::{
    Alarm, Command, DeregisteredBecause, HomeVector, Input, Output, Subscription, UeSnapshot, VaultRefusal,
};
use crate::n2::receive;
use crate::session::{self, Resources, establishment, modification, release};
use crate::timers::{SessionTimer, Timer, TimerId, UeTimer};
use crate::ue::nas::Then;
use crate::ue::{
    Ue, UeKey, Ues, authentication, configuration_update, context_modification, context_release, deregistration,
    initial, paging, pending, service_request,
};
use crate::views::{self, GnbView, UeView};
use crate::{gnb, snapshot};
use oxirush_nas::nas_5gs::GsmCause;
use oxirush_ngap::ngap::{Cause, CauseRadioNetwork, CauseTransport};
use pakawaaz_base::Millis;
use pakawaaz_user_plane::rules::{BitRates, RefusedBecause, SessionRef, UserPlaneReply, UserPlaneRequest};
use rand_core::CryptoRngCore;
use std::sync::Arc;

/// AMF, SMF and SEAF of one network.
///
/// It does nothing by itself: the shell hands it inputs, does what the outputs say, in their order, and comes back at
/// [`Self::next_deadline`].
pub struct ControlPlane {
    ues: Ues,
    core: Core,
}

/// What came back of kept contexts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Phones that are registered again.
    pub phones: usize,
    /// Contexts that could not be read, one error each: their phones register anew.
    pub unreadable: Vec<ControlPlaneError>,
}

impl Network {
    /// Whether a control plane can work with this.
    ///
    /// # Errors
    /// [`ControlPlaneError::Configuration`] with the rule that is broken.
    pub fn check(&self) -> Result<(), ControlPlaneError> {
        let (_, set, pointer) = self.amf;
        let broken = [
            (self.tacs.is_empty() || self.tacs.len() > 16, "1 to 16 tracking areas"),
            (self.tacs.iter().any(|tac| *tac >= 1 << 24), "a tracking area code has 24 bits"),
            (self.slices.is_empty() || self.slices.len() > 8, "1 to 8 slices"),
            (
                self.slices.iter().any(|slice| slice.sd.is_some_and(|sd| sd >= 1 << 24)),
                "a slice differentiator has 24 bits",
            ),
            (set >= 1 << 10 || pointer >= 1 << 6, "an AMF set has 10 bits and a pointer 6"),
            (self.integrity.is_empty() || self.ciphering.is_empty(), "an algorithm of each kind"),
            (self.amf_name.is_empty() || self.amf_name.len() > 150, "an AMF name of 1 to 150 characters"),
            (self.limits.sessions_per_ue > 15, "at most 15 sessions of a phone"),
        ];
        match broken.into_iter().find(|(broken, _)| *broken) {
            Some((_, rule)) => Err(ControlPlaneError::Configuration(rule)),
            None => Ok(()),
        }
    }
}

impl ControlPlane {
    /// A control plane that knows no gNB and no phone.
    ///
    /// # Errors
    /// [`ControlPlaneError::Configuration`].
    pub fn new(network: Arc<Network>) -> Result<Self, ControlPlaneError> {
        network.check()?;
        Ok(Self { ues: Ues::new(), core: Core::new(network) })
    }

    /// Which core this is among those that ran one after the other, here or on another machine; before anything else. What it
    /// numbers (AMF UE NGAP IDs, sessions at the user plane) differs from what the 255 before it numbered, so that a message
    /// for one of those means nobody here.
    pub fn begin_epoch(&mut self, epoch: u64) {
        self.core.begin_epoch(epoch);
    }

    /// Takes kept contexts back, once, before anything else. All phones are idle afterwards; the user plane is told to
    /// forget what it has, and gets their sessions anew.
    pub fn restore(
        &mut self,
        snapshots: impl IntoIterator<Item = UeSnapshot>,
        now: Millis,
        rng: &mut dyn CryptoRngCore,
        out: &mut Vec<Output>,
    ) -> Restored {
        let mut restored = Restored::default();
        out.push(Output::UserPlane(UserPlaneRequest::ReleaseAll));
        for one in snapshots {
            match snapshot::restore(&mut self.core, &one, now) {
                Ok(mut ue)
                    if !self.core.by_imsi.contains_key(&one.imsi) && !self.core.by_tmsi.contains_key(&one.tmsi) =>
                {
                    let mut cx = Cx { core: &mut self.core, now, rng, out };
                    snapshot::settle_in(&mut ue, &mut cx);
                    self.ues.insert(ue.key, ue);
                    restored.phones += 1;
                }
                Ok(_) => restored.unreadable.push(ControlPlaneError::Snapshot),
                Err(error) => restored.unreadable.push(error),
            }
        }
        restored
    }

    /// Handles one input at `now`, which never runs backwards, and appends what is to be done.
    pub fn handle(&mut self, input: Input<'_>, now: Millis, rng: &mut dyn CryptoRngCore, out: &mut Vec<Output>) {
        let ues = &mut self.ues;
        let mut cx = Cx { core: &mut self.core, now, rng, out };
        while let Some((id, timer)) = cx.core.timers.due(now) {
            due(ues, &mut cx, id, timer);
        }
        match input {
            Input::Up { association, peer, streams } => gnb::up(ues, &mut cx, association, peer, streams),
            Input::Message { association, stream: _, bytes } => receive::message(ues, &mut cx, association, bytes),
            Input::Down { association } => gnb::down(ues, &mut cx, association),
            Input::Vault { ue, request, reply } => vault(ues, &mut cx, ue, request, reply),
            Input::UserPlane(reply) => user_plane(ues, &mut cx, reply),
            Input::UserPlaneGone => user_plane_gone(ues, &mut cx),
            Input::Command(wanted) => command(ues, &mut cx, wanted),
            Input::Tick => {}
        }
        gnb::room_again(&mut cx);
    }

    /// When to come back at the latest, with [`Input::Tick`] if there is nothing else.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.core.timers.next()
    }

    /// Both halves, for entry points that begin in the middle.
    pub(crate) fn parts(&mut self) -> (&mut Ues, &mut Core) {
        (&mut self.ues, &mut self.core)
    }

    /// By how many percent gNBs are asked to reduce signalling; 0: they are not.
    pub fn overload(&self) -> u8 {
        self.core.overload
    }

    /// The configuration in force.
    pub fn network(&self) -> &Arc<Network> {
        &self.core.network
    }

    /// Counts since the start, by the names of TS 28.552 where it has one. Names that begin with `control_plane.` are ours.
    pub fn counters(&self) -> &Counters {
        &self.core.counters
    }

    /// Values of now: registered phones, connected ones, sessions, phones in all, vault requests on their way, and timers.
    ///
    /// Registered phones and sessions are the samples of `RM.RegisteredSubNbrMean` and `SM.SessionNbrMean` (TS 28.552
    /// §5.2.1.1, §5.3.1.1): whoever reads them at an interval has that interval's mean and maximum.
    pub fn gauges(&self) -> [(&'static str, u64); 6] {
        let size = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        [
            ("RM.RegisteredSubNbrMean", size(self.core.registered)),
            ("control_plane.connected", size(self.core.by_ngap.len())),
            ("SM.SessionNbrMean", size(self.core.by_session.len())),
            ("control_plane.phones", size(self.ues.len())),
            ("control_plane.vault_requests", size(self.core.asked)),
            ("control_plane.timers", size(self.core.timers.len())),
        ]
    }

    /// gNBs, by association.
    pub fn gnbs(&self) -> impl Iterator<Item = GnbView> + '_ {
        self.core.gnbs.iter().map(|(association, gnb)| views::gnb(*association, gnb))
    }

    /// The gNB of one association.
    pub fn gnb(&self, association: AssociationId) -> Option<GnbView> {
        Some(views::gnb(association, self.core.gnbs.get(&association)?))
    }

    /// Registered phones, in no order.
    pub fn ues(&self) -> impl Iterator<Item = UeView> + '_ {
        self.ues.values().filter_map(|ue| views::ue(ue))
    }

    /// The registered phone of a card.
    pub fn ue(&self, imsi: &Imsi) -> Option<UeView> {
        views::ue(self.ues.get(self.core.by_imsi.get(imsi)?)?)
    }

    /// The phone that has an address now, as context for alarms and displays: an address proves nothing.
    pub fn ue_of_session(&self, session: SessionRef) -> Option<UeView> {
        let (key, _) = self.core.by_session.get(&session)?;
        views::ue(self.ues.get(key)?)
    }
}

fn vault(ues: &mut Ues, cx: &mut Cx<'_>, amf: AmfUeNgapId, request: u32, reply: Result<Box<HomeVector>, VaultRefusal>) {
    let Some(key) = cx.core.by_ngap.get(&amf).copied() else { return };
    if let Some(ue) = ues.get_mut(&key) {
        authentication::vault(ue, cx, Some(request), reply);
    }
    initial::settle(ues, cx, key);
}

fn due(ues: &mut Ues, cx: &mut Cx<'_>, id: TimerId, timer: Timer) {
    match timer {
        Timer::Gnb(association) => gnb::due(ues, cx, association, id),
        Timer::Ue(key, which) => {
            if let Some(ue) = ues.get_mut(&key) {
                ue_timer(ue, cx, id, which);
            }
            initial::settle(ues, cx, key);
        }
        Timer::Session(key, psi, which) => {
            if let Some(ue) = ues.get_mut(&key) {
                session_timer(ue, cx, id, psi, which);
            }
        }
    }
}

fn ue_timer(ue: &mut Ue, cx: &mut Cx<'_>, id: TimerId, which: UeTimer) {
    let connection = ue.connection.as_deref();
    match which {
        UeTimer::Nas if connection.is_some_and(|c| c.pending.as_ref().is_some_and(|p| p.timer == id)) => {
            pending::unanswered(ue, cx);
        }
        UeTimer::Ngap if connection.is_some_and(|c| c.ngap_timer == Some(id)) => {
            // A release that is not completed is over all the same.
            match connection.is_some_and(|c| c.releasing) {
                true => context_release::over(ue, cx),
                false => service_request::access_failed(ue, cx),
            }
        }
        UeTimer::Vault if connection.is_some_and(|c| c.asked.as_ref().is_some_and(|asked| asked.timer == id)) => {
            authentication::vault(ue, cx, None, Err(VaultRefusal::Unavailable));
        }
        UeTimer::Guard if connection.is_some_and(|c| c.guard == Some(id)) => initial::guard(ue, cx),
        UeTimer::Silence if ue.silence == Some(id) && ue.connection.is_none() => {
            ue.silence = None;
            cx.count("control_plane.implicit_deregistrations");
            deregistration::local(ue, cx, DeregisteredBecause::Silence);
        }
        UeTimer::Paging if ue.paging.as_ref().is_some_and(|paging| paging.timer == id) => paging::unanswered(ue, cx),
        _ => {}
    }
}

fn session_timer(ue: &mut Ue, cx: &mut Cx<'_>, id: TimerId, psi: u8, which: SessionTimer) {
    let Some(session) = ue.session(psi) else { return };
    match which {
        SessionTimer::Nas if session.repeated.as_ref().is_some_and(|repeated| repeated.timer == id) => {
            modification::unanswered(ue, cx, psi);
        }
        SessionTimer::Ngap if session.ngap_timer == Some(id) => {
            cx.count("control_plane.resource_setup_unanswered");
            session::not_carried(ue, cx, psi);
        }
        SessionTimer::UserPlane if session.user_plane_timer == Some(id) => {
            establishment::not_established(ue, cx, psi, None);
        }
        _ => {}
    }
}

fn user_plane(ues: &mut Ues, cx: &mut Cx<'_>, reply: UserPlaneReply) {
    let session = match &reply {
        UserPlaneReply::Restarted => return restarted(ues, cx),
        UserPlaneReply::Usage { .. }
        | UserPlaneReply::Reported { .. }
        | UserPlaneReply::Isolation(_)
        | UserPlaneReply::Canary { .. }
        | UserPlaneReply::Allowed(_) => return,
        UserPlaneReply::Established { session, .. }
        | UserPlaneReply::Refused { session, .. }
        | UserPlaneReply::Waiting { session, .. }
        | UserPlaneReply::TunnelLost { session } => *session,
    };
    let Some((key, psi)) = cx.core.by_session.get(&session).copied() else { return };
    let Some(ue) = ues.get_mut(&key) else { return };
    match reply {
        UserPlaneReply::Established { uplink, .. } => establishment::established(ue, cx, psi, uplink),
        UserPlaneReply::Refused { because, .. } => establishment::not_established(ue, cx, psi, Some(because)),
        UserPlaneReply::Waiting { .. } => waiting(ue, cx, psi),
        UserPlaneReply::TunnelLost { .. } => {
            let carried = ue.session(psi).is_some_and(|session| session.resources == Resources::Active);
            if carried {
                cx.count("control_plane.tunnel_lost");
                context_release::command(ue, cx, Cause::transport(CauseTransport::unspecified));
            }
        }
        UserPlaneReply::Usage { .. }
        | UserPlaneReply::Reported { .. }
        | UserPlaneReply::Isolation(_)
        | UserPlaneReply::Canary { .. }
        | UserPlaneReply::Allowed(_)
        | UserPlaneReply::Restarted => {}
    }
    initial::settle(ues, cx, key);
}

/// Packets wait for a phone.
fn waiting(ue: &mut Ue, cx: &mut Cx<'_>, psi: u8) {
    let waits = |session: &&mut session::Session| session.resources == Resources::Inactive && !session.held;
    let Some(session) = ue.session(psi).filter(waits) else { return };
    session.wanted = true;
    if ue.connection.is_none() {
        paging::begin(ue, cx);
    } else {
        session::resume(ue, cx);
    }
}

/// What is being set up is refused: it would not be answered, or be led nowhere. What phones have already they keep, and
/// one that was sent its accept has its session, whatever its gNB says to it.
fn user_plane_gone(ues: &mut Ues, cx: &mut Cx<'_>) {
    if std::mem::replace(&mut cx.core.user_plane_gone, true) {
        return;
    }
    cx.alarm(Alarm::UserPlaneUnavailable);
    let mut waiting: Vec<(UeKey, u8)> = ues
        .values()
        .flat_map(|ue| ue.sessions.iter().map(|session| (ue.key, session)))
        .filter(|(_, session)| session.is_unanswered())
        .map(|(key, session)| (key, session.psi))
        .collect();
    waiting.sort_unstable();
    for (key, psi) in waiting {
        if let Some(ue) = ues.get_mut(&key) {
            establishment::not_established(ue, cx, psi, Some(RefusedBecause::Unavailable));
        }
        initial::settle(ues, cx, key);
    }
    // Whether our ends of the tunnels are still there nobody knows, and they will be others when it is back: until then
    // nobody is led to one of them. A session that is being released is led nowhere.
    for session in ues.values_mut().flat_map(|ue| &mut ue.sessions) {
        if session.phase != session::Phase::Releasing {
            session.uplink = None;
        }
    }
}

fn restarted(ues: &mut Ues, cx: &mut Cx<'_>) {
    cx.core.user_plane_gone = false;
    cx.alarm(Alarm::UserPlaneUnavailable);
    let mut keys: Vec<UeKey> = ues.values().filter(|ue| !ue.sessions.is_empty()).map(|ue| ue.key).collect();
    keys.sort_unstable();
    for key in keys {
        let Some(ue) = ues.get_mut(&key) else { continue };
        // Our ends of the tunnels have changed: whoever is carried comes back with a service request.
        if ue.sessions.iter().any(|session| session.resources != Resources::Inactive) {
            let cause = Cause::radioNetwork(CauseRadioNetwork::release_due_to_5gc_generated_reason);
            context_release::command(ue, cx, cause);
        }
        snapshot::establish_again(ue, cx);
    }
}

fn command(ues: &mut Ues, cx: &mut Cx<'_>, wanted: Command) {
    let imsi = match &wanted {
        Command::Overload { percent } => return gnb::overload(cx, *percent),
        Command::Configure(network) => {
            if network.check().is_err() {
                return cx.count("control_plane.configuration_refused");
            }
            cx.core.network = Arc::clone(network);
            gnb::configure(ues, cx);
            return reconfigured(ues, cx);
        }
        Command::Trace { imsi, on: true } => {
            cx.core.traced.insert(*imsi);
            return trace(ues, cx, imsi);
        }
        Command::Trace { imsi, on: false } => {
            cx.core.traced.remove(imsi);
            return trace(ues, cx, imsi);
        }
        Command::Detach { imsi, .. }
        | Command::Revoke { imsi }
        | Command::Subscription { imsi, .. }
        | Command::Flows { imsi, .. } => *imsi,
    };
    let Some(key) = cx.core.by_imsi.get(&imsi).copied() else { return };
    let Some(ue) = ues.get_mut(&key) else { return };
    match wanted {
        Command::Detach { come_back, .. } => deregistration::by_network(ue, cx, come_back),
        Command::Revoke { .. } => deregistration::revoke(ue, cx),
        Command::Subscription { subscription, .. } => subscribed(ue, cx, subscription),
        Command::Flows { dnn, flows, .. } => {
            if !modification::flows(ue, cx, &dnn, flows) {
                cx.count("control_plane.session_modifications_failed");
            }
        }
        Command::Overload { .. } | Command::Configure(_) | Command::Trace { .. } => {}
    }
    receive::after(ues, cx, key, Then::Nothing);
}

/// Whether a connected phone is traced has changed.
fn trace(ues: &mut Ues, cx: &mut Cx<'_>, imsi: &Imsi) {
    let key = cx.core.by_imsi.get(imsi).copied();
    let now = cx.trace_connection(Some(*imsi));
    if let Some(connection) = key.and_then(|key| ues.get_mut(&key)).and_then(|ue| ue.connection.as_deref_mut()) {
        connection.tracing = now;
    }
}

/// The network is another one: phones that are connected are told now.
fn reconfigured(ues: &mut Ues, cx: &mut Cx<'_>) {
    let mut keys: Vec<UeKey> = ues.values().filter(|ue| ue.registered).map(|ue| ue.key).collect();
    keys.sort_unstable();
    for key in keys {
        if let Some(ue) = ues.get_mut(&key) {
            configuration_update::reconfigured(ue, cx);
        }
        initial::settle(ues, cx, key);
    }
}

/// What the card may do has changed: what it may not do any more ends.
fn subscribed(ue: &mut Ue, cx: &mut Cx<'_>, subscription: Arc<Subscription>) {
    let equipment = ue.pei.as_ref().map(|pei| pei.equipment());
    let bound =
        subscription.equipment.is_empty() || subscription.equipment.iter().any(|one| Some(one.as_str()) == equipment);
    let gone: Vec<u8> = ue
        .sessions
        .iter()
        .filter(|session| {
            let named = subscription.data_networks.iter().any(|one| *one.name == *session.dnn);
            !named || !subscription.slices.contains(&session.slice)
        })
        .map(|session| session.psi)
        .collect();
    let rates: Vec<(u8, BitRates)> = ue
        .sessions
        .iter()
        .filter(|session| !gone.contains(&session.psi))
        .filter_map(|session| {
            let named = subscription.data_networks.iter().find(|one| *one.name == *session.dnn)?.ambr;
            let general = cx.core.network.data_networks.iter().find(|one| *one.name == *session.dnn);
            Some((session.psi, named.or_else(|| general.map(|one| one.ambr))?))
        })
        .collect();
    let blocked = subscription.blocked;
    let before = ue.subscription.replace(subscription);
    if !ue.registered {
        return;
    }
    if blocked || !bound {
        if !bound && let Some(imsi) = ue.imsi {
            cx.alarm(Alarm::ForeignEquipment { imsi, pei: ue.pei });
        }
        return deregistration::by_network(ue, cx, false);
    }
    for psi in gone {
        release::begin(ue, cx, psi, 0, GsmCause::RequestedServiceOptionNotSubscribed);
    }
    for (psi, ambr) in rates {
        modification::rates(ue, cx, psi, ambr);
    }
    if before.map(|before| before.ue_ambr) != ue.subscription.as_ref().map(|now| now.ue_ambr) {
        context_modification::rates(ue, cx);
    }
    snapshot::keep(ue, cx);
}

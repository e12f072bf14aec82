//! The task that owns the control plane. It never waits for anything but the writer's queue.

mod asked;
mod canary;

use super::reports::{Question, Reports};
use super::restore::RestoredContexts;
use super::traces::EndedTrace;
use super::writer::Batch;
use super::{Open, Tenure, report, vault};
use crate::Cellular;
use crate::model::alarms::{Alarm as Row, Alarms, Kind, misbehaviour};
use crate::model::cuts::RecentCuts;
use crate::model::lease::Free;
use crate::model::traces::{Trace, TraceId, Traces};
use crate::net::link::LinkEvent;
use pakawaaz_base::{AuditId, Millis};
use pakawaaz_control_plane::identifiers::{AmfUeNgapId, AssociationId, Imsi};
use pakawaaz_control_plane::io::{Alarm, Command, Fact, HomeVector, Input, Output, VaultRefusal};
use pakawaaz_control_plane::trace::Entry;
use pakawaaz_control_plane::views::{GnbView, UeView};
use pakawaaz_control_plane::{ControlPlane, ControlPlaneError};
use pakawaaz_n2::{Association, Endpoint, Event, Sender};
use pakawaaz_user_plane::rules::{Allowed, SessionRef, Usage, UserPlaneReply, UserPlaneRequest};
use rand::rngs::OsRng;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// The core as an object of alarms.
const CORE: &str = "AMFFunction=1";
/// The home network.
const HOME: &str = "UDMFunction=1";
/// The user plane.
const USER_PLANE: &str = "UPFFunction=1";
/// How often figures are reported.
const REPORT: Duration = Duration::from_secs(5);
/// The longest sleep: how late a timer is after the clock was set.
const LONGEST: Duration = Duration::from_secs(1);

/// A question to the core.
pub(crate) enum Ask {
    /// Do this; answered when all that follows is durable and sent.
    Command(Command, oneshot::Sender<()>),
    /// Registered phones; answered when the user plane has said what their sessions have carried.
    Ues(Question),
    /// Whether the phone of a card is registered.
    Registered(Imsi, oneshot::Sender<bool>),
    /// Cards of registered phones, in order.
    Cards { after: Option<Imsi>, limit: usize, reply: oneshot::Sender<Vec<Imsi>> },
    /// gNBs, and by how many percent they are asked to reduce signalling.
    Gnbs(oneshot::Sender<(Vec<GnbView>, u8)>),
    /// What the user plane has said of its allow-lists; none while it is not there.
    AllowLists(oneshot::Sender<Option<Vec<Allowed>>>),
    /// Something elsewhere is wrong with an object.
    RaiseAlarm { kind: Kind, object: String, problem: &'static str },
    /// An operator has seen to an alarm; whether there was one.
    ClearAlarm([u8; 16], oneshot::Sender<bool>),
    /// Whether one more phone can be traced.
    TraceFits(Imsi, oneshot::Sender<bool>),
    /// Begin to trace, under this name; none when too many are traced.
    TraceOn(Imsi, TraceId, oneshot::Sender<Option<Trace>>),
    /// Trace no longer; the name of the trace that went on.
    TraceOff(Imsi, oneshot::Sender<Option<TraceId>>),
    /// What was written down.
    Trace(Imsi, oneshot::Sender<Option<Trace>>),
    /// All traces.
    Traces(oneshot::Sender<Vec<(Imsi, Trace)>>),
}

/// A registered phone, and what its sessions have carried, in their order.
pub(crate) struct UeWithTraffic {
    pub ue: UeView,
    pub traffic: Vec<Usage>,
}

/// Registered phones.
pub(crate) struct UePage {
    pub ues: Vec<UeWithTraffic>,
    pub more: bool,
}

/// The home network has answered.
pub(crate) struct Answer {
    pub ue: AmfUeNgapId,
    pub request: u32,
    /// Which question it was, counted by the core.
    pub asked: u64,
    pub reply: Result<Box<HomeVector>, VaultRefusal>,
}

/// What comes in.
pub(crate) struct Feeds<'a> {
    pub n2: &'a mut Endpoint,
    pub asked: mpsc::Receiver<Ask>,
    pub answered: mpsc::Receiver<Answer>,
    pub replied: mpsc::Receiver<LinkEvent>,
    pub health: watch::Receiver<bool>,
}

pub(crate) struct Core {
    plane: ControlPlane,
    cellular: Cellular,
    tenure: Tenure,
    batches: mpsc::Sender<Batch>,
    answers: mpsc::Sender<Answer>,
    n2: Sender,
    open: Open,
    health: watch::Receiver<bool>,
    alarms: Alarms,
    cuts: RecentCuts,
    /// Questions to the home network so far.
    asked: u64,
    usage: HashMap<SessionRef, Usage>,
    reports: Reports,
    traces: Traces,
    /// gNBs that are set up, as objects of alarms.
    names: HashMap<AssociationId, String>,
    last: Millis,
    /// The user plane is there.
    linked: bool,
    /// Number of the last connection to it.
    connection: u64,
    /// What it allows.
    allowed: Vec<Allowed>,
    /// What is to be done, until it is handed over.
    outputs: Vec<Output>,
    rows: Vec<Row>,
    /// Traces that nobody has ended, but the core by itself.
    ended_traces: Vec<EndedTrace>,
}

impl Core {
    pub(crate) fn new(
        cellular: Cellular,
        tenure: Tenure,
        restored: RestoredContexts,
        batches: mpsc::Sender<Batch>,
        answers: mpsc::Sender<Answer>,
        n2: Sender,
        open: Open,
        health: watch::Receiver<bool>,
    ) -> Result<Self, ControlPlaneError> {
        let network = Arc::new(cellular.decided().compiled.network.clone());
        let mut plane = ControlPlane::new(network)?;
        plane.begin_epoch(tenure.epoch().unsigned_abs());
        let last = cellular.now();
        // What the user plane is asked here comes to nothing: its link is not up yet, and begins with everything anew.
        let found = plane.restore(restored.snapshots, last, &mut OsRng, &mut Vec::new());
        let unreadable = restored.unreadable + found.unreadable.len();
        tracing::info!(phones = found.phones, unreadable, "the core takes its phones back");
        let mut core = Self {
            plane,
            cellular,
            tenure,
            batches,
            answers,
            n2,
            open,
            health,
            alarms: Alarms::restored(restored.alarms),
            cuts: RecentCuts::default(),
            asked: 0,
            usage: HashMap::new(),
            reports: Reports::default(),
            traces: Traces::default(),
            names: HashMap::new(),
            last,
            linked: false,
            connection: 0,
            allowed: Vec::new(),
            outputs: Vec::new(),
            rows: Vec::new(),
            ended_traces: Vec::new(),
        };
        if core.tenure.why == Free::Silent {
            core.raise(Kind::Takeover, CORE, "the node that ran the core fell silent; another one has taken over");
        }
        if unreadable > 0 {
            core.raise(Kind::Contexts, CORE, "kept contexts could not be read; their phones register anew");
        }
        Ok(core)
    }

    pub(crate) async fn run(mut self, mut feeds: Feeds<'_>, stop: CancellationToken) {
        // Not at once: whoever starts together with us needs a moment.
        let mut report = tokio::time::interval_at(tokio::time::Instant::now() + REPORT, REPORT);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut decided = self.cellular.inner.decided.subscribe();
        self.clear(Kind::Storage, CORE);
        // Nobody is connected yet.
        self.clear(Kind::Associations, CORE);
        let mut going = self.hand_over(None).await;
        while going {
            let (pause, late) = (self.pause(), self.reports.deadline());
            going = tokio::select! {
                () = stop.cancelled() => break,
                event = feeds.n2.next() => match event {
                    Some(event) => {
                        self.n2(event);
                        self.hand_over(None).await
                    }
                    None => {
                        tracing::error!("N2 has ended");
                        break;
                    }
                },
                Some(answer) = feeds.answered.recv() => {
                    self.answer(answer);
                    self.hand_over(None).await
                }
                Some(event) = feeds.replied.recv() => {
                    self.link(event);
                    self.hand_over(None).await
                }
                Some(ask) = feeds.asked.recv() => {
                    let done = self.ask(ask);
                    self.hand_over(done).await
                }
                Ok(()) = decided.changed() => {
                    self.configure();
                    self.hand_over(None).await
                }
                Ok(()) = feeds.health.changed() => self.health_changed(),
                () = tokio::time::sleep(pause) => {
                    self.handle(Input::Tick);
                    self.end_traces();
                    self.hand_over(None).await
                }
                () = until(late) => {
                    self.late_reports();
                    true
                }
                _ = report.tick() => {
                    self.forget_usage();
                    report::write(&self.plane, &self.alarms, *self.health.borrow());
                    if !self.linked {
                        self.raise(Kind::UserPlane, USER_PLANE, "the user plane is not connected");
                        // From the first time on nobody waits for it. Before, it had this long to come.
                        self.handle(Input::UserPlaneGone);
                    }
                    self.hand_over(None).await
                }
            };
        }
        // Traces are in memory only.
        self.forget_traces();
        self.hand_over(None).await;
    }

    /// Time that never runs backwards, as the control plane wants it.
    fn now(&mut self) -> Millis {
        self.last = self.last.max(self.cellular.now());
        self.last
    }

    fn pause(&mut self) -> Duration {
        let now = self.now();
        let due = [self.plane.next_deadline(), self.traces.next_end()].into_iter().flatten().min();
        due.map_or(LONGEST, |at| at.since(now).min(LONGEST))
    }

    /// One input, and what has to follow it here.
    fn handle(&mut self, input: Input<'_>) {
        let now = self.now();
        let mut fresh = Vec::new();
        self.plane.handle(input, now, &mut OsRng, &mut fresh);
        let mut cut = Vec::new();
        for output in fresh {
            match output {
                Output::Vault { ue, request, ask } => {
                    self.asked += 1;
                    let (cellular, answers) = (self.cellular.clone(), self.answers.clone());
                    // As many as the control plane allows to be on their way.
                    tokio::spawn(vault::ask(cellular, answers, ue, request, self.asked, ask));
                }
                Output::Alarm(alarm) => self.alarm(alarm),
                Output::Traced { imsi, downlink, name, bytes } => {
                    self.traces.add(&imsi, Entry { at: now, downlink, name, bytes });
                }
                // A card that was cut off meanwhile proves nothing any more to anybody.
                Output::Fact(Fact::Authenticated { imsi, .. }) if self.cuts.is_cut(&imsi, now) => {}
                Output::Fact(fact) => {
                    if let Fact::Registered { imsi, .. } = &fact
                        && self.cuts.is_cut(imsi, now)
                    {
                        cut.push(*imsi);
                    }
                    self.outputs.push(Output::Fact(fact));
                }
                other => self.outputs.push(other),
            }
        }
        for imsi in cut {
            self.handle(Input::Command(Command::Revoke { imsi }));
        }
    }

    /// Gives the writer what is to be done. Whether there is a writer.
    async fn hand_over(&mut self, done: Option<oneshot::Sender<()>>) -> bool {
        let nothing = self.outputs.is_empty() && self.rows.is_empty() && self.ended_traces.is_empty();
        if nothing && done.is_none() {
            return true;
        }
        let (outputs, alarms) = (std::mem::take(&mut self.outputs), std::mem::take(&mut self.rows));
        let (connection, ended_traces) = (self.connection, std::mem::take(&mut self.ended_traces));
        let batch = Batch { outputs, connection, alarms, ended_traces, done };
        self.batches.send(batch).await.is_ok()
    }

    fn n2(&mut self, event: Event) {
        match event {
            Event::Up { association, peer, streams } => {
                if !*self.health.borrow() || !self.tenure.is_valid() {
                    // Nothing could be kept: gNBs try again, or another site.
                    return self.n2.abort(association);
                }
                self.with_open(|open| open.insert(association));
                self.handle(Input::Up { association: AssociationId(association.0), peer, streams });
            }
            Event::Message { association, stream, bytes } => {
                // What a core would do that may have been replaced meanwhile, it does not begin.
                if !self.tenure.is_valid() || !self.with_open(|open| open.contains(&association)) {
                    return;
                }
                let id = AssociationId(association.0);
                self.handle(Input::Message { association: id, stream, bytes: &bytes });
                self.name(id);
            }
            Event::Foreign { association, .. } => {
                let id = AssociationId(association.0);
                let object = self.object(id);
                self.raise(Kind::MisbehavingGnb, &object, "it sends other protocols than NGAP");
            }
            Event::Down { association, .. } => {
                self.with_open(|open| open.remove(&association));
                let id = AssociationId(association.0);
                self.handle(Input::Down { association: id });
                self.names.remove(&id);
            }
        }
    }

    fn with_open<T>(&self, act: impl FnOnce(&mut std::collections::HashSet<Association>) -> T) -> T {
        act(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A gNB that has just been set up has a name, and is not lost any more.
    fn name(&mut self, association: AssociationId) {
        if self.names.contains_key(&association) {
            return;
        }
        let Some(GnbView { ready: true, id: Some((id, bits)), .. }) = self.plane.gnb(association) else { return };
        let name = gnb_object(id, bits);
        self.clear(Kind::GnbLost, &name);
        self.names.insert(association, name);
    }

    /// An association as the object of alarms: its gNB, or where it comes from.
    fn object(&self, association: AssociationId) -> String {
        match (self.names.get(&association), self.plane.gnb(association)) {
            (Some(name), _) => name.clone(),
            (None, Some(gnb)) => peer_object(&gnb.peer),
            (None, None) => CORE.to_owned(),
        }
    }

    fn answer(&mut self, answer: Answer) {
        let Answer { ue, request, asked, mut reply } = answer;
        if !matches!(reply, Err(VaultRefusal::Unavailable)) {
            // Also a refusal is an answer.
            self.clear(Kind::HomeNetwork, HOME);
        }
        if let Ok(vector) = &reply
            && !self.cuts.vector(&vector.imsi, asked)
        {
            reply = Err(VaultRefusal::Blocked);
        }
        self.handle(Input::Vault { ue, request, reply });
    }

    fn link(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Up(connection) => {
                self.connection = connection;
                self.usage.clear();
                self.allowed.clear();
                self.outputs.push(Output::UserPlane(UserPlaneRequest::ReleaseAll));
                self.handle(Input::UserPlane(UserPlaneReply::Restarted));
                self.linked = true;
                self.clear(Kind::UserPlane, USER_PLANE);
            }
            // The link begins anew each time, whether the user plane did or not.
            LinkEvent::Reply(UserPlaneReply::Restarted) => {}
            LinkEvent::Reply(UserPlaneReply::Usage { session, usage }) => {
                self.usage.insert(session, usage);
            }
            LinkEvent::Reply(UserPlaneReply::Reported { number }) => {
                if let Some(question) = self.reports.answered(number) {
                    self.answer_page(question);
                }
            }
            LinkEvent::Reply(UserPlaneReply::Isolation(found)) => self.isolation(found),
            LinkEvent::Reply(UserPlaneReply::Canary { ipv4, ipv6 }) => self.canary(ipv4, ipv6),
            LinkEvent::Reply(UserPlaneReply::Allowed(part)) => self.is_allowed(part),
            LinkEvent::Reply(reply) => {
                // It did not answer in time, and now it does.
                if matches!(reply, UserPlaneReply::Established { .. }) && self.linked {
                    self.clear(Kind::UserPlane, USER_PLANE);
                }
                self.handle(Input::UserPlane(reply));
            }
            LinkEvent::Down => {
                self.linked = false;
                self.raise(Kind::UserPlane, USER_PLANE, "the link to the user plane is down");
                self.handle(Input::UserPlaneGone);
                for question in self.reports.all() {
                    self.answer_page(question);
                }
            }
        }
    }

    /// Operators have decided something else.
    fn configure(&mut self) {
        let network = Arc::new(self.cellular.decided().compiled.network.clone());
        let known: Vec<String> = network.gnbs.iter().map(|gnb| gnb_object(gnb.id.0, gnb.id.1)).collect();
        self.handle(Input::Command(Command::Configure(network)));
        // Nobody waits any more for one that was taken off the list.
        for object in self.alarms.objects(Kind::GnbLost) {
            if !known.contains(&object) {
                self.clear(Kind::GnbLost, &object);
            }
        }
        self.look_at_canary();
        let cellular = self.cellular.clone();
        tokio::spawn(async move {
            if cellular.renew_subscriptions().await.is_err() {
                tracing::warn!(
                    "not every phone was told of the new network; the others learn it when they are authenticated"
                );
            }
        });
    }

    fn health_changed(&mut self) -> bool {
        if *self.health.borrow_and_update() {
            self.clear(Kind::Storage, CORE);
        } else {
            self.raise(Kind::Storage, CORE, "contexts cannot be written; gNBs are let go until they can");
        }
        // Not waited for: the writer may have no room because of just this. What finds none is written with the next batch.
        let alarms = std::mem::take(&mut self.rows);
        let (outputs, connection, ended_traces) = (Vec::new(), self.connection, Vec::new());
        let batch = Batch { outputs, connection, alarms, ended_traces, done: None };
        if let Err(mpsc::error::TrySendError::Full(batch)) = self.batches.try_send(batch) {
            self.rows = batch.alarms;
        }
        true
    }

    fn alarm(&mut self, alarm: Alarm) {
        match alarm {
            Alarm::ForeignGnb { peer } => {
                self.raise(Kind::ForeignGnb, &peer_object(&peer), "a gNB that may not connect here asked to be set up");
            }
            Alarm::ForeignEquipment { imsi, pei } => {
                let claims = pei.map_or("nothing", |_| "another one");
                let object = format!("AMFFunction=1,SUPI=imsi-{}", imsi.as_str());
                let problem = format!("the card is in equipment that it is not bound to, which claims to be {claims}");
                self.raise(Kind::ForeignEquipment, &object, &problem);
            }
            Alarm::MisbehavingGnb { association, what } => {
                let object = self.object(association);
                self.raise(Kind::MisbehavingGnb, &object, misbehaviour(what));
            }
            Alarm::GnbLost { association } => {
                if let Some(object) = self.names.get(&association).cloned() {
                    self.raise(Kind::GnbLost, &object, "its association has ended");
                }
            }
            Alarm::Associations { full: true } => {
                let problem = "there are as many N2 associations as there may be; those that are not set up make room";
                self.raise(Kind::Associations, CORE, problem);
            }
            Alarm::Associations { full: false } => self.clear(Kind::Associations, CORE),
            Alarm::VaultUnavailable => self.raise(Kind::HomeNetwork, HOME, "the home network does not answer"),
            // While there is no link, that is the alarm; one that comes up just now is none.
            Alarm::UserPlaneUnavailable if !self.linked => {}
            Alarm::UserPlaneUnavailable => self.raise(Kind::UserPlane, USER_PLANE, "the user plane does not answer"),
        }
    }

    fn raise(&mut self, kind: Kind, object: &str, problem: &str) {
        let now = self.now();
        let id = *AuditId::new(now, &mut OsRng).as_bytes();
        if !self.alarms.is_active(kind, object) {
            tracing::warn!(kind = kind.text(), severity = kind.severity(), "alarm");
        }
        self.rows.extend(self.alarms.raise(kind, object, problem, id, now));
    }

    fn clear(&mut self, kind: Kind, object: &str) {
        if self.alarms.is_active(kind, object) {
            let now = self.now();
            tracing::info!(kind = kind.text(), "alarm cleared");
            self.rows.extend(self.alarms.clear(kind, object, now));
        }
    }

    /// Sessions that are over carry nothing more.
    fn forget_usage(&mut self) {
        let plane = &self.plane;
        self.usage.retain(|session, _| plane.ue_of_session(*session).is_some());
    }
}

/// Waits, for ever when there is nothing to wait for.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// A gNB as the object of alarms.
fn gnb_object(id: u32, bits: u8) -> String {
    format!("AMFFunction=1,GNBId={id}/{bits}")
}

/// Where a peer is, without the port it happened to use: the same peer is one alarm.
fn peer_object(peer: &str) -> String {
    let address = peer.parse().map_or_else(|_| peer.to_owned(), |at: std::net::SocketAddr| at.ip().to_string());
    format!("AMFFunction=1,peer={address}")
}

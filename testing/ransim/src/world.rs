//! gNBs and phones together, over anything that carries N2.
//!
//! [`World::step`] does everything that can be done now and never waits: tests and load drive it with a clock of
//! their own, the command line with the real one.

use crate::error::RansimError;
use crate::gnb::{Downlink, Gnb, GnbConfig, GnbEffect, GnbEvent, GnbIo, Link, PhoneId, Tunnel};
use crate::measure::Measure;
use crate::phone::{Effect, Event, Io, Phone, RegistrationKind, SessionState, SessionWish, State};
use pakawaaz_base::Millis;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// A gNB by its place in the world; also the name of its association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GnbId(pub u32);

/// What comes from the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The association of a gNB is up.
    Up {
        /// Whose.
        gnb: GnbId,
        /// Streams that may be used, at least 1.
        streams: u16,
    },
    /// One NGAP PDU.
    Message {
        /// For whom.
        gnb: GnbId,
        /// The stream it came on.
        stream: u16,
        /// The PDU.
        bytes: Vec<u8>,
    },
    /// The association is gone.
    Down {
        /// Whose.
        gnb: GnbId,
    },
}

/// Carries N2 PDUs between gNBs and a core. Neither call waits.
pub trait N2Wire {
    /// Sends one PDU of a gNB. A PDU that cannot be sent is lost; [`Arrival::Down`] follows.
    fn send(&mut self, gnb: GnbId, stream: u16, bytes: Vec<u8>);
    /// What arrived next, if something did.
    fn recv(&mut self) -> Option<Arrival>;
}

/// Two queues: what gNBs sent, and what they are to receive. For tests, and for whoever copies between the ends.
#[derive(Debug, Default)]
pub struct Queues {
    /// Sent by gNBs: which one, stream, PDU.
    pub to_core: VecDeque<(GnbId, u16, Vec<u8>)>,
    /// To be received by gNBs.
    pub from_core: VecDeque<Arrival>,
}

impl N2Wire for Queues {
    fn send(&mut self, gnb: GnbId, stream: u16, bytes: Vec<u8>) {
        self.to_core.push_back((gnb, stream, bytes));
    }
    fn recv(&mut self) -> Option<Arrival> {
        self.from_core.pop_front()
    }
}

/// Something that happened, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// To a phone.
    Phone(PhoneId, Event),
    /// To a gNB.
    Gnb(GnbId, GnbEvent),
}

/// The user plane of one session, as the traffic edge needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The gNB that the phone is at.
    pub gnb: GnbId,
    /// The user plane's end.
    pub uplink: Tunnel,
    /// The gNB's end.
    pub teid: u32,
}

struct Seat {
    phone: Phone,
    gnb: GnbId,
    /// When the heap will look at it; nothing later is pushed twice.
    scheduled: Option<Millis>,
    before: State,
    began: Option<Millis>,
    session_began: Option<Millis>,
}

enum Step {
    Phone(PhoneId, Effect),
    Gnb(GnbId, GnbEffect),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Phone(PhoneId),
    Gnb(GnbId),
}

/// gNBs and phones over `W`.
pub struct World<W> {
    /// The wire.
    pub wire: W,
    gnbs: Vec<Gnb>,
    seats: Vec<Seat>,
    heap: BinaryHeap<Reverse<(Millis, Due)>>,
    steps: VecDeque<Step>,
    events: VecDeque<Happened>,
    rng: ChaCha20Rng,
    measure: Measure,
}

impl<W: N2Wire> World<W> {
    /// An empty world. The same seed and the same arrivals give the same world.
    pub fn new(wire: W, seed: u64) -> Self {
        Self {
            wire,
            gnbs: Vec::new(),
            seats: Vec::new(),
            heap: BinaryHeap::new(),
            steps: VecDeque::new(),
            events: VecDeque::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
            measure: Measure::default(),
        }
    }

    /// Adds a gNB; it sets its interface up when its association is.
    ///
    /// # Errors
    /// [`RansimError::Configuration`].
    pub fn add_gnb(&mut self, config: GnbConfig) -> Result<GnbId, RansimError> {
        self.gnbs.push(Gnb::new(config)?);
        Ok(GnbId(self.gnbs.len() as u32 - 1))
    }

    /// Adds a phone that camps at a gNB, switched off.
    ///
    /// # Errors
    /// [`RansimError::Configuration`] when there is no such gNB.
    pub fn add_phone(&mut self, phone: Phone, gnb: GnbId, now: Millis) -> Result<PhoneId, RansimError> {
        if gnb.0 as usize >= self.gnbs.len() {
            return Err(RansimError::Configuration("there is no such gNB"));
        }
        let id = PhoneId(self.seats.len() as u32);
        let seat = Seat { phone, gnb, scheduled: None, before: State::Off, began: None, session_began: None };
        self.seats.push(seat);
        let tac = self.gnbs[gnb.0 as usize].config().tacs.first().copied().unwrap_or_default();
        self.with_phone(id, now, |phone, io| phone.camp(io, tac));
        Ok(id)
    }

    /// gNBs.
    pub fn gnbs(&self) -> &[Gnb] {
        &self.gnbs
    }
    /// How many phones there are.
    pub fn phones(&self) -> usize {
        self.seats.len()
    }
    /// One phone.
    pub fn phone(&self, id: PhoneId) -> Option<&Phone> {
        self.seats.get(id.0 as usize).map(|seat| &seat.phone)
    }
    /// All phones with their ids.
    pub fn all_phones(&self) -> impl Iterator<Item = (PhoneId, &Phone)> + '_ {
        self.seats.iter().enumerate().map(|(i, seat)| (PhoneId(i as u32), &seat.phone))
    }
    /// Where a phone camps.
    pub fn gnb_of(&self, id: PhoneId) -> Option<GnbId> {
        self.seats.get(id.0 as usize).map(|seat| seat.gnb)
    }
    /// Phones that are registered.
    pub fn registered(&self) -> usize {
        self.seats.iter().filter(|seat| seat.phone.is_registered()).count()
    }
    /// Sessions that are there.
    pub fn sessions(&self) -> usize {
        self.seats.iter().flat_map(|seat| seat.phone.sessions()).filter(|session| session.is_active()).count()
    }
    /// Whether all gNBs are taken by the core.
    pub fn is_ready(&self) -> bool {
        self.gnbs.iter().all(|gnb| gnb.link() == Link::Ready)
    }
    /// Counts and times so far.
    pub fn measure(&self) -> &Measure {
        &self.measure
    }
    /// For counts of the caller's own.
    pub fn measure_mut(&mut self) -> &mut Measure {
        &mut self.measure
    }
    /// What happened since the last time.
    pub fn take_events(&mut self) -> impl Iterator<Item = Happened> + use<W> {
        std::mem::take(&mut self.events).into_iter()
    }
    /// When something is due even if nothing arrives.
    pub fn deadline(&self) -> Option<Millis> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Does everything that can be done now. Whether anything was done.
    pub fn step(&mut self, now: Millis) -> bool {
        let mut done = false;
        while let Some(arrival) = self.wire.recv() {
            done = true;
            self.arrived(arrival, now);
            self.settle(now);
        }
        while let Some(Reverse((at, due))) = self.heap.peek().copied()
            && at <= now
        {
            self.heap.pop();
            done = true;
            match due {
                Due::Phone(id) => {
                    if let Some(seat) = self.seats.get_mut(id.0 as usize) {
                        seat.scheduled = None;
                    }
                    self.with_phone(id, now, |phone, io| phone.tick(io));
                }
                Due::Gnb(id) => self.with_gnb(id, now, |gnb, io| gnb.tick(io)),
            }
        }
        self.settle(now);
        done
    }

    fn arrived(&mut self, arrival: Arrival, now: Millis) {
        match arrival {
            Arrival::Up { gnb, streams } => self.with_gnb(gnb, now, |gnb, io| gnb.up(io, streams)),
            Arrival::Message { gnb, bytes, .. } => self.with_gnb(gnb, now, |gnb, io| gnb.receive(io, &bytes)),
            Arrival::Down { gnb } => self.with_gnb(gnb, now, |gnb, io| gnb.down(io)),
        }
    }

    /// Calls a phone; what it wants is done before this returns.
    pub fn with_phone<R>(
        &mut self,
        id: PhoneId,
        now: Millis,
        call: impl FnOnce(&mut Phone, &mut Io<'_>) -> R,
    ) -> Option<R> {
        let result = self.call_phone(id, now, call);
        self.settle(now);
        result
    }

    /// Calls a gNB; what it wants is done before this returns.
    pub fn with_gnb(&mut self, id: GnbId, now: Millis, call: impl FnOnce(&mut Gnb, &mut GnbIo<'_>)) {
        self.call_gnb(id, now, call);
        self.settle(now);
    }

    fn call_phone<R>(
        &mut self,
        id: PhoneId,
        now: Millis,
        call: impl FnOnce(&mut Phone, &mut Io<'_>) -> R,
    ) -> Option<R> {
        let seat = self.seats.get_mut(id.0 as usize)?;
        let mut out = Vec::new();
        let result = call(&mut seat.phone, &mut Io { now, rng: &mut self.rng, out: &mut out });
        if seat.phone.state() != seat.before {
            seat.before = seat.phone.state();
            let procedure = matches!(
                seat.before,
                State::RegistrationInitiated(_) | State::ServiceRequestInitiated | State::DeregistrationInitiated
            );
            if procedure {
                seat.began = Some(now);
            }
        }
        let asks = |phone: &Phone| phone.sessions().any(|session| session.state == SessionState::ActivePending);
        if seat.session_began.is_none() && seat.phone.state() == State::Registered && asks(&seat.phone) {
            seat.session_began = Some(now);
        }
        if let Some(deadline) = seat.phone.deadline()
            && seat.scheduled.is_none_or(|at| deadline < at)
        {
            seat.scheduled = Some(deadline);
            self.heap.push(Reverse((deadline, Due::Phone(id))));
        }
        for effect in out {
            if let Effect::Event(event) = effect {
                self.phone_event(id, now, event);
            } else {
                self.steps.push_back(Step::Phone(id, effect));
            }
        }
        Some(result)
    }

    fn phone_event(&mut self, id: PhoneId, now: Millis, event: Event) {
        let Some(seat) = self.seats.get_mut(id.0 as usize) else { return };
        let procedure = match &event {
            Event::Registered { kind: RegistrationKind::Initial } => Some("registration"),
            Event::Registered { .. } => Some("update"),
            Event::ServiceAccepted => Some("service"),
            Event::Deregistered(crate::phone::Ended::Phone) => Some("deregistration"),
            _ => None,
        };
        if let (Some(procedure), Some(began)) = (procedure, seat.began) {
            self.measure.time(procedure, now.since(began));
        }
        if matches!(event, Event::SessionUp { .. })
            && let Some(began) = seat.session_began.take()
        {
            self.measure.time("session", now.since(began));
        }
        self.measure.phone(&event);
        self.events.push_back(Happened::Phone(id, event));
    }

    fn call_gnb(&mut self, id: GnbId, now: Millis, call: impl FnOnce(&mut Gnb, &mut GnbIo<'_>)) {
        let Some(gnb) = self.gnbs.get_mut(id.0 as usize) else { return };
        let before = gnb.deadline();
        let mut out = Vec::new();
        call(gnb, &mut GnbIo { now, out: &mut out });
        if let Some(deadline) = gnb.deadline()
            && (before != Some(deadline) || deadline <= now)
        {
            self.heap.push(Reverse((deadline.max(Millis(now.0 + 1)), Due::Gnb(id))));
        }
        for effect in out {
            match effect {
                GnbEffect::Event(event) => {
                    self.measure.gnb(&event);
                    self.events.push_back(Happened::Gnb(id, event));
                }
                effect => self.steps.push_back(Step::Gnb(id, effect)),
            }
        }
    }

    /// Carries effects between phones, gNBs and the wire until there are none.
    fn settle(&mut self, now: Millis) {
        while let Some(step) = self.steps.pop_front() {
            match step {
                Step::Phone(id, effect) => {
                    let Some(gnb) = self.gnb_of(id) else { continue };
                    match effect {
                        Effect::Connect { nas, cause, s_tmsi } => {
                            self.call_gnb(gnb, now, |gnb, io| gnb.connect(io, id, nas, cause, s_tmsi));
                        }
                        Effect::Send(nas) => self.call_gnb(gnb, now, |gnb, io| gnb.uplink(io, id, nas)),
                        Effect::Disconnect => self.call_gnb(gnb, now, |gnb, io| gnb.lost(io, id)),
                        Effect::Event(_) => {}
                    }
                }
                Step::Gnb(gnb, effect) => match effect {
                    GnbEffect::Send { stream, bytes } => self.wire.send(gnb, stream, bytes),
                    GnbEffect::Radio(id, downlink) => self.radio(gnb, id, downlink, now),
                    GnbEffect::Page(s_tmsi) => {
                        let called = |seat: &Seat| {
                            seat.gnb == gnb && !seat.phone.is_connected() && seat.phone.s_tmsi() == Some(s_tmsi)
                        };
                        let called: Vec<u32> =
                            (0..).zip(&self.seats).filter(|(_, seat)| called(seat)).map(|(i, _)| i).collect();
                        for id in called {
                            self.call_phone(PhoneId(id), now, |phone, io| phone.paged(io));
                        }
                    }
                    GnbEffect::Event(_) => {}
                },
            }
        }
    }

    fn radio(&mut self, gnb: GnbId, id: PhoneId, downlink: Downlink, now: Millis) {
        // A phone that has gone elsewhere does not hear its old cell.
        if self.gnb_of(id) != Some(gnb) {
            return;
        }
        match downlink {
            Downlink::Nas(nas) => {
                self.call_phone(id, now, |phone, io| phone.receive(io, &nas));
            }
            Downlink::Secure(key) => {
                let right = self.call_phone(id, now, |phone, io| phone.secured(io, &key)).unwrap_or(false);
                self.call_gnb(gnb, now, |gnb, io| gnb.secured(io, id, right));
            }
            Downlink::Bearer { psi, up } => {
                self.call_phone(id, now, |phone, _| phone.bearer(psi, up));
            }
            Downlink::Released => {
                self.call_phone(id, now, |phone, io| phone.lost(io));
            }
        }
    }

    /// Switches a phone on.
    pub fn power_on(&mut self, id: PhoneId, now: Millis) {
        self.with_phone(id, now, |phone, io| phone.power_on(io));
    }
    /// Switches a phone off, in order.
    pub fn power_off(&mut self, id: PhoneId, now: Millis) {
        self.with_phone(id, now, |phone, io| phone.power_off(io));
    }
    /// A phone leaves the network and stays on.
    pub fn deregister(&mut self, id: PhoneId, now: Millis) {
        self.with_phone(id, now, |phone, io| phone.deregister(io));
    }
    /// A phone that is on and not registered registers.
    pub fn register(&mut self, id: PhoneId, now: Millis) {
        self.with_phone(id, now, |phone, io| phone.register_now(io));
    }
    /// A phone opens a session.
    ///
    /// # Errors
    /// [`RansimError::State`].
    pub fn open_session(&mut self, id: PhoneId, wish: SessionWish, now: Millis) -> Result<u8, RansimError> {
        self.with_phone(id, now, |phone, io| phone.open_session(io, wish))
            .unwrap_or(Err(RansimError::State("there is no such phone")))
    }
    /// A phone has data for a session.
    pub fn data_waiting(&mut self, id: PhoneId, psi: u8, now: Millis) {
        self.with_phone(id, now, |phone, io| phone.data_waiting(io, psi));
    }
    /// The gNB asks the core to release a phone, as after a long silence.
    pub fn go_idle(&mut self, id: PhoneId, now: Millis) {
        if let Some(gnb) = self.gnb_of(id) {
            self.with_gnb(gnb, now, |gnb, io| gnb.release(io, id));
        }
    }
    /// A phone goes to another cell. Connected, it loses its connection there (no handover yet).
    pub fn move_phone(&mut self, id: PhoneId, to: GnbId, now: Millis) {
        let (Some(from), Some(target)) = (self.gnb_of(id), self.gnbs.get(to.0 as usize)) else { return };
        let tac = target.config().tacs.first().copied().unwrap_or_default();
        self.with_gnb(from, now, |gnb, io| gnb.lost(io, id));
        if let Some(seat) = self.seats.get_mut(id.0 as usize) {
            seat.gnb = to;
        }
        self.with_phone(id, now, |phone, io| {
            phone.lost(io);
            phone.camp(io, tac);
        });
    }

    /// The tunnel of a session, while it has one.
    pub fn path(&self, id: PhoneId, psi: u8) -> Option<Path> {
        let gnb = self.gnb_of(id)?;
        let resource = self.gnbs.get(gnb.0 as usize)?.resource(id, psi)?;
        Some(Path { gnb, uplink: resource.uplink, teid: resource.teid })
    }
    /// Whose tunnel this is, with the flows it may carry.
    pub fn owner_of_teid(&self, gnb: GnbId, teid: u32) -> Option<(PhoneId, u8)> {
        self.gnbs.get(gnb.0 as usize)?.owner_of_teid(teid)
    }
    /// User data passed: the phone is not silent.
    pub fn user_data(&mut self, id: PhoneId, now: Millis) {
        if let Some(gnb) = self.gnb_of(id)
            && let Some(gnb) = self.gnbs.get_mut(gnb.0 as usize)
        {
            gnb.active(id, now);
        }
    }
}

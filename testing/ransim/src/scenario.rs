//! What a load run does with its phones. Pure: it looks at events and gives commands.

use crate::gnb::PhoneId;
use crate::phone::{Ended, Event, RegistrationKind};
use crate::world::{Happened, N2Wire, World};
use pakawaaz_base::Millis;
use std::time::Duration;

/// What phones do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scenario {
    /// Register at a steady rate, open their sessions, stay.
    Attach,
    /// Register all at once, as after a power cut.
    Storm,
    /// Register, session, idle, service request, deregister; again and again.
    Cycle,
    /// Register at a steady rate and stay silent.
    Idle,
    /// Register, open a session, and send data through it.
    Traffic,
}

/// A run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What.
    pub scenario: Scenario,
    /// Phones that begin each second; a storm has them all begin at once.
    pub per_second: u32,
    /// How often each phone goes round in [`Scenario::Cycle`].
    pub cycles: u32,
    /// How long all stay when all have arrived.
    pub hold: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Off,
    Registering,
    OpeningSession,
    GoingIdle,
    Serving,
    Leaving,
    Left,
    Settled,
}

/// Gives the commands of a plan.
#[derive(Debug)]
pub struct Driver {
    plan: Plan,
    began: Millis,
    stages: Vec<Stage>,
    left: Vec<u32>,
    started: usize,
    settled: usize,
    settled_at: Option<Millis>,
    rounds: u64,
}

impl Driver {
    /// For all phones of `world`, beginning now.
    pub fn new<W: N2Wire>(plan: Plan, world: &World<W>, now: Millis) -> Self {
        let phones = world.phones();
        Self {
            plan,
            began: now,
            stages: vec![Stage::Off; phones],
            left: vec![plan.cycles.max(1); phones],
            started: 0,
            settled: 0,
            settled_at: None,
            rounds: 0,
        }
    }

    /// Phones that have begun.
    pub fn started(&self) -> usize {
        self.started
    }
    /// Phones that have got where the plan wants them.
    pub fn settled(&self) -> usize {
        self.settled
    }
    /// Whole cycles so far.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }
    /// When all had got there.
    pub fn settled_at(&self) -> Option<Millis> {
        self.settled_at
    }
    /// Whether the run is over.
    pub fn is_over(&self, now: Millis) -> bool {
        self.settled_at.is_some_and(|at| now.since(at) >= self.plan.hold)
    }

    /// When [`Driver::step`] has something to do even if nothing happens.
    pub fn deadline(&self) -> Option<Millis> {
        if self.started < self.stages.len() {
            let next = (self.started as u64 + 1) * 1000 / u64::from(self.plan.per_second.max(1));
            return Some(self.began.plus(Duration::from_millis(next)));
        }
        self.settled_at.map(|at| at.plus(self.plan.hold))
    }

    /// Looks at what happened and gives the next commands. Whether it gave any.
    pub fn step<W: N2Wire>(&mut self, world: &mut World<W>, now: Millis) -> bool {
        let mut done = self.start(world, now);
        for event in world.take_events() {
            if let Happened::Phone(id, event) = event {
                done |= self.advance(world, id, &event, now);
            }
        }
        if self.settled == self.stages.len() && self.settled_at.is_none() {
            self.settled_at = Some(now);
        }
        done
    }

    fn start<W: N2Wire>(&mut self, world: &mut World<W>, now: Millis) -> bool {
        let due = match self.plan.scenario {
            Scenario::Storm => self.stages.len(),
            _ => {
                let due = now.since(self.began).as_millis() as u64 * u64::from(self.plan.per_second.max(1)) / 1000;
                usize::try_from(due).unwrap_or(usize::MAX).min(self.stages.len())
            }
        };
        let any = self.started < due;
        while self.started < due {
            let id = PhoneId(self.started as u32);
            self.stages[self.started] = Stage::Registering;
            self.started += 1;
            world.power_on(id, now);
        }
        any
    }

    fn advance<W: N2Wire>(&mut self, world: &mut World<W>, id: PhoneId, event: &Event, now: Millis) -> bool {
        let Some(stage) = self.stages.get(id.0 as usize).copied() else { return false };
        match (stage, event) {
            (Stage::Registering, Event::Registered { kind: RegistrationKind::Initial }) => {
                let waits = world.phone(id).is_some_and(|phone| phone.sessions().next().is_some());
                match waits {
                    true => self.set(id, Stage::OpeningSession),
                    false => self.arrived(world, id, now),
                }
                true
            }
            (Stage::OpeningSession, Event::SessionUp { .. }) => {
                let pending = world.phone(id).is_some_and(|p| p.sessions().any(|session| !session.is_active()));
                if !pending {
                    self.arrived(world, id, now);
                }
                true
            }
            (Stage::GoingIdle, Event::Idle) => {
                self.set(id, Stage::Serving);
                let psi = world.phone(id).and_then(|phone| phone.sessions().next()).map(|session| session.psi);
                match psi {
                    Some(psi) => world.data_waiting(id, psi, now),
                    None => {
                        world.with_phone(id, now, |phone, io| phone.connect(io));
                    }
                }
                true
            }
            (Stage::Serving, Event::ServiceAccepted) => {
                self.set(id, Stage::Leaving);
                world.deregister(id, now);
                true
            }
            (Stage::Leaving, Event::Deregistered(Ended::Phone)) => {
                self.set(id, Stage::Left);
                true
            }
            (Stage::Left, Event::Idle) => {
                self.rounds += 1;
                let left = &mut self.left[id.0 as usize];
                *left -= 1;
                if *left == 0 {
                    self.settle(id);
                } else {
                    self.set(id, Stage::Registering);
                    world.register(id, now);
                }
                true
            }
            _ => false,
        }
    }

    fn set(&mut self, id: PhoneId, stage: Stage) {
        self.stages[id.0 as usize] = stage;
    }

    fn settle(&mut self, id: PhoneId) {
        self.set(id, Stage::Settled);
        self.settled += 1;
    }

    fn arrived<W: N2Wire>(&mut self, world: &mut World<W>, id: PhoneId, now: Millis) {
        if self.plan.scenario == Scenario::Cycle {
            self.set(id, Stage::GoingIdle);
            world.go_idle(id, now);
        } else {
            self.settle(id);
        }
    }
}

//! What a client holds in memory only; everything else is in the store.

use crate::login::Session;
use crate::mls::OpenMls;
use crate::profile::Profile;
use crate::progress::{Listener, Step, StepState};
use futures::channel::mpsc;
use futures::lock::Mutex;
use pakawaaz_base::GroupId;
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// The MLS engine with what has been loaded into it. Behind an async lock: one operation at a time.
pub(crate) struct Mls {
    pub engine: OpenMls,
    pub loaded: HashSet<GroupId>,
}

/// Volatile state.
#[derive(Default)]
pub(crate) struct Inner {
    /// Server time minus local time, in milliseconds.
    offset: Cell<i64>,
    profile: RefCell<Option<Rc<Profile>>>,
    session: RefCell<Option<Rc<Session>>>,
    /// The MLS engine; none until first needed, and after a failed store commit (then it is loaded again).
    pub mls: Mutex<Option<Mls>>,
    /// Held while records of groups are read, changed and written.
    pub writing: Mutex<()>,
    /// One refresh of the token at a time: two would look like theft to the server.
    pub refreshing: Mutex<()>,
    listener: RefCell<Option<Listener>>,
    step: Cell<Option<Step>>,
    wake: RefCell<Option<mpsc::UnboundedSender<()>>>,
    serial: Cell<u64>,
    /// Missing or damaged log positions that were asked for again by reconnecting.
    asked: RefCell<HashSet<(GroupId, u64)>>,
    /// How often in a row something of a group failed that does not concern the others.
    failures: RefCell<HashMap<GroupId, u32>>,
    /// Epochs in which the elected committer of a removal was given time.
    elections: RefCell<HashSet<(GroupId, u64)>>,
}

impl Inner {
    pub(crate) fn offset(&self) -> i64 {
        self.offset.get()
    }
    pub(crate) fn set_offset(&self, offset: i64) {
        self.offset.set(offset);
    }
    pub(crate) fn profile(&self) -> Option<Rc<Profile>> {
        self.profile.borrow().clone()
    }
    pub(crate) fn set_profile(&self, profile: Rc<Profile>) {
        *self.profile.borrow_mut() = Some(profile);
    }
    pub(crate) fn session(&self) -> Option<Rc<Session>> {
        self.session.borrow().clone()
    }
    pub(crate) fn set_session(&self, session: Option<Rc<Session>>) {
        *self.session.borrow_mut() = session;
    }
    pub(crate) fn set_listener(&self, listener: Option<Listener>) {
        *self.listener.borrow_mut() = listener;
        self.step.set(None);
    }
    pub(crate) fn step(&self, step: Step) {
        self.last_step(StepState::Done);
        self.step.set(Some(step));
        if let Some(listener) = &*self.listener.borrow() {
            listener(step, StepState::Running);
        }
    }
    pub(crate) fn last_step(&self, state: StepState) {
        if let (Some(step), Some(listener)) = (self.step.take(), &*self.listener.borrow()) {
            listener(step, state);
        }
    }
    /// Secrets leave memory.
    pub(crate) fn forget(&self) {
        *self.profile.borrow_mut() = None;
        *self.session.borrow_mut() = None;
        if let Some(mut mls) = self.mls.try_lock() {
            *mls = None;
        }
    }
    /// Where the running connection hears that there is something to send.
    pub(crate) fn set_wake(&self, wake: mpsc::UnboundedSender<()>) {
        *self.wake.borrow_mut() = Some(wake);
    }
    /// There is something to send.
    pub(crate) fn wake(&self) {
        if let Some(wake) = &*self.wake.borrow() {
            // Nobody listening means nobody is connected: the next connection looks anyway.
            let _ = wake.unbounded_send(());
        }
    }
    /// Whether a missing position was asked for before; remembers it.
    pub(crate) fn asked_again(&self, group: GroupId, seq: u64) -> bool {
        !self.asked.borrow_mut().insert((group, seq))
    }
    /// Whether a position was asked for again.
    pub(crate) fn has_asked(&self, group: GroupId, seq: u64) -> bool {
        self.asked.borrow().contains(&(group, seq))
    }
    /// Something of this group failed: how often in a row by now.
    pub(crate) fn failed_again(&self, group: GroupId) -> u32 {
        let mut failures = self.failures.borrow_mut();
        let times = failures.entry(group).or_default();
        *times = times.saturating_add(1);
        *times
    }
    /// Whether it has failed and not worked since.
    pub(crate) fn is_failing(&self, group: GroupId) -> bool {
        self.failures.borrow().contains_key(&group)
    }
    /// It works again.
    pub(crate) fn works(&self, group: GroupId) {
        self.failures.borrow_mut().remove(&group);
    }
    /// Whether the elected committer of this epoch has had its time; starts it.
    pub(crate) fn waited_for_election(&self, group: GroupId, epoch: u64) -> bool {
        !self.elections.borrow_mut().insert((group, epoch))
    }
    /// A number for a request frame.
    pub(crate) fn serial(&self) -> u64 {
        self.serial.set(self.serial.get() + 1);
        self.serial.get()
    }
}

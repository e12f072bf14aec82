//! What a client holds in memory only; everything else is in the store.

use crate::login::Session;
use crate::mls::OpenMls;
use crate::profile::Profile;
use crate::progress::{Listener, Step, StepState};
use crate::standing::CutOff;
use futures::channel::mpsc;
use futures::lock::Mutex;
use pakawaaz_base::{GroupId, Millis};
use pakawaaz_contract::frames::ClientFrame;
use pakawaaz_trust::KnownDevices;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::time::Duration;

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
    /// Who is believed, once it has been read from the store.
    pub known: RefCell<Option<KnownDevices>>,
    /// The MLS engine; none until first needed, and after a failed store commit (then it is loaded again).
    pub mls: Mutex<Option<Mls>>,
    /// Held while records of groups are read, changed and written.
    pub writing: Mutex<()>,
    /// One refresh of the token at a time: two would look like theft to the server.
    pub refreshing: Mutex<()>,
    /// The server ended the last session because official, device or SIM was cut off.
    pub cut_off: Cell<Option<CutOff>>,
    /// The last connection ended because the server did not take the access token, and that was renewed.
    pub renewed: Cell<bool>,
    listener: RefCell<Option<Listener>>,
    step: Cell<Option<Step>>,
    /// The list of conversations as it was last made.
    pub listing: Mutex<crate::listing::Listing>,
    /// Files on their way.
    pub transfers: crate::files::Transfers,
    wake: RefCell<Option<mpsc::UnboundedSender<()>>>,
    serial: Cell<u64>,
    /// That this official writes or has stopped, and when; sent if there is a connection, else forgotten.
    typing: RefCell<BTreeMap<GroupId, Typing>>,
    /// Missing or damaged log positions that were asked for again by reconnecting.
    asked: RefCell<HashSet<(GroupId, u64)>>,
    /// How often in a row something of a group failed that does not concern the others.
    failures: RefCell<HashMap<GroupId, u32>>,
    /// Epochs in which the elected committer of a removal was given time.
    elections: RefCell<HashSet<(GroupId, u64)>>,
}

/// What was last to be said about writing in a conversation.
struct Typing {
    on: bool,
    at: Millis,
    sent: bool,
}

/// Writing is told again after this long, so that others may forget it after twice as long.
const TYPING_AGAIN: Duration = Duration::from_secs(4);

impl Inner {
    /// Keeps that this official writes, or has stopped. False when others know already.
    pub(crate) fn set_typing(&self, group: GroupId, on: bool, now: Millis) -> bool {
        let mut typing = self.typing.borrow_mut();
        let known = match typing.get(&group) {
            Some(last) => last.on == on && (!on || now.since(last.at) < TYPING_AGAIN),
            None => !on,
        };
        if !known {
            typing.insert(group, Typing { on, at: now, sent: false });
        }
        !known
    }
    /// What passes and is not kept: who could not be told at once is not told.
    pub(crate) fn take_passing(&self, now: Millis) -> Vec<ClientFrame> {
        let mut typing = self.typing.borrow_mut();
        let mut out = Vec::new();
        for (group, t) in typing.iter_mut().filter(|(_, t)| !t.sent) {
            t.sent = true;
            if now.since(t.at) < TYPING_AGAIN {
                out.push(ClientFrame::Typing { group: *group, on: t.on });
            }
        }
        typing.retain(|_, t| t.on);
        out
    }
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
        *self.known.borrow_mut() = None;
        if let Some(mut mls) = self.mls.try_lock() {
            *mls = None;
        }
        // While it is being made it is held; whoever makes it then finds the profile closed and throws it away.
        if let Some(mut listing) = self.listing.try_lock() {
            *listing = Default::default();
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

//! How far a login or an enrolment has come, for a screen that shows the factors as they are proven.

use crate::{Client, Platform, Store, Transport};
use serde::{Deserialize, Serialize};

/// A step of enrolment or login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Enrolment: the voucher leads to this server.
    Voucher,
    /// Enrolment: keys are made.
    Keys,
    /// The password is set, or proven.
    Password,
    /// The SIM answers.
    Sim,
    /// Enrolment: certificates arrived and are checked.
    Certificate,
    /// Enrolment: the profile is stored.
    Saved,
    /// Login: the device key signs.
    Device,
    /// Login: both sides have confirmed, and the session is stored.
    Session,
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It has begun.
    Running,
    /// It succeeded.
    Done,
    /// It failed; the call returns the error.
    Refused,
}

/// Who hears of steps.
pub(crate) type Listener = Box<dyn Fn(Step, StepState)>;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Calls `listener` at every step of the next logins and enrolments (none: no more).
    pub fn on_step(&self, listener: Option<Listener>) {
        self.inner.set_listener(listener);
    }
    /// One step begins; the one before it is done.
    pub(crate) fn step(&self, step: Step) {
        self.inner.step(step);
    }
    /// The last step is done, or was refused.
    pub(crate) fn last_step(&self, done: bool) {
        self.inner.last_step(if done { StepState::Done } else { StepState::Refused });
    }
}

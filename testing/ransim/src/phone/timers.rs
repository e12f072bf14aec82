//! Running timers of the 5GMM sublayer. Those of a session are in the session.

use pakawaaz_base::Millis;
use std::time::Duration;

/// A 5GMM timer by its name in TS 24.501.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Registration unanswered.
    T3510,
    /// Registration again.
    T3511,
    /// Registration again, after five attempts.
    T3502,
    /// Periodic registration.
    T3512,
    /// Validity of the stored RAND and RES*.
    T3516,
    /// Service request unanswered.
    T3517,
    /// Authentication failure unanswered.
    T3520,
    /// Deregistration unanswered.
    T3521,
    /// Service request again.
    T3525,
    /// Connection without use.
    T3540,
    /// Congestion.
    T3346,
    /// After a refusal that nobody vouched for (§5.3.20).
    T3247,
}

const ALL: [Timer; 12] = [
    Timer::T3510,
    Timer::T3511,
    Timer::T3502,
    Timer::T3512,
    Timer::T3516,
    Timer::T3517,
    Timer::T3520,
    Timer::T3521,
    Timer::T3525,
    Timer::T3540,
    Timer::T3346,
    Timer::T3247,
];

/// When each of them ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers([Option<Millis>; ALL.len()]);

impl Timers {
    pub(super) fn start(&mut self, timer: Timer, now: Millis, after: Duration) {
        self.0[timer as usize] = Some(now.plus(after));
    }
    pub(super) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }
    pub(super) fn stop_all(&mut self) {
        *self = Self::default();
    }
    pub(super) fn running(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }
    pub(super) fn end(&self, timer: Timer) -> Option<Millis> {
        self.0[timer as usize]
    }
    /// The earliest end.
    pub(super) fn next(&self) -> Option<Millis> {
        self.0.iter().flatten().min().copied()
    }
    /// One timer that has ended, which is stopped; call again until there is none.
    pub(super) fn expired(&mut self, now: Millis) -> Option<Timer> {
        let timer = ALL.into_iter().find(|t| self.0[*t as usize].is_some_and(|end| end <= now))?;
        self.stop(timer);
        Some(timer)
    }
}

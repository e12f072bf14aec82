//! Counts and times of what phones and gNBs do.

use crate::gnb::GnbEvent;
use crate::phone::{Ended, Event, RegistrationKind};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Times of one procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times(Vec<u32>);

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
    }
    /// How many.
    pub fn count(&self) -> usize {
        self.0.len()
    }
    /// The time in milliseconds that `percent` of them took at most; none when there are none.
    pub fn percentile(&self, percent: u8) -> Option<u32> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last * usize::from(percent.min(100))).div_ceil(100)).copied()
    }
}

/// What is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Times by procedure: `registration`, `session`, `service`, `deregistration`.
    pub times: BTreeMap<&'static str, Times>,
    /// What happened how often, by a stable word.
    pub counts: BTreeMap<&'static str, u64>,
    /// Refusals and failures, by a stable word and the cause.
    pub failures: BTreeMap<String, u64>,
}

impl Measure {
    /// How often something happened.
    pub fn count(&self, what: &str) -> u64 {
        self.counts.get(what).copied().unwrap_or_default()
    }
    /// All failures together.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
    pub(crate) fn time(&mut self, what: &'static str, time: Duration) {
        self.times.entry(what).or_default().add(time);
    }
    /// Counts one thing.
    pub fn add(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }
    /// Counts one failure.
    pub fn fail(&mut self, what: impl Into<String>) {
        *self.failures.entry(what.into()).or_default() += 1;
    }

    pub(crate) fn phone(&mut self, event: &Event) {
        match event {
            Event::Authenticated(_) => self.add("authenticated"),
            Event::Registered { kind: RegistrationKind::Initial } => self.add("registered"),
            Event::Registered { kind: RegistrationKind::Mobility } => self.add("registered.mobility"),
            Event::Registered { kind: RegistrationKind::Periodic } => self.add("registered.periodic"),
            Event::ServiceAccepted => self.add("service"),
            Event::Paged => self.add("paged"),
            Event::SessionUp { .. } => self.add("session"),
            Event::SessionModified { .. } => self.add("session.modified"),
            Event::SessionDown { .. } => self.add("session.down"),
            Event::ConfigurationUpdated => self.add("configuration"),
            Event::GutiChanged => self.add("guti"),
            Event::Idle => self.add("idle"),
            Event::Deregistered(Ended::Phone | Ended::SwitchedOff) => self.add("deregistered"),
            Event::Deregistered(Ended::Network { .. }) => self.add("deregistered.network"),
            Event::Deregistered(Ended::Unknown) => self.fail("forgotten by the network"),
            Event::Refused(fault) => self.fail(format!("network refused: {fault:?}")),
            Event::Dropped(why) => self.fail(format!("downlink dropped: {why:?}")),
            Event::RegistrationRejected { cause, .. } => self.fail(format!("registration rejected: #{cause}")),
            Event::AuthenticationRejected => self.fail("authentication rejected"),
            Event::RegistrationTimedOut => self.fail("registration timed out"),
            Event::ServiceRejected { cause } => self.fail(format!("service rejected: #{cause}")),
            Event::ServiceTimedOut => self.fail("service request timed out"),
            Event::SessionRejected { cause, .. } => self.fail(format!("session rejected: #{cause}")),
            Event::ModificationRejected { cause, .. } => self.fail(format!("modification rejected: #{cause}")),
            Event::Status { cause } => self.fail(format!("status: #{cause}")),
        }
    }

    pub(crate) fn gnb(&mut self, event: &GnbEvent) {
        match event {
            GnbEvent::Ready { .. } => self.add("gnb.ready"),
            GnbEvent::ContextSetUp { .. } => self.add("gnb.context"),
            GnbEvent::ResourceUp { .. } => self.add("gnb.resource"),
            GnbEvent::Overload { .. } => self.add("gnb.overload"),
            GnbEvent::SetupRefused { cause } => self.fail(format!("gNB refused: {cause}")),
            GnbEvent::ErrorIndication { cause } => self.fail(format!("error indication: {cause}")),
            GnbEvent::Malformed { what } => self.fail(format!("core sent a malformed {what}")),
            GnbEvent::UserPlaneUnprotected { .. } => self.fail("user plane without integrity"),
            GnbEvent::Lost => self.fail("association lost"),
            GnbEvent::Reset { .. } => self.add("gnb.reset"),
            GnbEvent::ConfigurationTaken(false) => self.fail("configuration refused"),
            _ => {}
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16} {:>9} {:>9} {:>9} {:>9}", "procedure", "count", "p50 ms", "p99 ms", "max ms")?;
        for (what, times) in &self.times {
            let at = |percent| times.percentile(percent).unwrap_or_default();
            writeln!(f, "{what:<16} {:>9} {:>9} {:>9} {:>9}", times.count(), at(50), at(99), at(100))?;
        }
        for (what, count) in &self.counts {
            writeln!(f, "{what:<30} {count:>9}")?;
        }
        for (what, count) in &self.failures {
            writeln!(f, "FAILED {what:<50} {count:>9}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let mut times = Times::default();
        assert_eq!(times.percentile(50), None);
        for ms in (1..=100).rev() {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!(
            (times.percentile(0), times.percentile(50), times.percentile(99), times.percentile(100)),
            (Some(1), Some(51), Some(100), Some(100))
        );
    }
}

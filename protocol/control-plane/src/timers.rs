//! Everything that is due at some time, in one queue. A timer that was replaced or stopped is recognised by its number, so
//! owners keep the [`TimerId`] and compare.

use crate::identifiers::AssociationId;
use crate::ue::UeKey;
use pakawaaz_base::Millis;
use std::collections::BTreeMap;

/// A running timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId(i64, u64);

/// Timers of one phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UeTimer {
    /// A NAS message is repeated: T3550, T3555, T3560, T3570, T3522.
    Nas,
    /// The gNB owes an answer.
    Ngap,
    /// The vault owes an answer.
    Vault,
    /// A connection without a registered phone ends.
    Guard,
    /// An idle phone was not heard of for too long (mobile reachable and implicit deregistration).
    Silence,
    /// T3513.
    Paging,
}

/// Timers of one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionTimer {
    /// T3591 or T3592.
    Nas,
    /// The gNB owes an answer.
    Ngap,
    /// The user plane owes an answer.
    UserPlane,
}

/// Who is to be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// A phone.
    Ue(UeKey, UeTimer),
    /// A session of a phone, by its identity.
    Session(UeKey, u8, SessionTimer),
    /// A gNB owes an answer to an AMF configuration update, or its setup.
    Gnb(AssociationId),
}

/// The queue.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    queue: BTreeMap<TimerId, Timer>,
    last: u64,
}

impl Timers {
    pub(crate) fn start(&mut self, at: Millis, timer: Timer) -> TimerId {
        self.last += 1;
        let id = TimerId(at.0, self.last);
        self.queue.insert(id, timer);
        id
    }
    pub(crate) fn stop(&mut self, id: Option<TimerId>) {
        if let Some(id) = id {
            self.queue.remove(&id);
        }
    }
    pub(crate) fn next(&self) -> Option<Millis> {
        self.queue.keys().next().map(|id| Millis(id.0))
    }
    pub(crate) fn due(&mut self, now: Millis) -> Option<(TimerId, Timer)> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= now.0).then(|| first.remove_entry())
    }
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_come_in_order_and_a_stopped_one_does_not_come() {
        let mut timers = Timers::default();
        let gnb = |n| Timer::Gnb(AssociationId(n));
        timers.start(Millis(20), gnb(2));
        let stopped = timers.start(Millis(10), gnb(1));
        timers.start(Millis(10), gnb(3));
        timers.stop(Some(stopped));
        assert_eq!(timers.next(), Some(Millis(10)));
        assert_eq!(timers.due(Millis(9)), None);
        assert_eq!(timers.due(Millis(30)).map(|t| t.1), Some(gnb(3)));
        assert_eq!(timers.due(Millis(30)).map(|t| t.1), Some(gnb(2)));
        assert_eq!(timers.due(Millis(30)), None);
        assert_eq!(timers.len(), 0);
    }
}

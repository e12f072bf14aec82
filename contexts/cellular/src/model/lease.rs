//! Which of several nodes over one database runs the core. Pure: time is an argument, and each node's own; no two clocks are
//! ever compared.
//!
//! There is one row. Its holder lets it beat; who waits takes it when it has seen the same beat for a whole lease. A holder
//! counts from before it wrote a beat, and only for [`Terms::holds`], which is shorter; who waits counts from after reading it.
//! So a holder has stopped to send before another begins, however long either was stopped or a message was on its way, as long
//! as the nodes' clocks run at about the same rate. What a holder writes does not depend on clocks at all: each transaction
//! names the epoch, which rises when the lease is taken.

use pakawaaz_base::Millis;
use std::time::Duration;

/// How long everything lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms(Duration);

impl Terms {
    /// For a lease of this length.
    pub fn new(lease: Duration) -> Self {
        Self(lease)
    }
    /// Who waits takes the lease of somebody who was silent for this long.
    pub fn lease(self) -> Duration {
        self.0
    }
    /// A holder may act for this long after the beginning of its last renewal.
    pub fn holds(self) -> Duration {
        self.0 * 2 / 3
    }
    /// Between two renewals, and between two looks of whoever waits.
    pub fn every(self) -> Duration {
        self.0 / 6
    }
    /// From `now` to the next renewal, when the last attempt began at `began`. What it took counts: a lease holds from there, and
    /// after one that took long there may be next to nothing left of it.
    pub fn pause(self, began: Millis, now: Millis) -> Duration {
        self.every().saturating_sub(now.since(began))
    }
}

/// The row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Counts cores: rises whenever the lease is taken.
    pub epoch: i64,
    /// Signs of life.
    pub beat: i64,
    /// Which node; none: it was given up.
    pub holder: Option<String>,
}

/// Why a lease can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Free {
    /// Nobody had it, or it was given up in order.
    GivenUp,
    /// It is this node's own, from a process that has ended.
    Own,
    /// Its holder has fallen silent.
    Silent,
}

/// Waits for the lease.
#[derive(Debug)]
pub struct Waiting {
    terms: Terms,
    seen: Option<(Row, Millis)>,
}

impl Waiting {
    /// From now on.
    pub fn new(terms: Terms) -> Self {
        Self { terms, seen: None }
    }

    /// The row was read; `now` is after that. Whether it can be taken, by [`crate::store::lease::take`] with this very row.
    pub fn see(&mut self, row: &Row, node: &str, now: Millis) -> Option<Free> {
        let since = match &self.seen {
            Some((seen, since)) if seen == row => *since,
            _ => self.seen.insert((row.clone(), now)).1,
        };
        match row.holder.as_deref() {
            None => Some(Free::GivenUp),
            Some(holder) if holder == node => Some(Free::Own),
            Some(_) if now.since(since) >= self.terms.lease() => Some(Free::Silent),
            Some(_) => None,
        }
    }
}

/// A lease that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its epoch.
    pub epoch: i64,
    /// Somebody else has it.
    pub lost: bool,
    until: Millis,
    terms: Option<Terms>,
}

impl Held {
    /// Taken by a transaction that began at `began`.
    pub fn new(epoch: i64, terms: Terms, began: Millis) -> Self {
        Self { epoch, lost: false, until: began.plus(terms.holds()), terms: Some(terms) }
    }
    /// Of a database that no other node can have: it never ends by itself.
    pub fn alone(epoch: i64) -> Self {
        Self { epoch, lost: false, until: Millis(i64::MAX), terms: None }
    }
    /// Renewed by a transaction that began at `began`.
    pub fn renewed(&mut self, began: Millis) {
        if let Some(terms) = self.terms {
            self.until = self.until.max(began.plus(terms.holds()));
        }
    }
    /// Whether the core may act.
    pub fn is_valid(&self, now: Millis) -> bool {
        self.left(now).is_some()
    }
    /// For how long the core may act; none: it may not.
    pub fn left(&self, now: Millis) -> Option<Duration> {
        (!self.lost && now < self.until).then(|| self.until.since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TERMS: Terms = Terms(Duration::from_millis(6000));

    fn row(epoch: i64, beat: i64, holder: Option<&str>) -> Row {
        Row { epoch, beat, holder: holder.map(str::to_owned) }
    }

    #[test]
    fn only_who_is_silent_for_a_whole_lease_loses_it() {
        let (mut waiting, held) = (Waiting::new(TERMS), row(1, 5, Some("a")));
        assert_eq!(waiting.see(&held, "b", Millis(1000)), None);
        assert_eq!(waiting.see(&held, "b", Millis(6999)), None);
        assert_eq!(waiting.see(&row(1, 6, Some("a")), "b", Millis(7000)), None, "a sign of life");
        assert_eq!(waiting.see(&row(1, 6, Some("a")), "b", Millis(12_999)), None);
        assert_eq!(waiting.see(&row(1, 6, Some("a")), "b", Millis(13_000)), Some(Free::Silent));
    }

    #[test]
    fn a_lease_that_was_given_up_or_is_ones_own_is_taken_at_once() {
        let mut waiting = Waiting::new(TERMS);
        assert_eq!(waiting.see(&row(1, 6, None), "b", Millis(0)), Some(Free::GivenUp));
        assert_eq!(waiting.see(&row(1, 6, Some("b")), "b", Millis(0)), Some(Free::Own));
    }

    #[test]
    fn a_holder_stops_by_itself_and_goes_on_when_it_could_renew() {
        let mut held = Held::new(1, TERMS, Millis(0));
        assert!(held.is_valid(Millis(3999)) && !held.is_valid(Millis(4000)));
        assert_eq!((held.left(Millis(3000)), held.left(Millis(4000))), (Some(Duration::from_secs(1)), None));
        held.renewed(Millis(5000));
        assert!(held.is_valid(Millis(8999)) && !held.is_valid(Millis(9000)));
        held.lost = true;
        assert!(!held.is_valid(Millis(5000)));
        assert!(Held::alone(1).is_valid(Millis(i64::MAX - 1)));
    }

    /// A node whose database had been away got its lease back with a moment left of it, took its gNBs, and let them go again.
    #[test]
    fn after_a_slow_renewal_the_next_one_comes_before_the_lease_is_over() {
        let next = |began: i64, now: i64| Millis(now).plus(TERMS.pause(Millis(began), Millis(now)));
        assert_eq!(next(5000, 5000), Millis(6000));
        assert_eq!(next(5000, 5400), Millis(6000), "counted from the beginning");
        assert_eq!(next(5000, 8900), Millis(8900), "at once");
    }

    /// What a node does next. Each may be stopped between any two steps, for any time.
    #[derive(Clone, Debug)]
    enum Step {
        Pass(u16),
        Begin(usize),
        Commit(usize),
        Learn(usize),
        Look(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let node = 0..3usize;
        let step = prop_oneof![
            3 => (1..3000u16).prop_map(Step::Pass),
            2 => node.clone().prop_map(Step::Begin),
            2 => node.clone().prop_map(Step::Commit),
            2 => node.clone().prop_map(Step::Learn),
            3 => node.prop_map(Step::Look),
        ];
        prop::collection::vec(step, 1..200)
    }

    #[derive(Default)]
    struct Node {
        held: Option<Held>,
        waiting: Option<Waiting>,
        read: Option<Row>,
        /// A renewal that began then; whether and how it was committed.
        renewing: Option<(Millis, Option<bool>)>,
    }

    proptest! {
        /// Three nodes over one row, each step of each at any time, answers late or never: no two may act at one time.
        #[test]
        fn no_two_hold_it_at_one_time(steps in steps()) {
            let (mut now, mut stored) = (Millis(0), Row::default());
            let mut nodes: Vec<Node> = (0..3).map(|_| Node::default()).collect();
            for step in steps {
                match step {
                    Step::Pass(ms) => now = now.plus(Duration::from_millis(ms.into())),
                    Step::Begin(n) => {
                        let node = &mut nodes[n];
                        if node.held.is_some() && node.renewing.is_none() {
                            node.renewing = Some((now, None));
                        }
                    }
                    Step::Commit(n) => {
                        let node = &mut nodes[n];
                        if let (Some(held), Some((_, done @ None))) = (&node.held, &mut node.renewing) {
                            let ours = stored.epoch == held.epoch;
                            stored.beat += i64::from(ours);
                            *done = Some(ours);
                        }
                    }
                    Step::Learn(n) => {
                        let node = &mut nodes[n];
                        match node.renewing {
                            Some((began, Some(true))) => {
                                if let Some(held) = &mut node.held { held.renewed(began) }
                                node.renewing = None;
                            }
                            Some((_, Some(false))) => *node = Node::default(),
                            _ => {}
                        }
                    }
                    Step::Look(n) => {
                        let name = ["a", "b", "c"][n];
                        let node = &mut nodes[n];
                        if node.held.is_some() { continue }
                        // What was read last time may be old by now.
                        if let Some(seen) = node.read.take() {
                            let waiting = node.waiting.get_or_insert_with(|| Waiting::new(TERMS));
                            if waiting.see(&seen, name, now).is_some() {
                                let began = now;
                                if (stored.epoch, stored.beat) == (seen.epoch, seen.beat) {
                                    stored = row(seen.epoch + 1, seen.beat + 1, Some(name));
                                    node.held = Some(Held::new(stored.epoch, TERMS, began));
                                    node.waiting = None;
                                }
                            }
                        } else {
                            node.read = Some(stored.clone());
                        }
                    }
                }
                let acting = nodes.iter().filter(|node| node.held.is_some_and(|held| held.is_valid(now))).count();
                prop_assert!(acting <= 1);
            }
        }
    }
}

//! Traces of single phones: what was written down of each, and for how long.
//!
//! A trace shows where an official is and what the phone does, so it ends by itself, is in memory only, and is bounded.

use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::trace::Entry;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// Phones whose traces are held at once.
pub const MOST: usize = 8;
/// Messages that are held of one phone; the oldest ones make room.
pub const MESSAGES: usize = 1000;
/// Their bytes, with the names.
pub const BYTES: usize = 256 * 1024;
/// After this long a trace ends by itself.
pub const LASTS: Duration = Duration::from_secs(3600);
/// What was written down can be read for so long after the end.
pub const KEPT: Duration = Duration::from_secs(3600);

/// Names a trace for as long as its end is owed to the audit log.
pub type TraceId = [u8; 16];

/// One phone's trace.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Its name.
    pub id: TraceId,
    /// When it began.
    pub began: Millis,
    /// When it ends, or has ended.
    pub until: Millis,
    /// More is being written down.
    pub on: bool,
    /// The last messages, in order.
    pub entries: VecDeque<Entry>,
    /// Older ones that had to make room.
    pub dropped: u64,
    bytes: usize,
}

impl Trace {
    fn add(&mut self, entry: Entry) {
        self.bytes += size(&entry);
        self.entries.push_back(entry);
        while self.entries.len() > MESSAGES || self.bytes > BYTES {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes -= size(&oldest);
            self.dropped += 1;
        }
    }
}

fn size(entry: &Entry) -> usize {
    entry.name.len() + entry.bytes.len()
}

/// All of them.
#[derive(Debug, Default)]
pub struct Traces(HashMap<Imsi, Trace>);

impl Traces {
    /// Whether a phone can be traced: not when as many others are as can be.
    pub fn fits(&self, imsi: &Imsi) -> bool {
        self.0.len() < MOST || self.0.contains_key(imsi) || self.0.values().any(|trace| !trace.on)
    }

    /// Begins one, with nothing in it, in the place of an older one of the same phone. One that has ended makes room when
    /// there are as many as can be. Whether it [fits](Self::fits).
    pub fn begin(&mut self, imsi: Imsi, id: TraceId, now: Millis) -> bool {
        if !self.fits(&imsi) {
            return false;
        }
        if self.0.len() >= MOST && !self.0.contains_key(&imsi) {
            let ended = self.0.iter().filter(|(_, trace)| !trace.on);
            let oldest = ended.min_by_key(|(_, trace)| trace.until).map(|(imsi, _)| *imsi);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        let until = now.plus(LASTS);
        let trace = Trace { id, began: now, until, on: true, entries: VecDeque::new(), dropped: 0, bytes: 0 };
        self.0.insert(imsi, trace);
        true
    }

    /// Ends one; its name if it went on.
    pub fn end(&mut self, imsi: &Imsi, now: Millis) -> Option<TraceId> {
        let trace = self.0.get_mut(imsi).filter(|trace| trace.on)?;
        trace.on = false;
        trace.until = trace.until.min(now);
        Some(trace.id)
    }

    /// One more message of a phone.
    pub fn add(&mut self, imsi: &Imsi, entry: Entry) {
        if let Some(trace) = self.0.get_mut(imsi).filter(|trace| trace.on) {
            trace.add(entry);
        }
    }

    /// Those that have lasted long enough end, and are given; those that have ended long ago are forgotten.
    pub fn expire(&mut self, now: Millis) -> Vec<(Imsi, TraceId)> {
        let due = |trace: &Trace| trace.on && trace.until <= now;
        let found = self.0.iter().filter(|(_, trace)| due(trace));
        let mut ended: Vec<(Imsi, TraceId)> = found.map(|(imsi, trace)| (*imsi, trace.id)).collect();
        ended.sort_unstable();
        for (imsi, _) in &ended {
            self.end(imsi, now);
        }
        self.0.retain(|_, trace| trace.on || trace.until.plus(KEPT) > now);
        ended
    }

    /// When the next one ends by itself.
    pub fn next_end(&self) -> Option<Millis> {
        self.0.values().filter(|trace| trace.on).map(|trace| trace.until).min()
    }

    /// One phone's.
    pub fn get(&self, imsi: &Imsi) -> Option<&Trace> {
        self.0.get(imsi)
    }

    /// All of them, by card.
    pub fn all(&self) -> Vec<(Imsi, &Trace)> {
        let mut all: Vec<_> = self.0.iter().map(|(imsi, trace)| (*imsi, trace)).collect();
        all.sort_unstable_by_key(|(imsi, _)| *imsi);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);
    const ID: TraceId = [7; 16];

    fn imsi(n: usize) -> Imsi {
        Imsi::new(&format!("41099{n:010}")).unwrap()
    }

    fn entry(bytes: usize) -> Entry {
        Entry { at: NOW, downlink: false, name: String::new(), bytes: vec![1; bytes] }
    }

    #[test]
    fn a_trace_ends_by_itself_and_is_forgotten_later() {
        let mut traces = Traces::default();
        assert!(traces.begin(imsi(1), ID, NOW));
        let until = NOW.plus(LASTS);
        traces.add(&imsi(1), entry(10));
        traces.add(&imsi(2), entry(10));
        assert!(traces.get(&imsi(2)).is_none(), "of nobody else");
        assert!(traces.expire(Millis(until.0 - 1)).is_empty());
        assert_eq!(traces.next_end(), Some(until));
        assert_eq!(traces.expire(until), [(imsi(1), ID)]);
        assert!(traces.expire(until).is_empty() && traces.next_end().is_none(), "said once");
        traces.add(&imsi(1), entry(10));
        assert_eq!(traces.get(&imsi(1)).unwrap().entries.len(), 1, "nothing more, and still to be read");
        assert_eq!(traces.end(&imsi(1), until), None, "it has ended");
        traces.expire(until.plus(KEPT));
        assert!(traces.get(&imsi(1)).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut traces = Traces::default();
        traces.begin(imsi(1), ID, NOW);
        (0..MESSAGES + 7).for_each(|_| traces.add(&imsi(1), entry(1)));
        let trace = traces.get(&imsi(1)).unwrap();
        assert_eq!((trace.entries.len(), trace.dropped), (MESSAGES, 7));
        (0..100).for_each(|_| traces.add(&imsi(1), entry(BYTES / 10)));
        let held: usize = traces.get(&imsi(1)).unwrap().entries.iter().map(size).sum();
        assert!(held <= BYTES && held == traces.get(&imsi(1)).unwrap().bytes);
        traces.add(&imsi(1), entry(BYTES + 1));
        assert!(traces.get(&imsi(1)).unwrap().entries.is_empty(), "one that is too large alone");
    }

    #[test]
    fn there_are_only_so_many_and_an_ended_one_makes_room() {
        let mut traces = Traces::default();
        (0..MOST).for_each(|n| assert!(traces.begin(imsi(n), ID, NOW)));
        assert!(!traces.begin(imsi(99), ID, NOW));
        assert!(traces.begin(imsi(3), ID, NOW), "the same phone anew");
        assert_eq!(traces.end(&imsi(5), NOW), Some(ID));
        assert!(traces.begin(imsi(99), ID, NOW));
        assert!(traces.get(&imsi(5)).is_none() && traces.all().len() == MOST);
    }
}

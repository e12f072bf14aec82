//! The newest entries of followed groups as encoded frames: what was just stored need not be read back and encoded
//! again for every recipient. Only a shortcut; whoever does not find a gapless continuation here asks the database.

use axum::body::Bytes;
use pakawaaz_base::GroupId;
use pakawaaz_contract::frames::{LogEntry, ServerFrame};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Entries kept for each group.
const PER_GROUP: usize = 128;
/// Bytes kept in all.
const MAX_BYTES: usize = 32 * 1024 * 1024;

#[derive(Default)]
pub struct Recent(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    groups: HashMap<GroupId, VecDeque<Frame>>,
    bytes: usize,
}

/// An encoded entry.
#[derive(Clone, Debug)]
pub struct Frame {
    pub seq: u64,
    pub epoch: u64,
    pub bytes: Bytes,
}

impl Recent {
    pub fn push(&self, entry: &LogEntry) {
        let frame = Bytes::from(ServerFrame::Log(entry.clone()).encode());
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.bytes + frame.len() > MAX_BYTES {
            *inner = Inner::default();
        }
        let mut change = frame.len() as isize;
        let queue = inner.groups.entry(entry.group).or_default();
        // Commits and appends report independently, so an entry may come late; then the queue starts anew with it.
        if queue.back().is_some_and(|last| last.seq + 1 != entry.seq) {
            change -= queue.drain(..).map(|f| f.bytes.len() as isize).sum::<isize>();
        }
        queue.push_back(Frame { seq: entry.seq, epoch: entry.epoch, bytes: frame });
        if queue.len() > PER_GROUP {
            change -= queue.pop_front().map_or(0, |f| f.bytes.len() as isize);
        }
        inner.bytes = inner.bytes.saturating_add_signed(change);
    }

    /// The entries that continue gaplessly after `seq`, if the next one is here; none of an epoch above `epoch`.
    pub fn after(&self, group: GroupId, seq: u64, epoch: u64) -> Option<Vec<Frame>> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = inner.groups.get(&group)?;
        let skip = usize::try_from((seq + 1).checked_sub(queue.front()?.seq)?).ok()?;
        let frames: Vec<_> = queue.iter().skip(skip).take_while(|f| f.epoch <= epoch).cloned().collect();
        (!frames.is_empty()).then_some(frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_base::{MessageId, Millis};
    use pakawaaz_contract::frames::LogKind;

    fn entry(seq: u64) -> LogEntry {
        LogEntry {
            group: GroupId::from_bytes([1; 16]),
            seq,
            epoch: u64::from(seq >= 7),
            kind: LogKind::Application,
            message: MessageId::from_bytes([2; 16]),
            at: Millis(0),
            mls: vec![0; 10].into(),
            log_hash: vec![0; 32].into(),
        }
    }

    #[test]
    fn only_gapless_continuations_are_given() {
        let recent = Recent::default();
        let group = entry(1).group;
        let upto =
            |after, epoch| recent.after(group, after, epoch).map(|f| f.iter().map(|f| f.seq).collect::<Vec<_>>());
        let seqs = |after| upto(after, 1);
        for seq in 5..8 {
            recent.push(&entry(seq));
        }
        assert_eq!(seqs(3), None);
        assert_eq!(seqs(4), Some(vec![5, 6, 7]));
        assert_eq!(upto(4, 0), Some(vec![5, 6]), "membership in epoch 1 is not known");
        assert_eq!(upto(6, 0), None);
        assert_eq!(seqs(6), Some(vec![7]));
        assert_eq!(seqs(7), None);
        recent.push(&entry(9));
        assert_eq!(seqs(6), None);
        assert_eq!(seqs(8), Some(vec![9]));
        for seq in 10..10 + 2 * PER_GROUP as u64 {
            recent.push(&entry(seq));
        }
        assert_eq!(seqs(0), None);
        assert!(recent.0.lock().unwrap().bytes < MAX_BYTES);
    }
}

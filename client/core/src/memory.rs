//! A store in memory, for tests: it can fail on demand, as a crash between two batches would.

use crate::store::{Batch, Key, Range, Row, Store, StoreError};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Rows in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: RefCell<BTreeMap<Key, Vec<u8>>>,
    commits: Cell<u64>,
    reads: Cell<u64>,
    calls: Cell<u64>,
    fail_after: Cell<Option<u64>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
    /// Batches committed so far.
    pub fn commits(&self) -> u64 {
        self.commits.get()
    }
    /// Rows looked at so far.
    pub fn reads(&self) -> u64 {
        self.reads.get()
    }
    /// Questions asked so far, however many rows each was about.
    pub fn calls(&self) -> u64 {
        self.calls.get()
    }
    /// Lets `more` further batches succeed, then fails every one (a crash at a batch boundary).
    pub fn crash_after(&self, more: u64) {
        self.fail_after.set(Some(self.commits.get() + more));
    }
    /// A copy of what is durable now: what a restarted process finds.
    pub fn restart(&self) -> Self {
        Self { rows: RefCell::new(self.rows.borrow().clone()), ..Self::default() }
    }
    /// All rows, for tests that look at what an attacker with the disk would see.
    pub fn rows(&self) -> Vec<Row> {
        self.rows.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }
}

impl Store for MemoryStore {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.reads.set(self.reads.get() + 1);
        self.calls.set(self.calls.get() + 1);
        Ok(self.rows.borrow().get(key).cloned())
    }
    async fn scan(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        if range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return Ok(Vec::new());
        }
        let rows = self.rows.borrow();
        let end = match &range.end {
            Some(end) => std::ops::Bound::Excluded(end.clone()),
            None => std::ops::Bound::Unbounded,
        };
        let found = rows.range((std::ops::Bound::Included(range.start), end)).map(|(k, v)| (k.clone(), v.clone()));
        let found: Vec<_> =
            if range.reverse { found.rev().take(range.limit).collect() } else { found.take(range.limit).collect() };
        self.reads.set(self.reads.get() + found.len() as u64);
        self.calls.set(self.calls.get() + 1);
        Ok(found)
    }
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        if self.fail_after.get().is_some_and(|n| self.commits.get() >= n) {
            return Err(StoreError::Failed("crashed".into()));
        }
        let mut rows = self.rows.borrow_mut();
        for key in batch.deletes {
            rows.remove(&key);
        }
        rows.extend(batch.puts);
        self.commits.set(self.commits.get() + 1);
        Ok(())
    }
}

//! A client's store in memory: thousands of clients on one machine must not measure its disk.

use pakawaaz_client::store::{Batch, Key, Range, Row, Store, StoreError};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Rows in memory.
#[derive(Default)]
pub struct Memory(RefCell<BTreeMap<Key, Vec<u8>>>);

impl Store for Memory {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.borrow().get(key).cloned())
    }
    async fn scan(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        if range.end.as_ref().is_some_and(|end| *end <= range.start) {
            return Ok(Vec::new());
        }
        let end = range.end.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.0.borrow();
        let found = rows.range((Bound::Included(range.start), end)).map(|(k, v)| (k.clone(), v.clone()));
        Ok(if range.reverse { found.rev().take(range.limit).collect() } else { found.take(range.limit).collect() })
    }
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut rows = self.0.borrow_mut();
        for key in batch.deletes {
            rows.remove(&key);
        }
        rows.extend(batch.puts);
        Ok(())
    }
}

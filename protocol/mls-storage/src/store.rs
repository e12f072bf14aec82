//! The map and its undo record.

use crate::{StorageError, codec, keys};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// A stored value; wiped on drop.
pub type Value = Zeroizing<Vec<u8>>;
/// Key and value of one row.
pub type Row = (Vec<u8>, Value);

/// Rows to write and to delete, in key order; apply both in one transaction.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// New or changed rows.
    pub puts: Vec<Row>,
    /// Keys of rows to delete.
    pub deletes: Vec<Vec<u8>>,
}

impl ChangeSet {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.deletes.is_empty()
    }
}

impl fmt::Debug for ChangeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChangeSet({} puts, {} deletes)", self.puts.len(), self.deletes.len())
    }
}

#[derive(Default)]
struct Inner {
    rows: BTreeMap<Vec<u8>, Value>,
    /// For every key touched since the last take: what was there before.
    before: BTreeMap<Vec<u8>, Option<Value>>,
}

/// openmls rows in memory, with the difference to what is stored durably.
///
/// Implements openmls' `StorageProvider` (and with it `PublicStorageProvider`). Methods take `&self`; a mutex keeps
/// single calls atomic, but an *operation* of openmls is several calls: one operation at a time for each store.
#[derive(Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        write!(f, "MemoryStore({} rows, {} changed)", inner.rows.len(), inner.before.len())
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
    /// A store holding `rows`, as they are stored durably: nothing counts as changed.
    pub fn from_rows<V: Into<Value>>(rows: impl IntoIterator<Item = (Vec<u8>, V)>) -> Self {
        let store = Self::new();
        store.load(rows);
        store
    }
    /// Adds rows that are stored durably already (a group opened later). Keys with unsaved changes keep them.
    pub fn load<V: Into<Value>>(&self, rows: impl IntoIterator<Item = (Vec<u8>, V)>) {
        let mut inner = self.lock();
        for (key, value) in rows {
            if !inner.before.contains_key(&key) {
                inner.rows.insert(key, value.into());
            }
        }
    }
    /// What changed since the last take, the load or the revert; from then on it counts as stored.
    /// Call [`Self::changes`] instead when the write may fail and must then be undone.
    pub fn take_changes(&self) -> ChangeSet {
        let mut inner = self.lock();
        let changes = inner.changes();
        inner.before.clear();
        changes
    }
    /// The same without forgetting how to undo it: write it, then [`Self::mark_saved`] or [`Self::revert`].
    pub fn changes(&self) -> ChangeSet {
        self.lock().changes()
    }
    /// Whether anything was touched since the last take.
    pub fn is_dirty(&self) -> bool {
        !self.lock().before.is_empty()
    }
    /// What [`Self::changes`] returned is durable now.
    pub fn mark_saved(&self) {
        self.lock().before.clear();
    }
    /// Undoes everything since the last take. openmls objects in memory that were changed meanwhile no longer
    /// match and must be loaded again.
    pub fn revert(&self) {
        let mut inner = self.lock();
        for (key, old) in std::mem::take(&mut inner.before) {
            match old {
                Some(value) => inner.rows.insert(key, value),
                None => inner.rows.remove(&key),
            };
        }
    }
    /// All rows of one group, by its raw MLS group id.
    pub fn rows_of_group(&self, group_id: &[u8]) -> Vec<Row> {
        self.rows_with_prefix(&keys::group_prefix(group_id))
    }
    /// All rows that belong to no group.
    pub fn shared_rows(&self) -> Vec<Row> {
        self.rows_with_prefix(&[keys::SHARED])
    }
    /// All rows whose key starts with `prefix`.
    pub fn rows_with_prefix(&self, prefix: &[u8]) -> Vec<Row> {
        let inner = self.lock();
        inner.range(prefix).map(|(k, v)| (k.clone(), v.clone())).collect()
    }
    /// Deletes every row of a group (recorded as a change): openmls' own `delete` leaves epoch keys behind.
    pub fn delete_group(&self, group_id: &[u8]) {
        let prefix = keys::group_prefix(group_id);
        let mut inner = self.lock();
        let doomed: Vec<_> = inner.range(&prefix).map(|(k, _)| k.clone()).collect();
        for key in doomed {
            inner.set(key, None);
        }
    }
    /// Drops a group's rows from memory without recording a change; `false` (and nothing done) when some are unsaved.
    pub fn unload_group(&self, group_id: &[u8]) -> bool {
        let prefix = keys::group_prefix(group_id);
        let mut inner = self.lock();
        if inner.before.range(prefix.clone()..).next().is_some_and(|(k, _)| k.starts_with(&prefix)) {
            return false;
        }
        let keys: Vec<_> = inner.range(&prefix).map(|(k, _)| k.clone()).collect();
        for key in keys {
            inner.rows.remove(&key);
        }
        true
    }
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.lock().rows.len()
    }
    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn put(&self, key: Vec<u8>, value: Value) {
        self.lock().set(key, Some(value));
    }
    pub(crate) fn remove(&self, key: Vec<u8>) {
        self.lock().set(key, None);
    }
    pub(crate) fn get<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StorageError> {
        self.lock().rows.get(key).map(|v| codec::decode_compact(v)).transpose()
    }
    pub(crate) fn get_described<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StorageError> {
        self.lock().rows.get(key).map(|v| codec::decode_described(v)).transpose()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic elsewhere cannot leave a single map operation half done.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn set(&mut self, key: Vec<u8>, value: Option<Value>) {
        let old = match value {
            Some(value) => self.rows.insert(key.clone(), value),
            None => self.rows.remove(&key),
        };
        self.before.entry(key).or_insert(old);
    }
    fn range<'a>(&'a self, prefix: &'a [u8]) -> impl Iterator<Item = (&'a Vec<u8>, &'a Value)> {
        self.rows.range(prefix.to_vec()..).take_while(move |(k, _)| k.starts_with(prefix))
    }
    fn changes(&self) -> ChangeSet {
        let mut changes = ChangeSet::default();
        for (key, old) in &self.before {
            match (self.rows.get(key), old) {
                (Some(new), Some(old)) if **new == **old => {}
                (Some(new), _) => changes.puts.push((key.clone(), new.clone())),
                (None, Some(_)) => changes.deletes.push(key.clone()),
                (None, None) => {}
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn model(store: &MemoryStore) -> BTreeMap<Vec<u8>, Vec<u8>> {
        store.rows_with_prefix(&[]).into_iter().map(|(k, v)| (k, v.to_vec())).collect()
    }

    fn apply(base: &mut BTreeMap<Vec<u8>, Vec<u8>>, changes: &ChangeSet) {
        for (k, v) in &changes.puts {
            base.insert(k.clone(), v.to_vec());
        }
        for k in &changes.deletes {
            assert!(base.remove(k).is_some(), "a delete names a row that was stored");
        }
    }

    #[derive(Clone, Debug)]
    enum Op {
        Put(u8, u8),
        Remove(u8),
        Take,
        Revert,
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = prop_oneof![
            (0u8..6, any::<u8>()).prop_map(|(k, v)| Op::Put(k, v)),
            (0u8..6).prop_map(Op::Remove),
            Just(Op::Take),
            Just(Op::Revert),
        ];
        proptest::collection::vec(op, 0..40)
    }

    proptest! {
        /// The durable copy plus the change set always equals memory; a revert always equals the durable copy.
        #[test]
        fn durable_copy_follows(ops in ops()) {
            let store = MemoryStore::from_rows([(vec![0], vec![7]), (vec![1], vec![8])]);
            let mut durable = model(&store);
            for op in ops {
                match op {
                    Op::Put(k, v) => store.put(vec![k], vec![v].into()),
                    Op::Remove(k) => store.remove(vec![k]),
                    Op::Take => {
                        apply(&mut durable, &store.take_changes());
                        prop_assert_eq!(&model(&store), &durable);
                    }
                    Op::Revert => {
                        store.revert();
                        prop_assert_eq!(&model(&store), &durable);
                    }
                }
            }
            apply(&mut durable, &store.changes());
            prop_assert_eq!(model(&store), durable);
        }
    }

    #[test]
    fn a_group_id_that_prefixes_another_keeps_its_rows_apart() {
        let store = MemoryStore::new();
        let (a, b) = (keys::group_prefix(b"ab"), keys::group_prefix(b"abc"));
        store.put([a, vec![1]].concat(), vec![1].into());
        store.put([b, vec![1]].concat(), vec![2].into());
        assert_eq!(store.rows_of_group(b"ab").len(), 1);
        store.mark_saved();
        store.delete_group(b"ab");
        assert_eq!((store.rows_of_group(b"ab").len(), store.rows_of_group(b"abc").len()), (0, 1));
        assert!(!store.unload_group(b"ab"), "unsaved changes stay");
        assert!(store.unload_group(b"abc"));
        assert_eq!(store.take_changes().deletes.len(), 1);
    }
}

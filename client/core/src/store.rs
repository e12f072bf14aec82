//! Where a client keeps its state: an ordered map of opaque rows with atomic, durable batches.
//!
//! A store never sees content. Values are sealed by [`crate::vault`] before they arrive here, and keys hold only
//! identifiers and positions. An implementation must pass [`crate::store_conformance`].

/// One key: ordered by its bytes.
pub type Key = Vec<u8>;
/// One row.
pub type Row = (Key, Vec<u8>);

/// Changes that become visible together or not at all. A key must not be both put and deleted in one batch.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Rows to write, replacing what was there.
    pub puts: Vec<Row>,
    /// Keys to remove; a missing one is fine.
    pub deletes: Vec<Key>,
}

impl Batch {
    /// Whether committing it would change nothing.
    pub fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.deletes.is_empty()
    }
}

/// Which rows a scan wants: `start <= key < end`.
#[derive(Clone, Debug)]
pub struct Range {
    /// First key included.
    pub start: Key,
    /// First key excluded; none means to the end.
    pub end: Option<Key>,
    /// Most rows to return.
    pub limit: usize,
    /// Highest key first.
    pub reverse: bool,
}

impl Range {
    /// Every row whose key starts with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: prefix.to_vec(), end: after_prefix(prefix), limit: usize::MAX, reverse: false }
    }
    /// At most `limit` rows.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
    /// From the highest key down.
    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.reverse = true;
        self
    }
    /// Only keys below `key`.
    #[must_use]
    pub fn before(mut self, key: Key) -> Self {
        self.end = Some(match self.end {
            Some(end) if end < key => end,
            _ => key,
        });
        self
    }
}

/// The first key after every key that starts with `prefix`; none when there is no such key.
pub fn after_prefix(prefix: &[u8]) -> Option<Key> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

/// A store failed. The text must be log-safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk is full; nothing of the batch was written.
    #[error("the local store is full")]
    Full,
    /// Another process holds the profile.
    #[error("the profile is in use by another process")]
    Busy,
    /// The medium failed or the file is damaged.
    #[error("the local store failed: {0}")]
    Failed(String),
}

/// The store of one profile. Used by one process at a time (the shell holds the profile lock).
pub trait Store {
    /// The value of `key`.
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// Rows of a range, in key order (or the reverse of it).
    async fn scan(&self, range: Range) -> Result<Vec<Row>, StoreError>;
    /// Applies a batch. When this returns `Ok`, the batch survives power loss; on `Err`, none of it is visible.
    async fn commit(&self, batch: Batch) -> Result<(), StoreError>;
}

impl<S: Store + ?Sized> Store for &S {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(key).await
    }
    async fn scan(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        (**self).scan(range).await
    }
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        (**self).commit(batch).await
    }
}

impl<S: Store + ?Sized> Store for std::rc::Rc<S> {
    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        (**self).get(key).await
    }
    async fn scan(&self, range: Range) -> Result<Vec<Row>, StoreError> {
        (**self).scan(range).await
    }
    async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        (**self).commit(batch).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_after_a_prefix_carries_over_0xff() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(&[1, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff, 0xff]), None);
        assert_eq!(after_prefix(&[]), None);
    }
}

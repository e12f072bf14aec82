//! What every [`Store`] must do. Call [`all`] with a fresh, empty store from the implementation's tests.

use crate::store::{Batch, Range, Store};

/// Runs every check; panics with the reason on the first failure.
pub async fn all<S: Store>(store: &S) {
    get_and_replace(store).await;
    scans(store).await;
    batches(store).await;
    binary_rows(store).await;
}

async fn put(store: &impl Store, rows: &[(&[u8], &[u8])]) {
    let puts = rows.iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
    store.commit(Batch { puts, deletes: Vec::new() }).await.expect("a batch commits");
}

async fn keys(store: &impl Store, range: Range) -> Vec<Vec<u8>> {
    store.scan(range).await.expect("a scan succeeds").into_iter().map(|(k, _)| k).collect()
}

async fn get_and_replace(store: &impl Store) {
    assert_eq!(store.get(b"none").await.expect("get succeeds"), None, "a missing key");
    put(store, &[(b"one", b"1")]).await;
    put(store, &[(b"one", b"2")]).await;
    assert_eq!(store.get(b"one").await.expect("get succeeds").as_deref(), Some(&b"2"[..]), "a put replaces");
    put(store, &[(b"empty", b"")]).await;
    assert_eq!(store.get(b"empty").await.expect("get succeeds").as_deref(), Some(&b""[..]), "an empty value exists");
    store.commit(Batch { puts: vec![], deletes: vec![b"one".to_vec(), b"absent".to_vec()] }).await.expect("deletes");
    assert_eq!(store.get(b"one").await.expect("get succeeds"), None, "a delete removes");
}

async fn scans(store: &impl Store) {
    put(store, &[(b"s/a", b"1"), (b"s/b", b"2"), (b"s/c", b"3"), (b"s0", b"no"), (b"s.", b"no")]).await;
    assert_eq!(keys(store, Range::prefix(b"s/")).await, [b"s/a", b"s/b", b"s/c"], "a prefix, in order");
    assert_eq!(keys(store, Range::prefix(b"s/").newest_first()).await, [b"s/c", b"s/b", b"s/a"], "reversed");
    assert_eq!(keys(store, Range::prefix(b"s/").newest_first().limit(1)).await, [b"s/c"], "the newest one");
    assert_eq!(keys(store, Range::prefix(b"s/").before(b"s/c".to_vec())).await, [b"s/a", b"s/b"], "below a key");
    assert_eq!(keys(store, Range::prefix(b"s/").limit(0)).await, Vec::<Vec<u8>>::new(), "nothing wanted");
    assert!(keys(store, Range::prefix(b"t/")).await.is_empty(), "an empty prefix");
    assert!(keys(store, Range::prefix(b"s/").before(b"s/".to_vec())).await.is_empty(), "an empty range");
}

async fn batches(store: &impl Store) {
    put(store, &[(b"b/1", b"old"), (b"b/2", b"old")]).await;
    let batch = Batch {
        puts: vec![(b"b/1".to_vec(), b"new".to_vec()), (b"b/3".to_vec(), b"new".to_vec())],
        deletes: vec![b"b/2".to_vec()],
    };
    store.commit(batch).await.expect("a mixed batch commits");
    assert_eq!(keys(store, Range::prefix(b"b/")).await, [b"b/1", b"b/3"], "puts and deletes together");
    store.commit(Batch::default()).await.expect("an empty batch is fine");
    let many = (0u32..500).map(|n| ([b"n/", &n.to_be_bytes()[..]].concat(), n.to_be_bytes().to_vec())).collect();
    store.commit(Batch { puts: many, deletes: Vec::new() }).await.expect("a large batch commits");
    let all = store.scan(Range::prefix(b"n/")).await.expect("a scan succeeds");
    assert_eq!(all.len(), 500, "a large batch is whole");
    assert!(all.windows(2).all(|w| w[0].0 < w[1].0), "byte order, not number order of text");
}

async fn binary_rows(store: &impl Store) {
    let value: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    put(store, &[(&[b'x', 0, 0xff, 0x80], &value), (&[b'x', 0xff], b"end")]).await;
    assert_eq!(store.get(&[b'x', 0, 0xff, 0x80]).await.expect("get succeeds"), Some(value), "any bytes, large");
    let found = keys(store, Range::prefix(b"x")).await;
    assert_eq!(found, [vec![b'x', 0, 0xff, 0x80], vec![b'x', 0xff]], "unsigned byte order");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_memory_store_conforms() {
        futures::executor::block_on(super::all(&crate::memory::MemoryStore::new()));
    }
}

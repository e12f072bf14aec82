//! The SQLite store against the suite every store must pass, and what is special about a file.

use pakawaaz_client::store::{Batch, Range, Store};
use pakawaaz_client::{StoreError, store_conformance};
use pakawaaz_client_store_sqlite::SqliteStore;

#[tokio::test]
async fn conforms() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("profile.db")).await.expect("opens");
    store_conformance::all(&store).await;
}

#[tokio::test]
async fn rows_survive_closing_and_opening() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("profile.db");
    let store = SqliteStore::open(&path).await.expect("opens");
    let puts = vec![(b"k".to_vec(), b"v".to_vec())];
    store.commit(Batch { puts, deletes: vec![] }).await.expect("commits");
    store.close().await;
    let again = SqliteStore::open(&path).await.expect("opens again");
    assert_eq!(again.get(b"k").await.expect("reads"), Some(b"v".to_vec()));
}

/// A commit that is dropped half-way (a shell that gives up waiting) must not leave half a batch.
#[tokio::test]
async fn a_dropped_commit_is_whole_or_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("profile.db")).await.expect("opens");
    for polls in 0..40u32 {
        let puts = (0..20u32).map(|n| ([polls.to_be_bytes(), n.to_be_bytes()].concat(), vec![1])).collect();
        let mut commit = Box::pin(store.commit(Batch { puts, deletes: vec![] }));
        for _ in 0..polls {
            if futures::poll!(&mut commit).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(commit);
        let rows = store.scan(Range::prefix(&polls.to_be_bytes())).await.expect("scans");
        assert!(rows.is_empty() || rows.len() == 20, "{} rows of a batch of 20", rows.len());
    }
}

#[tokio::test]
async fn a_file_that_is_no_store_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("profile.db");
    std::fs::write(&path, vec![7u8; 8192]).expect("writes");
    assert!(matches!(SqliteStore::open(&path).await, Err(StoreError::Failed(_))));
}

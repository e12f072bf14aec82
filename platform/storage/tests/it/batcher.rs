//! Group commit.

use crate::NOTES;
use async_trait::async_trait;
use pakawaaz_base::{ErrorClass, StableError};
use pakawaaz_storage::{BatchHandler, BatchOptions, Batcher, Db, StorageError, Tx};
use pakawaaz_storesuite::store_test;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Debug, PartialEq, thiserror::Error)]
enum Refusal {
    #[error("negative")]
    Negative,
    #[error(transparent)]
    Storage(#[from] StorageError),
}
impl StableError for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Negative => "test.negative",
            Self::Storage(e) => e.code(),
        }
    }
    fn class(&self) -> ErrorClass {
        match self {
            Self::Negative => ErrorClass::Invalid,
            Self::Storage(e) => e.class(),
        }
    }
}

/// Inserts the id it is given. Negative ids are refused, 13 breaks the transaction, 99 panics.
#[derive(Default)]
struct Insert {
    transactions: AtomicUsize,
    largest: AtomicUsize,
    announced: AtomicUsize,
}

#[async_trait]
impl BatchHandler for Insert {
    type Request = i64;
    type Response = i64;
    type Error = Refusal;

    async fn apply(&self, tx: &mut Tx, requests: &[i64]) -> Result<Vec<Result<i64, Refusal>>, Refusal> {
        self.transactions.fetch_add(1, Ordering::SeqCst);
        self.largest.fetch_max(requests.len(), Ordering::SeqCst);
        let mut results = Vec::new();
        for &id in requests {
            if id < 0 {
                results.push(Err(Refusal::Negative));
                continue;
            }
            assert_ne!(id, 99, "asked to panic");
            let sql = if id == 13 {
                "INSERT INTO missing VALUES ($1)"
            } else {
                "INSERT INTO note (id, body) VALUES ($1, 'x')"
            };
            sqlx::query(sql).bind(id).execute(tx.conn()).await.map_err(StorageError::from)?;
            results.push(Ok(id * 2));
        }
        Ok(results)
    }

    fn committed(&self, requests: &[i64], results: &[Result<i64, Refusal>]) {
        assert_eq!(requests.len(), results.len());
        self.announced.fetch_add(results.iter().filter(|r| r.is_ok()).count(), Ordering::SeqCst);
    }
}

fn start(db: &Db) -> (Arc<Insert>, Batcher<Insert>) {
    let handler = Arc::new(Insert::default());
    let options = BatchOptions { max_wait: Duration::from_millis(20), ..BatchOptions::default() };
    (handler.clone(), Batcher::start("test", db.clone(), handler, options))
}

async fn submit_all(batcher: &Batcher<Insert>, ids: Vec<i64>) -> Vec<Result<i64, Refusal>> {
    futures::future::join_all(ids.into_iter().map(|id| batcher.submit(id))).await
}

async fn stored(db: &Db) -> Vec<i64> {
    let rows: Vec<(i64,)> =
        sqlx::query_as("SELECT id FROM note ORDER BY id").fetch_all(db.read().await.unwrap().conn()).await.unwrap();
    rows.into_iter().map(|row| row.0).collect()
}

store_test!(many_submissions_share_few_commits, NOTES, |db| async move {
    let (handler, batcher) = start(&db);
    let results = submit_all(&batcher, (1000..2000).collect()).await;
    assert!(results.into_iter().eq((1000..2000).map(|id| Ok(id * 2))));
    assert_eq!(stored(&db).await.len(), 1000);
    assert_eq!(handler.announced.load(Ordering::SeqCst), 1000);
    let largest = handler.largest.load(Ordering::SeqCst);
    assert!((2..=256).contains(&largest), "{largest}");
    assert!(handler.transactions.load(Ordering::SeqCst) < 500);
});

store_test!(a_refusal_concerns_one_request, NOTES, |db| async move {
    let (handler, batcher) = start(&db);
    let results = submit_all(&batcher, vec![1, -1, 2]).await;
    assert_eq!(results, vec![Ok(2), Err(Refusal::Negative), Ok(4)]);
    assert_eq!(stored(&db).await, vec![1, 2]);
    assert_eq!(handler.announced.load(Ordering::SeqCst), 2);
});

store_test!(a_request_that_breaks_the_transaction_breaks_only_itself, NOTES, |db| async move {
    let (handler, batcher) = start(&db);
    batcher.submit(1).await.unwrap();
    // 1 is a duplicate, 13 is bad SQL, 99 panics: all three poison the shared transaction.
    let results = submit_all(&batcher, vec![20, 13, 21, 1, 22, 99, 23]).await;
    let good: Vec<_> = results.iter().map(Result::is_ok).collect();
    assert_eq!(good, vec![true, false, true, false, true, false, true], "{results:?}");
    assert_eq!(results[3], Err(Refusal::Storage(StorageError::Duplicate)));
    assert_eq!(stored(&db).await, vec![1, 20, 21, 22, 23]);
    assert_eq!(handler.announced.load(Ordering::SeqCst), 5);
    assert_eq!(batcher.submit(30).await, Ok(60), "the worker is still alive");
});

store_test!(without_a_database_nothing_is_acknowledged, NOTES, |db| async move {
    let (handler, batcher) = start(&db);
    batcher.submit(1).await.unwrap();
    db.close().await;
    for result in submit_all(&batcher, (100..150).collect()).await {
        assert_eq!(result, Err(Refusal::Storage(StorageError::Unavailable)));
    }
    assert_eq!(handler.announced.load(Ordering::SeqCst), 1);
});

store_test!(a_handler_that_swallows_an_error_acknowledges_nothing_false, NOTES, |db| async move {
    /// Reports success although its second statement failed.
    struct Careless;
    #[async_trait]
    impl BatchHandler for Careless {
        type Request = i64;
        type Response = ();
        type Error = StorageError;
        async fn apply(&self, tx: &mut Tx, requests: &[i64]) -> Result<Vec<Result<(), StorageError>>, StorageError> {
            for id in requests {
                let sql = "INSERT INTO note (id, body) VALUES ($1, 'x')";
                sqlx::query(sql).bind(id).execute(tx.conn()).await?;
                let _ = sqlx::query(sql).bind(id).execute(tx.conn()).await;
            }
            Ok(requests.iter().map(|_| Ok(())).collect())
        }
    }
    let batcher = Batcher::start("careless", db.clone(), Arc::new(Careless), BatchOptions::default());
    let acknowledged = batcher.submit(5).await.is_ok();
    assert_eq!(stored(&db).await.contains(&5), acknowledged);
});

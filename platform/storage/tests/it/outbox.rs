//! The outbox: order, atomicity, at least once.

use crate::NOTES;
use async_trait::async_trait;
use pakawaaz_base::Millis;
use pakawaaz_storage::outbox::{self, HandlerError};
use pakawaaz_storage::{Db, Engine, OutboxConsumer, OutboxEvent, OutboxHandler, StorageError, Tx};
use pakawaaz_storesuite::{TestDatabase, store_test};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use tokio_util::sync::CancellationToken;

/// Copies events into `note`, in the delivery's own transaction; fails as often as told, and always for the
/// value `poison`.
#[derive(Default)]
struct Copy {
    failures: AtomicUsize,
    poison: AtomicI64,
}

#[async_trait]
impl OutboxHandler for Copy {
    fn consumer(&self) -> &'static str {
        "test.copy"
    }
    fn wants(&self, kind: &str) -> bool {
        kind != "test.ignored"
    }
    async fn handle(&self, tx: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError> {
        let value: i64 = event.parse()?;
        sqlx::query("INSERT INTO note (id, body) VALUES ($1, $2)")
            .bind(event.id)
            .bind(value.to_string())
            .execute(tx.conn())
            .await
            .map_err(StorageError::from)?;
        let poisoned = self.poison.load(Ordering::SeqCst) == value;
        assert_ne!(value, 4711, "asked to panic");
        if poisoned || self.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Err(HandlerError { code: "test.failure" });
        }
        Ok(())
    }
}

async fn emit(db: &Db, kind: &'static str, values: &[i64]) {
    let mut tx = db.begin().await.unwrap();
    for value in values {
        outbox::append(&mut tx, kind, value, Millis(1000)).unwrap();
    }
    tx.commit().await.unwrap();
}

async fn copied(db: &Db) -> Vec<i64> {
    let rows: Vec<(String,)> =
        sqlx::query_as("SELECT body FROM note ORDER BY id").fetch_all(db.read().await.unwrap().conn()).await.unwrap();
    rows.into_iter().map(|(body,)| body.parse().unwrap()).collect()
}

/// Looks until the consumer has committed `n` events; the handler itself runs before that commit.
async fn until_copied(db: &Db, n: usize) {
    while copied(db).await.len() < n {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

store_test!(events_come_with_their_commit_or_not_at_all, NOTES, |db| async move {
    let handler = Arc::new(Copy::default());
    let mut consumer = OutboxConsumer::new(db.clone(), handler.clone());
    assert_eq!(consumer.deliver().await, Ok(0));

    let mut tx = db.begin().await.unwrap();
    outbox::append(&mut tx, "test.fact", &666, Millis(1)).unwrap();
    tx.rollback().await.unwrap();

    let mut tx = db.begin().await.unwrap();
    outbox::append(&mut tx, "test.fact", &1, Millis(1)).unwrap();
    tx.savepoint().await.unwrap();
    outbox::append(&mut tx, "test.fact", &666, Millis(1)).unwrap();
    tx.rollback_to_savepoint().await.unwrap();
    outbox::append(&mut tx, "test.fact", &2, Millis(1)).unwrap();
    assert!(outbox::append(&mut tx, "no_context", &3, Millis(1)).is_err());
    tx.commit().await.unwrap();
    emit(&db, "test.ignored", &[5]).await;
    emit(&db, "test.fact", &[3]).await;

    assert_eq!(consumer.deliver().await, Ok(3));
    assert_eq!(consumer.deliver().await, Ok(0));
    assert_eq!(copied(&db).await, vec![1, 2, 3]);
});

store_test!(a_failing_event_is_retried_in_order_and_its_writes_are_undone, NOTES, |db| async move {
    let handler = Arc::new(Copy::default());
    let mut consumer = OutboxConsumer::new(db.clone(), handler.clone());
    emit(&db, "test.fact", &[1, 2, 3, 4]).await;
    handler.poison.store(3, Ordering::SeqCst);
    assert_eq!(consumer.deliver().await, Err(HandlerError { code: "test.failure" }));
    assert_eq!(copied(&db).await, vec![1, 2], "what comes before is done, the rest waits");
    assert!(consumer.deliver().await.is_err());
    handler.poison.store(0, Ordering::SeqCst);
    assert_eq!(consumer.deliver().await, Ok(2));
    assert_eq!(copied(&db).await, vec![1, 2, 3, 4]);
});

store_test!(a_panicking_handler_is_a_failure_and_stores_nothing, NOTES, |db| async move {
    let mut consumer = OutboxConsumer::new(db.clone(), Arc::new(Copy::default()));
    emit(&db, "test.fact", &[1, 4711]).await;
    assert_eq!(consumer.deliver().await, Err(HandlerError { code: "storage.handler_panic" }));
    assert_eq!(copied(&db).await, vec![1]);
    assert_eq!(consumer.deliver().await, Err(HandlerError { code: "storage.handler_panic" }));
});

store_test!(a_running_consumer_wakes_up_and_gets_over_failures, NOTES, |db| async move {
    let handler = Arc::new(Copy { failures: AtomicUsize::new(2), ..Copy::default() });
    let stop = CancellationToken::new();
    let running = tokio::spawn(OutboxConsumer::new(db.clone(), handler.clone()).run(stop.clone()));
    emit(&db, "test.fact", &[1, 2]).await;
    until_copied(&db, 2).await;
    assert_eq!(copied(&db).await, vec![1, 2]);
    stop.cancel();
    running.await.unwrap();
});

store_test!(pruning_keeps_what_somebody_still_needs, NOTES, |db| async move {
    let handler = Arc::new(Copy::default());
    let mut consumer = OutboxConsumer::new(db.clone(), handler);
    emit(&db, "test.fact", &[1, 2]).await;
    assert_eq!(outbox::prune(&db, Millis(5000)).await, Ok(0), "nobody has handled them");
    consumer.deliver().await.unwrap();
    emit(&db, "test.fact", &[3]).await;
    assert_eq!(outbox::prune(&db, Millis(1000)).await, Ok(0), "not older");
    assert_eq!(outbox::prune(&db, Millis(5000)).await, Ok(2));
    assert_eq!(consumer.deliver().await, Ok(1));
    outbox::prune(&db, Millis(5000)).await.unwrap();

    // A consumer that is new to a pruned log starts at its end instead of asking for ever.
    struct Late;
    #[async_trait]
    impl OutboxHandler for Late {
        fn consumer(&self) -> &'static str {
            "test.late"
        }
        async fn handle(&self, _: &mut Tx, _: &OutboxEvent) -> Result<(), HandlerError> {
            Ok(())
        }
    }
    let mut late = OutboxConsumer::new(db.clone(), Arc::new(Late));
    assert_eq!(late.deliver().await, Ok(0));
    emit(&db, "test.fact", &[4]).await;
    assert_eq!(late.deliver().await, Ok(1));
});

/// Writers that hold their transactions open for different times, consumers on two nodes that read all the
/// while: every event arrives exactly once. With ids in insertion order PostgreSQL would lose some.
async fn nothing_is_skipped(engine: Engine) {
    const WRITERS: i64 = 6;
    const EACH: i64 = 25;
    let database = TestDatabase::create(engine).await;
    let nodes = [database.open().await, database.open().await];
    nodes[0].migrate(NOTES).await.unwrap();
    let stop = CancellationToken::new();
    let handler = Arc::new(Copy::default());
    let consumers: Vec<_> = nodes
        .iter()
        .map(|db| tokio::spawn(OutboxConsumer::new(db.clone(), handler.clone()).run(stop.clone())))
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let db = nodes[writer as usize % 2].clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    let mut tx = db.begin().await.unwrap();
                    outbox::append(&mut tx, "test.fact", &(1 + writer * EACH + n), Millis(1)).unwrap();
                    for _ in 0..(writer + n) % 5 {
                        // Real round trips, so that transactions overlap.
                        sqlx::query("SELECT COUNT(*) FROM note").execute(tx.conn()).await.unwrap();
                    }
                    tx.commit().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    until_copied(&nodes[0], (WRITERS * EACH) as usize).await;
    stop.cancel();
    for consumer in consumers {
        consumer.await.unwrap();
    }
    let mut values = copied(&nodes[0]).await;
    for writer in 0..WRITERS {
        let own: Vec<_> = values.iter().filter(|v| (**v - 1) / EACH == writer).collect();
        assert!(own.is_sorted(), "events of one writer keep their order");
    }
    values.sort_unstable();
    assert_eq!(values, (1..=WRITERS * EACH).collect::<Vec<_>>());
    for db in nodes {
        db.close().await;
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_concurrent_writers_lose_no_event() {
    nothing_is_skipped(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_concurrent_writers_lose_no_event() {
    nothing_is_skipped(Engine::Postgres).await;
}

//! Migrations.

use pakawaaz_storage::{Engine, Migration, StorageError};
use pakawaaz_storesuite::{TestDatabase, store_test};

const ONE: Migration = Migration {
    context: "m",
    version: 1,
    sql: "CREATE TABLE m (id {serial}, b {bytes} NOT NULL); CREATE INDEX m_b ON m (b);",
};
const TWO: Migration = Migration { context: "m", version: 2, sql: "ALTER TABLE m ADD COLUMN c TEXT;" };
const BROKEN: Migration =
    Migration { context: "n", version: 1, sql: "CREATE TABLE n (id BIGINT); INSERT INTO missing VALUES (1);" };

store_test!(steps_apply_once_and_later_ones_are_added, &[ONE], |db| async move {
    db.migrate(&[ONE]).await.unwrap();
    db.migrate(&[ONE, TWO]).await.unwrap();
    db.migrate(&[ONE, TWO]).await.unwrap();
    let mut tx = db.begin().await.unwrap();
    for _ in 0..2 {
        sqlx::query("INSERT INTO m (b, c) VALUES ($1, 'x')").bind(vec![1u8]).execute(tx.conn()).await.unwrap();
    }
    let ids: Vec<(i64,)> = sqlx::query_as("SELECT id FROM m ORDER BY id").fetch_all(tx.conn()).await.unwrap();
    assert_eq!(ids, vec![(1,), (2,)]);
    let applied: Vec<(i64, i64)> =
        sqlx::query_as("SELECT version, applied_at FROM schema_migrations WHERE context = 'm' ORDER BY version")
            .fetch_all(tx.conn())
            .await
            .unwrap();
    assert_eq!(applied.iter().map(|row| row.0).collect::<Vec<_>>(), vec![1, 2]);
    assert!(applied.iter().all(|row| row.1 > 1_700_000_000_000), "milliseconds");
});

store_test!(a_broken_step_leaves_nothing_behind, &[], |db| async move {
    assert!(db.migrate(&[ONE, BROKEN]).await.is_err());
    db.migrate(&[ONE]).await.unwrap(); // would fail if the first step had stayed
    let found = sqlx::query("SELECT * FROM n").execute(db.read().await.unwrap().conn()).await;
    assert!(found.is_err());
});

store_test!(an_older_program_refuses_a_newer_schema, &[ONE, TWO], |db| async move {
    let error = db.migrate(&[ONE]).await.unwrap_err();
    assert_eq!(error, StorageError::SchemaTooNew { context: "m", found: 2, known: 1 });
});

store_test!(steps_out_of_order_are_a_bug, &[], |db| async move {
    assert!(db.migrate(&[TWO, ONE]).await.is_err());
    assert!(db.migrate(&[ONE, ONE]).await.is_err());
});

async fn nodes_start_together(engine: Engine) {
    let database = TestDatabase::create(engine).await;
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(database.open().await);
    }
    let tasks: Vec<_> =
        nodes.iter().cloned().map(|db| tokio::spawn(async move { db.migrate(&[ONE, TWO]).await })).collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for db in nodes {
        db.close().await;
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_processes_starting_together_migrate_once() {
    nodes_start_together(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_nodes_starting_together_migrate_once() {
    nodes_start_together(Engine::Postgres).await;
}

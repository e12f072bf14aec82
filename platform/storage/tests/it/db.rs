//! Opening, transactions, health, backup.

use crate::NOTES;
use pakawaaz_base::StableError;
use pakawaaz_storage::{Db, Engine, Result, StorageError, StorageOptions, Tx, is_unique_violation};
use pakawaaz_storesuite::{Server, TestDatabase, store_test};
use std::time::Duration;

async fn insert(tx: &mut Tx, id: i64) -> Result<()> {
    sqlx::query("INSERT INTO note (id, body) VALUES ($1, 'x')").bind(id).execute(tx.conn()).await?;
    Ok(())
}

async fn count(db: &Db) -> i64 {
    let (n,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM note").fetch_one(db.read().await.unwrap().conn()).await.unwrap();
    n
}

store_test!(bytes_text_and_null_survive, NOTES, |db| async move {
    let mut tx = db.begin().await.unwrap();
    let blob: Vec<u8> = (0..=255).collect();
    for (id, blob) in [(1i64, Some(blob.clone())), (2, None)] {
        sqlx::query("INSERT INTO note (id, body, blob) VALUES ($1, $2, $3)")
            .bind(id)
            .bind("اردو")
            .bind(blob)
            .execute(tx.conn())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let rows: Vec<(i64, String, Option<Vec<u8>>)> = sqlx::query_as("SELECT id, body, blob FROM note ORDER BY id")
        .fetch_all(db.read().await.unwrap().conn())
        .await
        .unwrap();
    assert_eq!(rows, vec![(1, "اردو".into(), Some(blob)), (2, "اردو".into(), None)]);
});

store_test!(dropping_or_rolling_back_stores_nothing, NOTES, |db| async move {
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    drop(tx);
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, 2).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(count(&db).await, 0);
});

store_test!(readers_see_only_commits_and_snapshots_stand_still, NOTES, |db| async move {
    let mut snapshot = db.snapshot().await.unwrap();
    let sql = "SELECT COUNT(*) FROM note";
    assert_eq!(sqlx::query_as::<_, (i64,)>(sql).fetch_one(snapshot.conn()).await.unwrap(), (0,));
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    assert_eq!(count(&db).await, 0);
    tx.commit().await.unwrap();
    assert_eq!(count(&db).await, 1);
    assert_eq!(sqlx::query_as::<_, (i64,)>(sql).fetch_one(snapshot.conn()).await.unwrap(), (0,));
});

store_test!(readers_cannot_write, NOTES, |db| async move {
    let sql = "INSERT INTO note (id, body) VALUES (9, 'x')";
    assert!(sqlx::query(sql).execute(db.read().await.unwrap().conn()).await.is_err());
    assert!(sqlx::query(sql).execute(db.snapshot().await.unwrap().conn()).await.is_err());
    assert_eq!(count(&db).await, 0);
});

// The trap that `begin()` has on SQLite: read, then write, from many tasks at once.
store_test!(concurrent_read_then_write_loses_nothing, NOTES, |db| async move {
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin().await?;
                let sql = tx
                    .engine()
                    .pick("SELECT n FROM tally WHERE name = 'a'", "SELECT n FROM tally WHERE name = 'a' FOR UPDATE");
                let (n,): (i64,) = sqlx::query_as(sql).fetch_one(tx.conn()).await?;
                sqlx::query("UPDATE tally SET n = $1 WHERE name = 'a'").bind(n + 1).execute(tx.conn()).await?;
                tx.commit().await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let row: (i64,) = sqlx::query_as("SELECT n FROM tally").fetch_one(db.read().await.unwrap().conn()).await.unwrap();
    assert_eq!(row.0, 100);
});

store_test!(the_lock_serialises_max_plus_one, NOTES, |db| async move {
    let tasks: Vec<_> = (0..40)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut tx = db.begin().await?;
                tx.lock(7).await?;
                sqlx::query("INSERT INTO note (id, body) SELECT COALESCE(MAX(id), 0) + 1, 'x' FROM note")
                    .execute(tx.conn())
                    .await?;
                tx.commit().await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(count(&db).await, 40);
});

store_test!(a_unique_violation_is_recognised, NOTES, |db| async move {
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    let raw = sqlx::query("INSERT INTO note (id, body) VALUES (1, 'secret')").execute(tx.conn()).await.unwrap_err();
    assert!(is_unique_violation(&raw));
    let error = StorageError::from(raw);
    assert_eq!(error, StorageError::Duplicate);
    assert!(!format!("{error} {error:?}").contains("secret"));
    let wrong = sqlx::query("SELEKT secret").execute(db.read().await.unwrap().conn()).await.unwrap_err();
    assert!(!is_unique_violation(&wrong));
    let error = StorageError::from(wrong);
    assert_eq!(error.code(), "storage.internal");
    assert!(!format!("{error} {error:?}").contains("secret"));
});

// PostgreSQL answers COMMIT of a poisoned transaction with a quiet ROLLBACK.
store_test!(commit_after_a_swallowed_error_never_claims_more_than_is_stored, NOTES, |db| async move {
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    let _ = insert(&mut tx, 1).await.unwrap_err();
    let committed = tx.commit().await;
    match db.engine() {
        Engine::Sqlite => assert_eq!(committed, Ok(())),
        Engine::Postgres => assert_eq!(committed, Err(StorageError::Aborted)),
    }
    assert_eq!(count(&db).await, i64::from(committed.is_ok()));
});

store_test!(savepoints_undo_a_part_and_revive_the_transaction, NOTES, |db| async move {
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    tx.savepoint().await.unwrap();
    insert(&mut tx, 2).await.unwrap();
    tx.savepoint().await.unwrap();
    let _ = insert(&mut tx, 1).await.unwrap_err();
    tx.rollback_to_savepoint().await.unwrap();
    tx.release().await.unwrap();
    tx.savepoint().await.unwrap();
    insert(&mut tx, 3).await.unwrap();
    tx.rollback_to_savepoint().await.unwrap();
    assert!(tx.release().await.is_err(), "no savepoint is open any more");
    tx.commit().await.unwrap();
    assert_eq!(count(&db).await, 2);

    let mut tx = db.begin().await.unwrap();
    tx.savepoint().await.unwrap();
    assert!(tx.commit().await.is_err(), "an open savepoint is a bug");
});

store_test!(a_healthy_database_passes_its_checks, NOTES, |db| async move {
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, 1).await.unwrap();
    tx.commit().await.unwrap();
    db.ping().await.unwrap();
    db.check_writable().await.unwrap();
    db.integrity_check().await.unwrap();
    db.close().await;
    assert_eq!(db.check_writable().await, Err(StorageError::Unavailable));
    assert_eq!(db.ping().await, Err(StorageError::Unavailable));
});

#[test]
fn a_damaged_file_is_reported_as_corrupt() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let url = format!("sqlite://{}", path.display());
    runtime().block_on(async {
        let db = Db::open(&url, &StorageOptions::default()).await.unwrap();
        db.migrate(NOTES).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        for id in 0..2000 {
            insert(&mut tx, id).await.unwrap();
        }
        tx.commit().await.unwrap();
        db.close().await;
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 3000].fill(0xa5);
        std::fs::write(&path, bytes).unwrap();
        let db = Db::open(&url, &StorageOptions::default()).await.unwrap();
        assert_eq!(db.integrity_check().await, Err(StorageError::Corrupt));
    });
}

#[test]
fn a_file_that_is_no_database_is_corrupt_and_other_urls_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a b#c?.db");
    std::fs::write(&path, vec![7u8; 8192]).unwrap();
    runtime().block_on(async {
        let url = format!("sqlite://{}", path.display());
        // `?` starts the query of the URL, so this opens the file whose name ends before it.
        let db = Db::open(&url, &StorageOptions::default()).await.unwrap();
        db.ping().await.unwrap();
        assert!(dir.path().join("a b#c").exists());
        std::fs::rename(&path, dir.path().join("junk.db")).unwrap();
        let url = format!("sqlite://{}/junk.db", dir.path().display());
        assert_eq!(Db::open(&url, &StorageOptions::default()).await.unwrap_err(), StorageError::Corrupt);
        for url in ["sqlite://:memory:", "sqlite://", "mysql://x", "sqlite::memory:"] {
            let error = Db::open(url, &StorageOptions::default()).await.unwrap_err();
            assert_eq!(error.code(), "storage.unsupported", "{url}");
        }
    });
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    runtime().block_on(async {
        let database = TestDatabase::create(Engine::Sqlite).await;
        let db = database.open().await;
        db.migrate(NOTES).await.unwrap();
        let dir = database.directory().unwrap();
        db.backup_to(&dir.join("copy.db")).await.unwrap();
        let mut seen = 0;
        for file in std::fs::read_dir(dir).unwrap().flatten() {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.file_name());
            seen += 1;
        }
        assert!(seen >= 3, "database, WAL and copy");
    });
}

#[test]
fn sqlite_is_opened_durable_and_strict() {
    runtime().block_on(async {
        let database = TestDatabase::create(Engine::Sqlite).await;
        let db = database.open().await;
        let mut tx = db.begin().await.unwrap();
        let pragma = |name: &str| sqlx::AssertSqlSafe(format!("SELECT * FROM pragma_{name}"));
        let (mode,): (String,) = sqlx::query_as(pragma("journal_mode")).fetch_one(tx.conn()).await.unwrap();
        assert_eq!(mode, "wal");
        for (name, value) in [("synchronous", 2), ("foreign_keys", 1)] {
            let (found,): (i64,) = sqlx::query_as(pragma(name)).fetch_one(tx.conn()).await.unwrap();
            assert_eq!(found, value, "{name}");
        }
    });
}

#[test]
fn a_backup_taken_under_load_is_consistent() {
    runtime().block_on(async {
        let database = TestDatabase::create(Engine::Sqlite).await;
        let db = database.open().await;
        db.migrate(NOTES).await.unwrap();
        let writer = tokio::spawn({
            let db = db.clone();
            async move {
                // Every transaction adds a pair, so an inconsistent copy would hold an odd number.
                for pair in 0..200i64 {
                    let mut tx = db.begin().await.unwrap();
                    insert(&mut tx, 2 * pair).await.unwrap();
                    insert(&mut tx, 2 * pair + 1).await.unwrap();
                    tx.commit().await.unwrap();
                }
            }
        });
        let dir = database.directory().unwrap();
        let mut last = 0;
        for n in 0..4 {
            let path = dir.join(format!("copy{n}.db"));
            db.backup_to(&path).await.unwrap();
            let copy = Db::open(&format!("sqlite://{}", path.display()), &StorageOptions::default()).await.unwrap();
            copy.integrity_check().await.unwrap();
            let found = count(&copy).await;
            assert!(found % 2 == 0 && found >= last, "{found} after {last}");
            last = found;
            copy.close().await;
        }
        assert_eq!(db.backup_to(&dir.join("copy0.db")).await.unwrap_err().code(), "storage.unsupported");
        writer.await.unwrap();
        assert_eq!(count(&db).await, 400);
    });
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_half_stored() {
    runtime().block_on(async {
        let database = TestDatabase::create(Engine::Sqlite).await;
        let db = database.open().await;
        db.migrate(NOTES).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, 1).await.unwrap();
        tx.commit().await.unwrap();
        // The page limit gives the same result code (SQLITE_FULL) as a disk without space.
        let mut tx = db.begin().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(tx.conn()).await.unwrap();
        insert(&mut tx, 2).await.unwrap();
        let big = "x".repeat(200_000);
        let full = sqlx::query("INSERT INTO note (id, body) VALUES (3, $1)").bind(big).execute(tx.conn()).await;
        assert_eq!(StorageError::from(full.unwrap_err()), StorageError::DiskFull);
        drop(tx);
        assert_eq!(count(&db).await, 1);
        db.integrity_check().await.unwrap();
    });
}

#[test]
fn postgres_backup_names_its_tools() {
    runtime().block_on(async {
        let database = TestDatabase::create(Engine::Postgres).await;
        let db = database.open().await;
        let error = db.backup_to(std::path::Path::new("/nonexistent")).await.unwrap_err();
        assert!(error.to_string().contains("pg_dump"));
        db.close().await;
        database.remove().await;
    });
}

#[test]
fn a_server_that_goes_away_is_unavailable_and_its_password_stays_secret() {
    runtime().block_on(async {
        let mut server = Server::start(false).unwrap();
        let options = StorageOptions { acquire_timeout: Duration::from_millis(500), ..StorageOptions::default() };
        let db = Db::open(server.url(), &options).await.unwrap();
        db.migrate(NOTES).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        insert(&mut tx, 1).await.unwrap();
        server.stop();
        let committed = tx.commit().await;
        assert!(matches!(committed, Err(StorageError::Unavailable)), "{committed:?}");
        assert_eq!(db.ping().await, Err(StorageError::Unavailable));
        let error = Db::open("postgres://u:hunter2@127.0.0.1:1/x", &options).await.unwrap_err();
        assert_eq!(error, StorageError::Unavailable);
        assert!(!format!("{db:?} {error:?} {error}").contains("hunter2"));
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn a_transaction_that_sqlite_ended_by_itself_does_not_block_the_next_one() {
    runtime().block_on(async {
        let database = TestDatabase::create(Engine::Sqlite).await;
        let db = database.open().await;
        db.migrate(NOTES).await.unwrap();
        for id in 1..4 {
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, 100 + id).await.unwrap();
            // What SQLite does when it has no space left for the transaction.
            sqlx::query("ROLLBACK").execute(tx.conn()).await.unwrap();
            assert!(tx.commit().await.is_err());
            let mut tx = db.begin().await.unwrap();
            insert(&mut tx, id).await.unwrap();
            tx.commit().await.unwrap();
            assert_eq!(count(&db).await, id);
        }
    });
}

store_test!(what_waits_for_the_commit_runs_once_and_only_after_it, NOTES, |db| async move {
    use std::sync::atomic::{AtomicU32, Ordering};
    let ran = std::sync::Arc::new(AtomicU32::new(0));
    let act = |amount| {
        let ran = ran.clone();
        move || _ = ran.fetch_add(amount, Ordering::SeqCst)
    };
    let mut tx = db.begin().await.unwrap();
    tx.after_commit(act(1));
    tx.rollback().await.unwrap();
    let mut tx = db.begin().await.unwrap();
    tx.after_commit(act(10));
    tx.savepoint().await.unwrap();
    tx.after_commit(act(100));
    tx.rollback_to_savepoint().await.unwrap();
    tx.savepoint().await.unwrap();
    tx.after_commit(act(1000));
    tx.release().await.unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    tx.commit().await.unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 1010);
});

// As a machine that lost its power, or a process that was stopped: its connection is open, and nothing comes.
store_test!(a_writer_that_has_fallen_silent_does_not_keep_its_locks, NOTES, |db| async move {
    if db.engine() == Engine::Sqlite {
        return; // one process; its locks end with it
    }
    let lock = "SELECT n FROM tally WHERE name = 'a' FOR SHARE";
    let mut silent = db.begin().await.unwrap();
    sqlx::query(lock).execute(silent.conn()).await.unwrap();
    insert(&mut silent, 1).await.unwrap();

    let mut other = db.begin().await.unwrap();
    // Given up with an error when the lock is kept for longer than any writer waits.
    let done = sqlx::query("UPDATE tally SET n = n + 1 WHERE name = 'a'").execute(other.conn()).await;
    assert_eq!(done.map_err(StorageError::from).map(|d| d.rows_affected()), Ok(1));
    other.commit().await.unwrap();

    let late = insert(&mut silent, 2).await;
    assert_eq!(late, Err(StorageError::Unavailable), "whoever was silent is told, and may try again");
    drop(silent);
    assert_eq!(count(&db).await, 0, "nothing of it is stored");
    let mut tx = db.begin().await.unwrap();
    insert(&mut tx, 3).await.unwrap();
    tx.commit().await.unwrap();
});

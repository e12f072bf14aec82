//! The audit log on both engines.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

use pakawaaz_audit::{AuditActor, AuditError, Entry, Head, MIGRATIONS, append, head, list, verify_chain};
use pakawaaz_base::{AuditId, DeviceId, Millis, OfficialId, StableError};
use pakawaaz_storage::{Db, Engine};
use pakawaaz_storesuite::store_test;
use serde_json::json;

fn entry(n: u8) -> Entry {
    Entry {
        id: AuditId::from_bytes([n; 16]),
        at: Millis(1_000 + i64::from(n)),
        actor: n
            .is_multiple_of(2)
            .then(|| AuditActor { official: OfficialId::from_bytes([n; 16]), device: DeviceId::from_bytes([n; 16]) }),
        action: "identity.revoke_device",
        subject: format!("device {n}"),
        detail: json!({ "reason": "lost", "n": n }),
    }
}

async fn write(db: &Db, n: u8) -> Head {
    let mut tx = db.begin().await.unwrap();
    let head = append(&mut tx, entry(n)).await.unwrap();
    tx.commit().await.unwrap();
    head
}

/// What somebody with the database's own powers can do: drop the triggers first.
async fn tamper(db: &Db, sql: &'static str) {
    let mut tx = db.begin().await.unwrap();
    let drop = match db.engine() {
        Engine::Sqlite => "DROP TRIGGER IF EXISTS audit_log_no_update; DROP TRIGGER IF EXISTS audit_log_no_delete",
        Engine::Postgres => "DROP TRIGGER IF EXISTS audit_log_no_change ON audit_log",
    };
    sqlx::raw_sql(drop).execute(tx.conn()).await.unwrap();
    let changed = sqlx::query(sql).execute(tx.conn()).await.unwrap();
    assert!(changed.rows_affected() > 0, "the test changes something");
    tx.commit().await.unwrap();
}

store_test!(entries_come_back_as_written_and_chained, MIGRATIONS, |db| async move {
    assert_eq!(verify_chain(&db, None).await.unwrap(), Head::default());
    let mut last = Head::default();
    for n in 1..=5 {
        last = write(&db, n).await;
    }
    assert_eq!((last.seq, head(&db).await.unwrap()), (5, last));
    assert_eq!(verify_chain(&db, Some(last)).await.unwrap(), last);

    let records = list(&db, 1, 2).await.unwrap();
    assert_eq!(records.iter().map(|r| r.seq).collect::<Vec<_>>(), vec![2, 3]);
    let (second, expected) = (&records[0], entry(2));
    assert_eq!((second.id, second.at, second.actor), (expected.id, expected.at, expected.actor));
    assert_eq!((second.action.as_str(), &second.subject), (expected.action, &expected.subject));
    assert_eq!(second.detail, r#"{"n":2,"reason":"lost"}"#);
    assert_eq!(records[1].actor, None);
    assert_eq!(records[1].prev_hash, second.hash);
});

store_test!(an_entry_shares_the_fate_of_its_transaction, MIGRATIONS, |db| async move {
    let mut tx = db.begin().await.unwrap();
    append(&mut tx, entry(1)).await.unwrap();
    append(&mut tx, entry(2)).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(write(&db, 3).await.seq, 1);
    verify_chain(&db, None).await.unwrap();
});

store_test!(concurrent_appends_make_one_chain, MIGRATIONS, |db| async move {
    let tasks: Vec<_> = (0..40)
        .map(|n| {
            let db = db.clone();
            tokio::spawn(async move { write(&db, n).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(verify_chain(&db, None).await.unwrap().seq, 40);
});

store_test!(the_database_refuses_changes, MIGRATIONS, |db| async move {
    write(&db, 1).await;
    for sql in ["UPDATE audit_log SET subject = 'x'", "DELETE FROM audit_log"] {
        let mut tx = db.begin().await.unwrap();
        let error = sqlx::query(sql).execute(tx.conn()).await.unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    if db.engine() == Engine::Postgres {
        let mut tx = db.begin().await.unwrap();
        assert!(sqlx::query("TRUNCATE audit_log").execute(tx.conn()).await.is_err());
    }
    assert_eq!(verify_chain(&db, None).await.unwrap().seq, 1);
});

store_test!(a_changed_entry_is_found, MIGRATIONS, |db| async move {
    for n in 1..=4 {
        write(&db, n).await;
    }
    tamper(&db, "UPDATE audit_log SET detail = '{\"n\":2,\"reason\":\"stolen\"}' WHERE seq = 2").await;
    let error = verify_chain(&db, None).await.unwrap_err();
    assert_eq!((error.clone(), error.code()), (AuditError::Tampered { seq: 2 }, "audit.tampered"));
});

store_test!(a_removed_actor_is_found, MIGRATIONS, |db| async move {
    for n in 1..=4 {
        write(&db, n).await;
    }
    tamper(&db, "UPDATE audit_log SET actor_device = NULL WHERE seq = 4").await;
    assert_eq!(verify_chain(&db, None).await, Err(AuditError::Tampered { seq: 4 }));
});

store_test!(a_removed_entry_is_found, MIGRATIONS, |db| async move {
    for n in 1..=4 {
        write(&db, n).await;
    }
    tamper(&db, "DELETE FROM audit_log WHERE seq = 3").await;
    assert_eq!(verify_chain(&db, None).await, Err(AuditError::Tampered { seq: 3 }));
});

store_test!(a_log_cut_short_or_rewritten_is_found_by_its_pinned_head, MIGRATIONS, |db| async move {
    let mut pinned = Head::default();
    for n in 1..=4 {
        pinned = write(&db, n).await;
    }
    tamper(&db, "DELETE FROM audit_log WHERE seq = 4").await;
    // The chain itself cannot show it.
    assert_eq!(verify_chain(&db, None).await.unwrap().seq, 3);
    assert_eq!(verify_chain(&db, Some(pinned)).await, Err(AuditError::Tampered { seq: 4 }));
    write(&db, 9).await;
    assert_eq!(verify_chain(&db, Some(pinned)).await, Err(AuditError::Tampered { seq: 4 }));
});

store_test!(malformed_entries_are_refused, MIGRATIONS, |db| async move {
    let mut tx = db.begin().await.unwrap();
    for bad in [
        Entry { action: "revoke", ..entry(1) },
        Entry { subject: "x".repeat(201), ..entry(1) },
        Entry { detail: json!("x".repeat(17_000)), ..entry(1) },
    ] {
        assert_eq!(append(&mut tx, bad).await, Err(AuditError::Malformed));
    }
});

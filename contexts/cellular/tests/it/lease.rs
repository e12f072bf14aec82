//! Several nodes over one database: one runs the core, the others wait.

use crate::running::{Running, misbehave};
use crate::support::{MIGRATIONS, administrator, service};
use pakawaaz_cellular::{CellularError, Runner};
use pakawaaz_contract::cellular::CellularCore;
use pakawaaz_n2::{Event, memory};
use pakawaaz_storage::Db;
use pakawaaz_storesuite::{Engine, store_test};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Short enough for a test, long enough for a busy machine.
const LEASE: Duration = Duration::from_secs(6);

async fn epoch(db: &Db) -> i64 {
    let query = sqlx::query_as("SELECT epoch FROM cellular_lease WHERE one = 1");
    let (epoch,): (i64,) = query.fetch_one(db.read().await.unwrap().conn()).await.unwrap();
    epoch
}

#[test]
fn a_node_that_waits_says_so_and_takes_over_from_one_that_falls_silent() {
    pakawaaz_storesuite::run(Engine::Postgres, &MIGRATIONS, |db| async move {
        // A machine of its own, which can lose its power: nothing of it goes on, and nothing is said.
        let machine = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (first, folder) = (service(&db).await, tempfile::tempdir().unwrap());
        let (n2, _exchange) = memory::listen();
        let runner = Runner::new(first.clone(), n2, folder.path().join("upf.sock")).named("a".into(), LEASE);
        machine.spawn(runner.run(CancellationToken::new()));
        while first.network(&administrator()).unwrap().core != CellularCore::Active {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(epoch(&db).await, 1);

        let second = Running::start_as(&db, "b", LEASE).await;
        while second.cellular.network(&administrator()).unwrap().core == CellularCore::Off {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(second.cellular.gnbs(&administrator()).await.err(), Some(CellularError::Standby));
        assert_eq!(second.cellular.network(&administrator()).unwrap().core, CellularCore::Standby);
        let mut gnb = second.exchange.connect("10.0.0.9:1234");
        while !matches!(gnb.next().await.expect("an end"), Event::Down { .. }) {}

        // As long as there are signs of life nothing changes.
        tokio::time::sleep(LEASE * 3 / 2).await;
        assert_eq!((epoch(&db).await, first.network(&administrator()).unwrap().core), (1, CellularCore::Active));
        machine.shutdown_background();
        while second.cellular.network(&administrator()).unwrap().core != CellularCore::Active {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (_gnb, _) = second.gnb().await;
        assert_eq!(
            (epoch(&db).await, second.cellular.network(&administrator()).unwrap().core),
            (2, CellularCore::Active)
        );
        let raised = async || {
            let alarms = second.cellular.alarms(&administrator()).await.unwrap().alarms;
            alarms.iter().any(|alarm| alarm.probable_cause == "Application subsystem failure")
        };
        while !raised().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        second.end().await;
    });
}

#[test]
fn a_core_that_ends_in_order_is_followed_at_once() {
    pakawaaz_storesuite::run(Engine::Postgres, &MIGRATIONS, |db| async move {
        // Nobody would wait for such a lease to end.
        let lease = Duration::from_secs(3600);
        let first = Running::start_as(&db, "a", lease).await;
        first.gnb().await;
        first.end().await;
        let second = Running::start_as(&db, "b", lease).await;
        second.gnb().await;
        assert_eq!(epoch(&db).await, 2);
        second.end().await;
    });
}

/// A machine that loses its power in the middle of a transaction leaves its connection behind, and the lock with it.
#[test]
fn a_transaction_that_nobody_goes_on_with_does_not_keep_the_lease() {
    pakawaaz_storesuite::run(Engine::Postgres, &MIGRATIONS, |db| async move {
        let first = Running::start_as(&db, "a", LEASE).await;
        first.gnb().await;
        let mut silent = db.begin().await.unwrap();
        let fence = "SELECT epoch FROM cellular_lease WHERE one = 1 FOR SHARE";
        sqlx::query(fence).execute(silent.conn()).await.unwrap();
        first.kill().await;
        let second = Running::start_as(&db, "b", LEASE).await;
        while second.cellular.network(&administrator()).unwrap().core != CellularCore::Active {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(silent);
        second.end().await;
    });
}

/// What a panic leaves behind: the tasks beside the core's own.
#[test]
fn a_core_that_breaks_down_lets_its_lease_end() {
    pakawaaz_storesuite::run(Engine::Postgres, &MIGRATIONS, |db| async move {
        let first = Running::start_as(&db, "a", LEASE).await;
        first.gnb().await;
        first.kill().await;
        let second = Running::start_as(&db, "b", LEASE).await;
        while second.cellular.network(&administrator()).unwrap().core != CellularCore::Active {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        second.end().await;
    });
}

#[test]
fn a_process_that_is_started_again_does_not_wait_for_itself() {
    pakawaaz_storesuite::run(Engine::Postgres, &MIGRATIONS, |db| async move {
        let mut tx = db.begin().await.unwrap();
        sqlx::query("UPDATE cellular_lease SET epoch = 7, holder = 'a'").execute(tx.conn()).await.unwrap();
        tx.commit().await.unwrap();
        let again = Running::start_as(&db, "a", Duration::from_secs(3600)).await;
        again.gnb().await;
        assert_eq!(epoch(&db).await, 8);
        let alarms = again.cellular.alarms(&administrator()).await.unwrap().alarms;
        assert!(!alarms.iter().any(|alarm| alarm.probable_cause == "Application subsystem failure"), "no takeover");
        again.end().await;
    });
}

// Its own clock says that it has an hour left: only the database knows better.
store_test!(a_core_that_was_replaced_commits_nothing_and_lets_its_gnbs_go, &MIGRATIONS, |db| async move {
    let running = Running::start_as(&db, "a", Duration::from_secs(3600)).await;
    let (mut gnb, association) = running.gnb().await;
    let mut tx = db.begin().await.unwrap();
    sqlx::query("UPDATE cellular_lease SET epoch = epoch + 1, holder = 'b'").execute(tx.conn()).await.unwrap();
    tx.commit().await.unwrap();
    misbehave(&gnb, association);
    while !matches!(gnb.next().await.expect("an end"), Event::Down { .. }) {}
    let alarms = running.cellular.alarms(&administrator()).await.unwrap().alarms;
    assert!(!alarms.iter().any(|alarm| alarm.alarm_type == "OPERATIONAL_VIOLATION"), "{alarms:?}");
    running.end().await;
});

//! The watch and the outbox consumer, as bin/server runs them.

use crate::MIGRATIONS;
use crate::world::{Closed, World, node};
use pakawaaz_base::OfficialId;
use pakawaaz_contract::admin::Subject;
use pakawaaz_contract::facts::OfficialCreated;
use pakawaaz_http::CloseReason;
use pakawaaz_identity::jobs::officials::Officials;
use pakawaaz_identity::jobs::revocation_watch;
use pakawaaz_storage::{OutboxConsumer, outbox};
use pakawaaz_storesuite::store_test;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

store_test!(the_watch_closes_sockets_of_another_node, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let person = world.person((&first, &second), 3, "amna.khan").await;
    let closed = Arc::new(Closed::default());
    let other = node(&world.db, &world.clock, &closed, &world.installation);
    other.follow_revocations().await.unwrap();
    let shutdown = CancellationToken::new();
    let watch = tokio::spawn(revocation_watch::run(other.clone(), shutdown.clone()));
    world.identity.suspend(&first.actor(), Subject::Official(person.official)).await.unwrap();
    closed.1.notified().await;
    assert_eq!(closed.0.lock().unwrap()[0], (person.device, CloseReason::Revoked));
    shutdown.cancel();
    watch.await.unwrap();
});

store_test!(officials_become_accounts_once, MIGRATIONS, |db| async move {
    let (world, first, _) = World::with_administrators(db).await;
    let mut consumer = OutboxConsumer::new(world.db.clone(), Arc::new(Officials(world.identity.clone())));
    consumer.deliver().await.unwrap();
    let official = OfficialId::from_bytes([5; 16]);
    let names = [(official, "amna.khan"), (official, "amna.khan"), (OfficialId::from_bytes([6; 16]), "amna.khan")];
    for (official, username) in names {
        let fact = OfficialCreated { official, username: username.into(), at: world.now() };
        let mut tx = world.db.begin().await.unwrap();
        outbox::append(&mut tx, OfficialCreated::KIND, &fact, world.now()).unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(consumer.deliver().await.unwrap(), 3, "none of them blocks the others");
    let record = world.identity.account(&first.actor(), official).await.unwrap();
    assert_eq!((record.username.as_str(), record.status.as_str()), ("amna.khan", "new"));
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_accounts").await, 3, "a taken name makes no account");
});

store_test!(sessions_that_age_together_end_together, MIGRATIONS, |db| async move {
    let (world, first, _) = World::with_administrators(db).await;
    // As many logins as no test has the time for: copies of one session, each with its own ids.
    let mut tx = world.db.begin().await.unwrap();
    for n in 0u16..700 {
        let mut id = [0xEE; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        sqlx::query(
            "INSERT INTO identity_sessions (session, login_id, official, device, sim, token_key, refresh_seed,
                 refresh_generation, rotated_at, authenticated_at, ends_at)
             SELECT $1, $1, official, device, sim, token_key, refresh_seed, 0, rotated_at, authenticated_at, ends_at
             FROM identity_sessions WHERE session = $2",
        )
        .bind(id.to_vec())
        .bind(first.session().to_vec())
        .execute(tx.conn())
        .await
        .unwrap();
    }
    tx.commit().await.unwrap();
    let open = "SELECT COUNT(*) FROM identity_sessions WHERE ended_at IS NULL";
    assert_eq!(world.number(open).await, 702);
    world.pass(Duration::from_secs(13 * 3600)).await;
    world.identity.clean().await.unwrap();
    assert_eq!(world.number(open).await, 0, "one round of cleaning ends them all");
    assert!(world.closed.0.lock().unwrap().iter().any(|(device, _)| *device == first.device));
});

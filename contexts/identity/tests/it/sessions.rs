//! An official's own sessions.

use crate::MIGRATIONS;
use crate::world::World;
use pakawaaz_base::SessionId;
use pakawaaz_identity::Error;
use pakawaaz_storesuite::store_test;
use std::time::Duration;

store_test!(an_official_sees_and_ends_own_sessions_only, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let list = world.identity.sessions_of(&first.actor()).await.unwrap().sessions;
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].session, list[0].device), (first.tokens().session, first.device));
    assert_eq!(list[0].ends_at, first.tokens().session_ends_at);

    // Somebody else's session is no session for the caller, and goes on.
    let denied = world.identity.end_session(&first.actor(), second.tokens().session).await;
    assert_eq!(denied, Err(Error::NotFound("session")));
    let unknown = SessionId::from_bytes([9; 16]);
    assert_eq!(world.identity.end_session(&first.actor(), unknown).await, Err(Error::NotFound("session")));
    world.authenticate(&second).await.unwrap();

    world.identity.end_session(&first.actor(), first.tokens().session).await.unwrap();
    assert_eq!(world.authenticate(&first).await.err().as_deref(), Some("identity.session_ended"));
    assert!(world.closed.0.lock().unwrap().iter().any(|(device, _)| *device == first.device), "its socket closes");
    assert!(world.facts().await.iter().any(|kind| kind == "identity.session_ended"));
    assert!(world.identity.sessions_of(&first.actor()).await.unwrap().sessions.is_empty());
    // Ending it again changes nothing.
    world.identity.end_session(&first.actor(), first.tokens().session).await.unwrap();
    world.pass(Duration::from_secs(1)).await;
    world.authenticate(&second).await.unwrap();
});

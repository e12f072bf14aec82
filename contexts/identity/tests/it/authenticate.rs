//! Who is let in, and for how long after something ended.

use crate::MIGRATIONS;
use crate::world::{AUTHORITY, PASSWORD, World, node};
use pakawaaz_base::{Actor, Millis};
use pakawaaz_contract::admin::Subject;
use pakawaaz_http::Authenticator;
use pakawaaz_identity::{Error, HelloProof};
use pakawaaz_login::token::ACCESS_LIFETIME;
use pakawaaz_storesuite::store_test;
use std::time::Duration;

store_test!(a_proof_is_good_for_one_request, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let head = first.head(world.now());
    world.identity.authenticate(head.clone()).await.unwrap();
    let code = |result: Result<_, pakawaaz_http::Problem>| result.map(|_: pakawaaz_base::Actor| ()).unwrap_err().code;
    assert_eq!(code(world.identity.authenticate(head.clone()).await), "identity.token_invalid");

    let mut other = first.head(world.now());
    other.uri = format!("http://{AUTHORITY}/v1/other");
    assert_eq!(code(world.identity.authenticate(other).await), "identity.token_invalid", "another URL");
    let mut other = first.head(world.now());
    other.method = "POST".parse().unwrap();
    assert_eq!(code(world.identity.authenticate(other).await), "identity.token_invalid", "another method");
    let mut other = first.head(world.now());
    other.dpop = second.head(world.now()).dpop;
    assert_eq!(code(world.identity.authenticate(other).await), "identity.token_invalid", "another key");
    let mut other = first.head(world.now());
    other.authorization = other.authorization.map(|a| a.replace("DPoP", "Bearer"));
    assert_eq!(code(world.identity.authenticate(other).await), "identity.token_invalid", "no bearer tokens");
    let stale = first.head(world.now());
    world.pass(Duration::from_secs(62)).await;
    assert_eq!(code(world.identity.authenticate(stale).await), "identity.token_invalid", "an old proof");
    world.pass(Duration::from_secs(240)).await;
    assert_eq!(code(world.identity.authenticate(first.head(world.now())).await), "identity.token_invalid", "expired");
});

store_test!(a_websocket_says_hello_with_the_servers_nonce, MIGRATIONS, |db| async move {
    let (world, first, _) = World::with_administrators(db).await;
    let url = format!("http://{AUTHORITY}/v1/events");
    let dpop = first.proof("GET", &url, world.now(), Some("n-1"), true);
    let hello = |nonce| HelloProof { access_token: &first.tokens().access_token, dpop: &dpop, nonce, uri: &url };
    assert_eq!(world.identity.authenticate_hello(hello("n-2")).await.err(), Some(Error::TokenInvalid));
    let (actor, issued_at) = world.identity.authenticate_hello(hello("n-1")).await.unwrap();
    assert_eq!((actor.device, issued_at.plus(ACCESS_LIFETIME)), (first.device, first.tokens().expires_at));
    assert_eq!(world.identity.authenticate_hello(hello("n-1")).await.err(), Some(Error::TokenInvalid), "once");
});

store_test!(a_socket_learns_of_every_way_its_session_can_end, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let mut person = world.person((&first, &second), 3, "amna.khan").await;
    let url = format!("http://{AUTHORITY}/v1/events");
    let connect = async |person: &crate::world::Person, nonce: &'static str| {
        let dpop = person.proof("GET", &url, world.now(), Some(nonce), true);
        let hello = HelloProof { access_token: &person.tokens().access_token, dpop: &dpop, nonce, uri: &url };
        let (actor, issued_at) = world.identity.authenticate_hello(hello).await.unwrap();
        world.identity.still_live(&actor, issued_at).unwrap();
        (actor, issued_at)
    };
    let refusal = |(actor, issued_at): &(Actor, Millis)| world.identity.still_live(actor, *issued_at).err();
    let ended = Some(Error::SessionEnded);

    let socket = connect(&person, "n-1").await;
    world.identity.logout(&person.actor(), false).await.unwrap();
    assert_eq!(refusal(&socket), ended, "logged out");

    world.pass(Duration::from_secs(1)).await;
    world.login(&mut person, PASSWORD).await.unwrap();
    let socket = connect(&person, "n-2").await;
    let sims = world.identity.list_sims(&sim_manager(&first)).await.unwrap().sims;
    let sim = sims.iter().find(|s| s.official == Some(person.official)).unwrap().sim;
    world.identity.suspend(&sim_manager(&first), Subject::Sim(sim)).await.unwrap();
    assert_eq!(refusal(&socket), ended, "the SIM was suspended");
    world.identity.unsuspend(&sim_manager(&first), Subject::Sim(sim)).await.unwrap();

    world.pass(Duration::from_secs(1)).await;
    world.login(&mut person, PASSWORD).await.unwrap();
    let socket = connect(&person, "n-3").await;
    world.identity.suspend(&first.actor(), Subject::Official(person.official)).await.unwrap();
    assert_eq!(refusal(&socket), ended, "the official was suspended");

    world.identity.unsuspend(&first.actor(), Subject::Official(person.official)).await.unwrap();
    world.pass(Duration::from_secs(1)).await;
    world.login(&mut person, PASSWORD).await.unwrap();
    let socket = connect(&person, "n-4").await;
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(refusal(&socket), Some(Error::RevocationsStale), "nobody can tell");
});

fn sim_manager(person: &crate::world::Person) -> pakawaaz_base::Actor {
    let mut actor = person.actor();
    actor.roles.push(pakawaaz_base::Role::SimManager);
    actor
}

store_test!(what_ends_on_one_node_ends_on_the_other, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let mut person = world.person((&first, &second), 3, "amna.khan").await;
    let closed = std::sync::Arc::new(crate::world::Closed::default());
    let other = node(&world.db, &world.clock, &closed, &world.installation);
    let refused = other.authenticate(person.head(world.now())).await.unwrap_err();
    assert_eq!(refused.code, "identity.revocations_stale", "nobody is let in before the first look");
    assert!(!other.revocations_fresh());
    other.follow_revocations().await.unwrap();
    other.authenticate(person.head(world.now())).await.unwrap();

    world.identity.suspend(&first.actor(), Subject::Device(person.device)).await.unwrap();
    other.follow_revocations().await.unwrap();
    let refused = other.authenticate(person.head(world.now())).await.unwrap_err();
    assert_eq!(refused.code, "identity.session_ended");
    assert_eq!(closed.0.lock().unwrap().first().map(|(device, _)| *device), Some(person.device));
    // A node that starts later knows it as well.
    let third = node(&world.db, &world.clock, &closed, &world.installation);
    third.follow_revocations().await.unwrap();
    let refused = third.authenticate(person.head(world.now())).await.unwrap_err();
    assert_eq!(refused.code, "identity.session_ended");
    // And a new session after the suspension is good on all.
    world.identity.unsuspend(&first.actor(), Subject::Device(person.device)).await.unwrap();
    world.pass(Duration::from_secs(1)).await;
    world.login(&mut person, PASSWORD).await.unwrap();
    third.follow_revocations().await.unwrap();
    third.authenticate(person.head(world.now())).await.unwrap();
});

store_test!(without_an_answer_of_the_database_nobody_is_let_in, MIGRATIONS, |db| async move {
    let (world, first, _) = World::with_administrators(db).await;
    world.clock.advance(Duration::from_millis(1_999));
    world.authenticate(&first).await.unwrap();
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.authenticate(&first).await.err().as_deref(), Some("identity.revocations_stale"));
    world.identity.follow_revocations().await.unwrap();
    world.authenticate(&first).await.unwrap();
});

store_test!(cleaning_removes_what_has_expired, MIGRATIONS, |db| async move {
    let (world, _, _) = World::with_administrators(db).await;
    assert!(world.number("SELECT COUNT(*) FROM identity_attempt_steps").await > 0);
    world.identity.clean().await.unwrap();
    assert!(world.number("SELECT COUNT(*) FROM identity_attempt_steps").await > 0, "not yet");
    world.clock.advance(Duration::from_secs(40 * 24 * 3600));
    world.identity.clean().await.unwrap();
    world.identity.clean().await.unwrap(); // the first round ends them, the second forgets them
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_attempt_steps").await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_sessions").await, 0);
});

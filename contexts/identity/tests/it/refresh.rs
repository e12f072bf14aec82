//! Refresh tokens: rotation, lost answers, reuse, age.

use crate::MIGRATIONS;
use crate::world::{AUTHORITY, PASSWORD, Person, World};
use pakawaaz_contract::admin::{ProposalKind, Subject};
use pakawaaz_contract::identity::{RefreshRequest, Tokens};
use pakawaaz_identity::Error;
use pakawaaz_storesuite::store_test;
use pakawaaz_trust::SigningKey;
use rand::rngs::OsRng;
use std::time::Duration;

async fn refresh(world: &World, person: &Person, token: &str) -> Result<Tokens, Error> {
    let url = format!("http://{AUTHORITY}/v1/token/refresh");
    let proof = person.proof("POST", &url, world.now(), None, false);
    world.identity.refresh(&RefreshRequest { refresh_token: token.into() }, &proof, &url).await
}

store_test!(tokens_rotate_and_a_lost_answer_is_given_again, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let old = first.tokens().refresh_token.clone();
    let next = refresh(&world, &first, &old).await.unwrap();
    assert_ne!(next.refresh_token, old);
    world.pass(Duration::from_secs(9)).await;
    let again = refresh(&world, &first, &old).await.unwrap();
    assert_eq!(again.refresh_token, next.refresh_token, "the same successor");
    let third = refresh(&world, &first, &next.refresh_token).await.unwrap();
    world.pass(Duration::from_secs(200)).await;
    first.tokens = Some(third);
    world.authenticate(&first).await.unwrap();
});

store_test!(reuse_ends_the_session_everywhere, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let old = first.tokens().refresh_token.clone();
    let next = refresh(&world, &first, &old).await.unwrap();
    world.pass(Duration::from_secs(11)).await;
    assert_eq!(refresh(&world, &first, &old).await.err(), Some(Error::SessionEnded));
    assert_eq!(refresh(&world, &first, &next.refresh_token).await.err(), Some(Error::SessionEnded));
    first.tokens = Some(next);
    assert_eq!(world.authenticate(&first).await.err().as_deref(), Some("identity.session_ended"));
    assert!(world.closed.0.lock().unwrap().iter().any(|(device, _)| *device == first.device));
    assert!(world.facts().await.iter().any(|kind| kind == "identity.session_ended"));
});

store_test!(noise_ends_nothing_and_another_key_gets_nothing, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    let token = first.tokens().refresh_token.clone();
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    assert_eq!(refresh(&world, &first, &forged).await.err(), Some(Error::TokenInvalid));
    assert_eq!(refresh(&world, &first, "no token").await.err(), Some(Error::TokenInvalid));
    assert_eq!(refresh(&world, &second, &token).await.err(), Some(Error::TokenInvalid), "not her key");
    let good = std::mem::replace(&mut first.token_key, SigningKey::generate(&mut OsRng));
    assert_eq!(refresh(&world, &first, &token).await.err(), Some(Error::TokenInvalid));
    first.token_key = good;
    // A proof works once, and only for this server's URL.
    let url = format!("http://{AUTHORITY}/v1/token/refresh");
    let request = RefreshRequest { refresh_token: token };
    let proof = first.proof("POST", &url, world.now(), None, false);
    world.identity.refresh(&request, &proof, &url).await.unwrap();
    assert_eq!(world.identity.refresh(&request, &proof, &url).await.err(), Some(Error::TokenInvalid));
    let other = "http://evil.example/v1/token/refresh";
    let proof = first.proof("POST", other, world.now(), None, false);
    assert_eq!(world.identity.refresh(&request, &proof, other).await.err(), Some(Error::TokenInvalid));
});

store_test!(after_twelve_hours_the_sim_is_asked_again, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let mut token = first.tokens().refresh_token.clone();
    for _ in 0..11 {
        world.pass(Duration::from_secs(3600)).await;
        token = refresh(&world, &first, &token).await.unwrap().refresh_token;
    }
    world.pass(Duration::from_secs(3600 - 60)).await;
    let last = refresh(&world, &first, &token).await.unwrap();
    assert_eq!(last.expires_at, last.session_ends_at, "nothing outlives the session");
    world.pass(Duration::from_secs(60)).await;
    assert_eq!(refresh(&world, &first, &last.refresh_token).await.err(), Some(Error::SessionEnded));
    // Sockets opened by it end as well, unless the device has logged in again.
    world.identity.clean().await.unwrap();
    let closed: Vec<_> = world.closed.0.lock().unwrap().drain(..).map(|(device, _)| device).collect();
    assert!(closed.contains(&first.device));
    world.login(&mut first, PASSWORD).await.unwrap();
    world.identity.clean().await.unwrap();
    world.authenticate(&first).await.unwrap();
    assert!(world.closed.0.lock().unwrap().is_empty());
});

store_test!(logging_out_ends_one_session_or_all, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let old = first.tokens.clone();
    let old_key = first.token_key.clone();
    world.login(&mut first, PASSWORD).await.unwrap();
    world.identity.logout(&first.actor(), false).await.unwrap();
    assert_eq!(world.authenticate(&first).await.err().as_deref(), Some("identity.session_ended"));
    (first.tokens, first.token_key) = (old, old_key);
    world.authenticate(&first).await.expect("the other session goes on");
    world.identity.logout(&first.actor(), true).await.unwrap();
    assert_eq!(world.authenticate(&first).await.err().as_deref(), Some("identity.session_ended"));
});

// The socket of a device that is cut off may hear first that its session has ended: the refresh that follows says why.
store_test!(whoever_is_suspended_hears_so_at_the_refresh_and_nothing_graver, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let mut person = world.person((&first, &second), 3, "amna.khan").await;
    world.login(&mut person, PASSWORD).await.unwrap();
    let token = person.tokens().refresh_token.clone();
    let sims = world.identity.list_sims(&first.actor()).await.unwrap().sims;
    let sim = sims.iter().find(|s| s.official == Some(person.official)).unwrap().sim;
    for subject in [Subject::Device(person.device), Subject::Official(person.official), Subject::Sim(sim)] {
        world.identity.suspend(&first.actor(), subject).await.unwrap();
        assert_eq!(refresh(&world, &person, &token).await.err(), Some(Error::Suspended), "{subject:?}");
        world.identity.unsuspend(&first.actor(), subject).await.unwrap();
        let ended = refresh(&world, &person, &token).await.err();
        assert_eq!(ended, Some(Error::SessionEnded), "what was ended stays ended");
    }
});

// A revocation is for good, whatever is suspended beside it: the app offers to delete what the device keeps.
store_test!(whoever_is_revoked_hears_so_even_when_suspended_too, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let mut person = world.person((&first, &second), 3, "amna.khan").await;
    world.login(&mut person, PASSWORD).await.unwrap();
    let token = person.tokens().refresh_token.clone();
    let sims = world.identity.list_sims(&first.actor()).await.unwrap().sims;
    let sim = sims.iter().find(|s| s.official == Some(person.official)).unwrap().sim;
    for subject in [Subject::Device(person.device), Subject::Official(person.official)] {
        world.identity.suspend(&first.actor(), subject).await.unwrap();
    }
    let statement = first.revocation(pakawaaz_trust::Subject::Sim(sim), world.now());
    let proposal = world.propose(&first, ProposalKind::Revocations, &[statement]).await.unwrap();
    assert_eq!(refresh(&world, &person, &token).await.err(), Some(Error::Suspended), "one administrator is not enough");
    world.approve(&second, &proposal).await.unwrap();
    assert_eq!(refresh(&world, &person, &token).await.err(), Some(Error::DeviceNotActive));
    for subject in [Subject::Device(person.device), Subject::Official(person.official)] {
        world.identity.unsuspend(&first.actor(), subject).await.unwrap();
    }
    assert_eq!(world.login_tokens(&mut person, PASSWORD).await.err(), Some(Error::DeviceNotActive));
});

//! What it takes to come back: ten thousand devices do so at once when a server was restarted.

use crate::world::{Device, World};
use pakawaaz_base::{Millis, SessionId};
use pakawaaz_client::{ClientError, CutOff};
use pakawaaz_contract::frames::ServerFrame;
use pakawaaz_contract::identity::Tokens;
use std::cell::Cell;
use std::rc::Rc;

#[test]
fn who_knows_its_conversations_comes_back_without_a_request() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    world.settle(&[&alice, &bob]);
    let asked = Rc::new(Cell::new(0));
    let counter = asked.clone();
    world.server.borrow_mut().http_lie = Some(Box::new(move |_, _, body| {
        counter.set(counter.get() + 1);
        body
    }));
    // Answered, or to a path that this server does not know.
    let asked = || asked.get() + world.server.borrow().sent.len();
    let before = asked();
    bob.sync();
    assert_eq!(asked(), before);
    alice.send(group, "only the socket is needed");
    bob.sync();
    assert_eq!((bob.texts(group), asked()), (vec!["only the socket is needed".to_owned()], before));
    let mut lost = bob;
    lost.lose_state();
    lost.sync();
    assert!(asked() > before, "who has lost them asks");
}

#[test]
fn who_lost_its_conversations_with_their_invitations_finds_them_again() {
    let mut world = World::new();
    let (alice, mut bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    world.settle(&[&alice, &bob]);
    bob.lose_state();
    // It was acknowledged long ago, so the server does not have it any more either.
    world.server.borrow_mut().inbox.remove(&bob.id);
    world.settle(&[&bob, &alice]);
    alice.send(group, "there you are");
    bob.sync();
    assert_eq!(bob.texts(group), ["there you are"]);
}

/// Makes the server trade tokens.
fn trades_tokens(world: &World) {
    let now = Millis(world.now.get());
    let tokens = Tokens {
        access_token: "another".into(),
        expires_at: now.plus(std::time::Duration::from_secs(300)),
        refresh_token: "another".into(),
        session_ends_at: now.plus(std::time::Duration::from_secs(3600)),
        session: SessionId::from_bytes([1; 16]),
    };
    let page = serde_json::to_vec(&tokens).unwrap();
    world.server.borrow_mut().pages.insert("/v1/token/refresh".into(), page);
}

/// The server does not take the device's token, so many times.
fn does_not_take_the_token(world: &World, device: &Device, mut times: u32) {
    world.lie(device.id, move |frames| {
        if times == 0 || !matches!(frames.first(), Some(ServerFrame::Ready { .. })) {
            return frames;
        }
        times -= 1;
        vec![ServerFrame::Closing { code: "identity.token_invalid".into() }]
    });
}

#[test]
fn a_token_that_is_not_taken_is_renewed_at_once_but_not_for_ever() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    trades_tokens(&world);
    for _ in 0..2 {
        alice.send(group, "hear me");
        does_not_take_the_token(&world, &bob, 1);
        bob.sync();
    }
    assert_eq!(bob.texts(group), ["hear me"; 2]);
    does_not_take_the_token(&world, &bob, u32::MAX);
    assert!(matches!(bob.try_sync(), Err(ClientError::LoginRequired)));
}

#[test]
fn a_suspended_device_is_not_taken_for_a_revoked_one() {
    // Whatever the socket's last word is, the answer to the refresh decides; a device may be back by then.
    let words = [
        ("identity.suspended", Some(CutOff::Suspended)),
        ("identity.device_not_active", Some(CutOff::Revoked)),
        ("identity.session_ended", None),
    ];
    for (refusal, expected) in words {
        for last_word in ["identity.revoked", "identity.session_ended"] {
            let mut world = World::new();
            let alice = world.official();
            assert_eq!(alice.client.cut_off(), None);
            world.server.borrow_mut().refused.insert("/v1/token/refresh".into(), (403, refusal));
            world.lie(alice.id, move |_| vec![ServerFrame::Closing { code: last_word.into() }]);
            assert!(matches!(alice.try_sync(), Err(ClientError::LoginRequired)), "{refusal} after {last_word}");
            assert_eq!(alice.client.cut_off(), expected, "{refusal} after {last_word}");
        }
    }
}

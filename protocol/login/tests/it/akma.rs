//! The SIM proven by AKMA: the same login, another key.

use crate::world::*;
use pakawaaz_aka::akma::home_network_domain;
use pakawaaz_aka::{AKid, Imsi, KAkma, MncLength};
use pakawaaz_login::akma::PROTOCOL;
use pakawaaz_login::*;
use zeroize::Zeroizing;

fn imsi() -> Imsi {
    Imsi::new("001010123456789").expect("valid")
}

/// What a phone has after a primary authentication with this K_AUSF.
fn phone(k_ausf: u8) -> PhoneKey {
    let (anchor, name) = KAkma::derive(&[k_ausf; 32], &imsi()).expect("derives");
    let a_kid = AKid::new("0", name, &imsi(), MncLength::Two).expect("valid");
    assert_eq!(a_kid.realm(), home_network_domain("001", "01"));
    PhoneKey { a_kid, k_af: anchor.k_af(REALM, PROTOCOL).expect("derives") }
}

fn verify(
    world: &World,
    login: pakawaaz_base::LoginId,
    state: &[u8],
    key: &PhoneKey,
    sent: &SimProof,
) -> Result<Completed, LoginError> {
    let state = world.server().sim(login, state, NOW).expect("opens");
    state.verify_akma(&world.server(), &key.a_kid, &key.k_af, sent, BINDING)
}

#[test]
fn a_phones_key_logs_in_and_both_sides_confirm() {
    let mut world = World::new();
    let (challenged, challenge, login) = world.reach_challenge();
    let (waiting, proof) = challenged.akma(&phone(1), BINDING).expect("a proof");
    let completed = verify(&world, login, &challenge.state, &phone(1), &proof).expect("all factors");
    assert_eq!((completed.official, completed.device, completed.login), (world.official, world.device, login));
    assert_eq!(waiting.finish(&completed.confirmation).expect("the server confirms").login, login);
}

#[test]
fn the_card_still_answers_the_challenge_that_the_phones_key_did_not() {
    let mut world = World::new();
    let (challenged, challenge, login) = world.reach_challenge();
    let (_, _unknown) = challenged.akma(&phone(1), BINDING).expect("a proof");
    let (sent, proof) = expect_proof(world.ask(challenged));
    let state = world.server().sim(login, &challenge.state, NOW).expect("opens");
    sent.finish(&state.verify(&proof, BINDING).expect("all factors").confirmation).expect("the server confirms");
}

#[test]
fn another_key_name_binding_or_way_is_refused() {
    let mut world = World::new();
    let (challenged, challenge, login) = world.reach_challenge();
    let (waiting, proof) = challenged.akma(&phone(1), BINDING).expect("a proof");
    let refused = |key: &PhoneKey| verify(&world, login, &challenge.state, key, &proof).err();
    assert_eq!(refused(&phone(2)), Some(LoginError::SimRejected));
    let mixed = PhoneKey { a_kid: phone(2).a_kid, ..phone(1) };
    assert_eq!(refused(&mixed), Some(LoginError::SimRejected), "the name is part of what is proven");
    let elsewhere =
        PhoneKey { a_kid: AKid::new("7", *phone(1).a_kid.name(), &imsi(), MncLength::Two).expect("valid"), ..phone(1) };
    assert_eq!(refused(&elsewhere), Some(LoginError::SimRejected), "so is the routing indicator");
    let open = || world.server().sim(login, &challenge.state, NOW).expect("opens");
    assert_eq!(
        open().verify(&proof, BINDING).err(),
        Some(LoginError::SimRejected),
        "a proof by AKMA is none by the card"
    );
    let connection = open().verify_akma(&world.server(), &phone(1).a_kid, &phone(1).k_af, &proof, b"elsewhere");
    assert_eq!(connection.err(), Some(LoginError::Confirmation));
    let completed = verify(&world, login, &challenge.state, &phone(1), &proof).expect("the test itself can tell");
    let mut confirmation = completed.confirmation;
    confirmation[0] ^= 1;
    assert_eq!(waiting.finish(&confirmation).err(), Some(LoginError::Confirmation));
}

#[test]
fn a_proof_is_worth_nothing_in_another_login_though_the_key_is_the_same() {
    let mut world = World::new();
    let (challenged, _, _) = world.reach_challenge();
    let (_, recorded) = challenged.akma(&phone(1), BINDING).expect("a proof");
    let (_, challenge, login) = world.reach_challenge();
    assert_eq!(verify(&world, login, &challenge.state, &phone(1), &recorded).err(), Some(LoginError::SimRejected));
}

#[test]
fn a_key_for_another_application_is_refused() {
    let mut world = World::new();
    let (challenged, challenge, login) = world.reach_challenge();
    let (anchor, _) = KAkma::derive(&[1; 32], &imsi()).expect("derives");
    for (fqdn, protocol) in [("other.example", PROTOCOL), (REALM, [0xff, 0, 0, 0, 0])] {
        let key = PhoneKey { k_af: anchor.k_af(fqdn, protocol).expect("derives"), ..phone(1) };
        let (_, proof) = challenged.akma(&key, BINDING).expect("a proof");
        assert_eq!(verify(&world, login, &challenge.state, &phone(1), &proof).err(), Some(LoginError::SimRejected));
    }
}

#[test]
fn a_phones_key_is_not_shown() {
    let shown = format!("{:?}", PhoneKey { k_af: Zeroizing::new([0x5a; 32]), ..phone(1) });
    assert_eq!(shown, "PhoneKey { .. }");
}

use crate::world::*;
use pakawaaz_aka::{SqnState, Usim as _, UsimResponse};
use pakawaaz_base::{LoginId, OfficialId};
use pakawaaz_login::client::Answer;
use pakawaaz_login::*;
use pakawaaz_trust::{ChannelMode, DeviceSigner as _, SigningKey};
use rand::rngs::OsRng;

#[test]
fn three_factors_log_in_and_both_sides_confirm() {
    let mut world = World::new();
    let (challenged, challenge, login) = world.reach_challenge();
    let (sent, proof) = expect_proof(world.ask(challenged));
    let state = world.server().sim(login, &challenge.state, NOW).expect("opens");
    assert_eq!(state.channel(), ChannelMode::TlsExporter);
    let completed = state.verify(&proof, BINDING).expect("all factors");
    assert_eq!(completed.login, login);
    assert_eq!((completed.official, completed.device), (world.official, world.device));
    assert_eq!(completed.token_key, world.token_key.public_key());
    assert_eq!(sent.finish(&completed.confirmation).expect("the server confirms").login, login);
}

#[test]
fn a_wrong_password_is_told_to_the_device_and_counts() {
    let world = World::new();
    let (client, request) = world.begin(b"wrong");
    let response = world.start(&request).expect("round 1");
    let failed = client.password(&response, &world.device_key, &mut OsRng).expect_err("wrong password");
    assert_eq!(failed, LoginError::WrongPassword);
    // The device reports it with a signed round 2 whose KE3 is no good.
    let at = transcript::Transcript::round1(REALM, &request, response.login, &response.ke2, &response.nonce);
    let ke3 = vec![7; 64];
    let signature = world.device_key.sign(pakawaaz_trust::SignLabel::LoginRound2, &at.round2_signed(&ke3));
    let outcome = world
        .server()
        .password(response.login, &response.state, &PasswordRequest { ke3: ke3.clone(), signature }, NOW)
        .expect("well-formed");
    assert!(matches!(outcome, PasswordOutcome::WrongPassword { official, device }
            if official == world.official && device == world.device));
    // Without the device's signature the same request moves nothing.
    let stranger = SigningKey::generate(&mut OsRng);
    let signature = stranger.sign(pakawaaz_trust::SignLabel::LoginRound2, &at.round2_signed(&ke3));
    let outcome = world
        .server()
        .password(response.login, &response.state, &PasswordRequest { ke3, signature }, NOW)
        .expect("well-formed");
    assert!(matches!(outcome, PasswordOutcome::Refused));
}

/// Runs rounds 1 and 2 with `account` and answers whether the login was refused.
fn refused(world: &World, account: &Account, request: &StartRequest, client: LoginClient) -> bool {
    let response = world
        .server()
        .start(request, account, LoginId::new(NOW, &mut OsRng), NOW, &mut OsRng)
        .expect("round 1 tells nothing");
    let Ok((_, request)) = client.password(&response, &world.device_key, &mut OsRng) else {
        return true;
    };
    let outcome = world.server().password(response.login, &response.state, &request, NOW).expect("well-formed");
    matches!(outcome, PasswordOutcome::Refused)
}

#[test]
fn whoever_is_not_enrolled_here_is_refused_even_with_the_password() {
    let world = World::new();
    let accounts = [
        Account { official: None, ..world.account.clone() },
        Account { device: None, ..world.account.clone() },
        Account { password_file: None, ..world.account.clone() },
        Account::default(),
    ];
    for account in &accounts {
        let (client, request) = world.begin(PASSWORD);
        assert!(refused(&world, account, &request, client), "{account:?}");
    }
    let (client, request) = world.begin(PASSWORD);
    assert!(!refused(&world, &world.account, &request, client), "the test itself can tell");
}

#[test]
fn a_wrong_device_signature_in_round_1_is_refused() {
    let world = World::new();
    let (client, mut request) = world.begin(PASSWORD);
    request.signature = SigningKey::generate(&mut OsRng).sign(pakawaaz_trust::SignLabel::LoginRound1, b"other");
    assert!(refused(&world, &world.account, &request, client));
}

#[test]
fn ke2_lets_only_the_enrolled_device_test_a_password() {
    let world = World::new();
    let opens = |request: &StartRequest, client: LoginClient| {
        let response = world.start(request).expect("round 1 tells nothing");
        client.password(&response, &world.device_key, &mut OsRng).is_ok()
    };
    let (client, request) = world.begin(PASSWORD);
    assert!(opens(&request, client), "the test itself can tell");
    // Even the right password looks wrong to whoever has no device: guessing without it is blind.
    let (client, mut request) = world.begin(PASSWORD);
    request.signature = SigningKey::generate(&mut OsRng).sign(pakawaaz_trust::SignLabel::LoginRound1, b"other");
    assert!(!opens(&request, client));
    let params = LoginParams { channel: ChannelMode::Loopback, ..world.params() };
    let (client, request) = LoginClient::start(params, PASSWORD, &world.device_key, &mut OsRng).expect("starts");
    assert!(!opens(&request, client), "such a start is not counted either");
}

#[test]
fn a_start_counts_only_for_the_enrolled_device() {
    let world = World::new();
    let (_, request) = world.begin(PASSWORD);
    let counts = |request: &StartRequest, account: &Account| world.server().is_from_enrolled_device(request, account);
    assert!(counts(&request, &world.account));
    assert!(!counts(&request, &Account::default()));
    assert!(!counts(&request, &Account { device: None, ..world.account.clone() }));
    assert!(!counts(&StartRequest { nonce: [0; 32], ..request.clone() }, &world.account), "nobody else can count");
}

#[test]
fn another_channel_mode_than_enrolled_is_refused() {
    let world = World::new();
    let params = LoginParams { channel: ChannelMode::Loopback, ..world.params() };
    let (client, request) = LoginClient::start(params, PASSWORD, &world.device_key, &mut OsRng).expect("starts");
    assert!(refused(&world, &world.account, &request, client), "no self-declared downgrade");
}

#[test]
fn known_and_unknown_users_get_answers_of_the_same_shape() {
    let world = World::new();
    let (_, request) = world.begin(PASSWORD);
    let start = |account: &Account| {
        world.server().start(&request, account, LoginId::new(NOW, &mut OsRng), NOW, &mut OsRng).expect("round 1")
    };
    let known = start(&world.account);
    for account in [
        Account::default(),
        Account { device: None, ..world.account.clone() },
        Account { official: Some(OfficialId::from_bytes([9; 16])), ..Account::default() },
    ] {
        let unknown = start(&account);
        assert_eq!(unknown.state.len(), known.state.len());
        assert_eq!(unknown.ke2.len(), known.ke2.len());
        let request = PasswordRequest { ke3: vec![7; 64], signature: [7; 64] };
        let outcome = world.server().password(unknown.login, &unknown.state, &request, NOW).expect("well-formed");
        assert!(matches!(outcome, PasswordOutcome::Refused));
    }
}

#[test]
fn malformed_requests_fail_alike_for_everybody() {
    let world = World::new();
    let (_, good) = world.begin(PASSWORD);
    let bad = [
        (StartRequest { version: 2, ..good.clone() }, LoginError::Version),
        (StartRequest { username: String::new(), ..good.clone() }, LoginError::Malformed("username")),
        (StartRequest { username: "x".repeat(200), ..good.clone() }, LoginError::Malformed("username")),
        (StartRequest { token_key: [4; 65], ..good.clone() }, LoginError::Malformed("token key")),
        (StartRequest { ke1: vec![0; 10], ..good.clone() }, LoginError::Malformed("KE1")),
    ];
    for (request, error) in bad {
        for account in [&world.account, &Account::default()] {
            let result = world.server().start(&request, account, LoginId::from_bytes([1; 16]), NOW, &mut OsRng);
            assert_eq!(result, Err(error));
        }
    }
}

#[test]
fn another_sim_is_rejected() {
    let mut world = World::new();
    let (challenged, challenge, login) = world.reach_challenge();
    // A SIM of another subscriber refuses the challenge…
    assert!(usim(0x43).authenticate(challenged.rand(), challenged.autn()).is_err());
    // …and whoever makes up the SIM's keys has no proof.
    let made_up = UsimResponse::Success {
        res: pakawaaz_aka::Res::from_slice(&[1; 8]).expect("8 bytes"),
        ck: pakawaaz_aka::CipherKey::from_bytes([1; 16]),
        ik: pakawaaz_aka::IntegrityKey::from_bytes([2; 16]),
    };
    let (_, proof) = expect_proof(challenged.answer(made_up, BINDING).expect("an answer"));
    let state = world.server().sim(login, &challenge.state, NOW).expect("opens");
    assert_eq!(state.verify(&proof, BINDING), Err(LoginError::SimRejected));
}

#[test]
fn another_connection_is_noticed_by_the_server() {
    let mut world = World::new();
    let (challenged, challenge, login) = world.reach_challenge();
    let (_, proof) = expect_proof(world.ask(challenged));
    let state = world.server().sim(login, &challenge.state, NOW).expect("opens");
    assert_eq!(state.verify(&proof, b"a relay's connection"), Err(LoginError::Confirmation));
}

#[test]
fn a_server_that_does_not_know_the_keys_is_noticed_by_the_client() {
    let mut world = World::new();
    let (challenged, challenge, login) = world.reach_challenge();
    let (sent, proof) = expect_proof(world.ask(challenged));
    let state = world.server().sim(login, &challenge.state, NOW).expect("opens");
    let mut confirmation = state.verify(&proof, BINDING).expect("all factors").confirmation;
    confirmation[31] ^= 1;
    assert_eq!(sent.finish(&confirmation), Err(LoginError::Confirmation));

    // The client's own confirmation reflected back is no confirmation.
    let (challenged, ..) = world.reach_challenge();
    let (sent, proof) = expect_proof(world.ask(challenged));
    assert_eq!(sent.finish(&proof.confirmation), Err(LoginError::Confirmation));
}

/// The card has seen 1001, the network restarts at 5: a restored backup.
fn card_ahead_of_network(world: &mut World) {
    let at = |seq| SqnState::from_parts(seq, -(NOW.0 / 100)).expect("in range");
    world.sqn = at(1000);
    let (challenged, _, _) = world.reach_challenge();
    let _ = expect_proof(world.ask(challenged));
    world.sqn = at(5);
}

#[test]
fn a_sim_out_of_step_is_resynchronised_once() {
    let mut world = World::new();
    card_ahead_of_network(&mut world);
    let (challenged, challenge, login) = world.reach_challenge();
    let Answer::Resync(client, auts) = world.ask(challenged) else { panic!("expected a sync failure") };
    let second = world.resync(login, &challenge.state, &auts).expect("genuine AUTS");
    assert_ne!(second.rand, challenge.rand);
    let challenged = client.challenge(&second).expect("our realm");
    let (sent, proof) = expect_proof(world.ask(challenged));
    let state = world.server().sim(login, &second.state, NOW).expect("opens");
    let completed = state.verify(&proof, BINDING).expect("all factors");
    assert!(sent.finish(&completed.confirmation).is_ok());

    // The state after a resynchronisation allows no other.
    let state = world.server().sim(login, &second.state, NOW).expect("opens");
    assert_eq!(state.resync(&auts).err(), Some(LoginError::ResyncUsed));
}

#[test]
fn a_client_does_not_resynchronise_twice() {
    let mut world = World::new();
    card_ahead_of_network(&mut world);
    let (challenged, challenge, _) = world.reach_challenge();
    let Answer::Resync(client, _) = world.ask(challenged) else { panic!("expected a sync failure") };
    // A server that sends the stale challenge again.
    let challenged = client.challenge(&challenge).expect("our realm");
    let said = world.usim.authenticate(challenged.rand(), challenged.autn()).expect("genuine");
    assert_eq!(challenged.answer(said, BINDING).err(), Some(LoginError::ResyncUsed));
}

#[test]
fn a_challenge_for_another_network_is_refused() {
    let world = World::new();
    let mut other = World::new();
    let (client, request) = world.begin(PASSWORD);
    let response = world.start(&request).expect("round 1");
    let (client, _) = client.password(&response, &world.device_key, &mut OsRng).expect("right password");
    let (_, challenge, _) = other.reach_challenge();
    let elsewhere = Challenge { network_name: "5G:mnc001.mcc410.3gppnetwork.org".into(), ..challenge };
    assert!(client.challenge(&elsewhere).is_err());
}

#[test]
fn states_belong_to_one_round_one_login_and_two_minutes() {
    let mut world = World::new();
    let (client, request) = world.begin(PASSWORD);
    let response = world.start(&request).expect("round 1");
    let (_, round2) = client.password(&response, &world.device_key, &mut OsRng).expect("right password");
    let server = world.server();
    let late = NOW.plus(server::LOGIN_LIFETIME);
    let password = |login, state: &[u8], now| server.password(login, state, &round2, now).map(|_| ());
    assert_eq!(password(response.login, &response.state, NOW), Ok(()));
    assert_eq!(password(response.login, &response.state, late), Err(LoginError::Expired));
    assert_eq!(password(LoginId::from_bytes([1; 16]), &response.state, NOW), Err(LoginError::BadState));
    assert_eq!(server.sim(response.login, &response.state, NOW).err(), Some(LoginError::BadState));

    let (challenged, challenge, login) = world.reach_challenge();
    let server = world.server();
    assert_eq!(server.password(login, &challenge.state, &round2, NOW).err(), Some(LoginError::BadState));
    assert_eq!(server.sim(login, &challenge.state, late).err(), Some(LoginError::Expired));
    assert_eq!(server.sim(response.login, &challenge.state, NOW).err(), Some(LoginError::BadState));
    drop(challenged);
}

#[test]
fn a_replayed_second_round_leads_to_another_challenge_that_the_first_answer_does_not_fit() {
    let mut world = World::new();
    let (client, request) = world.begin(PASSWORD);
    let response = world.start(&request).expect("round 1");
    let (client, round2) = client.password(&response, &world.device_key, &mut OsRng).expect("right password");
    let mut challenges = Vec::new();
    for _ in 0..2 {
        let outcome = world.server().password(response.login, &response.state, &round2, NOW).expect("round 2");
        challenges.push(world.challenge(*expect_verified(outcome)));
    }
    let challenged = client.challenge(&challenges[0]).expect("our realm");
    let (_, proof) = expect_proof(world.ask(challenged));
    let other = world.server().sim(response.login, &challenges[1].state, NOW).expect("opens");
    assert_eq!(other.verify(&proof, BINDING), Err(LoginError::SimRejected));
    let own = world.server().sim(response.login, &challenges[0].state, NOW).expect("opens");
    assert!(own.verify(&proof, BINDING).is_ok());
}

#[test]
fn a_replayed_first_round_gets_nowhere_without_the_device() {
    let world = World::new();
    let (client, request) = world.begin(PASSWORD);
    let first = world.start(&request).expect("round 1");
    let (_, round2) = client.password(&first, &world.device_key, &mut OsRng).expect("right password");
    // Somebody who recorded both rounds plays them against a fresh login.
    let again = world.start(&request).expect("round 1");
    let outcome = world.server().password(again.login, &again.state, &round2, NOW).expect("well-formed");
    assert!(matches!(outcome, PasswordOutcome::Refused));
}

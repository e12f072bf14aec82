//! Three factors, and what each failure tells to whom.

use crate::MIGRATIONS;
use crate::world::{PASSWORD, World, connection, node};
use pakawaaz_aka::Usim;
use pakawaaz_aka::{SoftwareUsim, UsimState};
use pakawaaz_base::{Bytes, DeviceId, LoginId, OfficialId};
use pakawaaz_contract::identity::{LoginPasswordRequest, LoginSimRequest, LoginStartRequest, SimAnswer};
use pakawaaz_identity::{Error, LoginConnection};
use pakawaaz_login::client::Challenged;
use pakawaaz_login::{Answer, Challenge, StartResponse};
use pakawaaz_storesuite::store_test;
use pakawaaz_trust::{DeviceSigner, SigningKey};
use rand::rngs::OsRng;
use std::time::Duration;

store_test!(a_wrong_password_is_told_to_the_device_and_backs_off, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    for _ in 0..5 {
        assert_eq!(world.login(&mut first, b"wrong").await.err(), Some(Error::WrongPassword));
    }
    let record = world.identity.account(&second.actor(), first.official).await.unwrap();
    assert_eq!((record.password_failures, record.sim_failures), (5, 0));
    let waiting = world.login(&mut first, PASSWORD).await;
    assert_eq!(waiting.err(), Some(Error::Wait { retry_after_ms: 1000 }));
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.login(&mut first, b"wrong").await.err(), Some(Error::WrongPassword));
    assert_eq!(world.login(&mut first, PASSWORD).await.err(), Some(Error::Wait { retry_after_ms: 2000 }));
    world.pass(Duration::from_secs(2)).await;
    world.login(&mut first, PASSWORD).await.unwrap();
    let record = world.identity.account(&second.actor(), first.official).await.unwrap();
    assert_eq!((record.password_failures, record.sim_failures), (0, 0), "a success forgets");
});

store_test!(starts_at_once_share_one_back_off, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    // Each KE2 tests one password: a thief of the device must not get many by asking for them together.
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (identity, request) = (world.identity.clone(), first.login_begin(b"guess").2);
        starts.spawn(async move { identity.login_start(&request).await });
    }
    let answers = starts.join_all().await;
    let given = answers.iter().filter(|a| a.is_ok()).count();
    assert_eq!(given, 5, "the fifth starts the wait");
    assert!(answers.iter().flat_map(|a| a.as_ref().err()).all(|e| matches!(e, Error::Wait { .. })));
    let record = world.identity.account(&second.actor(), first.official).await.unwrap();
    assert_eq!(record.password_failures, 5, "who is told to wait has not tried");
});

store_test!(a_name_that_can_be_nobodys_is_refused_on_every_engine, MIGRATIONS, |db| async move {
    let (world, first, _) = World::with_administrators(db).await;
    for name in ["", "a\0b", "two words", &"x".repeat(65)] {
        let request = LoginStartRequest { username: name.into(), ..first.login_begin(PASSWORD).2 };
        let refused = world.identity.login_start(&request).await.err();
        assert_eq!(refused, Some(Error::Malformed("username")), "{name:?}");
    }
});

store_test!(outsiders_learn_nothing_and_lock_nobody, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    let sqn = "SELECT CAST(SUM(sqn_seq) AS BIGINT) FROM identity_sims";
    let before = world.number(sqn).await;
    let thief = SigningKey::generate(&mut OsRng);
    let mut sizes = Vec::new();
    // The right name and device with a wrong key; a device of somebody else; an unknown device; an unknown name.
    let cases = [
        (first.username.clone(), first.device),
        (first.username.clone(), second.device),
        (first.username.clone(), DeviceId::from_bytes([8; 16])),
        ("nobody.here".to_owned(), first.device),
    ];
    for (username, device) in cases {
        for _ in 0..3 {
            let mut outsider = world_person(&first, &thief);
            (outsider.username, outsider.device) = (username.clone(), device);
            let (client, _, request) = outsider.login_begin(PASSWORD);
            let answer = world.identity.login_start(&request).await.unwrap();
            sizes.push((answer.state.len() - username.len(), answer.ke2.len()));
            let response = StartResponse {
                login: answer.login,
                state: answer.state.to_vec(),
                ke2: answer.ke2.to_vec(),
                nonce: answer.nonce.array().unwrap(),
            };
            // Whether or not its OPAQUE works out, the server says the same.
            let (ke3, signature) = match client.password(&response, &thief, &mut OsRng) {
                Ok((_, sent)) => (sent.ke3, sent.signature),
                Err(_) => (vec![1; 64], thief.sign(pakawaaz_trust::SignLabel::LoginRound2, b"")),
            };
            let request = LoginPasswordRequest {
                login: answer.login,
                state: answer.state,
                ke3: ke3.into(),
                signature: signature.into(),
            };
            assert_eq!(world.identity.login_password(&request).await.err(), Some(Error::LoginFailed));
        }
    }
    sizes.dedup();
    assert_eq!(sizes.len(), 1, "all answers have one shape: {sizes:?}");
    assert_eq!(world.number(sqn).await, before, "no vector was drawn");
    let record = world.identity.account(&second.actor(), first.official).await.unwrap();
    assert_eq!((record.password_failures, record.sim_failures), (0, 0), "no counter moved");
    world.login(&mut first, PASSWORD).await.unwrap();
});

fn world_person(like: &crate::world::Person, key: &SigningKey) -> crate::world::Person {
    crate::world::Person {
        official: like.official,
        username: like.username.clone(),
        device: like.device,
        status: like.status,
        key: key.clone(),
        usim: like.usim.clone(),
        token_key: SigningKey::generate(&mut OsRng),
        tokens: None,
        roles: Vec::new(),
        finish: like.finish.clone(),
    }
}

/// Rounds 1 and 2, and the third request ready to send.
async fn reach_sim(world: &World, person: &mut crate::world::Person, binding: &[u8]) -> LoginSimRequest {
    let (challenged, login, state) = reach_challenge(world, person).await;
    let said = person.usim.authenticate(challenged.rand(), challenged.autn()).unwrap();
    let answer = match challenged.answer(said, binding).unwrap() {
        Answer::Proof(_, sent) => SimAnswer::Proof { proof: sent.proof.into(), confirmation: sent.confirmation.into() },
        Answer::Resync(_, auts) => SimAnswer::Resync { auts: auts.into() },
    };
    LoginSimRequest { login, state, answer }
}

/// Rounds 1 and 2.
pub async fn reach_challenge(world: &World, person: &crate::world::Person) -> (Challenged, LoginId, Bytes) {
    let (client, _, request) = person.login_begin(PASSWORD);
    let answer = world.identity.login_start(&request).await.unwrap();
    let response = StartResponse {
        login: answer.login,
        state: answer.state.to_vec(),
        ke2: answer.ke2.to_vec(),
        nonce: answer.nonce.array().unwrap(),
    };
    let (client, sent) = client.password(&response, &person.key, &mut OsRng).unwrap();
    let request = LoginPasswordRequest {
        login: answer.login,
        state: answer.state,
        ke3: sent.ke3.into(),
        signature: sent.signature.into(),
    };
    let challenge = world.identity.login_password(&request).await.unwrap();
    assert_eq!(
        world.identity.login_password(&request).await.err(),
        Some(Error::AttemptExpired),
        "a second challenge for one login is never drawn"
    );
    let challenged = client
        .challenge(&Challenge {
            rand: challenge.rand.array().unwrap(),
            autn: challenge.autn.array().unwrap(),
            network_name: challenge.network_name.clone(),
            state: challenge.state.to_vec(),
        })
        .unwrap();
    (challenged, request.login, challenge.state)
}

store_test!(a_login_begun_with_a_replaced_password_opens_nothing, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let (registration, start) = crate::password::begin(b"new password", None);
    let answer = world.identity.password_start(&first.actor(), &start).await.unwrap();
    let finish = crate::password::end(registration, &answer, &first, None);
    // Somebody who knows the old password stands before the third round while its owner changes it.
    world.pass(Duration::from_millis(1)).await;
    let request = reach_sim(&world, &mut first, &world.binding()).await;
    world.pass(Duration::from_millis(1)).await;
    world.identity.password_finish(&first.actor(), &finish).await.unwrap();
    assert_eq!(world.identity.login_sim(&request, &connection()).await.err(), Some(Error::AttemptExpired));
    world.login(&mut first, b"new password").await.unwrap();
});

store_test!(a_wrong_sim_or_connection_is_refused_and_counted, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    let mut request = reach_sim(&world, &mut first, &world.binding()).await;
    let good = request.clone();
    if let SimAnswer::Proof { proof, .. } = &mut request.answer {
        proof.0[0] ^= 1;
    }
    assert_eq!(world.identity.login_sim(&request, &connection()).await.err(), Some(Error::SimRejected));
    // A relay: the same bytes over another connection.
    for elsewhere in [
        LoginConnection { authority: Some("evil.example:80".into()), ..connection() },
        LoginConnection { loopback: false, ..connection() },
        LoginConnection { tls_exporter: Some([1; 32]), ..LoginConnection::default() },
        LoginConnection { origin: Some("http://127.0.0.1:8080".into()), ..LoginConnection::default() },
    ] {
        assert_eq!(world.identity.login_sim(&good, &elsewhere).await.err(), Some(Error::WrongConnection));
    }
    let record = world.identity.account(&second.actor(), first.official).await.unwrap();
    assert_eq!((record.password_failures, record.sim_failures), (0, 1));
    world.identity.login_sim(&good, &connection()).await.unwrap();
    // One session for one login.
    assert_eq!(world.identity.login_sim(&good, &connection()).await.err(), Some(Error::AttemptExpired));
    let record = world.identity.account(&second.actor(), first.official).await.unwrap();
    assert_eq!(record.sim_failures, 0);
});

store_test!(resynchronisation_works_once_and_only_with_the_cards_own_auts, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    // The card was used elsewhere and is ahead on every counter.
    let ahead = UsimState::try_from([9_000_000u64; 32]).unwrap();
    first.usim = SoftwareUsim::new(crate::world::card(1)).with_state(ahead);
    let mut request = reach_sim(&world, &mut first, &world.binding()).await;
    let good = request.clone();
    let SimAnswer::Resync { auts } = &mut request.answer else { panic!("the card must refuse") };
    auts.0[13] ^= 1;
    assert_eq!(world.identity.login_sim(&request, &connection()).await.err(), Some(Error::SimRejected));
    world.identity.login_sim(&good, &connection()).await.unwrap();
    assert_eq!(world.identity.login_sim(&good, &connection()).await.err(), Some(Error::AttemptExpired), "once");
    // The whole flow, which goes on from where the card stands.
    world.login(&mut first, PASSWORD).await.unwrap();
    assert!(world.number("SELECT MAX(sqn_seq) FROM identity_sims").await > 9_000_000);
});

store_test!(sequence_numbers_never_repeat_over_restarts_and_in_parallel, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let seq = "SELECT sqn_seq FROM identity_sims WHERE imsi = '410010000000001'";
    let mut last = world.number(seq).await;
    let mut world = world;
    for _ in 0..4 {
        // The clock stands still, the process does not: only what is stored can keep numbers apart.
        world.identity = node(&world.db, &world.clock, &world.closed, &world.installation);
        world.identity.follow_revocations().await.unwrap();
        world.login(&mut first, PASSWORD).await.unwrap();
        let now = world.number(seq).await;
        assert!(now > last, "{now} after {last}");
        last = now;
    }
    let (mut a, mut b) = (world_person(&first, &first.key), world_person(&first, &first.key));
    let (binding_a, binding_b) = (world.binding(), world.binding());
    tokio::join!(reach_sim(&world, &mut a, &binding_a), reach_sim(&world, &mut b, &binding_b));
    assert!(world.number(seq).await >= last + 2);
});

store_test!(a_suspended_official_device_or_sim_cannot_log_in, MIGRATIONS, |db| async move {
    use pakawaaz_contract::admin::Subject;
    let (world, first, second) = World::with_administrators(db).await;
    let mut person = world.person((&first, &second), 3, "amna.khan").await;
    let sims = world.identity.list_sims(&first.actor()).await.unwrap().sims;
    let sim = sims.iter().find(|s| s.official == Some(person.official)).unwrap().sim;
    for subject in [Subject::Official(person.official), Subject::Device(person.device), Subject::Sim(sim)] {
        world.identity.suspend(&first.actor(), subject).await.unwrap();
        assert_eq!(world.authenticate(&person).await.err().as_deref(), Some("identity.session_ended"), "{subject:?}");
        assert_eq!(world.login_tokens(&mut person, PASSWORD).await.err(), Some(Error::Suspended), "{subject:?}");
        world.identity.unsuspend(&first.actor(), subject).await.unwrap();
        world.pass(Duration::from_secs(2)).await;
        world.login(&mut person, PASSWORD).await.unwrap();
    }
    // Whoever is no official of ours at all.
    let nobody = OfficialId::from_bytes([0xEE; 16]);
    let missing = world.identity.suspend(&first.actor(), Subject::Official(nobody)).await;
    assert_eq!(missing.err(), Some(Error::NotFound("official")));
});

store_test!(a_round_sent_many_times_at_once_is_played_once, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let before = world.number("SELECT COUNT(*) FROM identity_sessions").await;
    let steps = world.number("SELECT COUNT(*) FROM identity_attempt_steps").await;
    let request = reach_sim(&world, &mut first, &world.binding()).await;
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (identity, request) = (world.identity.clone(), request.clone());
        sent.spawn(async move { identity.login_sim(&request, &connection()).await.map(|_| ()) });
    }
    let answers = sent.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Err(Error::AttemptExpired)).count(), 7);
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_sessions").await, before + 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_attempt_steps").await, steps + 1, "one vector");
});

store_test!(logins_in_one_commit_do_not_mix, MIGRATIONS, |db| async move {
    let (world, mut first, mut second) = World::with_administrators(db).await;
    let mut third = world.person((&first, &second), 3, "amna.khan").await;
    for _ in 0..3 {
        // Between them a failure, which is counted for one alone.
        let mut guessing = world_person(&third, &third.key);
        let (a, b, c, wrong) = tokio::join!(
            world.login(&mut first, PASSWORD),
            world.login(&mut second, PASSWORD),
            world.login(&mut third, PASSWORD),
            world.login(&mut guessing, b"wrong"),
        );
        assert_eq!((a, b, c, wrong), (Ok(()), Ok(()), Ok(()), Err(Error::WrongPassword)));
    }
    let mut sessions = [&first, &second, &third].map(|person| person.session());
    sessions.sort();
    assert!(sessions.windows(2).all(|two| two[0] != two[1]));
    for person in [&first, &second] {
        let record = world.identity.account(&second.actor(), person.official).await.unwrap();
        assert_eq!((record.password_failures, record.sim_failures), (0, 0));
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_accounts WHERE retry_at > 0").await, 0);
    // The first commit takes one of them, the next one the others: a failure is counted for its own account.
    let people = [&first, &second, &third];
    let mut before = Vec::new();
    for person in people {
        before.push(world.identity.account(&second.actor(), person.official).await.unwrap().password_failures);
    }
    let mut guessing = people.map(|person| world_person(person, &person.key));
    let [a, b, c] = guessing.each_mut().map(|person| world.login(person, b"wrong"));
    assert_eq!(
        tokio::join!(a, b, c),
        (Err(Error::WrongPassword), Err(Error::WrongPassword), Err(Error::WrongPassword))
    );
    for (person, before) in people.into_iter().zip(before) {
        let record = world.identity.account(&second.actor(), person.official).await.unwrap();
        assert_eq!(record.password_failures, before + 1);
    }
});

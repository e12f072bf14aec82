//! Changing and resetting the password.

use crate::MIGRATIONS;
use crate::world::{PASSWORD, Person, REALM, World};
use pakawaaz_base::Bytes;
use pakawaaz_contract::identity::{PasswordFinishRequest, PasswordStartRequest, PasswordStartResponse};
use pakawaaz_identity::Error;
use pakawaaz_login::{KsfParams, Registration};
use pakawaaz_storesuite::store_test;
use pakawaaz_trust::enrol::password_payload;
use pakawaaz_trust::{DeviceSigner, GrantKind, SignLabel, Voucher};
use rand::rngs::OsRng;
use std::time::Duration;

pub fn begin(password: &[u8], voucher: Option<(&Voucher, &Person)>) -> (Registration, PasswordStartRequest) {
    let (registration, message) = Registration::start(password, &mut OsRng).unwrap();
    let request = PasswordStartRequest {
        registration_request: message.into(),
        voucher: voucher.map(|(v, _)| v.voucher),
        device: voucher.map(|(_, p)| p.device),
    };
    (registration, request)
}

pub fn end(
    registration: Registration,
    answer: &PasswordStartResponse,
    person: &Person,
    voucher: Option<&Voucher>,
) -> PasswordFinishRequest {
    let upload = registration
        .finish(&answer.registration_response, &answer.username, REALM, KsfParams::CHEAP, &mut OsRng)
        .unwrap();
    let payload = password_payload(REALM, &answer.username, &answer.state, &upload);
    PasswordFinishRequest {
        state: answer.state.clone(),
        registration_upload: upload.into(),
        signature: person.key.sign(SignLabel::Password, &payload).into(),
        voucher_signature: voucher.map(|v| Bytes::from(v.key().sign(SignLabel::Password, &payload))),
    }
}

store_test!(a_change_needs_a_fresh_login_and_ends_other_sessions, MIGRATIONS, |db| async move {
    let (world, mut first, _) = World::with_administrators(db).await;
    let old_session = first.tokens.clone();
    let old_key = first.token_key.clone();
    world.pass(Duration::from_secs(301)).await;
    let (_, request) = begin(b"new password", None);
    assert_eq!(world.identity.password_start(&first.actor(), &request).await.err(), Some(Error::LoginTooOld));

    world.login(&mut first, PASSWORD).await.unwrap();
    let (registration, request) = begin(b"new password", None);
    let answer = world.identity.password_start(&first.actor(), &request).await.unwrap();
    let finish = end(registration, &answer, &first, None);
    let mut forged = finish.clone();
    forged.signature.0[0] ^= 1;
    assert!(world.identity.password_finish(&first.actor(), &forged).await.is_err());
    world.identity.password_finish(&first.actor(), &finish).await.unwrap();
    assert_eq!(world.identity.password_finish(&first.actor(), &finish).await.err(), Some(Error::AttemptExpired));
    world.authenticate(&first).await.expect("this session stays");
    let (tokens, key) = (first.tokens.take(), first.token_key.clone());
    (first.tokens, first.token_key) = (old_session, old_key);
    assert!(world.authenticate(&first).await.is_err(), "the other one ended");
    (first.tokens, first.token_key) = (tokens, key);

    assert_eq!(world.login_tokens(&mut first, PASSWORD).await.err(), Some(Error::WrongPassword));
    world.login(&mut first, b"new password").await.unwrap();
});

store_test!(a_reset_needs_two_administrators_and_the_device, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let mut person = world.person((&first, &second), 3, "amna.khan").await;
    let voucher = world.voucher((&first, &second), person.official, GrantKind::Password).await;
    assert!(world.enrol(&voucher, 5, Some(PASSWORD)).await.is_err(), "it enrols nothing");
    // Somebody else's device gains nothing from it.
    let (_, request) = begin(b"new password", Some((&voucher, &first)));
    assert_eq!(world.identity.password_reset_start(&request).await.err(), Some(Error::VoucherInvalid));

    let (registration, request) = begin(b"new password", Some((&voucher, &person)));
    let answer = world.identity.password_reset_start(&request).await.unwrap();
    let finish = end(registration, &answer, &person, Some(&voucher));
    let without = PasswordFinishRequest { voucher_signature: None, ..finish.clone() };
    assert_eq!(world.identity.password_reset_finish(&without).await.err(), Some(Error::VoucherInvalid));
    let mut forged = finish.clone();
    forged.signature.0[9] ^= 1;
    assert!(world.identity.password_reset_finish(&forged).await.is_err());
    world.identity.password_reset_finish(&finish).await.unwrap();
    assert_eq!(world.identity.password_reset_finish(&finish).await.err(), Some(Error::VoucherUsed));
    assert_eq!(world.authenticate(&person).await.err().as_deref(), Some("identity.session_ended"));
    world.login(&mut person, b"new password").await.unwrap();
});

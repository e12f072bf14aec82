//! A second device, cross-signing, revoking one's own, renewing certificates.

use crate::MIGRATIONS;
use crate::world::{PASSWORD, Person, REALM, World, ed25519_public};
use pakawaaz_base::{Bytes, Millis};
use pakawaaz_contract::identity::{DeviceStatus, MlsCertificateRequest, RevokeDeviceRequest};
use pakawaaz_identity::Error;
use pakawaaz_storesuite::store_test;
use pakawaaz_trust::mls_certificate::{request_payload, sign_key};
use pakawaaz_trust::x509::MlsCertificate;
use pakawaaz_trust::{DeviceEvidence, DeviceSigner, GrantKind, KnownDevices, SignLabel, Subject};
use std::time::Duration;

/// A person with a second, still pending device.
async fn two_devices(world: &World, admins: (&Person, &Person)) -> (Person, Person) {
    let person = world.person(admins, 3, "amna.khan").await;
    let voucher = world.voucher(admins, person.official, GrantKind::Additional).await;
    let mut sim = person.usim.clone();
    let mut other = world.enrol_with(&voucher, &mut sim, None).await.unwrap();
    world.login(&mut other, PASSWORD).await.unwrap();
    (person, other)
}

store_test!(a_second_device_is_cross_signed_and_believed, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let (person, other) = two_devices(&world, (&first, &second)).await;
    assert_eq!(world.identity.me(&other.actor()).await.unwrap().status, DeviceStatus::Pending);

    // Not by oneself, not by somebody else's device, not with somebody else's words.
    let by_itself = other.cross_signature(&other, world.now());
    assert!(world.identity.cross_sign(&other.actor(), other.device, &by_itself).await.is_err());
    let by_admin = first.cross_signature(&other, world.now());
    let refused = world.identity.cross_sign(&first.actor(), other.device, &by_admin).await;
    assert_eq!(refused.err(), Some(Error::NotFound("device")));
    assert!(world.identity.cross_sign(&person.actor(), other.device, &by_admin).await.is_err());

    let good = person.cross_signature(&other, world.now());
    world.identity.cross_sign(&person.actor(), other.device, &good).await.unwrap();
    world.identity.cross_sign(&person.actor(), other.device, &good).await.expect("repeating changes nothing");
    assert_eq!(world.identity.me(&other.actor()).await.unwrap().status, DeviceStatus::Active);
    assert_eq!(world.identity.active_devices(person.official).await.unwrap().len(), 2);
    assert_eq!(world.facts().await.iter().filter(|k| *k == "identity.device_pending").count(), 1);
    assert_eq!(world.facts().await.iter().filter(|k| *k == "identity.device_activated").count(), 4);

    // A client believes all of it from the root down, and nothing less.
    let anchors = world.installation.secrets.public().anchors(world.now()).unwrap();
    let mut evidence = Vec::new();
    for official in [person.official, first.official, second.official] {
        let list = world.identity.devices_of(&person.actor(), official).await.unwrap();
        evidence.extend(list.devices.iter().map(|d| DeviceEvidence::from_bytes(&d.evidence).unwrap()));
    }
    let mut known = KnownDevices::new();
    let verdicts = known.admit(&evidence, &anchors, world.now());
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
});

store_test!(a_pending_device_of_an_administrator_holds_no_role, MIGRATIONS, |db| async move {
    let (world, mut first, second) = World::with_administrators(db).await;
    let voucher = world.voucher((&first, &second), first.official, GrantKind::Additional).await;
    let mut sim = first.usim.clone();
    let mut other = world.enrol_with(&voucher, &mut sim, None).await.unwrap();
    first.usim = sim;
    world.login(&mut other, PASSWORD).await.unwrap();
    // A stolen voucher and the password must not be enough to suspend anybody or to read the audit log.
    let pending = world.authenticate(&other).await.unwrap();
    assert!(pending.roles.is_empty(), "{:?}", pending.roles);
    let subject = pakawaaz_contract::admin::Subject::Official(second.official);
    assert_eq!(world.identity.suspend(&pending, subject).await.err(), Some(Error::Forbidden));
    assert!(!world.authenticate(&first).await.unwrap().roles.is_empty(), "the official keeps them elsewhere");

    let good = first.cross_signature(&other, world.now());
    world.identity.cross_sign(&first.actor(), other.device, &good).await.unwrap();
    assert!(!world.authenticate(&other).await.unwrap().roles.is_empty(), "at once, in the same session");
});

store_test!(one_revokes_ones_own_device_for_good, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let (person, mut other) = two_devices(&world, (&first, &second)).await;
    let good = person.cross_signature(&other, world.now());
    world.identity.cross_sign(&person.actor(), other.device, &good).await.unwrap();

    let subject = Subject::Device(other.device);
    let by_itself = RevokeDeviceRequest { statement: other.signed(&other.revocation(subject, world.now())) };
    assert!(world.identity.revoke_own_device(&other.actor(), other.device, &by_itself).await.is_err());
    let request = RevokeDeviceRequest { statement: person.signed(&person.revocation(subject, world.now())) };
    let wrong_target = world.identity.revoke_own_device(&person.actor(), person.device, &request).await;
    assert!(wrong_target.is_err());
    world.identity.revoke_own_device(&person.actor(), other.device, &request).await.unwrap();
    assert_eq!(world.authenticate(&other).await.err().as_deref(), Some("identity.session_ended"));
    world.authenticate(&person).await.expect("only that device");
    assert_eq!(world.login_tokens(&mut other, PASSWORD).await.err(), Some(Error::DeviceNotActive));
    let statement = world.identity.revocation_statement(other.device).await.unwrap();
    assert_eq!(statement, Some(request.statement.clone()));
    let again = world.identity.revoke_own_device(&person.actor(), other.device, &request).await;
    assert!(again.is_err(), "a statement works once");
    assert!(world.facts().await.iter().any(|k| k == "identity.device_cut"));
});

fn renewal(person: &Person, seed: u8, at: Millis, nonce: [u8; 16]) -> MlsCertificateRequest {
    let mls = ed25519_public(&[seed; 32]);
    let key_signature = sign_key(&person.key, REALM, person.device, &mls);
    let payload = request_payload(REALM, person.device, &mls, at, &nonce, &key_signature);
    MlsCertificateRequest {
        device: person.device,
        mls_key: mls.into(),
        at,
        nonce: nonce.into(),
        mls_key_signature: key_signature.into(),
        signature: person.key.sign(SignLabel::MlsCertificateRequest, &payload).into(),
    }
}

store_test!(certificates_are_renewed_by_the_device_key_alone, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let person = world.person((&first, &second), 3, "amna.khan").await;
    // Weeks later, without a session.
    world.pass(Duration::from_secs(40 * 24 * 3600)).await;
    let request = renewal(&person, 1, world.now(), [1; 16]);
    let answer = world.identity.mls_certificate(&request).await.unwrap();
    let certificate = MlsCertificate::parse(&answer.mls_certificate).unwrap();
    assert_eq!((certificate.device, certificate.key), (person.device, ed25519_public(&[1; 32])));
    assert_eq!(world.identity.mls_certificate(&request).await.err(), Some(Error::Conflict("nonce")), "recorded");

    let minutes = |n: i64| Millis(world.now().0 + n * 60_000);
    world.identity.mls_certificate(&renewal(&person, 1, minutes(9), [2; 16])).await.expect("clocks differ");
    for wrong in [minutes(11), minutes(-11)] {
        let refused = world.identity.mls_certificate(&renewal(&person, 1, wrong, [3; 16])).await;
        assert_eq!(refused.err(), Some(Error::ClockSkew));
    }
    let mut forged = renewal(&person, 2, world.now(), [4; 16]);
    forged.mls_key = Bytes::from(ed25519_public(&[3; 32]));
    assert_eq!(world.identity.mls_certificate(&forged).await.err(), Some(Error::LoginFailed));
    let mut unknown = renewal(&person, 2, world.now(), [5; 16]);
    unknown.device = pakawaaz_base::DeviceId::from_bytes([1; 16]);
    assert_eq!(world.identity.mls_certificate(&unknown).await.err(), Some(Error::LoginFailed));

    // The device certificate is renewed when its end comes near.
    let before = answer.device_certificate;
    world.pass(Duration::from_secs(280 * 24 * 3600)).await;
    let answer = world.identity.mls_certificate(&renewal(&person, 1, world.now(), [6; 16])).await.unwrap();
    assert_ne!(answer.device_certificate, before);
});

store_test!(pending_devices_get_no_mls_certificate, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let (_, other) = two_devices(&world, (&first, &second)).await;
    let refused = world.identity.mls_certificate(&renewal(&other, 1, world.now(), [1; 16])).await;
    assert_eq!(refused.err(), Some(Error::DeviceNotActive));
});

//! Enrolment: first, additional and recovery devices, and everything that must leave no trace.

use crate::MIGRATIONS;
use crate::world::{PASSWORD, World, card};
use pakawaaz_aka::{SoftwareUsim, Sqn, UsimState};
use pakawaaz_base::{Assurance, Role};
use pakawaaz_contract::identity::{DeviceStatus, EnrolFinishResponse};
use pakawaaz_identity::Error;
use pakawaaz_storesuite::store_test;
use pakawaaz_trust::GrantKind;

store_test!(the_first_administrators_enrol_and_log_in, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    assert_eq!(first.status, DeviceStatus::Active);
    assert_eq!(first.roles, [Role::Administrator]);
    assert_ne!(first.official, second.official);
    assert!(world.audited().await.iter().any(|a| a == "identity.device_enrolled"));
    assert_eq!(world.facts().await.iter().filter(|k| *k == "identity.device_activated").count(), 2);
    // Bootstrapping twice adds nothing.
    world.identity.bootstrap(&world.installation.administrators).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_grants").await, 2);
    // Software keys count as software, whatever they claim.
    let devices = world.identity.devices_of(&second.actor(), first.official).await.unwrap().devices;
    assert_eq!(devices[0].assurance, Assurance::SoftwareNative);
    assert_eq!((devices[0].label.as_deref(), devices[0].last_seen_at), (None, None), "only for oneself");
});

store_test!(a_used_voucher_enrols_nobody_else_but_a_lost_answer_is_repeated, MIGRATIONS, |db| async move {
    let world = World::new(db).await;
    let voucher = world.installation.vouchers[0].clone();
    let person = world.enrol(&voucher, 1, Some(PASSWORD)).await.unwrap();
    assert_eq!(world.enrol(&voucher, 3, Some(PASSWORD)).await.err(), Some(Error::VoucherUsed));
    let again = world.identity.enrol_finish(&person.finish).await.unwrap();
    assert!(matches!(again, EnrolFinishResponse::Enrolled { status: DeviceStatus::Active, .. }));
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_devices").await, 1);
});

store_test!(of_two_that_race_for_a_voucher_one_wins, MIGRATIONS, |db| async move {
    let world = World::new(db).await;
    let voucher = world.installation.vouchers[0].clone();
    let (mut sim_a, mut sim_b) = (SoftwareUsim::new(card(1)), SoftwareUsim::new(card(3)));
    let a = world.enrol_start(&voucher, &mut sim_a, Some(PASSWORD)).await.unwrap();
    let b = world.enrol_start(&voucher, &mut sim_b, Some(PASSWORD)).await.unwrap();
    let (a, b) = tokio::join!(world.enrol_finish(a, &mut sim_a), world.enrol_finish(b, &mut sim_b));
    let lost = match (a, b) {
        (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => lost,
        (a, b) => panic!("one must win: {:?} {:?}", a.err(), b.err()),
    };
    assert!(matches!(lost, Error::VoucherUsed), "{lost:?}");
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_devices").await, 1);
    let bound = "SELECT COUNT(*) FROM identity_sims WHERE official IS NOT NULL";
    assert_eq!(world.number(bound).await, 1, "the loser's card stays free");
});

store_test!(a_failed_enrolment_stores_nothing, MIGRATIONS, |db| async move {
    let world = World::new(db).await;
    let voucher = world.installation.vouchers[0].clone();

    // Another card with the same IMSI: the challenge is not from its home network, so there is no proof at all.
    let mut usim = SoftwareUsim::new(card(1));
    let started = world.enrol_start(&voucher, &mut usim, Some(PASSWORD)).await.unwrap();
    let mut finish = {
        let throwaway = World::enrol_finish(&world, started, &mut usim);
        // Take the request of a good enrolment apart in a second world below; here it simply succeeds.
        throwaway.await.unwrap().finish
    };
    let before = world.number("SELECT COUNT(*) FROM identity_devices").await;
    finish.sim_proof = [0u8; 32].into();
    assert_eq!(world.identity.enrol_finish(&finish).await.err(), Some(Error::SimRejected));
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_devices").await, before);

    let voucher = world.installation.vouchers[1].clone();
    let mut usim = SoftwareUsim::new(card(2));
    let mut started = world.enrol_start(&voucher, &mut usim, Some(PASSWORD)).await.unwrap();
    // A voucher key that is not the grant's signs the binding.
    started.voucher.seed[0] ^= 1;
    assert!(matches!(world.enrol_finish(started, &mut usim).await, Err(Error::Trust(_))));
    assert_eq!(world.number("SELECT COUNT(*) FROM identity_devices").await, before);
    let unused = "SELECT COUNT(*) FROM identity_grants WHERE used_at IS NULL";
    assert_eq!(world.number(unused).await, 1, "the voucher can still be used");
    let passwords = "SELECT COUNT(*) FROM identity_accounts WHERE password_file IS NOT NULL";
    assert_eq!(world.number(passwords).await, 1);
    world.enrol_with(&voucher, &mut usim, Some(PASSWORD)).await.unwrap();
});

store_test!(vouchers_and_cards_are_checked_before_anything_else, MIGRATIONS, |db| async move {
    let world = World::new(db).await;
    let voucher = world.installation.vouchers[0].clone();
    let mut forged = voucher.clone();
    forged.seed[0] ^= 1;
    assert_eq!(world.enrol(&forged, 1, Some(PASSWORD)).await.err(), Some(Error::VoucherInvalid));
    let mut unknown = voucher.clone();
    unknown.voucher = pakawaaz_base::VoucherId::from_bytes([9; 16]);
    assert_eq!(world.enrol(&unknown, 1, Some(PASSWORD)).await.err(), Some(Error::VoucherInvalid));
    assert_eq!(world.enrol(&voucher, 77, Some(PASSWORD)).await.err(), Some(Error::SimUnavailable));
    assert!(matches!(world.enrol(&voucher, 1, None).await, Err(Error::EnrolmentInvalid(_))));
    world.enrol(&voucher, 1, Some(PASSWORD)).await.unwrap();
    let other = world.installation.vouchers[1].clone();
    assert_eq!(world.enrol(&other, 1, Some(PASSWORD)).await.err(), Some(Error::SimTaken));
    world.clock.advance(std::time::Duration::from_secs(31 * 24 * 3600));
    assert_eq!(world.enrol(&other, 2, Some(PASSWORD)).await.err(), Some(Error::VoucherInvalid));
});

store_test!(a_card_that_is_ahead_is_resynchronised_once, MIGRATIONS, |db| async move {
    let world = World::new(db).await;
    let mut seqs = [0u64; 32];
    seqs[8] = 5_000_000;
    let ahead = UsimState::try_from(seqs).unwrap();
    let mut usim = SoftwareUsim::new(card(1)).with_state(ahead);
    let voucher = world.installation.vouchers[0].clone();
    world.enrol_with(&voucher, &mut usim, Some(PASSWORD)).await.unwrap();
    let sqn = world.number("SELECT MAX(sqn_seq) FROM identity_sims").await;
    assert_eq!(sqn, 5_000_001, "one above what the card had accepted");
    let _: Sqn = usim_highest(&usim);
});

fn usim_highest(usim: &SoftwareUsim) -> Sqn {
    usim.state().highest()
}

store_test!(an_additional_device_waits_and_a_recovery_device_does_not, MIGRATIONS, |db| async move {
    let (world, first, second) = World::with_administrators(db).await;
    let admins = (&first, &second);
    let mut person = world.person(admins, 3, "amna.khan").await;
    // A first grant for somebody who has enrolled is refused at once.
    let (again, _) = world.grant(person.official, GrantKind::First);
    let refused = world.propose(&first, pakawaaz_contract::admin::ProposalKind::Grants, &[again]).await;
    assert!(matches!(refused, Err(Error::ProposalInvalid(_))));

    let voucher = world.voucher(admins, person.official, GrantKind::Additional).await;
    let mut sim = person.usim.clone();
    let mut second_device = world.enrol_with(&voucher, &mut sim, None).await.unwrap();
    assert_eq!(second_device.status, DeviceStatus::Pending);
    world.login(&mut second_device, PASSWORD).await.unwrap();
    assert_eq!(world.identity.active_devices(person.official).await.unwrap().len(), 1);

    let voucher = world.voucher(admins, person.official, GrantKind::Recovery).await;
    let recovered = world.enrol_with(&voucher, &mut second_device.usim, Some(b"another password")).await.unwrap();
    assert_eq!(recovered.status, DeviceStatus::Active);
    assert_eq!(world.identity.active_devices(person.official).await.unwrap().len(), 2);
    assert_eq!(world.authenticate(&person).await.err().as_deref(), Some("identity.session_ended"));
    person.usim = recovered.usim.clone();
    let old = world.login(&mut person, PASSWORD).await;
    assert_eq!(old.err(), Some(Error::WrongPassword));
});

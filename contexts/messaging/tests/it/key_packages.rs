//! Key packages: whose, how often, and when they run out.

use crate::support::{Acting, World, bytes};
use pakawaaz_contract::frames::Notice;
use pakawaaz_contract::messaging::PublishKeyPackagesRequest;
use pakawaaz_messaging::{MIGRATIONS, MessagingError};
use pakawaaz_storesuite::store_test;
use std::collections::BTreeSet;
use std::time::Duration;

store_test!(no_key_package_is_handed_out_twice, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let packages: Vec<_> = (0..24).map(|_| bob.key_package()).collect();
    assert_eq!(w.publish(&bob, &packages).await, Ok(24));
    let nodes = [w.messaging.clone(), w.node()];
    let mut tasks = Vec::new();
    for i in 0..40 {
        let (node, actor, official) = (nodes[i % 2].clone(), alice.actor(), bob.official);
        tasks.push(tokio::spawn(async move { node.claim_key_packages(&actor, official).await.unwrap() }));
    }
    let (mut seen, mut without) = (BTreeSet::new(), 0);
    for task in tasks {
        let claimed = task.await.unwrap();
        without += claimed.without.len();
        for package in claimed.key_packages {
            assert_eq!((package.device, package.official), (bob.device, bob.official));
            assert!(seen.insert(package.key_package), "handed out twice");
        }
    }
    assert_eq!((seen.len(), without), (24, 16));
    // Nor can it be published a second time.
    assert_eq!(w.publish(&bob, &packages).await, Ok(0));
});

store_test!(the_last_resort_stays, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let last = bytes(&bob.key_package_of(true));
    let request =
        PublishKeyPackagesRequest { key_packages: vec![bytes(&bob.key_package())], last_resort: Some(last.clone()) };
    assert_eq!(w.messaging.publish_key_packages(&bob.actor(), request).await.unwrap().available, 1);
    let claim = async || {
        w.messaging.claim_key_packages(&alice.actor(), bob.official).await.unwrap().key_packages[0].key_package.clone()
    };
    assert_ne!(claim().await, last);
    assert_eq!((claim().await, claim().await), (last.clone(), last));
    // A new one replaces it.
    let newer = bytes(&bob.key_package_of(true));
    let request = PublishKeyPackagesRequest { key_packages: vec![], last_resort: Some(newer.clone()) };
    w.messaging.publish_key_packages(&bob.actor(), request).await.unwrap();
    assert_eq!(claim().await, newer);
});

store_test!(only_own_valid_key_packages_are_taken, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let bad = Err(MessagingError::BadKeyPackage);
    assert_eq!(w.publish(&alice, &[alice.key_package(), bob.key_package()]).await, bad, "another device's");
    assert_eq!(w.publish(&alice, &[alice.key_package_of(true)]).await, bad, "last resort passed off as one-time");
    let foreign = pakawaaz_conversation::testing::Realm::new().device_with(
        alice.official,
        alice.device,
        alice.signer.clone(),
        w.realm.now,
    );
    assert_eq!(w.publish(&alice, &[foreign.key_package()]).await, bad, "certificates of another installation");
    let mut broken = bytes(&alice.key_package());
    let last = broken.len() - 1;
    broken.0[last] ^= 1;
    let request = PublishKeyPackagesRequest { key_packages: vec![broken], last_resort: None };
    assert!(w.messaging.publish_key_packages(&alice.actor(), request).await.is_err());
    let unknown = w.realm.device(alice.official);
    assert_eq!(w.publish(&unknown, &[unknown.key_package()]).await, Err(MessagingError::DeviceNotActive));
    // Nothing of all that was stored.
    assert_eq!(w.publish(&alice, &[]).await, Ok(0));
    let many: Vec<_> = std::iter::repeat_n(alice.key_package(), 101).collect();
    assert_eq!(w.publish(&alice, &many).await, Err(MessagingError::TooManyKeyPackages));
});

store_test!(a_device_is_told_when_they_run_out, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let packages: Vec<_> = (0..12).map(|_| bob.key_package()).collect();
    w.publish(&bob, &packages).await.unwrap();
    for _ in 0..14 {
        w.messaging.claim_key_packages(&alice.actor(), bob.official).await.unwrap();
    }
    let low = |available| Notice::KeyPackagesLow { available };
    assert_eq!(w.notices(&bob).await, [low(10), low(0)]);
});

store_test!(expired_key_packages_are_neither_given_nor_kept, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    w.publish(&bob, &[bob.key_package()]).await.unwrap();
    w.clock.advance(Duration::from_secs(8 * 24 * 3600));
    let claimed = w.messaging.claim_key_packages(&alice.actor(), bob.official).await.unwrap();
    assert_eq!((claimed.key_packages.len(), claimed.without), (0, vec![bob.device]));
    assert_eq!(w.messaging.prune().await, Ok(1));
});

store_test!(one_caller_cannot_use_up_somebodys_key_packages, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob, carol) = (w.device(), w.device(), w.device());
    let last = bytes(&bob.key_package_of(true));
    let key_packages: Vec<_> = (0..25).map(|_| bytes(&bob.key_package())).collect();
    let request = PublishKeyPackagesRequest { key_packages, last_resort: Some(last.clone()) };
    w.messaging.publish_key_packages(&bob.actor(), request).await.unwrap();
    let claim = async |by: &pakawaaz_conversation::testing::TestDevice| {
        w.messaging.claim_key_packages(&by.actor(), bob.official).await.unwrap().key_packages[0].key_package.clone()
    };
    for _ in 0..20 {
        assert_ne!(claim(&alice).await, last);
    }
    assert_eq!(claim(&alice).await, last, "asked too often: still reachable, but nothing is used up");
    assert_ne!(claim(&carol).await, last, "others still get one of their own");
    w.clock.advance(Duration::from_secs(3601));
    assert_ne!(claim(&alice).await, last, "an hour later it is a new count");
});

//! Creating and reading groups.

use crate::support::{Acting, World};
use pakawaaz_base::StableError;
use pakawaaz_contract::frames::Notice;
use pakawaaz_conversation::testing::{Realm, TestDevice};
use pakawaaz_conversation::{Kind, log};
use pakawaaz_messaging::{MIGRATIONS, MessagingError};
use pakawaaz_storesuite::store_test;

store_test!(a_group_is_registered_once, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.realm.group_id();
    alice.create(group, Kind::Group);
    let request = w.create_request(&alice, group);
    let state = w.messaging.create_group(&alice.actor(), request.clone()).await.unwrap();
    assert_eq!((state.epoch, state.head_seq), (0, 0));
    assert_eq!(*state.head_hash, log::genesis(group));

    let again = w.messaging.create_group(&alice.actor(), request.clone()).await.unwrap();
    assert_eq!(again.group_info, state.group_info);
    let error = w.messaging.create_group(&bob.actor(), request.clone()).await.unwrap_err();
    assert_eq!(error, MessagingError::GroupExists);
    let mut other = request;
    other.group_info = alice.group_info(group).into();
    other.group_info.0[10] ^= 1;
    assert_eq!(w.messaging.create_group(&alice.actor(), other).await.unwrap_err(), MessagingError::GroupExists);

    assert_eq!(w.messaging.group_list(&alice.actor()).await.unwrap().groups.len(), 1);
    assert!(w.messaging.group_list(&bob.actor()).await.unwrap().groups.is_empty());
    assert_eq!(w.messaging.group(&bob.actor(), group).await.unwrap_err(), MessagingError::GroupNotFound);
});

store_test!(only_well_formed_groups_of_the_caller_are_taken, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let (group, other) = (w.realm.group_id(), w.realm.group_id());
    alice.create(group, Kind::Group);
    alice.create(other, Kind::Group);
    let good = w.create_request(&alice, group);
    let foreign = Realm::new().device(alice.official);
    foreign.create(group, Kind::Group);

    let mut wrong_id = good.clone();
    wrong_id.group = other;
    let mut wrong_tree = good.clone();
    wrong_tree.ratchet_tree = alice.tree(other).into();
    let mut garbage = good.clone();
    garbage.group_info = vec![0, 1, 0, 4, 9].into();
    let from_elsewhere = w.create_request(&foreign, group);
    for bad in [wrong_id, wrong_tree, garbage, from_elsewhere] {
        assert!(w.messaging.create_group(&alice.actor(), bad).await.is_err());
    }
    assert!(w.messaging.create_group(&bob.actor(), good.clone()).await.is_err(), "not bob's leaf");
    assert!(w.messaging.create_group(&alice.actor(), good).await.is_ok(), "refusals left nothing behind");
});

store_test!(an_official_may_create_so_many_groups, MIGRATIONS, |db| async move {
    let mut w = World::new(db);
    w.messaging = w.node_with(|config| config.groups_per_official = 2);
    let alice = w.device();
    let other = w.device_of(alice.official);
    let create = async |by: &TestDevice| {
        let group = w.realm.group_id();
        by.create(group, Kind::Group);
        let request = w.create_request(by, group);
        let created = w.messaging.create_group(&by.actor(), request.clone()).await.map(|_| ());
        (request, created)
    };
    let (first, created) = create(&alice).await;
    created.unwrap();
    create(&other).await.1.unwrap();
    let (refused, created) = create(&alice).await;
    assert_eq!(created, Err(MessagingError::TooManyGroups));
    assert_eq!(MessagingError::TooManyGroups.code(), "messaging.too_many_groups");
    w.messaging.create_group(&alice.actor(), first).await.expect("the same again is not another one");
    create(&w.device()).await.1.expect("others are not concerned");
    // Refused ones leave nothing behind.
    let roomier = w.node_with(|config| config.groups_per_official = 3);
    roomier.create_group(&alice.actor(), refused).await.expect("the third");
});

store_test!(a_page_of_the_inbox_is_bounded_in_bytes, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let alice = w.device();
    let mut tx = w.db.begin().await.unwrap();
    let notice = |size: usize| Notice::Welcome {
        group: w.realm.group_id(),
        epoch: 1,
        seq: 1,
        log_hash: vec![0; 32].into(),
        welcome: vec![0; size].into(),
    };
    let sizes = [10, 3_000_000, 400_000, 400_000, 400_000, 10];
    for (position, size) in (5i64..).zip(sizes) {
        sqlx::query("INSERT INTO messaging_inbox (device, position, at, notice) VALUES ($1, $2, 0, $3)")
            .bind(alice.device.to_vec())
            .bind(position)
            .bind(notice(size).encode())
            .execute(tx.conn())
            .await
            .unwrap();
    }
    sqlx::query("INSERT INTO messaging_device (device, inbox_head, inbox_acked) VALUES ($1, 10, 4)")
        .bind(alice.device.to_vec())
        .execute(tx.conn())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let (mut follower, _) = w.messaging.follow(alice.device, &[], 4).await.unwrap();
    let mut pages = Vec::new();
    loop {
        let page = follower.next().await.unwrap();
        if page.is_empty() {
            break;
        }
        pages.push(page.len());
    }
    assert_eq!(pages, [1, 1, 2, 2], "one that is too large comes alone");
});

//! Creating and reading groups.

use crate::support::{Acting, World};
use pakawaaz_conversation::testing::Realm;
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

//! A malicious member cannot brick a group: enough rejections close it, and a successor goes on.

use crate::support::{Acting, World};
use pakawaaz_contract::frames::Notice;
use pakawaaz_conversation::{CommitRejection, Kind, RejectReason};
use pakawaaz_messaging::{MIGRATIONS, MessagingError};
use pakawaaz_storesuite::store_test;

store_test!(a_majority_of_the_others_closes_the_group, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (mallory, alice, bob, carol) = (w.device(), w.device(), w.device(), w.device());
    let group = w.group(&mallory, &[&alice, &bob, &carol]).await;
    let request = w.commit_request(&mallory, group, mallory.commit(group, &[], &[]), &[]);
    let mls = request.mls.clone();
    let seq = w.messaging.commit(&mallory.actor(), request).await.unwrap().seq;

    let statement = |by: &pakawaaz_conversation::testing::TestDevice, seq| {
        CommitRejection::new(group, seq, 1, &mls, by.device, RejectReason::BadPath).sign(&by.signer).unwrap()
    };
    let reject = async |by: &pakawaaz_conversation::testing::TestDevice, statement: &[u8]| {
        w.messaging.reject_commit(&by.actor(), group, seq, statement).await
    };
    let bad = Err(MessagingError::BadRejection);
    assert_eq!(reject(&alice, &statement(&bob, seq)).await, bad, "somebody else's");
    assert_eq!(reject(&alice, &statement(&alice, seq + 1)).await, bad, "another position");
    assert_eq!(reject(&alice, b"garbage").await, bad);
    assert_eq!(reject(&mallory, &statement(&mallory, seq)).await, bad, "one's own commit");

    // One of three, and the same one again, is no majority.
    assert_eq!(reject(&alice, &statement(&alice, seq)).await.unwrap().seq, seq);
    reject(&alice, &statement(&alice, seq)).await.unwrap();
    mallory.merge(group);
    assert!(w.send(&mallory, group, b"open").await.is_ok());
    reject(&bob, &statement(&bob, seq)).await.unwrap();

    assert_eq!(w.send(&mallory, group, b"closed").await, Err(MessagingError::GroupClosed));
    let told = Notice::Quarantined { group, device: mallory.device, seq };
    for device in [&mallory, &alice, &bob, &carol] {
        assert_eq!(w.notices(device).await.iter().filter(|n| **n == told).count(), 1);
    }

    // A successor: not by the quarantined device, not by a stranger, once; however many groups somebody has created.
    let full = w.node_with(|config| config.groups_per_official = 0);
    let successor_by = async |by: &pakawaaz_conversation::testing::TestDevice| {
        let id = w.realm.group_id();
        by.create(id, Kind::Group);
        let mut request = w.create_request(by, id);
        request.successor_of = Some(group);
        full.create_group(&by.actor(), request).await.map(|state| state.group)
    };
    assert_eq!(successor_by(&mallory).await, Err(MessagingError::NoSuccessor));
    assert_eq!(successor_by(&w.device()).await, Err(MessagingError::NoSuccessor));
    let successor = successor_by(&carol).await.unwrap();
    assert_eq!(successor_by(&alice).await, Err(MessagingError::NoSuccessor), "there is one");
    assert_eq!(w.messaging.group(&alice.actor(), group).await.unwrap().successor, Some(successor));
});

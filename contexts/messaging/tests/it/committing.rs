//! Commits: races, idempotency, Welcomes, what is refused, and what survives a restart.

use crate::support::{Acting, World};
use pakawaaz_base::StableError;
use pakawaaz_contract::frames::LogKind;
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_conversation::{Chain, MlsSigner, PolicyError};
use pakawaaz_messaging::{MIGRATIONS, MessagingError};
use pakawaaz_storesuite::store_test;
use rand::rngs::OsRng;

store_test!(of_two_commits_in_one_epoch_one_wins, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    // On two nodes, so that only the database stands between them.
    let nodes = [w.messaging.clone(), w.node()];
    for round in 0..5 {
        let commits = [alice.commit(group, &[], &[]), bob.commit(group, &[], &[])];
        let [a, b] = commits;
        let (mls_a, mls_b) = (a.mls.clone(), b.mls.clone());
        let (a, b) = (w.commit_request(&alice, group, a, &[]), w.commit_request(&bob, group, b, &[]));
        let (actor_a, actor_b) = (alice.actor(), bob.actor());
        let (a, b) = tokio::join!(nodes[0].commit(&actor_a, a), nodes[1].commit(&actor_b, b));
        let (won, lost) = if a.is_ok() { (a, b) } else { (b, a) };
        let accepted = won.unwrap();
        assert_eq!(lost.unwrap_err(), MessagingError::EpochConflict { current: round + 2 });
        let entry = w.log(&alice, group).await.pop().unwrap();
        assert_eq!((entry.seq, entry.kind), (accepted.seq, LogKind::Commit));
        let (winner, loser) = if *entry.mls == mls_a { (&alice, &bob) } else { (&bob, &alice) };
        assert!(*entry.mls == mls_a || *entry.mls == mls_b);
        winner.merge(group);
        loser.discard(group);
        loser.receive(group, &entry.mls).unwrap();
        let text = w.send(loser, group, b"still works").await;
        assert!(text.is_ok());
    }
    let log = w.log(&alice, group).await;
    w.verify(Chain::start(group), &log);
});

store_test!(the_same_commit_again_gets_the_same_answer, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let request = w.commit_request(&alice, group, alice.commit(group, &[], &[]), &[]);
    let first = w.messaging.commit(&alice.actor(), request.clone()).await.unwrap();
    assert_eq!(w.messaging.commit(&alice.actor(), request.clone()).await, Ok(first.clone()));
    // Also when a restart lies in between.
    assert_eq!(w.node().commit(&alice.actor(), request.clone()).await, Ok(first));
    // Another commit under the same id must not be taken for it.
    alice.merge(group);
    let mut other = w.commit_request(&alice, group, alice.commit(group, &[], &[]), &[]);
    other.message = request.message;
    assert_eq!(w.messaging.commit(&alice.actor(), other).await, Err(MessagingError::Duplicate));
    assert_eq!(w.log(&alice, group).await.len(), 2);
});

store_test!(each_joiner_gets_its_own_welcome, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let alice = w.device();
    let others: Vec<_> = (0..4).map(|_| w.device()).collect();
    let group = w.group(&alice, &[]).await;
    let accepted = w.add(group, &alice, &others.iter().collect::<Vec<_>>()).await;
    let sizes: Vec<_> = {
        let mut sizes = vec![];
        for device in &others {
            sizes.push(w.welcome(device, group).await.0.len());
        }
        sizes
    };
    // One device's secrets (a hybrid ciphertext is 1.1 kB), not four.
    assert!(sizes.iter().all(|s| *s < 4_000), "{sizes:?}");
    let hello = w.send(&others[3], group, b"salaam").await.unwrap();
    assert_eq!(hello.seq, accepted.seq + 1);
    for device in [&alice, &others[0], &others[1]] {
        let entry = w.log(device, group).await.pop().unwrap();
        assert_eq!(device.receive(group, &entry.mls), Ok(Some(b"salaam".to_vec())));
    }
    // A newcomer is shown the log from its own beginning on, with the hash to continue from.
    let tree = w.messaging.epoch_tree(&others[0].actor(), group, 1).await.unwrap();
    let log = w.log(&others[0], group).await;
    w.verify(Chain::at(group, tree.seq, tree.log_hash.array().unwrap()), &log);
    assert_eq!(w.messaging.epoch_tree(&alice.actor(), group, 7).await.unwrap_err(), MessagingError::TreeNotFound);
});

store_test!(a_refused_commit_leaves_nothing_behind, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob, carol, stranger) = (w.device(), w.device(), w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let actor = alice.actor();
    let add = |to: &[&pakawaaz_conversation::testing::TestDevice]| {
        alice.discard(group);
        let packages: Vec<_> = to.iter().map(|d| d.key_package()).collect();
        w.commit_request(&alice, group, alice.commit(group, &packages, &[]), to)
    };

    let mut without_welcome = add(&[&carol]);
    without_welcome.welcome = None;
    let mut for_nobody = add(&[&carol]);
    for_nobody.welcome_to.clear();
    let mut for_another = add(&[&carol]);
    for_another.welcome_to = vec![stranger.device];
    let mut of_another = add(&[&carol]);
    of_another.welcome = add(&[&stranger]).welcome;
    for bad in [without_welcome, for_nobody, for_another, of_another] {
        assert_eq!(w.messaging.commit(&actor, bad).await, Err(MessagingError::BadWelcome));
    }
    let mut old_info = add(&[]);
    old_info.group_info = alice.group_info(group).into();
    assert_eq!(w.messaging.commit(&actor, old_info).await, Err(MessagingError::BadGroupInfo));
    let mut broken = add(&[]);
    // Not the last bytes: those are the membership tag, which only members can check.
    let middle = broken.mls.len() / 2;
    broken.mls.0[middle] ^= 1;
    assert_eq!(w.messaging.commit(&actor, broken).await, Err(MessagingError::BadCommit));
    let mut garbage = add(&[]);
    garbage.mls = vec![1, 2, 3].into();
    assert_eq!(w.messaging.commit(&actor, garbage).await, Err(MessagingError::BadMessage));

    // Devices that identity does not know, or not as active.
    w.identity.devices.lock().unwrap().get_mut(&carol.device).unwrap().1 = DeviceStatus::Pending;
    assert_eq!(w.messaging.commit(&actor, add(&[&carol])).await, Err(MessagingError::DeviceNotActive));
    // Somebody else's commit, relayed by a member; and a stranger's attempt.
    let of_alice = add(&[]);
    assert_eq!(w.messaging.commit(&bob.actor(), of_alice.clone()).await, Err(MessagingError::NotMember));
    assert_eq!(w.messaging.commit(&stranger.actor(), of_alice).await, Err(MessagingError::NotMember));

    let state = w.messaging.group(&actor, group).await.unwrap();
    assert_eq!((state.epoch, state.head_seq), (1, 1));
    // The group is alive, in memory and in the database.
    assert!(w.messaging.commit(&actor, add(&[&stranger])).await.is_ok());
    assert!(w.notices(&carol).await.is_empty());
});

store_test!(a_lost_device_comes_back_by_replacing_itself, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    w.send(&alice, group, b"before").await.unwrap();

    let healed = w.realm.device_with(bob.official, bob.device, bob.signer.clone(), w.realm.now);
    let state = w.messaging.group(&healed.actor(), group).await.unwrap();
    let commit = healed.heal(&state.group_info, &state.ratchet_tree);
    let request = w.commit_request(&healed, group, commit, &[]);
    let accepted = w.messaging.commit(&healed.actor(), request).await.unwrap();
    let entry = w.log(&alice, group).await.pop().unwrap();
    assert_eq!(entry.seq, accepted.seq);
    alice.receive(group, &entry.mls).unwrap();
    let back = w.send(&healed, group, b"back").await.unwrap();
    let log = w.log(&healed, group).await;
    assert_eq!(log.last().unwrap().seq, back.seq);
    assert_eq!(alice.receive(group, &log.last().unwrap().mls), Ok(Some(b"back".to_vec())));

    // A device that never was a member cannot enter that way.
    let stranger = w.device_of(bob.official);
    let commit = stranger.heal(&state.group_info, &state.ratchet_tree);
    let request = w.commit_request(&stranger, group, commit, &[]);
    assert_eq!(w.messaging.commit(&stranger.actor(), request).await, Err(MessagingError::NotMember));
});

store_test!(the_policy_is_enforced, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let twin = w.realm.device_with(bob.official, bob.device, MlsSigner::generate(&mut OsRng), w.realm.now);
    let commit = alice.commit(group, &[twin.key_package()], &[]);
    let request = w.commit_request(&alice, group, commit, &[&twin]);
    let error = w.messaging.commit(&alice.actor(), request).await.unwrap_err();
    assert_eq!(error, MessagingError::Policy(PolicyError::DuplicateDevice));
    assert_eq!(error.code(), "conversation.duplicate_device");
});

store_test!(a_removed_device_is_shown_its_removal_and_nothing_after, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    w.send(&alice, group, b"one").await.unwrap();
    let index = w.leaf(&alice, group, &bob);
    let request = w.commit_request(&alice, group, alice.commit(group, &[], &[index]), &[]);
    let removal = w.messaging.commit(&alice.actor(), request).await.unwrap();
    alice.merge(group);
    w.send(&alice, group, b"two").await.unwrap();
    assert_eq!(w.log(&bob, group).await.last().unwrap().seq, removal.seq);
    assert_eq!(w.log(&alice, group).await.last().unwrap().seq, removal.seq + 1);
    assert_eq!(w.send(&bob, group, b"still here?").await, Err(MessagingError::NotMember));
    assert_eq!(w.messaging.group(&bob.actor(), group).await.unwrap_err(), MessagingError::GroupNotFound);

    // Added again, it starts anew.
    let accepted = w
        .add(
            group,
            &alice,
            &[&w.realm.device_with(bob.official, bob.device, MlsSigner::generate(&mut OsRng), w.realm.now)],
        )
        .await;
    w.send(&alice, group, b"three").await.unwrap();
    let seqs: Vec<_> = w.log(&bob, group).await.iter().map(|e| e.seq).collect();
    assert_eq!(seqs, [accepted.seq + 1]);
});

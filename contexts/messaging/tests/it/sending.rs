//! Application messages: order, idempotency, refusals, cursors.

use crate::support::{Acting, World};
use pakawaaz_contract::MAX_APPLICATION_MESSAGE;
use pakawaaz_contract::frames::LogKind;
use pakawaaz_conversation::Chain;
use pakawaaz_messaging::service::acknowledge::Ack;
use pakawaaz_messaging::{MIGRATIONS, MessagingError};
use pakawaaz_storesuite::store_test;
use std::collections::BTreeSet;

store_test!(concurrent_sends_make_one_gapless_chain, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let groups = [w.group(&alice, &[&bob]).await, w.group(&bob, &[&alice]).await];
    let nodes = [w.messaging.clone(), w.node()];
    let mut tasks = Vec::new();
    for i in 0..120usize {
        let (by, group) = (if i % 2 == 0 { &alice } else { &bob }, groups[i % 3 % 2]);
        let (request, device, node) = (w.send_request(by, group, &[i as u8]), by.device, nodes[i % 2].clone());
        tasks.push(tokio::spawn(async move { (group, node.send(device, request).await.unwrap().seq) }));
    }
    let mut given = BTreeSet::new();
    for task in tasks {
        assert!(given.insert(task.await.unwrap()), "a position was given twice");
    }
    for group in groups {
        let of_group = given.iter().filter(|(g, _)| *g == group).count();
        let by = if group == groups[0] { &alice } else { &bob };
        let log = w.log(by, group).await;
        assert_eq!(log.iter().filter(|e| e.kind == LogKind::Application).count(), of_group);
        let end = w.verify(Chain::start(group), &log);
        let state = w.messaging.group(&alice.actor(), group).await.unwrap();
        assert_eq!((state.head_seq, &*state.head_hash), (end.seq, &end.hash[..]));
    }
});

store_test!(a_message_is_stored_exactly_once, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let request = w.send_request(&alice, group, b"once");
    let nodes = [w.messaging.clone(), w.node()];
    let mut tasks = Vec::new();
    for i in 0..20 {
        let (node, request, device) = (nodes[i % 2].clone(), request.clone(), alice.device);
        tasks.push(tokio::spawn(async move { node.send(device, request).await.unwrap() }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "everybody got the same answer");
    assert_eq!(w.log(&alice, group).await.len(), 2);

    // Encrypted again under the same id, because the answer was lost: still the same message.
    let mut again = w.send_request(&alice, group, b"once");
    again.message = request.message;
    assert_eq!(w.messaging.send(alice.device, again).await, Ok(answers.remove(0)));
    // Somebody else cannot take the id over.
    let mut theirs = w.send_request(&bob, group, b"mine");
    theirs.message = request.message;
    assert_eq!(w.messaging.send(bob.device, theirs).await, Err(MessagingError::Duplicate));
    assert_eq!(w.log(&alice, group).await.len(), 2);
});

store_test!(stale_foreign_and_malformed_messages_are_refused, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob, stranger) = (w.device(), w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let old = w.send_request(&bob, group, b"from the old epoch");
    let request = w.commit_request(&alice, group, alice.commit(group, &[], &[]), &[]);
    w.messaging.commit(&alice.actor(), request).await.unwrap();
    alice.merge(group);
    let stale = Err(MessagingError::EpochConflict { current: 2 });
    assert_eq!(w.messaging.send(bob.device, old.clone()).await, stale);
    // Claiming the new epoch in the frame does not help: the message's own header says otherwise.
    let mut relabelled = old.clone();
    relabelled.epoch = 2;
    assert_eq!(w.messaging.send(bob.device, relabelled).await, Err(MessagingError::BadMessage));

    let good = w.send_request(&alice, group, b"x");
    assert_eq!(w.messaging.send(stranger.device, good.clone()).await, Err(MessagingError::NotMember));
    let mut elsewhere = good.clone();
    elsewhere.group = w.realm.group_id();
    assert_eq!(w.messaging.send(alice.device, elsewhere).await, Err(MessagingError::BadMessage));
    let mut handshake = good.clone();
    handshake.mls = alice.commit(group, &[], &[]).mls.into();
    assert_eq!(w.messaging.send(alice.device, handshake).await, Err(MessagingError::BadMessage));
    let mut large = good.clone();
    large.mls = vec![0; MAX_APPLICATION_MESSAGE + 1].into();
    assert_eq!(w.messaging.send(alice.device, large).await, Err(MessagingError::TooLarge));
    assert!(w.messaging.send(alice.device, good).await.is_ok());
    assert_eq!(w.log(&alice, group).await.len(), 3);
});

store_test!(one_bad_message_does_not_fail_its_batch, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let gone = w.group(&bob, &[]).await;
    let mut tasks = Vec::new();
    for i in 0..30u8 {
        let mut request = w.send_request(&alice, group, &[i]);
        if i % 3 == 0 {
            request = w.send_request(&bob, gone, &[i]); // Alice is no member there
        }
        let (node, device) = (w.messaging.clone(), alice.device);
        tasks.push(tokio::spawn(async move { node.send(device, request).await }));
    }
    let mut accepted = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => accepted += 1,
            Err(error) => assert_eq!(error, MessagingError::NotMember),
        }
    }
    assert_eq!(accepted, 20);
    let log = w.log(&alice, group).await;
    w.verify(Chain::start(group), &log);
    assert_eq!(log.len(), 21);
});

store_test!(cursors_only_move_forward_and_within_the_log, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    for i in 0..5u8 {
        w.send(&alice, group, &[i]).await.unwrap();
    }
    let ack = |seq, inbox| Ack { device: bob.device, groups: vec![(group, seq)], inbox };
    let left = async || {
        let (log, notices) = w.stream(&bob).await;
        (log.first().map(|e| e.seq), notices.len())
    };
    assert_eq!(left().await, (Some(2), 1));
    w.messaging.acknowledge(ack(3, 1)).await.unwrap();
    assert_eq!(left().await, (Some(4), 0));
    w.messaging.acknowledge(ack(2, 0)).await.unwrap();
    w.messaging.acknowledge(ack(u64::MAX, u64::MAX)).await.unwrap();
    assert_eq!(left().await, (Some(4), 0), "a position beyond the log is nothing");
    // A client that lost what it had acknowledged is given it again.
    let (mut follower, _) = w.messaging.follow(bob.device, &[(group, 1)], 0).await.unwrap();
    let frames = follower.next().await.unwrap();
    assert_eq!(frames.len(), 5);
});

store_test!(a_backlog_comes_in_pages_of_bounded_size, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    for _ in 0..9 {
        w.send(&alice, group, &[7; 200 * 1024]).await.unwrap();
    }
    // Another node, so that nothing is in memory.
    let (mut follower, _) = w.node().follow(bob.device, &[], u64::MAX).await.unwrap();
    let mut pages = Vec::new();
    loop {
        let page = follower.next().await.unwrap();
        if page.is_empty() {
            break;
        }
        let bytes: usize = page.iter().map(|frame| frame.len()).sum();
        assert!(bytes < 1_100_000, "{bytes} bytes in a page");
        pages.push(page.len());
    }
    assert_eq!(pages, [1, 5, 4], "the Welcome, then the log");
});

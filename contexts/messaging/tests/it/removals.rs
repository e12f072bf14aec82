//! Revoked devices: refused at once, removed cryptographically as soon as a member commits, and never forgotten.

use crate::support::{Acting, World};
use pakawaaz_base::Bytes;
use pakawaaz_contract::facts::{DeviceActivated, DeviceCut, DevicePending};
use pakawaaz_contract::frames::{LogKind, Notice};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_conversation::testing::{TestDevice, protocol_message};
use pakawaaz_conversation::{PolicyError, Roster, check_external_proposal};
use pakawaaz_messaging::jobs::DeviceFacts;
use pakawaaz_messaging::{MIGRATIONS, MessagingError};
use pakawaaz_storage::{OutboxConsumer, OutboxEvent, OutboxHandler, outbox};
use pakawaaz_storesuite::store_test;
use std::sync::Arc;

impl World {
    async fn fact(&self, kind: &'static str, fact: &impl Fact) {
        let mut tx = self.db.begin().await.unwrap();
        fact.append(&mut tx, kind, self.realm.now);
        tx.commit().await.unwrap();
        let mut consumer = OutboxConsumer::new(self.db.clone(), Arc::new(DeviceFacts(self.messaging.clone())));
        consumer.deliver().await.unwrap();
    }
    async fn cut(&self, device: &TestDevice, statement: Option<&[u8]>) {
        let status = if statement.is_some() { DeviceStatus::Revoked } else { DeviceStatus::Suspended };
        self.identity.devices.lock().unwrap().get_mut(&device.device).unwrap().1 = status;
        let fact = DeviceCut {
            device: device.device,
            official: device.official,
            statement: statement.map(Bytes::from),
            at: self.realm.now,
        };
        self.fact(DeviceCut::KIND, &fact).await;
    }
}

trait Fact {
    fn append(&self, tx: &mut pakawaaz_storage::Tx, kind: &'static str, at: pakawaaz_base::Millis);
}
macro_rules! fact {
    ($($t:ty),*) => {$(impl Fact for $t {
        fn append(&self, tx: &mut pakawaaz_storage::Tx, kind: &'static str, at: pakawaaz_base::Millis) {
            outbox::append(tx, kind, self, at).unwrap();
        }
    })*};
}
fact!(DeviceActivated, DeviceCut, DevicePending);

store_test!(a_revoked_leaf_is_proposed_in_every_epoch_until_it_is_gone, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob, carol) = (w.device(), w.device(), w.device());
    let group = w.group(&alice, &[&bob, &carol]).await;
    w.cut(&bob, Some(b"signed revocation")).await;

    // At once: its traffic is refused, and everybody else is told.
    assert_eq!(w.send(&bob, group, b"x").await, Err(MessagingError::NotMember));
    let commit = w.commit_request(&bob, group, bob.commit(group, &[], &[]), &[]);
    assert_eq!(w.messaging.commit(&bob.actor(), commit).await, Err(MessagingError::NotMember));
    let told = Notice::Revoked {
        device: bob.device,
        official: bob.official,
        groups: vec![group],
        statement: Some(b"signed revocation".as_slice().into()),
    };
    assert!(w.notices(&alice).await.contains(&told) && w.notices(&carol).await.contains(&told));

    // The proposal, with the statement inside, is in the log once.
    assert_eq!(w.messaging.propose_removals().await, Ok(1));
    assert_eq!(w.messaging.propose_removals().await, Ok(0));
    let log = w.log(&alice, group).await;
    let proposal = log.last().unwrap().clone();
    assert_eq!((proposal.kind, proposal.epoch), (LogKind::Proposal, 1));
    let roster = Roster::of(alice.group(group).treesync()).unwrap();
    let processed = alice.group(group).process_message(&alice.provider, protocol_message(&proposal.mls)).unwrap();
    let leaf = check_external_proposal(&roster, &processed, |statement, _| statement == b"signed revocation");
    assert_eq!(leaf.unwrap().device, bob.device);

    // A committer who leaves it out is refused.
    let commit = w.commit_request(&alice, group, alice.commit(group, &[], &[]), &[]);
    let left_out = Err(MessagingError::Policy(PolicyError::RemovalLeftOut));
    assert_eq!(w.messaging.commit(&alice.actor(), commit).await, left_out);
    alice.discard(group);

    // Carol heals herself by external commit, which cannot carry it: proposed again in the new epoch, atomically.
    let healed = w.realm.device_with(carol.official, carol.device, carol.signer.clone(), w.realm.now);
    let state = w.messaging.group(&healed.actor(), group).await.unwrap();
    let request = w.commit_request(&healed, group, healed.heal(&state.group_info, &state.ratchet_tree), &[]);
    let accepted = w.messaging.commit(&healed.actor(), request).await.unwrap();
    let log = w.log(&alice, group).await;
    let (commit, again) = (&log[log.len() - 2], &log[log.len() - 1]);
    assert_eq!((commit.seq, again.seq), (accepted.seq, accepted.seq + 1));
    assert_eq!((again.kind, again.epoch), (LogKind::Proposal, 2));
    alice.receive(group, &commit.mls).unwrap();
    alice.receive(group, &again.mls).unwrap();

    // Alice includes it; Bob is gone, and nothing is proposed any more.
    let request = w.commit_request(&alice, group, alice.commit(group, &[], &[]), &[]);
    w.messaging.commit(&alice.actor(), request).await.unwrap();
    alice.merge(group);
    assert_eq!(w.messaging.propose_removals().await, Ok(0));
    let log = w.log(&alice, group).await;
    w.verify(pakawaaz_conversation::Chain::start(group), &log);
    assert_eq!(log.iter().filter(|e| e.kind == LogKind::Proposal).count(), 2);
    let roster = Roster::of(alice.group(group).treesync()).unwrap();
    assert!(roster.by_device(bob.device).is_none());
    assert!(w.send(&alice, group, b"after").await.is_ok());
});

store_test!(proposals_survive_a_restart, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    w.cut(&bob, Some(b"s")).await;
    w.messaging.propose_removals().await.unwrap();
    let proposal = w.log(&alice, group).await.pop().unwrap();
    alice.receive(group, &proposal.mls).unwrap();
    // Another node has never seen this group; it must know the proposal to accept a commit that refers to it.
    let request = w.commit_request(&alice, group, alice.commit(group, &[], &[]), &[]);
    assert!(w.node().commit(&alice.actor(), request).await.is_ok());
});

store_test!(a_suspension_refuses_but_removes_nothing, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let second = w.device_of(bob.official);
    let group = w.group(&alice, &[&bob]).await;
    w.cut(&bob, None).await;
    assert_eq!(w.send(&bob, group, b"x").await, Err(MessagingError::NotMember));
    assert_eq!(w.messaging.follow(bob.device, &[], 0).await.err(), Some(MessagingError::DeviceCut));
    assert_eq!(w.messaging.propose_removals().await, Ok(0));
    let status = DeviceStatus::Suspended;
    assert_eq!(w.notices(&second).await, [Notice::Device { device: bob.device, official: bob.official, status }]);

    w.identity.devices.lock().unwrap().get_mut(&bob.device).unwrap().1 = DeviceStatus::Active;
    let fact = DeviceActivated { device: bob.device, official: bob.official, at: w.realm.now };
    w.fact(DeviceActivated::KIND, &fact).await;
    assert!(w.send(&bob, group, b"back").await.is_ok());
    // But not against a signed revocation.
    w.cut(&bob, Some(b"s")).await;
    w.fact(DeviceActivated::KIND, &fact).await;
    assert_eq!(w.send(&bob, group, b"x").await, Err(MessagingError::NotMember));
});

store_test!(officials_hear_of_their_new_devices, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let first = w.device();
    let (device, official) = (w.realm.device(first.official).device, first.official);
    w.fact(DevicePending::KIND, &DevicePending { device, official, at: w.realm.now }).await;
    let status = DeviceStatus::Pending;
    assert_eq!(w.notices(&first).await, [Notice::Device { device, official, status }]);
});

store_test!(a_cut_closes_the_socket_only_once_it_is_durable, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let alice = w.device();
    let fact = DeviceCut { device: alice.device, official: alice.official, statement: None, at: w.realm.now };
    let mut tx = w.db.begin().await.unwrap();
    outbox::append(&mut tx, DeviceCut::KIND, &fact, w.realm.now).unwrap();
    tx.commit().await.unwrap();
    let payload = serde_json::to_string(&fact).unwrap();
    let event = OutboxEvent {
        id: 1,
        context: "identity".into(),
        kind: DeviceCut::KIND.into(),
        payload,
        created_at: w.realm.now,
    };
    let _socket = w.hub.subscribe(alice.device).unwrap();
    let facts = DeviceFacts(w.messaging.clone());

    let mut tx = w.db.begin().await.unwrap();
    facts.handle(&mut tx, &event).await.unwrap();
    assert!(w.hub.is_connected(alice.device), "the device could come back before the cut is known");
    tx.rollback().await.unwrap();
    assert!(w.hub.is_connected(alice.device), "nothing happened");

    let mut tx = w.db.begin().await.unwrap();
    facts.handle(&mut tx, &event).await.unwrap();
    assert!(w.hub.is_connected(alice.device));
    tx.commit().await.unwrap();
    assert!(!w.hub.is_connected(alice.device));
    let back = w.messaging.follow(alice.device, &[], 0).await;
    assert_eq!(back.err(), Some(MessagingError::DeviceCut));
});

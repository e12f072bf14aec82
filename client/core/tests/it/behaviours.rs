//! What MLS and the sync machine must do among honest members, and against a malicious one.

use crate::evil::Evil;
use crate::world::World;
use futures::executor::block_on;
use pakawaaz_base::MessageId;
use pakawaaz_client::views::{AlarmKind, MessageStatus, SystemLine};
use pakawaaz_contract::frames::ServerFrame;
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_conversation::external::remove_proposal;
use pakawaaz_trust::{Revocation, Signed, Statement, Subject};

#[test]
fn two_officials_talk_and_see_how_far_their_words_came() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    let status = |device: &crate::world::Device| {
        let page = block_on(device.client.read(group, None, 50)).unwrap();
        page.lines.into_iter().rfind(|l| l.mine).and_then(|l| l.status)
    };
    block_on(alice.client.send(group, "salaam")).unwrap();
    assert_eq!(status(&alice), Some(MessageStatus::Queued));
    alice.sync();
    assert_eq!(status(&alice), Some(MessageStatus::Sent));
    bob.sync();
    assert_eq!(bob.texts(group), ["salaam"]);
    assert_eq!(bob.view(group).unread, 1);
    alice.sync();
    assert_eq!(status(&alice), Some(MessageStatus::Delivered));
    block_on(bob.client.mark_read(group)).unwrap();
    bob.sync();
    alice.sync();
    assert_eq!(status(&alice), Some(MessageStatus::Read));
    assert_eq!(bob.view(group).unread, 0);
    assert_eq!((alice.alarms(), bob.alarms()), (vec![], vec![]));
    let again = block_on(alice.client.new_conversation(&[bob.official], None)).unwrap();
    assert_eq!(again, group, "one conversation for two people");
}

#[test]
fn own_entries_may_come_back_before_the_answer() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    world.server.borrow_mut().echo = true;
    let group = world.conversation(&[&alice, &bob], None);
    alice.send(group, "one");
    bob.sync();
    bob.send(group, "two");
    alice.sync();
    assert_eq!(alice.texts(group), ["one", "two"]);
    assert_eq!(bob.texts(group), ["one", "two"]);
    assert_eq!((alice.alarms(), bob.alarms()), (vec![], vec![]));
}

#[test]
fn every_device_of_an_official_gets_everything() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let phone = world.further(&bob, [&alice, &carol]);
    [&alice, &bob, &phone].iter().for_each(|d| drop(d.sync()));
    let group = block_on(alice.client.new_conversation(&[bob.official], None)).unwrap();
    world.settle(&[&alice, &bob, &phone]);
    alice.send(group, "to both");
    phone.sync();
    bob.sync();
    assert_eq!(bob.texts(group), ["to both"]);
    assert_eq!(phone.texts(group), ["to both"]);
    phone.send(group, "from the phone");
    bob.sync();
    alice.sync();
    assert_eq!(bob.texts(group).len(), 2, "an own other device's words show too");
    assert_eq!(bob.view(group).unread, 1, "but they are not news");
    for device in [&alice, &bob, &phone] {
        assert_eq!(device.alarms(), [], "the chain phone → two administrators → root is believed");
    }
}

#[test]
fn a_commit_race_has_one_winner_and_loses_nothing() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let (carol, dave) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], Some("team"));
    [&carol, &dave].iter().for_each(|d| drop(d.sync()));
    // Both want to add somebody in the same epoch, and both have something to say meanwhile.
    block_on(alice.client.add_members(group, &[carol.official])).unwrap();
    block_on(bob.client.add_members(group, &[dave.official])).unwrap();
    block_on(alice.client.send(group, "from alice")).unwrap();
    block_on(bob.client.send(group, "from bob")).unwrap();
    world.settle(&[&alice, &bob, &carol, &dave]);
    let mut members = alice.member_devices(group);
    members.sort();
    let mut expected = vec![alice.id, bob.id, carol.id, dave.id];
    expected.sort();
    assert_eq!(members, expected);
    for device in [&alice, &bob] {
        let mut texts = device.texts(group);
        texts.sort();
        assert_eq!(texts, ["from alice", "from bob"]);
    }
    let epochs: Vec<_> = [&alice, &bob, &carol, &dave].iter().map(|d| d.view(group).epoch).collect();
    assert!(epochs.windows(2).all(|w| w[0] == w[1]), "{epochs:?}");
    for device in [&alice, &bob, &carol, &dave] {
        assert_eq!(device.alarms(), []);
    }
}

#[test]
fn a_lost_commit_is_made_again() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], Some("team"));
    carol.sync();
    // Bob's commit lands while Alice's is made: hers is refused and redone from the intent.
    block_on(alice.client.add_members(group, &[carol.official])).unwrap();
    block_on(bob.client.set_title(group, "renamed")).unwrap();
    block_on(bob.client.remove_member(group, bob.official)).unwrap();
    bob.sync();
    world.settle(&[&alice, &bob, &carol]);
    assert!(alice.member_devices(group).contains(&carol.id));
    assert_eq!(carol.alarms(), []);
}

#[test]
fn a_device_that_lost_its_state_heals_by_external_commit() {
    let mut world = World::new();
    let (alice, mut bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    alice.send(group, "before");
    bob.sync();
    bob.lose_state();
    // The inbox would bring the old Welcome, whose key package is used up.
    world.settle(&[&bob, &alice]);
    alice.send(group, "after");
    bob.sync();
    assert_eq!(bob.texts(group), ["after"], "what came before is gone with its keys");
    bob.send(group, "I am back");
    alice.sync();
    assert_eq!(alice.texts(group), ["before", "after", "I am back"]);
    let page = block_on(alice.client.read(group, None, 50)).unwrap();
    let healed = |l: &pakawaaz_client::views::LineView| matches!(&l.system, Some(SystemLine::Healed { device, .. }) if *device == bob.id);
    assert!(page.lines.iter().any(healed), "and the conversation says so");
    assert_eq!((alice.alarms(), bob.alarms()), (vec![], vec![]));
    assert_eq!(alice.member_devices(group).len(), 2, "one leaf each");
}

#[test]
fn late_and_reordered_delivery_is_put_in_order() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    for n in 0..12 {
        block_on(alice.client.send(group, &format!("{n}"))).unwrap();
    }
    alice.sync();
    // The network, not the server: every entry is true, but they come backwards and twice.
    world.lie(bob.id, |frames| {
        let (log, rest): (Vec<_>, Vec<_>) = frames.into_iter().partition(|f| matches!(f, ServerFrame::Log(_)));
        let (mut first, last): (Vec<_>, Vec<_>) = rest.into_iter().partition(|f| !matches!(f, ServerFrame::CaughtUp));
        first.extend(log.iter().rev().cloned());
        first.extend(log);
        first.extend(last);
        first
    });
    bob.sync();
    assert_eq!(bob.texts(group), (0..12).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(bob.alarms(), []);
}

#[test]
fn a_garbage_commit_cannot_brick_a_group() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    let mut evil = Evil::of(&world, carol);
    let (epoch, mls, info) = evil.garbage_commit(group);
    world.server.borrow_mut().commit(group, MessageId::from_bytes([5; 16]), epoch, mls, info).unwrap();
    block_on(alice.client.send(group, "are you there?")).unwrap();
    world.settle(&[&alice, &bob]);
    for device in [&alice, &bob] {
        assert_eq!(device.alarms(), [AlarmKind::PoisonedCommit]);
    }
    assert_eq!(world.server.borrow().rejections.len(), 2, "both said so, signed");
    bob.send(group, "yes");
    alice.sync();
    assert!(alice.texts(group).contains(&"yes".into()), "{:?}", alice.texts(group));
    // What Alice said before Bob was back is in his log without keys, and he is told so.
    let page = block_on(bob.client.read(group, None, 50)).unwrap();
    assert!(page.lines.iter().any(|l| l.system == Some(SystemLine::Unreadable)));
}

#[test]
fn a_wrong_confirmation_tag_counts_against_the_author_who_signed_for_it() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    let mut evil = Evil::of(&world, carol);
    let (epoch, mls, info) = evil.unconfirmed_commit(group);
    world.server.borrow_mut().commit(group, MessageId::from_bytes([5; 16]), epoch, mls, info).unwrap();
    // Whoever looks while the server still has what its author signed with it.
    alice.sync();
    assert_eq!(alice.alarms(), [AlarmKind::PoisonedCommit]);
    assert_eq!(world.server.borrow().rejections.len(), 1);
    // Later it is nobody's proven fault; but nobody is locked out by it either.
    bob.sync();
    assert_eq!(bob.alarms(), [AlarmKind::CommitDamaged]);
    assert_eq!(world.server.borrow().rejections.len(), 1);
    world.settle(&[&alice, &bob]);
    bob.send(group, "it goes on");
    alice.sync();
    assert!(alice.texts(group).contains(&"it goes on".into()));
}

#[test]
fn a_quarantined_group_goes_on_as_a_successor_without_the_poisoner() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    let poisoner = carol.id;
    let mut evil = Evil::of(&world, carol);
    let (epoch, mls, info) = evil.garbage_commit(group);
    world.server.borrow_mut().poisoner = Some(poisoner);
    world.server.borrow_mut().commit(group, MessageId::from_bytes([5; 16]), epoch, mls, info).unwrap();
    alice.sync();
    block_on(bob.client.send(group, "said while it was broken")).unwrap();
    world.settle(&[&bob, &alice]);
    assert!(world.server.borrow().groups[&group].closed);
    let successor = world.server.borrow().groups[&group].successor.expect("somebody made it");
    alice.send(successor, "here we are");
    world.settle(&[&bob, &alice]);
    for device in [&alice, &bob] {
        assert!(device.view(group).left);
        let mut texts = device.texts(successor);
        texts.sort();
        assert_eq!(texts, ["here we are", "said while it was broken"], "what waited was said in the new one");
        assert_eq!(device.view(successor).title.as_deref(), Some("team"));
        assert!(!device.member_devices(successor).contains(&poisoner));
    }
}

#[test]
fn a_wrong_external_rejoin_is_refused() {
    let mut world = World::new();
    let (alice, bob, dave) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], Some("team"));
    // Dave is a real official with a real device, but nobody invited him; the server lets him in.
    let (id, official) = (dave.id, dave.official);
    let mut evil = Evil::of(&world, dave);
    let (epoch, mls, info) = evil.intrude(&world, group);
    world.server.borrow_mut().commit(group, MessageId::from_bytes([6; 16]), epoch, mls, info).unwrap();
    alice.sync();
    assert_eq!(alice.alarms(), [AlarmKind::WrongRejoin]);
    assert!(!alice.member_devices(group).contains(&id));
    assert!(block_on(alice.client.send(group, "secret")).is_err(), "nothing is said to {official}");
}

#[test]
fn a_revoked_device_is_removed_and_nothing_is_said_before() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    let phone = world.further(&bob, [&alice, &carol]);
    [&alice, &bob, &phone].iter().for_each(|d| drop(d.sync()));
    let group = block_on(alice.client.new_conversation(&[bob.official], None)).unwrap();
    world.settle(&[&alice, &bob, &phone]);
    // Bob's other device revokes the phone; the statement reaches Alice before the server's proposal.
    let mut statement = Signed::new(&Statement::Revocation(Revocation {
        realm: crate::world::REALM.into(),
        id: [1; 16],
        subject: Subject::Device(phone.id),
        at: pakawaaz_base::Millis(world.now.get()),
        reason: 1,
    }))
    .unwrap();
    statement.sign_device(bob.id, &bob.key).unwrap();
    let statement = statement.to_bytes().unwrap();
    {
        let mut server = world.server.borrow_mut();
        server.devices.get_mut(&phone.id).unwrap().status = DeviceStatus::Revoked;
        let notice = pakawaaz_contract::frames::Notice::Revoked {
            device: phone.id,
            official: bob.official,
            groups: vec![group],
            statement: Some(statement.clone().into()),
        };
        server.inbox.entry(alice.id).or_default().push(notice);
    }
    block_on(alice.client.send(group, "not for the thief")).unwrap();
    alice.sync();
    assert!(alice.view(group).held_back, "it waits for the removal");
    bob.sync();
    assert!(bob.texts(group).is_empty());
    let (epoch, leaf) = {
        let server = world.server.borrow();
        let g = &server.groups[&group];
        let roster = pakawaaz_conversation::Roster::of(g.public.treesync()).unwrap();
        (g.epoch(), roster.by_device(phone.id).unwrap().index)
    };
    let mls = remove_proposal(group, epoch, leaf, &statement, &world.server.borrow().external).unwrap();
    world.server.borrow_mut().propose(group, mls.into());
    alice.sync();
    assert!(!alice.member_devices(group).contains(&phone.id), "the next commit took it out");
    assert!(!alice.view(group).held_back);
    bob.sync();
    assert_eq!(bob.texts(group), ["not for the thief"]);
    assert_eq!(alice.alarms(), []);
    phone.sync();
    assert!(phone.texts(group).is_empty());
    assert!(phone.view(group).left);
}

#[test]
fn refused_key_packages_do_not_stop_the_reading() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    alice.send(group, "do you read this");
    {
        let mut server = world.server.borrow_mut();
        server.refuse_packages = true;
        server.packages.clear();
        let low = pakawaaz_contract::frames::Notice::KeyPackagesLow { available: 0 };
        server.inbox.entry(bob.id).or_default().push(low);
    }
    bob.sync();
    assert_eq!(bob.texts(group), ["do you read this"]);
}

#[test]
fn the_first_commit_follows_the_registration_at_once() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    world.settle(&[&alice, &bob]);
    let group = block_on(alice.client.new_conversation(&[bob.official], None)).unwrap();
    let before = world.now.get();
    alice.sync();
    assert_eq!(world.server.borrow().groups[&group].epoch(), 1);
    assert!(world.now.get() - before < 20_000, "no frame of a quiet connection had to be waited for");
}

#[test]
fn rows_on_disk_show_no_words() {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    alice.send(group, "kashmir-tea-recipe");
    bob.sync();
    for device in [&alice, &bob] {
        for (_, value) in device.store.rows() {
            assert!(!value.windows(6).any(|w| w == b"kashmi"), "a row is in the clear");
        }
    }
}

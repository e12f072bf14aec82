//! Rows of the store: none grows with everything that happens, and those of earlier versions are taken over.

use crate::world::{Device, World};
use futures::executor::block_on;
use pakawaaz_base::GroupId;
use pakawaaz_client::ClientError;
use pakawaaz_client::views::MessageStatus;
use pakawaaz_contract::frames::ServerFrame;

const DAY: i64 = 86_400_000;

fn pair() -> (World, Device, Device, GroupId) {
    let mut world = World::new();
    let (alice, bob) = (world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], None);
    (world, alice, bob, group)
}

/// Never comes to an end of catching up, so nothing is acknowledged.
fn keeps_catching_up(world: &World, device: &Device) {
    world.lie(device.id, |mut frames| {
        frames.retain(|f| !matches!(f, ServerFrame::CaughtUp | ServerFrame::Pong));
        frames
    });
}

fn rows(device: &Device, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    device.store.rows().into_iter().filter(|(key, _)| key.starts_with(prefix)).collect()
}

fn statuses(device: &Device, group: GroupId) -> Vec<MessageStatus> {
    let page = block_on(device.client.read(group, None, 1000)).unwrap();
    page.lines.into_iter().filter_map(|line| line.status).collect()
}

#[test]
fn what_is_to_be_acknowledged_does_not_make_the_record_of_a_conversation_grow() {
    let (world, alice, bob, group) = pair();
    keeps_catching_up(&world, &bob);
    let size_after = |more: usize| {
        for n in 0..more {
            block_on(alice.client.send(group, &format!("{n}"))).unwrap();
        }
        alice.sync();
        assert!(bob.try_sync().is_err());
        rows(&bob, &[b"g", &group.as_bytes()[..]].concat())[0].1.len()
    };
    let (few, many) = (size_after(2), size_after(50));
    assert!(many < few + 32, "{few} bytes, then {many}");
    world.honest();
    bob.sync();
    alice.sync();
    assert_eq!(statuses(&alice, group), [MessageStatus::Delivered; 52]);
    assert_eq!(rows(&bob, b"B"), [], "nothing is left to be acknowledged");
}

#[test]
fn a_window_is_read_in_a_few_questions_to_the_store() {
    let (_, alice, _, _) = pair();
    let group = block_on(alice.client.long_conversation(300)).unwrap();
    block_on(alice.client.open_timeline(group, 100)).unwrap();
    let before = alice.store.calls();
    let window = block_on(alice.client.open_timeline(group, 100)).unwrap();
    let calls = alice.store.calls() - before;
    assert_eq!(window.lines.len(), 100);
    assert!(window.lines.iter().all(|line| !line.mine || line.status == Some(MessageStatus::Read)));
    // What an answer quotes may be anywhere and is looked up by itself.
    let quotes = window.lines.iter().filter(|line| line.reply.is_some()).count() as u64;
    assert!(quotes > 0 && calls < 10 + 2 * quotes, "{calls} questions for 100 lines with {quotes} quotes");
}

#[test]
fn what_an_earlier_version_had_to_acknowledge_is_acknowledged() {
    let (world, alice, bob, group) = pair();
    keeps_catching_up(&world, &bob);
    let mut bob = bob;
    for text in ["read", "seen", "seen too"] {
        alice.send(group, text);
    }
    assert!(bob.try_sync().is_err());
    let first =
        block_on(bob.client.read(group, None, 50)).unwrap().lines.iter().find(|l| l.text == "read").unwrap().seq;
    block_on(bob.client.mark_read_to(group, first)).unwrap();
    block_on(bob.client.receipts_as_before(group)).unwrap();
    assert_eq!(rows(&bob, b"B"), []);
    bob.restart();
    world.honest();
    bob.sync();
    alice.sync();
    let (read, delivered) = (MessageStatus::Read, MessageStatus::Delivered);
    assert_eq!(statuses(&alice, group), [read, delivered, delivered]);
    let logged = world.server.borrow().groups[&group].log.len();
    bob.sync();
    assert_eq!(world.server.borrow().groups[&group].log.len(), logged, "once");
}

#[test]
fn who_is_learnt_to_be_believed_rewrites_nobody_elses_row() {
    let mut world = World::new();
    let (alice, bob, carol) = (world.official(), world.official(), world.official());
    world.conversation(&[&alice, &bob], None);
    let before = rows(&alice, b"k");
    assert!(!before.is_empty());
    world.conversation(&[&alice, &carol], None);
    let after = rows(&alice, b"k");
    assert!(after.len() > before.len());
    // Sealing is never the same twice, so a row written again would be another one.
    assert!(before.iter().all(|row| after.contains(row)));
}

#[test]
fn whom_an_earlier_version_believed_is_believed_and_who_was_revoked_stays_so() {
    let mut world = World::new();
    let (mut alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob, &carol], Some("team"));
    world.revoke(&carol, &[&alice, &bob], group);
    alice.sync();
    bob.sync();
    assert!(!alice.member_devices(group).contains(&carol.id));
    block_on(alice.client.known_as_before()).unwrap();
    assert_eq!(rows(&alice, b"k").len() + rows(&alice, b"b").len(), 1);
    alice.restart();
    let again = block_on(alice.client.new_conversation(&[carol.official], None));
    assert!(matches!(again, Err(ClientError::NoDevice)), "{again:?}");
    alice.send(group, "still here");
    bob.sync();
    assert_eq!(bob.texts(group), ["still here"]);
    let ids: Vec<_> = rows(&alice, b"k").into_iter().map(|(key, _)| key.len()).collect();
    assert!(ids.len() >= 3 && ids.iter().all(|len| *len == 17), "a row for each official: {ids:?}");
    assert_eq!(rows(&alice, b"b").len(), 1);
}

#[test]
fn private_halves_of_key_packages_go_thirty_days_after_their_time() {
    let (world, _, bob, _) = pair();
    let kept = || rows(&bob, &[b'm', b's', 32]).len();
    let at_first = kept();
    assert!(at_first > 0);
    let later = |days: i64| {
        world.now.set(world.now.get() + days * DAY);
        world.server.borrow_mut().packages.clear();
        bob.sync();
    };
    later(20);
    let more = kept();
    assert!(more > at_first, "a Welcome for one of the first may still lie in the inbox");
    later(40);
    assert!(kept() <= more - at_first, "{at_first}, {more}, {}", kept());
}

/// Lines are read a moment after the outbox: what arrived in that moment was shown twice.
#[test]
fn a_message_that_gets_its_place_while_a_window_is_read_is_shown_once() {
    let (_world, alice, _bob, group) = pair();
    block_on(alice.client.send(group, "once")).unwrap();
    let waiting = rows(&alice, b"o");
    assert_eq!(waiting.len(), 1);
    alice.sync();
    assert_eq!(rows(&alice, b"o"), [], "it has its place");
    // What a reader sees who read the outbox before that and the lines after it.
    let batch = pakawaaz_client::store::Batch { puts: waiting, deletes: Vec::new() };
    block_on(pakawaaz_client::Store::commit(&alice.store, batch)).unwrap();
    assert_eq!(statuses(&alice, group), [MessageStatus::Sent]);
    let view = block_on(alice.client.conversation(group)).unwrap();
    assert_eq!((view.queued, view.last.unwrap().status), (0, Some(MessageStatus::Sent)), "and counted once");
}

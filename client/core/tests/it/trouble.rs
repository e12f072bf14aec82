//! One conversation in trouble, the others not.

use crate::world::{Device, World};
use futures::executor::block_on;
use pakawaaz_base::{GroupId, OfficialId};
use pakawaaz_client::views::SystemLine;
use pakawaaz_client::{ClientError, ClientEvent};

/// Whatever this device asks about `what` is answered by something that makes no sense.
fn nonsense_about(world: &World, to: &Device, what: impl ToString) {
    let (to, what) = (to.id, what.to_string());
    world.server.borrow_mut().http_lie =
        Some(Box::new(
            move |device, path, body| {
                if device == to && path.contains(&what) { b"<html>".to_vec() } else { body }
            },
        ));
}

fn officials(world: &mut World) -> [Device; 4] {
    let all = [world.official(), world.official(), world.official(), world.official()];
    all.iter().for_each(|d| drop(d.sync()));
    all
}

fn members(device: &Device, group: GroupId) -> Vec<OfficialId> {
    block_on(device.client.members(group)).unwrap().into_iter().map(|m| m.official).collect()
}

/// A conversation that is not in trouble goes on.
fn reads_on(bob: &Device, alice: &Device, group: GroupId) {
    alice.sync();
    alice.send(group, "you are back");
    let _ = bob.try_sync();
    assert_eq!(bob.texts(group), ["you are back"]);
}

/// With an honest server the one in trouble is well again.
fn comes_back(world: &World, bob: &Device, alice: &Device, group: GroupId) {
    world.honest();
    world.settle(&[bob, alice]);
    alice.send(group, "here too");
    bob.sync();
    assert_eq!(bob.texts(group), ["here too"]);
}

/// How the newest line says that a change failed.
fn last_failure(device: &Device, group: GroupId) -> Option<SystemLine> {
    block_on(device.client.read(group, None, 50)).unwrap().lines.pop().unwrap().system
}

#[test]
fn evidence_that_cannot_be_had_stops_one_conversation_only() {
    let mut world = World::new();
    let [alice, bob, carol, dave] = officials(&mut world);
    let first = world.conversation(&[&alice, &bob], Some("first"));
    let second = world.conversation(&[&alice, &bob, &dave], Some("second"));
    block_on(alice.client.add_members(first, &[carol.official])).unwrap();
    alice.sync();
    alice.send(first, "welcome, Carol");
    alice.send(second, "elsewhere life goes on");
    nonsense_about(&world, &bob, carol.official);
    for _ in 0..3 {
        assert!(bob.try_sync().is_err(), "and it is told");
    }
    assert_eq!(bob.texts(second), ["elsewhere life goes on"]);
    assert!(!members(&bob, first).contains(&carol.official), "nobody is believed meanwhile");
    bob.client.transport().server.borrow_mut().http_lie = None;
    bob.sync();
    assert_eq!(bob.texts(first), ["welcome, Carol"]);
    assert_eq!(bob.alarms(), []);
}

#[test]
fn a_way_back_that_makes_no_sense_stops_one_conversation_only() {
    let mut world = World::new();
    let [alice, mut bob, carol, _] = officials(&mut world);
    let first = world.conversation(&[&alice, &bob], Some("first"));
    let second = world.conversation(&[&alice, &bob, &carol], Some("second"));
    bob.lose_state();
    nonsense_about(&world, &bob, first);
    let _ = bob.try_sync();
    let _ = bob.try_sync();
    reads_on(&bob, &alice, second);
    comes_back(&world, &bob, &alice, first);
}

#[test]
fn a_way_back_that_breaks_off_stops_one_conversation_only() {
    let mut world = World::new();
    let [alice, mut bob, carol, _] = officials(&mut world);
    let first = world.conversation(&[&alice, &bob], Some("first"));
    let second = world.conversation(&[&alice, &bob, &carol], Some("second"));
    bob.lose_state();
    // It is found, and then everything about it makes no sense.
    let (me, mut found) = (bob.id, false);
    world.server.borrow_mut().http_lie = Some(Box::new(move |device, path, body| {
        let about = device == me && path.contains(&first.to_string());
        if about && std::mem::replace(&mut found, true) { b"<html>".to_vec() } else { body }
    }));
    let _ = bob.try_sync();
    reads_on(&bob, &alice, second);
    comes_back(&world, &bob, &alice, first);
}

#[test]
fn an_invitation_that_cannot_be_judged_does_not_hold_up_the_next_one() {
    let mut world = World::new();
    let [alice, bob, carol, dave] = officials(&mut world);
    let first = block_on(alice.client.new_conversation(&[bob.official, carol.official], None)).unwrap();
    alice.sync();
    let second = block_on(dave.client.new_conversation(&[bob.official], None)).unwrap();
    dave.sync();
    nonsense_about(&world, &bob, carol.official);
    assert!(bob.try_sync().is_err(), "and it is told");
    dave.send(second, "this one opens");
    let _ = bob.try_sync();
    assert_eq!(bob.texts(second), ["this one opens"]);
    let known = block_on(bob.client.members(first));
    assert!(known.as_ref().map_or(true, Vec::is_empty), "nobody is believed meanwhile: {known:?}");
    world.honest();
    bob.sync();
    assert_eq!(members(&bob, first).len(), 3, "the invitation was kept");
    assert_eq!(bob.alarms(), []);
}

#[test]
fn a_change_that_is_refused_for_good_is_said() {
    let mut world = World::new();
    let [alice, bob, carol, _] = officials(&mut world);
    let group = world.conversation(&[&alice, &bob], Some("team"));
    world.server.borrow_mut().refuse_commits = Some("messaging.device_not_active");
    block_on(alice.client.add_members(group, &[carol.official])).unwrap();
    let events = alice.sync();
    assert!(events.contains(&ClientEvent::Conversation { group }));
    let failed = SystemLine::Failed { reason: "messaging.device_not_active".into() };
    assert_eq!(last_failure(&alice, group), Some(failed.clone()));
    assert_eq!(alice.view(group).last.and_then(|l| l.system), Some(failed), "in the list too");
    world.server.borrow_mut().refuse_commits = None;
    alice.send(group, "then without");
    bob.sync();
    assert_eq!(bob.texts(group), ["then without"]);
}

#[test]
fn a_title_that_is_refused_for_good_is_said() {
    let mut world = World::new();
    let [alice, bob, ..] = officials(&mut world);
    let group = world.conversation(&[&alice, &bob], Some("team"));
    world.server.borrow_mut().refuse_sends = true;
    block_on(alice.client.set_title(group, "another name")).unwrap();
    alice.sync();
    assert_eq!(last_failure(&alice, group), Some(SystemLine::Failed { reason: "messaging.too_large".into() }));
    assert_eq!(alice.view(group).title.as_deref(), Some("team"));
}

#[test]
fn a_connection_that_falls_silent_while_catching_up_is_given_up() {
    let mut world = World::new();
    let [alice, ..] = officials(&mut world);
    world.lie(alice.id, |_| Vec::new());
    assert!(matches!(alice.try_sync(), Err(ClientError::Transport(_))));
}

#[test]
fn a_quiet_conversation_costs_nothing_while_another_one_talks() {
    let rows_read = |quiet: usize| {
        let mut world = World::new();
        let [alice, bob, carol, _] = officials(&mut world);
        let group = world.conversation(&[&alice, &bob], Some("busy"));
        for _ in 0..quiet {
            world.conversation(&[&alice, &carol], Some("quiet"));
        }
        for n in 0..40 {
            block_on(bob.client.send(group, &format!("{n}"))).unwrap();
        }
        bob.sync();
        // Hers are answered one by one, and after each answer there may be something to send.
        for n in 0..40 {
            block_on(alice.client.send(group, &format!("{n}"))).unwrap();
        }
        let before = alice.store.reads();
        alice.sync();
        assert_eq!(alice.texts(group).len(), 80);
        alice.store.reads() - before
    };
    let (alone, among) = (rows_read(0), rows_read(5));
    assert!(
        among < alone + 5 * 20,
        "{alone} rows alone, {among} beside five quiet ones, in one connection of 40 entries"
    );
}

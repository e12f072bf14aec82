//! Killing the client between any two store commits.

use crate::world::{Device, World};
use futures::executor::block_on;
use pakawaaz_base::GroupId;

/// Says something, as a user does: what was not acknowledged is typed again.
fn say(device: &mut Device, group: GroupId, text: &str) {
    let mut queued = block_on(device.client.send(group, text)).is_ok();
    if queued && device.try_sync().is_ok() {
        return;
    }
    device.restart();
    if !queued {
        queued = block_on(device.client.send(group, text)).is_ok();
    }
    assert!(queued);
    device.sync();
}

/// Every boundary in turn: the outbox loses nothing and sends nothing twice, and MLS state stays in step.
#[test]
fn a_crash_at_any_store_commit_keeps_outbox_and_mls_consistent() {
    let mut world = World::new();
    let (mut alice, bob, carol) = (world.official(), world.official(), world.official());
    let group = world.conversation(&[&alice, &bob], Some("team"));
    carol.sync();
    let mut said = Vec::new();
    let mut joined = false;
    for boundary in 0..14 {
        // Something to receive, something to commit, something to send.
        let from_bob = format!("bob {boundary}");
        bob.send(group, &from_bob);
        said.push(from_bob);
        if boundary % 3 == 0 {
            let change = async {
                match joined {
                    false => alice.client.add_members(group, &[carol.official]).await,
                    true => alice.client.remove_member(group, carol.official).await,
                }
            };
            block_on(change).unwrap();
            joined = !joined;
        }
        alice.store.crash_after(boundary);
        let from_alice = format!("alice {boundary}");
        say(&mut alice, group, &from_alice);
        said.push(from_alice);
        // A boundary beyond what happened must not hit the next round.
        alice.restart();
        bob.sync();
        alice.sync();
        for device in [&alice, &bob] {
            let mut texts = device.texts(group);
            let mut expected = said.clone();
            texts.sort();
            expected.sort();
            assert_eq!(texts, expected, "after a crash at boundary {boundary}");
            assert_eq!(device.alarms(), [], "after a crash at boundary {boundary}");
        }
        assert_eq!(alice.view(group).epoch, bob.view(group).epoch);
    }
}

/// The same for the one who is added: the Welcome is opened once, whatever happens.
#[test]
fn a_crash_while_joining_is_repeated_or_healed() {
    for boundary in 0..8 {
        let mut world = World::new();
        let (alice, mut bob) = (world.official(), world.official());
        alice.sync();
        bob.sync();
        let group = block_on(alice.client.new_conversation(&[bob.official], None)).unwrap();
        alice.sync();
        alice.send(group, "welcome");
        bob.store.crash_after(boundary);
        let _ = bob.try_sync();
        bob.restart();
        bob.sync();
        alice.sync();
        assert_eq!(bob.texts(group), ["welcome"], "boundary {boundary}");
        bob.send(group, "thanks");
        alice.sync();
        assert_eq!(alice.texts(group), ["welcome", "thanks"], "boundary {boundary}");
        assert_eq!((alice.alarms(), bob.alarms()), (vec![], vec![]));
    }
}

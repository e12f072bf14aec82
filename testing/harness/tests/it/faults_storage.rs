//! A full disk and a database that is gone: clear errors, a red light, and nothing acknowledged that is not durable.

use crate::faults_support::{audit_and_database_are_sound, block_on};
use pakawaaz_client::views::MessageStatus;
use pakawaaz_harness::small_disk::fill;
use pakawaaz_harness::talker::{assert_one_truth, settle};
use pakawaaz_harness::{Options, Person, Room, Talker, World};
use pakawaaz_storesuite::Server as Postgres;
use std::future::Future;
use std::rc::Rc;
use tokio::sync::Notify;

/// Two officials with a conversation.
struct Two {
    people: [Person; 2],
    room: Room,
}

fn two(world: &mut World) -> Two {
    let people = [world.official("ayesha.khan", "Ayesha Khan", ""), world.official("bilal.malik", "Bilal Malik", "")];
    let group = people[0].new_conversation(&["bilal.malik"], None);
    people[1].ok(&["conversations"]);
    people[0].ok(&["conversations"]);
    Two { people, room: Room { group: group.parse().unwrap(), founders: vec![0, 1], late: Vec::new() } }
}

/// Keeps both connected while `work` goes on.
async fn connected<F: Future<Output = ()>>(two: &Two, work: impl FnOnce([Rc<Talker>; 2], Rc<Notify>) -> F) {
    let changed = Rc::new(Notify::new());
    let talkers = [
        Talker::open(&two.people[0], Rc::clone(&changed)).await,
        Talker::open(&two.people[1], Rc::clone(&changed)).await,
    ];
    tokio::select! {
        _ = futures::future::join(talkers[0].stay(), talkers[1].stay()) => unreachable!("talkers stay"),
        () = work(talkers.clone(), changed) => {}
    }
}

/// The stable code with which an administrator's change fails now; none when it succeeds.
async fn refused(admin: &Person, number: usize) -> Option<String> {
    let (admin, name) = (admin.clone(), format!("official.{number}"));
    let reply = tokio::task::spawn_blocking(move || admin.run(&["admin", "officials", "add", &name, "Some One"]));
    let reply = reply.await.unwrap();
    (reply.code != 0).then(|| reply.error().expect("a failure has a stable code"))
}

#[test]
fn a_full_disk_acknowledges_nothing_says_so_and_recovers() {
    let settings = vec![("PAKAWAAZ_HEALTH__MIN_FREE_MIB".to_owned(), "1".to_owned())];
    let mut world = World::with(Options { data_mib: Some(64), settings, ..Options::default() });
    let both = two(&mut world);
    world.server.wait_for_readyz(200);
    block_on(connected(&both, async |talkers: [Rc<Talker>; 2], changed: Rc<Notify>| {
        let rooms = [both.room.clone()];
        talkers[0].say(both.room.group, "while there is space").await;
        settle(&talkers, &rooms, &changed).await;

        let ballast = fill(&world.data());
        // The log that was already allocated takes a little more; then nothing can be stored.
        let mut code = None;
        for number in 0..200 {
            for n in 0..40 {
                talkers[n % 2].say(both.room.group, &format!("{number}.{n} {}", "x".repeat(8000))).await;
            }
            code = refused(&world.first, number).await;
            if code.as_deref().is_some_and(|code| code != "identity.revocations_stale") {
                break;
            }
        }
        assert_eq!(code.as_deref(), Some("storage.disk_full"));
        assert_eq!(world.server.wait_for_readyz(503)["disk"], "disk.low");
        for n in 0..40 {
            talkers[n % 2].say(both.room.group, &format!("nobody can keep this {}", "x".repeat(8000))).await;
        }
        // Asked again, so that the server has had the messages above before it.
        assert_eq!(refused(&world.first, 1000).await.as_deref(), Some("storage.disk_full"));
        let last = talkers[1].said.borrow().last().cloned().unwrap();
        assert_eq!(talkers[1].status(&last).await, Some(MessageStatus::Queued), "not durable, so not acknowledged");

        std::fs::remove_file(ballast).unwrap();
        settle(&talkers, &rooms, &changed).await;
        world.server.wait_for_readyz(200);
        assert_one_truth(&talkers, &both.room).await;
        for talker in &talkers {
            talker.assert_no_alarms().await;
        }
    }));
    // What was acknowledged is on the disk, not in the memory of the process that acknowledged it.
    world.server.restart();
    both.people[0].ok(&["send", &both.room.group.to_string(), "after a restart"]);
    assert!(both.people[1].texts(&both.room.group.to_string()).contains(&"after a restart".to_owned()));
    assert_eq!(both.people[1].ok(&["alarms"]), serde_json::json!([]));
    audit_and_database_are_sound(&mut world);
}

#[test]
fn a_database_that_is_gone_acknowledges_nothing_says_so_and_recovers() {
    let mut postgres = Postgres::start(true).unwrap();
    let mut world = World::with(Options { database: Some(postgres.url().to_owned()), ..Options::default() });
    let both = two(&mut world);
    world.server.wait_for_readyz(200);
    block_on(connected(&both, async |talkers: [Rc<Talker>; 2], changed: Rc<Notify>| {
        let rooms = [both.room.clone()];
        talkers[0].say(both.room.group, "while there is a database").await;
        settle(&talkers, &rooms, &changed).await;

        postgres.crash();
        for n in 0..10 {
            talkers[n % 2].say(both.room.group, &format!("nobody can keep this {n}")).await;
        }
        // Two seconds after the database last answered, no token is believed: whoever comes later hears that first.
        let code = refused(&world.first, 0).await;
        assert!(matches!(code.as_deref(), Some("storage.unavailable" | "identity.revocations_stale")), "{code:?}");
        assert_eq!(world.server.wait_for_readyz(503)["database"], "storage.unavailable");
        for talker in &talkers {
            let last = talker.said.borrow().last().cloned().unwrap();
            assert_eq!(talker.status(&last).await, Some(MessageStatus::Queued), "not durable, so not acknowledged");
        }

        postgres.recover().unwrap();
        settle(&talkers, &rooms, &changed).await;
        world.server.wait_for_readyz(200);
        assert_one_truth(&talkers, &both.room).await;
        for talker in &talkers {
            talker.assert_no_alarms().await;
        }
    }));
    assert_eq!(world.first.ok(&["admin", "audit"])["verified"], true);
    assert_eq!(world.server.terminate(), Some(0));
}

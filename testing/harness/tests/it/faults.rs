//! Servers and clients that die at random moments, under load.

use crate::faults_support::{audit_and_database_are_sound, block_on, seeded};
use pakawaaz_base::GroupId;
use pakawaaz_harness::talker::{assert_one_truth, settle};
use pakawaaz_harness::{Person, Room, ServerProcess, Talker, World};
use rand::Rng as _;
use std::cell::RefCell;
use std::collections::HashSet;
use std::process::Child;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

const NAMES: [&str; 4] = ["ayesha.khan", "bilal.malik", "fatima.shah", "hamza.dar"];
const KILLS: u32 = 50;
/// After so many kills a new conversation is started and a member is added, while the killing goes on.
const FIRST_CHANGE: u32 = 10;
const SECOND_CHANGE: u32 = 25;

#[test]
fn server_killed_50_times_under_load_loses_nothing_and_duplicates_nothing() {
    let mut world = World::start();
    let people: Vec<Person> = NAMES.iter().map(|name| world.official(name, name, "")).collect();
    let everyone = people[0].new_conversation(&NAMES[1..], Some("Everyone"));
    let three = people[2].new_conversation(&[NAMES[0], NAMES[3]], Some("Three"));
    let two = people[1].new_conversation(&[NAMES[0]], None);
    for person in &people {
        person.ok(&["conversations"]);
    }
    let room = |group: &str, founders: &[usize], late: &[usize]| Room {
        group: group.parse().unwrap(),
        founders: founders.to_vec(),
        late: late.to_vec(),
    };
    let rooms = vec![room(&everyone, &[0, 1, 2, 3], &[]), room(&three, &[0, 2, 3], &[1]), room(&two, &[0, 1], &[])];

    let kills = AtomicU32::new(0);
    let server = &mut world.server;
    std::thread::scope(|scope| {
        scope.spawn(|| kill_repeatedly(server, &kills));
        block_on(talk_until_killed_enough(&people, rooms, &kills));
    });
    assert_eq!(kills.load(Ordering::SeqCst), KILLS);
    audit_and_database_are_sound(&mut world);
}

/// Kills and restarts until done; also when it fails, the count ends at [`KILLS`], so that nobody waits for ever.
fn kill_repeatedly(server: &mut ServerProcess, kills: &AtomicU32) {
    struct End<'a>(&'a AtomicU32);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(KILLS, Ordering::SeqCst);
        }
    }
    let _end = End(kills);
    let mut random = seeded(1);
    for _ in 0..KILLS {
        std::thread::sleep(Duration::from_millis(random.gen_range(100..400)));
        server.restart();
        kills.fetch_add(1, Ordering::SeqCst);
    }
}

async fn talk_until_killed_enough(people: &[Person], rooms: Vec<Room>, kills: &AtomicU32) {
    let changed = Rc::new(Notify::new());
    let mut talkers = Vec::new();
    for person in people {
        talkers.push(Talker::open(person, Rc::clone(&changed)).await);
    }
    let rooms = RefCell::new(rooms);
    let staying = talkers.iter().map(|t| t.stay());
    let work = async {
        let talking = talkers.iter().enumerate().map(|(i, talker)| talk(talker, i as u64, kills));
        let changing = change_members(&talkers, &rooms, kills);
        futures::join!(futures::future::join_all(talking), changing);
        let rooms = rooms.take();
        settle(&talkers, &rooms, &changed).await;
        for room in &rooms {
            assert_one_truth(&talkers, room).await;
        }
        // Every group still works, each way.
        for room in &rooms {
            for member in room.founders.iter().chain(&room.late) {
                talkers[*member].say(room.group, &format!("after it all, {}", talkers[*member].name)).await;
            }
        }
        settle(&talkers, &rooms, &changed).await;
        for room in &rooms {
            assert_one_truth(&talkers, room).await;
        }
        for talker in &talkers {
            talker.assert_no_alarms().await;
        }
    };
    tokio::select! {
        _ = futures::future::join_all(staying) => unreachable!("talkers stay"),
        () = work => {}
    }
}

async fn talk(talker: &Talker, seed: u64, kills: &AtomicU32) {
    let mut random = seeded(100 + seed);
    let mut count = 0;
    while kills.load(Ordering::SeqCst) < KILLS {
        let groups = talker.groups().await;
        let group = groups[random.gen_range(0..groups.len())];
        count += 1;
        talker.say(group, &format!("{} {count}", talker.name)).await;
        tokio::time::sleep(Duration::from_millis(random.gen_range(100..400))).await;
    }
}

/// Membership changes while the server is being killed: the steps with most to lose.
async fn change_members(talkers: &[Rc<Talker>], rooms: &RefCell<Vec<Room>>, kills: &AtomicU32) {
    let reached = async |number| {
        while kills.load(Ordering::SeqCst) < number {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    reached(FIRST_CHANGE).await;
    let others = [talkers[2].official, talkers[3].official];
    let group = again(async || talkers[1].open.client.new_conversation(&others, Some("Made under fire")).await).await;
    rooms.borrow_mut().push(Room { group, founders: vec![1], late: vec![2, 3] });
    reached(SECOND_CHANGE).await;
    let three: GroupId = rooms.borrow()[1].group;
    let late = [talkers[1].official];
    again(async || talkers[2].open.client.add_members(three, &late).await).await;
}

/// Repeats until the server lives long enough to answer.
async fn again<T>(mut attempt: impl AsyncFnMut() -> Result<T, pakawaaz_client::ClientError>) -> T {
    loop {
        match attempt().await {
            Err(e) if e.is_temporary() => tokio::time::sleep(Duration::from_millis(30)).await,
            other => return other.expect("only the connection fails here"),
        }
    }
}

#[test]
fn a_client_killed_at_random_moments_loses_nothing_repeats_nothing_and_keeps_its_keys() {
    const ROUNDS: usize = 20;
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    bilal.ok(&["conversations"]);

    let mut random = seeded(7);
    let (mut confirmed, mut tried) = (Vec::new(), HashSet::new());
    for round in 0..ROUNDS {
        let (writer, reader) = if round % 2 == 0 { (&ayesha, &bilal) } else { (&bilal, &ayesha) };
        let text = format!("{} in round {round}", writer.username);
        let listening = reader.start(&["listen", "--seconds", "60"]);
        let sending = writer.start(&["send", &conversation, &text]);
        tried.insert(text.clone());
        if kill_after(sending, random.gen_range(50..1200)) {
            confirmed.push(text);
        }
        kill_after(listening, random.gen_range(0..600));
    }
    // What was queued before its process died goes out now.
    for person in [&ayesha, &bilal, &ayesha] {
        person.ok(&["conversations"]);
    }
    let texts = ayesha.texts(&conversation);
    assert_eq!(bilal.texts(&conversation), texts, "one history");
    let unique: HashSet<String> = texts.iter().cloned().collect();
    assert_eq!(unique.len(), texts.len(), "nothing twice: {texts:?}");
    assert!(unique.is_subset(&tried));
    assert!(confirmed.len() < ROUNDS, "some were killed before they had finished");
    for text in &confirmed {
        assert!(unique.contains(text), "{text:?} was confirmed to its sender");
    }
    for (person, other) in [(&ayesha, &bilal), (&bilal, &ayesha)] {
        person.ok(&["send", &conversation, &format!("{} still speaks", person.username)]);
        assert!(other.texts(&conversation).contains(&format!("{} still speaks", person.username)));
        assert_eq!(person.ok(&["alarms"]), serde_json::json!([]));
    }
    audit_and_database_are_sound(&mut world);
}

/// Lets a process live for so long at most; whether it came to a good end by itself.
fn kill_after(mut child: Child, millis: u64) -> bool {
    for _ in 0..millis / 10 {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let _ = child.kill();
    child.wait_with_output().unwrap().status.success()
}

#[test]
fn a_revocation_reaches_a_listening_socket() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let mut listening = ayesha.start(&["listen", "--seconds", "600"]);
    // It says "Connected and up to date."
    let mut said = [0u8; 9];
    std::io::Read::read_exact(listening.stderr.as_mut().unwrap(), &mut said).unwrap();
    let proposal = world.first.ok(&["admin", "revoke", "--official", "ayesha.khan"]);
    assert!(listening.try_wait().unwrap().is_none(), "one administrator alone ends nothing");
    world.second.ok(&["admin", "proposals", "approve", proposal["proposal"].as_str().unwrap()]);
    assert!(!listening.wait().unwrap().success(), "the session is over, and coming back is refused");
}

//! A server whose SIMs' keys are in a vault: it works, it says so when the vault is away, and the vault may die at any time.

use crate::faults_support::{audit_and_database_are_sound, seeded};
use pakawaaz_harness::{Options, Person, VaultProcess, World};
use rand::Rng as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const NAMES: [&str; 3] = ["ayesha.khan", "bilal.malik", "fatima.shah"];
const KILLS: u32 = 12;

fn world() -> (World, VaultProcess) {
    let mut world = World::with(Options { vault: true, ..Options::default() });
    let vault = world.vault.take().expect("asked for one");
    (world, vault)
}

#[test]
fn without_its_vault_a_server_lets_nobody_in_and_blames_nobody() {
    let (mut world, mut vault) = world();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let sealed = vault.counters();
    assert_eq!(sealed["cards_sealed"], 24, "init sealed the whole batch: {sealed:?}");
    assert_eq!(sealed["eap_vectors"], 6, "three enrolments and three logins: {sealed:?}");
    assert_eq!(vault_in_readyz(&world), "ok");
    vault.kill();
    for _ in 0..6 {
        // More often than wrong passwords are forgiven.
        ayesha.fails(&["login"], "identity.vault_unavailable");
    }
    ayesha.ok(&["find", "a"]);
    // Whoever watches the server is told, and told nothing but that; sessions go on, so it stays ready.
    assert_eq!(vault_in_readyz(&world), "identity.vault_unavailable");
    vault.restart();
    wait_for_vault(&ayesha);
    assert_eq!(vault_in_readyz(&world), "ok");
    // A server that starts before its vault.
    vault.kill();
    world.server.restart();
    ayesha.fails(&["login"], "identity.vault_unavailable");
    vault.restart();
    wait_for_vault(&ayesha);
    audit_and_database_are_sound(&mut world);
}

/// What the server says of its vault, a moment later than it keeps answers for.
fn vault_in_readyz(world: &World) -> String {
    std::thread::sleep(Duration::from_millis(600));
    let (status, ready) = world.server.readyz();
    assert_eq!((status, &ready["ready"]), (200, &true.into()), "{ready}");
    let socket = world.dir().join("vault").display().to_string();
    assert!(!ready.to_string().contains(&socket), "{ready}");
    ready["vault"].as_str().expect("it is told").to_owned()
}

/// The server connects again by itself.
fn wait_for_vault(person: &Person) {
    for _ in 0..100 {
        let reply = person.run(&["login"]);
        if reply.code == 0 {
            return;
        }
        assert_eq!(reply.error().as_deref(), Some("identity.vault_unavailable"), "{}", reply.stderr);
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the server does not find its vault again");
}

#[test]
fn a_vault_killed_under_load_costs_attempts_and_no_sequence_number_twice() {
    let (mut world, mut vault) = world();
    let people: Vec<Person> = NAMES.iter().map(|name| world.official(name, name, "")).collect();
    let before = vault.counters();
    let done = AtomicBool::new(false);
    let logins: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let working: Vec<_> = people.iter().map(|person| scope.spawn(|| log_in_until(person, &done))).collect();
        let mut random = seeded(7);
        for _ in 0..KILLS {
            std::thread::sleep(Duration::from_millis(random.gen_range(200..900)));
            vault.kill();
            std::thread::sleep(Duration::from_millis(random.gen_range(0..300)));
            vault.restart();
        }
        done.store(true, Ordering::SeqCst);
        working.into_iter().map(|thread| thread.join().expect("only the vault fails")).collect()
    });
    for person in &people {
        wait_for_vault(person);
    }
    let succeeded: u64 = logins.iter().map(|(right, _)| right).sum::<u64>() + people.len() as u64;
    assert!(succeeded > people.len() as u64, "some logins got through: {logins:?}");
    let after = vault.counters();
    assert_eq!(after["starts"], before["starts"] + u64::from(KILLS));
    // Every answer that reached a card was counted, though its vault was killed right after.
    assert!(after["eap_vectors"] - before["eap_vectors"] >= succeeded, "{logins:?} {after:?}");
    // The cards are the judges: one that sees a number twice, or out of order, answers with AUTS.
    assert_eq!((after["resynchronisations"], after["auts_rejected"]), (0, 0), "{after:?}");
    assert_eq!((after["not_ours"], after["other_refusals"]), (0, 0), "{after:?}");
    audit_and_database_are_sound(&mut world);
}

#[test]
fn sims_of_an_older_installation_move_into_a_vault() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let vault = VaultProcess::start(&world.dir().join("vault"));
    let socket = ("PAKAWAAZ_VAULT__SOCKET".to_owned(), vault.socket().display().to_string());
    let adopt = |world: &World| {
        let done = world.server_command(&["adopt-vault"]).env(&socket.0, &socket.1).output().expect("starts");
        (done.status.success(), String::from_utf8_lossy(&done.stdout).into_owned())
    };
    assert!(!adopt(&world).0, "not beside a server that runs");
    assert_eq!(vault.counters()["cards_sealed"], 0);
    assert_eq!(world.server.terminate(), Some(0));
    let (done, said) = adopt(&world);
    assert!(done && said.contains("Moved 24 SIMs and 0 SUCI keys"), "{said}");
    assert!(adopt(&world).1.contains("Moved 0 SIMs"), "once");
    world.server.restart_with(&[socket]);
    ayesha.login();
    let counters = vault.counters();
    assert_eq!((counters["cards_sealed"], counters["eap_vectors"]), (24, 1), "{counters:?}");
    audit_and_database_are_sound(&mut world);
}

/// How many logins succeeded, and how many met no vault.
fn log_in_until(person: &Person, done: &AtomicBool) -> (u64, u64) {
    let (mut right, mut without) = (0, 0);
    while !done.load(Ordering::SeqCst) {
        let reply = person.run(&["login"]);
        match reply.error().as_deref() {
            None if reply.code == 0 => right += 1,
            Some("identity.vault_unavailable") => without += 1,
            _ => panic!("{}: {}", person.username, reply.stderr),
        }
    }
    (right, without)
}

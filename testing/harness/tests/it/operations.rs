use pakawaaz_harness::{Person, ServerProcess, World};
use std::io::Read as _;
use std::process::Stdio;

#[test]
fn a_revoked_official_is_cut_off_and_leaves_the_group_by_a_signed_removal() {
    let mut world = World::start();
    let people: Vec<_> =
        ["ayesha.khan", "bilal.malik", "fatima.shah"].iter().map(|n| world.official(n, n, "")).collect();
    let group = people[0].new_conversation(&["bilal.malik", "fatima.shah"], Some("Cabinet"));
    people[1].ok(&["send", &group, "before"]);
    people[2].ok(&["conversations"]);
    let proposal = world.first.ok(&["admin", "revoke", "--official", "bilal.malik"]);
    world.second.ok(&["admin", "proposals", "approve", proposal["proposal"].as_str().unwrap()]);
    assert_ne!(people[1].run(&["send", &group, "after"]).code, 0, "a revoked official cannot send");
    // The server proposes the removal a moment after the approval. What is sent before waits for it, which is not meant here.
    let removed = |person: &Person| person.lines(&group).iter().any(|l| l["system"]["revoked"] == true);
    assert!((0..100).any(|_| removed(&people[0])), "the removal never came");
    people[0].ok(&["send", &group, "without bilal"]);
    assert!(people[2].texts(&group).contains(&"without bilal".to_owned()));
    let members = people[2].ok(&["members", &group]);
    assert_eq!(members.as_array().unwrap().len(), 2, "{members}");
    assert!(removed(&people[2]), "the removal is shown as signed");
    assert_eq!(people[2].ok(&["alarms"]), serde_json::json!([]));
}

#[test]
fn a_suspended_officials_listening_socket_is_closed() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let mut listening = ayesha.start(&["listen", "--seconds", "600"]);
    let mut stderr = listening.stderr.take().unwrap();
    let mut first = [0u8; 8];
    stderr.read_exact(&mut first).unwrap();
    world.first.ok(&["admin", "suspend", "--official", "ayesha.khan"]);
    let status = listening.wait().unwrap();
    assert!(!status.success(), "listen ends with an error once the session is gone");
}

#[test]
fn a_bad_row_rejects_the_whole_sim_batch() {
    let world = World::start();
    let before = world.first.ok(&["admin", "sims", "list"])["sims"].as_array().unwrap().len();
    let good = pakawaaz_harness::sims::SimBatch::new(&world.dir().join("more"), 2, 3);
    let bad = good.csv().replacen("milenage,", "milenage,zz", 2);
    let path = world.dir().join("bad.csv");
    std::fs::write(&path, bad).unwrap();
    let reply = world.first.run(&["admin", "sims", "import", path.to_str().unwrap()]);
    assert_eq!(reply.code, 2, "{}", reply.stderr);
    let after = world.first.ok(&["admin", "sims", "list"])["sims"].as_array().unwrap().len();
    assert_eq!(before, after, "nothing of a bad batch is stored");
    std::fs::write(&path, good.csv()).unwrap();
    assert_eq!(world.first.ok(&["admin", "sims", "import", path.to_str().unwrap()])["imported"], 3);
    let audit = world.first.ok(&["admin", "audit"]);
    assert_eq!(audit["verified"], true);
    assert!(audit["entries"].as_array().unwrap().iter().any(|e| e["action"] == "identity.sims_imported"));
}

#[test]
fn a_backup_taken_while_running_restores_to_the_same_conversations() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    ayesha.ok(&["send", &conversation, "in the backup"]);
    let backup = world.dir().join("backup");
    let made = world.server_command(&["backup"]).arg(&backup).stdout(Stdio::null()).status().unwrap();
    assert!(made.success());
    world.server.kill();
    let restored = world.dir().join("restored");
    let done = world.server_command(&["restore"]).arg(&backup).arg(&restored).stdout(Stdio::null()).status().unwrap();
    assert!(done.success());
    let _second = ServerProcess::start(&restored, world.settings());
    assert_eq!(bilal.texts(&conversation), ["in the backup"]);
}

#[test]
fn terminating_ends_cleanly() {
    let mut world = World::start();
    assert_eq!(world.server.terminate(), Some(0));
}

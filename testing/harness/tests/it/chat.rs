use pakawaaz_harness::World;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

#[test]
fn two_officials_enrol_log_in_and_talk_both_ways() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "عائشہ خان");
    let bilal = world.official("bilal.malik", "Bilal Malik", "بلال ملک");

    // Found in either language, before writing.
    for query in ["bilal", "بلال"] {
        let found = ayesha.ok(&["find", query]);
        assert_eq!(found["officials"][0]["username"], "bilal.malik", "{found}");
    }
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    ayesha.ok(&["send", &conversation, "Assalam-o-alaikum"]);
    assert_eq!(ayesha.status(&conversation, "Assalam-o-alaikum"), "sent");
    assert_eq!(bilal.texts(&conversation), ["Assalam-o-alaikum"]);
    // Reading sent the receipts.
    assert_eq!(ayesha.status(&conversation, "Assalam-o-alaikum"), "read");
    bilal.ok(&["send", "ayesha.khan", "وعلیکم السلام"]);
    assert_eq!(ayesha.texts(&conversation), ["Assalam-o-alaikum", "وعلیکم السلام"]);
    let mut piped = ayesha.command(&["send", &conversation]).stdin(Stdio::piped()).spawn().unwrap();
    piped.stdin.take().unwrap().write_all("two lines\nby pipe\n".as_bytes()).unwrap();
    assert!(piped.wait_with_output().unwrap().status.success());
    assert_eq!(bilal.texts(&conversation).last().unwrap(), "two lines\nby pipe");
    bilal.fails(&["send", "nobody.here", "hello"], "client.no_such_conversation");
    // The same one-to-one conversation, not a second one.
    assert_eq!(bilal.new_conversation(&["ayesha.khan"], None), conversation);
    for person in [&ayesha, &bilal] {
        assert_eq!(person.ok(&["alarms"]), serde_json::json!([]));
    }
}

#[test]
fn a_message_written_offline_waits_in_the_outbox_and_survives_the_process() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    world.server.kill();
    let sent = ayesha.ok(&["send", &conversation, "written offline"]);
    assert_eq!(sent["status"], "queued");
    world.server.restart();
    ayesha.ok(&["conversations"]);
    assert_eq!(ayesha.status(&conversation, "written offline"), "sent");
    assert_eq!(bilal.texts(&conversation), ["written offline"]);
}

#[test]
fn a_group_of_four_hears_everybody_and_a_removed_member_nothing_more() {
    let mut world = World::start();
    let names = ["ayesha.khan", "bilal.malik", "fatima.shah", "hamza.dar"];
    let people: Vec<_> = names.iter().map(|n| world.official(n, &n.replace('.', " "), "")).collect();
    let group = people[0].new_conversation(&names[1..3], Some("Budget 2027"));
    for (i, person) in people[..3].iter().enumerate() {
        person.ok(&["send", &group, &format!("from {i}")]);
    }
    for person in &people[..3] {
        let mut texts = person.texts(&group);
        texts.sort();
        assert_eq!(texts, ["from 0", "from 1", "from 2"]);
    }
    people[1].ok(&["members", &group, "--add", names[3]]);
    people[0].ok(&["send", &group, "welcome"]);
    assert_eq!(people[3].texts(&group), ["welcome"], "a new member reads from when it was added");
    people[0].ok(&["members", &group, "--remove", names[2]]);
    people[0].ok(&["send", &group, "without fatima"]);
    assert!(people[1].texts(&group).contains(&"without fatima".to_owned()));
    assert!(!people[2].texts(&group).contains(&"without fatima".to_owned()));
}

#[test]
fn both_devices_of_an_official_get_everything_after_cross_signing() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    let (tablet, enrolled) = world.second_device(&bilal);
    assert_eq!(enrolled["status"], "pending");
    let device = enrolled["device"].as_str().unwrap();
    tablet.login();
    bilal.fails(
        &["devices", "approve", device, "--code", "00000 00000 00000 00000 00000 00000"],
        "client.code_mismatch",
    );
    bilal.ok(&["devices", "approve", device, "--code", enrolled["code"].as_str().unwrap()]);
    // The new device publishes its key packages, the approving one adds it.
    tablet.ok(&["conversations"]);
    bilal.ok(&["conversations"]);
    ayesha.ok(&["send", &conversation, "to both"]);
    assert!(tablet.texts(&conversation).contains(&"to both".to_owned()));
    assert!(bilal.texts(&conversation).contains(&"to both".to_owned()));
    tablet.ok(&["send", &conversation, "from the tablet"]);
    for person in [&ayesha, &bilal] {
        assert!(person.texts(&conversation).contains(&"from the tablet".to_owned()));
    }
}

#[test]
fn listen_prints_what_arrives_while_it_arrives() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    bilal.ok(&["conversations"]);
    let mut listening = bilal.start(&["listen", "--count", "2", "--seconds", "60"]);
    let lines = BufReader::new(listening.stdout.take().unwrap()).lines();
    ayesha.ok(&["send", &conversation, "one"]);
    ayesha.ok(&["send", &conversation, "two"]);
    let heard: Vec<String> = lines
        .map_while(Result::ok)
        .filter_map(|l| serde_json::from_str::<serde_json::Value>(&l).ok())
        .map(|v| v["line"]["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(heard, ["one", "two"]);
    assert!(listening.wait().unwrap().success());
}

#[test]
fn one_profile_is_used_by_one_process_at_a_time() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let mut listening = ayesha.start(&["listen", "--seconds", "30"]);
    // "Connected and up to date." says that it holds the profile.
    let mut said = String::new();
    BufReader::new(listening.stderr.take().unwrap()).read_line(&mut said).unwrap();
    ayesha.fails(&["whoami"], "client.store_busy");
    listening.kill().unwrap();
    listening.wait().unwrap();
    ayesha.ok(&["whoami"]);
}

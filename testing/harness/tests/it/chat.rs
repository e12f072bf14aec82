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
    let mut listening = bilal.start(&["listen", "--count", "2", "--seconds", "600"]);
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

#[test]
fn messages_are_edited_deleted_answered_mentioned_and_reacted_to() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "عائشہ خان");
    let bilal = world.official("bilal.malik", "Bilal Malik", "بلال ملک");
    let fatima = world.official("fatima.shah", "Fatima Shah", "");
    let group = ayesha.new_conversation(&["bilal.malik", "fatima.shah"], Some("Tender 14"));
    let sent = |reply: serde_json::Value| reply["message"].as_str().unwrap().to_owned();
    let question = sent(ayesha.ok(&["send", &group, "Who signs?", "--mention", "bilal.malik"]));
    let regret = sent(ayesha.ok(&["send", &group, "Not the minister!"]));

    let view = |person: &pakawaaz_harness::Person| {
        let all = person.ok(&["conversations"]);
        all.as_array().unwrap().iter().find(|c| c["group"] == group.as_str()).unwrap().clone()
    };
    let seen = view(&bilal);
    assert_eq!((&seen["unread"], &seen["mentions"]), (&2.into(), &1.into()), "{seen}");
    assert_eq!(seen["last"]["author_name"]["ur"], "عائشہ خان");

    let answer = sent(bilal.ok(&["send", &group, "I do.", "--reply-to", &question]));
    bilal.ok(&["react", &group, &question, "👍"]);
    bilal.fails(&["edit", &group, &question, "Who pays?"], "client.not_author");
    ayesha.ok(&["edit", &group, &question, "Who signs the contract?"]);
    ayesha.ok(&["delete", &group, &regret]);
    for person in [&ayesha, &bilal, &fatima] {
        let lines = person.lines(&group);
        let line = |id: &str| lines.iter().find(|l| l["message"] == id).unwrap().clone();
        let asked = line(&question);
        assert_eq!((&asked["text"], &asked["edited"]), (&"Who signs the contract?".into(), &true.into()));
        assert_eq!(asked["mentions"], serde_json::json!([]), "the new words mention nobody");
        assert_eq!(asked["reactions"][0]["emoji"], "👍");
        assert_eq!(asked["reactions"][0]["mine"], person.username == "bilal.malik");
        assert_eq!((&line(&regret)["deleted"], &line(&regret)["text"]), (&true.into(), &"".into()));
        let reply = &line(&answer)["reply"];
        assert_eq!((&reply["message"], &reply["text"]), (&question.as_str().into(), &"Who signs the contract?".into()));
    }
    bilal.ok(&["react", &group, &question, "👍", "--remove"]);
    let lines = fatima.lines(&group);
    assert_eq!(lines.iter().find(|l| l["message"] == question.as_str()).unwrap()["reactions"], serde_json::json!([]));

    let found = fatima.ok(&["search", "CONTRACT signs"]);
    assert_eq!(found["hits"][0]["line"]["message"], question.as_str());
    let info = ayesha.ok(&["message-info", &group, &question]);
    assert_eq!(info["read"].as_array().unwrap().len(), 2, "{info}");

    // Whoever leaves hears nothing more, and one of the others takes them out.
    fatima.ok(&["leave", &group]);
    ayesha.ok(&["send", &group, "Only us two now."]);
    bilal.texts(&group);
    assert_eq!(ayesha.ok(&["members", &group]).as_array().unwrap().len(), 2);
    assert!(!fatima.texts(&group).contains(&"Only us two now.".to_owned()));
    assert_eq!(view(&fatima)["left"], true);
    for person in [&ayesha, &bilal, &fatima] {
        assert_eq!(person.ok(&["alarms"]), serde_json::json!([]));
    }
}

#[test]
fn an_official_sees_and_ends_own_sessions() {
    let mut world = World::start();
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let (tablet, enrolled) = world.second_device(&bilal);
    let device = enrolled["device"].as_str().unwrap();
    bilal.ok(&["devices", "approve", device, "--code", enrolled["code"].as_str().unwrap()]);
    tablet.login();
    let sessions = bilal.ok(&["sessions"]);
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let other = sessions.iter().find(|s| s["this_session"] == false).unwrap();
    assert_eq!(other["device"], device);
    let left = bilal.ok(&["sessions", "--end", other["session"].as_str().unwrap()]);
    assert_eq!(left.as_array().unwrap().len(), 1);
    tablet.fails(&["find", "bilal"], "client.login_required");
}

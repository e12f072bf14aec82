//! Long absences and wrong clocks.

use pakawaaz_harness::World;
use pakawaaz_harness::other_clock::off_by;

#[test]
fn devices_that_were_off_for_three_weeks_come_back_and_miss_nothing() {
    let mut world = World::start();
    let mut ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let mut bilal = world.official("bilal.malik", "Bilal Malik", "");
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    ayesha.ok(&["send", &conversation, "before the leave"]);
    assert_eq!(bilal.texts(&conversation), ["before the leave"]);

    // Every MLS certificate (7 days), key package and session ends meanwhile.
    world.server.restart_with(&off_by("+21d"));
    for person in [&mut ayesha, &mut bilal] {
        person.environment = off_by("+21d");
    }
    ayesha.fails(&["find", "bilal"], "client.login_required");
    ayesha.login();
    ayesha.ok(&["send", &conversation, "while you were away"]);
    bilal.login();
    assert_eq!(bilal.texts(&conversation), ["before the leave", "while you were away"]);
    bilal.ok(&["send", &conversation, "back again"]);
    assert_eq!(ayesha.texts(&conversation).last().unwrap(), "back again");
    let group = bilal.new_conversation(&["ayesha.khan"], Some("After the leave"));
    bilal.ok(&["send", &group, "a new group works too"]);
    assert_eq!(ayesha.texts(&group), ["a new group works too"]);
    for person in [&ayesha, &bilal] {
        assert_eq!(person.ok(&["alarms"]), serde_json::json!([]));
    }
}

#[test]
fn a_device_whose_clock_is_hours_off_logs_in_and_talks() {
    let mut world = World::start();
    let mut ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let mut bilal = world.official("bilal.malik", "Bilal Malik", "");
    ayesha.environment = off_by("+3h");
    bilal.environment = off_by("-3h");
    ayesha.login();
    bilal.login();
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    ayesha.ok(&["send", &conversation, "from the future"]);
    assert_eq!(bilal.texts(&conversation), ["from the future"]);
    bilal.ok(&["send", &conversation, "from the past"]);
    assert_eq!(ayesha.texts(&conversation), ["from the future", "from the past"]);
}

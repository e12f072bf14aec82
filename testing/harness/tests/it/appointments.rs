use pakawaaz_harness::other_clock::off_by;
use pakawaaz_harness::{Person, World};
use serde_json::Value;

/// A ministry with one vacant post; the unit and the post.
fn vacant_post(world: &World) -> (String, String) {
    let unit = world.first.ok(&["admin", "units", "add", "ministry", "Ministry of Finance"]);
    let unit = unit["unit"].as_str().unwrap().to_owned();
    let post = world.first.ok(&["admin", "posts", "add", &unit, "Finance Secretary", "--grade", "22"]);
    (unit, post["post"].as_str().unwrap().to_owned())
}

/// The post once its holder is `holder`: the directory hears of an appointment a moment after its approval.
fn once_held_by(person: &Person, post: &str, holder: &Value) -> Value {
    for _ in 0..100 {
        let shown = person.ok(&["admin", "posts", "show", post]);
        if shown["holder"] == *holder {
            return shown;
        }
    }
    panic!("the directory never heard of it");
}

#[test]
fn an_appointment_needs_two_administrators_is_verified_by_clients_and_expires() {
    let mut world = World::start();
    let mut ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let (unit, post) = vacant_post(&world);
    let proposal = world.first.ok(&["admin", "appoint", &post, "ayesha.khan", "--acting", "--days", "10"]);
    assert_eq!((&proposal["kind"], &proposal["status"]), (&"appointments".into(), &"open".into()));
    let proposal = proposal["proposal"].as_str().unwrap();
    assert_ne!(world.first.run(&["admin", "proposals", "approve", proposal]).code, 0, "not by the same administrator");
    assert_eq!(
        world.second.ok(&["admin", "posts", "show", &post])["holder"],
        Value::Null,
        "one signature is not enough"
    );
    world.second.ok(&["admin", "proposals", "approve", proposal]);

    let found = ayesha.ok(&["find", "ayesha"])["officials"][0].clone();
    let shown = once_held_by(&world.first, &post, &found["official"]);
    assert_eq!((&shown["standing"], &shown["kind"]), (&"verified".into(), &"acting".into()));
    let listed = world.first.ok(&["admin", "posts", "list", &unit]);
    assert_eq!(listed["posts"][0], shown);
    // An official, not an administrator, verifies it too.
    let held = ayesha.ok(&["find", "finance secretary"])["officials"][0]["posts"][0].clone();
    assert_eq!((&held["standing"], &held["until"]), (&"verified".into(), &shown["until"]));

    world.server.restart_with(&off_by("+11d"));
    for person in [&mut ayesha, &mut world.first] {
        person.environment = off_by("+11d");
        person.login();
    }
    assert_eq!(world.first.ok(&["admin", "posts", "show", &post])["holder"], Value::Null, "it has expired");
    assert_eq!(ayesha.ok(&["find", "ayesha"])["officials"][0]["posts"], serde_json::json!([]));
    let audit = world.first.ok(&["admin", "audit", "--limit", "500"]);
    let actions: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|e| e["action"].clone()).collect();
    for action in ["directory.post_holder_changed", "directory.appointment_expired"] {
        assert!(actions.contains(&action.into()), "{action} in {actions:?}");
    }
}

#[test]
fn a_post_is_handed_over_and_vacated_by_two_administrators() {
    let world = World::start();
    let (_, post) = vacant_post(&world);
    let mut officials = Vec::new();
    for username in ["ayesha.khan", "bilal.malik"] {
        let made = world.first.ok(&["admin", "officials", "add", username, username]);
        let proposal = world.first.ok(&["admin", "appoint", &post, username]);
        world.second.ok(&["admin", "proposals", "approve", proposal["proposal"].as_str().unwrap()]);
        once_held_by(&world.second, &post, &made["official"]);
        officials.push(made["official"].clone());
    }
    assert_ne!(officials[0], officials[1]);
    let former = world.first.ok(&["admin", "officials", "show", "ayesha.khan"]);
    assert_eq!(former["posts"], serde_json::json!([]), "handed over");
    let proposal = world.second.ok(&["admin", "vacate", &post]);
    world.first.ok(&["admin", "proposals", "approve", proposal["proposal"].as_str().unwrap()]);
    once_held_by(&world.first, &post, &Value::Null);
    assert_ne!(world.first.run(&["admin", "vacate", &post]).code, 0, "it is vacant");
    let nowhere = "01a205a6-0000-7000-8000-000000000000";
    world.first.fails(&["admin", "appoint", nowhere, "bilal.malik"], "directory.post_not_found");
}

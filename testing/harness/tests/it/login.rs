use pakawaaz_harness::{Options, Person, World};

#[test]
fn each_wrong_factor_behaves_as_written() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    ayesha.ok(&["logout"]);
    ayesha.fails(&["find", "a"], "client.login_required");

    // The device is right, so it may know which factor failed.
    std::fs::write(&ayesha.password_file, "wrong").unwrap();
    ayesha.fails(&["login"], "identity.wrong_password");
    std::fs::write(&ayesha.password_file, "ayesha.khan password").unwrap();
    let other_card = Person { sim: world.card(), ..ayesha.clone() };
    assert_ne!(other_card.run(&["login"]).code, 0, "another SIM must not log in");
    std::fs::write(&ayesha.pin_file, "999999").unwrap();
    ayesha.fails(&["login"], "client.wrong_pin");
    std::fs::write(&ayesha.pin_file, "246810").unwrap();
    ayesha.login();
    ayesha.ok(&["find", "a"]);
}

#[test]
fn over_tls_the_login_is_bound_to_its_connection_and_talking_works() {
    let mut world = World::with(Options { tls: true, ..Options::default() });
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let conversation = ayesha.new_conversation(&["bilal.malik"], None);
    ayesha.ok(&["send", &conversation, "over TLS"]);
    assert_eq!(bilal.texts(&conversation), ["over TLS"]);
}

#[test]
fn a_sim_that_ran_ahead_is_resynchronised_within_the_login() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    // A card whose counters are far ahead of the network's, as after use elsewhere.
    let mut card: serde_json::Value = serde_json::from_slice(&std::fs::read(&ayesha.sim).unwrap()).unwrap();
    for counter in card["state"].as_array_mut().unwrap() {
        *counter = serde_json::json!(1_000_000_000);
    }
    std::fs::write(&ayesha.sim, serde_json::to_vec(&card).unwrap()).unwrap();
    ayesha.login();
    ayesha.login();
}

#[test]
fn a_password_is_changed_by_its_owner_and_reset_by_two_administrators() {
    let mut world = World::start();
    let ayesha = world.official("ayesha.khan", "Ayesha Khan", "");
    let new = ayesha.profile.with_file_name("new-password");
    std::fs::write(&new, "a second password").unwrap();
    ayesha.ok(&["passwd", "--new-password-file", new.to_str().unwrap()]);
    ayesha.fails(&["login"], "identity.wrong_password");
    std::fs::copy(&new, &ayesha.password_file).unwrap();
    ayesha.login();

    let voucher = world.voucher("ayesha.khan", "password");
    std::fs::write(&ayesha.password_file, "a third password").unwrap();
    ayesha.ok(&["reset-password", &voucher]);
    ayesha.login();
    assert_ne!(ayesha.run(&["reset-password", &voucher]).code, 0, "a reset voucher works once");
}

#[test]
fn logging_out_everywhere_ends_the_other_devices_session() {
    let mut world = World::start();
    let bilal = world.official("bilal.malik", "Bilal Malik", "");
    let (tablet, enrolled) = world.second_device(&bilal);
    tablet.login();
    bilal.ok(&[
        "devices",
        "approve",
        enrolled["device"].as_str().unwrap(),
        "--code",
        enrolled["code"].as_str().unwrap(),
    ]);
    tablet.ok(&["find", "b"]);
    bilal.ok(&["logout", "--everywhere"]);
    let reply = tablet.run(&["find", "b"]);
    assert_eq!(reply.code, 3, "exit code of an ended session: {}", reply.stderr);
}

#[test]
fn a_voucher_works_once_and_needs_two_administrators() {
    let mut world = World::start();
    world.first.ok(&["admin", "officials", "add", "ayesha.khan", "Ayesha Khan"]);
    let made = world.first.ok(&["admin", "vouchers", "ayesha.khan"]);
    let voucher = made["vouchers"][0][1].as_str().unwrap().to_owned();
    let card = world.card();
    let ayesha = Person::new(world.dir(), "ayesha.khan", "a", card, "a password");
    assert_ne!(ayesha.run(&["enrol", &voucher]).code, 0, "one signature is not enough");
    let proposal = made["proposal"].as_str().unwrap();
    assert_ne!(world.first.run(&["admin", "proposals", "approve", proposal]).code, 0, "not by the same administrator");
    world.second.ok(&["admin", "proposals", "approve", proposal]);
    ayesha.ok(&["enrol", &voucher]);
    let card = world.card();
    let thief = Person::new(world.dir(), "ayesha.khan", "thief", card, "a password");
    assert_ne!(thief.run(&["enrol", &voucher]).code, 0, "a used voucher is worth nothing");
}

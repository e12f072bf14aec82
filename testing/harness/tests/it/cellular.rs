//! The 5G core end to end: server, user plane, terminal clients and simulated phones, all over real sockets.

use crate::cellular_support::{Listening, Site, imsi, keys_of, say};
use pakawaaz_harness::Person;
use pakawaaz_ransim::gnb::GnbEvent;
use pakawaaz_ransim::phone::Event;
use pakawaaz_ransim::world::{GnbId, Happened};
use serde_json::Value;

/// The gNB that every site begins with.
const GNB: GnbId = GnbId(0);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_reaches_a_service_and_leaves_with_its_owners_login() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = site.world.official("bilal.malik", "Bilal Malik", "");
    let phone = site.phone(&ayesha, GNB).await;
    let other = site.phone(&bilal, GNB).await;

    // Registered with a concealed identity, on a cell, with an address; and a ping through the user plane.
    let seen = site.seen(&ayesha).expect("registered");
    assert!(seen["tac"] == 1 && seen["pei"].is_string() && seen["cell"].is_string(), "{seen}");
    let address = seen["sessions"][0]["ipv4"].as_str().expect("an address");
    assert!(address.starts_with("10.45."), "{seen}");
    assert!(site.pings(phone, 1).await && site.pings(other, 2).await);
    // Her own card and phone are what she may see, and nobody else's.
    let own = ayesha.ok(&["phone"]);
    assert_eq!((own.as_array().unwrap().len(), &own[0]["status"]), (1, &serde_json::json!("bound")));
    assert_eq!((&own[0]["phone"]["cell"], &own[0]["phone"]["since"]), (&seen["cell"], &seen["since"]));
    assert_ne!(own[0]["sim"], bilal.ok(&["phone"])[0]["sim"]);
    places_get_names(&site, &ayesha, &seen);
    assert!(site.pings(phone, 5).await, "a name lets no gNB go");

    // A hostile gNB sends every plain message in their names: nobody leaves, and nobody is logged out.
    let (mut listening, mut others) = (Listening::start(&ayesha), Listening::start(&bilal));
    site.idle(other).await;
    site.attack(phone, GNB, other).await;
    assert!(site.seen(&ayesha).is_some() && listening.goes_on() && others.goes_on());
    assert!(site.pings(phone, 3).await);

    // The phone itself says goodbye, with its integrity protected: its owner's session ends, the other one's does not.
    site.radio.deregister(phone, site.now());
    site.until_phone(phone, |event| matches!(event, Event::Deregistered(_))).await;
    let took = listening.ended().await;
    say(&format!("the session ended {took:?} after the phone had left"));
    assert!(site.seen(&ayesha).is_none() && others.goes_on());

    // A suspended card: its phone is detached, and its owner's session ends.
    let card = site.card(&bilal);
    site.world.first.ok(&["admin", "suspend", "--card", &card]);
    site.until_phone(other, |event| matches!(event, Event::Deregistered(_))).await;
    let took = others.ended().await;
    say(&format!("the session had ended {took:?} after the phone was told"));
    assert!(site.seen(&bilal).is_none());
}

/// Without a name a place has its number; with one, operators and the phone's owner read it.
fn places_get_names(site: &Site, owner: &Person, before: &Value) {
    let admin = |args: &[&str]| site.world.first.ok(&[&["admin", "cellular"], args].concat());
    assert!(before["place"].is_null() && before["area"].is_null(), "{before}");
    assert!(owner.ok(&["phone"])[0]["phone"]["place"].is_null());
    admin(&["gnbs", "name", "1", "Secretariat, Block C", "سیکرٹریٹ، بلاک سی"]);
    admin(&["tacs", "name", "1", "Islamabad"]);
    let (block, area) = (
        serde_json::json!({ "en": "Secretariat, Block C", "ur": "سیکرٹریٹ، بلاک سی" }),
        serde_json::json!({ "en": "Islamabad", "ur": "" }),
    );
    let after = site.seen(owner).expect("still registered");
    assert_eq!((&after["place"], &after["area"], &after["cell"]), (&block, &area, &before["cell"]));
    let own = owner.ok(&["phone"]);
    assert_eq!((&own[0]["phone"]["place"], &own[0]["phone"]["area"]), (&block, &area));
    let gnbs = admin(&["gnbs"]);
    assert_eq!((&gnbs["allowed"][0]["place"], &gnbs["connected"][0]["place"]), (&block, &block));
    assert_eq!(admin(&["tacs"]), serde_json::json!([{ "tac": 1, "place": area }]));
    // One that would rearrange a screen is none; and names can be taken away.
    let refused = ["admin", "cellular", "gnbs", "name", "1", "Block \u{202e}C"];
    site.world.first.fails(&refused, "cellular.bad_place");
    admin(&["gnbs", "name", "1"]);
    assert!(owner.ok(&["phone"])[0]["phone"]["place"].is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_of_the_server_costs_a_phone_one_service_request() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let phone = site.phone(&ayesha, GNB).await;
    let before = site.seen(&ayesha).expect("registered");
    assert!(site.pings(phone, 1).await);

    site.crash().await;
    let gnb = site.gnb(2).await;
    site.radio.move_phone(phone, gnb, site.now());
    let events = site.service(phone).await;
    assert!(
        !events.iter().any(|event| matches!(event, Event::Registered { .. } | Event::SessionUp { .. })),
        "{events:?}"
    );
    let after = site.seen(&ayesha).expect("still registered");
    assert_eq!((&before["since"], &before["sessions"][0]["ipv4"]), (&after["since"], &after["sessions"][0]["ipv4"]));
    assert!(site.pings(phone, 2).await, "the session is the same");
    // The gNB that did not come back is an alarm; the user plane is there again, so that is none.
    let alarms = site.world.first.ok(&["admin", "cellular", "alarms"]);
    let objects: Vec<_> = alarms["alarms"].as_array().unwrap().iter().map(|a| a["objectInstance"].clone()).collect();
    assert!(!objects.iter().any(|object| object == "UPFFunction=1"), "{alarms}");
    // Nobody was logged out by any of it.
    ayesha.ok(&["find", "a"]);
    assert_eq!(imsi(&ayesha), after["imsi"].as_str().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_plane_that_crashes_gets_its_sessions_back() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let phone = site.phone(&ayesha, GNB).await;
    assert!(site.pings(phone, 1).await);
    // Operators see what its phones may reach; nobody else does.
    let allowed = |site: &Site| site.world.first.ok(&["admin", "cellular", "dnns", "allowed", "GOV"]);
    let before = allowed(&site);
    assert_eq!((&before[0]["dnn"], &before[0]["serial"]), (&"gov".into(), &1.into()));
    assert!(before[0]["allow"].as_array().unwrap().iter().any(|entry| entry["protocol"] == "echo"), "{before}");
    ayesha.fails(&["admin", "cellular", "dnns", "allowed"], "cellular.forbidden");
    site.crash_user_plane();
    // Its tunnel has gone: the core lets the phone go idle, and it comes back with a service request.
    site.until_phone(phone, |event| matches!(event, Event::Idle)).await;
    site.service(phone).await;
    assert!(site.pings(phone, 2).await);
    assert_eq!(allowed(&site), before, "the new one has said it again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocked_card_and_foreign_equipment_are_refused_and_a_forbidden_gnb_is_let_go() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let phone = site.phone(&ayesha, GNB).await;
    let imsi = imsi(&ayesha);
    let admin = |site: &Site, args: &[&str]| site.world.first.ok(&[&["admin", "cellular"], args].concat());

    // gNBs turn phones away for as long as an administrator says so.
    let told = |wanted| move |what: &Happened| matches!(what, Happened::Gnb(GNB, of) if *of == wanted);
    admin(&site, &["overload", "30"]);
    site.until(told(GnbEvent::Overload { percent: 30 })).await;
    assert_eq!(admin(&site, &["gnbs"])["overload"], 30);
    admin(&site, &["overload", "0"]);
    site.until(told(GnbEvent::OverloadOver)).await;
    ayesha.fails(&["admin", "cellular", "overload", "30"], "cellular.forbidden");

    // Bound to equipment that is not this phone: it has to leave, and that is an alarm.
    admin(&site, &["subscribers", "bind-imei", &imsi, "350000000000099"]);
    site.until_phone(phone, |event| matches!(event, Event::Deregistered(_))).await;
    let alarms = admin(&site, &["alarms"]);
    let alarm = alarms["alarms"].as_array().unwrap().iter().find(|alarm| {
        alarm["alarmType"] == "SECURITY_SERVICE_OR_MECHANISM_VIOLATION" && alarm["perceivedSeverity"] == "MINOR"
    });
    let id = alarm.expect("an alarm")["alarmId"].as_str().unwrap().to_owned();
    admin(&site, &["alarms", "--clear", &id]);
    assert!(!admin(&site, &["alarms"]).to_string().contains(&id));

    // A profile that names what is not there is refused with its own code, and so is an official without the role.
    site.world
        .first
        .fails(&["admin", "cellular", "subscribers", "set", &imsi, "--dnn", "none"], "cellular.bad_profile");
    site.world
        .first
        .fails(&["admin", "cellular", "dnns", "add", "x", "--ipv4", "10.45.1.0/24"], "cellular.pool_overlap");
    ayesha.fails(&["admin", "cellular", "ues"], "cellular.forbidden");

    // A gNB that is taken from the list is disconnected.
    admin(&site, &["gnbs", "forbid", "1"]);
    site.until(|happened| {
        matches!(happened, pakawaaz_ransim::world::Happened::Gnb(_, pakawaaz_ransim::gnb::GnbEvent::Lost))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_traffic_are_of_now() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let phone = site.phone(&ayesha, GNB).await;
    let figures = |site: &Site| {
        let sessions = site.world.first.ok(&["admin", "cellular", "traffic"]);
        let traffic = &sessions.as_array().unwrap()[0]["traffic"];
        (traffic["uplink_packets"].as_u64().unwrap(), traffic["downlink_packets"].as_u64().unwrap())
    };
    assert_eq!(figures(&site), (0, 0));
    for sequence in 1..=3 {
        assert!(site.pings(phone, sequence).await);
        // The answer has come, so both packets have been counted; nobody has to wait until the user plane says so by itself.
        // A busy user plane may answer later than the core waits for it. By itself it says so once a minute.
        let asked = tokio::time::Instant::now();
        while figures(&site) != (sequence.into(), sequence.into()) {
            let found = figures(&site);
            assert!(asked.elapsed() < std::time::Duration::from_secs(20), "{found:?} after {sequence}");
        }
    }
    // Without a user plane the last figures are shown.
    site.kill_user_plane();
    let (up, _) = figures(&site);
    assert!(up <= 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_user_plane_is_gone_new_sessions_are_refused_and_old_ones_kept() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = site.world.official("bilal.malik", "Bilal Malik", "");
    let phone = site.phone(&ayesha, GNB).await;
    site.idle(phone).await;
    let before = site.seen(&ayesha).expect("registered");
    site.kill_user_plane();
    // Registration goes on; the session is refused (5GSM cause 38, network failure).
    site.phone_until(&bilal, GNB, |event| matches!(event, Event::SessionRejected { cause: 38, .. })).await;
    assert!(site.seen(&bilal).is_some_and(|seen| seen["sessions"].as_array().unwrap().is_empty()));
    let shown = site.world.first.run(&["admin", "cellular", "dnns", "allowed"]);
    assert!(shown.code != 0 && shown.stderr.contains("the user plane is not connected"), "{}", shown.stderr);
    let after = site.seen(&ayesha).expect("still registered");
    assert_eq!(before["sessions"][0]["ipv4"], after["sessions"][0]["ipv4"]);
    site.start_user_plane();
    site.service(phone).await;
    assert!(site.pings(phone, 1).await, "the session is the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_phone_is_traced_and_the_audit_log_says_so() {
    let Some(mut site) = Site::start().await else { return };
    let ayesha = site.world.official("ayesha.khan", "Ayesha Khan", "");
    let bilal = site.world.official("bilal.malik", "Bilal Malik", "");
    let imsi = imsi(&ayesha);
    let trace =
        |site: &Site, args: &[&str]| site.world.first.ok(&[&["admin", "cellular", "trace", &imsi], args].concat());
    ayesha.fails(&["admin", "cellular", "trace", &imsi, "--on"], "cellular.forbidden");
    site.world.first.fails(&["admin", "cellular", "trace", &imsi, "--show"], "cellular.not_found");

    assert_eq!(trace(&site, &["--on"])["on"], true);
    let phone = site.phone(&ayesha, GNB).await;
    site.phone(&bilal, GNB).await;
    site.radio.deregister(phone, site.now());
    site.until_phone(phone, |event| matches!(event, Event::Deregistered(_))).await;
    let shown = trace(&site, &["--show"]);
    let ladder = shown["ladder"].as_str().unwrap();
    for name in [
        "-------->  InitialUEMessage: RegistrationRequest",
        "<--------  DownlinkNASTransport: AuthenticationRequest",
        "<--------  DownlinkNASTransport: SecurityModeCommand",
        "<--------  InitialContextSetup: RegistrationAccept",
        "-------->  UplinkNASTransport: UlNasTransport PduSessionEstablishmentRequest",
        "-------->  UplinkNASTransport: DeregistrationRequestUeOriginating",
    ] {
        assert!(ladder.contains(name), "{name} in {ladder}");
    }
    assert_eq!(ladder.matches("RegistrationAccept").count(), 1, "of nobody else: {ladder}");

    // The capture is read by the crate that writes it, and has no key of the card and none for the radio.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.pcap");
    trace(&site, &["--pcap", file.to_str().unwrap()]);
    let capture = std::fs::read(&file).unwrap();
    let pdus = pakawaaz_control_plane::trace::read(&capture).expect("a capture");
    assert_eq!(pdus.len(), shown["messages"].as_array().unwrap().len());
    let keys = keys_of(&ayesha);
    assert!(keys.len() >= 2, "K and OPc");
    for key in keys {
        assert!(!capture.windows(key.len()).any(|window| window == key));
    }
    assert!(pdus.iter().any(|(downlink, pdu)| *downlink && pdu.windows(32).any(|window| window == [0; 32])));

    // It is over when somebody says so, and can still be read.
    trace(&site, &["--off"]);
    let before = trace(&site, &["--show"])["messages"].as_array().unwrap().len();
    site.radio.register(phone, site.now());
    site.until_phone(phone, |event| matches!(event, Event::SessionUp { .. })).await;
    assert_eq!(trace(&site, &["--show"])["messages"].as_array().unwrap().len(), before);
    let list = site.world.first.ok(&["admin", "cellular", "trace"]);
    assert_eq!((list["traces"][0]["imsi"].as_str(), &list["traces"][0]["on"]), (Some(imsi.as_str()), &false.into()));
    let audit = site.world.first.ok(&["admin", "audit", "--limit", "500"]);
    let count = |action: &str| audit["entries"].as_array().unwrap().iter().filter(|e| e["action"] == action).count();
    let counted = ["cellular.trace_started", "cellular.trace_stopped", "cellular.trace_read"].map(count);
    assert_eq!(counted, [1, 1, 4]);
}

/// From the vault to the radio: cards are made, a bureau with the transport key reads their file, and its cards register. On
/// the way no key is in clear anywhere on the machines of server and vault.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_made_by_the_vault_register() {
    const TRANSPORT: [u8; 32] = [0x42; 32];
    let Some(mut site) = Site::with(true).await else { return };
    site.world.vault.as_ref().expect("asked for one").issue("bureau-1", &TRANSPORT);
    let out = site.world.dir().join("made");
    let range = [
        "--batch",
        "first",
        "--count",
        "2",
        "--first-iccid",
        "899241000000000001",
        "--first-imsi",
        "410990777000001",
        "--suci-key",
        "1",
        "--out",
        out.to_str().unwrap(),
    ];
    let make =
        |transport: &'static str| [&["admin", "sims", "personalise", "--transport", transport][..], &range].concat();
    site.world.first.fails(&make("another"), "identity.not_set_up");
    let made = site.world.first.ok(&make("bureau-1"));
    assert_eq!(made["imported"], 2, "{made}");
    let text = std::fs::read_to_string(made["files"][0].as_str().unwrap()).unwrap();
    let cards = pakawaaz_ransim::sims::read_batch(&text, &TRANSPORT).expect("the bureau reads it");
    assert!(pakawaaz_ransim::sims::read_batch(&text, &[0x43; 32]).is_err(), "nobody else does");
    assert_eq!(cards.len(), 2);
    for card in &cards {
        let pakawaaz_aka::Algorithm::Milenage { k, opc } = &card.sim().algorithm else { panic!("not asked for") };
        for secret in [k.as_bytes(), opc.as_bytes()] {
            nowhere_under(site.world.dir(), secret);
        }
    }
    for card in cards {
        let imsi = card.sim().imsi.as_str().to_owned();
        let phone = site.phone_of(card, GNB).await;
        assert!(site.pings(phone, 1).await, "{imsi}");
    }
    // The files are here, so the server has them no more; and the same numbers in another batch are refused whole.
    std::fs::remove_dir_all(&out).unwrap();
    site.world.first.fails(&make("bureau-1"), "identity.conflict");
    let other: Vec<&str> = make("bureau-1").into_iter().map(|a| if a == "first" { "second" } else { a }).collect();
    site.world.first.fails(&other, "identity.sim_row");
}

/// That no file below this folder holds the bytes, as they are or as hexadecimal digits.
fn nowhere_under(folder: &std::path::Path, secret: &[u8]) {
    let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nowhere_under(&path, secret);
        } else if let Ok(bytes) = std::fs::read(&path) {
            let holds = |what: &[u8]| bytes.windows(what.len()).any(|window| window == what);
            assert!(!holds(secret) && !holds(digits.as_bytes()), "{}", path.display());
        }
    }
}

//! Runs in the guest: the server with its 5G core on the kernel's SCTP, the user plane, and a gNB with phones in a namespace
//! of its own, over two cables for N2 and one for N3.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "a test that runs on another machine")]

mod gnb;
mod site;
mod witness;

use serde_json::Value;
use site::{GNB, Gnb, SERVICE, Site, sh, wait_for};
use std::collections::BTreeMap;
use std::process::Command;
use witness::{Chunk, INITIAL_UE_MESSAGE, NG_SETUP, What, Witness};

fn main() {
    let world = std::fs::read("/world.json").expect("the host told how");
    let world: Value = serde_json::from_slice(&world).expect("JSON");
    if std::env::args().nth(1).as_deref() == Some("gnb") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        return runtime.block_on(gnb::run(&world));
    }
    let witness = Witness::start();
    let mut site = Site::start(world.clone());
    passed("server and user plane are ready");
    let mut gnb = Gnb::start();
    phones_register_and_reach_the_service(&site, &witness, &mut gnb);
    the_simulator_s_command_line_loses_no_packet(&site, &world);
    one_path_is_cut(&site, &witness, &mut gnb);
    the_server_is_killed(&mut site, &witness, &mut gnb);
    a_gnb_is_killed(&site, &witness, gnb);
    let mut gnb = Gnb::start();
    it_comes_back(&site, &mut gnb);
    both_paths_swallow_everything(&site, &witness, &mut gnb);
}

/// Says so, with the seconds since the machine was switched on.
fn passed(what: &str) {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    println!("passed: {what} ({} s)", uptime.split('.').next().unwrap_or_default());
}

fn pings(gnb: &mut Gnb, phone: u32) {
    assert_eq!(gnb.does(&format!("ping {phone} 5")), "5 answered");
}

/// Registered with a concealed identity, session, traffic; and on the wire what TS 38.412 §7 says.
fn phones_register_and_reach_the_service(site: &Site, witness: &Witness, gnb: &mut Gnb) {
    gnb.does("connect");
    for phone in 0..2 {
        gnb.does(&format!("register {phone}"));
        pings(gnb, phone);
    }
    let ues = site.admin(&["ues"]);
    assert_eq!(ues.as_array().map(Vec::len), Some(2), "{ues}");
    let chunks = witness.take();
    witness::judge(&chunks);
    for up in [true, false] {
        let setup = |c: &Chunk| c.up == up && matches!(c.what, What::Data { procedure: NG_SETUP, .. });
        assert!(chunks.iter().any(setup), "asked and answered");
    }
    passed("registration, sessions and traffic; PPID and streams on the wire");
}

/// The simulator as a person runs it, for a second gNB; it leaves in order.
fn the_simulator_s_command_line_loses_no_packet(site: &Site, world: &Value) {
    let text = |name: &str| world[name].as_str().expect("it is told").to_owned();
    let mut command = Command::new("ip");
    command.args(["netns", "exec", "gnb", "pakawaaz-ransim", "run", "--quiet", "--core", "sctp:10.9.1.1:38412"]);
    command.args(["--plmn", "410-99", "--home-key", &text("home_key"), "--sims", &text("other_sims")]);
    command.args(["--first-gnb", "2", "--n3", "10.9.3.3", "--scenario", "traffic", "--target", SERVICE]);
    let output = command.args(["--pings", "10", "--timeout", "120"]).output().expect("the simulator starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("echo: 10 sent, 10 answered, 0 lost, 0 strange"));
    wait_for("the alarm of the second gNB", || site.is_lost(2));
    passed("the simulator's command line");
}

/// The cable that N2 used is pulled: phones go on over the other, and the association is the same.
fn one_path_is_cut(site: &Site, witness: &Witness, gnb: &mut Gnb) {
    witness.take();
    gnb.does("idle 0");
    wait_for("a message on the wire", || witness.saw(|c| matches!(c.what, What::Data { .. })));
    let chunks = witness.take();
    let first = chunks.iter().find(|c| matches!(c.what, What::Data { .. })).expect("messages");
    let (used, core) = (first.gnb, first.core);
    let path = 1 + GNB.iter().position(|a| a.parse() == Ok(used.0)).expect("one of two");
    sh(&format!("/bin/ip -n gnb link set b{path} down"));
    assert!(gnb.does("service 0").contains("ServiceAccepted"));
    gnb.does("register 2");
    pings(gnb, 0);
    pings(gnb, 2);
    let data: Vec<_> = witness.take().into_iter().filter(|c| matches!(c.what, What::Data { .. })).collect();
    for up in [true, false] {
        let other = data.iter().any(|c| c.up == up && c.gnb.0 != used.0 && c.core != core);
        assert!(other, "over the other cable: {data:?}");
    }
    assert!(data.iter().all(|c| c.gnb.1 == used.1), "the association is the same: {data:?}");
    assert!(!site.is_lost(1));
    sh(&format!("/bin/ip -n gnb link set b{path} up"));
    passed("registration over the second path while the first is cut");
}

/// `kill -9` of the server: the gNB connects again, and each phone needs one service request and nothing else.
fn the_server_is_killed(site: &mut Site, witness: &Witness, gnb: &mut Gnb) {
    let sessions = |site: &Site| {
        let ues = site.admin(&["ues"]);
        let ues = ues.as_array().expect("a list").iter();
        let mut sessions: Vec<_> = ues
            .map(|ue| (ue["imsi"].to_string(), ue["since"].to_string(), ue["sessions"][0]["ipv4"].to_string()))
            .collect();
        sessions.sort();
        sessions
    };
    let before = sessions(site);
    site.kill_server();
    gnb.does("lost");
    site.start_server();
    gnb.does("connect");
    witness.take();
    for phone in 0..3 {
        let events = gnb.does(&format!("service {phone}"));
        assert!(!events.contains("Registered") && !events.contains("SessionUp"), "{events}");
        pings(gnb, phone);
    }
    let asked: BTreeMap<u32, Chunk> = witness
        .take()
        .into_iter()
        .filter_map(|chunk| match chunk.what {
            What::Data { tsn, procedure: INITIAL_UE_MESSAGE, .. } => Some((tsn, chunk)),
            _ => None,
        })
        .collect();
    assert_eq!(asked.len(), 3, "one request a phone: {asked:?}");
    assert_eq!(sessions(site), before);
    passed("a killed server costs each phone one service request");
}

/// `kill -9` of the gNB while a message waits for it: its kernel aborts the association.
fn a_gnb_is_killed(site: &Site, witness: &Witness, gnb: Gnb) {
    assert!(!site.is_lost(1));
    witness.take();
    gnb.signal("STOP");
    let ues = site.admin(&["ues"]);
    site.admin(&["detach", ues[0]["imsi"].as_str().expect("a number")]);
    wait_for("the message to the phone", || witness.saw(|c| !c.up && matches!(c.what, What::Data { .. })));
    gnb.signal("KILL");
    gnb.gone();
    wait_for("the abort", || witness.saw(|c| c.up && c.what == What::Abort));
    wait_for("the alarm", || site.is_lost(1));
    passed("an aborted association is an alarm");
}

fn it_comes_back(site: &Site, gnb: &mut Gnb) {
    gnb.does("connect");
    gnb.does("register 0");
    pings(gnb, 0);
    wait_for("the end of the alarm", || !site.is_lost(1));
    passed("the alarm ends when the gNB is back");
}

/// Nothing passes any more, and nobody says so: heartbeats find it out, on both sides.
fn both_paths_swallow_everything(site: &Site, witness: &Witness, gnb: &mut Gnb) {
    witness.take();
    let rules = "table ip cut { chain in { type filter hook input priority 0; ip protocol sctp drop; }; \
                 chain out { type filter hook output priority 0; ip protocol sctp drop; }; }";
    sh(&format!("/bin/ip netns exec gnb nft '{rules}'"));
    gnb.does("lost");
    wait_for("the alarm", || site.is_lost(1));
    let chunks = witness.take();
    // Something may have come through until the rules were in force. From then on the core asked over both paths, in vain.
    let silent = chunks.iter().rposition(|c| c.up).map_or(0, |last| last + 1);
    let asked = |core: &str| {
        let asks = |c: &&Chunk| !c.up && c.what == What::Heartbeat && c.core.to_string() == core;
        chunks[silent..].iter().filter(asks).count()
    };
    assert!(asked("10.9.1.1") > 0 && asked("10.9.2.1") > 0, "the core asked: {chunks:?}");
    sh("/bin/ip netns exec gnb nft delete table ip cut");
    gnb.does("connect");
    wait_for("the end of the alarm", || !site.is_lost(1));
    passed("a silent loss is found by heartbeats");
}

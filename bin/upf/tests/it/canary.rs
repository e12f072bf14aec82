//! The canary: quiet while the network is isolated, and loud when it is not.

use crate::{laboratory, program};
use ed25519_dalek::SigningKey;
use pakawaaz_upf::lab::{ALLOW_LIST, CANARY, Control, Lab, Upf};
use pakawaaz_upf::namespace::NetworkNamespace;
use pakawaaz_upf::tools;
use pakawaaz_user_plane::allow_list::file;
use pakawaaz_user_plane::rules::{Isolation, UserPlaneReply};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

/// What it must not reach beside that.
const CLOSED: &str = "closed = [\"10.99.255.1:5001\", \"10.98.0.1:53\"]\n";

/// A laboratory whose user plane has a canary.
fn with_canary() -> Option<Lab> {
    let lab = laboratory()?;
    let mut config = std::fs::OpenOptions::new().append(true).open(lab.path("upf.toml")).expect("configuration");
    config.write_all([CANARY, CLOSED].concat().as_bytes()).expect("writes");
    lab.arrived().expect("counters");
    Some(lab)
}

fn next(control: &mut Control) -> Isolation {
    loop {
        match control.next(PATIENCE).expect("link") {
            Some(UserPlaneReply::Isolation(found)) => return found,
            Some(_) => {}
            None => panic!("the canary is silent"),
        }
    }
}

/// Waits for a round that finds something wrong.
fn broken(control: &mut Control) -> String {
    broken_with(control, &[])
}

/// One that says all of this: the round in which it began may have seen a part of it only.
fn broken_with(control: &mut Control, words: &[&str]) -> String {
    let mut last = String::new();
    for _ in 0..20 {
        let Some(found) = next(control).broken else { continue };
        if words.iter().all(|word| found.contains(word)) {
            return found;
        }
        last = found;
    }
    panic!("nobody finds {words:?}, but {last:?}");
}

fn inside(upf: &Upf, program: &str, arguments: &str) {
    let namespace =
        NetworkNamespace::open(Path::new(&format!("/proc/{}/ns/net", upf.process.id()))).expect("namespace");
    namespace.inside(|| tools::run(program, arguments)).expect("inside");
}

#[test]
fn an_isolated_network_is_found_isolated_round_after_round() {
    let Some(lab) = with_canary() else { return };
    let mut upf = lab.start(program()).expect("user plane");
    for _ in 0..2 {
        let found = next(&mut upf.control);
        assert_eq!(found.broken, None);
        assert!(found.probes > 2000, "{}", found.probes);
    }
    assert_eq!(lab.arrived().expect("counters"), (0, 0));
    // A core that connects later hears of it at once, and a stop leaves the figures.
    let mut control = Control::connect(&lab.path("upf.sock")).expect("connects");
    assert_eq!(next(&mut control).broken, None);
    assert!(upf.process.terminate().expect("ends"));
    let metrics = std::fs::read_to_string(lab.path("metrics.prom")).expect("metrics");
    assert!(metrics.contains("pakawaaz_upf_canary_isolation_broken 0"), "{metrics}");
}

#[test]
fn an_allow_list_that_allows_too_much_is_found() {
    let Some(lab) = with_canary() else { return };
    let wide = ALLOW_LIST.replace(r#"ports = ["5000", "5201"]"#, r#"ports = ["1-65535"]"#);
    assert_ne!(wide, ALLOW_LIST);
    let signed = file::sign(&wide, &SigningKey::from_bytes(&[7; 32])).expect("signs");
    std::fs::write(lab.path("allow-list.toml"), signed).expect("writes");
    let mut upf = lab.start(program()).expect("user plane");
    let found = broken(&mut upf.control);
    assert!(found.contains("the user plane let through") && found.contains("UDP 22 to"), "{found}");
}

#[test]
fn a_rule_of_the_kernel_that_somebody_added_is_found_and_cleared_when_it_has_gone() {
    let Some(lab) = with_canary() else { return };
    let mut upf = lab.start(program()).expect("user plane");
    assert_eq!(next(&mut upf.control).broken, None);
    inside(&upf, "nft", "insert rule inet pakawaaz forward accept");
    broken_with(&mut upf.control, &["the kernel let through", "10.99.255.1"]);
    // With a way out as well, packets to the Internet leave.
    inside(&upf, "ip", "route add default via 10.99.255.1");
    let leaves = |upf: &mut Upf| !broken(&mut upf.control).is_empty() && lab.arrived().expect("counters").0 > 0;
    assert!((0..10).any(|_| leaves(&mut upf)), "the Internet counts nothing");
    inside(&upf, "ip", "route del default");
    inside(&upf, "nft", "flush chain inet pakawaaz forward");
    // Now nothing passes at all, and that is wrong too.
    let closed = (0..20)
        .map(|_| next(&mut upf.control))
        .find(|found| found.broken.as_ref().is_some_and(|text| text.contains("what is allowed does not pass")));
    assert!(closed.is_some());
}

#[test]
fn a_service_that_is_not_reached_is_found() {
    let Some(lab) = with_canary() else { return };
    let mut upf = lab.start(program()).expect("user plane");
    assert_eq!(next(&mut upf.control).broken, None);
    inside(&upf, "nft", "insert rule inet pakawaaz forward tcp dport 8443 drop");
    broken_with(&mut upf.control, &["what is allowed does not pass: no answer from TCP 10.99.255.1:8443"]);
}

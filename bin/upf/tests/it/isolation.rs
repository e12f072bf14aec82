//! Nothing of a phone reaches the Internet, whatever it sends.

use crate::packets::*;
use crate::{laboratory, program};
use pakawaaz_gtpu::{MessageType, decode};
use pakawaaz_upf::lab::{FOREIGN, FOREIGN6, Gnb, Lab, SERVICE, SERVICE6, Upf, session};
use pakawaaz_upf::namespace::NetworkNamespace;
use pakawaaz_upf::tools;
use pakawaaz_user_plane::rules::{SessionRef, SessionRules, UserPlaneReply, UserPlaneRequest};
use std::net::UdpSocket;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// A counter that counts nothing proves nothing.
fn prove_that_the_internet_counts(lab: &Lab) {
    for address in [FOREIGN, FOREIGN6] {
        assert!(lab.core.run("ping", &format!("-n -W 5 -c 1 {address}")).expect("ping").0, "{address} is not there");
    }
    let (v4, v6) = lab.arrived().expect("counters");
    assert!(v4 >= 1 && v6 >= 1, "{v4} {v6}");
    assert_eq!(lab.arrived().expect("counters"), (0, 0));
}

/// A service that answers one datagram.
fn answer_once(lab: &Lab, address: &str) -> std::thread::JoinHandle<()> {
    let socket = lab.core.inside(|| UdpSocket::bind((address, 5000))).expect("namespace").expect("service");
    std::thread::spawn(move || {
        let mut bytes = [0; 100];
        let (length, from) = socket.recv_from(&mut bytes).expect("a datagram");
        socket.send_to(&bytes[..length], from).expect("answers");
    })
}

/// Waits until all that was sent before has been dealt with: what is allowed is answered, and comes after it.
fn settle(lab: &Lab, gnb: &Gnb, teid: u32) -> Vec<Vec<u8>> {
    let mut others = Vec::new();
    for (own, service) in [(PHONE, SERVICE), (PHONE6, SERVICE6)] {
        let answering = answer_once(lab, service);
        gnb.send_packet(teid, &udp(own, service, 5000)).expect("sends");
        loop {
            let datagram = gnb.next(PATIENCE).expect("socket").expect("what is allowed is answered");
            let message = decode(&datagram).expect("message");
            assert_eq!((message.kind, message.teid), (MessageType::GPdu, 1));
            if message.payload.ends_with(b"hello") {
                break;
            }
            others.push(message.payload.to_vec());
        }
        answering.join().expect("answered");
    }
    others
}

fn phones(upf: &mut Upf) -> u32 {
    let rules = SessionRules { ipv6: "fd00:45:0:1::".parse().ok(), ..session(1, PHONE, 1) };
    let teid = upf.establish(rules).expect("session").teid;
    upf.establish(session(2, OTHER_PHONE, 2)).expect("session");
    teid
}

#[test]
fn zero_packets_reach_the_internet() {
    let Some(lab) = laboratory() else { return };
    prove_that_the_internet_counts(&lab);
    let gnb = Gnb::new(&lab).expect("gNB");
    let mut upf = lab.start(program()).expect("user plane");
    let teid = phones(&mut upf);
    let attempts: Vec<_> = hostile().into_iter().chain(spoofed()).collect();
    assert!(attempts.len() > 1000);
    for (sent, (_, packet)) in attempts.iter().enumerate() {
        gnb.send_packet(teid, packet).expect("sends");
        // The socket's buffer is no part of the test.
        if sent % 100 == 0 {
            std::thread::yield_now();
        }
    }
    let answers = settle(&lab, &gnb, teid);
    // The router's advertisement is all that came back unasked.
    for packet in &answers {
        assert_eq!((packet[0] >> 4, packet[6], packet[40]), (6, 58, 134), "{packet:02x?}");
    }
    assert_eq!(lab.arrived().expect("counters"), (0, 0));
    upf.control.send(&UserPlaneRequest::Release { session: SessionRef(1) }).expect("sends");
    let usage = loop {
        match upf.control.next(PATIENCE).expect("link") {
            Some(UserPlaneReply::Usage { usage, .. }) => break usage,
            Some(_) => {}
            None => panic!("no usage"),
        }
    };
    // Each was looked at and refused by the user plane itself; what passed is what settles.
    assert_eq!((usage.refused_packets, usage.uplink_packets), (attempts.len() as u64, 2));
}

#[test]
fn the_internet_does_not_reach_phones() {
    let Some(lab) = laboratory() else { return };
    let gnb = Gnb::new(&lab).expect("gNB");
    let mut upf = lab.start(program()).expect("user plane");
    let teid = phones(&mut upf);
    // The core knows the way to phones, and forwards.
    for address in [PHONE, PHONE6] {
        assert!(!lab.internet.run("ping", &format!("-n -W 1 -c 2 {address}")).expect("ping").0, "{address}");
        assert!(!lab.core.run("ping", &format!("-n -W 1 -c 2 {address}")).expect("ping").0, "{address}");
    }
    assert!(settle(&lab, &gnb, teid).iter().all(|packet| packet[0] >> 4 == 6 && packet[40] == 134));
}

#[test]
fn the_namespace_has_no_way_out_and_the_process_no_privileges() {
    let Some(lab) = laboratory() else { return };
    let upf = lab.start(program()).expect("user plane");
    let status = std::fs::read_to_string(format!("/proc/{}/status", upf.process.id())).expect("status");
    for line in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(status.contains(&format!("{line}:\t0000000000000000")), "{line} in {status}");
    }
    assert!(status.contains("NoNewPrivs:\t1"));
    let inside = NetworkNamespace::open(Path::new(&format!("/proc/{}/ns/net", upf.process.id()))).expect("namespace");
    let (routes, rules) = inside
        .inside(|| {
            let routes = tools::ip("route show table all")? + &tools::ip("-6 route show table all")?;
            Ok((routes, tools::run("nft", "list ruleset")?))
        })
        .expect("inside");
    assert!(routes.contains("10.45.0.0/16 dev phones"), "{routes}");
    assert!(!routes.contains("default") && !routes.contains("0.0.0.0/0"), "{routes}");
    assert_eq!(rules.matches("policy drop").count(), 3, "{rules}");
    assert!(!rules.contains("type nat") && !rules.contains("masquerade"), "{rules}");
}

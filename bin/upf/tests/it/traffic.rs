//! What is allowed works: a phone with the kernel's own stack, through gNB, GTP-U, user plane and TUN.

use crate::packets::{PHONE, ip, udp_header};
use crate::{laboratory, program};
use pakawaaz_gtpu::{Elements, MessageType, Signal, decode};
use pakawaaz_upf::lab::{self, FOREIGN, FOREIGN6, Gnb, Lab, Phone, SERVICE, SERVICE6, Upf, gnb_tunnel, session};
use pakawaaz_user_plane::rules::{SessionRef, SessionRules, Tunnel, UserPlaneReply, UserPlaneRequest};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const ADDRESSES: &[&str] = &["10.45.0.2/32", "fd00:45:0:1::77/64"];

pub fn rules() -> SessionRules {
    SessionRules { ipv6: "fd00:45:0:1::".parse().ok(), ..session(1, "10.45.0.2", 1) }
}

pub fn connected(lab: &Lab) -> (Upf, Phone) {
    let gnb = Gnb::new(lab).expect("gNB");
    let mut upf = lab.start(program()).expect("user plane");
    let uplink = upf.establish(rules()).expect("session");
    (upf, Phone::new(gnb, uplink.teid, ADDRESSES).expect("phone"))
}

/// A connection from the phone to a service: the phone's end and the service's.
pub fn connection(lab: &Lab, phone: &Phone) -> (TcpStream, TcpStream) {
    let listener = lab.core.inside(|| TcpListener::bind(("0.0.0.0", 8443))).expect("namespace").expect("service");
    let near = phone.namespace.inside(|| TcpStream::connect((SERVICE, 8443))).expect("namespace").expect("connects");
    let (far, from) = listener.accept().expect("accepts");
    // No NAT: the service sees the phone itself.
    assert_eq!(from.ip().to_string(), "10.45.0.2");
    for end in [&near, &far] {
        end.set_read_timeout(Some(PATIENCE)).expect("timeout");
        end.set_nodelay(true).expect("no delay");
    }
    (near, far)
}

/// Sends and receives so many bytes through a connection.
pub fn carry(from: &TcpStream, to: &TcpStream, length: usize) {
    let sent: Vec<u8> = (0..length).map(|n| n as u8).collect();
    let mut received = vec![0; length];
    std::thread::scope(|scope| {
        scope.spawn(|| (&mut &*from).write_all(&sent).expect("sends"));
        (&mut &*to).read_exact(&mut received).expect("receives");
    });
    assert!(received == sent);
}

#[test]
fn a_phone_reaches_services_and_nothing_else() {
    let Some(lab) = laboratory() else { return };
    let (_upf, phone) = connected(&lab);
    assert!(phone.pings(SERVICE, 5).expect("ping"));
    assert!(phone.pings(SERVICE6, 5).expect("ping"));
    let (near, far) = connection(&lab, &phone);
    carry(&near, &far, 1_000_000);
    carry(&far, &near, 1_000_000);
    let service = lab.core.inside(|| UdpSocket::bind((SERVICE6, 5000))).expect("namespace").expect("service");
    let near = phone.namespace.inside(|| UdpSocket::bind("[::]:0")).expect("namespace").expect("socket");
    for end in [&service, &near] {
        end.set_read_timeout(Some(PATIENCE)).expect("timeout");
    }
    // The large one goes in parts.
    for length in [1, 1300, 4000] {
        near.send_to(&vec![7; length], (SERVICE6, 5000)).expect("sends");
        let mut bytes = [0; 5000];
        let (arrived, from) = service.recv_from(&mut bytes).expect("arrives");
        service.send_to(&bytes[..arrived], from).expect("answers");
        assert_eq!((arrived, near.recv(&mut bytes).expect("answer")), (length, length));
    }
    lab.arrived().expect("counters");
    for address in [FOREIGN, FOREIGN6, "8.8.8.8", "10.45.0.3"] {
        assert!(!phone.pings(address, 2).expect("ping"), "{address}");
    }
    assert_eq!(lab.arrived().expect("counters"), (0, 0));
}

#[test]
fn an_idle_phone_gets_what_waited() {
    let Some(lab) = laboratory() else { return };
    let (mut upf, phone) = connected(&lab);
    let (near, far) = connection(&lab, &phone);
    carry(&near, &far, 10);
    let session = SessionRef(1);
    upf.control.send(&UserPlaneRequest::Idle { session }).expect("sends");
    // Requests are dealt with in order: when this one is answered, the phone is idle. An acknowledgement that was still on
    // its way may be the first to wait, which is said once.
    let second = lab::session(2, "10.45.0.3", 2);
    upf.control.send(&UserPlaneRequest::Establish(Box::new(second))).expect("sends");
    let (waiting, mut waits) = (UserPlaneReply::Waiting { session, qfi: 9 }, false);
    loop {
        match upf.control.next(PATIENCE).expect("link") {
            Some(UserPlaneReply::Established { .. }) => break,
            told => assert_eq!(told.as_ref(), Some(&waiting)),
        }
        waits = true;
    }
    (&mut &far).write_all(b"wake up").expect("sends");
    if !waits {
        assert_eq!(upf.control.next(PATIENCE).expect("link"), Some(waiting));
    }
    let before = phone.received();
    // Another end of the tunnel: the phone came back elsewhere.
    upf.control.send(&UserPlaneRequest::Reach { session, downlink: gnb_tunnel(9), end_marker: false }).expect("sends");
    let mut bytes = [0; 7];
    (&mut &near).read_exact(&mut bytes).expect("receives");
    assert_eq!(&bytes, b"wake up");
    assert!(phone.received() > before);
}

#[test]
fn the_gnb_is_answered() {
    let Some(lab) = laboratory() else { return };
    let gnb = Gnb::new(&lab).expect("gNB");
    let _upf = lab.start(program()).expect("user plane");
    let mut bytes = [0; 64];
    let length = Signal::EchoRequest { sequence: 99 }.encode(&mut bytes).expect("fits");
    gnb.send(&bytes[..length]).expect("sends");
    let answer = gnb.next(PATIENCE).expect("socket").expect("answer");
    let message = decode(&answer).expect("message");
    assert_eq!((message.kind, message.sequence), (MessageType::EchoResponse, Some(99)));
    gnb.send_packet(0x0bad_cafe, &[0x45; 40]).expect("sends");
    let answer = gnb.next(PATIENCE).expect("socket").expect("answer");
    let message = decode(&answer).expect("message");
    assert_eq!(message.kind, MessageType::ErrorIndication);
    assert_eq!(Elements::decode(message.payload).expect("elements").teid_data, Some(0x0bad_cafe));
}

#[test]
fn another_gnb_does_not_speak_for_the_phone() {
    const ELSEWHERE: &str = "127.0.0.3";
    let Some(lab) = laboratory() else { return };
    let (own, other) = (Gnb::new(&lab).expect("gNB"), Gnb::at(&lab, ELSEWHERE).expect("gNB"));
    let mut upf = lab.start(program()).expect("user plane");
    let service = lab.core.inside(|| UdpSocket::bind((SERVICE, 5000))).expect("namespace").expect("service");
    service.set_read_timeout(Some(PATIENCE)).expect("timeout");
    let teid = upf.establish(rules()).expect("session").teid;
    let send = |gnb: &Gnb, data: &[u8]| {
        gnb.send_packet(teid, &ip(PHONE, SERVICE, 17, &udp_header(40_000, 5000, data))).expect("sends");
    };
    let arrives = || {
        let mut bytes = [0; 100];
        let length = service.recv(&mut bytes).expect("arrives");
        bytes[..length].to_vec()
    };
    send(&other, b"guessed");
    send(&own, b"own");
    // What came first has been judged by then.
    assert_eq!(arrives(), b"own");
    let session = SessionRef(1);
    // Said again, so that nothing of the other waits any more; then the phone moves. Requests are dealt with in order.
    let moved = Tunnel { address: ELSEWHERE.parse().expect("address"), teid: 9 };
    for downlink in [gnb_tunnel(1), moved] {
        upf.control.send(&UserPlaneRequest::Reach { session, downlink, end_marker: false }).expect("sends");
    }
    upf.establish(lab::session(2, "10.45.0.3", 2)).expect("session");
    send(&own, b"too late");
    send(&other, b"moved");
    assert_eq!(arrives(), b"moved");
}

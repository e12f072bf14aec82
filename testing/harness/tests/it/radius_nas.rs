//! An access point that says of RADIUS what it should not, or says it again: written here from its own side, so that it shares
//! nothing with the server (RFC 2865, RFC 3579, RFC 9048).

use crate::radius::{SECRET, Wifi, identity};
use hmac::{Hmac, Mac as _};
use md5::{Digest as _, Md5};
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

const EAP_START: &[u8] = &[];
const ANY_IDENTITY: u8 = 13;
const CHALLENGE: u8 = 11;
const REJECT: u8 = 3;
const PROXY_STATE: u8 = 33;

/// An access point with one socket.
struct Nas {
    socket: UdpSocket,
    server: SocketAddr,
    sent: u32,
}

/// What the server said, after all that an access point checks of it.
struct Heard {
    bytes: Vec<u8>,
    code: u8,
    state: Vec<u8>,
    eap: Vec<u8>,
    proxies: Vec<Vec<u8>>,
}

/// The Message-Authenticator of a packet in which its place is zero (RFC 3579 §3.2).
fn authenticator(packet: &[u8], secret: &str) -> [u8; 16] {
    let mut mac = Hmac::<Md5>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(packet);
    mac.finalize().into_bytes().into()
}

impl Nas {
    fn new(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { socket, server, sent: 0 }
    }

    /// A request with a number and an authenticator of its own; `marks` are proxies'. Without a secret: unsigned.
    fn request(&mut self, eap: &[u8], state: &[u8], marks: &[&[u8]], secret: Option<&str>) -> Vec<u8> {
        self.sent += 1;
        let [.., id] = self.sent.to_be_bytes();
        let mut packet = [&[1, id, 0, 0][..], &self.sent.to_be_bytes().repeat(4)].concat();
        let mut add = |kind: u8, value: &[u8]| packet.extend([&[kind, value.len() as u8 + 2], value].concat());
        add(1, b"somebody");
        // More than one attribute holds goes into several, in order (RFC 3579 §3.1).
        eap.chunks(253).for_each(|piece| add(79, piece));
        if eap.is_empty() {
            add(79, &[]);
        }
        if !state.is_empty() {
            add(24, state);
        }
        marks.iter().for_each(|mark| add(PROXY_STATE, mark));
        if secret.is_some() {
            add(80, &[0; 16]);
        }
        let length = (packet.len() as u16).to_be_bytes();
        packet[2..4].copy_from_slice(&length);
        if let Some(secret) = secret {
            let mac = authenticator(&packet, secret);
            let at = packet.len() - 16;
            packet[at..].copy_from_slice(&mac);
        }
        packet
    }

    fn send(&self, packet: &[u8]) {
        self.socket.send_to(packet, self.server).unwrap();
    }

    /// The next answer, to this request.
    #[track_caller]
    fn hear(&self, request: &[u8]) -> Heard {
        let mut bytes = vec![0; 5000];
        let length = self.socket.recv(&mut bytes).expect("an answer");
        bytes.truncate(length);
        assert_eq!(usize::from(u16::from_be_bytes([bytes[2], bytes[3]])), length);
        assert_eq!(bytes[1], request[1], "it answers this request");
        // The first attribute, so that nobody who makes MD5 collide can put anything before it (CVE-2024-3596).
        assert_eq!(bytes[20..22], [80, 18]);
        let mut checked = bytes.clone();
        checked[4..20].copy_from_slice(&request[4..20]);
        let response: [u8; 16] = Md5::digest([&checked[..], SECRET.as_bytes()].concat()).into();
        assert_eq!(response, bytes[4..20], "Response Authenticator");
        checked[22..38].fill(0);
        assert_eq!(authenticator(&checked, SECRET), bytes[22..38], "Message-Authenticator");
        let mut heard = Heard { code: bytes[0], state: Vec::new(), eap: Vec::new(), proxies: Vec::new(), bytes };
        let mut rest = &heard.bytes[20..];
        while let [kind, length, ..] = *rest {
            let (attribute, more) = rest.split_at(usize::from(length));
            match kind {
                24 => heard.state = attribute[2..].to_vec(),
                79 => heard.eap.extend(&attribute[2..]),
                PROXY_STATE => heard.proxies.push(attribute[2..].to_vec()),
                _ => {}
            }
            rest = more;
        }
        heard
    }

    #[track_caller]
    fn ask(&mut self, eap: &[u8], state: &[u8]) -> Heard {
        let request = self.request(eap, state, &[], Some(SECRET));
        self.send(&request);
        self.hear(&request)
    }

    /// Says EAP-Response/Identity; the server asks for the identity once more, in the method.
    #[track_caller]
    fn begin(&mut self) -> Heard {
        let heard = self.ask(&[2, 0, 0, 6, 1, b'x'], &[]);
        assert_eq!((heard.code, heard.eap[0], heard.eap[4], heard.eap[8]), (CHALLENGE, 1, 50, ANY_IDENTITY));
        heard
    }
}

/// AKA-Identity with AT_IDENTITY (RFC 4187 §9.2, §10.5), in answer to what was asked.
fn at_identity(asked: &Heard, identity: &str) -> Vec<u8> {
    let words = identity.len().div_ceil(4);
    let mut attribute = vec![14, words as u8 + 1, 0, identity.len() as u8];
    attribute.extend(identity.as_bytes());
    attribute.resize(4 * (words + 1), 0);
    let length = (8 + attribute.len()) as u16;
    [&[2, asked.eap[1]][..], &length.to_be_bytes(), &[50, 5, 0, 0], &attribute].concat()
}

#[test]
fn what_an_access_point_sends_again_is_answered_the_same_and_draws_nothing_more() {
    let wifi = Wifi::start();
    let mut nas = Nas::new(wifi.server);
    let begun = nas.begin();
    let request = nas.request(&at_identity(&begun, &identity(&wifi.cards[0])), &begun.state, &[], Some(SECRET));
    nas.send(&request);
    let challenge = nas.hear(&request);
    assert_eq!((challenge.code, challenge.eap[5]), (CHALLENGE, 1), "AKA-Challenge, with RAND and AUTN");
    // The answer may have been lost: it comes again, to the byte, with the same RAND and State (RFC 5080 §2.2.2).
    for _ in 0..5 {
        nas.send(&request);
        assert_eq!(nas.hear(&request).bytes, challenge.bytes);
    }
    // Recorded and sent from elsewhere, or as another request: a State is good once.
    let other = Nas::new(wifi.server);
    other.send(&request);
    assert_eq!(other.hear(&request).code, REJECT);
    assert_eq!(nas.ask(&at_identity(&begun, &identity(&wifi.cards[0])), &begun.state).code, REJECT);
    // And the one who was asked goes on: a wrong answer is told, with EAP-AKA's notification, so the conversation is there.
    let wrong = [&[2, challenge.eap[1], 0, 8, 50, 1, 0, 0][..]].concat();
    let told = nas.ask(&wrong, &challenge.state);
    assert_eq!((told.code, told.eap[5]), (CHALLENGE, 12), "AKA-Notification");
}

#[test]
fn what_is_not_authentic_hears_nothing() {
    let wifi = Wifi::start();
    let mut nas = Nas::new(wifi.server);
    let good = nas.request(EAP_START, &[], &[], Some(SECRET));
    // Without Message-Authenticator, as the attack of CVE-2024-3596 needs it, also with the marks that it hides in; with one
    // under another secret; with two; with any byte changed.
    nas.send(&nas_unsigned(&mut Nas::new(wifi.server), &[]));
    nas.send(&nas_unsigned(&mut Nas::new(wifi.server), &[&[0xaa; 200], &[0xbb; 200]]));
    nas.send(&Nas::new(wifi.server).request(EAP_START, &[], &[], Some("another secret, as long")));
    let mut twice = [&good[..], &good[good.len() - 18..]].concat();
    let length = (twice.len() as u16).to_be_bytes();
    twice[2..4].copy_from_slice(&length);
    nas.send(&twice);
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 0x10;
        nas.send(&changed);
    }
    // Requests are looked at in turn: an answer to one before would be heard first, and be another one's.
    let last = nas.request(EAP_START, &[], &[], Some(SECRET));
    nas.send(&last);
    assert_eq!(nas.hear(&last).code, CHALLENGE);
}

fn nas_unsigned(nas: &mut Nas, marks: &[&[u8]]) -> Vec<u8> {
    nas.request(EAP_START, &[], marks, None)
}

#[test]
fn proxies_get_their_marks_back_and_a_long_name_comes_in_pieces() {
    let wifi = Wifi::start();
    let mut nas = Nas::new(wifi.server);
    let begun = nas.begin();
    let short = identity(&wifi.cards[0]);
    let long = format!("{short}.{}", "x".repeat(253 - short.len() - 1));
    let eap = at_identity(&begun, &long);
    assert!(eap.len() > 253, "two attributes");
    let marks: [&[u8]; 3] = [b"outer", &[7; 253], b"inner"];
    let request = nas.request(&eap, &begun.state, &marks, Some(SECRET));
    nas.send(&request);
    let heard = nas.hear(&request);
    assert_eq!((heard.code, heard.eap[5]), (CHALLENGE, 1), "the card was found by the whole name");
    assert_eq!(heard.proxies, marks, "all of them, in order");
}

#[test]
fn whoever_begins_again_and_again_keeps_nobody_out() {
    let mut wifi = Wifi::with(&[("REQUESTS_PER_SECOND", "1000".to_owned())]);
    let mut nas = Nas::new(wifi.server);
    // More than are held of one access point, and faster than they are given up; by its own rate, it may.
    let (mut answered, wanted) = (0, 6_000);
    while answered < wanted {
        nas.begin();
        answered += 1;
        if answered % 50 == 0 {
            // The NAS's own rate is not what this is about.
            std::thread::sleep(Duration::from_millis(60));
        }
    }
    let card = wifi.cards[0].clone();
    let right = wifi.try_as(&identity(&card), SECRET, &mut pakawaaz_aka::SoftwareUsim::new(card));
    assert!(right.let_in, "{}", right.log);
}

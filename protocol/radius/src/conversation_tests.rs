use super::*;
use pakawaaz_aka::{Algorithm, Amf, EapIdentity, NetworkName, Rand, Sqn, generate_vector};
use proptest::prelude::*;

const IDENTITY: &str = "6410010000000001@nai.epc.mnc001.mcc410.3gppnetwork.org";
const IMSI: &str = "410010000000001";
const NETWORK: &str = "WLAN";

/// A peer that keeps to the RFCs, with the attributes written out.
struct Peer {
    packets: Vec<Vec<u8>>,
    k_aut: [u8; 32],
    res: Vec<u8>,
}

fn packet(code: u8, id: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![code, id];
    packet.extend((body.len() as u16 + 4).to_be_bytes());
    packet.extend(body);
    packet
}

fn attribute(kind: u8, half: u16, value: &[u8]) -> Vec<u8> {
    let mut out = vec![kind, (4 + value.len()).div_ceil(4) as u8];
    out.extend(half.to_be_bytes());
    out.extend(value);
    out.resize(out.len().next_multiple_of(4), 0);
    out
}

fn response(id: u8, subtype: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
    packet(2, id, &[&[50, subtype, 0, 0][..], &attributes.concat()].concat())
}

fn at_identity(identity: &str) -> Vec<u8> {
    attribute(14, identity.len() as u16, identity.as_bytes())
}

fn asked(step: Step) -> Vec<u8> {
    let Step::Ask(packet) = step else { panic!("{step:?}") };
    assert_eq!(usize::from(u16::from_be_bytes([packet[2], packet[3]])), packet.len());
    packet
}

fn vector() -> Challenge {
    let card = Algorithm::milenage_from_hex("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf");
    let rand = Rand([9; 16]);
    let vector = generate_vector(&card.expect("valid"), rand, Sqn::from_bytes([0, 0, 0, 0, 1, 0]), Amf::EAP_AKA_PRIME);
    let network = NetworkName::new(NETWORK).expect("a name");
    let keys = vector.eap_aka_prime(&network, &EapIdentity::new(IDENTITY).expect("valid")).expect("separated");
    Challenge {
        rand: rand.0,
        autn: vector.autn.to_bytes(),
        xres: vector.xres.as_bytes().to_vec().into(),
        k_aut: (*keys.k_aut.as_bytes()).into(),
        msk: (*keys.msk.as_bytes()).into(),
    }
}

/// A conversation up to the challenge, and a peer that knows the answer.
fn challenged() -> (Conversation, Peer, Vec<u8>) {
    let mut conversation = Conversation::new(NETWORK);
    let mut peer = Peer { packets: Vec::new(), k_aut: *vector().k_aut, res: vector().xres.to_vec() };
    let request = asked(conversation.step(&packet(2, 255, &[&[1][..], b"changed on the way"].concat())));
    assert_eq!(request, [1, 0, 0, 12, 50, 5, 0, 0, 13, 1, 0, 0], "AT_ANY_ID_REQ, the next identifier");
    let answer = response(0, 5, &[at_identity(IDENTITY)]);
    peer.packets = vec![request, answer.clone()];
    let Step::Draw { imsi, identity, resynchronise: None } = conversation.step(&answer) else { panic!("no vector") };
    assert_eq!((imsi.as_str(), identity.as_str()), (IMSI, IDENTITY));
    let challenge = asked(conversation.challenge(vector()));
    (conversation, peer, challenge)
}

impl Peer {
    fn checkcode(&self) -> Vec<u8> {
        attribute(134, 0, &Sha256::digest(self.packets.concat()))
    }
    fn answer(&self, id: u8, mut attributes: Vec<Vec<u8>>) -> Vec<u8> {
        attributes.push(attribute(11, 0, &[0; 16]));
        let mut packet = response(id, 1, &attributes);
        attributes::sign(&self.k_aut, &mut packet);
        packet
    }
    fn res(&self) -> Vec<u8> {
        attribute(3, self.res.len() as u16 * 8, &self.res)
    }
}

#[test]
fn the_right_card_is_let_in() {
    let (mut conversation, peer, challenge) = challenged();
    let v = vector();
    assert_eq!(challenge[..8], [1, 1, 0, challenge.len() as u8, 50, 1, 0, 0]);
    assert_eq!(challenge[8..28], attribute(1, 0, &v.rand));
    assert_eq!(challenge[28..48], attribute(2, 0, &v.autn));
    assert_eq!(challenge[48..52], [24, 1, 0, 1], "AT_KDF");
    assert_eq!(challenge[52..60], attribute(23, 4, b"WLAN"));
    assert_eq!(challenge[60..96], peer.checkcode());
    assert_eq!(challenge[96..100], [11, 5, 0, 0]);
    let mut zeroed = challenge.clone();
    zeroed[100..].fill(0);
    attributes::sign(&peer.k_aut, &mut zeroed);
    assert_eq!(zeroed, challenge);
    let answer = peer.answer(1, vec![peer.res(), peer.checkcode()]);
    let Step::Accept { eap, imsi, msk } = conversation.step(&answer) else { panic!("refused") };
    assert_eq!((eap, imsi.as_str(), *msk), (vec![3, 1, 0, 4], IMSI, *v.msk));
    assert!(matches!(conversation.step(&answer), Step::Ignore), "it is over");
}

#[test]
fn a_peer_without_checkcode_is_let_in_too() {
    let (mut conversation, peer, _) = challenged();
    assert!(matches!(conversation.step(&peer.answer(1, vec![peer.res()])), Step::Accept { .. }));
}

/// The layout of UERANSIM 3.3.0's response, byte for byte but for identifier, RES and MAC: AT_RES, AT_MAC, AT_KDF.
#[test]
fn a_peer_may_repeat_the_key_derivation_function_that_it_was_offered() {
    let response = |peer: &Peer, kdf: u8| {
        let mut packet = vec![2, 1, 0, 0x2c, 50, 1, 0, 0, 3, 3, 0, 0x40];
        packet.extend(&peer.res);
        packet.extend([11, 5, 0, 0]);
        packet.extend([0; 16]);
        packet.extend([24, 1, 0, kdf]);
        let mut mac = <hmac::Hmac<Sha256> as hmac::Mac>::new_from_slice(&peer.k_aut).expect("a key");
        hmac::Mac::update(&mut mac, &packet);
        packet[24..40].copy_from_slice(&hmac::Mac::finalize(mac).into_bytes()[..16]);
        packet
    };
    let (mut conversation, peer, _) = challenged();
    assert!(matches!(conversation.step(&response(&peer, 1)), Step::Accept { .. }));
    let (mut conversation, peer, _) = challenged();
    fails(&mut conversation, &response(&peer, 2), "attribute not understood");
    // Beside AUTS too, as RFC 9048 asks for it.
    let (mut conversation, ..) = challenged();
    let mut failure = vec![2, 1, 0, 28, 50, 4, 0, 0, 4, 4];
    failure.extend([7; 14]);
    failure.extend([24, 1, 0, 1]);
    assert!(matches!(conversation.step(&failure), Step::Draw { resynchronise: Some(_), .. }));
}

#[test]
fn any_changed_bit_of_the_answer_lets_nobody_in() {
    let (_, peer, _) = challenged();
    let answer = peer.answer(1, vec![peer.res(), peer.checkcode()]);
    for bit in 0..answer.len() * 8 {
        let (mut conversation, ..) = challenged();
        let mut changed = answer.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!matches!(conversation.step(&changed), Step::Accept { .. }), "bit {bit}");
    }
}

/// After a failure: a notification that is acknowledged, then the end.
fn fails(conversation: &mut Conversation, eap: &[u8], because: &str) {
    let notification = asked(conversation.step(eap));
    assert_eq!(notification[4..], [50, 12, 0, 0, 12, 1, 0x40, 0], "general failure, before authentication");
    let Step::Reject { eap, why } = conversation.step(&response(notification[1], 12, &[])) else { panic!("let in") };
    assert_eq!((eap, why), (vec![4, notification[1], 0, 4], because));
    assert!(matches!(conversation.step(&response(notification[1], 12, &[])), Step::Ignore));
}

#[test]
fn a_wrong_answer_under_a_right_mac_fails() {
    let cases: [(&str, fn(&Peer) -> Vec<Vec<u8>>); 5] = [
        ("wrong RES", |peer| vec![attribute(3, 64, &[0; 8]), peer.checkcode()]),
        ("wrong RES", |_| vec![]),
        ("wrong RES", |peer| vec![attribute(3, 32, &peer.res[..4])]),
        ("wrong checkcode", |peer| vec![peer.res(), attribute(134, 0, &[0; 32])]),
        ("attribute not understood", |peer| vec![peer.res(), attribute(24, 2, &[])]),
    ];
    for (because, attributes) in cases {
        let (mut conversation, peer, _) = challenged();
        fails(&mut conversation, &peer.answer(1, attributes(&peer)), because);
    }
    let (mut conversation, peer, _) = challenged();
    let unsigned = response(1, 1, &[peer.res()]);
    fails(&mut conversation, &unsigned, "no MAC");
    let (mut conversation, mut peer, _) = challenged();
    peer.k_aut[0] ^= 1;
    let foreign = peer.answer(1, vec![peer.res()]);
    fails(&mut conversation, &foreign, "wrong MAC");
}

#[test]
fn a_card_out_of_step_is_asked_again_once() {
    let (mut conversation, peer, _) = challenged();
    let mut auts = vec![4, 4];
    auts.extend([7; 14]);
    let failure = response(1, 4, &[auts.clone()]);
    let Step::Draw { resynchronise: Some(again), identity, .. } = conversation.step(&failure) else {
        panic!("not drawn")
    };
    assert_eq!((again, identity.as_str()), (Resynchronisation { rand: [9; 16], auts: [7; 14] }, IDENTITY));
    assert!(matches!(conversation.step(&failure), Step::Ignore), "while it is drawn");
    let challenge = asked(conversation.challenge(vector()));
    assert_eq!(challenge[1], 2);
    let mut other = Conversation::new(NETWORK);
    assert!(matches!(other.challenge(vector()), Step::Ignore), "nobody asked for it");
    let second = response(2, 4, &[auts]);
    let (mut tired, mut glad) = (conversation, challenged().0);
    fails(&mut tired, &second, "out of order");
    // After it the right answer counts as ever.
    let Step::Draw { .. } = glad.step(&failure) else { panic!("not drawn") };
    asked(glad.challenge(vector()));
    assert!(matches!(glad.step(&peer.answer(2, vec![peer.res(), peer.checkcode()])), Step::Accept { .. }));
}

#[test]
fn an_identity_that_names_no_card_is_asked_for_once_more() {
    let mut conversation = Conversation::new(NETWORK);
    asked(conversation.step(&packet(2, 7, &[&[1][..], IDENTITY.as_bytes()].concat())));
    let again = asked(conversation.step(&response(8, 5, &[at_identity("anonymous@realm")])));
    assert_eq!(again[4..], [50, 5, 0, 0, 10, 1, 0, 0], "AT_PERMANENT_ID_REQ");
    assert!(
        matches!(conversation.step(&response(8, 5, &[at_identity(IDENTITY)])), Step::Ignore),
        "an older identifier"
    );
    fails(&mut conversation, &response(9, 5, &[at_identity("7pseudonym@realm")]), "unknown identity");
    let refused =
        ["", "6", "612345", "6abcdefghijklmno@x", "0410010000000001@x", "64100100000000012@x", "6410010000000001\n"];
    for identity in refused {
        assert_eq!(permanent_imsi(identity.trim_end_matches('\n')).is_some(), identity.ends_with('\n'), "{identity}");
        let mut conversation = Conversation::new(NETWORK);
        asked(conversation.step(&packet(2, 7, &[1])));
        asked(conversation.step(&response(8, 5, &[at_identity(identity)])));
        fails(&mut conversation, &response(9, 5, &[at_identity(identity)]), "unknown identity");
    }
}

#[test]
fn whoever_gives_up_is_sent_away() {
    let ends: [(Vec<u8>, &str); 3] = [
        (response(1, 2, &[]), "the card refused the network"),
        (response(1, 14, &[attribute(22, 0, &[])]), "client error"),
        (packet(2, 1, &[3, 13]), "other method"),
    ];
    for (eap, because) in ends {
        let (mut conversation, ..) = challenged();
        let Step::Reject { eap, why } = conversation.step(&eap) else { panic!("goes on") };
        assert_eq!((eap, why), (vec![4, 1, 0, 4], because));
    }
    let mut conversation = Conversation::new(NETWORK);
    assert_eq!(asked(conversation.step(&[])), [1, 0, 0, 5, 1], "EAP-Start");
    asked(conversation.step(&packet(2, 0, &[1])));
    assert!(matches!(conversation.step(&[]), Step::Ignore));
    let (mut conversation, ..) = challenged();
    fails(&mut conversation, &response(1, 1, &[vec![3, 0, 0, 0]]), "malformed");
    let mut refused = Conversation::new(NETWORK);
    asked(refused.step(&packet(2, 0, &[1])));
    let Step::Draw { .. } = refused.step(&response(1, 5, &[at_identity(IDENTITY)])) else { panic!("not drawn") };
    assert!(matches!(refused.refuse("unknown card"), Step::Ask(_)));
}

proptest! {
    #[test]
    fn any_bytes_let_nobody_in(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        crate::fuzz::eap_response(&data);
    }
    #[test]
    fn any_attributes_behind_a_good_header_let_nobody_in(
        data in proptest::collection::vec(any::<u8>(), 0..200), id in 0..3u8, subtype in 0..16u8,
    ) {
        let body = [&[50, subtype, 0, 0][..], &data].concat();
        crate::fuzz::eap_response(&packet(2, id, &body));
    }
}

use super::*;
use proptest::prelude::*;

const SECRET: &[u8] = b"sixteen bytes or";

fn secret() -> Secret {
    Secret::new(SECRET.to_vec()).expect("long enough")
}

/// A request as a NAS makes it; `before` and `after` stand around the Message-Authenticator.
fn access_request(before: &[(u8, &[u8])], after: &[(u8, &[u8])]) -> Vec<u8> {
    let mut packet = vec![1, 9, 0, 0];
    packet.extend([5; 16]);
    let own: (u8, &[u8]) = (kind::MESSAGE_AUTHENTICATOR, &[0; 16]);
    for (kind, value) in before.iter().chain([&own]).chain(after) {
        packet.extend([*kind, value.len() as u8 + 2]);
        packet.extend(*value);
    }
    let length = (packet.len() as u16).to_be_bytes();
    packet[2..4].copy_from_slice(&length);
    sign_request(&packet, &secret()).expect("one authenticator")
}

#[test]
fn a_request_is_read_whatever_the_order_of_its_attributes() {
    let eap = [&[2, 1][..], &[7; 300]].concat();
    let packet = access_request(
        &[(1, b"somebody"), (kind::EAP_MESSAGE, &eap[..253]), (kind::PROXY_STATE, b"one")],
        &[(kind::EAP_MESSAGE, &eap[253..]), (kind::STATE, b"state"), (kind::PROXY_STATE, b"two")],
    );
    let mut padded = packet.clone();
    padded.extend([0; 7]);
    for datagram in [packet, padded] {
        let request = Request::read(&datagram, &secret()).expect("right");
        assert_eq!((request.id, request.authenticator), (9, [5; 16]));
        assert_eq!(request.eap, eap);
        assert_eq!(request.state.as_deref(), Some(&b"state"[..]));
        assert_eq!(request.proxy_states, [b"one".to_vec(), b"two".to_vec()]);
        assert_eq!(fingerprint(&datagram), Some((9, [5; 16])));
    }
}

#[test]
fn what_is_not_authenticated_is_refused() {
    let packet = access_request(&[], &[(kind::EAP_MESSAGE, b"\x02\x01\x00\x05\x01")]);
    let other = Secret::new(b"another secret, longer".to_vec()).expect("long enough");
    assert_eq!(Request::read(&packet, &other), Err(RadiusError::WrongAuthenticator));
    for at in 0..packet.len() {
        let mut changed = packet.clone();
        changed[at] ^= 1;
        assert!(Request::read(&changed, &secret()).is_err(), "byte {at}");
    }
    // Without one (the attack of CVE-2024-3596 begins so), and with two.
    let without = [&[1, 9, 0, 27][..], &[5; 16], &[79, 7, 2, 1, 0, 5, 1]].concat();
    assert_eq!(Request::read(&without, &secret()), Err(RadiusError::Unauthenticated));
    let mut two = [&packet[..], &packet[20..38]].concat();
    two[3] += 18;
    assert_eq!(Request::read(&two, &secret()), Err(RadiusError::Unauthenticated));
    let mut answer = packet;
    answer[0] = 2;
    assert_eq!(Request::read(&answer, &secret()), Err(RadiusError::NotARequest));
    assert_eq!(fingerprint(&answer), None);
    assert!(matches!(Secret::new(vec![1; 15]), Err(RadiusError::ShortSecret)));
    assert_eq!(format!("{:?}", secret()), "Secret(redacted)");
}

/// What a NAS checks of an answer (RFC 2865 §3, RFC 3579 §3.2), written from its side.
fn verified(answer: &[u8], authenticator: [u8; 16]) -> bool {
    let mut zeroed = answer.to_vec();
    zeroed[4..20].copy_from_slice(&authenticator);
    let response = Md5::digest([&zeroed, SECRET].concat());
    zeroed[22..38].fill(0);
    let mut mac = Hmac::<Md5>::new_from_slice(SECRET).expect("a key");
    mac.update(&zeroed);
    response[..] == answer[4..20] && mac.finalize().into_bytes()[..] == answer[22..38]
}

#[test]
fn an_answer_begins_with_its_authenticator_and_ends_with_the_proxies_marks() {
    let packet = access_request(&[(kind::PROXY_STATE, b"mark")], &[]);
    let request = Request::read(&packet, &secret()).expect("right");
    let eap = [1; 600];
    let answer = Answer::new(Code::Challenge).with(kind::STATE, b"state").with_eap(&eap);
    let answer = answer.finish(&request, &secret()).expect("has room");
    assert_eq!(answer[..2], [11, 9]);
    assert_eq!(usize::from(u16::from_be_bytes([answer[2], answer[3]])), answer.len());
    assert_eq!(answer[20..22], [kind::MESSAGE_AUTHENTICATOR, 18]);
    assert!(verified(&answer, request.authenticator));
    let kinds: Vec<_> = Attributes { packet: &answer, at: 20 }.map(|a| a.expect("whole").0).collect();
    assert_eq!(kinds, [80, 24, 79, 79, 79, 33]);
    let too_long = Answer::new(Code::Accept).with_eap(&[0; 4096]);
    assert_eq!(too_long.finish(&request, &secret()), Err(RadiusError::NoRoom));
}

/// RFC 3579 has no vectors; this one was computed with another implementation of HMAC-MD5.
#[test]
fn a_known_message_authenticator() {
    let packet = [&[1, 0, 0, 38][..], &[0; 16], &[80, 18], &[0; 16]].concat();
    let signed = sign_request(&packet, &secret()).expect("signs");
    assert_eq!(hex::encode(&signed[22..]), "09ad0058f6ce3f1bcdaf97556d0ef8da");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(data in proptest::collection::vec(any::<u8>(), 0..400)) {
        crate::fuzz::access_request(&data);
    }
    #[test]
    fn any_attributes_behind_a_good_header_are_survived(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut packet = vec![1, 1];
        packet.extend((data.len() as u16 + 38).to_be_bytes());
        packet.extend([3; 16]);
        packet.extend([80, 18]);
        packet.extend([0; 16]);
        packet.extend(&data);
        crate::fuzz::access_request(&packet);
    }
    #[test]
    fn what_was_put_in_is_read(eap in proptest::collection::vec(any::<u8>(), 0..1200), state in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20))) {
        let pieces: Vec<(u8, &[u8])> = eap.chunks(253).map(|piece| (kind::EAP_MESSAGE, piece)).collect();
        let state_attribute: Vec<(u8, &[u8])> = state.iter().map(|s| (kind::STATE, s.as_slice())).collect();
        let request = Request::read(&access_request(&pieces, &state_attribute), &secret()).expect("right");
        prop_assert_eq!(request.eap, eap);
        prop_assert_eq!(request.state, state);
    }
}

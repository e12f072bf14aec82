//! Entry points of the fuzz workspace.

use crate::{Answer, Challenge, Code, Conversation, Request, Secret, Step, attributes, eap, packet};

/// A datagram of a NAS, with a Message-Authenticator that is made right behind the fuzzer's back.
pub fn access_request(data: &[u8]) {
    let secret = Secret::new(vec![7; 16]).expect("long enough");
    let _ = packet::fingerprint(data);
    let Some(signed) = packet::sign_request(data, &secret) else {
        assert!(Request::read(data, &secret).is_err(), "nothing unsigned is believed");
        return;
    };
    let Ok(request) = Request::read(&signed, &secret) else { return };
    if let Ok(answer) = Answer::new(Code::Challenge).with_eap(&request.eap).finish(&request, &secret) {
        assert_eq!(answer[1], request.id);
        assert!(answer.len() <= crate::MAX_PACKET);
    }
}

/// An EAP packet, at each stage of a conversation. Nothing that lacks K_aut is ever let in.
pub fn eap_response(data: &[u8]) {
    if let Ok(eap::Response { content: eap::Content::AkaPrime(_, bytes), .. }) = eap::read(data) {
        let _ = attributes::Attributes::read(bytes);
    }
    const IDENTITY: &[u8] = b"\x02\x00\x00\x06\x01x";
    const PERMANENT: &[u8] = b"\x02\x01\x00\x1c\x32\x05\0\0\x0e\x05\0\x106410010000000001";
    for stage in 0..3 {
        let mut conversation = Conversation::new("WLAN");
        if stage > 0 {
            conversation.step(IDENTITY);
        }
        if stage > 1 {
            assert!(matches!(conversation.step(PERMANENT), Step::Draw { .. }));
            conversation.challenge(Challenge {
                rand: [1; 16],
                autn: [2; 16],
                xres: vec![3; 8].into(),
                k_aut: [4; 32].into(),
                msk: [5; 64].into(),
            });
        }
        for _ in 0..3 {
            assert!(!matches!(conversation.step(data), Step::Accept { .. }));
        }
    }
}

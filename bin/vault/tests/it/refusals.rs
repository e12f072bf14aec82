//! What it does not give.

use crate::lab::{Lab, card, eap, milenage, one, seal, skipped, vector};
use pakawaaz_sim_vault::frame::encode;
use pakawaaz_sim_vault::{Answer, Ask, Refusal, Scheme, ToVault};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;

/// What a connection gets before the vault closes it.
fn said_to(stream: &mut UnixStream, bytes: &[u8]) -> Vec<u8> {
    // The vault may close before all is written.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn frame(said: &ToVault) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(said, &mut bytes).expect("fits");
    bytes
}

#[test]
fn garbage_ends_its_connection_and_no_other() {
    let lab = Lab::new();
    let running = lab.start();
    let mut client = running.client();
    let sealed = seal(&mut client, card(1), &milenage());
    let ask = ToVault::Ask { id: 1, asks: vec![vector(card(1), &sealed, eap("WLAN"))] };
    let mut greeted_then_garbage = frame(&ToVault::Hello);
    let greeting = greeted_then_garbage.len();
    greeted_then_garbage.extend_from_slice(b"\0\0\0\x08garbage!");
    greeted_then_garbage.extend(frame(&ask));
    let mut huge = vec![0xff; 5];
    huge.extend(vec![1; 3_000_000]);
    for garbage in
        [b"GET / HTTP/1.1\r\n\r\n".to_vec(), vec![0; 100_000], huge, frame(&ask), frame(&ToVault::Report { id: 1 })]
    {
        let mut stream = UnixStream::connect(&running.socket).expect("connects");
        assert_eq!(said_to(&mut stream, &garbage), b"", "nothing is said to a stranger");
    }
    let mut stream = UnixStream::connect(&running.socket).expect("connects");
    let answer = said_to(&mut stream, &greeted_then_garbage);
    assert!(!answer.is_empty() && answer.len() < 2 * greeting + 32, "a greeting and nothing more");
    assert!(matches!(one(&mut client, vector(card(1), &sealed, eap("WLAN"))), Answer::EapAkaPrime(_)));
    let uses = client.report().expect("reports").uses;
    assert_eq!((uses.cards_sealed, uses.eap_vectors), (1, 1), "garbage used nothing");
}

#[test]
fn every_changed_byte_of_sealed_secrets_is_noticed() {
    let lab = Lab::new();
    let running = lab.start();
    let mut client = running.client();
    let sealed = seal(&mut client, card(1), &milenage());
    for asks in (0..sealed.len()).collect::<Vec<_>>().chunks(20) {
        // Of another card each: this is not about how often.
        let asks: Vec<Ask> = asks
            .iter()
            .map(|at| {
                let mut changed = sealed.clone();
                changed[*at] ^= 1;
                vector(card(1), &changed, eap("WLAN"))
            })
            .collect();
        for answer in client.ask(&asks).expect("answers") {
            assert!(matches!(answer, Answer::Refused(Refusal::NotOurs | Refusal::TooMany)), "{answer:?}");
        }
    }
    let other = vector(card(2), &sealed, eap("WLAN"));
    assert_eq!(one(&mut client, other), Answer::Refused(Refusal::NotOurs), "another card's");
    let uses = client.report().expect("reports").uses;
    assert_eq!(uses.eap_vectors, 0);
    assert_eq!(uses.not_ours + uses.too_many, sealed.len() as u64 + 1);
}

#[test]
fn a_card_is_challenged_so_often_and_not_more() {
    let lab = Lab::with(
        "[limits]\ncard_burst = 3\ncard_per_minute = 1\nburst = 100\nper_second = 100\nsuci_burst = 1\nsuci_per_second = 1\ncards = 100",
    );
    let running = lab.start();
    let mut client = running.client();
    let sealed = [1, 2].map(|number| (card(number), seal(&mut client, card(number), &milenage())));
    for (card, sealed) in &sealed {
        let answers = client.ask(&vec![vector(*card, sealed, eap("WLAN")); 5]).expect("answers");
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Answer::EapAkaPrime(_))).count(), 3);
        assert_eq!(answers[3..], [Answer::Refused(Refusal::TooMany), Answer::Refused(Refusal::TooMany)]);
    }
    let (card, sealed) = &sealed[0];
    let auts = Ask::Resynchronise { card: *card, sealed: sealed.clone(), rand: [0; 16], auts: [0; 14] };
    assert_eq!(running.client().ask(&[auts]).expect("answers"), [Answer::Refused(Refusal::TooMany)]);
    assert_eq!(client.report().expect("reports").uses.too_many, 5);
}

#[test]
fn all_cards_together_are_challenged_so_often_and_not_more() {
    let lab = Lab::with(
        "[limits]\ncard_burst = 3\ncard_per_minute = 1\nburst = 4\nper_second = 1\nsuci_burst = 1\nsuci_per_second = 1\ncards = 100",
    );
    let running = lab.start();
    let mut client = running.client();
    let sealed = (1..=20).map(|number| (card(number), seal(&mut client, card(number), &milenage())));
    let asks: Vec<Ask> = sealed.map(|(card, sealed)| vector(card, &sealed, eap("WLAN"))).collect();
    // Whoever holds the server: one challenge of every card.
    let answers = client.ask(&asks).expect("answers");
    let drawn = answers.iter().filter(|answer| matches!(answer, Answer::EapAkaPrime(_))).count();
    assert!((4..10).contains(&drawn), "the burst, and what came back meanwhile: {drawn}");
    let again = running.client().ask(&asks).expect("answers");
    assert!(again.iter().filter(|answer| **answer == Answer::Refused(Refusal::TooMany)).count() > 10, "nor elsewhere");
}

#[test]
fn only_its_networks_are_served() {
    let lab = Lab::with("[policy]\nnetworks = [\"pakawaaz.example\"]");
    let running = lab.start();
    let mut client = running.client();
    let sealed = seal(&mut client, card(1), &milenage());
    assert_eq!(one(&mut client, vector(card(1), &sealed, eap("WLAN"))), Answer::Refused(Refusal::Network));
    let ours = one(&mut client, vector(card(1), &sealed, eap("pakawaaz.example")));
    assert!(matches!(ours, Answer::EapAkaPrime(_)));
}

#[test]
fn identities_open_with_sealed_keys_only() {
    let lab = Lab::new();
    let running = lab.start();
    let mut client = running.client();
    let Answer::SuciKey { sealed, .. } = one(&mut client, Ask::NewSuciKey { number: 27, scheme: Scheme::A }) else {
        panic!("refused")
    };
    // TS 33.501 Annex C.4.3.1, concealed for somebody else's key.
    let mut identity = vec![0x01, 0x72, 0x24, 0x10, 0xf0, 0xff, 0x01, 27];
    let concealed = "b2e92f836055a255837debf850b528997ce0201cb82adfe4be1f587d07d8457dcb02352410cddd9e730ef3fa87";
    identity.extend(hex::decode(concealed).expect("hexadecimal"));
    let open = |sealed: &[u8]| Ask::OpenSuci {
        number: 27,
        scheme: Scheme::A,
        sealed: sealed.to_vec(),
        identity: identity.clone(),
    };
    assert_eq!(one(&mut client, open(&sealed)), Answer::Refused(Refusal::Concealed));
    let plain = hex::decode("c53c22208b61860b06c62e5406a7b330c2b577aa5558981510d128247d38bd1d").expect("hexadecimal");
    assert_eq!(one(&mut client, open(&plain)), Answer::Refused(Refusal::NotOurs), "a key in clear is not taken");
    assert_eq!(client.report().expect("reports").uses.sucis_rejected, 1);
}

#[test]
fn the_socket_is_its_owners_and_the_kernel_says_who_connects() {
    let lab = Lab::new();
    let running = lab.start();
    let mode = std::fs::metadata(&running.socket).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(running);
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can run a vault as somebody else");
    }
    // Root may open any file; it is no user of this vault for that.
    let mut lab = Lab::new();
    lab.as_user(65534);
    let running = lab.start();
    let mut stream = UnixStream::connect(&running.socket).expect("connects");
    assert_eq!(said_to(&mut stream, &frame(&ToVault::Hello)), b"");
    drop(running);
    let text = std::fs::read_to_string(lab.path("vault.toml")).expect("reads");
    std::fs::write(lab.path("vault.toml"), text.replace("[socket]\n", "[socket]\nuids = [0]\ngroup = true\n"))
        .expect("writes");
    let running = lab.start();
    running.client().report().expect("who is named is served");
    let mode = std::fs::metadata(&running.socket).expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
}

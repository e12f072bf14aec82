//! Cards made by the process: for a bureau that has the transport key, and for nobody else.

use crate::lab::{Lab, card, eap, one, vector};
use pakawaaz_aka::{Algorithm, Amf, Sqn, generate_vector};
use pakawaaz_base::SimId;
use pakawaaz_sim_vault::making::{CardKind, Form, MadeCard, Wrapped, algorithm};
use pakawaaz_sim_vault::{Answer, Ask, Refusal};

/// Two components, and what they come to.
pub fn components(length: usize) -> (String, Vec<u8>) {
    let (one, two) = (vec![0x5a; length], (0..length).map(|at| at as u8).collect::<Vec<_>>());
    let whole = one.iter().zip(&two).map(|(a, b)| a ^ b).collect();
    (format!("{}\n{}\n", hex::encode(one), hex::encode(two)), whole)
}

pub fn ask(card: SimId, kind: CardKind, form: Form, transport: &str) -> Ask {
    Ask::MakeCard { card, kind, form, transport: transport.into() }
}

fn unwrapped(transport: &[u8], made: &MadeCard, kind: CardKind) -> Algorithm {
    use aes_gcm::aes::cipher::KeyInit as _;
    let cipher = aes_gcm::aes::Aes256::new_from_slice(transport).expect("a key");
    let Wrapped::Bureau { k, opc, .. } = &made.secrets else { panic!("another form") };
    let open = |value: &[u8]| pakawaaz_sim_vault::making::key_wrap::unwrap(&cipher, value).expect("unwraps");
    algorithm(kind, &open(k), &open(opc)).expect("an algorithm")
}

#[test]
fn a_card_made_for_a_bureau_answers_the_vaults_challenges() {
    let lab = Lab::new();
    let running = lab.start();
    let mut client = running.client();
    let bureau = |kind| ask(card(1), kind, Form::Bureau, "bureau-1");
    assert_eq!(one(&mut client, bureau(CardKind::Milenage)), Answer::Refused(Refusal::NotSetUp));
    let (text, transport) = components(32);
    let said = lab.enter(&["transport", "bureau-1", "--for", "bureau"], &text).expect("keeps");
    assert!(said.starts_with("check value "), "{said}");
    assert_eq!(one(&mut client, bureau(CardKind::Milenage)), Answer::Refused(Refusal::NotSetUp), "no constant");
    lab.run(&["operator", "milenage"]).expect("keeps");
    lab.enter(&["operator", "tuak", "--components", "2"], &components(32).0).expect("keeps");

    let tuak = CardKind::Tuak { iterations: 1, res_bits: 64 };
    for (number, kind) in [(1, CardKind::Milenage), (2, tuak)] {
        let id = card(number);
        let Answer::Made(made) = one(&mut client, ask(id, kind, Form::Bureau, "bureau-1")) else { panic!("refused") };
        assert_eq!(format!("check value {}\n", hex::encode(&made.check)), said);
        let made_by_bureau = unwrapped(&transport, &made, kind);
        let Answer::EapAkaPrime(result) = one(&mut client, vector(id, &made.sealed, eap("WLAN"))) else {
            panic!("refused")
        };
        let challenge = result.vector().expect("whole");
        let sqn = Sqn::from_bytes([0, 0, 0, 0, 1, 0x20]);
        let expected = generate_vector(&made_by_bureau, challenge.rand, sqn, Amf::EAP_AKA_PRIME);
        assert_eq!((challenge.autn, &challenge.xres), (expected.autn, &expected.xres));
        // Sealed for this card only.
        let other = one(&mut client, vector(card(9), &made.sealed, eap("WLAN")));
        assert_eq!(other, Answer::Refused(Refusal::NotOurs));
    }
    assert_eq!(client.report().expect("reports").uses.cards_sealed, 2);
}

#[test]
fn values_are_entered_once_and_their_mistakes_are_not_shown() {
    let lab = Lab::new();
    let (text, _) = components(64);
    let said = lab.enter(&["transport", "desk", "--for", "pysim"], &text).expect("keeps");
    assert_eq!(said.lines().count(), 2, "a check value for each column: {said}");
    let again = lab.enter(&["transport", "desk", "--for", "pysim"], &text).expect_err("kept");
    assert!(again.contains("there already"), "{again}");
    let short = lab.enter(&["transport", "other", "--for", "bureau"], "5a5a\n5a5a\n").expect_err("short");
    assert!(short.contains("component 1 must be a line of 64") && !short.contains("5a5a"), "{short}");
    assert!(lab.run(&["transport", "../other", "--for", "bureau"]).is_err());
    lab.run(&["operator", "milenage"]).expect("keeps");
    assert!(lab.run(&["operator", "milenage"]).is_err(), "cards in the field were made with it");
    // A key for pySim is none for a bureau.
    let running = lab.start();
    let refused = one(&mut running.client(), ask(card(1), CardKind::Milenage, Form::Bureau, "desk"));
    assert_eq!(refused, Answer::Refused(Refusal::NotSetUp));
    assert!(matches!(
        one(&mut running.client(), ask(card(1), CardKind::Milenage, Form::Pysim, "desk")),
        Answer::Made(MadeCard { secrets: Wrapped::Pysim { .. }, .. })
    ));
}

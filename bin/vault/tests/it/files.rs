//! Cards made by the process, and the files that their makers get, for `oracle/check_cards.py` (`cargo xtask test oracle`):
//! when `PAKAWAAZ_RECORD` names a folder, they are left there with what the vault then asks of the cards.

use crate::lab::{Lab, card, eap, one, vector};
use crate::making::{ask, components};
use pakawaaz_sim_vault::making::{Batch, CardKind, Form, Profile, bureau, numbers, pysim};
use pakawaaz_sim_vault::{Answer, Scheme};
use std::fmt::Write as _;
use std::path::Path;

const CARDS: u8 = 3;
/// TS 33.501 Annex C.4.3: the home network's public key.
const PUBLIC: &str = "5a8d38864820197c3394b92613b20b91633cbd897119273bf8e4a6f4eec0a650";

#[test]
fn files_for_whoever_makes_the_cards() {
    let lab = Lab::new();
    let profile = Profile {
        mnc_digits: 2,
        routing_indicator: "17".into(),
        suci_key: 1,
        scheme: Scheme::A,
        public: hex::decode(PUBLIC).expect("hexadecimal"),
    };
    lab.enter(&["transport", "bureau", "--for", "bureau"], &components(32).0).expect("keeps");
    lab.enter(&["transport", "desk", "--for", "pysim"], &components(64).0).expect("keeps");
    lab.run(&["operator", "milenage"]).expect("keeps");
    lab.run(&["operator", "tuak"]).expect("keeps");
    let running = lab.start();
    let mut client = running.client();
    let mut id = 0;
    let kinds = [("milenage", CardKind::Milenage), ("tuak", CardKind::Tuak { iterations: 1, res_bits: 64 })];
    for (name, kind) in kinds {
        for (form, transport, key) in
            [(Form::Bureau, "bureau", components(32).1), (Form::Pysim, "desk", components(64).1)]
        {
            let first = format!("41099000000{id:03}1");
            let numbers = numbers::cards("899241000000000001", &first, u32::from(CARDS)).expect("numbers");
            let (mut cards, mut asked) = (Vec::new(), String::new());
            for (iccid, imsi) in numbers {
                id += 1;
                let Answer::Made(made) = one(&mut client, ask(card(id), kind, form, transport)) else {
                    panic!("refused")
                };
                let Answer::EapAkaPrime(result) = one(&mut client, vector(card(id), &made.sealed, eap("WLAN"))) else {
                    panic!("refused")
                };
                let challenge = result.vector().expect("whole");
                let (rand, autn) = (hex::encode(challenge.rand.0), hex::encode(challenge.autn.to_bytes()));
                let xres = hex::encode(challenge.xres.as_bytes());
                writeln!(asked, "{} {} {rand} {autn} {xres}", iccid.as_str(), imsi.as_str()).expect("writes");
                cards.push((iccid, imsi, made));
            }
            let batch = Batch { name: "first", customer: "pakawaaz.test", transport, kind, profile: &profile };
            let text = match form {
                Form::Bureau => bureau::write(&batch, &cards).expect("one kind"),
                Form::Pysim => pysim::table(&profile, kind, &cards).expect("one kind"),
            };
            if let Some(folder) = std::env::var_os("PAKAWAAZ_RECORD") {
                let folder = Path::new(&folder).join("cards");
                std::fs::create_dir_all(&folder).expect("a folder");
                let leave = |end: &str, text: &str| {
                    std::fs::write(folder.join(format!("{name}-{}.{end}", form.text())), text).expect("writes");
                };
                leave("file", &text);
                leave("asked", &asked);
                leave("key", &hex::encode(key));
                leave("pysim", &pysim::script(&profile));
            }
        }
    }
}

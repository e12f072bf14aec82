//! The key in a module: SoftHSM2, which keeps its tokens in files, in a folder of the test.

use crate::lab::{Lab, card, eap, milenage, one, seal, skipped, vector};
use crate::vectors::published_cards_get_their_vectors;
use pakawaaz_sim_vault::{Answer, Ask, Refusal};
use std::path::Path;
use std::process::Command;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "482915";

/// A vault over a new token; none where SoftHSM2 is not installed.
fn lab() -> Option<Lab> {
    if !Path::new(MODULE).exists() || Command::new("softhsm2-util").arg("--version").output().is_err() {
        skipped("SoftHSM2 is not installed (package softhsm2)");
        return None;
    }
    let mut lab = Lab::empty("", "");
    let folder = lab.folder.path().display().to_string();
    std::fs::create_dir(lab.path("tokens")).expect("folder");
    std::fs::write(lab.path("softhsm.conf"), format!("directories.tokendir = {folder}/tokens\nlog.level = ERROR\n"))
        .expect("writes");
    std::fs::write(lab.path("pin"), format!("{PIN}\n")).expect("writes");
    let more = format!(
        "kind = \"pkcs11\"\nmodule = {MODULE:?}\ntoken = \"vault\"\nlabel = \"cards\"\npin_file = \"{folder}/pin\"\n"
    );
    let text = std::fs::read_to_string(lab.path("vault.toml")).expect("reads");
    std::fs::write(lab.path("vault.toml"), text.replace("[key]\n", &format!("[key]\n{more}"))).expect("writes");
    lab.environment("SOFTHSM2_CONF", &lab.path("softhsm.conf"));
    let made = util(&lab, &["--init-token", "--free", "--label", "vault", "--so-pin", "736251", "--pin", PIN]);
    assert!(made, "makes a token");
    lab.run(&["init"]).expect("makes a key");
    Some(lab)
}

fn util(lab: &Lab, arguments: &[&str]) -> bool {
    let mut command = Command::new("softhsm2-util");
    command.env("SOFTHSM2_CONF", lab.path("softhsm.conf")).args(arguments);
    command.output().expect("starts").status.success()
}

#[test]
fn by_a_key_in_a_module() {
    let Some(lab) = lab() else { return };
    published_cards_get_their_vectors(&lab);
    let running = lab.start();
    assert!(!running.client().is_software());
    assert!(lab.run(&["status"]).expect("tells").contains("in a module"));
    assert!(!lab.path("key").exists(), "there is no key file");
}

#[test]
fn what_the_module_sealed_outlives_the_process_and_nothing_else_opens() {
    let Some(lab) = lab() else { return };
    let running = lab.start();
    let mut client = running.client();
    let sealed = seal(&mut client, card(1), &milenage());
    running.kill();
    let running = lab.start();
    let mut client = running.client();
    assert!(matches!(one(&mut client, vector(card(1), &sealed, eap("WLAN"))), Answer::EapAkaPrime(_)));
    let other = vector(card(2), &sealed, eap("WLAN"));
    assert_eq!(one(&mut client, other), Answer::Refused(Refusal::NotOurs), "another card's");
    for at in (0..sealed.len()).step_by(3) {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        let ask = vector(card(3 + at as u8), &changed, eap("WLAN"));
        assert_eq!(one(&mut client, ask), Answer::Refused(Refusal::NotOurs), "byte {at}");
    }
    let again: Ask = vector(card(1), &sealed, eap("WLAN"));
    assert!(matches!(one(&mut client, again), Answer::EapAkaPrime(_)), "a refusal breaks nothing");
}

#[test]
fn the_key_is_made_once_and_needs_its_pin() {
    let Some(lab) = lab() else { return };
    let refused = lab.run(&["init"]).expect_err("there is one");
    assert!(refused.contains("already"), "{refused}");
    std::fs::write(lab.path("pin"), "000000").expect("writes");
    let refused = lab.try_start().err().expect("a wrong PIN");
    assert!(refused.contains("PIN") && !refused.contains("000000"), "{refused}");
}

//! Starting, being killed, and what is left.

use crate::lab::{Lab, card, eap, milenage, one, seal, skipped, vector};
use pakawaaz_sim_vault::Answer;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;

#[test]
fn what_was_answered_is_counted_however_it_ends() {
    let lab = Lab::new();
    let running = lab.start();
    let mut client = running.client();
    let sealed = seal(&mut client, card(1), &milenage());
    for _ in 0..7 {
        assert!(matches!(one(&mut client, vector(card(1), &sealed, eap("WLAN"))), Answer::EapAkaPrime(_)));
    }
    running.kill();
    assert!(client.report().is_err());
    // The socket of the dead is in the way of nobody.
    let running = lab.start();
    let mut client = running.client();
    let report = client.report().expect("reports");
    assert_eq!((report.starts, report.uses.cards_sealed, report.uses.eap_vectors), (2, 1, 7));
    assert!(matches!(one(&mut client, vector(card(1), &sealed, eap("WLAN"))), Answer::EapAkaPrime(_)), "same key");
    let status = lab.run(&["status"]).expect("tells");
    assert!(status.contains("in a file") && status.contains("\neap_vectors 8\n"), "{status}");
}

#[test]
fn there_is_one_vault_for_a_ledger_and_it_keeps_its_socket() {
    let lab = Lab::new();
    let running = lab.start();
    let refused = lab.try_start().err().expect("the ledger is taken");
    assert!(refused.contains("another vault"), "{refused}");
    running.client().report().expect("still there");
    // The same socket with a ledger of its own.
    let text = std::fs::read_to_string(lab.path("vault.toml")).expect("reads");
    std::fs::write(lab.path("vault.toml"), text.replace("/uses\"", "/other\"")).expect("writes");
    let refused = lab.try_start().err().expect("the socket is taken");
    assert!(refused.contains("somebody listens"), "{refused}");
    running.client().report().expect("still there");
}

#[test]
fn another_key_opens_nothing_and_a_key_is_never_overwritten() {
    let (one_lab, other_lab) = (Lab::new(), Lab::new());
    let (first, second) = (one_lab.start(), other_lab.start());
    let sealed = seal(&mut first.client(), card(1), &milenage());
    let refused = one(&mut second.client(), vector(card(1), &sealed, eap("WLAN")));
    assert!(matches!(refused, Answer::Refused(_)));
    let before = std::fs::read(one_lab.path("key")).expect("reads");
    assert!(one_lab.run(&["init"]).is_err());
    assert_eq!(std::fs::read(one_lab.path("key")).expect("reads"), before);
    drop(first);
    std::fs::copy(other_lab.path("key"), one_lab.path("key")).expect("copies");
    let refused = one_lab.try_start().err().expect("the ledger tells");
    assert!(refused.contains("another key"), "{refused}");
}

#[test]
fn it_gives_up_what_it_does_not_need() {
    let lab = Lab::new();
    let running = lab.start();
    let about = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", running.child.id()));
    let status = about("status").expect("reads");
    for line in ["CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1"] {
        assert!(status.contains(line), "{line}\n{status}");
    }
    let limits = about("limits").expect("reads");
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a line");
    assert!(cores.split_whitespace().nth(4) == Some("0"), "{cores}");
}

#[test]
fn its_memory_stays_off_the_disk_or_it_says_so() {
    let lab = Lab::new();
    let mut running = lab.start();
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).expect("reads");
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).expect("a line");
    let locked: u64 = locked.trim().trim_end_matches(" kB").parse().expect("a number");
    drop(running.child.stdin.take());
    let mut said = String::new();
    running.child.stderr.take().expect("piped").read_to_string(&mut said).expect("reads");
    // Many containers forbid it; then whoever runs the vault is told.
    assert_ne!(locked > 0, said.contains("memory is not locked"), "{locked} kB, {said}");
}

#[test]
fn nobody_looks_into_it_not_even_its_own_user() {
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can run a vault as somebody else");
    }
    let mut lab = Lab::new();
    lab.as_user(65534);
    let running = lab.start();
    let of = |file: &str| std::fs::metadata(format!("/proc/{}/{file}", running.child.id())).expect("is there").uid();
    // What is not dumpable belongs to root in /proc, and no debugger of the same user gets hold of it (ptrace(2)).
    assert_eq!([of("mem"), of("maps"), of("environ")], [0; 3]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).expect("reads");
    assert!(status.contains("Uid:\t65534"), "{status}");
}

#[test]
fn it_ends_with_whoever_started_it() {
    let lab = Lab::new();
    let mut running = lab.start();
    drop(running.child.stdin.take());
    assert!(running.child.wait().expect("ends").success());
}

#[test]
fn mistakes_are_explained() {
    let lab = Lab::empty("", "kind = \"file\"");
    let refused = lab.try_start().err().expect("no key yet");
    assert!(refused.contains("`init` makes it"), "{refused}");
    let lab = Lab::empty("", "kind = \"pkcs11\"");
    let refused = lab.run(&["init"]).expect_err("no module");
    assert!(refused.contains("key.module") && refused.contains("key.pin_file"), "{refused}");
    let printed = lab.run(&["--print-config"]).expect("prints");
    assert!(printed.contains("kind = \"pkcs11\"") && printed.contains("# challenges of one card at once"), "{printed}");
}

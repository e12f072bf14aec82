//! The command line, without privileges.

use crate::PROGRAM;
use pakawaaz_upf::Config;
use pakawaaz_upf::lab::ALLOW_LIST;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).env_clear().output().expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_printed_configuration_can_be_fed_back() {
    let printed = run(&["--print-config"]);
    assert!(printed.status.success());
    assert_eq!(toml::from_str::<Config>(&text(&printed.stdout)).expect("TOML"), Config::default());
    let changed = Command::new(PROGRAM).arg("--print-config").env("UPF_N3__ADDRESS", "192.0.2.1:2152").output();
    assert!(text(&changed.expect("runs").stdout).contains("192.0.2.1:2152"));
}

#[test]
fn an_allow_list_is_signed_checked_and_shown() {
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("list.toml"), ALLOW_LIST).expect("writes");
    let made = run(&["allow-list", "key", &path("key")]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let public_key = text(&made.stdout).trim().to_owned();
    // A key is not written over.
    assert!(!run(&["allow-list", "key", &path("key")]).status.success());
    let show = |list: &str| {
        Command::new(PROGRAM)
            .args(["allow-list", "rules"])
            .env_clear()
            .env("UPF_ALLOW_LIST__FILE", path(list))
            .env("UPF_ALLOW_LIST__PUBLIC_KEY", format!("\"{public_key}\""))
            .output()
            .expect("runs")
    };
    assert!(text(&show("list.toml").stderr).contains("not signed"));
    let signed = run(&["allow-list", "sign", &path("list.toml"), "--key", &path("key")]);
    assert!(signed.status.success(), "{}", text(&signed.stderr));
    let shown = show("list.toml");
    assert!(text(&shown.stdout).contains("policy drop"), "{}", text(&shown.stderr));
}

#[test]
fn what_is_missing_is_said_before_anything_is_done() {
    let refused = run(&["run"]);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("allow_list.public_key"));
    assert!(!run(&[]).status.success());
}

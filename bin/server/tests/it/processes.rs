//! The program itself: arguments, environment, the ready line, signals.

use crate::support::get;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn server(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pakawaaz-server"));
    command
        .current_dir(dir)
        .env_clear()
        .env("PAKAWAAZ_DATA_DIR", dir.join("data"))
        .env("PAKAWAAZ_HTTP__PLAIN", "127.0.0.1:0")
        .env("PAKAWAAZ_HTTP__METRICS", "127.0.0.1:0")
        .env("PAKAWAAZ_HEALTH__MIN_FREE_MIB", "1")
        .stdin(Stdio::null());
    command
}

fn run(command: &mut Command) -> (bool, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("runs");
    (status.success(), String::from_utf8_lossy(&stdout).into(), String::from_utf8_lossy(&stderr).into())
}

/// Killed when a test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn init_serve_ready_and_a_polite_end() {
    let dir = tempfile::tempdir().expect("directory");
    let vouchers = dir.path().join("vouchers");
    let (ok, out, err) =
        run(server(dir.path()).args(["init", "--url", "http://127.0.0.1:1", "--vouchers-out"]).arg(&vouchers));
    assert!(ok, "{err}");
    assert!(out.contains("PKW1.") && out.contains('█') && out.contains("root"), "{out}");
    let lines = std::fs::read_to_string(&vouchers).expect("vouchers");
    assert!(lines.starts_with("admin1 PKW1.") && lines.lines().count() == 2, "{lines}");
    let (ok, _, err) = run(server(dir.path()).args(["init", "--url", "http://127.0.0.1:1"]));
    assert!(!ok && err.contains("never overwrites"), "{err}");

    let child = server(dir.path()).arg("serve").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("spawns");
    let mut running = Running(child);
    let mut first = String::new();
    BufReader::new(running.0.stdout.take().expect("stdout")).read_line(&mut first).expect("reads");
    let json: serde_json::Value =
        serde_json::from_str(first.strip_prefix("ready ").expect("ready line")).expect("json");
    assert!(json["https"].is_null() && json["metrics"].is_string(), "{json}");
    let address = json["http"].as_str().expect("http").parse().expect("address");
    assert_eq!(get(address, "/readyz").await.status, 200);

    let backup = dir.path().join("backup");
    let (ok, out, err) = run(server(dir.path()).arg("backup").arg(&backup));
    assert!(ok && out.contains("verified"), "{out}{err}");
    let (ok, out, err) = run(server(dir.path()).arg("restore").arg(&backup).arg(dir.path().join("restored")));
    assert!(ok && out.contains("verified"), "{out}{err}");

    let pid = rustix::process::Pid::from_child(&running.0);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("signals");
    assert!(running.0.wait().expect("ends").success());
}

#[test]
fn the_server_ends_with_its_parents_pipe() {
    let dir = tempfile::tempdir().expect("directory");
    let (ok, _, err) = run(server(dir.path()).args(["init", "--url", "http://127.0.0.1:1"]));
    assert!(ok, "{err}");
    let mut command = server(dir.path());
    command.args(["serve", "--until-stdin-closes"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    // HTTPS alone: an empty address in the environment switches a listener off.
    command.env("PAKAWAAZ_HTTP__PLAIN", "").env("PAKAWAAZ_HTTP__TLS", "127.0.0.1:0");
    command.env("PAKAWAAZ_HTTP__HOSTS", "[\"127.0.0.1\"]");
    let mut running = Running(command.stderr(Stdio::null()).spawn().expect("spawns"));
    let mut first = String::new();
    BufReader::new(running.0.stdout.take().expect("stdout")).read_line(&mut first).expect("reads");
    assert!(first.starts_with("ready {\"http\":null,\"https\":\"127.0.0.1:"), "{first}");
    drop(running.0.stdin.take());
    assert!(running.0.wait().expect("ends").success());
}

#[test]
fn print_config_shows_what_is_in_effect() {
    let dir = tempfile::tempdir().expect("directory");
    let file = dir.path().join("p.toml");
    std::fs::write(&file, "realm = \"from.file\"\n[http]\nhosts = [\"a\", \"b\"]\n").expect("writes");
    let mut command = server(dir.path());
    let (ok, out, err) =
        run(command.arg("--config").arg(&file).arg("--print-config").env("PAKAWAAZ_LOG__LEVEL", "debug"));
    assert!(ok, "{err}");
    for line in ["realm = \"from.file\"", "hosts = [\"a\", \"b\"]", "level = \"debug\"", "plain = \"127.0.0.1:0\""] {
        assert!(out.contains(line), "{line}: {out}");
    }
    let (ok, _, err) = run(server(dir.path()).arg("--print-config").env("PAKAWAAZ_LOG__LEVLE", "debug"));
    assert!(!ok && err.contains("levle"), "{err}");
}

#[test]
fn refusals_are_plain_words_and_a_failing_status() {
    let dir = tempfile::tempdir().expect("directory");
    let (ok, _, err) = run(server(dir.path()).arg("serve").env("PAKAWAAZ_PRODUCTION", "true"));
    assert!(!ok && err.contains("software vault") && err.contains("plain HTTP"), "{err}");
    let (ok, _, err) = run(server(dir.path()).arg("serve").env("PAKAWAAZ_HTTP__PLAIN", "0.0.0.0:0"));
    assert!(!ok && err.contains("loopback addresses only"), "{err}");
    let (ok, _, err) = run(server(dir.path()).arg("serve"));
    assert!(!ok && err.contains("init"), "{err}");
}

#[test]
fn the_contract_needs_no_installation() {
    let dir = tempfile::tempdir().expect("directory");
    let (ok, out, err) = run(server(dir.path()).arg("openapi"));
    assert!(ok, "{err}");
    let document: serde_json::Value = serde_json::from_str(&out).expect("json");
    assert!(document["paths"]["/v1/directory/officials"].is_object());
    assert!(document["components"]["securitySchemes"]["dpop"].is_object());
}

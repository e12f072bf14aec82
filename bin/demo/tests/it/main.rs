//! The demo as a newcomer meets it: real programs, real files, real processes.

#![cfg(unix)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

/// Longer than anything takes on a slow, busy machine; only a hang reaches it.
const HANG: Duration = Duration::from_secs(300);

/// Steps of a message, as one is shown with its time: who reads at once says both in one, and only the later is shown.
const DELIVERED: [&str; 2] = ["✓✓ delivered ", "● read "];

fn program() -> PathBuf {
    let demo = PathBuf::from(env!("CARGO_BIN_EXE_pakawaaz-demo"));
    for other in ["pakawaaz-server", "pakawaaz"] {
        assert!(
            demo.with_file_name(other).exists(),
            "{other} is missing beside {}: run cargo build -p pakawaaz-server -p pakawaaz-cli first",
            demo.display()
        );
    }
    demo
}

/// A running demo whose lines can be awaited.
struct Demo {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Demo {
    fn start(state: &Path, more: &[&str]) -> Self {
        let mut child = Command::new(program())
            .arg("--state")
            .arg(state)
            .arg("--small")
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the demo starts");
        let out = child.stdout.take().expect("piped");
        let (tell, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, seen: Vec::new() }
    }

    /// Waits for a line that contains `what`.
    fn wait_for(&mut self, what: &str) -> String {
        self.wait_for_any(&[what])
    }

    /// Waits for a line that contains one of these.
    fn wait_for_any(&mut self, what: &[&str]) -> String {
        loop {
            match self.lines.recv_timeout(HANG) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if what.iter().any(|what| line.contains(what)) {
                        return line;
                    }
                }
                Err(_) => panic!("{what:?} did not come; seen:\n{}", self.seen.join("\n")),
            }
        }
    }

    /// Asks where the phone is until the answer has this: it may be on its way.
    fn ask_for_phone(&mut self, what: &str) {
        for _ in 0..60 {
            self.type_line("/phone");
            while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(3)) {
                self.seen.push(line.clone());
                if line.contains(what) {
                    return;
                }
            }
        }
        panic!("{what:?} did not come; seen:\n{}", self.seen.join("\n"));
    }

    fn type_line(&mut self, text: &str) {
        let stdin = self.child.stdin.as_mut().expect("piped");
        writeln!(stdin, "{text}").expect("the demo reads");
    }

    fn signal(&self, name: &str) {
        let done = Command::new("kill").arg(name).arg(self.child.id().to_string()).status().expect("kill runs");
        assert!(done.success());
    }

    /// Everything printed after what was awaited, and the exit code.
    fn end(mut self) -> (Option<i32>, String) {
        while let Ok(line) = self.lines.recv_timeout(HANG) {
            self.seen.push(line);
        }
        (self.child.wait().expect("waits").code(), self.seen.join("\n"))
    }
}

/// Processes that mention `state` on their command line, ours apart.
fn servers_of(state: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if pid != std::process::id() && line.contains(&*state.to_string_lossy()) && line.contains("pakawaaz-server") {
            found.push(format!("{pid} {line}"));
        }
    }
    found
}

/// What `pakawaaz` says to an administrator of the demo.
fn administrator(state: &Path, arguments: &[&str]) -> String {
    let profile = state.join("profiles/admin.one");
    let beside = |ending: &str| format!("{}.{ending}", profile.display());
    let done = Command::new(program().with_file_name("pakawaaz"))
        .arg("--profile")
        .arg(&profile)
        .args(["--pin-file", &beside("pin"), "--password-file", &beside("password"), "--json"])
        .args(arguments)
        .output()
        .expect("pakawaaz runs");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("text")
}

/// Until the core knows so many phones: the one of a suspended card leaves within a moment, its owner switches it off and
/// on every ten seconds.
fn wait_for_phones(state: &Path, expected: usize) {
    let mut last = String::new();
    for _ in 0..600 {
        last = administrator(state, &["admin", "cellular", "ues"]);
        if last.matches("\"imsi\"").count() == expected {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{expected} phones expected: {last}");
}

/// The server notices by a closed pipe that nobody needs it; that takes it a moment.
fn assert_no_server_remains(state: &Path) {
    for _ in 0..600 {
        if servers_of(state).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("left behind: {:?}", servers_of(state));
}

#[test]
fn a_newcomer_checks_talks_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path();

    // First start: everything is made, one message goes through.
    let (code, text) = Demo::start(state, &["--check"]).end();
    assert_eq!(code, Some(0), "{text}");
    assert!(DELIVERED.iter().any(|step| text.contains(step)) && text.contains("check passed"), "{text}");
    let place = "on the network at Secretariat, Block C, Islamabad";
    assert!(text.contains("4 phones on the network 410-99") && text.contains(place), "{text}");
    // As root with namespaces every phone has had an answer from the service; elsewhere the demo says why there is none.
    assert!(text.contains("; 4 have had an answer through it") || text.contains("no data path"), "{text}");
    assert_no_server_remains(state);

    // Second start: nothing is made again; a conversation in both languages; ended by SIGTERM.
    let mut demo = Demo::start(state, &[]);
    demo.wait_for("Your first conversation");
    assert!(!demo.seen.iter().any(|line| line.contains("SIM cards imported")), "{:?}", demo.seen);
    assert!(!servers_of(state).is_empty(), "the test can see the server");
    demo.type_line("کیا سمری تیار ہے؟");
    demo.wait_for_any(&DELIVERED);
    demo.wait_for("۔");
    demo.type_line("/people secretary");
    demo.wait_for("Ministry of Finance");
    demo.type_line("/nonsense");
    demo.wait_for("There is no /nonsense");

    // An administrator suspends the newcomer's card: phone and login end, and come back when it is restored.
    let offered = demo.seen.iter().find_map(|line| line.split_once("pa admin suspend --card "));
    let card = offered.expect("the line to type").1.to_owned();
    if !demo.seen.iter().any(|line| line.contains("phones on the network")) {
        demo.wait_for("4 phones on the network");
    }
    demo.ask_for_phone(place);
    administrator(state, &["admin", "suspend", "--card", &card]);
    demo.wait_for("Your login has ended");
    wait_for_phones(state, 3);
    administrator(state, &["admin", "unsuspend", "--card", &card]);
    demo.wait_for("You are logged in again");
    wait_for_phones(state, 4);
    demo.ask_for_phone(place);

    demo.signal("-TERM");
    let (code, text) = demo.end();
    assert_eq!(code, Some(130), "{text}");
    assert!(servers_of(state).is_empty(), "the demo waits for its server");

    // Ctrl-C while it is starting, and a death without any chance to clean up.
    let mut demo = Demo::start(state, &[]);
    demo.wait_for("Pakawaaz demo");
    demo.signal("-INT");
    assert_eq!(demo.end().0, Some(130));
    assert_no_server_remains(state);
    let mut demo = Demo::start(state, &[]);
    demo.wait_for("server at");
    demo.signal("-KILL");
    demo.end();
    assert_no_server_remains(state);

    // After all that it still starts, and /quit is a success.
    let mut demo = Demo::start(state, &[]);
    demo.wait_for("Your first conversation");
    demo.type_line("/quit");
    let (code, text) = demo.end();
    assert_eq!(code, Some(0), "{text}");
    assert_no_server_remains(state);
}

//! The programs in the machine: server, user plane, terminal client, and a gNB.

use serde_json::Value;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

/// The core's addresses on the two cables of N2.
pub const CORE: [&str; 2] = ["10.9.1.1", "10.9.2.1"];
/// The gNB's.
pub const GNB: [&str; 2] = ["10.9.1.2", "10.9.2.2"];
/// The gNB's address on the cable of N3.
pub const GNB_USER_PLANE: &str = "10.9.3.2";
/// Where services are: the outer end of N6.
pub const SERVICE: &str = "10.99.255.1";

/// A command that must succeed. busybox runs its own `ip` unless told where another one is.
pub fn sh(command: &str) {
    assert!(Command::new("sh").args(["-c", command]).status().expect("starts").success(), "{command}");
}

/// Waits for something that needs no longer than the machine does.
pub fn wait_for(what: &str, mut there: impl FnMut() -> bool) {
    for _ in 0..240 {
        if there() {
            return;
        }
        std::thread::sleep(Duration::from_millis(250));
    }
    panic!("{what} did not happen");
}

fn ready(child: &mut Child) {
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let ready = lines.by_ref().map_while(Result::ok).any(|line| line.starts_with("ready"));
    assert!(ready, "it ended before it was ready");
    // Keep draining, or a full pipe would stop it.
    std::thread::spawn(move || for _ in lines.map_while(Result::ok) {});
}

/// Server and user plane, and an administrator with a terminal.
pub struct Site {
    world: Value,
    server: Child,
    _user_plane: Child,
}

impl Site {
    /// Starts both; returns when they are ready.
    pub fn start(world: Value) -> Self {
        let mut user_plane = Command::new("pakawaaz-upf");
        user_plane.args(["--config", "/upf.toml", "run", "--until-stdin-closes"]).stdin(Stdio::piped());
        let mut user_plane = user_plane.stdout(Stdio::piped()).spawn().expect("the user plane starts");
        ready(&mut user_plane);
        let server = start_server(&world);
        Self { world, server, _user_plane: user_plane }
    }

    /// `kill -9` of the server.
    pub fn kill_server(&mut self) {
        self.server.kill().expect("it runs");
        self.server.wait().expect("it has ended");
    }

    /// The same server again.
    pub fn start_server(&mut self) {
        self.server = start_server(&self.world);
    }

    /// What the terminal client says to an administrator.
    pub fn admin(&self, arguments: &[&str]) -> Value {
        let client = self.world["client"].as_array().expect("arguments").iter().filter_map(Value::as_str);
        let mut command = Command::new("pakawaaz");
        let output = command.args(client).args(["admin", "cellular"]).args(arguments).output().expect("starts");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {err}");
        out.lines().find_map(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null)
    }

    /// Whether there is the alarm that this gNB is lost.
    pub fn is_lost(&self, gnb: u32) -> bool {
        let (alarms, object) = (self.admin(&["alarms"]), format!("AMFFunction=1,GNBId={gnb}/24"));
        let is = |alarm: &Value| {
            alarm["objectInstance"] == object.as_str() && alarm["probableCause"] == "Connection establishment error"
        };
        alarms["alarms"].as_array().expect("a list").iter().any(is)
    }
}

fn start_server(world: &Value) -> Child {
    let settings = world["settings"].as_object().expect("settings").iter();
    let settings = settings.filter_map(|(name, value)| Some((name, value.as_str()?)));
    let log = File::options().create(true).append(true).open("/run/server.log").expect("a log");
    let mut command = Command::new("pakawaaz-server");
    let command = command.arg("serve").envs(settings).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut server = command.spawn().expect("the server starts");
    ready(&mut server);
    server
}

/// The process of a gNB, in its namespace.
pub struct Gnb {
    child: Child,
    to: ChildStdin,
    from: Lines<BufReader<ChildStdout>>,
}

impl Gnb {
    /// Starts it; it has no association yet.
    pub fn start() -> Self {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", "gnb", "core-guest", "gnb"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let (to, from) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        Self { child, to, from: BufReader::new(from).lines() }
    }

    /// Has it do something; its answer.
    pub fn does(&mut self, command: &str) -> String {
        writeln!(self.to, "{command}").expect("it listens");
        let answer = self.from.next().expect("it answers").expect("it is read");
        println!("  gNB: {command}: {answer}");
        answer
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        sh(&format!("kill -{name} {}", self.child.id()));
    }

    /// Waits until it is gone.
    pub fn gone(mut self) {
        self.child.wait().expect("it has ended");
    }
}

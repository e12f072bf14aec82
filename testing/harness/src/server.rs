//! The server as a process.

use crate::binaries;
use rand::Rng as _;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running server; killed when dropped.
pub struct ServerProcess {
    child: Child,
    /// What it said it listens on.
    pub ready: Value,
    data: PathBuf,
    arguments: Vec<(String, String)>,
}

impl ServerProcess {
    /// Starts `serve` and waits until it is ready. `settings` are environment variables (`PAKAWAAZ_…`).
    pub fn start(data: &Path, settings: &[(String, String)]) -> Self {
        let mut child = Command::new(binaries::server())
            .arg("serve")
            .env("PAKAWAAZ_DATA_DIR", data)
            .envs(settings.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log_file(data))
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ready = loop {
            let line = match lines.next() {
                Some(Ok(line)) => line,
                _ => {
                    let log = std::fs::read_to_string(data.join("../server.log")).unwrap_or_default();
                    panic!("the server ended before it was ready:\n{log}");
                }
            };
            if let Some(json) = line.strip_prefix("ready ") {
                break serde_json::from_str(json).expect("the ready line is JSON");
            }
        };
        // Keep draining, or a full pipe would stop the server.
        std::thread::spawn(move || for _ in lines.map_while(Result::ok) {});
        Self { child, ready, data: data.to_owned(), arguments: settings.to_vec() }
    }

    /// `/readyz`: status and body.
    ///
    /// # Panics
    /// When the server does not answer at all.
    pub fn readyz(&self) -> (u16, Value) {
        let address = self.ready["http"].as_str().expect("plain HTTP is on");
        let mut socket = TcpStream::connect(address).expect("the server listens");
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("the server reads");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("the server answers");
        let status = answer.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("an HTTP answer");
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Waits until `/readyz` says this status; its body. The server looks again every half second.
    ///
    /// # Panics
    /// When that takes longer than anything the server does.
    pub fn wait_for_readyz(&self, status: u16) -> Value {
        let mut last = (0, Value::Null);
        for _ in 0..300 {
            last = self.readyz();
            if last.0 == status {
                return last.1;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("/readyz stays at {last:?} instead of {status}");
    }

    /// Process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, no warning; returns when the process is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, then waits for the end. Exit code.
    pub fn terminate(&mut self) -> Option<i32> {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill exists");
        assert!(status.success());
        self.child.wait().expect("waits").code()
    }

    /// The same server again, on the same port, with further environment from now on.
    pub fn restart_with(&mut self, environment: &[(String, String)]) {
        self.arguments.extend_from_slice(environment);
        self.restart();
    }

    /// The same server again, on the same port.
    pub fn restart(&mut self) {
        self.kill();
        *self = Self::start(&self.data.clone(), &self.arguments.clone());
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

fn log_file(data: &Path) -> Stdio {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(data.join("../server.log"));
    log.map_or_else(|_| Stdio::inherit(), Stdio::from)
}

/// Ports below those that the kernel gives to whoever connects somewhere: such a connection took the port of a server that
/// was about to start, or to start again.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// A port nobody uses at the moment, each time another one.
pub fn free_port() -> u16 {
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    // Tests run at the same time, each in a process of its own.
    std::iter::repeat_with(|| rand::thread_rng().gen_range(PORTS)).take(1000).find(free).expect("loopback has ports")
}

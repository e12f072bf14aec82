//! The server under test: the program beside this one, with data of its own, on loopback.

use anyhow::{Context as _, Result, bail, ensure};
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The first two administrators' login names.
pub const ADMINISTRATORS: [&str; 2] = ["first.admin", "second.admin"];

/// A server process; killed when dropped.
pub struct Server {
    dir: tempfile::TempDir,
    port: u16,
    settings: Vec<(String, String)>,
    child: Option<Child>,
}

impl Server {
    /// Makes an installation whose first cards are `sims`; it does not run yet.
    pub fn init(sims: &str, within: Option<&Path>, settings: Vec<(String, String)>) -> Result<Self> {
        let dir = match within {
            Some(parent) => tempfile::tempdir_in(parent),
            None => tempfile::tempdir(),
        };
        let dir = dir.context("a folder for the server's data")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Self { dir, port, settings, child: None };
        let batch = server.dir.path().join("sims.csv");
        std::fs::write(&batch, sims)?;
        let mut command = server.command()?;
        command.arg("init").arg("--sims").arg(&batch).arg("--vouchers-out").arg(server.vouchers());
        for name in ADMINISTRATORS {
            command.args(["--admin", &format!("{name}:Administrator")]);
        }
        let done = command.stdin(Stdio::null()).output().context("starting pakawaaz-server")?;
        ensure!(done.status.success(), "init failed: {}", String::from_utf8_lossy(&done.stderr));
        Ok(server)
    }

    fn vouchers(&self) -> PathBuf {
        self.dir.path().join("vouchers")
    }

    /// The voucher of a first administrator.
    pub fn voucher(&self, username: &str) -> Result<String> {
        let all = std::fs::read_to_string(self.vouchers())?;
        let line = all.lines().find_map(|l| l.strip_prefix(username)).context("init wrote no voucher")?;
        Ok(line.trim().to_owned())
    }

    /// The folder everything is in; its file system is the one measured.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    fn command(&self) -> Result<Command> {
        let program = std::env::current_exe()?.with_file_name("pakawaaz-server");
        ensure!(program.exists(), "{} is not built: cargo build -p pakawaaz-server", program.display());
        let mut command = Command::new(program);
        // Settings of another installation must not reach this one.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PAKAWAAZ_")) {
            command.env_remove(name);
        }
        command
            .env("PAKAWAAZ_DATA_DIR", self.dir.path().join("data"))
            .env("PAKAWAAZ_REALM", "pakawaaz.load")
            .env("PAKAWAAZ_HTTP__PLAIN", format!("127.0.0.1:{}", self.port))
            .env("PAKAWAAZ_HTTP__METRICS", "")
            .env("PAKAWAAZ_LOG__LEVEL", "warn")
            // Everybody comes from one address here, so the throttle of strangers would measure itself.
            .env("PAKAWAAZ_LIMITS__ANONYMOUS_BURST", "1000000")
            .env("PAKAWAAZ_LIMITS__ANONYMOUS_PER_SECOND", "1000000")
            // A device that connects has a socket and, for a moment, an HTTP connection.
            .env("PAKAWAAZ_LIMITS__CONNECTIONS", "30000")
            .envs(self.settings.iter().map(|(name, value)| (name, value)));
        Ok(command)
    }

    /// Starts it and waits until it is ready.
    pub fn start(&mut self) -> Result<()> {
        self.stop();
        let log = std::fs::File::create(self.dir.path().join("server.log"))?;
        let mut child = self
            .command()?
            .args(["serve", "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("starting pakawaaz-server")?;
        let mut lines = BufReader::new(child.stdout.take().context("piped")?).lines();
        self.child = Some(child);
        for line in lines.by_ref() {
            if line?.starts_with("ready ") {
                // Nothing may block the server when it prints more.
                std::thread::spawn(move || for _ in lines.map_while(Result::ok) {});
                return Ok(());
            }
        }
        let log = std::fs::read_to_string(self.dir.path().join("server.log")).unwrap_or_default();
        bail!("the server ended before it was ready:\n{log}")
    }

    /// Ends it, in order: it stops when its standard input closes.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    /// Process id.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.child.as_ref().context("the server does not run")?.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

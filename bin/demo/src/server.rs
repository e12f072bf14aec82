//! The server as a child process: set up once, started on the same port every time, never left behind.
//!
//! It runs in a process group of its own, so that Ctrl-C reaches the demo alone, which then stops it in order. Its
//! standard input is a pipe from us and it stops when that closes: however the demo ends, even by `kill -9`, the
//! kernel closes the pipe.

use crate::cast::ADMINISTRATORS;
use crate::network::USER_PLANE_SOCKET;
use crate::state::{State, write_private};
use anyhow::{Context as _, Result, bail, ensure};
use rand::Rng as _;
use serde::Deserialize;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

/// A cold start migrates the database; a start after a crash may check it.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// The server finishes what is running; then it is ended by force.
const STOP_WITHIN: Duration = Duration::from_secs(15);

/// The program and its folder.
pub struct Installation {
    program: PathBuf,
    port: u16,
    web: Option<PathBuf>,
}

/// What the server prints once it answers.
#[derive(Debug, Deserialize)]
struct Ready {
    http: Option<String>,
    metrics: Option<String>,
    n2: Option<SocketAddr>,
}

impl Installation {
    /// The server for this state. `program` defaults to the one beside this executable.
    pub fn new(state: &State, program: Option<PathBuf>, port: u16, web: Option<PathBuf>) -> Result<Self> {
        let program = match program {
            Some(program) => program,
            None => std::env::current_exe()?.with_file_name(format!("pakawaaz-server{}", std::env::consts::EXE_SUFFIX)),
        };
        ensure!(
            program.exists(),
            "there is no server at {}: build it with cargo build -p pakawaaz-server",
            program.display()
        );
        let one = Self { program, port, web };
        write_private(&state.path("server.toml"), one.configuration(state).as_bytes())?;
        Ok(one)
    }

    /// Everything else has the server's defaults.
    fn configuration(&self, state: &State) -> String {
        // JSON's strings are TOML's basic strings, quotes and backslashes included.
        let text = |path: &Path| serde_json::Value::from(path.to_string_lossy()).to_string();
        let data = text(&state.path("server"));
        let web = self.web.as_ref().map_or_else(String::new, |dir| format!("[web]\ndir = {}\n", text(dir)));
        format!(
            "# Written by the demo at every start.\n\
             realm = \"pakawaaz.demo\"\n\
             data_dir = {data}\n\
             [http]\n\
             plain = \"127.0.0.1:{}\"\n\
             metrics = \"127.0.0.1:0\"\n\
             authorities = [\"*.localhost:{}\"]\n\
             {web}\
             [identity]\n\
             demo_keys = true\n\
             [cellular]\n\
             enabled = true\n\
             n2 = \"framed\"\n\
             n2_listen = [\"127.0.0.1:0\"]\n\
             user_plane = \"{USER_PLANE_SOCKET}\"\n",
            self.port, self.port
        )
    }

    fn command(&self, state: &State) -> Command {
        let mut command = Command::new(&self.program);
        // Settings of another installation must not reach this one.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PAKAWAAZ_")) {
            command.env_remove(name);
        }
        command.arg("--config").arg(state.path("server.toml")).current_dir(state.path("")).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        command
    }

    /// Makes keys, database and the first two administrators with their SIM cards, unless that is done.
    pub async fn init(&self, state: &State, sims: &Path) -> Result<()> {
        // The voucher file is the last thing that `init` writes.
        if first_vouchers(state).exists() {
            return Ok(());
        }
        let mut command = self.command(state);
        command.arg("init").arg("--vouchers-out").arg(first_vouchers(state)).arg("--sims").arg(sims);
        for (username, name) in ADMINISTRATORS {
            command.arg("--admin").arg(format!("{username}:{name}"));
        }
        let done = command.stdin(Stdio::null()).output().await.context("starting pakawaaz-server init")?;
        if !done.status.success() {
            bail!("pakawaaz-server init failed:\n{}", String::from_utf8_lossy(&done.stderr).trim_end());
        }
        Ok(())
    }

    /// Starts it and waits until it answers.
    pub async fn start(&self, state: &State) -> Result<Server> {
        if TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            bail!(
                "port {} is taken by another program, and the profiles of this demo know the server by it; end that \
                 program, or start over with --reset",
                self.port
            );
        }
        let log = std::fs::File::create(state.path("server.log")).context("creating server.log")?;
        let mut child = self
            .command(state)
            .args(["serve", "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("starting pakawaaz-server")?;
        let stdout = child.stdout.take().context("the server has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(facts) = line.strip_prefix("ready ") {
                    return serde_json::from_str::<Ready>(facts).context("the server's ready line");
                }
            }
            bail!("it ended")
        };
        let ready = match timeout(READY_WITHIN, ready).await {
            Ok(Ok(ready)) => ready,
            Ok(Err(e)) => return Err(e).with_context(|| told(state)),
            Err(_) => bail!("{}: not ready in {} s", told(state), READY_WITHIN.as_secs()),
        };
        // Nothing may block the server when it prints more.
        tokio::task::spawn_local(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let address = ready.http.context("the server does not say where it listens")?;
        let n2 = ready.n2.context("the server does not say where gNBs connect")?;
        Ok(Server { stdin: child.stdin.take(), child, address, metrics: ready.metrics, n2 })
    }
}

fn told(state: &State) -> String {
    let log = std::fs::read_to_string(state.path("server.log")).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    let last = lines[lines.len().saturating_sub(8)..].join("\n");
    format!("the server did not start; the end of its log:\n{last}")
}

/// Where `init` leaves the vouchers of the first administrators: a username and a voucher in each line.
pub fn first_vouchers(state: &State) -> PathBuf {
    state.path("first-vouchers")
}

/// A running server.
pub struct Server {
    child: Child,
    /// Apart from `child`, because waiting for a child closes its standard input.
    stdin: Option<ChildStdin>,
    /// `127.0.0.1:PORT`
    pub address: String,
    /// Where its metrics are.
    pub metrics: Option<String>,
    /// Where gNBs connect.
    pub n2: SocketAddr,
}

impl Server {
    /// Resolves when it ends by itself, which it should not.
    pub async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("the server ended unexpectedly ({status}); its log is server.log"),
            Err(e) => format!("the server cannot be watched: {e}"),
        }
    }

    /// Stops it in order; by force when it does not listen, or at once when somebody loses patience.
    pub async fn stop(mut self, impatient: impl Future<Output = ()>) -> Result<()> {
        drop(self.stdin.take());
        let orderly = tokio::select! {
            ended = timeout(STOP_WITHIN, self.child.wait()) => ended.is_ok(),
            () = impatient => false,
        };
        if !orderly {
            self.child.kill().await.context("ending the server")?;
        }
        Ok(())
    }
}

/// A port that nobody uses now.
///
/// Not one of those that the kernel gives to whoever connects somewhere: such a connection could take it while the server
/// starts again.
pub fn free_port() -> Result<u16> {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let mut some = std::iter::repeat_with(|| rand::thread_rng().gen_range(12_000..32_000)).take(1000);
    some.find(free).context("no port is free")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_server_is_named_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), false).unwrap();
        let Err(error) = Installation::new(&state, Some(dir.path().join("nothing")), 1, None) else {
            panic!("found one")
        };
        assert!(error.to_string().contains("cargo build -p pakawaaz-server"), "{error}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_server_that_ends_at_once_is_reported_with_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(&dir.path().join("it's \"here\""), false).unwrap();
        let installation = Installation::new(&state, Some("/bin/false".into()), free_port().unwrap(), None).unwrap();
        let error = tokio::task::LocalSet::new().run_until(installation.start(&state)).await.err().expect("fails");
        assert!(format!("{error:#}").contains("did not start"), "{error:#}");
    }
}

//! `pakawaaz-upf` beside the demo, where the machine allows it: in a network namespace of its own, so that nothing of the
//! machine's own network is touched. Where it cannot be, phones register all the same, and get no session.

use crate::state::State;
use anyhow::{Context as _, Result, bail, ensure};
use pakawaaz_ransim::traffic::N3;
use pakawaaz_upf::lab::{self, Namespace, SERVICE};
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command as StdCommand, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Where the core finds it, in the folder of the state: a path short enough for a socket wherever that folder is.
pub const SOCKET: &str = "upf.sock";
/// The gNB's end of the tunnels.
pub const GNB_ADDRESS: &str = "127.0.0.2";
/// Namespace, rules and interfaces take a fraction of this.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// How it stands with user data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataPath {
    /// Not known yet.
    Starting,
    /// Sessions are served.
    There,
    /// Sessions are refused, because of this.
    Missing(String),
}

impl fmt::Display for DataPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("the user plane is starting"),
            Self::There => f.write_str("user data goes through pakawaaz-upf, in a network namespace of its own"),
            Self::Missing(why) => write!(f, "no data path, so phones get no sessions: {why}"),
        }
    }
}

/// The user plane's process, or the reason why there is none. Dropping it ends it.
pub struct UserPlane {
    path: watch::Receiver<DataPath>,
    task: JoinHandle<()>,
}

impl Drop for UserPlane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl UserPlane {
    /// Starts it in the background. Must run in a `LocalSet`. Also gives the gNB's socket, once there is one.
    pub fn start(state: &State) -> (Self, oneshot::Receiver<N3>) {
        let (hand_over, n3) = oneshot::channel();
        let (tell, path) = watch::channel(DataPath::Starting);
        let folder = state.path("");
        let task = tokio::task::spawn_local(async move {
            let missing = match timeout(READY_WITHIN, run(&folder)).await {
                Ok(Ok((mut child, _namespace, n3))) => {
                    // Waiting for a child closes its standard input, which would end it.
                    let _stdin = child.stdin.take();
                    tell.send_replace(DataPath::There);
                    // Nobody takes it when the demo ends just now.
                    let _ = hand_over.send(n3);
                    match child.wait().await {
                        Ok(status) => format!("the user plane has ended ({status}); its log is upf.log"),
                        Err(e) => format!("the user plane cannot be watched: {e}"),
                    }
                }
                Ok(Err(why)) => format!("{why:#}"),
                Err(_) => format!("the user plane was not ready in {} s", READY_WITHIN.as_secs()),
            };
            tell.send_replace(DataPath::Missing(missing));
        });
        (Self { path, task }, n3)
    }

    /// How it stands, now and later.
    pub fn data_path(&self) -> watch::Receiver<DataPath> {
        self.path.clone()
    }
}

/// Makes the namespace and the files, starts the process, and opens the gNB's socket beside it when it is ready.
async fn run(folder: &Path) -> Result<(Child, Namespace, N3)> {
    if let Some(why) = lab::missing() {
        bail!("{why}");
    }
    let program = std::env::current_exe()?.with_file_name("pakawaaz-upf");
    ensure!(program.exists(), "{} is not built", program.display());
    write_files(folder, &program).await?;
    let namespace = tokio::task::spawn_blocking(|| Namespace::new("demo")).await??;
    let mut command: StdCommand = namespace.command(&program.display().to_string());
    command.arg("--config").arg(folder.join("upf.toml")).args(["run", "--until-stdin-closes"]).current_dir(folder);
    let log = fs::File::create(folder.join("upf.log")).context("creating upf.log")?;
    let mut command = Command::from(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log).kill_on_drop(true);
    // Ctrl-C reaches the demo alone.
    command.process_group(0);
    let mut child = command.spawn().context("starting the user plane")?;
    let stdout = child.stdout.take().context("the user plane has no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    ensure!(first.starts_with("ready"), "the user plane did not start; its log is upf.log");
    let (runtime, gnb) = (Handle::current(), GNB_ADDRESS.parse::<IpAddr>()?);
    let n3 = namespace.inside(|| runtime.block_on(N3::bind(gnb)))??;
    Ok((child, namespace, n3))
}

/// Key, signed allow-list and configuration, unless an earlier start made them; the configuration is the last.
async fn write_files(folder: &Path, program: &Path) -> Result<()> {
    let path = |name: &str| -> PathBuf { folder.join(name) };
    if path("upf.toml").exists() {
        return Ok(());
    }
    let _ = fs::remove_file(path("allow-list.key"));
    let key = call(program, &["allow-list".as_ref(), "key".as_ref(), path("allow-list.key").as_ref()]).await?;
    fs::write(path("allow-list.toml"), lab::ECHO_ONLY).context("writing allow-list.toml")?;
    let (list, secret) = (path("allow-list.toml"), path("allow-list.key"));
    call(program, &["allow-list".as_ref(), "sign".as_ref(), list.as_ref(), "--key".as_ref(), secret.as_ref()]).await?;
    crate::state::write_private(&path("upf.toml"), configuration(key.trim()).as_bytes())
}

/// Paths are relative to the folder, where the process runs.
fn configuration(public_key: &str) -> String {
    format!(
        "# Written by the demo.\n\
         [n3]\naddress = \"127.0.0.1:2152\"\ngnbs = [\"{GNB_ADDRESS}/32\"]\n\
         [n6]\ndevice = \"n6-outer\"\naddresses = [\"10.99.255.2/30\"]\n\
         outer_addresses = [\"{SERVICE}/30\"]\ngateways = [\"{SERVICE}\"]\n\
         [allow_list]\nfile = \"allow-list.toml\"\npublic_key = \"{public_key}\"\n\
         [link]\nsocket = \"{SOCKET}\"\n\
         [metrics]\nfile = \"\"\n"
    )
}

async fn call(program: &Path, arguments: &[&std::ffi::OsStr]) -> Result<String> {
    let done =
        Command::new(program).args(arguments).stdin(Stdio::null()).output().await.context("asking pakawaaz-upf")?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr).trim());
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_one_that_the_user_plane_takes() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("upf.toml");
        fs::write(&file, configuration(&"07".repeat(32))).unwrap();
        let config = pakawaaz_upf::Config::load(Some(&file)).unwrap();
        config.check().unwrap();
        assert_eq!(config.link.socket, Path::new(SOCKET));
    }
}

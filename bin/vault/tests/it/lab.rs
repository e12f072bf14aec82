//! A vault in a folder of its own.

use pakawaaz_aka::Algorithm;
use pakawaaz_base::SimId;
use pakawaaz_sim_vault::{Answer, Ask, Secret, Want};
use pakawaaz_vault::client::Client;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The program under test.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_pakawaaz-vault");

/// Says why a test does nothing here, where that is allowed.
pub fn skipped(why: &str) {
    assert!(std::env::var_os("PAKAWAAZ_SKIP_NOTHING").is_none(), "{why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// A folder with a configuration.
pub struct Lab {
    pub folder: TempDir,
    program: PathBuf,
    uid: Option<u32>,
    environment: Vec<(String, PathBuf)>,
}

impl Lab {
    /// With a key in a file; `more` goes into the configuration.
    pub fn with(more: &str) -> Self {
        let lab = Self::empty(more, "kind = \"file\"");
        lab.run(&["init"]).expect("makes a key");
        lab
    }

    pub fn new() -> Self {
        Self::with("")
    }

    /// Without a key.
    pub fn empty(more: &str, key: &str) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let text = format!(
            "{more}\n[socket]\npath = {:?}\n[key]\nfile = {:?}\n{key}\n[ledger]\nfile = {:?}\n[issue]\nfolder = {:?}\n",
            at("socket"),
            at("key"),
            at("uses"),
            at("issue")
        );
        std::fs::write(folder.path().join("vault.toml"), text).expect("writes");
        Self { folder, program: PROGRAM.into(), uid: None, environment: Vec::new() }
    }

    /// Runs the program as another user from now on.
    pub fn as_user(&mut self, uid: u32) {
        use std::os::unix::fs::{PermissionsExt as _, chown};
        // Where the program was built may be closed to others.
        let copy = self.folder.path().join("program");
        std::fs::copy(PROGRAM, &copy).expect("copies");
        std::fs::set_permissions(&copy, std::fs::Permissions::from_mode(0o755)).expect("opens it");
        for entry in std::fs::read_dir(self.folder.path()).expect("reads") {
            chown(entry.expect("entry").path(), Some(uid), Some(uid)).expect("gives away");
        }
        chown(self.folder.path(), Some(uid), Some(uid)).expect("gives away");
        (self.program, self.uid) = (copy, Some(uid));
    }

    pub fn environment(&mut self, name: &str, value: &Path) {
        self.environment.push((name.into(), value.into()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.path("vault.toml")).current_dir(self.folder.path());
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        command
    }

    /// Runs a command to its end: its output, or its errors.
    pub fn run(&self, arguments: &[&str]) -> Result<String, String> {
        self.enter(arguments, "")
    }

    /// The same with something to read.
    pub fn enter(&self, arguments: &[&str], text: &str) -> Result<String, String> {
        let mut command = self.command();
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        // Commands that read nothing may be gone already.
        let _ = child.stdin.take().expect("piped").write_all(text.as_bytes());
        let done = child.wait_with_output().expect("ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if done.status.success() { Ok(text(done.stdout)) } else { Err(text(done.stderr)) }
    }

    /// Starts the vault and waits until it answers.
    pub fn start(&self) -> Running {
        self.try_start().expect("starts")
    }

    /// The same; errors are what it says before it ends.
    pub fn try_start(&self) -> Result<Running, String> {
        let mut child = self
            .command()
            .args(["serve", "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("reads");
        if line.starts_with("ready ") {
            return Ok(Running { child, socket: self.path("socket") });
        }
        let done = child.wait_with_output().expect("ends");
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

/// A vault that runs; it is killed when this is dropped.
pub struct Running {
    pub child: Child,
    pub socket: PathBuf,
}

impl Running {
    pub fn client(&self) -> Client {
        Client::connect(&self.socket).expect("connects")
    }

    /// SIGKILL: nothing can be tidied up.
    pub fn kill(mut self) {
        self.child.kill().expect("kills");
        self.child.wait().expect("ends");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn card(number: u8) -> SimId {
    SimId::from_bytes([number; 16])
}

pub fn milenage() -> Algorithm {
    Algorithm::milenage_from_hex("465b5ce8b199b49faa5f0a2ee238a6bc", "cd63cb71954a9f4e48a5994e37a02baf").expect("valid")
}

pub fn seal(client: &mut Client, card: SimId, algorithm: &Algorithm) -> Vec<u8> {
    let ask = Ask::SealCard { card, algorithm: Secret::new(&algorithm.encode()) };
    match one(client, ask) {
        Answer::Sealed(sealed) => sealed,
        other => panic!("{other:?}"),
    }
}

pub fn one(client: &mut Client, ask: Ask) -> Answer {
    client.ask(&[ask]).expect("answers").remove(0)
}

pub fn eap(network: &str) -> Want {
    let network = pakawaaz_aka::NetworkName::new(network).expect("valid");
    Want::EapAkaPrime { network, identity: "0555444333222111".into() }
}

pub fn vector(card: SimId, sealed: &[u8], want: Want) -> Ask {
    Ask::Vector { card, sealed: sealed.to_vec(), sqn: [0, 0, 0, 0, 1, 0x20], want }
}

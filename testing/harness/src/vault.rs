//! The vault of the SIMs' keys as a process.

use crate::binaries;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A vault with a key in a file; killed when dropped.
pub struct VaultProcess {
    child: Option<Child>,
    folder: PathBuf,
}

impl VaultProcess {
    /// Makes a key in `folder` and starts to serve.
    pub fn start(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        let mut vault = Self { child: None, folder: folder.to_owned() };
        let made = vault.command("init").output().expect("the vault starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        vault.restart();
        vault
    }

    /// Where the server finds it.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }

    /// `kill -9`, no warning; returns when the process is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The same vault again; returns when it answers.
    pub fn restart(&mut self) {
        self.kill();
        let mut child = self
            .command("serve")
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the vault starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says something");
        assert!(line.starts_with("ready "), "the vault ended before it was ready");
        self.child = Some(child);
    }

    /// Draws an operator's constant, and keeps a bureau's transport key of the name.
    pub fn issue(&self, name: &str, transport: &[u8; 32]) {
        let made = self.command("operator").arg("milenage").output().expect("the vault's program starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut keep = self
            .command("transport")
            .args([name, "--for", "bureau", "--components", "1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the vault's program starts");
        let digits: String = transport.iter().map(|byte| format!("{byte:02x}")).collect();
        keep.stdin.take().expect("piped").write_all(format!("{digits}\n").as_bytes()).expect("it reads");
        assert!(keep.wait().expect("ends").success());
    }

    /// Its counters.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let said = self.command("status").output().expect("the vault's program starts");
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let values = text.lines().filter_map(|line| {
            let (name, value) = line.split_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        values.collect()
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(binaries::path("pakawaaz-vault"));
        command
            .arg(what)
            .env("SIM_VAULT_SOCKET__PATH", self.socket())
            .env("SIM_VAULT_KEY__FILE", self.folder.join("key"))
            .env("SIM_VAULT_LEDGER__FILE", self.folder.join("uses"))
            .env("SIM_VAULT_ISSUE__FOLDER", self.folder.join("issue"))
            .env("SIM_VAULT_LOG__LEVEL", "error")
            // Faster than people log in, for tests.
            .env("SIM_VAULT_LIMITS__CARD_BURST", "100000");
        command
    }
}

impl Drop for VaultProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

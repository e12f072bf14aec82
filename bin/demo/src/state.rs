//! What a demo leaves on disk, so that the next start takes seconds.
//!
//! ```text
//! demo.json            port, size, how far the filling has come
//! bots.log             what kept an official from answering
//! network.json         the cellular network: key of its cards, who got a phone at the desk
//! upf.toml             configuration of the user plane; beside it allow-list.toml, .key, upf.sock and upf.log
//! lock                 held while a demo runs
//! server.toml, server/ configuration and data of the server; server.log its log
//! first-sims.csv       the SIM cards of the first administrators, imported by `init`
//! first-vouchers       their vouchers, made by `init`
//! sims/NAME.json       software SIM cards; sims.csv the batch with their keys
//! vouchers/NAME.voucher
//! profiles/NAME        one official's device; beside it NAME.pin and NAME.password
//! ```

use anyhow::{Context as _, Result, bail};
use rand::RngCore as _;
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// How far the filling has come. Everything in it was true on disk before it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The server's port, for ever: vouchers and profiles name it.
    pub port: u16,
    /// Filled with a few officials only.
    pub small: bool,
    /// Everything is there.
    pub seeded: bool,
    /// Somebody has written to the newcomer.
    pub greeted: bool,
    /// Somebody has written to the first phone.
    #[serde(default)]
    pub phone_greeted: bool,
    /// Where the enrolment desk was last; not promised to stay.
    #[serde(default)]
    pub desk_port: u16,
}

/// What a demo writes beside its folders.
const FILES: [&str; 13] = [
    "demo.json",
    "server.toml",
    "server.log",
    "bots.log",
    "first-sims.csv",
    "first-vouchers",
    "sims.csv",
    "network.json",
    "upf.toml",
    "upf.log",
    "upf.sock",
    "allow-list.toml",
    "allow-list.key",
];

/// The state folder, locked.
pub struct State {
    dir: PathBuf,
    _lock: File,
}

impl State {
    /// Opens or makes the folder. With `reset` everything of an earlier demo goes first.
    pub fn open(dir: &Path, reset: bool) -> Result<Self> {
        let dir = std::path::absolute(dir)?;
        private_folder(&dir)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!("a demo is running already; end it first, or talk to it from there"),
            Err(TryLockError::Error(e)) => return Err(e).context("locking the demo's folder"),
        }
        let state = Self { dir, _lock: lock };
        if reset {
            state.clear()?;
        }
        for sub in ["sims", "vouchers", "profiles"] {
            private_folder(&state.dir.join(sub))?;
        }
        Ok(state)
    }

    /// Removes what a demo makes, by name: the folder may be one that somebody gave us by mistake.
    fn clear(&self) -> Result<()> {
        for name in FILES {
            match fs::remove_file(self.path(name)) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(e).with_context(|| format!("removing {name}")),
                _ => {}
            }
        }
        for name in ["server", "sims", "vouchers", "profiles"] {
            match fs::remove_dir_all(self.path(name)) {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(e).with_context(|| format!("removing {name}")),
                _ => {}
            }
        }
        Ok(())
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
    /// Profile of an official.
    pub fn profile(&self, username: &str) -> PathBuf {
        self.dir.join("profiles").join(username)
    }
    /// PIN of that profile.
    pub fn pin_file(&self, username: &str) -> PathBuf {
        self.dir.join("profiles").join(format!("{username}.pin"))
    }
    /// Password of an official.
    pub fn password_file(&self, username: &str) -> PathBuf {
        self.dir.join("profiles").join(format!("{username}.password"))
    }
    /// SIM card of an official.
    pub fn sim(&self, username: &str) -> PathBuf {
        self.dir.join("sims").join(format!("{username}.json"))
    }
    /// Voucher of an official.
    pub fn voucher(&self, username: &str) -> PathBuf {
        self.dir.join("vouchers").join(format!("{username}.voucher"))
    }

    /// How far an earlier demo came; none = never started.
    pub fn progress(&self) -> Result<Option<Progress>> {
        match fs::read(self.path("demo.json")) {
            Ok(bytes) => {
                Ok(Some(serde_json::from_slice(&bytes).context("demo.json is damaged; start over with --reset")?))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).context("reading demo.json"),
        }
    }
    /// Remembers how far this one came.
    pub fn set_progress(&self, progress: &Progress) -> Result<()> {
        write_private(&self.path("demo.json"), &serde_json::to_vec_pretty(progress)?)
    }

    /// The PIN of an official's profile: what the file says, else a new one, written first.
    pub fn pin(&self, username: &str) -> Result<Zeroizing<String>> {
        secret(&self.pin_file(username), || format!("{:06}", OsRng.next_u64() % 1_000_000))
    }
    /// The password of an official, likewise.
    pub fn password(&self, username: &str) -> Result<Zeroizing<String>> {
        secret(&self.password_file(username), || {
            // Four groups of five letters that are hard to confuse: 80 bits.
            const LETTERS: &[u8; 16] = b"abcdefhkmnprtuwx";
            let mut bytes = [0u8; 20];
            OsRng.fill_bytes(&mut bytes);
            let letters: Vec<char> = bytes.iter().map(|b| char::from(LETTERS[usize::from(b % 16)])).collect();
            letters.chunks(5).map(String::from_iter).collect::<Vec<_>>().join("-")
        })
    }
}

fn secret(path: &Path, make: impl FnOnce() -> String) -> Result<Zeroizing<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Zeroizing::new(Zeroizing::new(text).trim_end().to_owned())),
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let new = Zeroizing::new(make());
            write_private(path, format!("{}\n", *new).as_bytes())?;
            Ok(new)
        }
        Err(e) => Err(e).context("reading a secret's file"),
    }
}

fn private_folder(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Writes a file that only its owner reads, durable and all at once.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        // Not `with_extension`: usernames contain dots.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".new");
        let temporary = path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_demo_at_a_time_and_secrets_that_stay() {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), false).unwrap();
        assert!(State::open(dir.path(), false).is_err(), "locked");
        let (pin, password) = (state.pin("a.b").unwrap(), state.password("a.b").unwrap());
        assert_eq!((pin.len(), password.len()), (6, 23));
        assert_ne!(*password, *state.password("a.c").unwrap());
        drop(state);
        let state = State::open(dir.path(), false).unwrap();
        assert_eq!(*state.pin("a.b").unwrap(), *pin);
        assert_eq!(*state.password("a.b").unwrap(), *password);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(state.pin_file("a.b")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn reset_forgets_the_demo_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let mine = dir.path().join("thesis.txt");
        fs::write(&mine, "precious").unwrap();
        let state = State::open(dir.path(), false).unwrap();
        let progress = Progress { port: 4711, small: true, seeded: true, ..Progress::default() };
        state.set_progress(&progress).unwrap();
        state.pin("a.b").unwrap();
        drop(state);
        assert_eq!(State::open(dir.path(), false).unwrap().progress().unwrap(), Some(progress));
        let state = State::open(dir.path(), true).unwrap();
        assert_eq!(state.progress().unwrap(), None);
        assert!(!state.pin_file("a.b").exists() && mine.exists());
    }
}

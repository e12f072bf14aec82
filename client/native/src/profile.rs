//! A profile: one official's device in one folder, used by one process at a time.
//!
//! ```text
//! profile.toml    server address, pin of its root CA (public)
//! device.secret   32 random bytes, 0600; with the PIN it opens the store
//! store.sqlite    encrypted rows
//! lock            held while a process uses the profile
//! ```

use crate::address::ServerAddress;
use crate::tls::CaPin;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore as _;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Why a profile cannot be used. Log-safe: no paths of users.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// No such profile.
    #[error("this profile is not enrolled yet; run `pakawaaz enrol VOUCHER`")]
    Missing,
    /// There is one already.
    #[error("this profile is enrolled already; choose another with --profile")]
    Exists,
    /// Held by another process.
    #[error("another pakawaaz process is using this profile; wait for it or end it")]
    Locked,
    /// A file is damaged.
    #[error("the profile is damaged: {0}")]
    Damaged(&'static str),
    /// The file system refused.
    #[error("the profile folder cannot be used: {0}")]
    Io(#[from] io::Error),
}

#[derive(Serialize, Deserialize)]
struct ProfileFile {
    server: String,
    ca_pin: String,
}

/// An open, locked profile.
pub struct Profile {
    dir: PathBuf,
    server: ServerAddress,
    ca_pin: CaPin,
    device_secret: Zeroizing<[u8; 32]>,
    // Released when dropped; the kernel releases it too when the process dies.
    _lock: fd_lock::RwLock<File>,
}

impl Profile {
    /// Makes and locks a new profile folder.
    ///
    /// # Errors
    /// [`ProfileError::Exists`], [`ProfileError::Locked`], [`ProfileError::Io`].
    pub fn create(dir: &Path, server: ServerAddress, ca_pin: CaPin) -> Result<Self, ProfileError> {
        private_folder(dir)?;
        let lock = lock(dir)?;
        if dir.join("profile.toml").exists() {
            return Err(ProfileError::Exists);
        }
        let mut device_secret = Zeroizing::new([0u8; 32]);
        rand::rngs::OsRng.fill_bytes(device_secret.as_mut_slice());
        let file = ProfileFile { server: server.to_string(), ca_pin: URL_SAFE_NO_PAD.encode(ca_pin) };
        write_private(&dir.join("device.secret"), device_secret.as_slice())?;
        let text = toml::to_string(&file).map_err(|_| ProfileError::Damaged("profile.toml cannot be written"))?;
        // Last: a profile without this file does not exist, so an interrupted creation can simply be repeated.
        write_private(&dir.join("profile.toml"), text.as_bytes())?;
        Ok(Self { dir: dir.to_owned(), server, ca_pin, device_secret, _lock: lock })
    }

    /// Opens and locks an existing profile.
    ///
    /// # Errors
    /// [`ProfileError::Missing`], [`ProfileError::Locked`], [`ProfileError::Damaged`], [`ProfileError::Io`].
    pub fn open(dir: &Path) -> Result<Self, ProfileError> {
        if !dir.join("profile.toml").exists() {
            return Err(ProfileError::Missing);
        }
        let lock = lock(dir)?;
        let text = fs::read_to_string(dir.join("profile.toml"))?;
        let file: ProfileFile = toml::from_str(&text).map_err(|_| ProfileError::Damaged("profile.toml"))?;
        let server = ServerAddress::parse(&file.server).map_err(|_| ProfileError::Damaged("server address"))?;
        let ca_pin = URL_SAFE_NO_PAD
            .decode(&file.ca_pin)
            .ok()
            .and_then(|b| b.try_into().ok())
            .ok_or(ProfileError::Damaged("ca_pin"))?;
        let bytes = Zeroizing::new(fs::read(dir.join("device.secret"))?);
        let secret: [u8; 32] = bytes.as_slice().try_into().map_err(|_| ProfileError::Damaged("device.secret"))?;
        Ok(Self { dir: dir.to_owned(), server, ca_pin, device_secret: Zeroizing::new(secret), _lock: lock })
    }

    /// Removes a profile whose enrolment failed, so that it can be tried again.
    ///
    /// # Errors
    /// [`ProfileError::Io`].
    pub fn discard(self) -> Result<(), ProfileError> {
        for name in ["profile.toml", "device.secret", "store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
            match fs::remove_file(self.dir.join(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// The server.
    pub fn server(&self) -> &ServerAddress {
        &self.server
    }
    /// Pin of its root CA.
    pub fn ca_pin(&self) -> CaPin {
        self.ca_pin
    }
    /// The device secret.
    pub fn device_secret(&self) -> Zeroizing<[u8; 32]> {
        self.device_secret.clone()
    }
    /// Path of the store.
    pub fn store_path(&self) -> PathBuf {
        self.dir.join("store.sqlite")
    }
    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

fn lock(dir: &Path) -> Result<fd_lock::RwLock<File>, ProfileError> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("lock"))?;
    let mut lock = fd_lock::RwLock::new(file);
    match lock.try_write() {
        // The guard unlocks on drop; forgetting it keeps the lock until the file itself closes.
        Ok(guard) => std::mem::forget(guard),
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(ProfileError::Locked),
        Err(e) => return Err(e.into()),
    }
    Ok(lock)
}

fn private_folder(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Writes a file readable by its owner only, durable and all at once.
///
/// # Errors
/// What the file system says.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
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
    drop(file);
    fs::rename(&temporary, path)?;
    // The parent of a bare file name is the empty path, which cannot be opened.
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> ServerAddress {
        ServerAddress::parse("http://127.0.0.1:1").unwrap()
    }

    #[test]
    fn a_profile_is_held_by_one_process_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = Profile::create(dir.path(), address(), [7; 32]).unwrap();
        assert!(matches!(Profile::open(dir.path()), Err(ProfileError::Locked)));
        drop(first);
        let again = Profile::open(dir.path()).unwrap();
        assert_eq!(again.ca_pin(), [7; 32]);
        assert_eq!(again.server(), &address());
    }

    #[test]
    fn a_profile_is_made_once_and_discarded_whole() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Profile::open(dir.path()), Err(ProfileError::Missing)));
        let first = Profile::create(dir.path(), address(), [7; 32]).unwrap();
        let secret = first.device_secret();
        drop(first);
        assert!(matches!(Profile::create(dir.path(), address(), [7; 32]), Err(ProfileError::Exists)));
        Profile::open(dir.path()).unwrap().discard().unwrap();
        let second = Profile::create(dir.path(), address(), [7; 32]).unwrap();
        assert_ne!(secret, second.device_secret(), "a new device has a new secret");
    }

    #[test]
    fn a_bare_file_name_is_written_in_the_working_folder() {
        let dir = tempfile::tempdir().unwrap();
        std::env::set_current_dir(dir.path()).unwrap();
        write_private(Path::new("card.json"), b"x").unwrap();
        assert_eq!(fs::read(dir.path().join("card.json")).unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_secret() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let _profile = Profile::create(dir.path(), address(), [7; 32]).unwrap();
        let mode = fs::metadata(dir.path().join("device.secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

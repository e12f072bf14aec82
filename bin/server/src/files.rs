//! Files that only the server's own user may read, written so that a crash leaves all or nothing.

use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Makes a directory (and its parents) that only its owner may enter.
pub fn private_dir(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(|| format!("making {}", path.display()))
}

/// Writes a new file that only its owner may read; refuses to overwrite.
pub fn private_file(path: &Path, content: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("making {}", path.display()))?;
    file.write_all(content).and_then(|()| file.sync_all()).with_context(|| format!("writing {}", path.display()))?;
    sync_parent(path)
}

/// Makes a new name in a directory durable.
pub fn sync_parent(path: &Path) -> Result<()> {
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        File::open(parent).and_then(|dir| dir.sync_all()).with_context(|| format!("syncing {}", parent.display()))?;
    }
    Ok(())
}

/// Whether there is nothing here yet: no such directory, or an empty one.
pub fn is_free(path: &Path) -> Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error).with_context(|| format!("looking into {}", path.display())),
    }
}

/// Reads a secret, after making sure that nobody else can.
pub fn read_secret(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>> {
    let mode = fs::metadata(path).with_context(|| format!("opening {}", path.display()))?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{} may be read by others (mode {:o}): chmod 600 it", path.display(), mode & 0o777);
    }
    Ok(fs::read(path).with_context(|| format!("reading {}", path.display()))?.into())
}

/// Held while a server uses a data directory. The system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

/// Keeps a second server away from the same data directory.
pub fn lock_directory(data_dir: &Path) -> Result<DirectoryLock> {
    let path = data_dir.join("server.lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("opening {}", path.display()))?;
    let locked = rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive);
    ensure!(locked.is_ok(), "another server uses {}", data_dir.display());
    Ok(DirectoryLock { _file: file })
}

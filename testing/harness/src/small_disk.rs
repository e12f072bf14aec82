//! A file system of a few MiB, to fill up.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tmpfs; detached when dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one at `dir`, which is made.
    ///
    /// # Panics
    /// When this process may not mount.
    pub fn mount(dir: &Path, mib: u32) -> Self {
        std::fs::create_dir_all(dir).unwrap();
        let size = format!("size={mib}m,mode=0700");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir).output();
        let done = done.expect("the program mount is missing; it is in the package mount");
        assert!(
            done.status.success(),
            "a full disk can only be tested where a tmpfs may be mounted: run this as root (in a container with \
             CAP_SYS_ADMIN). mount said: {}",
            String::from_utf8_lossy(&done.stderr)
        );
        Self(dir.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may still be running, and is about to be killed.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Takes all the space that is left in `dir`, with a file whose path is returned.
pub fn fill(dir: &Path) -> PathBuf {
    let path = dir.join("ballast");
    let mut file = std::fs::File::create(&path).unwrap();
    let block = vec![0x5a; 64 * 1024];
    let mut size = block.len();
    while size > 0 {
        if file.write_all(&block[..size]).is_err() {
            size /= 2;
        }
    }
    path
}

//! The kernel of the virtual machines in which some tests run: Debian's package, unpacked and not installed.

use crate::process;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Points at the package of the current kernel for virtual machines.
const NEWEST: &str = "linux-image-cloud-amd64";
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// Where `testing/vm` looks for it.
fn home() -> PathBuf {
    process::target_dir().join("tools/kernel")
}

pub fn kernel_present() -> bool {
    let images = std::fs::read_dir(home().join("boot")).into_iter().flatten().flatten();
    images.into_iter().any(|e| e.file_name().to_string_lossy().starts_with("vmlinuz-"))
}

/// Downloads and unpacks it.
///
/// # Errors
/// Elsewhere than on Debian: what to do by hand.
pub fn kernel() -> Result<()> {
    let home = home();
    let by_hand = format!("unpack Debian's {NEWEST} (boot/ and lib/modules/) into {}", home.display());
    ensure!(Path::new("/etc/debian_version").exists(), "{by_hand}");
    std::fs::create_dir_all(&home)?;
    let mut update = Command::new("apt-get");
    // Without it the package lists may be too old, or not there; only root may, and everybody may try without.
    let _ = process::logged("apt-update", update.arg("update"), LIMIT);
    let listed = Command::new("apt-cache").args(["depends", "--important", NEWEST]).output().context("apt-cache")?;
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let package = text.lines().find_map(|l| l.trim().strip_prefix("Depends: ")).with_context(|| by_hand.clone())?;
    let mut download = Command::new("apt-get");
    download.args(["download", package]).current_dir(&home);
    let done = process::logged("kernel-download", &mut download, LIMIT)?;
    ensure!(done.ok, "{by_hand}: {}", done.output.trim().lines().last().unwrap_or("apt-get failed"));
    for entry in std::fs::read_dir(&home)? {
        let archive = entry?.path();
        if archive.extension().is_some_and(|e| e == "deb") {
            let mut unpack = Command::new("dpkg-deb");
            let done = process::logged("kernel-unpack", unpack.arg("-x").arg(&archive).arg(&home), LIMIT)?;
            ensure!(done.ok, "dpkg-deb: {}", done.output.trim());
            std::fs::remove_file(&archive)?;
        }
    }
    Ok(())
}

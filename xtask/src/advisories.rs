//! `cargo xtask advisories`: known vulnerabilities in our dependencies. Online, so not part of `test`.

use crate::{process, tools, tree};
use anyhow::{Result, ensure};

/// Runs cargo-deny's advisory check against the RustSec database, with its output on the terminal.
pub fn run() -> Result<()> {
    tools::CARGO_DENY.ensure()?;
    let status = process::cargo().args(["deny", "check", "advisories"]).current_dir(tree::root()).status()?;
    ensure!(status.success(), "cargo-deny found advisories, or could not fetch the RustSec database");
    Ok(())
}

//! The client core must compile for the browser from the first day: no clock, no sockets, no threads creep in.

use crate::report::{Outcome, excerpt, seconds};
use crate::{process, tools};
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "pakawaaz-client";
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// `cargo xtask wasm [--build]`.
pub fn run(args: &[&str]) -> Result<()> {
    let build = match args {
        [] => false,
        ["--build"] => true,
        _ => bail!("wasm knows only --build"),
    };
    let started = process::now();
    let done = compile(if build { "build" } else { "check" }, LIMIT)?;
    if done.failed > 0 {
        println!("{}", excerpt(&done.output, 200));
        bail!("{PACKAGE} does not compile for {TARGET}");
    }
    println!("{PACKAGE} compiles for {TARGET} ({})", seconds(started.elapsed()));
    if build {
        let path = process::target_dir().join(TARGET).join("debug/libpakawaaz_client.rlib");
        let size = std::fs::metadata(&path).with_context(|| format!("reading {}", path.display()))?.len();
        println!(
            "{:.1} kB as an unoptimised library; what a browser loads is measured on the linked module",
            size as f64 / 1e3
        );
    }
    Ok(())
}

/// The suite.
pub fn check(limit: Duration) -> Result<Outcome> {
    compile("check", limit)
}

fn compile(verb: &str, limit: Duration) -> Result<Outcome> {
    let args = [verb, "--locked", "--package", PACKAGE, "--lib", "--target", TARGET];
    let mut command = if rustup_has_target() {
        let mut command = process::cargo();
        command.args(args);
        command
    } else {
        println!("  rustup has no {TARGET}; using Debian's compiler with its own standard library source");
        debian_compiler()?;
        let mut command = Command::new("/usr/bin/cargo");
        command
            .current_dir(crate::tree::root())
            .env("RUSTC", "/usr/bin/rustc")
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", "/usr/bin/wasm-ld")
            // Another compiler's artefacts would only throw ours away.
            .env("CARGO_TARGET_DIR", process::target_dir().join("debian-wasm"))
            .args(args)
            .args(["--ignore-rust-version", "-Z", "build-std=std,panic_abort"]);
        command
    };
    let done = process::logged("wasm", &mut command, limit)?;
    Ok(Outcome::one(done.ok, done.output))
}

/// Whether the toolchain in use can compile for the browser; asks rustup for the target if not.
fn rustup_has_target() -> bool {
    has_std() || (tools::answers("rustup", &["target", "add", TARGET]) && has_std())
}

fn has_std() -> bool {
    let out = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output();
    out.is_ok_and(|out| out.status.success() && Path::new(String::from_utf8_lossy(&out.stdout).trim()).is_dir())
}

fn debian_compiler() -> Result<()> {
    let there = ["/usr/bin/cargo", "/usr/bin/rustc", "/usr/bin/wasm-ld"].iter().all(|path| Path::new(path).exists())
        && Path::new("/usr/lib/rustlib/src").exists();
    if there { Ok(()) } else { tools::install_debian(&["rustc-web", "cargo-web", "rust-web-src", "lld"]) }
}

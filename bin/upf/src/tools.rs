//! The system's own programs: `ip` (iproute2) and `nft` (nftables).

use anyhow::{Context as _, Result, bail};
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Debian's package of each program that we run.
const PACKAGES: &[(&str, &str)] =
    &[("ip", "iproute2"), ("nft", "nftables"), ("iperf3", "iperf3"), ("ping", "iputils-ping")];

/// Where root's programs are, whatever the caller's PATH says.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A program with a fixed PATH and C locale.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).env("LC_ALL", "C");
    command
}

/// Whether a program is installed.
pub fn is_installed(program: &str) -> bool {
    PATH.split(':').any(|folder| std::path::Path::new(folder).join(program).is_file())
}

/// What to install for a program that is missing.
pub fn missing(program: &str) -> String {
    let package = PACKAGES.iter().find(|(of, _)| *of == program).map_or(program, |(_, package)| package);
    format!("the program {program} is missing: install Debian's package {package}")
}

/// Runs a program with words separated by spaces; gives its output.
pub fn run(program: &str, arguments: &str) -> Result<String> {
    run_with_input(program, &arguments.split_whitespace().collect::<Vec<_>>(), "")
}

/// `ip` with words separated by spaces.
pub fn ip(arguments: &str) -> Result<String> {
    run("ip", arguments)
}

/// Loads a rule set into the caller's network namespace, all of it or nothing.
pub fn load_rules(rules: &str) -> Result<()> {
    run_with_input("nft", &["-f", "-"], rules).map(|_| ())
}

fn run_with_input(program: &str, arguments: &[&str], input: &str) -> Result<String> {
    if !is_installed(program) {
        bail!("{}", missing(program));
    }
    let mut command = command(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting {program}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends before it has read everything says why in its own words.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().with_context(|| format!("waiting for {program}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} {}: {}", arguments.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

//! Facts about this machine and about a process, from `/proc`.

use crate::report::Report;
use anyhow::{Context as _, Result};
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What every report ends with.
pub fn describe(report: &mut Report) {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|l| l.strip_prefix("model name")?.split(':').nth(1)).unwrap_or("unknown").trim();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let build = if cfg!(debug_assertions) { "debug: not a figure to quote" } else { "release" };
    report.fact("machine", "Machine", &format!("{} cores, {model}, Linux {}", cores(), kernel.trim()));
    report.fact("build", "Build", build);
}

/// Resident memory of a process in bytes.
pub fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let kib = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.context("/proc/PID/status has no VmRSS")? * 1024)
}

/// The most of it that there ever was.
pub fn peak(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let kib = status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.context("/proc/PID/status has no VmHWM")? * 1024)
}

/// CPU time a process has used, in user and kernel mode.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
    ticks(&stat).map(|ticks| Duration::from_millis(ticks * 10)).context("/proc/PID/stat is not as expected")
}

/// utime and stime (proc(5), fields 14 and 15), in ticks of 1/100 s, which is what Linux tells user space on every
/// architecture we run on.
fn ticks(stat: &str) -> Option<u64> {
    // The name in brackets may contain anything, so count from behind it.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// Lets this process and its children open `wanted` files.
pub fn allow_files(wanted: usize) -> Result<()> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let now = limits.lines().find_map(|l| l.strip_prefix("Max open files")?.split_whitespace().next()?.parse().ok());
    if now.is_some_and(|n: usize| n >= wanted) {
        return Ok(());
    }
    let done = Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string(), &format!("--nofile={wanted}:{wanted}")])
        .stderr(Stdio::null())
        .status();
    anyhow::ensure!(
        done.is_ok_and(|s| s.success()),
        "{wanted} open files are needed; allow them with: ulimit -n {wanted}"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_counted_from_behind_the_name() {
        let stat = "42 (odd) name) S 1 42 42 0 -1 4194304 100 0 0 0 7 5 0 0 20 0 1 0 1 2 3";
        assert_eq!(ticks(stat), Some(12));
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident(std::process::id()).unwrap() > 0);
        cpu_time(std::process::id()).unwrap();
    }
}

//! The cellular core's cycles over the kernel's SCTP, in the virtual machine. Takes the program to run there:
//!
//! ```text
//! cargo build --release -p pakawaaz-ransim --example network_bench
//! cargo run -p pakawaaz-vm --example network_over_sctp -- target/release/examples/network_bench
//! ```
//!
//! The machine is emulated, and so many times slower than the one it runs on. Every line says where it was measured; the
//! framed transport is measured in both places, so what SCTP costs can be told from what emulation costs.

#![allow(clippy::print_stdout, reason = "a figure for people")]

use anyhow::{Context as _, Result, ensure};
use pakawaaz_vm::Guest;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LOAD: &str = "--gnbs 4 --phones 50 --cycles 20 --timeout 900";

fn main() -> Result<()> {
    let program: PathBuf =
        std::env::args_os().nth(1).context("which program? network_bench of pakawaaz-ransim")?.into();
    let guest = Guest::new()?.memory(1024).module("sctp").program("network_bench", &program)?;
    let mut script = "mount -t tmpfs tmpfs /run\n".to_owned();
    for transport in ["sctp", "framed"] {
        script.push_str(&format!("network_bench cycles --transport {transport} {LOAD}\n"));
    }
    let done = guest.run(&script, Duration::from_secs(1800))?;
    ensure!(done.status == Some(0), "it failed in the machine:\n{}", done.console);
    print("emulated machine", &done.console);
    for transport in ["framed", "memory"] {
        let mut command = Command::new(&program);
        let output = command.args(["cycles", "--transport", transport]).args(LOAD.split(' ')).output()?;
        ensure!(output.status.success(), "it failed here: {}", String::from_utf8_lossy(&output.stderr));
        print("this machine", &String::from_utf8_lossy(&output.stdout));
    }
    Ok(())
}

fn print(place: &str, console: &str) {
    for line in console.lines().filter(|line| line.contains("cycle over")) {
        println!("{place}: {line}");
    }
}

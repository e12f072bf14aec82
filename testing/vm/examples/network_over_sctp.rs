//! The cellular core's cycles over the kernel's SCTP, in the virtual machine. Takes the program to run there:
//!
//! ```text
//! cargo build --release -p pakawaaz-ransim --example network_bench
//! cargo run -p pakawaaz-vm --example network_over_sctp -- target/release/examples/network_bench
//! ```
//!
//! The machine is emulated, and so several times slower than the one it runs on; beside the figure stands that of the
//! framed transport in the same machine.

#![allow(clippy::print_stdout, reason = "a figure for people")]

use anyhow::{Context as _, Result, ensure};
use pakawaaz_vm::Guest;
use std::path::PathBuf;
use std::time::Duration;

fn main() -> Result<()> {
    let program: PathBuf =
        std::env::args_os().nth(1).context("which program? network_bench of pakawaaz-ransim")?.into();
    let guest = Guest::new()?.memory(1024).module("sctp").program("network_bench", &program)?;
    let load = "--gnbs 4 --phones 50 --cycles 20 --timeout 900";
    let script = format!(
        "mount -t tmpfs tmpfs /run\n\
         network_bench cycles --transport sctp {load}\n\
         network_bench cycles --transport framed {load}\n"
    );
    let done = guest.run(&script, Duration::from_secs(1800))?;
    for line in done.console.lines().filter(|line| line.contains("cycle over")) {
        println!("{line}");
    }
    ensure!(done.status == Some(0), "it failed in the machine:\n{}", done.console);
    Ok(())
}

//! Load generator: every figure we claim is printed by one of these. Each starts a server of its own (the program
//! beside this one, with the same build profile) on loopback with temporary data, and is bounded in count and time.

mod cellular;
mod city;
mod clock;
mod engine;
mod files;
mod idle;
mod logins;
mod machine;
mod memory;
mod messages;
mod radio;
mod report;
mod revocation;
mod server;
mod tap;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::io::Write as _;
use std::process::ExitCode;

/// Measures a Pakawaaz server on this machine.
#[derive(Parser)]
#[command(name = "pakawaaz-loadgen", version, arg_required_else_help = true)]
struct Arguments {
    /// One JSON object instead of a table.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Messages accepted after a durable commit, then delivered.
    Messages(messages::Options),
    /// Memory of idle connected devices, and all of them coming back after a restart.
    Idle(idle::Options),
    /// A large file up and down, and the memory it takes.
    Files(files::Options),
    /// Full three-factor logins.
    Logins(logins::Options),
    /// Time from a revocation's approval, or from a phone's goodbye, to the end of what it ends.
    Revocation(revocation::Options),
    /// Phones that register, and that go round, through the server's 5G core and its database.
    Cellular(cellular::Options),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "pakawaaz-loadgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = tokio::task::LocalSet::new().block_on(&runtime, async {
        match &arguments.benchmark {
            Benchmark::Messages(options) => messages::run(options).await,
            Benchmark::Idle(options) => idle::run(options).await,
            Benchmark::Files(options) => files::run(options).await,
            Benchmark::Logins(options) => logins::run(options).await,
            Benchmark::Revocation(options) => revocation::run(options).await,
            Benchmark::Cellular(options) => cellular::run(options).await,
        }
    })?;
    let mut out = std::io::stdout();
    if arguments.json {
        writeln!(out, "{}", report.json())?
    } else {
        write!(out, "{}", report.table())?
    }
    Ok(())
}

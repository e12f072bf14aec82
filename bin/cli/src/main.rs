//! `pakawaaz`: the terminal client for officials and administrators.

mod advice;
mod args;
mod args_cellular;
mod args_sims;
mod commands;
mod context;
mod fail;
mod output;
mod secrets;

use args::Cli;
use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.global.json;
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(_) => {
            output::note("pakawaaz: the asynchronous runtime cannot start");
            return ExitCode::from(70);
        }
    };
    let result = tokio::task::LocalSet::new().block_on(&runtime, commands::run(cli));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail::report(&error, json),
    }
}

//! `with-postgres CMD ARGS…`: runs a command with `PAKAWAAZ_TEST_POSTGRES` pointing at a throw-away server.
//!
//! Exit code: the command's, or 1 when the server or the command does not start. A server that is already
//! named in the environment is used as it is.

use pakawaaz_storesuite::{POSTGRES_ENV, Server};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            use std::io::Write as _;
            let _ = writeln!(std::io::stderr(), "with-postgres: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<u8> {
    let mut args = std::env::args_os().skip(1);
    let program = args.next().ok_or_else(|| anyhow::anyhow!("usage: with-postgres CMD ARGS…"))?;
    let mut command = Command::new(program);
    command.args(args);
    let given = std::env::var_os(POSTGRES_ENV).is_some_and(|url| !url.is_empty());
    let server = if given { None } else { Some(Server::start(false)?) };
    if let Some(server) = &server {
        command.env(POSTGRES_ENV, server.url());
    }
    let status = command.status()?;
    drop(server); // stops it
    // A command killed by a signal has no code.
    Ok(status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1)))
}

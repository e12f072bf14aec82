//! `cargo xtask demo`: builds server, command line and demo, then becomes the demo.

use crate::{process, tree, wasm, web};
use anyhow::{Context, Result, bail};
use std::process::Command;

const HELP: &str = "\
cargo xtask demo [--reset] [--small] [--terminal] [--no-browser] [--check]

Builds everything, starts a server with a believable government, and opens the desk that hands out phones.

  --reset   forget what an earlier demo left behind and start over
  --small   four dozen officials instead of two hundred
  --terminal  talk in this terminal instead of the app (builds no web app)
  --no-browser  print the address only
  --check   talk to one official without asking anything, in a state of its own; fails unless all of it works
";

/// What is built. One command, so that shared dependencies are compiled once.
const BUILD: &[&str] =
    &["build", "--locked", "-p", "pakawaaz-server", "-p", "pakawaaz-cli", "-p", "pakawaaz-upf", "-p", "pakawaaz-demo"];

/// What the arguments asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Print the help.
    Help,
    /// Start the demo.
    Start {
        /// Forget the earlier state first.
        reset: bool,
        /// Few officials.
        small: bool,
        /// In the terminal.
        terminal: bool,
        /// Open a browser.
        browser: bool,
        /// Not interactive.
        check: bool,
    },
}

/// Reads the arguments after `demo`.
///
/// # Errors
/// Names the argument it does not know.
pub fn parse(args: &[&str]) -> Result<Request> {
    let (mut reset, mut small, mut check, mut terminal, mut browser) = (false, false, false, false, true);
    for arg in args {
        match *arg {
            "--help" | "-h" => return Ok(Request::Help),
            "--reset" => reset = true,
            "--small" => small = true,
            "--terminal" => terminal = true,
            "--no-browser" => browser = false,
            "--check" => check = true,
            other => bail!("demo does not know {other:?}\n\n{HELP}"),
        }
    }
    Ok(Request::Start { reset, small, terminal, browser, check })
}

/// The command.
pub fn run(args: &[&str]) -> Result<()> {
    match parse(args)? {
        Request::Help => {
            print!("{HELP}");
            Ok(())
        }
        Request::Start { reset, small, terminal, browser, check } => start(reset, small, terminal, browser, check),
    }
}

fn start(reset: bool, small: bool, terminal: bool, browser: bool, check: bool) -> Result<()> {
    let began = process::now();
    // Cargo's own progress goes to the terminal.
    let built = process::cargo().args(BUILD).status().context("starting cargo")?;
    if !built.success() {
        bail!("the build failed");
    }
    let web = if terminal || check { None } else { Some(web::build_app(wasm::Build::Release)?) };
    let program = process::target_dir().join("debug").join(format!("pakawaaz-demo{}", std::env::consts::EXE_SUFFIX));
    let mut demo = Command::new(&program);
    demo.arg("--built-in").arg(began.elapsed().as_millis().to_string());
    for (asked, flag) in [
        (reset, "--reset"),
        (small, "--small"),
        (terminal, "--terminal"),
        (!browser, "--no-browser"),
        (check, "--check"),
    ] {
        if asked {
            demo.arg(flag);
        }
    }
    if let Some(web) = web {
        demo.arg("--web").arg(web);
    }
    if !check {
        demo.arg("--state").arg(tree::root().join(".demo"));
    }
    become_it(demo).with_context(|| format!("running {}", program.display()))
}

/// Replaces this process: one program less between the terminal and the demo, so that Ctrl-C, signals and the exit
/// code need nobody to pass them on.
#[cfg(unix)]
fn become_it(mut demo: Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(demo.exec().into())
}

#[cfg(not(unix))]
fn become_it(mut demo: Command) -> Result<()> {
    std::process::exit(demo.status()?.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        assert_eq!(
            parse(&[]).unwrap(),
            Request::Start { reset: false, small: false, terminal: false, browser: true, check: false }
        );
        assert_eq!(
            parse(&["--reset"]).unwrap(),
            Request::Start { reset: true, small: false, terminal: false, browser: true, check: false }
        );
        assert_eq!(
            parse(&["--check", "--small"]).unwrap(),
            Request::Start { reset: false, small: true, terminal: false, browser: true, check: true }
        );
        assert_eq!(parse(&["--reset", "--help"]).unwrap(), Request::Help);
        assert!(parse(&["--rest"]).is_err());
    }

    #[test]
    fn every_argument_is_in_the_help() {
        for flag in ["--reset", "--small", "--terminal", "--no-browser", "--check"] {
            assert!(HELP.contains(flag) && parse(&[flag]).is_ok(), "{flag}");
        }
    }
}

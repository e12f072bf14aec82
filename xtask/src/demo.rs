//! `cargo xtask demo`. Another engineer fills [`start`]; this module only reads the arguments.

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask demo [--reset]

  --reset   forget what an earlier demo left behind and start over
";

/// What the arguments asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Print the help.
    Help,
    /// Start the demo.
    Start {
        /// Forget the earlier state first.
        reset: bool,
    },
}

/// Reads the arguments after `demo`.
///
/// # Errors
/// Names the argument it does not know.
pub fn parse(args: &[&str]) -> Result<Request> {
    let mut reset = false;
    for arg in args {
        match *arg {
            "--help" | "-h" => return Ok(Request::Help),
            "--reset" => reset = true,
            other => bail!("demo does not know {other:?}\n\n{HELP}"),
        }
    }
    Ok(Request::Start { reset })
}

/// The command.
pub fn run(args: &[&str]) -> Result<()> {
    match parse(args)? {
        Request::Help => {
            print!("{HELP}");
            Ok(())
        }
        Request::Start { reset } => start(reset),
    }
}

/// Hook: the owner of the demo replaces this body.
fn start(_reset: bool) -> Result<()> {
    bail!("the demo is not built yet")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        assert_eq!(parse(&[]).unwrap(), Request::Start { reset: false });
        assert_eq!(parse(&["--reset"]).unwrap(), Request::Start { reset: true });
        assert_eq!(parse(&["--reset", "--help"]).unwrap(), Request::Help);
        assert!(parse(&["--rest"]).is_err());
    }
}

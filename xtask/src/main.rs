//! The project's own commands. `cargo xtask help` lists them.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks to its terminal")]

mod advisories;
mod bench_web;
mod browser;
mod contract;
mod demo;
mod fuzz;
mod guest;
mod oracle;
mod process;
mod report;
mod suites;
mod test;
mod tidy;
mod tools;
mod tree;
mod wasm;
mod web;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  demo [--reset]      build, fill and start a whole system, and walk through a first conversation
  test [SUITE…]       everything that continuous integration checks, with the time of each suite
                      (--list names the suites, --no-budget forgives slow ones)
  tidy                the repository's own rules
  contract            rewrite contract/openapi.json from the server
  wasm                build the client for the browser and print its size
                      (--dev quickly, --testing with exports for tests, --check only clippy)
  web                 build the web app, Node.js and packages included (--dev: client quickly)
  browser [PATTERN…]  the app in a real browser, all tests or some (arguments go to Playwright)
  bench-web [PATTERN…]  measure the web app in a real browser, all of it or some; prints figures
                      (--no-build measures what is built already)
  fuzz                rewrite the fuzz workspace and the replay table from every crate's src/fuzz.rs
  fuzz run TARGET     fuzz one entry until stopped (arguments after TARGET go to libFuzzer)
  advisories          look up known vulnerabilities in our dependencies (needs the network)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
    let outcome = match args.first().map_or("help", String::as_str) {
        "advisories" => advisories::run(),
        "bench-web" => bench_web::run(&rest),
        "browser" => browser::run(&rest),
        "contract" => contract::rewrite(),
        "demo" => demo::run(&rest),
        "fuzz" => fuzz::run(&rest),
        "test" => test::run(&rest),
        "tidy" => tidy::run(),
        "wasm" => wasm::run(&rest),
        "web" => web::run(&rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(anyhow::anyhow!("there is no command {other:?}\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Commands that have printed their own verdict fail with an empty message.
            let text = format!("{error:#}");
            if !text.is_empty() {
                eprintln!("xtask: {text}");
            }
            ExitCode::FAILURE
        }
    }
}

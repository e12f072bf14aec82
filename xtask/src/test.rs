//! `cargo xtask test`: runs the suites and says what came of it.

use crate::report::{Outcome, Row, closing_line, excerpt, seconds, table};
use crate::suites::{SUITES, Suite, TOOLS_BUDGET, TOTAL_BUDGET};
use crate::{process, tools};
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

/// Lines of a failing suite's output that are printed; the log has all.
const SHOWN_LINES: usize = 400;

/// What the arguments asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    /// Empty means all.
    names: BTreeSet<String>,
    budget_matters: bool,
    list: bool,
}

/// The command.
///
/// # Errors
/// When an argument is unknown, or (with an empty message, all being printed by then) when anything failed.
pub fn run(args: &[&str]) -> Result<()> {
    let request = parse(args)?;
    if request.list {
        for suite in SUITES {
            println!("{:<14}{:>6} s  {}", suite.name, suite.budget, suite.about);
        }
        return Ok(());
    }
    let chosen: Vec<&Suite> = SUITES.iter().filter(|suite| request.wants(suite)).collect();
    let started = process::now();
    let mut run = Run::default();
    let broken_tools = run.install(&chosen);
    thread::scope(|scope| {
        let mut build_failed = false;
        let mut beside: Vec<(&Suite, ScopedJoinHandle<'_, Ended>)> = Vec::new();
        for suite in chosen {
            for (other, running) in beside.extract_if(.., |(other, _)| suite.waits_for.contains(&other.name)) {
                run.ended(other, joined(running));
            }
            if build_failed && suite.after_build {
                let budget = Duration::from_secs(suite.budget);
                run.rows.push(Row { name: suite.name, took: None, budget, failed: 0 });
                continue;
            }
            println!("{} …", suite.name);
            if suite.beside {
                beside.push((suite, scope.spawn(|| execute(suite, &broken_tools))));
                continue;
            }
            let failed = run.ended(suite, execute(suite, &broken_tools));
            build_failed |= failed && suite.name == "build";
        }
        for (other, running) in beside {
            run.ended(other, joined(running));
        }
    });
    let all = Row {
        name: "total",
        took: Some(started.elapsed()),
        budget: Duration::from_secs(TOTAL_BUDGET),
        failed: run.failed,
    };
    run.rows.push(all);
    run.finish(request.budget_matters)
}

/// What came of a suite, and how long it took.
type Ended = (Outcome, Duration);

/// The run so far.
#[derive(Default)]
struct Run {
    rows: Vec<Row>,
    passed: u32,
    failed: u32,
    skipped: u32,
}

impl Run {
    /// Installs what the chosen suites need; gives what could not be, with the reason.
    fn install(&mut self, chosen: &[&Suite]) -> BTreeMap<&'static str, String> {
        let started = process::now();
        let mut broken = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for tool in chosen.iter().flat_map(|suite| suite.tools) {
            if seen.insert(tool.name)
                && let Err(error) = tools::Tool::ensure(tool)
            {
                broken.insert(tool.name, format!("{error:#}"));
            }
        }
        let row = Row {
            name: "tools",
            took: Some(started.elapsed()),
            budget: Duration::from_secs(TOOLS_BUDGET),
            failed: broken.len() as u32,
        };
        self.rows.push(row);
        broken
    }

    /// Says and keeps what came of a suite; true when it failed.
    fn ended(&mut self, suite: &Suite, (outcome, took): Ended) -> bool {
        if outcome.failed > 0 {
            println!("{}", excerpt(&outcome.output, SHOWN_LINES));
            println!(
                "{} FAILED after {} (log: {})\n",
                suite.name,
                seconds(took),
                process::log_path(suite.name).display()
            );
        } else {
            let warnings = if suite.name == "tidy" { outcome.output.as_str() } else { "" };
            print!("{warnings}");
            println!("{} ok in {}", suite.name, seconds(took));
        }
        self.passed += outcome.passed;
        self.failed += outcome.failed;
        self.skipped += outcome.skipped;
        self.rows.push(Row {
            name: suite.name,
            took: Some(took),
            budget: Duration::from_secs(suite.budget),
            failed: outcome.failed,
        });
        outcome.failed > 0
    }

    fn finish(mut self, budget_matters: bool) -> Result<()> {
        println!("{}", table(&self.rows));
        let slow = self.rows.iter().filter(|row| row.over_budget()).count() as u32;
        if slow > 0 && budget_matters {
            println!("{slow} over budget: make it faster, or raise the budget in xtask/src/suites.rs and say why\n");
            self.failed += slow;
        }
        println!("{}", closing_line(self.passed, self.failed, self.skipped));
        if self.failed > 0 {
            bail!("");
        }
        Ok(())
    }
}

/// Runs one suite.
fn execute(suite: &Suite, broken_tools: &BTreeMap<&'static str, String>) -> Ended {
    let started = process::now();
    let missing = suite.tools.iter().find_map(|tool| broken_tools.get(tool.name));
    let outcome = match missing {
        Some(reason) => Outcome::one(false, reason.clone()),
        None => (suite.run)(suite).unwrap_or_else(|error| Outcome::one(false, format!("{error:#}"))),
    };
    (outcome, started.elapsed())
}

/// What came of a suite that ran beside others.
fn joined(running: ScopedJoinHandle<'_, Ended>) -> Ended {
    running.join().unwrap_or_else(|_| (Outcome::one(false, "it panicked"), Duration::ZERO))
}

impl Request {
    /// Chosen by name, or everything that has something to do. Suites that run built programs bring the build along.
    fn wants(&self, suite: &Suite) -> bool {
        if self.names.is_empty() {
            return !suite.is_empty();
        }
        let builds =
            suite.name == "build" && SUITES.iter().any(|other| other.after_build && self.names.contains(other.name));
        builds || self.names.contains(suite.name)
    }
}

fn parse(args: &[&str]) -> Result<Request> {
    let mut request = Request { budget_matters: true, ..Request::default() };
    for arg in args {
        match *arg {
            "--no-budget" => request.budget_matters = false,
            "--list" => request.list = true,
            name if SUITES.iter().any(|suite| suite.name == name) => {
                request.names.insert(name.to_owned());
            }
            other => {
                let names: Vec<_> = SUITES.iter().map(|suite| suite.name).collect();
                bail!("there is no suite {other:?}; there are {} and the options --list, --no-budget", names.join(", "))
            }
        }
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(args: &[&str]) -> Vec<&'static str> {
        let request = parse(args).unwrap();
        SUITES.iter().filter(|suite| request.wants(suite)).map(|suite| suite.name).collect()
    }

    #[test]
    fn a_suite_that_runs_built_programs_brings_the_build() {
        assert_eq!(wanted(&["unit"]), ["build", "unit"]);
        assert_eq!(wanted(&["tidy", "format"]), ["format", "tidy"]);
        assert!(wanted(&[]).contains(&"e2e"));
    }

    #[test]
    fn unknown_suites_are_refused() {
        assert!(parse(&["units"]).is_err());
        assert!(!parse(&["--no-budget"]).unwrap().budget_matters);
    }

    #[test]
    fn any_failure_or_slowness_fails_the_run() {
        let row = |secs, failed| Row {
            name: "unit",
            took: Some(Duration::from_secs(secs)),
            budget: Duration::from_secs(10),
            failed,
        };
        let run = |secs, failed| Run { rows: vec![row(secs, failed)], passed: 3, failed, skipped: 0 };
        assert!(run(1, 0).finish(true).is_ok());
        assert!(run(1, 1).finish(true).is_err());
        assert!(run(11, 0).finish(true).is_err());
        assert!(run(11, 0).finish(false).is_ok());
    }
}

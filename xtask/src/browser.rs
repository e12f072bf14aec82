//! The app in a real browser against a real server: Playwright drives headless Chromium, the demo is the server.

use crate::report::Outcome;
use crate::web::{self, Node};
use crate::{process, wasm};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fs;
use std::time::Duration;

/// The suite. Pictures of every screen and traces of failures are left in `target/web-e2e`.
pub fn check(limit: Duration) -> Result<Outcome> {
    if !web::dist().join("bundle.json").exists() {
        web::build_app(wasm::Build::Release)?;
    }
    // The page with the suite of every store needs exports that the app does not have.
    wasm::make(wasm::Build::Release, true, limit)?;
    let node = Node::ensure()?;
    node.packages()?;
    let results = process::target_dir().join("web-e2e");
    let report = results.join("report.json");
    let _ = fs::remove_file(&report); // an old one must not speak for this run
    fs::create_dir_all(&results)?;
    let done = node.run_within("e2e", &["run", "--silent", "e2e"], limit)?;
    let counted = fs::read_to_string(&report).ok().and_then(|text| counts(&text));
    let mut outcome = counted.unwrap_or_default();
    if (!done.ok && outcome.failed == 0) || (done.ok && outcome.passed == 0) {
        outcome.failed += 1;
    }
    outcome.output = done.output;
    Ok(outcome)
}

/// `cargo xtask browser [PATTERN]`: the same, or those tests whose file or name matches.
pub fn run(args: &[&str]) -> Result<()> {
    let node = Node::ensure()?;
    node.packages()?;
    let mut all = vec!["run", "e2e", "--"];
    all.extend(args);
    let done = node.run_within("e2e", &all, Duration::from_secs(3600)).context("running Playwright")?;
    println!("{}", done.output);
    anyhow::ensure!(done.ok, "the browser tests failed");
    Ok(())
}

/// Playwright's own sums. A test that needed a second try is no pass.
fn counts(report: &str) -> Option<Outcome> {
    let report: Value = serde_json::from_str(report).ok()?;
    let number = |name: &str| report["stats"][name].as_u64().and_then(|n| u32::try_from(n).ok());
    Some(Outcome {
        passed: number("expected")?,
        failed: number("unexpected")? + number("flaky")?,
        skipped: number("skipped")?,
        output: String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sums_are_read_and_flaky_is_not_passed() {
        let text = r#"{"stats":{"expected":7,"skipped":1,"unexpected":2,"flaky":1}}"#;
        let outcome = counts(text).unwrap();
        assert_eq!((outcome.passed, outcome.failed, outcome.skipped), (7, 3, 1));
        assert_eq!(counts("{}"), None);
    }
}

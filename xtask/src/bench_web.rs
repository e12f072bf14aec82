//! Measurements of the web app in a real browser against a real server, each of which prints its figures.

use crate::report::seconds;
use crate::web::{self, Node};
use crate::{process, wasm};
use anyhow::{Context, Result, bail, ensure};
use std::time::Duration;

/// What the demo needs, which is the server of all measurements.
const PROGRAMS: &[&str] = &["build", "--locked", "-p", "pakawaaz-server", "-p", "pakawaaz-cli", "-p", "pakawaaz-demo"];
const CONFIG: &str = "e2e/bench.config.ts";
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// At the beginning of a line with a figure or how it was measured (`web/e2e/bench/figures.ts`).
const MARK: char = '▸';

/// `cargo xtask bench-web [--no-build] [PATTERN…]`: all measurements, or those whose file or title matches.
pub fn run(args: &[&str]) -> Result<()> {
    let (flags, patterns): (Vec<&str>, Vec<&str>) = args.iter().partition(|arg| arg.starts_with('-'));
    if let Some(unknown) = flags.iter().find(|flag| **flag != "--no-build") {
        bail!("bench-web knows --no-build and names of measurements, not {unknown}");
    }
    let node = Node::ensure()?;
    node.packages()?;
    if flags.is_empty() {
        println!("building what is measured …");
        let built = process::cargo().args(PROGRAMS).status().context("starting cargo")?;
        ensure!(built.success(), "the build failed");
        web::build_app(wasm::Build::Release)?;
        wasm::make(wasm::Build::Release, true, LIMIT)?;
    }
    let began = process::now();
    let mut all = vec!["exec", "--", "playwright", "test", "-c", CONFIG];
    all.extend(patterns);
    let done = node.run_within("bench", &all, LIMIT).context("running Playwright")?;
    for figure in figures(&done.output) {
        println!("{figure}");
    }
    ensure!(done.ok, "a measurement failed:\n{}", crate::report::excerpt(&done.output, 60));
    println!("measured in {}; all output is in {}", seconds(began.elapsed()), process::log_path("web-bench").display());
    Ok(())
}

/// The lines that say something measured, without their mark. Notes stand apart from the figures before them.
fn figures(output: &str) -> Vec<String> {
    let mut told = Vec::new();
    let mut after_figure = true;
    for line in output.lines().filter_map(|line| line.trim_start().strip_prefix(MARK)) {
        let is_note = line.starts_with("   ");
        match is_note {
            true if after_figure => told.push(format!("\n{}", line.trim())),
            true => told.push(line.trim().to_owned()),
            false => told.push(format!(" {line}")),
        }
        after_figure = !is_note;
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_notes_are_picked_out() {
        let output = "Running 3 tests\n▸   First load\n▸   of a stranger\n▸ app 187 kB\n    187 kB br /a.js\n  ✓  1 it (2s)\n▸ WASM 926 kB\n";
        assert_eq!(figures(output), ["\nFirst load", "of a stranger", "  app 187 kB", "  WASM 926 kB"]);
        assert_eq!(figures("nothing"), Vec::<String>::new());
    }
}

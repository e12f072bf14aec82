//! What a run of the suites comes to: counts, the table, the closing line.

use std::time::Duration;

/// The result of one suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Checks that held: tests for nextest suites, otherwise one for the suite.
    pub passed: u32,
    /// Checks that did not.
    pub failed: u32,
    /// Tests that were ignored.
    pub skipped: u32,
    /// What to show when something failed.
    pub output: String,
}

impl Outcome {
    /// A suite that counts as one check.
    pub fn one(ok: bool, output: impl Into<String>) -> Self {
        Self { passed: ok.into(), failed: (!ok).into(), skipped: 0, output: output.into() }
    }

    /// Reads the counts from nextest's summary line.
    ///
    /// Without such a line nothing ran (a crash, a build error), which counts as one failure. A run that ends
    /// badly although every counted test passed (a leaked process, a broken setup) counts as one, too.
    pub fn of_nextest(ok: bool, output: String) -> Self {
        let mut outcome = output.lines().rev().find_map(summary).unwrap_or_default();
        if !ok && outcome.failed == 0 {
            outcome.failed = 1;
        }
        if ok && outcome.passed == 0 {
            outcome.failed += 1;
        }
        outcome.output = output;
        outcome
    }
}

/// `Summary [ 0.1s] 7 tests run: 4 passed (1 slow), 2 failed, 1 timed out, 3 skipped`
fn summary(line: &str) -> Option<Outcome> {
    let (head, counts) = line.split_once(" run: ")?;
    if !head.trim_start().starts_with("Summary [") {
        return None;
    }
    let mut outcome = Outcome::default();
    for part in without_parentheses(counts).split(',') {
        let (number, word) = part.trim().split_once(' ')?;
        let number: u32 = number.parse().ok()?;
        match word.trim() {
            "passed" => outcome.passed += number,
            "skipped" => outcome.skipped += number,
            // "failed", "timed out", "exec failed", and whatever nextest invents next: not passed is failed.
            _ => outcome.failed += number,
        }
    }
    Some(outcome)
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    text.chars()
        .filter(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => return depth == 0,
            }
            false
        })
        .collect()
}

/// One line of the table.
pub struct Row {
    /// The suite.
    pub name: &'static str,
    /// How long it took; `None` when it did not run.
    pub took: Option<Duration>,
    /// How long it may take.
    pub budget: Duration,
    /// Checks in it that failed.
    pub failed: u32,
}

impl Row {
    /// Took longer than its budget.
    pub fn over_budget(&self) -> bool {
        self.took.is_some_and(|took| took > self.budget)
    }

    fn verdict(&self) -> &'static str {
        match (self.took, self.failed, self.over_budget()) {
            (None, ..) => "not run",
            (_, 1.., _) => "FAILED",
            (_, 0, true) => "over budget",
            (_, 0, false) => "ok",
        }
    }
}

/// The table of all suites with their times.
pub fn table(rows: &[Row]) -> String {
    let mut out = format!("\n{:<14}{:>10}{:>10}  {}\n", "suite", "time", "budget", "result");
    for row in rows {
        let took = row.took.map_or_else(|| "-".to_owned(), seconds);
        out += &format!("{:<14}{took:>10}{:>10}  {}\n", row.name, seconds(row.budget), row.verdict());
    }
    out
}

/// `12.3 s`
pub fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// The closing line, which other programs read.
pub fn closing_line(passed: u32, failed: u32, skipped: u32) -> String {
    let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} skipped") };
    format!("{passed} passed, {failed} failed{skipped}")
}

/// The part of a log worth printing: without cargo's progress lines, and its end when it is long.
pub fn excerpt(log: &str, most: usize) -> String {
    const NOISE: &[&str] =
        &["Compiling ", "Checking ", "Downloaded ", "Downloading ", "Fresh ", "Blocking ", "Updating "];
    let lines: Vec<&str> =
        log.lines().filter(|line| !NOISE.iter().any(|noise| line.trim_start().starts_with(noise))).collect();
    let cut = lines.len().saturating_sub(most);
    let mut out = if cut > 0 { format!("[{cut} earlier lines are in the log]\n") } else { String::new() };
    out += &lines[cut..].join("\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(line: &str) -> (u32, u32, u32) {
        let outcome = summary(line).expect("a summary line");
        (outcome.passed, outcome.failed, outcome.skipped)
    }

    #[test]
    fn reads_every_form_of_nextest_summary() {
        assert_eq!(counts("     Summary [   0.012s] 5 tests run: 5 passed, 0 skipped"), (5, 0, 0));
        assert_eq!(counts("     Summary [   0.012s] 1 test run: 1 passed, 0 skipped"), (1, 0, 0));
        let bad = "     Summary [ 300.1s] 9/12 tests run: 4 passed (1 slow, 2 leaky), 2 failed, 2 timed out, 1 exec failed, 3 skipped";
        assert_eq!(counts(bad), (4, 5, 3));
        assert_eq!(summary("  5 tests run: 5 passed"), None);
    }

    #[test]
    fn a_run_without_summary_or_without_tests_has_failed() {
        assert_eq!(Outcome::of_nextest(false, "error: could not compile".into()).failed, 1);
        assert_eq!(Outcome::of_nextest(true, "error: no tests to run".into()).failed, 1);
        let odd = Outcome::of_nextest(false, "Summary [ 0.1s] 2 tests run: 2 passed, 0 skipped".into());
        assert_eq!((odd.passed, odd.failed), (2, 1));
    }

    #[test]
    fn the_last_summary_counts() {
        let log =
            "Summary [ 1s] 1 test run: 1 passed, 0 skipped\nSummary [ 1s] 2 tests run: 1 passed, 1 failed, 0 skipped";
        let outcome = Outcome::of_nextest(false, log.into());
        assert_eq!((outcome.passed, outcome.failed), (1, 1));
    }

    #[test]
    fn closing_lines() {
        assert_eq!(closing_line(4, 0, 0), "4 passed, 0 failed");
        assert_eq!(closing_line(4, 1, 2), "4 passed, 1 failed, 2 skipped");
    }

    #[test]
    fn a_slow_suite_is_over_budget() {
        let row = |took, failed| Row { name: "unit", took, budget: Duration::from_secs(5), failed };
        assert_eq!(row(Some(Duration::from_secs(6)), 0).verdict(), "over budget");
        assert_eq!(row(Some(Duration::from_secs(4)), 0).verdict(), "ok");
        assert_eq!(row(Some(Duration::from_secs(6)), 1).verdict(), "FAILED");
        assert_eq!(row(None, 0).verdict(), "not run");
    }

    #[test]
    fn an_excerpt_keeps_the_end_and_drops_progress() {
        let log = "   Compiling a\nerror: one\n  Checking b\nline\nlast";
        assert_eq!(excerpt(log, 10), "error: one\nline\nlast");
        assert_eq!(excerpt(log, 2), "[1 earlier lines are in the log]\nline\nlast");
    }
}

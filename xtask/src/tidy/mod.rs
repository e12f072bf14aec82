//! The repository's own rules: what neither the compiler nor clippy can know.
//!
//! Each rule is a function from the [`Tree`] to its [`Finding`]s, with tests that show it failing.

mod codes;
mod fuzzing;
mod manifests;
mod purity;
mod shape;
pub mod source;
mod sql;
mod text;

use crate::report::Outcome;
use crate::tree::Tree;
use anyhow::{Result, bail};

/// Something that breaks a rule, or (a warning) is about to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    /// 0 when the whole file or folder is meant.
    line: usize,
    message: String,
    warning: bool,
}

impl Finding {
    fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into(), warning: false }
    }

    fn warning(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { warning: true, ..Self::new(path, line, message) }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.warning { "warning: " } else { "" };
        match self.line {
            0 => write!(f, "{}: {kind}{}", self.path, self.message),
            line => write!(f, "{}:{line}: {kind}{}", self.path, self.message),
        }
    }
}

/// One rule of the repository.
type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: &[Rule] =
    &[manifests::check, purity::check, sql::check, shape::check, text::check, codes::check, fuzzing::check];

/// `cargo xtask tidy`.
pub fn run() -> Result<()> {
    let outcome = outcome()?;
    print!("{}", outcome.output);
    if outcome.failed > 0 {
        bail!("");
    }
    println!("tidy");
    Ok(())
}

/// The suite: failed when any finding is more than a warning.
pub fn outcome() -> Result<Outcome> {
    let findings = findings(&Tree::load()?);
    let ok = findings.iter().all(|finding| finding.warning);
    Ok(Outcome::one(ok, findings.iter().map(|finding| format!("{finding}\n")).collect::<String>()))
}

/// What all rules find, warnings last.
fn findings(tree: &Tree) -> Vec<Finding> {
    let mut all: Vec<Finding> = RULES.iter().flat_map(|rule| rule(tree)).collect();
    all.sort_by(|a, b| (a.warning, a).cmp(&(b.warning, b)));
    all.dedup();
    all
}

/// Test help: the messages of a rule over made-up files.
#[cfg(test)]
fn found(rule: Rule, files: &[(&str, &str)]) -> Vec<String> {
    rule(&Tree::of(files)).iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_name_file_and_line() {
        assert_eq!(Finding::new("a.rs", 3, "bad").to_string(), "a.rs:3: bad");
        assert_eq!(Finding::new("a", 0, "bad").to_string(), "a: bad");
        assert_eq!(Finding::warning("a.rs", 1, "long").to_string(), "a.rs:1: warning: long");
    }

    #[test]
    fn all_rules_run_and_warnings_come_last() {
        let long = "// x\n".repeat(700);
        let tree = Tree::of(&[("b/x.rs", "fn a() {} \n"), ("a/y.rs", &long)]);
        let lines: Vec<String> = findings(&tree).iter().map(ToString::to_string).collect();
        assert!(lines[0].starts_with("b/x.rs:1"), "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("fuzz/Cargo.toml: ")), "{lines:?}");
        assert!(lines.last().unwrap().contains("a/y.rs: warning"), "{lines:?}");
    }
}

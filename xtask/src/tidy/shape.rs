//! Every context looks the same inside, and no crate is an empty room.

use super::source::Source;
use super::{Finding, manifests};
use crate::tree::Tree;

/// What every context has; a module may be a folder or one file.
const CONTEXT_PARTS: &[&str] =
    &["README.md", "migrations", "src/lib.rs", "src/model", "src/service", "src/store", "src/http"];

/// A crate with less code than this is a promise, not a crate.
const LEAST_CODE_LINES: usize = 10;

/// The rule.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in tree.folders("contexts") {
        let folder = format!("contexts/{name}");
        for part in CONTEXT_PARTS {
            let path = format!("{folder}/{part}");
            if !tree.has(&path) && !tree.has(&format!("{path}.rs")) {
                findings.push(Finding::new(&folder, 0, format!("a context has {part}; this one lacks it")));
            }
        }
    }
    for one in manifests::crates(tree) {
        let inside = format!("{}/src/", one.folder);
        let lines: usize = tree
            .rust()
            .filter(|(path, _)| path.starts_with(&inside))
            .map(|(_, text)| Source::new(text).code_lines())
            .sum();
        if lines < LEAST_CODE_LINES {
            let message =
                format!("{} has {lines} lines of code: create a crate when the work that fills it arrives", one.name);
            findings.push(Finding::new(&one.folder, 0, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn a_context_lacking_a_part_is_named() {
        let whole: Vec<(String, &str)> = [
            "README.md",
            "migrations/0001.sql",
            "src/lib.rs",
            "src/model/mod.rs",
            "src/service/a.rs",
            "src/store.rs",
            "src/http/mod.rs",
        ]
        .iter()
        .map(|part| (format!("contexts/a/{part}"), ""))
        .collect();
        let whole: Vec<(&str, &str)> = whole.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        assert!(found(check, &whole).is_empty());
        for left_out in 0..whole.len() {
            let mut rest = whole.clone();
            rest.remove(left_out);
            assert_eq!(found(check, &rest).len(), 1, "without {}", whole[left_out].0);
        }
    }

    #[test]
    fn empty_rooms_are_found() {
        let manifest = "[package]\nname = \"pakawaaz-a\"";
        let comments = "// a comment\n".repeat(50);
        let code = "fn a() {}\n".repeat(12);
        assert_eq!(found(check, &[("bin/a/Cargo.toml", manifest), ("bin/a/src/lib.rs", &comments)]).len(), 1);
        assert!(found(check, &[("bin/a/Cargo.toml", manifest), ("bin/a/src/lib.rs", &code)]).is_empty());
    }
}

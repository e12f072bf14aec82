//! Error codes are part of the contract: each names its crate, and no two meanings share one.

use super::source::{Source, TestFiles};
use super::{Finding, manifests};
use crate::tree::Tree;
use std::collections::BTreeMap;

/// Prefixes that a crate may use besides its own name: (crate, prefix).
const EXTRA_PREFIXES: &[(&str, &str)] = &[
    // What a SIM answers is told apart from what our own AKA code refuses.
    ("aka", "usim"),
    // Screens know it as the engine, whatever it is compiled to.
    ("client-wasm", "engine"),
];

/// The rule.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let tests = TestFiles::of(tree);
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for one in manifests::crates(tree) {
        let Some(short) = one.name.strip_prefix("pakawaaz-") else { continue };
        let inside = format!("{}/src/", one.folder);
        for (path, text) in tree.rust().filter(|(path, _)| path.starts_with(&inside) && !tests.contains(path)) {
            for (line, code) in codes(&Source::new(text)) {
                if !well_formed(&code) {
                    let message = format!("the error code {code:?} is not of the form context.reason");
                    findings.push(Finding::new(path, line, message));
                } else if !prefix_fits(short, &code) {
                    let message =
                        format!("the error code {code:?} must start with {:?}", format!("{}.", prefix(short)));
                    findings.push(Finding::new(path, line, message));
                }
                let here = format!("{path}:{line}");
                if let Some(there) = seen.insert(code.clone(), here) {
                    let message = format!("the error code {code:?} is used in {there} as well; one code, one meaning");
                    findings.push(Finding::new(path, line, message));
                }
            }
        }
    }
    findings
}

/// The literals inside every `fn code(&self)`, outside tests, with their lines.
fn codes(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in source.find("fn code(&self)").filter(|at| !source.is_test(*at)) {
        // A declaration in a trait ends before any block begins.
        let rest = &source.code[at..];
        if rest.find(';').unwrap_or(usize::MAX) < rest.find('{').unwrap_or(usize::MAX) {
            continue;
        }
        let Some(body) = source.block(at) else { continue };
        for literal in source.literals.iter().filter(|literal| body.contains(&literal.start)) {
            found.push((source.line(literal.start), literal.value.clone()));
        }
    }
    found
}

fn well_formed(code: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    code.split_once('.').is_some_and(|(context, reason)| word(context) && word(reason))
}

/// `client-store-sqlite` → `client_store_sqlite`
fn prefix(short: &str) -> String {
    short.replace('-', "_")
}

fn prefix_fits(short: &str, code: &str) -> bool {
    let given = code.split('.').next().unwrap_or_default();
    given == prefix(short) || EXTRA_PREFIXES.contains(&(short, given))
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const MANIFEST: &str = "[package]\nname = \"pakawaaz-messaging\"\n";

    fn check_code(body: &str) -> Vec<String> {
        let text = format!(
            "impl StableError for E {{\n fn code(&self) -> &'static str {{\n match self {{ {body} }}\n }}\n}}\n"
        );
        found(check, &[("contexts/messaging/Cargo.toml", MANIFEST), ("contexts/messaging/src/error.rs", &text)])
    }

    #[test]
    fn good_codes() {
        assert!(check_code("A => \"messaging.epoch_conflict\", B(e) => e.code(), C => \"messaging.gone\"").is_empty());
    }

    #[test]
    fn bad_codes() {
        for bad in ["\"identity.epoch\"", "\"epoch_conflict\"", "\"messaging.EpochConflict\"", "\"messaging.\""] {
            assert_eq!(check_code(&format!("A => {bad}")).len(), 1, "{bad}");
        }
        assert_eq!(check_code("A => \"messaging.a\", B => \"messaging.a\"").len(), 1);
    }

    #[test]
    fn two_enums_of_one_crate_do_not_share_a_code() {
        let text = "impl E for A { fn code(&self) -> &'static str { \"messaging.a\" } }\n";
        let lines = found(
            check,
            &[
                ("contexts/messaging/Cargo.toml", MANIFEST),
                ("contexts/messaging/src/a.rs", text),
                ("contexts/messaging/src/b.rs", text),
            ],
        );
        assert_eq!(lines.len(), 1);
        assert!(lines[0].contains("contexts/messaging/src/a.rs:1"), "{lines:?}");
    }

    #[test]
    fn declarations_and_tests_are_left_alone() {
        let text = "trait T { fn code(&self) -> &'static str; }\nfn x() { y(\"other\") }\n#[cfg(test)]\nmod tests { impl E for A { fn code(&self) -> &'static str { \"x\" } } }\n";
        let files = [("contexts/messaging/Cargo.toml", MANIFEST), ("contexts/messaging/src/a.rs", text)];
        assert!(found(check, &files).is_empty());
    }
}

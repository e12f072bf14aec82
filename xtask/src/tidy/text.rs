//! Rules about the text of files: length, leftovers, whitespace, and nothing that belongs to one machine.

use super::Finding;
use super::source::Source;
use crate::tree::Tree;

/// A Rust file longer than this fails.
const MOST_LINES: usize = 900;

/// A Rust file longer than this is worth splitting.
const WARN_LINES: usize = 600;

/// Files that may say `unsafe`, each with the reason beside it.
const UNSAFE_ALLOWED: &[&str] = &[
    // Socket options and control messages that no safe crate offers (docs/adr/0014).
    "platform/sctp/src/options.rs",
    "platform/sctp/src/packets.rs",
    "platform/sctp/src/waiting.rs",
];

/// Marks of unfinished work. Written in two parts so that this file does not contain them.
const LEFTOVERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Folders of one machine, and hosts that a client of a registry knows by itself.
const FOREIGN: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("static.crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("files.python", "hosted.org"),
    concat!("pypi", ".org"),
    concat!("registry.npm", "js.org"),
    concat!("deb.debian", ".org"),
    concat!("proxy.go", "lang.org"),
];

/// The rule.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.files().filter(|(path, _)| *path != "LICENSE") {
        lines(path, text, &mut findings);
        if path.ends_with(".rs") {
            rust(path, text, &mut findings);
        }
    }
    findings
}

fn lines(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (number, line) in (1..).zip(text.lines()) {
        let mut say = |message: String| findings.push(Finding::new(path, number, message));
        if line.ends_with([' ', '\t', '\r']) {
            say("white space at the end of the line".to_owned());
        }
        for word in LEFTOVERS.iter().filter(|word| has_word(line, word)) {
            say(format!("{word}: finish it, or write an issue and say nothing here"));
        }
        for part in FOREIGN.iter().filter(|part| is_foreign(line, part)) {
            say(format!("{part} belongs to one machine or one registry"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') && !path.ends_with(".json") {
        findings.push(Finding::new(path, text.lines().count(), "no newline at the end of the file"));
    }
}

/// A folder counts only where a path begins: `data/root/` is ours.
fn is_foreign(line: &str, part: &str) -> bool {
    line.match_indices(part).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !part.starts_with('/') || !before.is_some_and(|c| c.is_alphanumeric() || "_-./>}]".contains(c))
    })
}

fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let edge = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        edge(line[..at].chars().next_back()) && edge(line[at + word.len()..].chars().next())
    })
}

fn rust(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let count = text.lines().count();
    if count > MOST_LINES {
        findings.push(Finding::new(path, 0, format!("{count} lines; split it (at most {MOST_LINES})")));
    } else if count > WARN_LINES {
        findings.push(Finding::warning(path, 0, format!("{count} lines; think of splitting it")));
    }
    let source = Source::new(text);
    let mut say = |at: usize, message: &str| findings.push(Finding::new(path, source.line(at), message));
    for at in source.find("#[ignore]") {
        say(at, "an ignored test says why: #[ignore = \"…\"]");
    }
    for at in source.find("todo!").chain(source.find("unimplemented!")) {
        say(at, "unfinished code");
    }
    for at in source.find("unsafe").filter(|_| !UNSAFE_ALLOWED.contains(&path)) {
        say(at, "unsafe code is allowed only in the files listed in xtask/src/tidy/text.rs");
    }
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn leftovers_whitespace_and_foreign_places() {
        for word in LEFTOVERS.iter().chain(FOREIGN) {
            let text = format!("fine\n// {word} later\n");
            for path in ["a/b.rs", "docs/a.md", ".ci/run", "Cargo.toml"] {
                let lines = found(check, &[(path, &text)]);
                assert_eq!(lines.len(), 1, "{word} in {path}");
                assert!(lines[0].starts_with(&format!("{path}:2: ")), "{lines:?}");
            }
        }
        assert_eq!(found(check, &[("a.md", "line \n")]).len(), 1);
        assert_eq!(found(check, &[("a.md", "line")]).len(), 1);
        let ours = format!("data{0} <data>{0} {{data}}{0}\n", FOREIGN[1]);
        assert!(found(check, &[("a.md", &ours)]).is_empty(), "{ours}");
        assert!(found(check, &[("a.md", "a custodian and her methods\n")]).is_empty());
    }

    #[test]
    fn unfinished_and_unsafe_code() {
        for bad in ["#[ignore]\nfn a() {}\n", "fn a() { todo!() }\n", "fn a() { unsafe { b() } }\n"] {
            assert_eq!(found(check, &[("a/b.rs", bad)]).len(), 1, "{bad}");
        }
        for good in ["#[ignore = \"needs a card reader\"]\nfn a() {}\n", "#![forbid(unsafe_code)]\n", "// unsafe\n"] {
            assert!(found(check, &[("a/b.rs", good)]).is_empty(), "{good}");
        }
    }

    #[test]
    fn long_files() {
        assert!(found(check, &[("a.rs", &"//\n".repeat(WARN_LINES))]).is_empty());
        assert!(found(check, &[("a.rs", &"//\n".repeat(WARN_LINES + 1))])[0].contains("warning"));
        let long = found(check, &[("a.rs", &"//\n".repeat(MOST_LINES + 1))]);
        assert!(long.len() == 1 && !long[0].contains("warning"));
    }
}

//! A new parser cannot be forgotten: every entry in a `src/fuzz.rs` has its libFuzzer binary, its line in the replay
//! table and a corpus.

use super::Finding;
use crate::fuzz;
use crate::tree::Tree;

/// The rule.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let entries = fuzz::entries(tree);
    for (path, expected) in fuzz::generated(tree, &entries) {
        if tree.text(&path) != Some(expected.as_str()) {
            findings.push(Finding::new(&path, 0, "is not what the fuzz entries ask for; run cargo xtask fuzz"));
        }
    }
    for entry in &entries {
        let corpus = format!("fuzz/corpus/{}", entry.target);
        if !tree.has(&corpus) {
            let message =
                format!("{}::fuzz::{} has no corpus: put a few small inputs there", entry.module, entry.function);
            findings.push(Finding::new(&corpus, 0, message));
        }
    }
    for (folder, strip) in [("fuzz/corpus", ""), ("fuzz/fuzz_targets", ".rs")] {
        let prefix = format!("{folder}/");
        for (path, _) in tree.files() {
            let Some(inside) = path.strip_prefix(&prefix) else { continue };
            let name = inside.split('/').next().unwrap_or_default();
            let name = name.strip_suffix(strip).unwrap_or(name);
            if !entries.iter().any(|entry| entry.target == name) {
                findings.push(Finding::new(&format!("{folder}/{name}"), 0, "belongs to no fuzz entry: remove it"));
            }
        }
    }
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Tree;

    const MANIFEST: (&str, &str) = ("protocol/aka/Cargo.toml", "[package]\nname = \"pakawaaz-aka\"\n");
    const ENTRY: (&str, &str) = ("protocol/aka/src/fuzz.rs", "/// Any bytes.\npub fn autn(data: &[u8]) {}\n");

    fn complete() -> Vec<(String, String)> {
        let mut files: Vec<(String, String)> =
            [MANIFEST, ENTRY, ("fuzz/corpus/aka-autn/one", ""), ("testing/fuzz-replay/Cargo.toml", fuzz::MARKS)]
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect();
        let borrowed: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        let tree = Tree::of(&borrowed);
        for (path, text) in fuzz::generated(&tree, &fuzz::entries(&tree)) {
            files.retain(|(other, _)| *other != path);
            files.push((path, text));
        }
        files
    }

    fn check_files(files: &[(String, String)]) -> Vec<String> {
        let borrowed: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        super::super::found(check, &borrowed)
    }

    #[test]
    fn a_complete_set_is_tidy() {
        assert_eq!(check_files(&complete()), Vec::<String>::new());
    }

    #[test]
    fn each_missing_part_is_named() {
        for part in [
            "fuzz/corpus/aka-autn/one",
            "fuzz/fuzz_targets/aka-autn.rs",
            "fuzz/Cargo.toml",
            "testing/fuzz-replay/src/targets.rs",
        ] {
            let mut files = complete();
            files.retain(|(path, _)| path != part);
            assert_eq!(check_files(&files).len(), 1, "without {part}");
        }
    }

    #[test]
    fn a_new_entry_is_noticed_and_a_stale_one_too() {
        let mut files = complete();
        files.iter_mut().find(|(path, _)| path == ENTRY.0).unwrap().1.push_str("pub fn sqn(bytes: &[u8]) {}\n");
        let lines = check_files(&files);
        assert!(lines.iter().any(|line| line.contains("fuzz/corpus/aka-sqn")), "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("fuzz/fuzz_targets/aka-sqn.rs")), "{lines:?}");

        let mut files = complete();
        files.push(("fuzz/corpus/aka-gone/one".into(), String::new()));
        files.push(("fuzz/fuzz_targets/aka-gone.rs".into(), String::new()));
        assert_eq!(check_files(&files).len(), 2);
    }
}

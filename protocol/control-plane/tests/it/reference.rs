//! What the reference of procedures promises: each file is there, and each test that it names.

use std::path::{Path, PathBuf};

/// The file that a word in backquotes names, as the reference's first lines say.
fn file(root: &Path, word: &str) -> PathBuf {
    let shorthands = [
        ("cp/", "protocol/control-plane/tests/it/"),
        ("sim/", "testing/ransim/tests/it/"),
        ("up/", "protocol/user-plane/tests/it/"),
        ("src/", "protocol/control-plane/src/"),
    ];
    let known = shorthands.iter().find_map(|(short, long)| Some(format!("{long}{}", word.strip_prefix(short)?)));
    root.join(known.unwrap_or_else(|| word.to_owned()))
}

#[test]
fn every_test_that_the_reference_of_procedures_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let reference = std::fs::read_to_string(root.join("docs/reference/cellular-procedures.md")).unwrap();
    let (mut named, mut missing) = (0, Vec::new());
    for row in reference.lines().filter(|line| line.starts_with("| ") && line.ends_with(" |")) {
        let tests = row.trim_end_matches(" |").rsplit("| ").next().unwrap();
        let mut source = String::new();
        for (at, part) in tests.split('`').enumerate() {
            if at % 2 == 1 {
                let path = file(&root, part);
                source = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                continue;
            }
            for word in part.split([' ', ',', ';', '(', ')']).filter(|word| word.contains('_')) {
                let begin = word.trim_end_matches('…');
                let whole = begin.len() == word.len();
                let is = |before: &str| {
                    let text = if whole { format!("{before}{begin}(") } else { format!("{before}{begin}") };
                    source.contains(&text) || source.contains(&text.replace('(', ","))
                };
                named += 1;
                if !is("fn ") && !is("store_test!(") {
                    missing.push(word.to_owned());
                }
            }
        }
    }
    assert!(named > 100, "the reference is read: {named}");
    assert!(missing.is_empty(), "{missing:?}");
}

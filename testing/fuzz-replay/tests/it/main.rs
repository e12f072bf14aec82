//! The corpus replay: one test over all targets.

use pakawaaz_fuzz_replay::{Target, corpus_of, mutate, targets::TARGETS};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs the entry; a panic comes back as a line that names how to see it again.
fn panics(target: &Target, input: &[u8], origin: &str) -> Option<String> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).err().map(|_| {
        let shown: String = input.iter().take(512).map(|byte| format!("{byte:02x}")).collect();
        format!("{} panicked on {origin} ({} bytes): {shown}", target.name, input.len())
    })
}

#[test]
fn no_entry_panics_on_the_corpus_or_on_mutations_of_it() {
    let mut failures = Vec::new();
    for target in TARGETS {
        let files = corpus_of(target).unwrap_or_else(|e| panic!("corpus of {}: {e}", target.name));
        assert!(!files.is_empty(), "{} has no corpus file in fuzz/corpus/{}", target.name, target.name);
        for (path, bytes) in files {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            failures.extend(panics(target, &bytes, &file));
            for n in 0..mutate::PER_FILE {
                let mutated = mutate::nth(&bytes, n);
                failures.extend(panics(target, &mutated, &format!("{file}, mutation {n}")));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_panicking_entry_is_reported() {
    let bad = Target { name: "bad", run: |data| assert!(data.len() < 3, "too long") };
    assert_eq!(panics(&bad, &[1, 2], "short"), None);
    let line = panics(&bad, &[1, 2, 255], "long").expect("the panic is seen");
    assert_eq!(line, "bad panicked on long (3 bytes): 0102ff");
}

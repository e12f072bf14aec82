//! Feeds every fuzz entry of the workspace its corpus and mutations of it, without libFuzzer.
//!
//! A fuzz run finds new inputs; this crate makes sure that what was found once stays fixed, on any machine and
//! within seconds. The mutations come from a seeded generator, so a failure names a file and a number and happens
//! again the next time.

pub mod mutate;
pub mod targets;

use std::path::{Path, PathBuf};

/// One fuzz entry: a `pub fn name(data: &[u8])` in some crate's `src/fuzz.rs`.
#[derive(Clone, Copy)]
pub struct Target {
    /// `<crate>-<function>`: also the name of the corpus folder and of the libFuzzer binary.
    pub name: &'static str,
    /// The entry. It must return for every input; a panic is the failure that is looked for.
    pub run: fn(&[u8]),
}

/// Where the corpus lies: one folder per target.
pub fn corpus_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus")
}

/// The corpus files of `target` in a stable order, with their contents.
///
/// # Errors
/// When the folder is missing or a file cannot be read: a target without a corpus is a mistake, not an empty test.
pub fn corpus_of(target: &Target) -> std::io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(corpus_root().join(target.name))? {
        let path = entry?.path();
        if path.is_file() {
            let bytes = std::fs::read(&path)?;
            files.push((path, bytes));
        }
    }
    files.sort();
    Ok(files)
}

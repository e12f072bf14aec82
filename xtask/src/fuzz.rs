//! The fuzz workspace and the replay table, both written from the entries that the crates declare.
//!
//! An entry is a `pub fn name(data: &[u8])` in a crate's `src/fuzz.rs`; its target is called `<crate>-<name>`.
//! `cargo xtask fuzz` writes everything about it except the corpus, and `tidy` complains until that was done.

use crate::process;
use crate::tidy::source::Source;
use crate::tree::{Tree, root};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, BTreeSet};

const TARGETS_FILE: &str = "testing/fuzz-replay/src/targets.rs";
const REPLAY_MANIFEST: &str = "testing/fuzz-replay/Cargo.toml";
const BEGIN: &str = "# fuzz crates: begin (written by `cargo xtask fuzz`)\n";
const END: &str = "# fuzz crates: end\n";

/// An empty replay manifest, for tests.
#[cfg(test)]
pub const MARKS: &str = "[dependencies]\n# fuzz crates: begin (written by `cargo xtask fuzz`)\n# fuzz crates: end\n";

/// One fuzz entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// `aka-autn`
    pub target: String,
    /// `pakawaaz-aka`
    pub package: String,
    /// `pakawaaz_aka`
    pub module: String,
    /// `protocol/aka`
    pub folder: String,
    /// `autn`
    pub function: String,
    /// Whether the crate shows its entries only with its feature `testing` (they need its test doubles).
    pub testing: bool,
}

/// `cargo xtask fuzz [run TARGET …]`.
pub fn run(args: &[&str]) -> Result<()> {
    match args {
        [] => write(),
        ["run", target, rest @ ..] => fuzz(target, rest),
        _ => bail!("fuzz knows only `run TARGET`"),
    }
}

/// All entries of the workspace, sorted by target.
pub fn entries(tree: &Tree) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (path, text) in tree.rust() {
        let Some(folder) = path.strip_suffix("/src/fuzz.rs") else { continue };
        let Some(package) = tree.text(&format!("{folder}/Cargo.toml")).and_then(package_name) else { continue };
        let library = tree.text(&format!("{folder}/src/lib.rs")).unwrap_or_default();
        let testing = library.contains("feature = \"testing\"))]\npub mod fuzz;");
        let short = package.strip_prefix("pakawaaz-").unwrap_or(&package);
        for function in functions(text) {
            entries.push(Entry {
                target: format!("{short}-{function}"),
                module: package.replace('-', "_"),
                package: package.clone(),
                folder: folder.to_owned(),
                function,
                testing,
            });
        }
    }
    entries.sort();
    entries
}

fn package_name(manifest: &str) -> Option<String> {
    let table: toml::Table = manifest.parse().ok()?;
    Some(table.get("package")?.get("name")?.as_str()?.to_owned())
}

/// Names of the public functions that take bytes and nothing else.
fn functions(text: &str) -> Vec<String> {
    let source = Source::new(text);
    let mut names = Vec::new();
    for at in source.find("pub fn").filter(|at| !source.is_test(*at)) {
        let signature = &source.code[at + "pub fn".len()..];
        let Some((name, rest)) = signature.split_once('(') else { continue };
        let argument = rest.split(')').next().unwrap_or_default();
        let kind: String = argument.split_once(':').map_or("", |(_, kind)| kind).split_whitespace().collect();
        if kind.trim_end_matches(',') == "&[u8]" {
            names.push(name.trim().to_owned());
        }
    }
    names
}

/// Every written file with what it must contain.
pub fn generated(tree: &Tree, entries: &[Entry]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    files.insert("fuzz/Cargo.toml".to_owned(), fuzz_manifest(entries));
    files.insert(TARGETS_FILE.to_owned(), table(entries));
    if let Some(manifest) = tree.text(REPLAY_MANIFEST) {
        files.insert(REPLAY_MANIFEST.to_owned(), replay_manifest(manifest, entries));
    }
    for entry in entries {
        files.insert(format!("fuzz/fuzz_targets/{}.rs", entry.target), binary(entry));
    }
    files
}

fn packages(entries: &[Entry]) -> BTreeSet<(&str, &str, bool)> {
    entries.iter().map(|entry| (entry.package.as_str(), entry.folder.as_str(), entry.testing)).collect()
}

fn fuzz_manifest(entries: &[Entry]) -> String {
    let mut out = "\
# Written by `cargo xtask fuzz` from every crate's src/fuzz.rs; do not edit.
[package]
name = \"pakawaaz-fuzz\"
description = \"libFuzzer binaries, one for each fuzz entry of the workspace\"
version = \"0.1.0\"
edition = \"2024\"
license = \"Apache-2.0\"
publish = false

[package.metadata]
cargo-fuzz = true

# Its own workspace: a fuzzer's build flags and dependencies stay out of the product's.
[workspace]

[dependencies]
libfuzzer-sys = \"0.4\"
"
    .to_owned();
    for (package, folder, testing) in packages(entries) {
        let features = if testing { ", features = [\"testing\"]" } else { "" };
        out += &format!("{package} = {{ path = \"../{folder}\"{features} }}\n");
    }
    for entry in entries {
        let name = &entry.target;
        out += &format!(
            "\n[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\ntest = false\ndoc = false\nbench = false\n"
        );
    }
    out
}

fn binary(entry: &Entry) -> String {
    format!(
        "//! Written by `cargo xtask fuzz`; do not edit.\n\n#![no_main]\n\n\
         libfuzzer_sys::fuzz_target!(|data: &[u8]| {}::fuzz::{}(data));\n",
        entry.module, entry.function
    )
}

fn table(entries: &[Entry]) -> String {
    let mut out = "//! Every fuzz entry of the workspace. Written by `cargo xtask fuzz`; do not edit.\n\n\
                   use crate::Target;\n\n/// All entries, sorted by name.\n"
        .to_owned();
    if entries.is_empty() {
        return out + "pub const TARGETS: &[Target] = &[];\n";
    }
    out += "#[rustfmt::skip]\npub const TARGETS: &[Target] = &[\n";
    for entry in entries {
        out +=
            &format!("    Target {{ name: \"{}\", run: {}::fuzz::{} }},\n", entry.target, entry.module, entry.function);
    }
    out + "];\n"
}

/// The manifest with the lines between the marks replaced.
fn replay_manifest(manifest: &str, entries: &[Entry]) -> String {
    let Some((head, rest)) = manifest.split_once(BEGIN) else { return manifest.to_owned() };
    let Some((_, tail)) = rest.split_once(END) else { return manifest.to_owned() };
    let line = |(package, _, testing): (&str, &str, bool)| {
        if testing {
            format!("{package} = {{ workspace = true, features = [\"testing\"] }}\n")
        } else {
            format!("{package}.workspace = true\n")
        }
    };
    let lines: String = packages(entries).into_iter().map(line).collect();
    format!("{head}{BEGIN}{lines}{END}{tail}")
}

fn write() -> Result<()> {
    let tree = Tree::load()?;
    let entries = entries(&tree);
    let files = generated(&tree, &entries);
    let mut changed = 0;
    for (path, text) in &files {
        if tree.text(path) != Some(text) {
            let full = root().join(path);
            std::fs::create_dir_all(full.parent().unwrap_or(&full))?;
            std::fs::write(&full, text).with_context(|| format!("writing {path}"))?;
            changed += 1;
        }
    }
    for (path, _) in tree.files().filter(|(path, _)| path.starts_with("fuzz/fuzz_targets/")) {
        if !files.contains_key(path) {
            std::fs::remove_file(root().join(path))?;
            changed += 1;
        }
    }
    println!("{} fuzz entries, {changed} files written", entries.len());
    for entry in entries.iter().filter(|entry| !tree.has(&format!("fuzz/corpus/{}", entry.target))) {
        println!("still without a corpus: fuzz/corpus/{}/", entry.target);
    }
    Ok(())
}

fn fuzz(target: &str, rest: &[&str]) -> Result<()> {
    // The same dependency versions as the product.
    std::fs::copy(root().join("Cargo.lock"), root().join("fuzz/Cargo.lock"))?;
    let corpus = format!("corpus/{target}");
    let status = process::cargo()
        .args(["fuzz", "run", target, &corpus])
        .args(rest)
        .current_dir(root().join("fuzz"))
        // Sanitizers are not stable yet; the compiler is the pinned one all the same.
        .env("RUSTC_BOOTSTRAP", "1")
        .status()
        .context("cargo fuzz does not start; install it with: cargo install --locked cargo-fuzz")?;
    ensure!(status.success(), "{target} stopped with {status}; a crashing input lies in fuzz/artifacts/{target}/");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_from_signatures() {
        let text = "/// pub fn commented(data: &[u8])\npub fn a(data: &[u8]) {}\npub fn b(\n    bytes: &[u8],\n) {}\n\
                    pub fn helper(data: &[u8], n: u8) {}\nfn private(data: &[u8]) {}\npub fn other(s: &str) {}\n";
        assert_eq!(functions(text), ["a", "b"]);
    }

    #[test]
    fn names_follow_the_package() {
        let tree = Tree::of(&[
            ("client/core/Cargo.toml", "[package]\nname = \"pakawaaz-client\"\n"),
            ("client/core/src/fuzz.rs", "pub fn sync_page(data: &[u8]) {}\n"),
        ]);
        let entries = entries(&tree);
        assert_eq!(entries[0].target, "client-sync_page");
        assert!(binary(&entries[0]).contains("pakawaaz_client::fuzz::sync_page(data)"));
        assert!(fuzz_manifest(&entries).contains("pakawaaz-client = { path = \"../client/core\" }"));
        assert!(table(&entries).contains("run: pakawaaz_client::fuzz::sync_page"));
    }

    #[test]
    fn the_replay_manifest_keeps_what_is_not_ours() {
        let old = format!("a\n{BEGIN}old\n{END}b\n");
        assert_eq!(replay_manifest(&old, &[]), format!("a\n{BEGIN}{END}b\n"));
        assert_eq!(replay_manifest("no marks", &[]), "no marks");
    }
}

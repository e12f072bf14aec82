//! The repository's files, read once. Rules look at this, so their tests can feed them files that do not exist.

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders that hold no sources of ours.
const SKIPPED: &[&str] = &[
    "target",
    ".git",
    ".demo",
    "fuzz/target",
    "fuzz/artifacts",
    "fuzz/coverage",
    "web/node_modules",
    "web/packages/api/src/wasm",
    "web/packages/chat/dist",
];

/// Endings of files that are text.
const TEXT: &[&str] =
    &["rs", "toml", "md", "sql", "sh", "json", "yml", "yaml", "ts", "tsx", "css", "html", "csv", "txt"];

/// Text files without an ending.
const TEXT_NAMES: &[&str] = &[".ci/run", ".gitignore", "LICENSE"];

/// Where the repository lies.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// The files, by path relative to the root with `/` between folders. Binary ones have an empty text.
#[derive(Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the repository.
    ///
    /// # Errors
    /// When a folder or a text file cannot be read.
    pub fn load() -> Result<Self> {
        let mut tree = Self::default();
        tree.add(root(), "")?;
        Ok(tree)
    }

    /// A tree of made-up files.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    fn add(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if SKIPPED.contains(&path.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.add(&entry.path(), &path)?;
            } else if kind.is_file() {
                let text = if is_text(&path) { read_text(&entry.path())? } else { String::new() };
                self.files.insert(path, text);
            }
        }
        Ok(())
    }

    /// All files.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// The Rust sources.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| path.ends_with(".rs"))
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether the file exists, or the folder has a file in it.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        self.files.contains_key(path)
            || self.files.range(folder.clone()..).next().is_some_and(|(p, _)| p.starts_with(&folder))
    }

    /// Names of the folders directly inside `folder`.
    pub fn folders(&self, folder: &str) -> Vec<String> {
        let prefix = format!("{folder}/");
        let mut names: Vec<String> = self
            .files
            .keys()
            .filter_map(|path| path.strip_prefix(&prefix)?.split_once('/').map(|(name, _)| name.to_owned()))
            .collect();
        names.dedup();
        names
    }
}

fn is_text(path: &str) -> bool {
    // A corpus is bytes, whatever its files are called.
    !path.starts_with("fuzz/corpus/")
        && (TEXT_NAMES.contains(&path) || path.rsplit_once('.').is_some_and(|(_, ending)| TEXT.contains(&ending)))
}

fn read_text(path: &PathBuf) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files() {
        let tree = Tree::of(&[("a/b/c.rs", ""), ("a/b/d.rs", ""), ("a/e/f.rs", ""), ("a/g.rs", "")]);
        assert_eq!(tree.folders("a"), ["b", "e"]);
        assert!(tree.has("a/b") && tree.has("a/g.rs") && !tree.has("a/x") && !tree.has("a/g"));
    }

    #[test]
    fn the_repository_is_read() {
        let tree = Tree::load().unwrap();
        assert!(tree.text("xtask/src/tree.rs").is_some_and(|text| text.contains("the_repository_is_read")));
        assert!(!tree.has("target"));
    }
}

//! PIN and password: from a file for scripts, else asked without echo. Never from an argument or the environment's
//! value, which other processes can read.

use anyhow::{Context as _, bail};
use std::io::IsTerminal as _;
use std::path::Path;
use zeroize::Zeroizing;

/// Reads a secret from `file` (its first line), else asks.
pub fn read(file: Option<&Path>, question: &str) -> anyhow::Result<Zeroizing<String>> {
    match file {
        Some(path) => from_file(path),
        None if std::io::stdin().is_terminal() => {
            Ok(Zeroizing::new(rpassword::prompt_password(format!("{question}: ")).context("no answer")?))
        }
        None => bail!("{question} is needed; give it in a file (--pin-file, --password-file) when not at a terminal"),
    }
}

/// Asks for a new secret twice, unless it comes from a file.
pub fn choose(file: Option<&Path>, question: &str) -> anyhow::Result<Zeroizing<String>> {
    let first = read(file, question)?;
    if file.is_none() && *read(None, &format!("{question}, again"))? != *first {
        bail!("the two entries differ; nothing was changed");
    }
    Ok(first)
}

fn from_file(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    let text = Zeroizing::new(std::fs::read_to_string(path).context("the secret's file cannot be read")?);
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        bail!("the secret's file is empty");
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_counts_and_an_empty_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pin");
        std::fs::write(&path, "2468\nignored\n").unwrap();
        assert_eq!(read(Some(&path), "PIN").unwrap().as_str(), "2468");
        std::fs::write(&path, "\n").unwrap();
        assert!(read(Some(&path), "PIN").is_err());
    }
}

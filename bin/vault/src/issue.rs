//! What cards are made with: operator's constants and transport keys, each in a file, sealed under the vault's key.
//!
//! They are entered at the vault's own machine, in components that custodians read from their own sheets, and are read again
//! for each card: with the key in a module, memory holds none of them for longer than that.

use crate::key::WrappingKey;
use anyhow::{Context as _, Result, ensure};
use pakawaaz_sim_vault::making::IssueKey;
use pakawaaz_sim_vault::{Bound, Wrap, WrapError};
use rand::RngCore as _;
use rand::rngs::OsRng;
use std::io::{BufRead, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use zeroize::Zeroizing;

/// Longest file.
const LONGEST: u64 = 1024;

/// The key with what cards are made with.
pub struct Issuing<'a> {
    /// Seals and opens.
    pub key: &'a WrappingKey,
    /// Empty: makes no cards.
    pub folder: &'a Path,
}

impl Wrap for Issuing<'_> {
    fn seal(&self, bound: Bound, plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
        self.key.seal(bound, plaintext)
    }

    fn open(&self, bound: Bound, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        self.key.open(bound, sealed)
    }

    fn issue_key(&self, key: IssueKey) -> Result<Option<Zeroizing<Vec<u8>>>, WrapError> {
        if self.folder.as_os_str().is_empty() {
            return Ok(None);
        }
        let path = self.folder.join(key.file_name());
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Ok(about) if about.len() <= LONGEST => {}
            _ => return Err(WrapError::NotOurs),
        }
        let sealed = std::fs::read(&path).map_err(|_| WrapError::Down)?;
        self.key.open(Bound::Issue(key), &sealed).map(Some)
    }
}

/// A value of `length` bytes from `count` components, each a line of hexadecimal digits; all of them together by exclusive or
/// (each custodian knows nothing of the whole). No components: random.
///
/// # Errors
/// A line is missing or has another length. Never shows it.
pub fn value(input: &mut dyn BufRead, count: usize, length: usize) -> Result<Zeroizing<Vec<u8>>> {
    let mut value = Zeroizing::new(vec![0; length]);
    if count == 0 {
        OsRng.fill_bytes(&mut value);
        return Ok(value);
    }
    for number in 1..=count {
        let mut line = Zeroizing::new(String::with_capacity(256));
        input.read_line(&mut line).context("reading a component")?;
        let mut component = Zeroizing::new(vec![0; length]);
        let read = hex::decode_to_slice(line.trim(), &mut component);
        ensure!(read.is_ok(), "component {number} must be a line of {} hexadecimal digits", 2 * length);
        value.iter_mut().zip(component.iter()).for_each(|(byte, part)| *byte ^= part);
    }
    // Two components that are the same, most likely.
    ensure!(value.iter().any(|byte| *byte != 0), "the components come to nothing");
    Ok(value)
}

/// Keeps a value. One that is there is never replaced: cards under way were made with it.
///
/// # Errors
/// It is there already, or the folder cannot be written.
pub fn keep(wrap: &WrappingKey, folder: &Path, key: IssueKey, value: &[u8]) -> Result<()> {
    let shown = folder.display();
    ensure!(!folder.as_os_str().is_empty(), "say where they are kept: issue.folder");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making {shown} (issue.folder)"))?;
    let sealed = wrap.seal(Bound::Issue(key), value).map_err(|_| anyhow::anyhow!("the key cannot be reached"))?;
    // Whole or not at all: the name appears when the bytes are on the disk.
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .make_in(folder, |path| std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path))
        .with_context(|| format!("writing into {shown} (issue.folder)"))?;
    file.write_all(&sealed)?;
    file.as_file().sync_all()?;
    let path = folder.join(key.file_name());
    file.persist_noclobber(&path).with_context(|| format!("{} is there already", path.display()))?;
    std::fs::File::open(folder)?.sync_all().with_context(|| format!("writing into {shown} (issue.folder)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::file::FileKey;
    use pakawaaz_sim_vault::making::IssueKind;

    #[test]
    fn what_is_kept_is_found_under_its_own_name_only() {
        let folder = tempfile::tempdir().expect("folder");
        let wrap = WrappingKey(Box::new(FileKey::new([1; 8], &[2; 32])));
        let issue = folder.path().join("issue");
        let one = IssueKey::transport(IssueKind::Bureau, "one").expect("a name");
        let two = IssueKey::transport(IssueKind::Bureau, "two").expect("a name");
        keep(&wrap, &issue, one, &[7; 32]).expect("keeps");
        assert!(keep(&wrap, &issue, one, &[8; 32]).is_err(), "never replaced");
        let issuing = Issuing { key: &wrap, folder: &issue };
        assert_eq!(issuing.issue_key(one).expect("opens").expect("there").as_slice(), [7; 32]);
        assert_eq!(issuing.issue_key(two), Ok(None));
        // A file under another name is not another key.
        std::fs::copy(issue.join("bureau-one"), issue.join("bureau-two")).expect("copies");
        assert_eq!(issuing.issue_key(two), Err(WrapError::NotOurs));
        let sealed = std::fs::read(issue.join("bureau-one")).expect("reads");
        assert!(!sealed.windows(8).any(|part| part == [7; 8]));
        assert_eq!(std::fs::read_dir(&issue).expect("reads").count(), 2, "nothing is left behind");
    }

    #[test]
    fn components_come_together_and_bad_ones_are_not_shown() {
        let read = |text: &str, count, length| value(&mut text.as_bytes(), count, length);
        assert_eq!(read("0f0f\nf0F1\n", 2, 2).expect("reads").as_slice(), [0xff, 0xfe]);
        assert_ne!(read("", 0, 32).expect("random"), read("", 0, 32).expect("random"));
        for bad in ["", "0f0f\n", "0f0f\n0f0\n", "0f0f\n0f0x\n", "0f0f\n0f0f\n"] {
            let error = format!("{:#}", read(bad, 2, 2).expect_err(bad));
            assert!(!error.contains("0f0"), "{error}");
        }
    }
}

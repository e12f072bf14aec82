//! Files on a disk, as transfers read and write them.

use pakawaaz_base::TransferId;
use pakawaaz_client::{FileError, FileSink, FileSource};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file to be sent. It is opened once; what is read later is still that file when another one has taken its name.
pub struct DiskSource {
    file: Arc<File>,
}

impl DiskSource {
    /// Opens a regular file.
    ///
    /// # Errors
    /// The system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("this is not a file"));
        }
        Ok(Self { file: Arc::new(file) })
    }
}

impl FileSource for DiskSource {
    async fn size(&self) -> Result<u64, FileError> {
        self.file.metadata().map(|m| m.len()).map_err(|_| FileError::Source)
    }
    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        let file = self.file.clone();
        blocking(move || read_at(&file, offset, length), FileError::Source).await
    }
}

fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    // Room for the tag that sealing adds.
    let mut bytes = Vec::with_capacity(length + 16);
    bytes.resize(length, 0);
    let mut at = 0;
    while at < length {
        match file.read_at(&mut bytes[at..], offset + at as u64) {
            Ok(0) => break,
            Ok(n) => at += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    bytes.truncate(at);
    Ok(bytes)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
    failed: FileError,
) -> Result<T, FileError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| failed)?.map_err(|_| failed)
}

/// A file to be saved: written beside its place under another name, readable by its owner only, and renamed when it is
/// verified.
pub struct DiskSink {
    file: Arc<File>,
    /// The part's name leads to the file; not after it was discarded.
    named: bool,
    part: PathBuf,
    target: PathBuf,
    replace: bool,
}

impl DiskSink {
    /// Opens the part of a transfer beside `target`; what an earlier attempt wrote is kept. `replace` allows the target
    /// to exist at the end.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::AlreadyExists`] when the target is there and may not be replaced.
    pub fn open(target: &Path, transfer: TransferId, replace: bool) -> io::Result<Self> {
        if !replace && target.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let part = target.with_file_name(format!(".pakawaaz-{transfer}.part"));
        Ok(Self { file: open_part(&part)?, named: true, part, target: target.to_owned(), replace })
    }

    /// The file under the part's name, made again if it was discarded.
    fn part(&mut self) -> io::Result<&File> {
        if !self.named {
            self.file = open_part(&self.part)?;
            self.named = true;
        }
        Ok(&self.file)
    }

    fn deliver(&mut self) -> io::Result<()> {
        self.part()?.sync_all()?;
        if self.replace {
            std::fs::rename(&self.part, &self.target)?;
        } else {
            // Unlike a rename, a link never replaces what somebody has put there meanwhile.
            std::fs::hard_link(&self.part, &self.target)?;
            std::fs::remove_file(&self.part)?;
        }
        match self.target.parent().filter(|p| !p.as_os_str().is_empty()) {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

fn open_part(part: &Path) -> io::Result<Arc<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(part).map(Arc::new)
}

impl FileSink for DiskSink {
    fn keeps(&self) -> bool {
        true
    }
    async fn kept(&mut self) -> Result<u64, FileError> {
        self.file.metadata().map(|m| m.len()).map_err(|_| FileError::Sink)
    }
    async fn read_back(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        let file = self.file.clone();
        blocking(move || read_at(&file, offset, length), FileError::Sink).await
    }
    async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        // Into the page cache: not worth a thread and another copy.
        self.part().and_then(|file| file.write_all_at(bytes, offset)).map_err(|_| FileError::Sink)
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        self.deliver().map_err(|_| FileError::Sink)
    }
    async fn discard(&mut self) {
        let _ = self.file.set_len(0);
        let _ = std::fs::remove_file(&self.part);
        self.named = false;
    }
}

/// A name that a stranger chose, as it may be saved: no folders, nothing hidden, nothing that looks like an option, no
/// characters that turn the direction of text around.
pub fn safe_name(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let clean: String =
        name.chars().map(|c| if c.is_control() || turns(c) || "/\\:*?\"<>|".contains(c) { '_' } else { c }).collect();
    let mut clean = clean.trim().trim_end_matches('.').to_owned();
    if clean.starts_with(['.', '-']) {
        clean.replace_range(..1, "_");
    }
    // The file system's limit is in bytes.
    while clean.len() > 255 {
        clean.pop();
    }
    if clean.is_empty() { "file".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_name_stays_in_the_folder() {
        for (name, safe) in [
            ("Minutes.pdf", "Minutes.pdf"),
            ("روداد.pdf", "روداد.pdf"),
            ("../../etc/passwd", "_._.._etc_passwd"),
            (".bashrc", "_bashrc"),
            ("-rf", "_rf"),
            ("a\u{202e}fdp.exe", "a_fdp.exe"),
            ("..", "file"),
            ("", "file"),
            ("a\nb\0c", "a_b_c"),
            ("C:\\x", "C__x"),
        ] {
            assert_eq!(safe_name(name), safe);
        }
        assert!(safe_name(&"پ".repeat(200)).len() <= 255);
    }

    #[tokio::test]
    async fn what_is_kept_is_found_again_and_delivered_whole() {
        let dir = tempfile::tempdir().expect("folder");
        let (target, transfer) = (dir.path().join("out"), TransferId::from_bytes([1; 16]));
        let mut sink = DiskSink::open(&target, transfer, false).expect("opens");
        sink.write(0, b"hello ").await.expect("writes");
        drop(sink);
        assert!(!target.exists());
        let mut sink = DiskSink::open(&target, transfer, false).expect("opens again");
        assert_eq!((sink.kept().await, sink.read_back(0, 10).await), (Ok(6), Ok(b"hello ".to_vec())));
        sink.write(6, b"world").await.expect("writes");
        sink.finish().await.expect("delivers");
        assert_eq!(std::fs::read(&target).expect("there"), b"hello world");
        assert_eq!(std::fs::read_dir(dir.path()).expect("folder").count(), 1, "no part is left");
    }

    #[tokio::test]
    async fn nothing_is_replaced_unless_asked() {
        let dir = tempfile::tempdir().expect("folder");
        let (target, transfer) = (dir.path().join("out"), TransferId::from_bytes([1; 16]));
        let mut late = DiskSink::open(&target, transfer, false).expect("opens");
        late.write(0, b"new").await.expect("writes");
        std::fs::write(&target, b"old").expect("somebody was faster");
        assert_eq!(late.finish().await, Err(FileError::Sink));
        let refused = DiskSink::open(&target, transfer, false).map(drop).expect_err("there");
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read(&target).expect("there"), b"old");
        let mut forced = DiskSink::open(&target, transfer, true).expect("opens");
        forced.finish().await.expect("replaces");
        assert_eq!(std::fs::read(&target).expect("there"), b"new");
        let mut gone = DiskSink::open(&dir.path().join("x"), transfer, false).expect("opens");
        gone.discard().await;
        assert_eq!(std::fs::read_dir(dir.path()).expect("folder").count(), 1);
    }

    #[tokio::test]
    async fn what_was_discarded_can_be_written_again() {
        let dir = tempfile::tempdir().expect("folder");
        let (target, transfer) = (dir.path().join("out"), TransferId::from_bytes([1; 16]));
        let mut sink = DiskSink::open(&target, transfer, false).expect("opens");
        sink.write(0, b"damaged and long").await.expect("writes");
        sink.discard().await;
        assert_eq!(sink.kept().await, Ok(0));
        sink.write(0, b"sound").await.expect("writes");
        sink.finish().await.expect("delivers");
        assert_eq!(std::fs::read(&target).expect("there"), b"sound");
    }
}

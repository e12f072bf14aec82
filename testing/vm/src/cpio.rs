//! The archive format of an initramfs ("newc", Documentation/driver-api/early-userspace/buffer-format).

use std::collections::BTreeSet;

const DIRECTORY: u32 = 0o040_755;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_777;

/// An archive that is being written.
pub struct Archive {
    bytes: Vec<u8>,
    directories: BTreeSet<String>,
    entries: u32,
}

impl Archive {
    pub fn new() -> Self {
        Self { bytes: Vec::new(), directories: BTreeSet::new(), entries: 0 }
    }

    /// A directory and those above it, once.
    pub fn directory(&mut self, path: &str) {
        if path.is_empty() || !self.directories.insert(path.to_owned()) {
            return;
        }
        self.parents(path);
        self.entry(path, DIRECTORY, &[]);
    }

    /// A file that everybody may read, and run if it is a program.
    pub fn file(&mut self, path: &str, bytes: &[u8], program: bool) {
        self.file_with(path, bytes, if program { 0o755 } else { 0o644 });
    }

    /// A file with these permissions.
    pub fn file_with(&mut self, path: &str, bytes: &[u8], permissions: u32) {
        self.parents(path);
        self.entry(path, FILE | (permissions & 0o777), bytes);
    }

    pub fn link(&mut self, path: &str, to: &str) {
        self.parents(path);
        self.entry(path, LINK, to.as_bytes());
    }

    fn parents(&mut self, path: &str) {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.directory(above);
        }
    }

    fn entry(&mut self, path: &str, mode: u32, bytes: &[u8]) {
        self.entries += 1;
        let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let name = u32::try_from(path.len() + 1).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(b"070701");
        // Number, mode, owner, group, links, time, size, device (4 fields), length of the name, checksum.
        for field in [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name, 0] {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(bytes);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    #[test]
    fn an_independent_reader_lists_what_was_written() {
        let mut archive = Archive::new();
        archive.file("usr/lib/one", b"12345", false);
        archive.link("bin/sh", "/bin/busybox");
        let bytes = archive.finish();
        let Ok(mut cpio) = Command::new("busybox")
            .args(["cpio", "-t"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
        else {
            // The suite that boots machines has busybox, and boots what is written here.
            assert_eq!(&bytes[..6], b"070701");
            return;
        };
        cpio.stdin.take().expect("piped").write_all(&bytes).expect("written");
        let listed = cpio.wait_with_output().expect("ends").stdout;
        assert_eq!(String::from_utf8_lossy(&listed), "usr\nusr/lib\nusr/lib/one\nbin\nbin/sh\n");
    }
}

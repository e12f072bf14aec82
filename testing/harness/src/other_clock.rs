//! Another clock for a process: Debian's faketime, preloaded.

use std::path::Path;

/// Environment of a process whose clock is off by this much, as faketime writes it (`+21d`, `-3h`).
///
/// # Panics
/// When faketime is not installed; says how to install it.
pub fn off_by(offset: &str) -> Vec<(String, String)> {
    let machine = std::env::consts::ARCH;
    let library = format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1");
    assert!(Path::new(&library).exists(), "faketime is missing; as root: apt-get install -y faketime");
    [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME", offset),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("FAKETIME_NO_CACHE", "1"),
    ]
    .map(|(k, v)| (k.to_owned(), v.to_owned()))
    .to_vec()
}

//! Where the programs under test are: beside the test executable, in the same target folder.

use std::path::PathBuf;

/// Path of a built program.
///
/// # Panics
/// When it was not built; says how to build it.
pub fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    // target/debug/deps/it-… → target/debug
    let dir = test.ancestors().nth(2).expect("tests live in target/PROFILE/deps");
    let path = dir.join(name);
    assert!(path.exists(), "{name} is not built: run `cargo build --workspace --bins` (cargo xtask test does)");
    path
}

/// The server.
pub fn server() -> PathBuf {
    path("pakawaaz-server")
}

/// The terminal client.
pub fn client() -> PathBuf {
    path("pakawaaz")
}

//! The user plane as a process, in namespaces made for it: what passes, and above all what does not.

mod canary;
mod commands;
mod isolation;
mod lifecycle;
mod packets;
mod second_line;
mod traffic;

use pakawaaz_upf::lab::{self, Lab};
use std::io::Write as _;
use std::path::Path;

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_pakawaaz-upf");

fn program() -> &'static Path {
    Path::new(PROGRAM)
}

/// Whether the laboratory can be built here; says why not.
fn possible() -> bool {
    match lab::missing() {
        Some(why) => {
            assert!(std::env::var_os("PAKAWAAZ_SKIP_NOTHING").is_none(), "{why}");
            let _ = writeln!(std::io::stderr(), "skipped: {why}");
            false
        }
        None => true,
    }
}

/// The laboratory, where it can be built.
fn laboratory() -> Option<Lab> {
    possible().then(|| Lab::new().expect("laboratory"))
}

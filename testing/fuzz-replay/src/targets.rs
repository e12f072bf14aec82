//! Every fuzz entry of the workspace. Written by `cargo xtask fuzz`; do not edit.

use crate::Target;

/// All entries, sorted by name.
pub const TARGETS: &[Target] = &[];

//! The simulator against the real control plane, in memory: each side built its messages by itself.
#![allow(clippy::unwrap_used)] // a test may stop

mod bench;
mod chaos;
mod hostile;
mod line;
mod load;
mod mobility;
mod oracle;
mod procedures;
mod recorder;
mod sessions;
mod traces;

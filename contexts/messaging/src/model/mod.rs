//! Decisions without I/O.

pub mod group;
pub mod key_package;
pub mod message;
pub mod quarantine;

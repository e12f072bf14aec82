//! Decisions without I/O.

pub mod access;
pub mod blob;
pub mod upload;

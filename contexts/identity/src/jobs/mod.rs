//! Timers and outbox consumers. bin/server spawns them with one shutdown token.

pub mod cleaning;
pub mod officials;
pub mod phones;
pub mod revocation_watch;

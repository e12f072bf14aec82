//! Timers and outbox consumers. bin/server spawns them with one shutdown token.

pub mod appointments;
pub mod expiry;

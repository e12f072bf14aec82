//! Decisions without clock, randomness, SQL or sockets.

pub mod appointments;
pub mod names;
pub mod search;
pub mod units;

//! Decisions without I/O.

pub mod alarms;
pub mod cuts;
pub mod lease;
pub mod network;
pub mod places;
pub mod subscriber;
pub mod traces;

//! The service on both database engines, and the core over framed N2 with a user plane that answers.

#![allow(clippy::unwrap_used, reason = "test code outside the test functions themselves")]

mod akma;
mod crowding;
mod deciding;
mod lease;
mod link;
mod logins;
mod running;
mod support;

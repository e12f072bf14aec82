//! A whole installation out of real processes: the server binary over real sockets, the terminal client, software
//! SIMs. Nothing is mocked; what a test does, a person at a terminal could do.

// This crate is only ever part of a test; a failure here is that test's failure.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "test support")]

pub mod binaries;
pub mod eapol;
pub mod other_clock;
pub mod person;
pub mod server;
pub mod sims;
pub mod small_disk;
pub mod talker;
pub mod vault;
pub mod world;

pub use person::{Person, Reply};
pub use server::ServerProcess;
pub use small_disk::SmallDisk;
pub use talker::{Room, Talker};
pub use vault::VaultProcess;
pub use world::{Options, World};

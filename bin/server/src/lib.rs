//! The Pakawaaz server: the only place that wires contexts together.
//!
//! `main.rs` is thin; everything here can also be used in-process ([`Server::start`]), as the tests do.

pub mod backup;
mod backup_blobs;
pub mod cellular;
pub mod clock;
pub mod config;
pub mod config_text;
pub mod descriptors;
pub mod files;
pub mod init;
pub mod installation;
pub mod jobs;
pub mod net;
pub mod ports;
pub mod radius;
pub mod schema;
pub mod server;
pub mod sim_vault;
pub mod vouchers;
pub mod web;
pub mod wiring;

pub use clock::SystemClock;
pub use config::Config;
pub use server::{Addresses, RunningServer, Server};

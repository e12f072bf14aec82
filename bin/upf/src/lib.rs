//! The user plane as a process: TUN device, GTP-U socket, kernel rules.
//!
//! It is the only part of the platform with network privileges, and it has them only while it starts: it makes a network
//! namespace of its own with no default route and no NAT, puts the rules that are made from the signed allow-list into it,
//! opens its TUN device there, and drops every capability before it reads the first packet. What it made is gone with it,
//! however it ends.

pub mod bench;
pub mod canary;
pub mod config;
pub mod config_text;
pub mod control;
pub mod forwarding;
pub mod lab;
pub mod metrics;
pub mod namespace;
pub mod server;
pub mod setup;
pub mod tools;

pub use config::Config;

//! The delivery service on both engines, with real openmls clients, and over its WebSocket.

#![allow(clippy::unwrap_used)]

mod committing;
mod groups;
mod key_packages;
mod quarantine;
mod removals;
mod sending;
mod sockets;
mod support;

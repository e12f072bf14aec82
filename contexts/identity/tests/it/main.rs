//! The whole service on both engines, spoken to by the real client state machines and software SIMs.

#![allow(clippy::unwrap_used, reason = "a failing test panics")]

mod admin;
mod akma;
mod authenticate;
mod devices;
mod enrol;
mod home_network;
mod http;
mod jobs;
mod login;
mod password;
mod personalise;
mod refresh;
mod sessions;
mod sims;
mod sites;
mod vault;
mod world;

/// Every migration that identity's database needs.
pub const MIGRATIONS: &[pakawaaz_storage::Migration] = &[
    pakawaaz_audit::MIGRATIONS[0],
    pakawaaz_identity::MIGRATIONS[0],
    pakawaaz_identity::MIGRATIONS[1],
    pakawaaz_identity::MIGRATIONS[2],
    pakawaaz_identity::MIGRATIONS[3],
    pakawaaz_identity::MIGRATIONS[4],
];

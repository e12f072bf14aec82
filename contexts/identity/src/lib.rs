//! Officials' accounts, devices, SIMs, certificates, three-factor login, sessions, revocation.
//!
//! **Invariants**
//! - A sequence number is durable before its challenge leaves; a voucher, a login and an AUTS work once; nothing of
//!   a failed enrolment is stored.
//! - Only a caller with a valid device signature learns which factor failed, and only then a counter moves.
//! - Whatever ends a session goes through one place (`service/cut.rs`), which writes the revocation sequence in the
//!   same transaction; every node obeys it within a quarter second and believes nobody when it cannot read it.
//! - K and OPc stay in the [`SimVault`], every other private key in the [`Vault`].
//!
//! [`Identity`] is the service, [`http::router`] its routes, [`jobs`] its timers. The outside is [`Vault`],
//! [`SimVault`], [`SocketCloser`], [`ports::Phones`], a clock and a database.

mod error;
pub mod fuzz;
pub mod http;
mod installation;
pub mod jobs;
pub mod model;
pub mod ports;
mod service;
mod sim_vault;
mod store;
mod vault;

pub use error::{Error, Result};
pub use installation::{Installation, InstallationPublic, InstallationSecrets, root_voucher};
pub use service::{
    ActiveDevice, CoreExpected, CoreMethod, CoreVector, ENROLMENT_LASTS, FRESH_LOGIN, FirstAdministrator, HelloProof,
    Identity, LoginConnection, STALE_AFTER, Settings, SocketCloser, Subscriber, WlanVector,
};
pub use sim_vault::{RemoteSimVault, SimVault, Vaults};
pub use store::MIGRATIONS;
pub use vault::{SoftwareVault, Vault, VaultSigner};

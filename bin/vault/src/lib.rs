//! The vault of the SIMs' keys as a process.
//!
//! It holds one thing, the key under which every card's secrets rest in the server's database, or only the right to use
//! that key inside a PKCS#11 module. Its one way in is a Unix socket; what can be said there is `pakawaaz_sim_vault`. It
//! has no runtime, no network and no database, and gives up what it does not need before it reads the first byte.
//!
//! **Invariant**: an answer is counted in a file before it leaves (`ledger`).

pub mod bench;
pub mod client;
pub mod clock;
pub mod config;
pub mod config_text;
pub mod issue;
pub mod key;
pub mod ledger;
pub mod server;
pub mod vault;

pub use config::Config;

//! gNB and UE simulator: many gNBs, ten thousand phones, real NAS security and real GTP-U.
//!
//! | what | where |
//! |---|---|
//! | a UE as a state machine | [`phone`] |
//! | a gNB as a state machine | [`gnb`] |
//! | both together over any N2 transport | [`world`] |
//! | what a load run does, and its figures | [`scenario`], [`measure`] |
//! | user data through the tunnels, over real sockets | [`traffic`] |
//! | what a hostile gNB or phone sends | [`hostile`] |
//! | SIM files | [`sims`] |
//!
//! **Invariants**: it shares nothing with the core but the codecs, so that a fault of one side is seen by the other;
//! `phone`, `gnb` and `world` do no I/O and take time as an argument; sockets are in `traffic` and `link` only.

pub mod error;
pub mod fuzz;
pub mod gnb;
pub mod hostile;
pub mod link;
pub mod measure;
pub mod packet;
pub mod phone;
pub mod scenario;
pub mod sims;
pub mod traffic;
pub mod world;

pub use error::RansimError;

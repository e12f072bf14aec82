//! The 5G control plane (AMF, SMF and SEAF of TS 23.501) as a state machine without I/O.
//!
//! [`ControlPlane::handle`] takes one [`Input`] (a message of a gNB, an answer of the vault or of the user plane, a command
//! of an operator, or that time has passed) and appends [`Output`]s. It holds no key of a card: authentication vectors and
//! the opening of concealed identities (SUCI) come from the vault.
//!
//! **Invariants**
//! - NIA0, NEA0 and the null protection scheme cannot be chosen: no configuration value names them.
//! - What an unauthenticated message says changes nothing of a phone that has a security context.
//! - A 5G-GUTI is used once: every registration and every service request gives a new one.
//! - A hostile gNB or phone costs bounded memory, and never touches the state of another phone.

mod addresses;
pub mod config;
mod control_plane;
mod core;
pub mod counters;
mod eap;
pub mod error;
pub mod fuzz;
mod gnb;
pub mod identifiers;
pub mod io;
mod n2;
mod security;
mod session;
mod snapshot;
mod timers;
pub mod trace;
mod traced;
mod ue;
pub mod views;

pub use control_plane::{ControlPlane, Restored};
pub use error::ControlPlaneError;

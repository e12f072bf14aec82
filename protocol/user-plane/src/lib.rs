//! What the user plane (UPF of TS 23.501 §6.2.3) does with a packet: sessions, allow-lists, policing, buffering.
//!
//! No sockets, no clock and no randomness: packets, time and rules come in, verdicts and packets go out. `bin/upf` gives it
//! a TUN device and a GTP-U socket; tests give it bytes.
//!
//! **Invariant**: nothing passes unless a signed allow-list says so. There is no default rule that lets anything through,
//! and no way to make an allow-list that names a public network.

pub mod allow_list;
pub mod counters;
mod error;
mod flows;
mod fragments;
pub mod fuzz;
mod held;
mod kept;
pub mod limits;
pub mod link;
mod network;
pub mod packet;
mod plane;
mod policing;
mod returns;
pub mod router;
pub mod rules;
mod session;
mod teids;

pub use allow_list::AllowLists;
pub use counters::{Counters, Reason};
pub use error::UserPlaneError;
pub use limits::Limits;
pub use plane::{Sink, UserPlane, Verdict};

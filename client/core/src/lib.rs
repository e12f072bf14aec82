//! Client core: enrolment, login, MLS, synchronisation, outbox and view-models.
//!
//! Sans I/O: sockets, clock, randomness, waiting and storage come through three traits ([`Transport`], [`Platform`],
//! [`Store`]), so the same code runs in a terminal, in a browser (WASM) and under a test that lies to it.
//!
//! **Invariants**
//! * An MLS state change and everything that follows from it are stored in one batch *before* anything leaves the
//!   device, so a crash at any batch boundary forks nothing and loses nothing.
//! * Positions are acknowledged only after they are stored.
//! * The server is believed about nothing that can be verified: logs are hash chains, devices need evidence down to
//!   the pinned root, removals need signed revocations. What does not verify becomes an [`views::Alarm`].

// Shells are single-threaded (current-thread runtimes, browsers): no `Send` is promised or needed.
#![allow(async_fn_in_trait)]

mod admin;
mod admin_cellular;
mod alarms;
mod appointments;
mod card;
mod client;
mod clock;
mod conversations;
mod db;
mod devices;
mod directory;
mod enrol;
mod error;
mod files;
#[cfg(any(test, feature = "testing"))]
pub mod fuzz;
mod http;
mod inner;
mod keys;
mod listing;
mod local;
mod login;
#[cfg(any(test, feature = "testing"))]
pub mod memory;
mod messages;
mod mls;
mod mls_state;
mod password;
mod platform;
mod profile;
mod progress;
mod read;
mod records;
mod scene;
mod search;
mod sessions;
mod standing;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod store_conformance;
mod sync;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transport;
mod trust_store;
pub mod vault;
pub mod views;

pub use admin::{APPOINTMENT_LASTS, NewAppointment, NewVoucher};
pub use card::SimCard;
pub use client::{Client, ClientEvent};
pub use enrol::{EnrolOptions, Enrolled};
pub use error::ClientError;
pub use files::{Direction, FileError, FileSink, FileSource, NewFile, NoSpool, Spool, TransferState, TransferView};
pub use platform::{AesGcm, Platform};
pub use progress::{Step, StepState};
pub use standing::CutOff;
pub use store::{Store, StoreError};
pub use transport::{Connection, EventSocket, Transport, TransportError};

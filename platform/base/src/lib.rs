//! What every crate shares: identifiers, the acting subject, time and the error conventions.
//!
//! **Invariant**: nothing here performs I/O, and everything compiles to `wasm32-unknown-unknown`.
//! Time and randomness are *passed in* ([`Millis`], `rand_core::CryptoRngCore`); a [`Clock`] is
//! implemented only at the edge (`bin/`, `client/native`).

pub mod actor;
pub mod bytes;
pub mod error;
pub mod id;
pub mod time;

pub use actor::{Actor, Assurance, Role};
pub use bytes::Bytes;
pub use error::{ErrorClass, StableError};
pub use id::{
    AuditId, DeviceId, EnrolmentId, FileId, GroupId, LoginId, MessageId, OfficialId, OrgUnitId, PostId, ProposalId,
    SessionId, SimId, TransferId, VoucherId,
};
pub use time::{Clock, Millis};

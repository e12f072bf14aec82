//! Append-only, hash-chained audit of administrative acts.
//!
//! **Invariants**
//! - An entry is written in the transaction of the act it records: no act without entry, no entry without act.
//! - Every entry's hash covers its predecessor's, and database triggers refuse UPDATE and DELETE. Whoever
//!   can drop triggers can still rewrite the whole chain or cut off its end, so the head ([`Head`]) belongs
//!   somewhere else too (printed, exported, witnessed); [`verify_chain`] compares against it.
//! - Subjects and details hold identifiers and choices, never names, content or secrets.

pub mod chain;
pub mod error;
pub mod store;

pub use chain::{AuditActor, Entry, Head, Record};
pub use error::AuditError;
pub use store::{MIGRATIONS, append, head, list, verify_chain};

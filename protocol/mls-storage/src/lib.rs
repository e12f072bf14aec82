//! openmls storage as a map in memory that remembers what changed.
//!
//! openmls writes its state through a storage provider, row by row, in the middle of an operation. Neither the
//! client nor the delivery service wants half an operation on disk, and neither wants blocking SQL inside openmls.
//! So both work like this: load the rows of one group into a [`MemoryStore`], let openmls run, and then either
//! write the [`ChangeSet`] in the same transaction as everything else, or [`MemoryStore::revert`] it.
//!
//! * [`keys`]: what a row's key looks like. Rows of one group share a prefix, so one group can be loaded alone.
//! * [`codec`]: how values are written. **M**: 27 % of JSON for a group of twelve (46 kB against 172 kB).
//! * [`store`]: [`MemoryStore`], [`ChangeSet`].
//! * [`provider`]: [`Provider`], what openmls functions take.
//!
//! **Invariant**: values are secrets. They are wiped on drop and never appear in `Debug` or in errors.

pub mod codec;
pub mod error;
pub mod keys;
pub mod provider;
pub mod store;
mod traits;

pub use error::StorageError;
pub use provider::{InjectedRand, Provider};
pub use store::{ChangeSet, MemoryStore, Row, Value};

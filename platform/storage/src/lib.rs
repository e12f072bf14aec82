//! Database (SQLite and PostgreSQL behind one set of SQL), transactions, group commit, outbox.
//!
//! **Invariants**
//! - Every write happens inside a [`Tx`] from [`Db::begin`]. Raw `begin()` is banned: on SQLite a deferred
//!   transaction that reads and then writes loses against any concurrent writer.
//! - One SQL string serves both engines: `$n` parameters, `BIGINT` milliseconds ([`pakawaaz_base::Millis`]),
//!   byte columns (`{bytes}` in migrations) for ids, `TEXT` for JSON. No `BOOLEAN` columns. Where the engines
//!   really differ (row locks, full-text search) [`Engine::pick`] chooses between two literals.
//! - On PostgreSQL a failed statement poisons the whole transaction, so expected collisions use
//!   `ON CONFLICT`, and [`Tx::commit`] proves that the transaction is alive before it reports success.
//! - Error text contains no SQL, no values and no paths.

pub mod batcher;
pub mod db;
pub mod engine;
pub mod error;
pub mod migrate;
pub mod outbox;
pub mod tx;
pub mod values;

pub use batcher::{BatchHandler, BatchOptions, Batcher};
pub use db::{Db, Read, Snapshot, StorageOptions};
pub use engine::Engine;
pub use error::{StorageError, is_unique_violation};
pub use migrate::Migration;
pub use outbox::{OutboxConsumer, OutboxEvent, OutboxHandler};
pub use tx::Tx;
pub use values::values;

/// What almost every function here returns.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

//! MLS delivery service: key packages, one ordered chained log per group, cursors, events.
//!
//! [`Messaging`] is the service, [`http::router`] serves it. What it asks of others are the [`ports`]; the facts it
//! listens to are handled by [`jobs::DeviceFacts`].
//!
//! **Invariants**
//! - An answer "accepted" follows the commit of the transaction that stored the entry.
//! - One commit for each group and epoch. Log entry, new public state, tree, GroupInfo, Welcomes and memberships of
//!   a commit are one transaction.
//! - The log has no gaps and its chained hash is computed under the lock of the group's row.
//! - A key package that is not marked as last resort leaves the server once.

pub mod error;
pub mod fuzz;
pub mod http;
pub mod jobs;
pub mod model;
pub mod ports;
pub mod service;
mod store;

pub use error::MessagingError;
pub use ports::{DeviceStanding, Devices, SocketAuth, SocketHello, SocketSession};
pub use service::commit::CommitRequest;
pub use service::send::SendRequest;
pub use service::{Accepted, Messaging, MessagingConfig, Ports};

use pakawaaz_storage::Migration;

/// The schema; hand it to `Db::migrate`.
pub const MIGRATIONS: &[Migration] = &[
    Migration { context: "messaging", version: 1, sql: include_str!("../migrations/0001_messaging.sql") },
    Migration { context: "messaging", version: 2, sql: include_str!("../migrations/0002_creator.sql") },
];

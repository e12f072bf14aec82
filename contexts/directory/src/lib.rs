//! Organisation tree, posts and their holders, officials' names; search.
//!
//! [`Directory`] is the service; [`http::router`] serves it. This context asks nothing of the others. It tells
//! them one fact through the outbox, `directory.official_created`, and hears one: `identity.appointment_signed`.

pub mod error;
pub mod fuzz;
pub mod http;
pub mod jobs;
pub mod model;
pub mod service;
mod store;

pub use error::DirectoryError;
pub use service::Directory;
pub use service::appointments::Holding;

use pakawaaz_storage::Migration;

/// The schema; hand it to `Db::migrate`. Needs the audit log's tables as well.
pub const MIGRATIONS: &[Migration] = &[
    Migration { context: "directory", version: 1, sql: include_str!("../migrations/0001_directory.sql") },
    Migration { context: "directory", version: 2, sql: include_str!("../migrations/0002_appointments.sql") },
];

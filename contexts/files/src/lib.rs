//! Opaque encrypted files: resumable chunked uploads, quotas, retention.
//!
//! [`Files`] is the service, [`http::router`] serves it. What it stores was sealed by the uploader's client; neither name
//! nor type nor conversation ever arrives here. It asks nothing of other contexts and tells them nothing.
//!
//! **Invariants**
//! - A chunk is acknowledged when its blob *and* its row are durable, in this order.
//! - A stored chunk never changes: the same bytes again are fine, others are refused. A complete file never changes.
//! - Bytes that an official announces count against the quota before a single one is stored.
//! - Rows go before blobs: a crash leaves blobs that nobody names, which the scan deletes, never rows that promise
//!   blobs that are not there.

pub mod blobs;
pub mod error;
pub mod fuzz;
pub mod http;
pub mod jobs;
pub mod model;
pub mod service;
mod store;

pub use blobs::Blobs;
pub use error::FilesError;
pub use service::scan::ScanReport;
pub use service::{Files, FilesConfig};
pub use store::{BlobRow, blob_rows, forget_file, has_row};

use pakawaaz_storage::Migration;

/// The schema; hand it to `Db::migrate`. Needs the audit log's tables as well.
pub const MIGRATIONS: &[Migration] =
    &[Migration { context: "files", version: 1, sql: include_str!("../migrations/0001_files.sql") }];

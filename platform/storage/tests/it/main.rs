//! Storage on both engines.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic like tests")]

mod batcher;
mod db;
mod migrate;
mod outbox;

use pakawaaz_storage::Migration;

/// A table for the tests.
pub const NOTES: &[Migration] = &[Migration {
    context: "notes",
    version: 1,
    sql: "CREATE TABLE note (id BIGINT PRIMARY KEY, body TEXT NOT NULL, blob {bytes});
          CREATE TABLE tally (name TEXT PRIMARY KEY, n BIGINT NOT NULL);
          INSERT INTO tally (name, n) VALUES ('a', 0);",
}];

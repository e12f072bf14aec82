//! All SQL of this context.

pub mod appointments;
pub mod officials;
pub mod posts;
pub mod search;
pub mod units;

use crate::DirectoryError;
use pakawaaz_storage::StorageError;

type Result<T> = std::result::Result<T, DirectoryError>;

/// An id column that does not hold an id means a damaged row.
fn id<T>(bytes: &[u8], from_slice: fn(&[u8]) -> Option<T>) -> Result<T> {
    from_slice(bytes).ok_or_else(|| StorageError::internal("directory_id").into())
}

/// `$1, $2, …` for an IN list.
fn placeholders(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}

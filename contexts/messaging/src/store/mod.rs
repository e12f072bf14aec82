//! All SQL of this context.

pub mod cuts;
pub mod groups;
pub mod inbox;
pub mod key_packages;
pub mod log;
pub mod members;
pub mod rejections;
pub mod removals;

use crate::MessagingError;
use pakawaaz_storage::StorageError;
pub use pakawaaz_storage::values;

pub type Result<T> = std::result::Result<T, MessagingError>;

/// A 16-byte id from a column.
pub fn id<T>(bytes: &[u8], make: impl Fn(&[u8]) -> Option<T>) -> Result<T> {
    make(bytes).ok_or_else(|| StorageError::internal("id").into())
}

/// A chained hash from a column.
pub fn hash(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| StorageError::internal("hash").into())
}

/// Repeats the last item up to a power of two, so that few different statements are prepared. For statements in
/// which a repeated row means nothing.
pub fn padded<T: Clone>(items: &[T]) -> Vec<T> {
    let mut out = items.to_vec();
    if let Some(last) = items.last() {
        out.resize(items.len().next_power_of_two(), last.clone());
    }
    out
}

/// Cuts into pieces whose lengths are powers of two, largest first. For inserts, which cannot be padded.
pub fn pieces<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = 1usize << items.len().checked_ilog2()?;
        let (piece, rest) = items.split_at(length);
        items = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_in_few_sizes() {
        assert_eq!(padded(&[1, 2, 3]), [1, 2, 3, 3]);
        assert!(padded::<u8>(&[]).is_empty());
        let items: Vec<u8> = (0..13).collect();
        let lengths: Vec<usize> = pieces(&items).map(<[u8]>::len).collect();
        assert_eq!(lengths, [8, 4, 1]);
        assert_eq!(pieces(&items).flatten().copied().collect::<Vec<_>>(), items);
    }

    /// Whatever the number of rows wanted: a batch that reads a whole table gets slower with every message ever sent.
    #[tokio::test]
    async fn no_batch_reads_a_whole_table() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("plan.db").display());
        let db = pakawaaz_storage::Db::open(&url, &Default::default()).await.unwrap();
        db.migrate(crate::MIGRATIONS).await.unwrap();
        let mut read = db.read().await.unwrap();
        for rows in [1, 64, 256, 1024] {
            let conn = read.conn();
            let statements = [
                log::existing_sql(&values(conn, rows, 2)),
                members::allowed_sql(&values(conn, rows, 2)),
                members::acknowledge_sql(&values(conn, rows, 3)),
                groups::advance_sql(&values(conn, rows, 4)),
                groups::lock_sql(pakawaaz_storage::Engine::Sqlite, &values(conn, 1, rows)),
            ];
            for sql in statements {
                let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
                let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut *conn).await.unwrap();
                let steps: Vec<&str> = plan.iter().map(|(.., step)| step.as_str()).collect();
                let scanned = steps.iter().filter(|step| step.starts_with("SCAN"));
                for step in scanned {
                    let over_values = *step == "SCAN w" || step.contains("CONSTANT ROW");
                    assert!(over_values, "{step} with {rows} rows: {sql:.90} … {steps:?}");
                }
            }
        }
    }
}

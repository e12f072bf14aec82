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
}

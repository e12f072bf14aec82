//! Entry points of the fuzz workspace.

use crate::{FileKey, MAX_CHUNK, Shape};

/// A sealed chunk from outside: `size (8) ‖ chunk (4) ‖ index (4) ‖ sealed bytes`. Nothing opens under a key that sealed
/// nothing.
pub fn sealed_chunk(data: &[u8]) {
    let Some((head, sealed)) = data.split_first_chunk::<16>() else { return };
    let size = u64::from_be_bytes(head[..8].try_into().expect("8 bytes"));
    let chunk = u32::from_be_bytes(head[8..12].try_into().expect("4 bytes")) % (MAX_CHUNK + 2);
    let index = u32::from_be_bytes(head[12..].try_into().expect("4 bytes"));
    for size in [size, size % 100_000] {
        let Ok(shape) = Shape::new(size, chunk) else { continue };
        let key = FileKey::new([7; 32], [7; 7]);
        let mut buffer = sealed.to_vec();
        assert!(key.open(&shape, index, &mut buffer).is_err());
        assert!(buffer.is_empty());
    }
}

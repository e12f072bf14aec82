//! How a file falls into chunks.

use crate::{FileStreamError, MAX_CHUNK, TAG};

/// Size of a file and of its chunks, both of the plaintext. Every chunk is full but the last; an empty file is one
/// empty chunk, so that emptiness is authenticated too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    size: u64,
    chunk: u32,
    chunks: u32,
}

impl Shape {
    /// A shape.
    ///
    /// # Errors
    /// [`FileStreamError::BadShape`] for chunks of zero or more than [`MAX_CHUNK`] bytes, or for more chunks than
    /// positions.
    pub fn new(size: u64, chunk: u32) -> Result<Self, FileStreamError> {
        if chunk == 0 || chunk > MAX_CHUNK {
            return Err(FileStreamError::BadShape);
        }
        let chunks = u32::try_from(size.div_ceil(u64::from(chunk)).max(1)).map_err(|_| FileStreamError::BadShape)?;
        Ok(Self { size, chunk, chunks })
    }
    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }
    /// Plaintext bytes of a full chunk.
    pub fn chunk(&self) -> u32 {
        self.chunk
    }
    /// Number of chunks, at least 1.
    pub fn chunks(&self) -> u32 {
        self.chunks
    }
    /// Bytes of all sealed chunks together.
    pub fn sealed_size(&self) -> u64 {
        self.size + u64::from(self.chunks) * TAG as u64
    }
    /// Bytes of a full sealed chunk.
    pub fn sealed_chunk(&self) -> u32 {
        self.chunk + TAG as u32
    }
    /// Whether a chunk is the last one.
    pub fn is_last(&self, index: u32) -> bool {
        index + 1 == self.chunks
    }
    /// Where a chunk's plaintext begins in the file.
    pub fn offset(&self, index: u32) -> u64 {
        u64::from(index) * u64::from(self.chunk)
    }
    /// Plaintext bytes of a chunk; `None` when there is no such chunk.
    pub fn plain_len(&self, index: u32) -> Option<usize> {
        if index >= self.chunks {
            return None;
        }
        Some(u64::from(self.chunk).min(self.size - self.offset(index)) as usize)
    }
    /// Bytes of a sealed chunk; `None` when there is no such chunk.
    pub fn sealed_len(&self, index: u32) -> Option<usize> {
        self.plain_len(index).map(|n| n + TAG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_empty_file_is_one_empty_chunk_and_a_full_last_chunk_has_no_empty_one_after_it() {
        let empty = Shape::new(0, 4).expect("shape");
        assert_eq!((empty.chunks(), empty.plain_len(0), empty.sealed_size()), (1, Some(0), 16));
        let full = Shape::new(8, 4).expect("shape");
        assert_eq!((full.chunks(), full.plain_len(1), full.plain_len(2)), (2, Some(4), None));
        assert!(full.is_last(1) && !full.is_last(0));
    }

    #[test]
    fn impossible_shapes_are_refused() {
        for (size, chunk) in [(1, 0), (1, MAX_CHUNK + 1), (u64::MAX, MAX_CHUNK), (1 << 33, 1)] {
            assert_eq!(Shape::new(size, chunk), Err(FileStreamError::BadShape), "{size} {chunk}");
        }
    }

    proptest! {
        #[test]
        fn chunks_cover_the_file_exactly(size in 0u64..100_000, chunk in 1u32..5000) {
            let shape = Shape::new(size, chunk).expect("shape");
            let mut at = 0;
            let mut sealed = 0;
            for index in 0..shape.chunks() {
                prop_assert_eq!(shape.offset(index), at);
                at += shape.plain_len(index).expect("there") as u64;
                sealed += shape.sealed_len(index).expect("there") as u64;
            }
            prop_assert_eq!((at, sealed), (size, shape.sealed_size()));
            // What a server computes from the sealed sizes alone is the same number of chunks.
            prop_assert_eq!(shape.sealed_size().div_ceil(u64::from(shape.sealed_chunk())), u64::from(shape.chunks()));
        }
    }
}

//! What may be uploaded, and when it ends.

use crate::FilesError;
use pakawaaz_base::Millis;
use std::time::Duration;

/// Most chunks of one file.
pub const MAX_CHUNKS: u64 = 65_536;
/// Bytes by which sealing may make a chunk larger than the limits say, which count plaintext.
pub const OVERHEAD: u64 = 64;

/// Bounds of uploads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, plaintext bytes.
    pub max_size: u64,
    /// Largest chunk, plaintext bytes.
    pub max_chunk: u32,
    /// Bytes of one official's files.
    pub quota: u64,
    /// Uploads of one official that are not complete.
    pub max_open_uploads: u32,
    /// How long a complete file is kept.
    pub retention: Duration,
    /// How long an upload that does not go on is kept.
    pub abandoned: Duration,
}

impl Limits {
    /// Largest sealed chunk.
    pub fn sealed_chunk(&self) -> u64 {
        u64::from(self.max_chunk) + OVERHEAD
    }
    /// When an upload ends that went on at `now`.
    pub fn upload_ends(&self, now: Millis) -> Millis {
        now.plus(self.abandoned)
    }
    /// When a file ends that was completed at `now`.
    pub fn file_ends(&self, now: Millis) -> Millis {
        now.plus(self.retention)
    }
}

/// What an official's files take up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes announced or stored.
    pub bytes: u64,
    /// Uploads that are not complete.
    pub open: u32,
}

/// Sealed sizes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// All chunks together.
    pub size: u64,
    /// Each but the last.
    pub chunk: u32,
    /// How many.
    pub chunks: u32,
}

impl Sizes {
    /// Whether such a file may be uploaded at all.
    pub fn check(size: u64, chunk: u32, limits: &Limits) -> Result<Self, FilesError> {
        if size == 0 || chunk == 0 {
            return Err(FilesError::BadSize);
        }
        let chunks = size.div_ceil(u64::from(chunk));
        if u64::from(chunk) > limits.sealed_chunk() {
            return Err(FilesError::TooLarge);
        }
        if size > limits.max_size.saturating_add(chunks.saturating_mul(OVERHEAD)) {
            return Err(FilesError::TooLarge);
        }
        if chunks > MAX_CHUNKS {
            return Err(FilesError::BadSize);
        }
        Ok(Self { size, chunk, chunks: chunks as u32 })
    }

    /// Bytes of a chunk; `None` when there is no such one.
    pub fn chunk_len(&self, number: u32) -> Option<usize> {
        if number >= self.chunks {
            return None;
        }
        let before = u64::from(number) * u64::from(self.chunk);
        Some((self.size - before).min(u64::from(self.chunk)) as usize)
    }
}

/// Whether an official may announce `size` more bytes.
pub fn admit(usage: Usage, size: u64, limits: &Limits) -> Result<(), FilesError> {
    if usage.open >= limits.max_open_uploads {
        return Err(FilesError::TooManyUploads);
    }
    if usage.bytes.saturating_add(size) > limits.quota {
        return Err(FilesError::Quota);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limits() -> Limits {
        Limits {
            max_size: 1000,
            max_chunk: 100,
            quota: 5000,
            max_open_uploads: 2,
            retention: Duration::from_secs(10),
            abandoned: Duration::from_secs(5),
        }
    }

    #[test]
    fn sizes_out_of_bounds_are_refused() {
        let check = |size, chunk| Sizes::check(size, chunk, &limits());
        assert_eq!(check(1160, 116).map(|s| s.chunks), Ok(10));
        assert_eq!(check(0, 10), Err(FilesError::BadSize));
        assert_eq!(check(10, 0), Err(FilesError::BadSize));
        assert_eq!(check(10, 165), Err(FilesError::TooLarge));
        assert_eq!(check(1705, 164), Err(FilesError::TooLarge));
        assert!(check(u64::MAX, 1).is_err());
        assert_eq!(check(u64::MAX, 164), Err(FilesError::TooLarge));
    }

    #[test]
    fn a_quota_counts_what_is_announced() {
        let usage = |bytes, open| Usage { bytes, open };
        assert_eq!(admit(usage(4000, 1), 1000, &limits()), Ok(()));
        assert_eq!(admit(usage(4000, 1), 1001, &limits()), Err(FilesError::Quota));
        assert_eq!(admit(usage(0, 0), u64::MAX, &limits()), Err(FilesError::Quota));
        assert_eq!(admit(usage(0, 2), 1, &limits()), Err(FilesError::TooManyUploads));
    }

    proptest! {
        #[test]
        fn chunks_add_up(size in 1u64..1000, chunk in 1u32..164) {
            let sizes = Sizes::check(size, chunk, &limits()).expect("fits");
            let sum: usize = (0..sizes.chunks).filter_map(|n| sizes.chunk_len(n)).sum();
            prop_assert_eq!(sum as u64, size);
            prop_assert_eq!(sizes.chunk_len(sizes.chunks), None);
        }
    }
}

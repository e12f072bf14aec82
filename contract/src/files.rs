//! Files: opaque encrypted chunks at the server (context `files`).
//!
//! Chunks are sealed by the uploader's client (`protocol/file-stream`); key, hash, name and type travel only inside an
//! encrypted message. The server learns how large a file is, who put it there and who fetched it.

use pakawaaz_base::{Bytes, FileId, Millis};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Request header of a download: unpadded base64url of the 32 bytes whose SHA-256 is
/// [`CreateFileRequest::access_hash`].
pub const ACCESS_HEADER: &str = "pakawaaz-file-access";

/// `POST /v1/files`: announce an upload. Answer: [`CreatedFile`]. Idempotent by `access_hash` for the same official and
/// sizes, so that a client that crashed before it read the answer asks again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreateFileRequest {
    /// Bytes of all sealed chunks together.
    pub size: u64,
    /// Bytes of every sealed chunk but the last, which may be shorter.
    pub chunk_size: u32,
    /// SHA-256 of 32 random bytes; whoever shows those bytes may download.
    pub access_hash: Bytes,
}

/// An announced upload.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CreatedFile {
    /// The file.
    pub file: FileId,
    /// When it is deleted unless something more is uploaded.
    pub expires_at: Millis,
}

/// `GET /v1/files/{file}`: how far an upload is. Its uploader only.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FileState {
    /// The file.
    pub file: FileId,
    /// Bytes of all sealed chunks together.
    pub size: u64,
    /// Bytes of every sealed chunk but the last.
    pub chunk_size: u32,
    /// Number of chunks.
    pub chunks: u32,
    /// Chunks that are stored durably, one bit each, the first in the lowest bit of the first byte.
    pub received: Bytes,
    /// Whether it was completed: nothing can be added, and it can be downloaded.
    pub complete: bool,
    /// When it is deleted.
    pub expires_at: Millis,
}

impl FileState {
    /// Whether a chunk is stored.
    pub fn has(&self, index: u32) -> bool {
        self.received.get(index as usize / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

/// The bits of [`FileState::received`].
pub fn received_bits(chunks: u32, stored: impl IntoIterator<Item = u32>) -> Bytes {
    let mut bits = vec![0u8; chunks.div_ceil(8) as usize];
    for index in stored {
        if let Some(byte) = bits.get_mut(index as usize / 8) {
            *byte |= 1 << (index % 8);
        }
    }
    Bytes(bits)
}

/// `POST /v1/files/{file}/complete`: all chunks are there. Idempotent.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CompletedFile {
    /// When it is deleted.
    pub expires_at: Millis,
}

/// `GET /v1/files`: what this official's files take up.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct FileUsage {
    /// Bytes of files that are stored or announced.
    pub used: u64,
    /// Most of them.
    pub quota: u64,
    /// Uploads that are not complete.
    pub open_uploads: u32,
    /// Most of them.
    pub max_open_uploads: u32,
    /// Largest file, sealed bytes.
    pub max_size: u64,
    /// Largest sealed chunk in bytes.
    pub max_chunk: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_tell_which_chunks_are_there() {
        let state = FileState {
            file: FileId::from_bytes([1; 16]),
            size: 100,
            chunk_size: 10,
            chunks: 10,
            received: received_bits(10, [0, 3, 9, 77]),
            complete: false,
            expires_at: Millis(0),
        };
        let there: Vec<u32> = (0..200).filter(|i| state.has(*i)).collect();
        assert_eq!(there, [0, 3, 9]);
        assert_eq!(state.received.0, [0b1001, 0b10]);
    }
}

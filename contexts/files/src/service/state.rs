//! How far an upload is, and what an official's files take up.

use super::Files;
use crate::{FilesError, store};
use pakawaaz_base::{Actor, FileId};
use pakawaaz_contract::files::{FileState, FileUsage, received_bits};

impl Files {
    /// The state of an own file.
    ///
    /// Errors: `NotFound`.
    pub async fn state(&self, actor: &Actor, file: FileId) -> Result<FileState, FilesError> {
        let row = self.own(actor, file).await?;
        let stored = store::chunks::numbers(self.inner.db.read().await?.conn(), file).await?;
        Ok(FileState {
            file,
            size: row.sizes.size,
            chunk_size: row.sizes.chunk,
            chunks: row.sizes.chunks,
            received: received_bits(row.sizes.chunks, stored),
            complete: row.complete,
            expires_at: row.expires_at,
        })
    }

    /// What the caller's files take up, and the bounds.
    pub async fn usage(&self, actor: &Actor) -> Result<FileUsage, FilesError> {
        let usage = store::files::usage(self.inner.db.read().await?.conn(), actor.official).await?;
        let limits = self.limits();
        Ok(FileUsage {
            used: usage.bytes,
            quota: limits.quota,
            open_uploads: usage.open,
            max_open_uploads: limits.max_open_uploads,
            max_size: limits.max_size,
            max_chunk: limits.max_chunk,
        })
    }
}

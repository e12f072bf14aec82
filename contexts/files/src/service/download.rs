//! Gives a chunk out.

use super::Files;
use crate::model::access;
use crate::model::blob::Name;
use crate::{FilesError, store};
use bytes::Bytes;
use futures::stream::BoxStream;
use pakawaaz_base::FileId;

/// A chunk on its way out.
pub struct Chunk {
    /// Bytes in all.
    pub size: u64,
    /// The bytes, read as they are taken.
    pub bytes: BoxStream<'static, Result<Bytes, FilesError>>,
}

impl Files {
    /// A chunk of a complete file, for whoever shows the right access value.
    ///
    /// Errors: `NotFound` (also for the wrong value), `BadChunk`, `Damaged`.
    pub async fn download(&self, file: FileId, number: u32, shown: Option<[u8; 32]>) -> Result<Chunk, FilesError> {
        let row = self.existing(file).await?;
        let opens = shown.is_some_and(|shown| access::opens(&shown, &row.access_hash));
        if !opens || !row.complete {
            return Err(FilesError::NotFound);
        }
        let size = row.sizes.chunk_len(number).ok_or(FilesError::BadChunk)? as u64;
        let hash = store::chunks::hash(self.inner.db.read().await?.conn(), file, number).await?;
        let name = Name::new(file, number, &hash.ok_or(FilesError::Damaged)?);
        let bytes = self.inner.blobs.read(&name, size).await.inspect_err(|error| {
            if *error == FilesError::Damaged {
                metrics::counter!("pakawaaz_files_damaged_total").increment(1);
                tracing::error!("a blob is missing or short");
            }
        })?;
        metrics::counter!("pakawaaz_files_bytes_total", "direction" => "down").increment(size);
        Ok(Chunk { size, bytes })
    }
}

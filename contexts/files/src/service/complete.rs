//! Ends an upload.

use super::Files;
use crate::{FilesError, store};
use pakawaaz_base::{Actor, FileId};
use pakawaaz_contract::files::CompletedFile;

impl Files {
    /// Completes a file of which every chunk is stored. Idempotent.
    ///
    /// Errors: `NotFound`, `Incomplete`.
    pub async fn complete(&self, actor: &Actor, file: FileId) -> Result<CompletedFile, FilesError> {
        let row = self.own(actor, file).await?;
        if row.complete {
            return Ok(CompletedFile { expires_at: row.expires_at });
        }
        let now = self.now();
        let ends = self.limits().file_ends(now);
        let mut tx = self.inner.db.begin().await?;
        store::files::goes_on(tx.conn(), file, self.limits().upload_ends(now)).await?;
        let stored = store::chunks::count(tx.conn(), file).await?;
        if stored != row.sizes.chunks {
            return Err(FilesError::Incomplete);
        }
        store::files::complete(tx.conn(), file, ends).await?;
        tx.commit().await?;
        metrics::counter!("pakawaaz_files_completed_total").increment(1);
        Ok(CompletedFile { expires_at: ends })
    }
}

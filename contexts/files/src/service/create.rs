//! Announces an upload.

use super::{Files, lock_of};
use crate::FilesError;
use crate::model::upload::{Sizes, admit};
use crate::store::{self, FileRow};
use pakawaaz_base::{Actor, FileId};
use pakawaaz_contract::files::{CreateFileRequest, CreatedFile};
use rand::rngs::OsRng;

impl Files {
    /// Takes an upload on; its bytes count from now on. Idempotent by access hash.
    ///
    /// Errors: `BadSize`, `TooLarge`, `BadAccessHash`, `AlreadyAnnounced`, `Quota`, `TooManyUploads`.
    pub async fn create(&self, actor: &Actor, request: CreateFileRequest) -> Result<CreatedFile, FilesError> {
        let limits = self.limits();
        let sizes = Sizes::check(request.size, request.chunk_size, limits)?;
        let access_hash = request.access_hash.array::<32>().ok_or(FilesError::BadAccessHash)?;
        let now = self.now();
        let mut tx = self.inner.db.begin().await?;
        tx.lock(lock_of(actor.official)).await?;
        if let Some(known) = store::files::by_access(tx.conn(), actor.official, &access_hash).await? {
            let same = known.sizes == sizes && !known.complete && known.expires_at > now;
            tx.rollback().await?;
            return if same {
                Ok(CreatedFile { file: known.file, expires_at: known.expires_at })
            } else {
                Err(FilesError::AlreadyAnnounced)
            };
        }
        let usage = store::files::usage(tx.conn(), actor.official).await?;
        admit(usage, sizes.size, limits)?;
        let row = FileRow {
            file: FileId::new(now, &mut OsRng),
            uploader: actor.official,
            access_hash,
            sizes,
            complete: false,
            expires_at: limits.upload_ends(now),
        };
        store::files::insert(tx.conn(), &row, now).await?;
        tx.commit().await?;
        metrics::counter!("pakawaaz_files_announced_total").increment(1);
        Ok(CreatedFile { file: row.file, expires_at: row.expires_at })
    }
}

//! Deletes a file before its time.

use super::Files;
use crate::{FilesError, store};
use pakawaaz_audit::Entry;
use pakawaaz_base::{Actor, AuditId, FileId, Role};
use rand::rngs::OsRng;

impl Files {
    /// Deletes a file: its uploader, or an administrator, which the audit log records. Idempotent for the uploader in
    /// that the second time says `NotFound`.
    ///
    /// Errors: `NotFound`.
    pub async fn remove(&self, actor: &Actor, file: FileId) -> Result<(), FilesError> {
        let row = store::files::by_id(self.inner.db.read().await?.conn(), file).await?.ok_or(FilesError::NotFound)?;
        let own = row.uploader == actor.official;
        if !own && !actor.has(Role::Administrator) {
            return Err(FilesError::NotFound);
        }
        let mut tx = self.inner.db.begin().await?;
        store::delete(&mut tx, file).await?;
        if !own {
            let now = self.now();
            let entry = Entry {
                id: AuditId::new(now, &mut OsRng),
                at: now,
                actor: Some(actor.into()),
                action: "files.removed",
                subject: file.to_string(),
                detail: serde_json::json!({ "uploader": row.uploader, "size": row.sizes.size }),
            };
            pakawaaz_audit::append(&mut tx, entry).await?;
        }
        tx.commit().await?;
        // The rows are gone, so nobody can fetch it any more; what stays behind on the disk the scan finds.
        if self.inner.blobs.remove(file).await.is_err() {
            tracing::warn!("blobs of a deleted file stay for the scan");
        }
        Ok(())
    }
}

//! Deletes what has had its time.

use super::Files;
use crate::{FilesError, store};

/// Files deleted in one transaction.
const AT_ONCE: i64 = 50;

impl Files {
    /// Deletes files whose retention is over and uploads that were given up; returns how many.
    ///
    /// Errors: the database; blobs that cannot be deleted are left to the scan.
    pub async fn purge(&self) -> Result<u64, FilesError> {
        let mut purged = 0;
        loop {
            let now = self.now();
            let mut tx = self.inner.db.begin().await?;
            let ended = store::files::ended(tx.conn(), now, AT_ONCE).await?;
            let mut gone = Vec::with_capacity(ended.len());
            for file in &ended {
                if store::files::still_ended(tx.conn(), *file, now).await? {
                    store::delete(&mut tx, *file).await?;
                    gone.push(*file);
                }
            }
            tx.commit().await?;
            for file in &gone {
                if self.inner.blobs.remove(*file).await.is_err() {
                    tracing::warn!("blobs of an ended file stay for the scan");
                }
            }
            purged += gone.len() as u64;
            metrics::counter!("pakawaaz_files_purged_total").increment(gone.len() as u64);
            if ended.len() < AT_ONCE as usize {
                break;
            }
        }
        let (bytes, open) = store::files::totals(self.inner.db.read().await?.conn()).await?;
        metrics::gauge!("pakawaaz_files_stored_bytes").set(bytes as f64);
        metrics::gauge!("pakawaaz_files_open_uploads").set(f64::from(open));
        Ok(purged)
    }
}

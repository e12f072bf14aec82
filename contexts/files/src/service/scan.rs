//! Compares blobs and rows: what a crash, a full disk or a careless hand left behind.

use super::Files;
use crate::model::blob::Name;
use crate::{FilesError, store};
use pakawaaz_base::FileId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A blob is written before its row: younger ones may still get one.
const GRACE: Duration = Duration::from_secs(3600);
/// Files compared with one query.
const PAGE: i64 = 200;

/// What a scan found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Blobs that no row named; deleted.
    pub orphans: u64,
    /// Chunks of open uploads whose blob was missing or short; their rows were deleted, so that the client sends them
    /// again.
    pub again: u64,
    /// Chunks of complete files whose blob is missing or short: lost.
    pub lost: u64,
}

impl Files {
    /// Looks at every blob and every row.
    ///
    /// Errors: the database or the blob store.
    pub async fn scan(&self) -> Result<ScanReport, FilesError> {
        let mut report = ScanReport::default();
        self.scan_blobs(&mut report).await?;
        self.scan_rows(&mut report).await?;
        metrics::counter!("pakawaaz_files_orphans_total").increment(report.orphans);
        metrics::gauge!("pakawaaz_files_lost_chunks").set(report.lost as f64);
        if report.lost > 0 {
            tracing::error!(chunks = report.lost, "chunks of complete files are missing from the blob store");
        }
        Ok(report)
    }

    async fn scan_blobs(&self, report: &mut ScanReport) -> Result<(), FilesError> {
        let old = self.now().minus(GRACE);
        for shard in 0..=u8::MAX {
            let mut blobs: BTreeMap<FileId, Vec<Name>> = BTreeMap::new();
            for found in self.inner.blobs.of_shard(shard).await? {
                if found.written_at <= old {
                    blobs.entry(found.name.file).or_default().push(found.name);
                }
            }
            for (file, names) in blobs {
                let rows = store::chunks::of_file(self.inner.db.read().await?.conn(), file).await?;
                let named: BTreeSet<Name> = rows.iter().map(|c| Name::new(file, c.number, &c.sha256)).collect();
                for name in names.into_iter().filter(|name| !named.contains(name)) {
                    self.inner.blobs.remove_one(&name).await?;
                    report.orphans += 1;
                }
            }
        }
        Ok(())
    }

    async fn scan_rows(&self, report: &mut ScanReport) -> Result<(), FilesError> {
        let mut after: Option<FileId> = None;
        loop {
            let page = store::files::page(self.inner.db.read().await?.conn(), after, PAGE).await?;
            for row in &page {
                let file = row.file;
                let rows = store::chunks::of_file(self.inner.db.read().await?.conn(), file).await?;
                let blobs: BTreeMap<Name, u64> =
                    self.inner.blobs.of_file(file).await?.into_iter().map(|f| (f.name, f.size)).collect();
                for chunk in rows {
                    if blobs.get(&Name::new(file, chunk.number, &chunk.sha256)) == Some(&chunk.size) {
                        continue;
                    }
                    // Deleted meanwhile is not lost.
                    let still = store::files::by_id(self.inner.db.read().await?.conn(), file).await?;
                    match still {
                        None => break,
                        Some(file) if file.complete => report.lost += 1,
                        Some(_) => {
                            let mut tx = self.inner.db.begin().await?;
                            store::chunks::forget(tx.conn(), file, chunk.number).await?;
                            tx.commit().await?;
                            report.again += 1;
                        }
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.file),
                _ => return Ok(()),
            }
        }
    }
}

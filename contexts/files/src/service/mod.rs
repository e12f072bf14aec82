//! Use cases, one file each.

pub mod complete;
pub mod create;
pub mod download;
pub mod purge;
pub mod put_chunk;
pub mod remove;
pub mod scan;
pub mod state;

use crate::model::upload::Limits;
use crate::store::FileRow;
use crate::{Blobs, FilesError, store};
use pakawaaz_base::{Actor, Clock, FileId, Millis, OfficialId};
use pakawaaz_storage::{BatchOptions, Batcher, Db};
use put_chunk::{ChunkHandler, Slots};
use std::sync::Arc;

/// What a file service is told once.
#[derive(Clone, Debug)]
pub struct FilesConfig {
    /// Bounds of uploads.
    pub limits: Limits,
    /// Chunks held in memory at once, all officials together.
    pub chunks_at_once: usize,
    /// The same of one official.
    pub chunks_of_one: usize,
}

/// The file service. Cheap to clone.
#[derive(Clone)]
pub struct Files {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub db: Db,
    pub blobs: Blobs,
    pub clock: Arc<dyn Clock>,
    pub config: FilesConfig,
    pub chunks: Batcher<ChunkHandler>,
    pub slots: Slots,
}

impl Files {
    /// A service over a migrated database. Must be called inside a tokio runtime; see [`crate::jobs`] for what else has
    /// to run.
    pub fn start(db: Db, blobs: Blobs, clock: Arc<dyn Clock>, config: FilesConfig) -> Self {
        let handler = Arc::new(ChunkHandler);
        let chunks = Batcher::start("files_chunk", db.clone(), handler, BatchOptions::default());
        let slots = Slots::new(config.chunks_at_once, config.chunks_of_one);
        Self { inner: Arc::new(Inner { db, blobs, clock, config, chunks, slots }) }
    }

    /// Bounds of uploads.
    pub fn limits(&self) -> &Limits {
        &self.inner.config.limits
    }
    pub(crate) fn now(&self) -> Millis {
        self.inner.clock.now()
    }

    /// A file of the caller; to others it does not exist. What has ended does not exist either, purged or not.
    pub(crate) async fn own(&self, actor: &Actor, file: FileId) -> Result<FileRow, FilesError> {
        let row = self.existing(file).await?;
        if row.uploader == actor.official { Ok(row) } else { Err(FilesError::NotFound) }
    }
    pub(crate) async fn existing(&self, file: FileId) -> Result<FileRow, FilesError> {
        let row = store::files::by_id(self.inner.db.read().await?.conn(), file).await?.ok_or(FilesError::NotFound)?;
        if row.expires_at > self.now() { Ok(row) } else { Err(FilesError::NotFound) }
    }
}

/// A key for `Tx::lock`: what one official announces is counted one after the other.
pub(crate) fn lock_of(official: OfficialId) -> i64 {
    let mut last = [0; 8];
    last.copy_from_slice(&official.as_bytes()[8..]);
    i64::from_be_bytes(last)
}

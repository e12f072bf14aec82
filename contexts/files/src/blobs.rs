//! Where chunks lie: an object store, today a folder, later an S3-compatible one behind the same trait.

use crate::FilesError;
use crate::model::blob::{self, Name};
use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use pakawaaz_base::{FileId, Millis};
use std::sync::Arc;

/// Bytes of a blob that are in memory for each download.
const PIECE: u64 = 256 * 1024;
/// Deletions at a time.
const DELETING: usize = 16;

/// The blob store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
}

/// A blob that was found by looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name.
    pub name: Name,
    /// Its bytes.
    pub size: u64,
    /// When it was written.
    pub written_at: Millis,
}

fn failed(error: object_store::Error) -> FilesError {
    match error {
        object_store::Error::NotFound { .. } => FilesError::Damaged,
        other => {
            // The text holds paths; the kind is enough to know where to look.
            let kind = match &other {
                object_store::Error::PermissionDenied { .. } => "permission denied",
                object_store::Error::AlreadyExists { .. } => "already exists",
                _ => "input or output failed",
            };
            tracing::error!(kind, "blob store");
            FilesError::Blobs
        }
    }
}

impl Blobs {
    /// In a folder, which must exist. Every blob is flushed to the disk with its name before it counts as written.
    pub fn local(folder: &std::path::Path) -> Result<Self, FilesError> {
        let store = LocalFileSystem::new_with_prefix(folder).map_err(failed)?;
        Ok(Self::new(Arc::new(store.with_fsync(true).with_automatic_cleanup(true))))
    }
    /// In any store whose `put` is durable when it returns.
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Writes a blob; durable when this returns.
    pub(crate) async fn put(&self, name: &Name, bytes: Bytes) -> Result<(), FilesError> {
        let path = Path::from(name.to_string());
        // A folder that was just emptied may be removed between being made and being used.
        for _ in 0..2 {
            match self.store.put(&path, PutPayload::from_bytes(bytes.clone())).await {
                Err(object_store::Error::NotFound { .. }) => {}
                other => return other.map(drop).map_err(failed),
            }
        }
        self.store.put(&path, PutPayload::from_bytes(bytes)).await.map(drop).map_err(|_| FilesError::Blobs)
    }

    /// Reads a blob piece by piece, as fast as they are taken. The first piece is read at once, so that a missing blob
    /// is an error and not a broken answer.
    pub(crate) async fn read(
        &self,
        name: &Name,
        size: u64,
    ) -> Result<BoxStream<'static, Result<Bytes, FilesError>>, FilesError> {
        let path = Path::from(name.to_string());
        let first = piece(&*self.store, &path, 0, size).await?;
        let read = first.len() as u64;
        let rest = stream::try_unfold((self.store.clone(), path, read), move |(store, path, at)| async move {
            if at >= size {
                return Ok(None);
            }
            let bytes = piece(&*store, &path, at, size).await?;
            let next = at + bytes.len() as u64;
            Ok(Some((bytes, (store, path, next))))
        });
        Ok(stream::once(async { Ok(first) }).chain(rest).boxed())
    }

    /// Deletes everything of a file.
    pub(crate) async fn remove(&self, file: FileId) -> Result<(), FilesError> {
        self.delete(self.under(&blob::folder(file))).await
    }
    /// Deletes one blob; a missing one is fine.
    pub(crate) async fn remove_one(&self, name: &Name) -> Result<(), FilesError> {
        gone(self.store.delete(&Path::from(name.to_string())).await)
    }
    /// Every blob of a file.
    pub(crate) async fn of_file(&self, file: FileId) -> Result<Vec<Found>, FilesError> {
        self.found(&blob::folder(file)).await
    }
    /// Every blob in one of the 256 folders.
    pub(crate) async fn of_shard(&self, shard: u8) -> Result<Vec<Found>, FilesError> {
        self.found(&blob::shard(shard)).await
    }

    fn under(&self, folder: &str) -> BoxStream<'static, object_store::Result<object_store::ObjectMeta>> {
        self.store.list(Some(&Path::from(folder)))
    }

    async fn found(&self, folder: &str) -> Result<Vec<Found>, FilesError> {
        let mut found = Vec::new();
        let mut listing = self.under(folder);
        while let Some(next) = listing.next().await {
            let meta = match next {
                Ok(meta) => meta,
                // Deleted while we looked.
                Err(object_store::Error::NotFound { .. }) => continue,
                Err(error) => return Err(failed(error)),
            };
            if let Some(name) = Name::parse(meta.location.as_ref()) {
                found.push(Found { name, size: meta.size, written_at: Millis(meta.last_modified.timestamp_millis()) });
            }
        }
        Ok(found)
    }

    async fn delete(
        &self,
        listing: BoxStream<'static, object_store::Result<object_store::ObjectMeta>>,
    ) -> Result<(), FilesError> {
        listing
            .map_err(failed)
            .try_for_each_concurrent(DELETING, |meta| async move { gone(self.store.delete(&meta.location).await) })
            .await
    }
}

fn gone(result: object_store::Result<()>) -> Result<(), FilesError> {
    match result {
        Err(object_store::Error::NotFound { .. }) => Ok(()),
        other => other.map_err(failed),
    }
}

async fn piece(store: &dyn ObjectStore, path: &Path, at: u64, size: u64) -> Result<Bytes, FilesError> {
    let end = size.min(at + PIECE);
    let bytes = store.get_range(path, at..end).await.map_err(|error| match failed(error) {
        // A range beyond the end is a short blob.
        FilesError::Blobs => FilesError::Damaged,
        other => other,
    })?;
    if bytes.len() as u64 == end - at { Ok(bytes) } else { Err(FilesError::Damaged) }
}

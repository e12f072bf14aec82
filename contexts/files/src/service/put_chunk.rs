//! Stores a chunk.

use super::Files;
use crate::model::blob::Name;
use crate::model::upload::Sizes;
use crate::{FilesError, store};
use async_trait::async_trait;
use bytes::Bytes;
use pakawaaz_base::{Actor, FileId, Millis, OfficialId};
use pakawaaz_storage::{BatchHandler, Tx};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds how many chunks are in memory while they arrive, for all and for each official.
pub struct Slots {
    all: Arc<Semaphore>,
    of_one: usize,
    taken: Arc<Mutex<HashMap<OfficialId, usize>>>,
}

/// The place of one chunk; free again when dropped.
pub struct Slot {
    _permit: OwnedSemaphorePermit,
    _own: Own,
}

struct Own {
    official: OfficialId,
    taken: Arc<Mutex<HashMap<OfficialId, usize>>>,
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.official) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.official);
            }
        }
    }
}

impl Slots {
    pub(crate) fn new(all: usize, of_one: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all.max(1))), of_one: of_one.max(1), taken: Arc::default() }
    }

    /// Waits for a place among all; refuses an official that has too many already, so that one slow client cannot make
    /// everybody wait.
    pub(crate) async fn take(&self, official: OfficialId) -> Result<Slot, FilesError> {
        let own = {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            let count = taken.entry(official).or_default();
            if *count >= self.of_one {
                return Err(FilesError::Busy);
            }
            *count += 1;
            Own { official, taken: self.taken.clone() }
        };
        let permit = self.all.clone().acquire_owned().await.map_err(|_| FilesError::Busy)?;
        Ok(Slot { _permit: permit, _own: own })
    }
}

/// A chunk that may be stored, once its bytes are here.
pub struct Expected {
    file: FileId,
    number: u32,
    complete: bool,
    /// Its exact length.
    pub length: usize,
    _slot: Slot,
}

impl Files {
    /// Whether the caller may store this chunk, and how long it is: known before a byte of it is read.
    ///
    /// Errors: `NotFound`, `BadChunk`, `Busy`.
    pub async fn expect_chunk(&self, actor: &Actor, file: FileId, number: u32) -> Result<Expected, FilesError> {
        let slot = self.inner.slots.take(actor.official).await?;
        let row = self.own(actor, file).await?;
        let length = row.sizes.chunk_len(number).ok_or(FilesError::BadChunk)?;
        Ok(Expected { file, number, complete: row.complete, length, _slot: slot })
    }

    /// Stores a chunk; durable when this returns. Idempotent.
    ///
    /// Errors: `BadChunk`, `ChunkDiffers`, `Complete`, `NotFound` (deleted meanwhile), `Blobs`.
    pub async fn put_chunk(&self, expected: Expected, bytes: Bytes) -> Result<(), FilesError> {
        let Expected { file, number, complete, length, .. } = expected;
        if bytes.len() != length {
            return Err(FilesError::BadChunk);
        }
        let hashed = bytes.clone();
        let sha256: [u8; 32] =
            tokio::task::spawn_blocking(move || Sha256::digest(&hashed).into()).await.map_err(|_| FilesError::Blobs)?;
        let known = store::chunks::hash(self.inner.db.read().await?.conn(), file, number).await?;
        match known {
            Some(known) if known == sha256 => return Ok(()),
            Some(_) => return Err(FilesError::ChunkDiffers),
            None if complete => return Err(FilesError::Complete),
            None => {}
        }
        let name = Name::new(file, number, &sha256);
        let size = bytes.len() as u64;
        self.inner.blobs.put(&name, bytes).await?;
        let ends = self.limits().upload_ends(self.now());
        let stored = self.inner.chunks.submit(StoredChunk { file, number, size, sha256, ends }).await;
        if matches!(stored, Err(FilesError::ChunkDiffers | FilesError::NotFound | FilesError::Complete)) {
            // No row will ever name it. The scan would find it too.
            let _ = self.inner.blobs.remove_one(&name).await;
        }
        stored?;
        metrics::counter!("pakawaaz_files_bytes_total", "direction" => "up").increment(size);
        Ok(())
    }
}

/// A chunk whose blob is durable.
#[derive(Clone, Debug)]
pub struct StoredChunk {
    file: FileId,
    number: u32,
    size: u64,
    sha256: [u8; 32],
    ends: Millis,
}

/// Writes the rows of chunks that arrive together in one transaction: a commit for each would cost more than the bytes.
pub struct ChunkHandler;

#[async_trait]
impl BatchHandler for ChunkHandler {
    type Request = StoredChunk;
    type Response = ();
    type Error = FilesError;

    async fn apply(&self, tx: &mut Tx, requests: &[StoredChunk]) -> Result<Vec<Result<(), FilesError>>, FilesError> {
        // Ordered, so that two nodes lock rows alike.
        let mut files: BTreeMap<FileId, Millis> = BTreeMap::new();
        for request in requests {
            let ends = files.entry(request.file).or_insert(request.ends);
            *ends = (*ends).max(request.ends);
        }
        let mut open: BTreeMap<FileId, Option<Sizes>> = BTreeMap::new();
        for (file, ends) in files {
            // Also locks the row: nobody completes or deletes the file meanwhile.
            store::files::goes_on(tx.conn(), file, ends).await?;
            let row = store::files::by_id(tx.conn(), file).await?;
            open.insert(file, row.filter(|r| !r.complete).map(|r| r.sizes));
        }
        let mut results = Vec::with_capacity(requests.len());
        for chunk in requests {
            let here = open.get(&chunk.file).is_some_and(Option::is_some);
            if here {
                store::chunks::insert(tx.conn(), chunk.file, chunk.number, chunk.size, &chunk.sha256).await?;
            }
            results.push(match store::chunks::hash(tx.conn(), chunk.file, chunk.number).await? {
                Some(known) if known == chunk.sha256 => Ok(()),
                Some(_) => Err(FilesError::ChunkDiffers),
                None if store::files::by_id(tx.conn(), chunk.file).await?.is_some() => Err(FilesError::Complete),
                None => Err(FilesError::NotFound),
            });
        }
        Ok(results)
    }
}

//! What an earlier run of a transfer has left on this device, and whether it may be believed.

use super::record::{self, BLOCK, TransferRecord};
use super::running::Run;
use super::{FileError, FileSink, Spool};
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{Bytes, TransferId};
use pakawaaz_file_stream::{FileKey, Shape};
use sha2::{Digest as _, Sha256};

/// Bytes of one hash in a row.
const HASH: usize = 32;

/// What is written to a sink that keeps it, as rows: after a restart a damaged part is noticed where it is damaged, not
/// after everything else was fetched.
pub(super) struct Written {
    transfer: TransferId,
    /// Hashes of the block under way.
    hashes: Vec<u8>,
    /// The next chunk to be written.
    next: u32,
}

impl Written {
    /// The chunk that is to be written next.
    pub(super) fn next(&self) -> u32 {
        self.next
    }
}

/// Whether all of a file of this shape still fits beside what is in the spool already.
pub(super) async fn fits<L: Spool>(spool: &L, shape: &Shape, held: usize) -> bool {
    let there = held as u64 * u64::from(shape.sealed_chunk());
    let needed = shape.sealed_size().saturating_sub(there);
    spool.keeps() && spool.room().await.is_none_or(|room| needed <= room)
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// A sealed chunk of an earlier run with what is in it, if it is there and is still what was sealed: a crash may have
    /// left half of it.
    ///
    /// A spool that cannot be read has nothing.
    pub(super) async fn kept_chunk<L: Spool>(
        &self,
        spool: &L,
        transfer: TransferId,
        key: &FileKey,
        shape: &Shape,
        index: u32,
    ) -> Option<(Vec<u8>, Vec<u8>)> {
        let sealed = spool.get(transfer, index).await.ok()??;
        let mut plain = sealed.clone();
        self.open_chunk(key, shape, index, &mut plain).await.ok()?;
        Some((sealed, plain))
    }

    /// Reads what a sink has kept back as far as the rows confirm it, and hashes it; gives what comes next. Whole chunks
    /// after the last row are taken on trust: the hash of the whole judges them.
    pub(super) async fn take_kept<K: FileSink>(
        &self,
        transfer: TransferId,
        run: &Run,
        sink: &mut K,
        shape: &Shape,
        whole: &mut Sha256,
    ) -> Result<Written, ClientError> {
        let mut kept = sink.kept().await?;
        if kept > shape.size() {
            // Longer than the file: whatever it is, it is not a part of it.
            sink.discard().await;
            kept = 0;
        }
        let chunks = match kept {
            0 => 0,
            kept if kept == shape.size() => shape.chunks(),
            kept => u32::try_from(kept / u64::from(shape.chunk())).unwrap_or(u32::MAX).min(shape.chunks()),
        };
        let (mut next, mut hashes) = (0, Vec::new());
        while next < chunks {
            let end = chunks.min(next / BLOCK * BLOCK + BLOCK);
            let row: Option<Bytes> = self.db.get(&record::hash_block(transfer, next / BLOCK)).await?;
            // Copies of the state are cheap; a block that turns out to be wrong must leave no trace in it.
            let mut believed = whole.clone();
            let mut found = Vec::new();
            for index in next..end {
                let length = shape.plain_len(index).unwrap_or_default();
                let bytes = sink.read_back(shape.offset(index), length).await?;
                if bytes.len() != length {
                    return Err(FileError::Sink.into());
                }
                believed.update(&bytes);
                found.extend_from_slice(&Sha256::digest(&bytes));
            }
            if row.is_some_and(|row| !row.starts_with(&found)) {
                break;
            }
            *whole = believed;
            run.found(shape.offset(end).min(shape.size()) - shape.offset(next));
            hashes = if end % BLOCK == 0 { Vec::new() } else { found };
            next = end;
        }
        Ok(Written { transfer, hashes, next })
    }

    /// A chunk was written to a sink that keeps it. Once a block is full its hashes become a row, with how far it is.
    pub(super) async fn note_written(
        &self,
        written: &mut Written,
        run: &Run,
        shape: &Shape,
        chunk: &[u8],
    ) -> Result<(), ClientError> {
        written.hashes.extend_from_slice(&Sha256::digest(chunk));
        written.next += 1;
        if written.hashes.len() < BLOCK as usize * HASH && written.next < shape.chunks() {
            return Ok(());
        }
        let row = record::hash_block(written.transfer, (written.next - 1) / BLOCK);
        let _writing = self.inner.transfers.writing.lock().await;
        let mut record: TransferRecord = self.transfer(written.transfer).await?;
        record.done = run.done();
        let mut tx = self.db.tx();
        tx.put(row, &Bytes(std::mem::take(&mut written.hashes)));
        tx.put(record::key(written.transfer), &record);
        tx.commit().await
    }
}

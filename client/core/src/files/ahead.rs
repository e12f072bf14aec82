//! Sealing a file into the outgoing folder ahead of the network, so that the file is needed no longer than that takes.

use super::record::{BLOCK, TransferRecord};
use super::upload::{Job, Stop};
use super::{FileError, FileSource, IN_FLIGHT, Spool};
use crate::{Client, Platform, Store, Transport};
use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::future::{Either, select};
use futures::stream::StreamExt as _;
use pakawaaz_base::FileId;
use sha2::{Digest as _, Sha256};
use std::cell::Cell;
use std::pin::pin;

/// A chunk that is in the outgoing folder. Its bytes come along while the network keeps up; otherwise they are
/// read again when their turn has come.
struct Sealed {
    index: u32,
    bytes: Option<Vec<u8>>,
}

/// Where sealed chunks wait for the network.
struct Queue<'a> {
    queue: UnboundedSender<Sealed>,
    /// How many may wait with their bytes.
    wanted: &'a Cell<usize>,
}

impl Queue<'_> {
    fn push(&self, index: u32, sealed: Option<Vec<u8>>) {
        let bytes = sealed.filter(|_| self.wanted.get() > 0);
        if bytes.is_some() {
            self.wanted.set(self.wanted.get() - 1);
        }
        let _ = self.queue.unbounded_send(Sealed { index, bytes }); // the network may have given up
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Seals the whole file and sends it, each at its own pace. A broken connection does not end the sealing.
    pub(super) async fn send_ahead<F: FileSource, L: Spool>(
        &self,
        job: &Job<'_>,
        source: &F,
        spool: &L,
        held: &[u32],
    ) -> Result<(FileId, [u8; 32]), Stop> {
        let (queue, sealed) = mpsc::unbounded();
        // None until somebody sends: uploads that wait for others take no memory.
        let wanted = Cell::new(0);
        let queue = Queue { queue, wanted: &wanted };
        let seal = pin!(self.seal_all(job, source, spool, held, queue));
        let send = pin!(self.send_queue(job, spool, sealed, &wanted));
        match select(seal, send).await {
            Either::Left((whole, send)) => {
                let whole = whole?;
                Ok((send.await?, whole))
            }
            Either::Right((Err(Stop::Failed(error)), seal)) if error.is_temporary() => {
                seal.await?;
                Err(error.into())
            }
            Either::Right((sent, seal)) => Ok((sent?, seal.await?)),
        }
    }

    /// Sends what the server lacks of a file that is wholly in the outgoing folder. `again`: the file is at hand.
    pub(super) async fn send_sealed<L: Spool>(&self, job: &Job<'_>, spool: &L, again: bool) -> Result<FileId, Stop> {
        job.run.set_preparing(false);
        job.run.sealed(job.shape.size());
        let (queue, sealed) = mpsc::unbounded();
        for index in 0..job.shape.chunks() {
            let _ = queue.unbounded_send(Sealed { index, bytes: None }); // the other end is here
        }
        drop(queue);
        match self.send_queue(job, spool, sealed, &Cell::new(0)).await {
            Err(Stop::Again) if !again => Err(FileError::NeedsFile.into()),
            other => other,
        }
    }

    /// Reads the whole file once, in order: hashes everything and seals what the folder lacks.
    async fn seal_all<F: FileSource, L: Spool>(
        &self,
        job: &Job<'_>,
        source: &F,
        spool: &L,
        held: &[u32],
        queue: Queue<'_>,
    ) -> Result<[u8; 32], Stop> {
        let Job { transfer, run, key, shape, .. } = job;
        let _one = self.inner.transfers.sealing.lock().await;
        let mut whole = Sha256::new();
        let mut index = 0;
        while index < shape.chunks() {
            let end = shape.chunks().min(index + BLOCK);
            let (mut block, mut hashes) = (Vec::new(), Vec::new());
            for i in index..end {
                let length = shape.plain_len(i).unwrap_or_default();
                let plain = source.read(shape.offset(i), length).await?;
                if plain.len() != length {
                    return Err(Stop::Changed);
                }
                whole.update(&plain);
                hashes.extend_from_slice(&Sha256::digest(&plain));
                block.push((i, plain));
            }
            self.note_hashes(*transfer, index / BLOCK, hashes).await?;
            for (i, mut chunk) in block {
                let length = chunk.len() as u64;
                let there = held.contains(&i) && self.kept_chunk(spool, *transfer, key, shape, i).await.is_some();
                let mut sealed = None;
                if !there {
                    self.seal_chunk(key, shape, i, &mut chunk).await?;
                    spool.put(*transfer, i, &chunk).await.map_err(|_| Stop::NoRoom)?;
                    sealed = Some(chunk);
                }
                run.sealed(length);
                queue.push(i, sealed);
            }
            index = end;
        }
        let sha256: [u8; 32] = whole.finalize().into();
        let sealed = |r: &mut TransferRecord| {
            r.up_mut()?.sealed = Some(sha256.into());
            Ok(())
        };
        self.change_transfer(*transfer, sealed).await?;
        run.set_preparing(false);
        Ok(sha256)
    }

    /// Sends sealed chunks as they come, several at once.
    async fn send_queue<L: Spool>(
        &self,
        job: &Job<'_>,
        spool: &L,
        queue: UnboundedReceiver<Sealed>,
        wanted: &Cell<usize>,
    ) -> Result<FileId, Stop> {
        let Job { transfer, run, key, shape, .. } = job;
        let _one = self.inner.transfers.sending.lock().await;
        let there = self.at_server(job).await?;
        wanted.set(IN_FLIGHT);
        let send = |Sealed { index, bytes }: Sealed| {
            let there = &there;
            async move {
                if bytes.is_some() {
                    wanted.set(wanted.get() + 1);
                }
                if there.has(index) {
                    return Ok(None);
                }
                let bytes = match bytes {
                    Some(bytes) => Some(bytes),
                    None => self.kept_chunk(spool, *transfer, key, shape, index).await.map(|(sealed, _)| sealed),
                };
                // The outgoing folder was emptied: with the file at hand it can be sealed again, byte for byte.
                let Some(bytes) = bytes else { return Err(Stop::Again) };
                Ok(Some((index, self.put_file_chunk(run, there.file, index, bytes).await)))
            }
        };
        let mut sending = pin!(queue.map(send).buffer_unordered(IN_FLIGHT));
        while let Some(sent) = sending.next().await {
            match sent {
                Ok(sent) => self.chunk_sent(job, sent)?,
                Err(Stop::Again) => {
                    let unsealed = |r: &mut TransferRecord| {
                        r.up_mut()?.sealed = None;
                        Ok(())
                    };
                    self.change_transfer(*transfer, unsealed).await?;
                    return Err(Stop::Again);
                }
                Err(other) => return Err(other),
            }
        }
        Ok(there.file)
    }
}

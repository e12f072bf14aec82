//! Fetching a file.

use super::kept;
use super::record::{TRANSFERS, TransferRecord, Way};
use super::running::Run;
use super::{Direction, FileError, FileSink, IN_FLIGHT, NoSpool, Spool};
use crate::store::Range;
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport};
use futures::stream::{self, StreamExt as _};
use pakawaaz_base::{GroupId, MessageId, TransferId};
use pakawaaz_conversation::FileRef;
use pakawaaz_file_stream::{FileKey, Shape};
use sha2::{Digest as _, Sha256};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::pin::pin;

/// One download, unpacked.
struct Job<'a, L> {
    transfer: TransferId,
    run: &'a Run,
    file: &'a FileRef,
    key: FileKey,
    shape: Shape,
    spool: &'a L,
    /// Chunks that are in the spool from an earlier run.
    held: BTreeSet<u32>,
    /// Whether chunks that are fetched go into the spool; ends when it takes no more.
    spooling: Cell<bool>,
}

/// Takes nothing: the sealed chunks are kept, the file is made when somebody asks for it.
struct Nobody;

impl FileSink for Nobody {
    async fn write(&mut self, _: u64, _: &[u8]) -> Result<(), FileError> {
        Ok(())
    }
    async fn finish(&mut self) -> Result<(), FileError> {
        Ok(())
    }
    async fn discard(&mut self) {}
}

/// A chunk, opened.
struct Opened {
    plain: Vec<u8>,
    /// It came over the network in this run.
    fetched: bool,
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// The transfer of a message's file; the one that was begun before, if there is one.
    ///
    /// # Errors
    /// [`ClientError::NoSuchMessage`]: no such message, or it has no file (any more).
    pub async fn begin_download(&self, group: GroupId, message: MessageId) -> Result<TransferId, ClientError> {
        let file = self.file_of(group, message).await?;
        let _writing = self.inner.transfers.writing.lock().await;
        for (_, known) in self.db.scan::<TransferRecord>(Range::prefix(TRANSFERS)).await? {
            if matches!(known.way, Way::Down { message: m, .. } if m == message && known.group == group) {
                return Ok(known.transfer);
            }
        }
        let now = self.platform().now();
        let record = TransferRecord {
            transfer: TransferId::new(now, &mut self.db.rng()),
            group,
            created_at: now,
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            done: 0,
            paused: false,
            failure: None,
            touched_at: None,
            way: Way::Down { message, file: Box::new(file), ready: false },
        };
        self.put_transfer(&record).await?;
        Ok(record.transfer)
    }

    /// Runs a download to its end: `sink` is finished only if every byte is verified. The same transfer can be run again
    /// after any error, with a sink that has kept what was written or with an empty one.
    ///
    /// # Errors
    /// [`FileError`]: `Paused` and `Cancelled` when it was told so, `NotAuthentic` (everything was discarded), `Sink`.
    /// Temporary network errors only after minutes of trying. [`ClientError::Refused`] with the server's code
    /// (`files.not_found`: its time is over, or it was deleted).
    pub async fn download<K: FileSink>(
        &self,
        transfer: TransferId,
        sink: &mut K,
        on: &mut dyn FnMut(ClientEvent),
    ) -> Result<(), ClientError> {
        self.download_through(transfer, sink, &NoSpool, on).await
    }

    /// The same, with every sealed chunk kept in `spool` until the file is delivered: a later run fetches only the others.
    ///
    /// # Errors
    /// As [`Client::download`].
    pub async fn download_through<K: FileSink, L: Spool>(
        &self,
        transfer: TransferId,
        sink: &mut K,
        spool: &L,
        on: &mut dyn FnMut(ClientEvent),
    ) -> Result<(), ClientError> {
        self.run_download(transfer, sink, spool, false, on).await
    }

    /// Fetches everything into `spool` and verifies it, for somebody who will ask for the file later: the transfer is then
    /// in state [`super::TransferState::Done`], and [`Client::download_through`] delivers without the network.
    ///
    /// # Errors
    /// As [`Client::download`]; [`FileError::Spool`] when the file does not fit there.
    pub async fn download_ahead<L: Spool>(
        &self,
        transfer: TransferId,
        spool: &L,
        on: &mut dyn FnMut(ClientEvent),
    ) -> Result<(), ClientError> {
        self.run_download(transfer, &mut Nobody, spool, true, on).await
    }

    async fn run_download<K: FileSink, L: Spool>(
        &self,
        transfer: TransferId,
        sink: &mut K,
        spool: &L,
        ahead: bool,
        on: &mut dyn FnMut(ClientEvent),
    ) -> Result<(), ClientError> {
        self.not_paused(transfer).await?;
        let mut guard = self.inner.transfers.start(transfer, Direction::Down, self.platform().now())?;
        let run = guard.run.clone();
        let result = guard.drive(self.download_all(transfer, &run, sink, spool, ahead), on).await;
        if matches!(result, Err(ClientError::File(FileError::NotAuthentic))) {
            sink.discard().await;
            spool.remove(transfer).await;
        }
        drop(guard);
        let result = self.transfer_ended(transfer, &run, result).await;
        on(ClientEvent::Transfer { transfer });
        result
    }

    async fn download_all<K: FileSink, L: Spool>(
        &self,
        transfer: TransferId,
        run: &Run,
        sink: &mut K,
        spool: &L,
        ahead: bool,
    ) -> Result<(), ClientError> {
        let now = self.platform().now();
        let begun = |r: &mut TransferRecord| {
            r.touched_at = Some(now);
            Ok(())
        };
        let record = self.change_transfer(transfer, begun).await?;
        if record.paused {
            return Err(FileError::Paused.into());
        }
        let Way::Down { file, .. } = &record.way else { return Err(FileError::NoSuchTransfer.into()) };
        let shape = Shape::new(file.size, file.chunk).map_err(|_| FileError::NotAuthentic)?;
        // A spool that cannot be read has nothing.
        let held: BTreeSet<u32> = spool.held(transfer).await.unwrap_or_default().into_iter().collect();
        // A file of one chunk is fetched again as fast.
        let spooling = Cell::new((ahead || shape.chunks() > 1) && kept::fits(spool, &shape, held.len()).await);
        if ahead && !spooling.get() {
            return Err(FileError::Spool.into());
        }
        let key = FileKey::new(file.key, file.nonce);
        let job = Job { transfer, run, file, key, shape, spool, held, spooling };
        match self.download_once(&job, sink).await {
            // The bytes that the sink had kept may be what was wrong: once more without them.
            Err((ClientError::File(FileError::NotAuthentic), true)) => {
                sink.discard().await;
                run.again();
                self.download_once(&job, sink).await.map_err(|(error, _)| error)?;
            }
            other => other.map_err(|(error, _)| error)?,
        }
        if ahead {
            if !job.spooling.get() {
                return Err(FileError::Spool.into());
            }
            let now = self.platform().now();
            let ready = |r: &mut TransferRecord| {
                r.touched_at = Some(now);
                if let Way::Down { ready, .. } = &mut r.way {
                    *ready = true;
                }
                Ok(())
            };
            return self.change_transfer(transfer, ready).await.map(drop);
        }
        sink.finish().await?;
        let writing = self.inner.transfers.writing.lock().await;
        let mut tx = self.db.tx();
        self.forget_transfer(&mut tx, transfer).await?;
        tx.commit().await?;
        drop(writing);
        spool.remove(transfer).await;
        Ok(())
    }

    /// Everything into the sink. An error says whether bytes that the sink had kept took part.
    async fn download_once<K: FileSink, L: Spool>(
        &self,
        job: &Job<'_, L>,
        sink: &mut K,
    ) -> Result<(), (ClientError, bool)> {
        let Job { transfer, run, file, shape, .. } = job;
        let mut whole = Sha256::new();
        let taken = self.take_kept(*transfer, run, sink, shape, &mut whole).await;
        let mut written = taken.map_err(|error| (error, true))?;
        let first = written.next();
        let trusted = first > 0;
        let work = async {
            let fetch = |index: u32| async move { (index, self.opened_chunk(job, index).await) };
            // Several at once, but written in order: the hash of the whole needs them so.
            let mut chunks = pin!(stream::iter(first..shape.chunks()).map(fetch).buffered(IN_FLIGHT));
            while let Some((index, opened)) = chunks.next().await {
                let Opened { plain, fetched } = opened?;
                whole.update(&plain);
                sink.write(shape.offset(index), &plain).await?;
                let moved = plain.len() as u64;
                if fetched {
                    run.moved(moved, self.platform().now())
                } else {
                    run.found(moved)
                }
                if sink.keeps() {
                    self.note_written(&mut written, run, shape, &plain).await?;
                }
            }
            // Chunks kept from before are verified by this alone.
            if <[u8; 32]>::from(whole.finalize()) == file.sha256 { Ok(()) } else { Err(FileError::NotAuthentic.into()) }
        };
        work.await.map_err(|error: ClientError| (error, trusted))
    }

    /// A chunk from the spool if it is there and whole, else from the server.
    async fn opened_chunk<L: Spool>(&self, job: &Job<'_, L>, index: u32) -> Result<Opened, ClientError> {
        let Job { transfer, run, file, key, shape, spool, .. } = job;
        if job.held.contains(&index)
            && let Some((_, plain)) = self.kept_chunk(*spool, *transfer, key, shape, index).await
        {
            return Ok(Opened { plain, fetched: false });
        }
        let mut chunk = self.fetch_file_chunk(run, file, index).await?;
        // A place that takes no more is no reason to stop: then this download cannot be resumed, that is all.
        if job.spooling.get() && spool.put(*transfer, index, &chunk).await.is_err() {
            job.spooling.set(false);
        }
        self.open_chunk(key, shape, index, &mut chunk).await?;
        Ok(Opened { plain: chunk, fetched: true })
    }
}

//! Fetching a file, and what both ways share: pausing, cancelling, ending.

use super::record::{self, TRANSFERS, TransferRecord, Way};
use super::running::Run;
use super::{Direction, FileError, FileSink, IN_FLIGHT, Spool};
use crate::db::Tx;
use crate::store::Range;
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport};
use futures::future::{Either, select};
use futures::stream::{self, StreamExt as _};
use pakawaaz_base::{GroupId, MessageId, TransferId};
use pakawaaz_conversation::FileRef;
use pakawaaz_file_stream::{FileKey, Shape};
use sha2::{Digest as _, Sha256};
use std::pin::pin;

/// Bytes that are read back at a time.
const READ_BACK: u64 = 1024 * 1024;

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
            way: Way::Down { message, file: Box::new(file) },
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
        let mut guard = self.inner.transfers.start(transfer, Direction::Down, self.platform().now())?;
        let stopped = guard.stopped.take();
        let run = guard.run.clone();
        let result = {
            let work = pin!(self.download_all(transfer, &run, sink, on));
            match stopped {
                None => work.await,
                Some(stopped) => match select(work, stopped).await {
                    Either::Left((result, _)) => result,
                    Either::Right((Ok(why), _)) => Err(why.into()),
                    Either::Right((Err(_), work)) => work.await,
                },
            }
        };
        if matches!(result, Err(ClientError::File(FileError::NotAuthentic))) {
            sink.discard().await;
        }
        drop(guard);
        let result = self.transfer_ended(transfer, &run, result).await;
        on(ClientEvent::Transfer { transfer });
        result
    }

    async fn download_all<K: FileSink>(
        &self,
        transfer: TransferId,
        run: &Run,
        sink: &mut K,
        on: &mut dyn FnMut(ClientEvent),
    ) -> Result<(), ClientError> {
        let record = self.transfer(transfer).await?;
        if record.paused {
            return Err(FileError::Paused.into());
        }
        let Way::Down { file, .. } = &record.way else { return Err(FileError::NoSuchTransfer.into()) };
        let shape = Shape::new(file.size, file.chunk).map_err(|_| FileError::NotAuthentic)?;
        let key = FileKey::new(file.key, file.nonce);
        let mut whole = Sha256::new();
        let first = self.take_kept(run, sink, &shape, &mut whole).await?;
        let fetch = |index: u32| {
            let file: &FileRef = file;
            async move { (index, self.fetch_file_chunk(run, file, index).await) }
        };
        // Several at once, but written in order: the hash of the whole needs them so.
        let mut chunks = pin!(stream::iter(first..shape.chunks()).map(fetch).buffered(IN_FLIGHT));
        while let Some((index, fetched)) = chunks.next().await {
            let mut chunk = fetched?;
            key.open(&shape, index, &mut chunk).map_err(|_| FileError::NotAuthentic)?;
            whole.update(&chunk);
            sink.write(shape.offset(index), &chunk).await?;
            run.moved(chunk.len() as u64, self.platform().now());
            on(ClientEvent::Transfer { transfer });
        }
        // Chunks kept from before are verified by this alone.
        if <[u8; 32]>::from(whole.finalize()) != file.sha256 {
            return Err(FileError::NotAuthentic.into());
        }
        sink.finish().await?;
        let _writing = self.inner.transfers.writing.lock().await;
        let mut tx = self.db.tx();
        self.forget_transfer(&mut tx, transfer).await?;
        tx.commit().await
    }

    /// Hashes what the sink has kept, in whole chunks; gives the first chunk to fetch.
    async fn take_kept<K: FileSink>(
        &self,
        run: &Run,
        sink: &mut K,
        shape: &Shape,
        whole: &mut Sha256,
    ) -> Result<u32, ClientError> {
        let kept = sink.kept().await?.min(shape.size()) / u64::from(shape.chunk());
        let kept = u32::try_from(kept).unwrap_or(u32::MAX).min(shape.chunks());
        let (mut at, end) = (0, shape.offset(kept).min(shape.size()));
        while at < end {
            let length = READ_BACK.min(end - at);
            let bytes = sink.read_back(at, length as usize).await?;
            if bytes.len() as u64 != length {
                return Err(FileError::Sink.into());
            }
            whole.update(&bytes);
            at += length;
        }
        run.found(end);
        Ok(kept)
    }

    /// What is to be remembered about how a run ended.
    pub(super) async fn transfer_ended<R>(
        &self,
        transfer: TransferId,
        run: &Run,
        result: Result<R, ClientError>,
    ) -> Result<R, ClientError> {
        let Err(error) = &result else { return result };
        let final_word = match error {
            ClientError::File(e) => matches!(e, FileError::NotAuthentic | FileError::BadFile | FileError::Changing),
            ClientError::Refused { .. } => !error.is_temporary(),
            ClientError::NotMember | ClientError::NoSuchConversation => true,
            _ => false,
        };
        let failure = final_word.then(|| error.any_code().to_owned());
        let discarded = matches!(error, ClientError::File(FileError::NotAuthentic));
        let note = |r: &mut TransferRecord| {
            r.done = if discarded { 0 } else { run.done.get() };
            r.failure = failure;
            Ok(())
        };
        match self.change_transfer(transfer, note).await {
            // Cancelled, or the store is the problem, which the first error says.
            Ok(_) | Err(_) => result,
        }
    }

    /// Deletes the rows of a transfer.
    pub(super) async fn forget_transfer(&self, tx: &mut Tx<'_, S, P>, transfer: TransferId) -> Result<(), ClientError> {
        for (key, _) in self.db.scan_raw(Range::prefix(&record::hashes(transfer))).await? {
            tx.delete(key);
        }
        tx.delete(record::key(transfer));
        Ok(())
    }

    /// Pauses a transfer until [`Client::resume_transfer`]; it is durable when this returns.
    ///
    /// # Errors
    /// [`FileError::NoSuchTransfer`].
    pub async fn pause_transfer(&self, transfer: TransferId) -> Result<(), ClientError> {
        let paused = |r: &mut TransferRecord| {
            r.paused = true;
            Ok(())
        };
        self.change_transfer(transfer, paused).await?;
        self.inner.transfers.stop(transfer, FileError::Paused);
        Ok(())
    }

    /// Lets a paused or failed transfer be run again; the shell then runs it.
    ///
    /// # Errors
    /// [`FileError::NoSuchTransfer`].
    pub async fn resume_transfer(&self, transfer: TransferId) -> Result<(), ClientError> {
        let resumed = |r: &mut TransferRecord| {
            r.paused = false;
            r.failure = None;
            Ok(())
        };
        self.change_transfer(transfer, resumed).await.map(drop)
    }

    /// Gives a transfer up and forgets it; what is at the server of an upload is deleted there (when it cannot be
    /// reached now, the server does it after two days). The shell discards what a download has written.
    ///
    /// # Errors
    /// [`FileError::NoSuchTransfer`].
    pub async fn cancel_transfer<L: Spool>(&self, transfer: TransferId, spool: &L) -> Result<(), ClientError> {
        self.inner.transfers.stop(transfer, FileError::Cancelled);
        let writing = self.inner.transfers.writing.lock().await;
        let record = self.transfer(transfer).await?;
        let mut tx = self.db.tx();
        self.forget_transfer(&mut tx, transfer).await?;
        tx.commit().await?;
        drop(writing);
        spool.remove(transfer).await;
        if let Way::Up(up) = &record.way
            && let Some(file) = up.file
        {
            self.delete_file(file).await;
        }
        Ok(())
    }
}

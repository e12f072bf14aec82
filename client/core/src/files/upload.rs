//! Sending a file.

use super::kept;
use super::record::{self, BLOCK, TransferRecord, Up, Way};
use super::running::Run;
use super::{Direction, FileError, FileSource, IN_FLIGHT, NewFile, Spool};
use crate::store::Range;
use crate::{Client, ClientError, ClientEvent, Platform, Store, Transport, keys};
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt as _};
use pakawaaz_base::{Bytes, FileId, GroupId, MessageId, TransferId};
use pakawaaz_contract::files::{CreateFileRequest, FileState};
use pakawaaz_file_stream::{CHUNK, FileKey, Shape};
use sha2::{Digest as _, Sha256};
use std::pin::pin;

/// Times that a transfer starts over by itself before it is given up.
const FRESH_STARTS: u32 = 5;

/// How one attempt ended, other than well.
pub(super) enum Stop {
    /// The file is not the one that was sealed.
    Changed,
    /// The server does not have this upload any more.
    Lost,
    /// Chunks that the server or the outgoing folder had are gone.
    Again,
    /// The outgoing folder takes no more.
    NoRoom,
    Failed(ClientError),
}

impl<E: Into<ClientError>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// An upload's parts, unpacked.
pub(super) struct Job<'a> {
    pub transfer: TransferId,
    pub run: &'a Run,
    pub up: &'a Up,
    pub key: FileKey,
    pub shape: Shape,
}

/// The upload as the server has it.
pub(super) struct There {
    pub file: FileId,
    state: FileState,
}

impl There {
    /// Whether a chunk is durable there.
    pub(super) fn has(&self, index: u32) -> bool {
        self.state.complete || self.state.has(index)
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Makes a durable transfer of a file to a conversation; nothing is read or sent yet.
    ///
    /// # Errors
    /// [`ClientError::NoSuchConversation`], [`ClientError::NotMember`], [`ClientError::TooLong`] (caption),
    /// [`FileError::BadFile`] (name, type, thumbnail, size).
    pub async fn begin_upload(&self, group: GroupId, new: NewFile) -> Result<TransferId, ClientError> {
        self.begin_upload_with(group, new, CHUNK).await
    }

    /// The same with other chunks; for tests.
    #[doc(hidden)]
    pub async fn begin_upload_with(&self, group: GroupId, new: NewFile, chunk: u32) -> Result<TransferId, ClientError> {
        self.live(group).await?;
        let now = self.platform().now();
        let transfer = TransferId::new(now, &mut self.db.rng());
        let mut record = TransferRecord {
            transfer,
            group,
            created_at: now,
            name: new.name.clone(),
            media_type: new.media_type.clone(),
            size: new.size,
            done: 0,
            paused: false,
            failure: None,
            touched_at: None,
            way: Way::Up(Box::new(Up::new(new, chunk, &mut self.db.rng()))),
        };
        // Whether the message can be made is found out before, not after, two gigabytes were sent.
        record.up_mut()?.file = Some(FileId::from_bytes([0; 16]));
        let file = record.up()?.file_ref(&record, [0; 32])?;
        file.check().map_err(|_| FileError::BadFile)?;
        let up = record.up()?;
        up.shape(record.size)?;
        self.file_item(group, &up.caption, up.reply_to, &up.mentions, file)?;
        record.up_mut()?.file = None;
        self.put_transfer(&record).await?;
        Ok(transfer)
    }

    /// Runs an upload to its end: seals, sends, and queues the message, whose id is returned. The same transfer can be
    /// run again after any error. `source` may be missing when everything is in the outgoing folder already.
    ///
    /// # Errors
    /// [`FileError`]: `Paused` and `Cancelled` when it was told so, `NeedsFile`, `Changing`. Temporary network errors
    /// only after minutes of trying. [`ClientError::Refused`] with the server's code (`files.quota`).
    pub async fn upload<F: FileSource, L: Spool>(
        &self,
        transfer: TransferId,
        source: Option<&F>,
        spool: &L,
        on: &mut dyn FnMut(ClientEvent),
    ) -> Result<MessageId, ClientError> {
        self.not_paused(transfer).await?;
        let mut guard = self.inner.transfers.start(transfer, Direction::Up, self.platform().now())?;
        let run = guard.run.clone();
        run.set_preparing(spool.keeps());
        let result = guard.drive(self.upload_all(transfer, &run, source, spool), on).await;
        drop(guard);
        let result = self.transfer_ended(transfer, &run, result).await;
        on(ClientEvent::Transfer { transfer });
        result
    }

    async fn upload_all<F: FileSource, L: Spool>(
        &self,
        transfer: TransferId,
        run: &Run,
        source: Option<&F>,
        spool: &L,
    ) -> Result<MessageId, ClientError> {
        let mut room = true;
        for _ in 0..FRESH_STARTS {
            let record = self.transfer(transfer).await?;
            if record.paused {
                return Err(FileError::Paused.into());
            }
            run.again();
            match self.upload_once(record, run, source, spool, room).await {
                Ok(message) => return Ok(message),
                Err(Stop::Failed(error)) => return Err(error),
                Err(Stop::Again) => {}
                // Then it goes without: the file is asked for again after a restart.
                Err(Stop::NoRoom) => {
                    room = false;
                    spool.remove(transfer).await;
                }
                // The same chunks under the same key are the same bytes: only the server starts over.
                Err(Stop::Lost) => {
                    let fresh = |r: &mut TransferRecord| {
                        let up = r.up_mut()?;
                        up.file = None;
                        // The server may remember the old announcement; this one is new.
                        let mut access = [0; 32];
                        rand_core::RngCore::fill_bytes(&mut self.db.rng(), &mut access);
                        up.access = access.into();
                        Ok(())
                    };
                    self.change_transfer(transfer, fresh).await?;
                }
                Err(Stop::Changed) => self.start_over(transfer, source, spool).await?,
            }
        }
        Err(FileError::Changing.into())
    }

    /// A new key for a file that is not what it was.
    async fn start_over<F: FileSource, L: Spool>(
        &self,
        transfer: TransferId,
        source: Option<&F>,
        spool: &L,
    ) -> Result<(), ClientError> {
        let size = source.ok_or(FileError::NeedsFile)?.size().await?;
        spool.remove(transfer).await;
        let _writing = self.inner.transfers.writing.lock().await;
        let mut record = self.transfer(transfer).await?;
        let old = record.up()?.file;
        record.up_mut()?.renew(&mut self.db.rng());
        record.up()?.shape(size)?;
        record.size = size;
        // Old hashes go in the batch that brings the new key, so that neither is ever used with the other.
        let mut tx = self.db.tx();
        for (key, _) in self.db.scan_raw(Range::prefix(&record::hashes(transfer))).await? {
            tx.delete(key);
        }
        tx.put(record::key(transfer), &record);
        tx.commit().await?;
        if let Some(old) = old {
            self.delete_file(old).await;
        }
        Ok(())
    }

    async fn upload_once<F: FileSource, L: Spool>(
        &self,
        record: TransferRecord,
        run: &Run,
        source: Option<&F>,
        spool: &L,
        room: bool,
    ) -> Result<MessageId, Stop> {
        let transfer = record.transfer;
        let up = record.up()?;
        let job = Job { transfer, run, up, key: up.file_key()?, shape: up.shape(record.size)? };
        let (file, sha256) = match (&up.sealed, source) {
            (Some(sha256), source) => {
                let file = self.send_sealed(&job, spool, source.is_some()).await?;
                (file, sha256.array().ok_or(ClientError::Damaged)?)
            }
            (None, None) => return Err(FileError::NeedsFile.into()),
            (None, Some(source)) => {
                if source.size().await? != record.size {
                    return Err(Stop::Changed);
                }
                let held = spool.held(transfer).await.unwrap_or_default();
                if room && kept::fits(spool, &job.shape, held.len()).await {
                    self.send_ahead(&job, source, spool, &held).await?
                } else {
                    self.send_from(&job, source).await?
                }
            }
        };
        match self.complete_file(run, file).await {
            Err(ClientError::Refused { code, .. }) if code == "files.incomplete" => return Err(Stop::Again),
            other => lost(other.map(drop))?,
        }
        Ok(self.queue_file(transfer, sha256, spool).await?)
    }

    /// The upload at the server, announced if it was not; what of it is there counts as done.
    pub(super) async fn at_server(&self, job: &Job<'_>) -> Result<There, Stop> {
        let Job { transfer, run, up, shape, .. } = job;
        let file = match up.file {
            Some(file) => file,
            None => {
                let new = CreateFileRequest {
                    size: shape.sealed_size(),
                    chunk_size: shape.sealed_chunk(),
                    access_hash: Sha256::digest(&*up.access).to_vec().into(),
                };
                let created = match self.announce_file(run, &new).await {
                    Err(ClientError::Refused { code, .. }) if code == "files.already_announced" => {
                        return Err(Stop::Lost);
                    }
                    other => other?,
                };
                let named = |r: &mut TransferRecord| {
                    r.up_mut()?.file = Some(created.file);
                    Ok(())
                };
                self.change_transfer(*transfer, named).await?;
                created.file
            }
        };
        let state = lost(self.file_state(run, file).await)?;
        if state.size != shape.sealed_size() || state.chunk_size != shape.sealed_chunk() {
            return Err(Stop::Lost);
        }
        let there = There { file, state };
        for index in (0..shape.chunks()).filter(|i| there.has(*i)) {
            run.found(shape.plain_len(index).unwrap_or_default() as u64);
        }
        Ok(there)
    }

    /// Reads the whole file once, in order: hashes everything, seals and sends what the server lacks.
    async fn send_from<F: FileSource>(&self, job: &Job<'_>, source: &F) -> Result<(FileId, [u8; 32]), Stop> {
        let Job { transfer, run, key, shape, .. } = job;
        let _one = self.inner.transfers.sending.lock().await;
        run.set_preparing(false);
        let there = self.at_server(job).await?;
        let file = there.file;
        let mut whole = Sha256::new();
        let mut flying = FuturesUnordered::new();
        let mut index = 0;
        while index < shape.chunks() {
            let end = shape.chunks().min(index + BLOCK);
            let mut block = Vec::new();
            let mut hashes = Vec::new();
            for i in index..end {
                let length = shape.plain_len(i).unwrap_or_default();
                let mut read = pin!(source.read(shape.offset(i), length));
                // What is on its way goes on while the disk is read.
                let plain = loop {
                    if flying.is_empty() {
                        break read.await?;
                    }
                    match select(read, flying.next()).await {
                        Either::Left((plain, _)) => break plain?,
                        Either::Right((sent, rest)) => {
                            self.chunk_sent(job, sent)?;
                            read = rest;
                        }
                    }
                };
                if plain.len() != length {
                    return Err(Stop::Changed);
                }
                whole.update(&plain);
                hashes.extend_from_slice(&Sha256::digest(&plain));
                if !there.has(i) {
                    block.push((i, plain));
                }
            }
            self.note_hashes(*transfer, index / BLOCK, hashes).await?;
            for (i, mut chunk) in block {
                self.seal_chunk(key, shape, i, &mut chunk).await?;
                while flying.len() >= IN_FLIGHT {
                    let sent = flying.next().await;
                    self.chunk_sent(job, sent)?;
                }
                flying.push(async move { (i, self.put_file_chunk(run, file, i, chunk).await) });
            }
            index = end;
        }
        while let Some(sent) = flying.next().await {
            self.chunk_sent(job, Some(sent))?;
        }
        Ok((file, whole.finalize().into()))
    }

    /// Makes the hashes of a block durable, before any of its chunks is sealed; or finds them to be the same as before.
    pub(super) async fn note_hashes(&self, transfer: TransferId, block: u32, hashes: Vec<u8>) -> Result<(), Stop> {
        let row = record::hash_block(transfer, block);
        match self.db.get::<Bytes>(&row).await? {
            Some(known) if *known == *hashes => Ok(()),
            Some(_) => Err(Stop::Changed),
            None => {
                let mut tx = self.db.tx();
                tx.put(row, &Bytes(hashes));
                Ok(tx.commit().await?)
            }
        }
    }

    pub(super) fn chunk_sent(&self, job: &Job<'_>, sent: Option<(u32, Result<(), ClientError>)>) -> Result<(), Stop> {
        let Some((index, result)) = sent else { return Ok(()) };
        lost(result)?;
        job.run.moved(job.shape.plain_len(index).unwrap_or_default() as u64, self.platform().now());
        Ok(())
    }

    /// Ends the transfer and queues its message, in one batch.
    async fn queue_file<L: Spool>(
        &self,
        transfer: TransferId,
        sha256: [u8; 32],
        spool: &L,
    ) -> Result<MessageId, ClientError> {
        let _writing = self.inner.transfers.writing.lock().await;
        let record = self.transfer(transfer).await?;
        self.live(record.group).await?;
        let up = record.up()?;
        let file = up.file_ref(&record, sha256)?;
        let item = self.file_item(record.group, &up.caption, up.reply_to, &up.mentions, file)?;
        let mut tx = self.db.tx();
        tx.put(keys::outbox(item.message), &item);
        self.forget_transfer(&mut tx, transfer).await?;
        tx.commit().await?;
        self.inner.wake();
        spool.remove(transfer).await;
        Ok(item.message)
    }
}

/// An upload that the server does not know any more begins again.
fn lost<R>(result: Result<R, ClientError>) -> Result<R, Stop> {
    result.map_err(|error| match error {
        ClientError::Refused { code, .. } if code == "files.not_found" => Stop::Lost,
        other => Stop::Failed(other),
    })
}

//! Rows of the store that belong to transfers.

use super::{Direction, FileError, NewFile};
use crate::store::Key;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{Bytes, FileId, GroupId, MessageId, Millis, OfficialId, TransferId};
use pakawaaz_conversation::FileRef;
use pakawaaz_file_stream::{FileKey, Shape};
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(super) const TRANSFERS: &[u8] = b"y";
/// How long a download that nobody goes on with is kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Chunks whose hashes are one row: so many are read ahead, and stored with one batch.
pub(super) const BLOCK: u32 = 8;

pub(super) fn key(transfer: TransferId) -> Key {
    [TRANSFERS, transfer.as_bytes()].concat()
}
/// Every row of hashes of a transfer.
pub(super) fn hashes(transfer: TransferId) -> Key {
    [b"z", &transfer.as_bytes()[..]].concat()
}
/// SHA-256 of the plaintexts of [`BLOCK`] chunks that were or are about to be sealed, or that were written to a sink.
pub(super) fn hash_block(transfer: TransferId, block: u32) -> Key {
    [b"z", &transfer.as_bytes()[..], &block.to_be_bytes()].concat()
}

/// One transfer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct TransferRecord {
    pub transfer: TransferId,
    pub group: GroupId,
    pub created_at: Millis,
    pub name: String,
    pub media_type: String,
    pub size: u64,
    /// Plaintext bytes that were done when it last stopped.
    pub done: u64,
    pub paused: bool,
    /// Stable code of why it failed for good.
    pub failure: Option<String>,
    /// When it was last begun, or was done: what nobody goes on with is let go after a while.
    #[serde(default)]
    pub touched_at: Option<Millis>,
    pub way: Way,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Way {
    Up(Box<Up>),
    Down {
        message: MessageId,
        file: Box<FileRef>,
        /// Every chunk is in the spool, verified whole, and nobody has taken the file yet.
        #[serde(default)]
        ready: bool,
    },
}

/// What an upload remembers beside its hashes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Up {
    pub caption: String,
    pub reply_to: Option<MessageId>,
    pub mentions: Vec<OfficialId>,
    pub thumbnail: Option<Bytes>,
    pub thumbnail_type: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub duration_ms: Option<u64>,
    pub chunk: u32,
    pub key: Bytes,
    pub nonce: Bytes,
    pub access: Bytes,
    /// Its name at the server, once announced.
    pub file: Option<FileId>,
    /// Hash of the whole, once every sealed chunk is in the outgoing folder.
    pub sealed: Option<Bytes>,
}

impl Up {
    pub(super) fn new(new: NewFile, chunk: u32, rng: &mut dyn rand_core::CryptoRngCore) -> Self {
        let mut up = Self {
            caption: new.caption,
            reply_to: new.reply_to,
            mentions: new.mentions,
            thumbnail: new.thumbnail.map(Bytes),
            thumbnail_type: new.thumbnail_type,
            width: new.width,
            height: new.height,
            duration_ms: new.duration_ms,
            chunk,
            key: Bytes::default(),
            nonce: Bytes::default(),
            access: Bytes::default(),
            file: None,
            sealed: None,
        };
        up.renew(rng);
        up
    }
    /// A fresh key, and nothing sent under it.
    pub(super) fn renew(&mut self, rng: &mut dyn rand_core::CryptoRngCore) {
        let key = FileKey::generate(rng);
        let mut access = [0; 32];
        rng.fill_bytes(&mut access);
        self.key = (*key.key()).into();
        self.nonce = (*key.nonce()).into();
        self.access = access.into();
        self.file = None;
        self.sealed = None;
    }
    pub(super) fn file_key(&self) -> Result<FileKey, ClientError> {
        match (self.key.array(), self.nonce.array()) {
            (Some(key), Some(nonce)) => Ok(FileKey::new(key, nonce)),
            _ => Err(ClientError::Damaged),
        }
    }
    pub(super) fn shape(&self, size: u64) -> Result<Shape, ClientError> {
        Ok(Shape::new(size, self.chunk).map_err(|_| FileError::BadFile)?)
    }
    /// What the message says about it.
    pub(super) fn file_ref(&self, record: &TransferRecord, sha256: [u8; 32]) -> Result<FileRef, ClientError> {
        let damaged = || ClientError::Damaged;
        Ok(FileRef {
            file: self.file.ok_or_else(damaged)?,
            access: self.access.array().ok_or_else(damaged)?,
            key: self.key.array().ok_or_else(damaged)?,
            nonce: self.nonce.array().ok_or_else(damaged)?,
            sha256,
            size: record.size,
            chunk: self.chunk,
            name: record.name.clone(),
            media_type: record.media_type.clone(),
            thumbnail: self.thumbnail.as_ref().map(|t| t.0.clone()),
            thumbnail_type: self.thumbnail_type.clone(),
            width: self.width,
            height: self.height,
            duration_ms: self.duration_ms,
        })
    }
}

impl TransferRecord {
    /// Until when what a download has on this device is kept if nobody goes on with it.
    pub(super) fn kept_until(&self) -> Option<Millis> {
        let touched = self.touched_at.unwrap_or(self.created_at);
        (self.direction() == Direction::Down).then(|| touched.plus(KEPT))
    }
    pub(super) fn direction(&self) -> Direction {
        match self.way {
            Way::Up(_) => Direction::Up,
            Way::Down { .. } => Direction::Down,
        }
    }
    pub(super) fn up(&self) -> Result<&Up, ClientError> {
        match &self.way {
            Way::Up(up) => Ok(up),
            Way::Down { .. } => Err(FileError::NoSuchTransfer.into()),
        }
    }
    pub(super) fn up_mut(&mut self) -> Result<&mut Up, ClientError> {
        match &mut self.way {
            Way::Up(up) => Ok(up),
            Way::Down { .. } => Err(FileError::NoSuchTransfer.into()),
        }
    }
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    pub(super) async fn transfer(&self, transfer: TransferId) -> Result<TransferRecord, ClientError> {
        self.db.get(&key(transfer)).await?.ok_or_else(|| FileError::NoSuchTransfer.into())
    }
    pub(super) async fn put_transfer(&self, record: &TransferRecord) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        tx.put(key(record.transfer), record);
        tx.commit().await
    }
    /// Changes a record; a transfer that is gone stays gone.
    pub(super) async fn change_transfer(
        &self,
        transfer: TransferId,
        change: impl FnOnce(&mut TransferRecord) -> Result<(), ClientError>,
    ) -> Result<TransferRecord, ClientError> {
        let _writing = self.inner.transfers.writing.lock().await;
        let mut record = self.transfer(transfer).await?;
        change(&mut record)?;
        self.put_transfer(&record).await?;
        Ok(record)
    }
}

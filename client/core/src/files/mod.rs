//! Files: sealed in chunks on this device, sent and fetched chunk by chunk, resumable, believed only when verified.
//!
//! A transfer is a durable record. Its bytes come from a [`FileSource`] and go to a [`FileSink`], which the shell brings
//! along each time it lets the transfer run ([`Client::upload`], [`Client::download`]); a transfer that is interrupted by
//! a broken connection, a pause or the end of the process goes on where it was.
//!
//! A [`Spool`] keeps sealed chunks on the device, both ways. An upload through one is sealed ahead of the network, so that
//! the file itself is needed only for as long as sealing takes; a download through one fetches no chunk twice.
//!
//! **Invariants**
//! * One (key, position) never seals two different plaintexts. The SHA-256 of every chunk is durable *before* that chunk
//!   is sealed; a chunk is sealed again only if its plaintext has that hash. When the file has changed in between, the
//!   transfer starts over with a new key.
//! * The message of an upload is queued in the batch that ends the transfer: exactly once, after every chunk is durable
//!   at the server, with the hash of exactly the bytes that were sealed.
//! * [`FileSink::finish`] is called only after every chunk was authentic and the SHA-256 of the whole is the one in the
//!   message; whatever else came is discarded.
//! * What an earlier run has kept is believed only after it was checked again: sealed chunks by opening them, bytes of a
//!   sink by the hashes in the rows and by the hash of the whole.

mod ahead;
mod cipher;
mod download;
mod ending;
mod error;
mod kept;
mod net;
mod record;
mod running;
mod upload;
mod view;

pub use error::FileError;
pub(crate) use running::Transfers;
pub use view::{Direction, TransferState, TransferView};

use pakawaaz_base::{MessageId, OfficialId, TransferId};

/// Chunks on their way at once.
const IN_FLIGHT: usize = 4;

/// Where the bytes of an upload come from.
pub trait FileSource {
    /// Bytes in all.
    async fn size(&self) -> Result<u64, FileError>;
    /// Exactly `length` bytes from `offset`; fewer only where the file ends.
    async fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, FileError>;
}

/// Where the bytes of a download go. What is written is not to be shown before [`FileSink::finish`].
pub trait FileSink {
    /// Whether a later run finds again what is written now.
    fn keeps(&self) -> bool {
        false
    }
    /// Bytes from the beginning that are there from an earlier attempt.
    async fn kept(&mut self) -> Result<u64, FileError> {
        Ok(0)
    }
    /// Reads kept bytes, to check them and for the hash of the whole.
    async fn read_back(&mut self, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        let _ = (offset, length);
        Err(FileError::Sink)
    }
    /// Authentic bytes, in order.
    async fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), FileError>;
    /// Everything is there and verified: deliver it.
    async fn finish(&mut self) -> Result<(), FileError>;
    /// Something was not what it should be: forget everything written. It may be written again from the beginning.
    async fn discard(&mut self);
}

/// Keeps sealed chunks on this device, for shells that cannot open a file again after a restart and have no place for
/// half a file (browsers). What is in it is ciphertext.
pub trait Spool {
    /// Whether anything is kept at all.
    fn keeps(&self) -> bool;
    /// Bytes that it may still take; none when nobody can say.
    async fn room(&self) -> Option<u64> {
        None
    }
    /// Transfers of which something is there.
    async fn transfers(&self) -> Vec<TransferId> {
        Vec::new()
    }
    /// Which chunks of a transfer are there, whole or not.
    async fn held(&self, transfer: TransferId) -> Result<Vec<u32>, FileError>;
    /// Keeps a chunk for later runs. A power cut may still take it or a part of it: what is missing then is fetched again,
    /// or sealed again from the file.
    async fn put(&self, transfer: TransferId, index: u32, sealed: &[u8]) -> Result<(), FileError>;
    /// A kept chunk.
    async fn get(&self, transfer: TransferId, index: u32) -> Result<Option<Vec<u8>>, FileError>;
    /// Forgets all chunks of a transfer.
    async fn remove(&self, transfer: TransferId);
}

/// For shells that can open the file again: keeps nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSpool;

impl Spool for NoSpool {
    fn keeps(&self) -> bool {
        false
    }
    async fn held(&self, _: TransferId) -> Result<Vec<u32>, FileError> {
        Ok(Vec::new())
    }
    async fn put(&self, _: TransferId, _: u32, _: &[u8]) -> Result<(), FileError> {
        Ok(())
    }
    async fn get(&self, _: TransferId, _: u32) -> Result<Option<Vec<u8>>, FileError> {
        Ok(None)
    }
    async fn remove(&self, _: TransferId) {}
}

/// A file to be sent, and the message that goes with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewFile {
    /// Name that receivers see, without folders.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// Words with it.
    pub caption: String,
    /// Message it answers.
    pub reply_to: Option<MessageId>,
    /// Officials whom the caption mentions.
    pub mentions: Vec<OfficialId>,
    /// Small picture.
    pub thumbnail: Option<Vec<u8>>,
    /// Its media type.
    pub thumbnail_type: Option<String>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Length of sound or film.
    pub duration_ms: Option<u64>,
}

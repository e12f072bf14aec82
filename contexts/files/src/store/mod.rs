//! All SQL of this context.

pub mod chunks;
pub mod files;

use crate::FilesError;
use crate::model::blob::Name;
use crate::model::upload::Sizes;
use pakawaaz_base::{FileId, Millis, OfficialId};
use pakawaaz_storage::{Db, StorageError, Tx};

pub type Result<T> = std::result::Result<T, FilesError>;

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRow {
    pub file: FileId,
    pub uploader: OfficialId,
    pub access_hash: [u8; 32],
    pub sizes: Sizes,
    pub complete: bool,
    pub expires_at: Millis,
}

/// A blob that a row promises; what a backup has to contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Its path below the blob folder.
    pub path: String,
    /// Its bytes.
    pub size: u64,
    /// SHA-256 of them.
    pub sha256: [u8; 32],
}

/// A damaged row.
fn damaged(what: &'static str) -> FilesError {
    StorageError::internal(what).into()
}

fn id<T>(bytes: &[u8], from_slice: fn(&[u8]) -> Option<T>) -> Result<T> {
    from_slice(bytes).ok_or_else(|| damaged("files_id"))
}

fn hash(bytes: &[u8]) -> Result<[u8; 32]> {
    bytes.try_into().map_err(|_| damaged("files_hash"))
}

fn number<T: TryFrom<i64>>(value: i64) -> Result<T> {
    T::try_from(value).map_err(|_| damaged("files_number"))
}

/// Deletes the rows of a file.
pub async fn delete(tx: &mut Tx, file: FileId) -> Result<()> {
    chunks::delete(tx.conn(), file).await?;
    files::delete(tx.conn(), file).await
}

/// Every blob that a row promises, in pages of at most `limit`: after a path, the next ones.
///
/// # Errors
/// The database.
pub async fn blob_rows(db: &Db, after: Option<(FileId, u32)>, limit: i64) -> Result<Vec<(FileId, u32, BlobRow)>> {
    let rows = chunks::page(db.read().await?.conn(), after, limit).await?;
    Ok(rows
        .into_iter()
        .map(|(file, chunk)| {
            let path = Name::new(file, chunk.number, &chunk.sha256).to_string();
            (file, chunk.number, BlobRow { path, size: chunk.size, sha256: chunk.sha256 })
        })
        .collect())
}

/// Whether a chunk still has its row: a backup asks when a blob has gone since its snapshot.
///
/// # Errors
/// The database.
pub async fn has_row(db: &Db, file: FileId, number: u32) -> Result<bool> {
    Ok(chunks::hash(db.read().await?.conn(), file, number).await?.is_some())
}

/// Takes a file out of a copy of the database whose blobs were deleted while it was copied.
///
/// # Errors
/// The database.
pub async fn forget_file(db: &Db, file: FileId) -> Result<()> {
    let mut tx = db.begin().await?;
    delete(&mut tx, file).await?;
    Ok(tx.commit().await?)
}

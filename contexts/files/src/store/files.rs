//! Table `files_file`.

use super::{FileRow, Result, hash, id, number};
use crate::model::upload::{Sizes, Usage};
use pakawaaz_base::{FileId, Millis, OfficialId};
use sqlx::AnyConnection;

type Row = (Vec<u8>, Vec<u8>, Vec<u8>, i64, i64, i64, i64, i64);

fn row(row: Row) -> Result<FileRow> {
    let (file, uploader, access_hash, size, chunk, chunks, complete, expires_at) = row;
    Ok(FileRow {
        file: id(&file, FileId::from_slice)?,
        uploader: id(&uploader, OfficialId::from_slice)?,
        access_hash: hash(&access_hash)?,
        sizes: Sizes { size: number(size)?, chunk: number(chunk)?, chunks: number(chunks)? },
        complete: complete != 0,
        expires_at: Millis(expires_at),
    })
}

/// Inserts an announced upload.
pub async fn insert(conn: &mut AnyConnection, file: &FileRow, now: Millis) -> Result<()> {
    sqlx::query(
        "INSERT INTO files_file (file, uploader, access_hash, size, chunk_size, chunks, complete, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
    )
    .bind(file.file.to_vec())
    .bind(file.uploader.to_vec())
    .bind(file.access_hash.to_vec())
    .bind(file.sizes.size as i64)
    .bind(i64::from(file.sizes.chunk))
    .bind(i64::from(file.sizes.chunks))
    .bind(now.as_i64())
    .bind(file.expires_at.as_i64())
    .execute(conn)
    .await?;
    Ok(())
}

/// One file.
pub async fn by_id(conn: &mut AnyConnection, file: FileId) -> Result<Option<FileRow>> {
    let found: Option<Row> = sqlx::query_as(
        "SELECT file, uploader, access_hash, size, chunk_size, chunks, complete, expires_at
         FROM files_file WHERE file = $1",
    )
    .bind(file.to_vec())
    .fetch_optional(conn)
    .await?;
    found.map(row).transpose()
}

/// The upload that an official announced with this access hash.
pub async fn by_access(
    conn: &mut AnyConnection,
    uploader: OfficialId,
    access_hash: &[u8; 32],
) -> Result<Option<FileRow>> {
    let found: Option<Row> = sqlx::query_as(
        "SELECT file, uploader, access_hash, size, chunk_size, chunks, complete, expires_at
         FROM files_file WHERE uploader = $1 AND access_hash = $2",
    )
    .bind(uploader.to_vec())
    .bind(access_hash.to_vec())
    .fetch_optional(conn)
    .await?;
    found.map(row).transpose()
}

/// What an official's files take up.
pub async fn usage(conn: &mut AnyConnection, uploader: OfficialId) -> Result<Usage> {
    // The sum of BIGINTs is NUMERIC on PostgreSQL.
    let (bytes, open): (i64, i64) = sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT), CAST(COALESCE(SUM(1 - complete), 0) AS BIGINT)
         FROM files_file WHERE uploader = $1",
    )
    .bind(uploader.to_vec())
    .fetch_one(conn)
    .await?;
    Ok(Usage { bytes: number(bytes)?, open: number(open)? })
}

/// Bytes and open uploads of all officials.
pub async fn totals(conn: &mut AnyConnection) -> Result<(u64, u32)> {
    let (bytes, open): (i64, i64) = sqlx::query_as(
        "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT), CAST(COALESCE(SUM(1 - complete), 0) AS BIGINT) FROM files_file",
    )
    .fetch_one(conn)
    .await?;
    Ok((number(bytes)?, number(open)?))
}

/// An open upload went on: it ends later. Locks its row.
pub async fn goes_on(conn: &mut AnyConnection, file: FileId, ends: Millis) -> Result<()> {
    sqlx::query("UPDATE files_file SET expires_at = $2 WHERE file = $1 AND complete = 0")
        .bind(file.to_vec())
        .bind(ends.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

/// Everything is there.
pub async fn complete(conn: &mut AnyConnection, file: FileId, ends: Millis) -> Result<()> {
    sqlx::query("UPDATE files_file SET complete = 1, expires_at = $2 WHERE file = $1 AND complete = 0")
        .bind(file.to_vec())
        .bind(ends.as_i64())
        .execute(conn)
        .await?;
    Ok(())
}

/// Files whose time is over.
pub async fn ended(conn: &mut AnyConnection, now: Millis, limit: i64) -> Result<Vec<FileId>> {
    let rows: Vec<(Vec<u8>,)> =
        sqlx::query_as("SELECT file FROM files_file WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2")
            .bind(now.as_i64())
            .bind(limit)
            .fetch_all(conn)
            .await?;
    rows.into_iter().map(|(file,)| id(&file, FileId::from_slice)).collect()
}

/// Whether a file's time is still over; locks its row, because somebody may just complete it.
pub async fn still_ended(conn: &mut AnyConnection, file: FileId, now: Millis) -> Result<bool> {
    let done = sqlx::query("UPDATE files_file SET complete = complete WHERE file = $1 AND expires_at <= $2")
        .bind(file.to_vec())
        .bind(now.as_i64())
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Files in the order of their ids.
pub async fn page(conn: &mut AnyConnection, after: Option<FileId>, limit: i64) -> Result<Vec<FileRow>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT file, uploader, access_hash, size, chunk_size, chunks, complete, expires_at
         FROM files_file WHERE file > $1 ORDER BY file LIMIT $2",
    )
    .bind(after.map(|f| f.to_vec()).unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(row).collect()
}

/// Deletes the row; its chunks' rows must be gone.
pub async fn delete(conn: &mut AnyConnection, file: FileId) -> Result<()> {
    sqlx::query("DELETE FROM files_file WHERE file = $1").bind(file.to_vec()).execute(conn).await?;
    Ok(())
}

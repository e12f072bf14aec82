//! Table `files_chunk`.

use super::{Result, hash as hash_of, id, number};
use pakawaaz_base::FileId;
use sqlx::AnyConnection;

/// A stored chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkRow {
    pub number: u32,
    pub size: u64,
    pub sha256: [u8; 32],
}

/// Inserts a chunk unless there is one with this number.
pub async fn insert(conn: &mut AnyConnection, file: FileId, number: u32, size: u64, sha256: &[u8; 32]) -> Result<()> {
    sqlx::query("INSERT INTO files_chunk (file, number, size, sha256) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
        .bind(file.to_vec())
        .bind(i64::from(number))
        .bind(size as i64)
        .bind(sha256.to_vec())
        .execute(conn)
        .await?;
    Ok(())
}

/// SHA-256 of a stored chunk.
pub async fn hash(conn: &mut AnyConnection, file: FileId, number: u32) -> Result<Option<[u8; 32]>> {
    let found: Option<(Vec<u8>,)> = sqlx::query_as("SELECT sha256 FROM files_chunk WHERE file = $1 AND number = $2")
        .bind(file.to_vec())
        .bind(i64::from(number))
        .fetch_optional(conn)
        .await?;
    found.map(|(bytes,)| hash_of(&bytes)).transpose()
}

/// How many are stored.
pub async fn count(conn: &mut AnyConnection, file: FileId) -> Result<u32> {
    let (count,): (i64,) =
        sqlx::query_as("SELECT COUNT(*) FROM files_chunk WHERE file = $1").bind(file.to_vec()).fetch_one(conn).await?;
    number(count)
}

/// Which are stored.
pub async fn numbers(conn: &mut AnyConnection, file: FileId) -> Result<Vec<u32>> {
    let rows: Vec<(i64,)> = sqlx::query_as("SELECT number FROM files_chunk WHERE file = $1 ORDER BY number")
        .bind(file.to_vec())
        .fetch_all(conn)
        .await?;
    rows.into_iter().map(|(n,)| number(n)).collect()
}

/// Every chunk of a file.
pub async fn of_file(conn: &mut AnyConnection, file: FileId) -> Result<Vec<ChunkRow>> {
    let rows: Vec<(i64, i64, Vec<u8>)> =
        sqlx::query_as("SELECT number, size, sha256 FROM files_chunk WHERE file = $1 ORDER BY number")
            .bind(file.to_vec())
            .fetch_all(conn)
            .await?;
    rows.into_iter()
        .map(|(n, size, sha)| Ok(ChunkRow { number: number(n)?, size: number(size)?, sha256: hash_of(&sha)? }))
        .collect()
}

/// Chunks of all files, in order.
pub async fn page(
    conn: &mut AnyConnection,
    after: Option<(FileId, u32)>,
    limit: i64,
) -> Result<Vec<(FileId, ChunkRow)>> {
    let (file, chunk) = after.map_or((Vec::new(), -1), |(file, n)| (file.to_vec(), i64::from(n)));
    let rows: Vec<(Vec<u8>, i64, i64, Vec<u8>)> = sqlx::query_as(
        "SELECT file, number, size, sha256 FROM files_chunk
         WHERE file > $1 OR (file = $1 AND number > $2) ORDER BY file, number LIMIT $3",
    )
    .bind(file)
    .bind(chunk)
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|(file, n, size, sha)| {
            let chunk = ChunkRow { number: number(n)?, size: number(size)?, sha256: hash_of(&sha)? };
            Ok((id(&file, FileId::from_slice)?, chunk))
        })
        .collect()
}

/// Deletes one row.
pub async fn forget(conn: &mut AnyConnection, file: FileId, number: u32) -> Result<()> {
    sqlx::query("DELETE FROM files_chunk WHERE file = $1 AND number = $2")
        .bind(file.to_vec())
        .bind(i64::from(number))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes all rows of a file.
pub async fn delete(conn: &mut AnyConnection, file: FileId) -> Result<()> {
    sqlx::query("DELETE FROM files_chunk WHERE file = $1").bind(file.to_vec()).execute(conn).await?;
    Ok(())
}

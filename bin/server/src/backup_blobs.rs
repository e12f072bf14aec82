//! The encrypted files in a backup: every blob that the copied database names, with the hash that its row gives.

use crate::files;
use anyhow::{Context, Result, bail, ensure};
use pakawaaz_base::FileId;
use pakawaaz_files::{BlobRow, blob_rows, forget_file, has_row};
use pakawaaz_storage::Db;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Folder inside data directory and backup.
pub const FOLDER: &str = "blobs";
const PAGE: i64 = 500;

/// What became of the blobs.
#[derive(Debug, Default)]
pub struct Copied {
    /// Paths inside the backup.
    pub paths: Vec<PathBuf>,
    /// Chunks whose blob the server itself has lost.
    pub lost: u64,
}

/// Copies the blobs that `copy`, the snapshot, names. It is made after the snapshot, so a blob can only have gone, with
/// its file; that file is taken out of the snapshot. `live` is the database that goes on working.
pub async fn copy_out(data_dir: &Path, dest: &Path, copy: &Db, live: &Db) -> Result<Copied> {
    let mut out = Copied::default();
    let mut gone: Option<FileId> = None;
    let mut after = None;
    loop {
        let page = blob_rows(copy, after, PAGE).await?;
        let Some((file, number, _)) = page.last() else { return Ok(out) };
        after = Some((*file, *number));
        for (file, number, row) in page {
            if gone == Some(file) {
                continue;
            }
            let path = Path::new(FOLDER).join(&row.path);
            match std::fs::read(data_dir.join(&path)) {
                Ok(bytes) if is_whole(&bytes, &row) => {
                    let target = dest.join(&path);
                    files::private_dir(target.parent().context("a blob has a folder")?)?;
                    files::private_file(&target, &bytes)?;
                    out.paths.push(path);
                }
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).context("reading a blob");
                }
                _ if has_row(live, file, number).await? => {
                    tracing::error!("a blob is missing or damaged; the backup goes on without it");
                    out.lost += 1;
                }
                _ => {
                    out.paths.retain(|path| !path.starts_with(Path::new(FOLDER).join(folder_of(&row))));
                    let _ = std::fs::remove_dir_all(dest.join(FOLDER).join(folder_of(&row)));
                    forget_file(copy, file).await?;
                    gone = Some(file);
                }
            }
        }
    }
}

/// `ab/<file>` of `ab/<file>/<chunk>`.
fn folder_of(row: &BlobRow) -> &Path {
    Path::new(&row.path).parent().unwrap_or(Path::new(""))
}

fn is_whole(bytes: &[u8], row: &BlobRow) -> bool {
    bytes.len() as u64 == row.size && <[u8; 32]>::from(Sha256::digest(bytes)) == row.sha256
}

/// Looks at every blob that a database names; `lost` of them may be missing, as the manifest says.
pub async fn verify(base: &Path, db: &Db, lost: u64) -> Result<()> {
    let (mut after, mut missing) = (None, 0);
    loop {
        let page = blob_rows(db, after, PAGE).await?;
        let Some((file, number, _)) = page.last() else { break };
        after = Some((*file, *number));
        for (_, _, row) in page {
            match std::fs::read(base.join(FOLDER).join(&row.path)) {
                Ok(bytes) => ensure!(is_whole(&bytes, &row), "a file's chunk is damaged"),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => missing += 1,
                Err(error) => return Err(error).context("reading a blob"),
            }
        }
    }
    if missing != lost {
        bail!("{missing} chunks of files are missing; the backup was made with {lost} missing");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, SystemClock, schema};
    use pakawaaz_base::{Actor, Assurance, DeviceId, OfficialId, SessionId};
    use pakawaaz_contract::files::CreateFileRequest;
    use pakawaaz_files::{Blobs, Files};
    use pakawaaz_storage::StorageOptions;
    use std::sync::Arc;

    fn me() -> Actor {
        Actor {
            official: OfficialId::from_bytes([1; 16]),
            device: DeviceId::from_bytes([2; 16]),
            session: SessionId::from_bytes([3; 16]),
            roles: Vec::new(),
            assurance: Assurance::SoftwareNative,
        }
    }

    async fn upload(files: &Files, access: u8) -> FileId {
        let access_hash = [access; 32].into();
        let file =
            files.create(&me(), CreateFileRequest { size: 150, chunk_size: 100, access_hash }).await.expect("new").file;
        for (number, length) in [(0, 100), (1, 50)] {
            let expected = files.expect_chunk(&me(), file, number).await.expect("expected");
            files.put_chunk(expected, vec![access; length].into()).await.expect("stored");
        }
        files.complete(&me(), file).await.expect("complete");
        file
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_deleted_after_the_snapshot_is_not_in_the_backup_and_a_lost_chunk_is_told() {
        let dir = tempfile::tempdir().expect("directory");
        let open = async |name: &str| {
            let url = format!("sqlite://{}", dir.path().join(name).display());
            Db::open(&url, &StorageOptions::default()).await.expect("opens")
        };
        let live = open("live.db").await;
        live.migrate(&schema::migrations()).await.expect("migrates");
        let blobs = schema::blobs_dir(dir.path());
        std::fs::create_dir(&blobs).expect("folder");
        let service = Blobs::local(&blobs).expect("blobs");
        let files =
            Files::start(live.clone(), service, Arc::new(SystemClock), schema::files_settings(&Config::default()));
        let (kept, gone, hurt) = (upload(&files, 1).await, upload(&files, 2).await, upload(&files, 3).await);

        live.backup_to(&dir.path().join("copy.db")).await.expect("snapshot");
        files.remove(&me(), gone).await.expect("removed");
        let rows = blob_rows(&live, None, 100).await.expect("rows");
        let (_, _, row) = rows.iter().find(|(file, number, _)| (*file, *number) == (hurt, 1)).expect("row");
        std::fs::write(blobs.join(&row.path), b"damaged").expect("writes");

        let (copy, dest) = (open("copy.db").await, dir.path().join("backup"));
        files::private_dir(&dest).expect("folder");
        let copied = copy_out(dir.path(), &dest, &copy, &live).await.expect("copies");
        assert_eq!((copied.paths.len(), copied.lost), (3, 1));
        let named: std::collections::BTreeSet<_> =
            blob_rows(&copy, None, 100).await.expect("rows").into_iter().map(|(file, _, _)| file).collect();
        assert_eq!(named, [kept, hurt].into());
        verify(&dest, &copy, 1).await.expect("as the manifest says");
        assert!(verify(&dest, &copy, 0).await.is_err(), "more is missing than was told");
        std::fs::write(dest.join(&copied.paths[0]), b"other").expect("writes");
        assert!(verify(&dest, &copy, 1).await.is_err(), "damaged");
    }
}

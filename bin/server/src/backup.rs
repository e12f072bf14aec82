//! `backup` and `restore`: a consistent copy made while the server works, and the proof that it is good.
//!
//! A backup is a directory: `pakawaaz.db`, `keys/…`, `blobs/…` (officials' encrypted files) and `manifest.json` with
//! the SHA-256 of each file. It contains the server's secrets, so it deserves the same care as the server. The root key is not in it.

use crate::config::Config;
use crate::{backup_blobs, files, installation, schema};
use anyhow::{Context, Result, bail, ensure};
use pakawaaz_audit::Head;
use pakawaaz_base::Clock;
use pakawaaz_storage::Db;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

const DATABASE: &str = "pakawaaz.db";
const MANIFEST: &str = "manifest.json";
const FORMAT: u32 = 1;

/// What a backup consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Format of the backup.
    pub format: u32,
    /// Realm.
    pub realm: String,
    /// When, milliseconds since 1970.
    pub created_at: i64,
    /// Number of entries in the audit log.
    pub audit_entries: i64,
    /// Hash of the newest (hex): write it down elsewhere, and a rewritten log will show.
    pub audit_head: String,
    /// Chunks of officials' files that the server had lost already when the backup was made.
    #[serde(default)]
    pub lost_chunks: u64,
    /// Every file.
    pub files: Vec<ManifestFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Path inside the backup.
    pub path: String,
    /// Length.
    pub bytes: u64,
    /// SHA-256, hex.
    pub sha256: String,
}

/// Copies the running or stopped installation to `dest`, which must be free, and verifies the copy. After a failure
/// nothing is left there.
pub async fn backup(config: &Config, dest: &Path, clock: &dyn Clock) -> Result<Manifest> {
    let about = installation::about(&config.data_dir)?;
    ensure!(files::is_free(dest)?, "{} is not empty", dest.display());
    let url = config.database_url()?;
    let Some(path) = url.strip_prefix("sqlite://") else {
        bail!(
            "this copies the embedded database only; back up PostgreSQL with its own tools (pg_dump --format=custom, or \
             pg_basebackup), then {}, and {} with the same care",
            schema::blobs_dir(&config.data_dir).display(),
            installation::keys_dir(&config.data_dir).display()
        );
    };
    // Opening would make an empty database where there is none.
    ensure!(Path::new(path.split('?').next().unwrap_or(path)).exists(), "there is no database to copy");
    files::private_dir(dest)?;
    let copied = copy_out(config, &url, dest).await;
    let (head, lost_chunks, files) = match copied {
        Ok(copied) => copied,
        Err(error) => {
            let _ = std::fs::remove_dir_all(dest); // it was free before
            return Err(error);
        }
    };
    let manifest = Manifest {
        format: FORMAT,
        realm: about.realm,
        created_at: clock.now().as_i64(),
        audit_entries: head.seq,
        audit_head: hex::encode(head.hash),
        lost_chunks,
        files,
    };
    // Last, so that a backup without one is known to be unfinished.
    files::private_file(&dest.join(MANIFEST), serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    Ok(manifest)
}

async fn copy_out(config: &Config, url: &str, dest: &Path) -> Result<(Head, u64, Vec<ManifestFile>)> {
    let db = Db::open(url, &schema::storage_options(config)).await?;
    // Whatever the copy contains, it contains everything up to here.
    let before = pakawaaz_audit::head(&db).await?;
    let target = dest.join(DATABASE);
    db.backup_to(&target).await?;
    let copy = open_copy(&target).await?;
    pakawaaz_cellular::forget_all(&copy).await?;
    let blobs = backup_blobs::copy_out(&config.data_dir, dest, &copy, &db).await?;
    copy.close().await;
    db.close().await;

    let keys = installation::keys_dir(&config.data_dir);
    let mut paths = blobs.paths;
    paths.push(PathBuf::from(DATABASE));
    files::private_dir(&dest.join("keys"))?;
    for entry in std::fs::read_dir(&keys).with_context(|| format!("looking into {}", keys.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let path = Path::new("keys").join(entry.file_name());
            files::private_file(&dest.join(&path), &files::read_secret(&entry.path())?)?;
            paths.push(path);
        }
    }
    let head = verify_database(&target, Some(before), blobs.lost).await?;
    paths.sort();
    let files = paths.iter().map(|path| describe(dest, path)).collect::<Result<Vec<_>>>()?;
    Ok((head, blobs.lost, files))
}

/// Verifies the backup in `source` and copies it to `data_dir`, which must be free.
pub async fn restore(source: &Path, data_dir: &Path) -> Result<Manifest> {
    ensure!(files::is_free(data_dir)?, "{} is not empty; restore never overwrites", data_dir.display());
    let manifest = verify_files(source)?;
    files::private_dir(data_dir)?;
    let copied = copy(source, data_dir, &manifest).await;
    if copied.is_err() {
        let _ = std::fs::remove_dir_all(data_dir); // it was free before
    }
    copied.map(|()| manifest)
}

async fn copy(source: &Path, data_dir: &Path, manifest: &Manifest) -> Result<()> {
    for file in &manifest.files {
        let target = data_dir.join(&file.path);
        if let Some(parent) = target.parent() {
            files::private_dir(parent)?;
        }
        let content = zeroize::Zeroizing::new(std::fs::read(source.join(&file.path))?);
        files::private_file(&target, &content)?;
    }
    for file in &manifest.files {
        ensure!(describe(data_dir, Path::new(&file.path))? == *file, "{} changed while it was copied", file.path);
    }
    let head = verify_database(&data_dir.join(DATABASE), None, manifest.lost_chunks).await?;
    ensure!(
        (head.seq, hex::encode(head.hash)) == (manifest.audit_entries, manifest.audit_head.clone()),
        "the audit log is not the one in the manifest"
    );
    Ok(())
}

/// Checks every file of a backup against its manifest.
fn verify_files(source: &Path) -> Result<Manifest> {
    let path = source.join(MANIFEST);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{}: no backup here, or an unfinished one", path.display()))?;
    let manifest: Manifest = serde_json::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
    ensure!(manifest.format == FORMAT, "the backup has format {}, this program knows {FORMAT}", manifest.format);
    ensure!(manifest.files.iter().any(|f| f.path == DATABASE), "the backup has no database");
    for file in &manifest.files {
        let path = Path::new(&file.path);
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            bail!("the manifest names a path outside of the backup");
        }
        ensure!(describe(source, path)? == *file, "{} is damaged: its SHA-256 differs", file.path);
    }
    Ok(manifest)
}

async fn open_copy(path: &Path) -> Result<Db> {
    let url = format!("sqlite://{}", std::path::absolute(path)?.display());
    Ok(Db::open(&url, &pakawaaz_storage::StorageOptions::default()).await?)
}

/// Opens a copy and looks for damage in its pages, in the audit chain, and in the blobs beside it.
async fn verify_database(path: &Path, pinned: Option<Head>, lost: u64) -> Result<Head> {
    let db = open_copy(path).await?;
    db.integrity_check().await?;
    backup_blobs::verify(path.parent().context("the database lies in a folder")?, &db, lost).await?;
    let head = pakawaaz_audit::verify_chain(&db, pinned).await?;
    db.close().await;
    Ok(head)
}

fn describe(base: &Path, path: &Path) -> Result<ManifestFile> {
    let full = base.join(path);
    let mut file = File::open(&full).with_context(|| format!("opening {}", full.display()))?;
    let (mut hash, mut buffer, mut bytes) = (Sha256::new(), vec![0u8; 64 * 1024], 0u64);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => {
                hash.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
    let path = path.to_str().context("a path is not UTF-8")?.to_owned();
    Ok(ManifestFile { path, bytes, sha256: hex::encode(hash.finalize()) })
}

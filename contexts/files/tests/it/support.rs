//! A file service over a fresh database and folder, and shorthands.

use bytes::Bytes;
use pakawaaz_base::time::ManualClock;
use pakawaaz_base::{Actor, Assurance, DeviceId, FileId, Millis, OfficialId, Role, SessionId};
use pakawaaz_contract::files::CreateFileRequest;
use pakawaaz_files::model::upload::Limits;
use pakawaaz_files::{Blobs, Files, FilesConfig, FilesError};
use pakawaaz_storage::{Db, Migration};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Both schemas.
pub static MIGRATIONS: LazyLock<Vec<Migration>> =
    LazyLock::new(|| [pakawaaz_audit::MIGRATIONS, pakawaaz_files::MIGRATIONS].concat());

pub const ACCESS: [u8; 32] = [5; 32];

pub struct Store {
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub files: Files,
    pub folder: tempfile::TempDir,
}

pub fn limits() -> Limits {
    Limits {
        max_size: 1000,
        max_chunk: 100,
        quota: 2500,
        max_open_uploads: 3,
        retention: Duration::from_secs(90 * 86_400),
        abandoned: Duration::from_secs(48 * 3600),
    }
}

pub fn store(db: Db) -> Store {
    // The folder's times are real ones, so the clock is a little ahead of them.
    #[allow(clippy::disallowed_methods, reason = "files get their times from the system")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let clock = Arc::new(ManualClock::at(Millis(now as i64)));
    let folder = tempfile::tempdir().expect("folder");
    let files = start(&db, &clock, &folder);
    Store { db, clock, files, folder }
}

fn start(db: &Db, clock: &Arc<ManualClock>, folder: &tempfile::TempDir) -> Files {
    let blobs = Blobs::local(folder.path()).expect("blobs");
    let config = FilesConfig { limits: limits(), chunks_at_once: 8, chunks_of_one: 4 };
    Files::start(db.clone(), blobs, clock.clone(), config)
}

pub fn actor(official: u8, roles: &[Role]) -> Actor {
    Actor {
        official: OfficialId::from_bytes([official; 16]),
        device: DeviceId::from_bytes([2; 16]),
        session: SessionId::from_bytes([3; 16]),
        roles: roles.to_vec(),
        assurance: Assurance::SoftwareNative,
    }
}

pub fn request(size: u64, chunk_size: u32, access: [u8; 32]) -> CreateFileRequest {
    CreateFileRequest { size, chunk_size, access_hash: Sha256::digest(access).to_vec().into() }
}

/// The bytes of a chunk.
pub fn chunk(number: u32, length: usize) -> Bytes {
    vec![number as u8 ^ 0x5a; length].into()
}

impl Store {
    /// The same folder and database under a service that was started again.
    pub fn restart(&mut self) {
        self.files = start(&self.db, &self.clock, &self.folder);
    }

    pub async fn put(&self, actor: &Actor, file: FileId, number: u32, bytes: Bytes) -> Result<(), FilesError> {
        let expected = self.files.expect_chunk(actor, file, number).await?;
        self.files.put_chunk(expected, bytes).await
    }

    /// A complete file of 250 bytes in three chunks.
    pub async fn file(&self, actor: &Actor, access: [u8; 32]) -> FileId {
        let file = self.files.create(actor, request(250, 100, access)).await.expect("announced").file;
        for (number, length) in [(0, 100), (1, 100), (2, 50)] {
            self.put(actor, file, number, chunk(number, length)).await.expect("stored");
        }
        self.files.complete(actor, file).await.expect("complete");
        file
    }

    pub async fn get(&self, file: FileId, number: u32, access: Option<[u8; 32]>) -> Result<Vec<u8>, FilesError> {
        use futures::TryStreamExt as _;
        let chunk = self.files.download(file, number, access).await?;
        let bytes: Vec<u8> = chunk.bytes.try_collect::<Vec<Bytes>>().await?.concat();
        assert_eq!(bytes.len() as u64, chunk.size);
        Ok(bytes)
    }

    /// Every blob on the disk.
    pub fn on_disk(&self) -> Vec<PathBuf> {
        fn walk(folder: &std::path::Path, into: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).expect("folder") {
                let path = entry.expect("entry").path();
                if path.is_dir() { walk(&path, into) } else { into.push(path) }
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), &mut found);
        found.sort();
        found
    }
}

//! Backup while writing, restore, and refusal of anything damaged.

use crate::support::{config, get, install, serving};
use pakawaaz_base::{Actor, Assurance, DeviceId, OfficialId, Role, SessionId};
use pakawaaz_contract::directory::{BilingualName, CreateOfficialRequest};
use pakawaaz_contract::files::CreateFileRequest;
use pakawaaz_directory::Directory;
use pakawaaz_files::{Blobs, Files, ScanReport};
use pakawaaz_server::backup::{Manifest, backup, restore};
use pakawaaz_server::{Config, Server, SystemClock};
use pakawaaz_storage::{Db, StorageOptions};
use sha2::Digest as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

async fn open(config: &Config) -> Db {
    Db::open(&config.database_url().expect("url"), &StorageOptions::default()).await.expect("opens")
}

fn manager() -> Actor {
    Actor {
        official: OfficialId::from_bytes([1; 16]),
        device: DeviceId::from_bytes([2; 16]),
        session: SessionId::from_bytes([3; 16]),
        roles: vec![Role::DirectoryManager],
        assurance: Assurance::SoftwareNative,
    }
}

async fn create(directory: &Directory, number: usize) {
    let name = BilingualName { en: format!("Official {number}"), ur: String::new() };
    let request = CreateOfficialRequest { username: format!("user{number}"), name, rank: BilingualName::default() };
    directory.create_official(&manager(), request).await.expect("created");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_writing_restores_to_a_working_server() {
    let (dir, config, server) = serving().await;
    // Another process' connection would do the same: the copy is made beside the running server.
    let writer = Directory::new(open(&config).await, Arc::new(SystemClock));
    for number in 0..20 {
        create(&writer, number).await;
    }
    let written = Arc::new(AtomicUsize::new(20));
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writing = tokio::spawn({
        let (written, stop) = (written.clone(), stop.clone());
        async move {
            while !stop.load(Ordering::SeqCst) {
                create(&writer, written.load(Ordering::SeqCst)).await;
                written.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let before = written.load(Ordering::SeqCst);
    let dest = dir.path().join("backup");
    let manifest = backup(&config, &dest, &SystemClock).await.expect("backs up");
    let after = written.load(Ordering::SeqCst) + 1; // one may have been under way
    stop.store(true, Ordering::SeqCst);
    writing.await.expect("wrote");
    server.shutdown().await;

    let mut restored = config.clone();
    restored.data_dir = dir.path().join("restored");
    assert_eq!(restore(&dest, &restored.data_dir).await.expect("restores"), manifest);
    let db = open(&restored).await;
    db.integrity_check().await.expect("sound");
    let head = pakawaaz_audit::verify_chain(&db, None).await.expect("chain holds");
    assert_eq!(head.seq, manifest.audit_entries);
    let page = Directory::new(db.clone(), Arc::new(SystemClock));
    for number in 0..before {
        page.official_by_username(&format!("user{number}")).await.expect("everything from before is there");
    }
    assert!(page.official_by_username(&format!("user{after}")).await.is_err());
    db.close().await;

    let again = Server::start(restored).await.expect("starts");
    assert_eq!(get(again.addrs().http.expect("http"), "/readyz").await.status, 200);
    again.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypted_files_are_in_a_backup_and_come_back() {
    let (dir, config, server) = serving().await;
    let settings = || pakawaaz_server::schema::files_settings(&config);
    let files = async |data_dir: &Path| {
        let mut there = config.clone();
        there.data_dir = data_dir.to_owned();
        let blobs = Blobs::local(&pakawaaz_server::schema::blobs_dir(data_dir)).expect("blobs");
        Files::start(open(&there).await, blobs, Arc::new(SystemClock), settings())
    };
    let live = files(&config.data_dir).await;
    let access = [7u8; 32];
    let access_hash = sha2::Sha256::digest(access).to_vec().into();
    let created = live.create(&manager(), CreateFileRequest { size: 300, chunk_size: 200, access_hash }).await;
    let file = created.expect("announced").file;
    for (number, length) in [(0u32, 200), (1, 100)] {
        let expected = live.expect_chunk(&manager(), file, number).await.expect("expected");
        live.put_chunk(expected, vec![number as u8; length].into()).await.expect("stored");
    }
    live.complete(&manager(), file).await.expect("complete");
    let dest = dir.path().join("backup");
    let manifest = backup(&config, &dest, &SystemClock).await.expect("backs up");
    assert_eq!(manifest.files.iter().filter(|f| f.path.starts_with("blobs/")).count(), 2);
    assert_eq!(manifest.lost_chunks, 0);
    server.shutdown().await;

    let restored = dir.path().join("restored");
    restore(&dest, &restored).await.expect("restores");
    let copy = files(&restored).await;
    let chunk = copy.download(file, 1, Some(access)).await.expect("there");
    let bytes: Vec<bytes::Bytes> = futures::TryStreamExt::try_collect(chunk.bytes).await.expect("reads");
    assert_eq!(bytes.concat(), vec![1; 100]);
    assert_eq!(copy.scan().await.expect("scans"), ScanReport::default());

    // A backup without a blob that its database names is refused, even with a manifest that does not mention it.
    let blob = manifest.files.iter().find(|f| f.path.starts_with("blobs/")).expect("a blob").path.clone();
    std::fs::remove_file(dest.join(&blob)).expect("removes");
    let target = dir.path().join("target");
    assert!(restore(&dest, &target).await.is_err());
    edit(&dest, |m| m.files.retain(|f| f.path != blob));
    assert!(restore(&dest, &target).await.is_err());
    assert!(!target.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_key_is_not_in_a_backup_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().expect("directory");
    let config = config(dir.path());
    install(&config).await;
    let dest = dir.path().join("backup");
    let manifest = backup(&config, &dest, &SystemClock).await.expect("a stopped server can be backed up too");
    let paths: Vec<_> = manifest.files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["keys/installation.toml", "keys/master.key", "keys/secrets.sealed", "pakawaaz.db"]);
    assert!(backup(&config, &dest, &SystemClock).await.is_err(), "not over another backup");
    assert!(restore(&dest, &config.data_dir).await.is_err(), "not over an installation");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_is_refused_and_leaves_nothing() {
    let dir = tempfile::tempdir().expect("directory");
    let config = config(dir.path());
    install(&config).await;
    let good = dir.path().join("good");
    backup(&config, &good, &SystemClock).await.expect("backs up");

    type Damage = fn(&Path);
    let damages: [(&str, Damage); 5] = [
        ("a flipped byte", |b| flip(&b.join("pakawaaz.db"))),
        ("a flipped key", |b| flip(&b.join("keys/secrets.sealed"))),
        ("a missing file", |b| std::fs::remove_file(b.join("keys/master.key")).expect("removes")),
        ("no manifest", |b| std::fs::remove_file(b.join("manifest.json")).expect("removes")),
        ("a path outside", |b| {
            edit(b, |m| m.files[0].path = "../outside".into());
            std::fs::write(b.join("../outside"), b"x").expect("writes");
        }),
    ];
    for (what, damage) in damages {
        let bad = dir.path().join("bad");
        copy(&good, &bad);
        damage(&bad);
        let target = dir.path().join("target");
        assert!(restore(&bad, &target).await.is_err(), "{what}");
        assert!(!target.exists(), "{what} left something behind");
        std::fs::remove_dir_all(&bad).expect("cleans");
    }
    let bad = dir.path().join("bad");
    copy(&good, &bad);
    edit(&bad, |m| m.audit_head = "00".repeat(32));
    let error = restore(&bad, &dir.path().join("target")).await.expect_err("refused").to_string();
    assert!(error.contains("audit log"), "{error}");
}

fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).expect("writes");
}

fn edit(backup: &Path, change: impl FnOnce(&mut Manifest)) {
    let path = backup.join("manifest.json");
    let mut manifest = serde_json::from_slice(&std::fs::read(&path).expect("reads")).expect("manifest");
    change(&mut manifest);
    std::fs::write(&path, serde_json::to_vec(&manifest).expect("json")).expect("writes");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("keys")).expect("directory");
    for path in ["manifest.json", "pakawaaz.db", "keys/installation.toml", "keys/master.key", "keys/secrets.sealed"] {
        std::fs::copy(from.join(path), to.join(path)).expect("copies");
    }
}

//! `init`: what it leaves on disk, and what it refuses.

use crate::support::{administrators, config, get, install, request};
use pakawaaz_server::backup::backup;
use pakawaaz_server::{Server, SystemClock, init, installation};
use pakawaaz_storesuite::{Engine, TestDatabase};
use pakawaaz_trust::Voucher;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("exists").permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installation_is_private_and_its_vouchers_pin_the_root() {
    let dir = tempfile::tempdir().expect("directory");
    let config = config(dir.path());
    let vouchers = install(&config).await;
    let data = &config.data_dir;
    assert_eq!(mode(data), 0o700);
    for directory in ["keys", "root"] {
        assert_eq!(mode(&data.join(directory)), 0o700, "{directory}");
        for entry in std::fs::read_dir(data.join(directory)).expect("directory") {
            let path = entry.expect("entry").path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
    let readme = std::fs::read_to_string(data.join("root/README.txt")).expect("README");
    assert!(readme.contains("Delete this folder from the server"));

    let names: Vec<_> = vouchers.iter().map(|v| v.username.as_str()).collect();
    assert_eq!(names, ["amna.khan", "bilal.ahmed"]);
    let secrets = installation::secrets(&config).expect("secrets");
    for printed in &vouchers {
        let voucher = Voucher::from_text(&printed.text).expect("voucher");
        assert_eq!(voucher.url, "http://127.0.0.1:8480");
        assert_eq!(voucher.ca_pin, secrets.public().ca_pin);
    }
    // The server runs without the root key.
    std::fs::remove_dir_all(data.join("root")).expect("moved offline");
    Server::start(config).await.expect("starts").shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_overwritten_and_failures_leave_nothing() {
    let dir = tempfile::tempdir().expect("directory");
    let config = config(dir.path());
    let run = |admins: Vec<init::Administrator>| {
        let config = config.clone();
        async move { init::run(&config, &request(admins), Arc::new(SystemClock)).await }
    };
    let mut bad = administrators();
    bad[1].username = "NOT A USERNAME".into();
    assert!(run(bad).await.is_err());
    assert!(!config.data_dir.join("pakawaaz.db").exists(), "a failed init leaves nothing behind");
    let mut same = administrators();
    same[1].username = same[0].username.clone();
    assert!(run(same).await.is_err());
    assert!(run(administrators()[..1].to_vec()).await.is_err());

    run(administrators()).await.expect("first");
    let before = std::fs::read(config.data_dir.join("keys/secrets.sealed")).expect("secrets");
    let error = run(administrators()).await.err().expect("refused").to_string();
    assert!(error.contains("never overwrites"), "{error}");
    assert_eq!(std::fs::read(config.data_dir.join("keys/secrets.sealed")).expect("secrets"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voucher_needs_a_url() {
    let dir = tempfile::tempdir().expect("directory");
    let config = config(dir.path()); // port 0
    let without = init::Request { url: None, ..request(administrators()) };
    let error = init::run(&config, &without, Arc::new(SystemClock)).await.err().expect("refused");
    assert!(error.to_string().contains("--url"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn serving_needs_an_installation_with_private_keys_and_its_master_key() {
    let dir = tempfile::tempdir().expect("directory");
    let config = config(dir.path());
    let error = Server::start(config.clone()).await.err().expect("refused");
    assert!(format!("{error:#}").contains("init"), "{error:#}");
    install(&config).await;
    let master = config.data_dir.join("keys/master.key");
    std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    let error = Server::start(config.clone()).await.err().expect("refused");
    assert!(format!("{error:#}").contains("chmod 600"), "{error:#}");
    std::fs::set_permissions(&master, std::fs::Permissions::from_mode(0o600)).expect("chmod");
    std::fs::write(&master, [0u8; 32]).expect("writes");
    let error = Server::start(config).await.err().expect("refused");
    assert!(format!("{error:#}").contains("does not open the secrets"), "{error:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_master_key_may_lie_elsewhere() {
    let dir = tempfile::tempdir().expect("directory");
    let mut config = config(dir.path());
    config.identity.master_key_file = dir.path().join("elsewhere.key");
    install(&config).await;
    assert!(!config.data_dir.join("keys/master.key").exists());
    Server::start(config).await.expect("starts").shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_do_not_share_a_data_directory() {
    let (_dir, config, server) = crate::support::serving().await;
    let error = Server::start(config.clone()).await.err().expect("refused");
    assert!(error.to_string().contains("another server"), "{error}");
    server.shutdown().await;
    Server::start(config).await.expect("free again").shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_sim_batch_is_told_by_line_and_nothing_is_installed() {
    let dir = tempfile::tempdir().expect("directory");
    let config = config(dir.path());
    let card = |iccid: &str, k: &str| format!("{iccid},410019999900001,milenage,{k},{}\n", "02".repeat(16));
    let header = "iccid,imsi,algorithm,k,opc_or_topc\n";
    let bad = format!("{header}{}", card("8992001000000000017", "zz"));
    let with = |csv: String| init::Request { sims: Some(csv.into_bytes().into()), ..request(administrators()) };
    let error = init::run(&config, &with(bad), Arc::new(SystemClock)).await.err().expect("refused");
    assert!(format!("{error:#}").contains('2'), "{error:#}");
    assert!(!config.data_dir.join("pakawaaz.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_serves_as_well_and_is_installed_once() {
    let database = TestDatabase::create(Engine::Postgres).await;
    let dir = tempfile::tempdir().expect("directory");
    let mut config = config(dir.path());
    config.database.url = database.url().to_owned();
    install(&config).await;
    let server = Server::start(config.clone()).await.expect("starts");
    let ready = get(server.addrs().http.expect("http"), "/readyz").await;
    assert_eq!(ready.status, 200, "{}", ready.body);
    server.shutdown().await;

    let installed = config.clone();
    config.data_dir = dir.path().join("another");
    let error = init::run(&config, &request(administrators()), Arc::new(SystemClock)).await.err().expect("refused");
    assert!(error.to_string().contains("already belongs"), "{error}");
    let error = backup(&installed, &dir.path().join("backup"), &SystemClock).await.expect_err("not ours to copy");
    assert!(error.to_string().contains("pg_dump") && !dir.path().join("backup").exists(), "{error}");
    database.remove().await;
}

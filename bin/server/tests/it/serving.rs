//! Health, metrics, contract, limits, shutdown: over real sockets.

use crate::support::{config, get, install, serving};
use pakawaaz_server::Server;
use pakawaaz_storesuite::{Engine, TestDatabase};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_installation_is_ready() {
    let (_dir, _config, server) = serving().await;
    let http = server.addrs().http.expect("plain HTTP");
    assert_eq!(get(http, "/livez").await.status, 200);
    let ready = get(http, "/readyz").await;
    assert_eq!((ready.status, ready.body.as_str().contains("\"ready\":true")), (200, true), "{}", ready.body);
    assert_eq!(ready.headers["x-content-type-options"], "nosniff");
    assert!(ready.headers.contains_key("x-request-id"));
    let unknown = get(http, "/nowhere").await;
    assert!(unknown.status == 404 && unknown.body.contains("http.no_such_route"), "{}", unknown.body);
    let closed = get(http, "/v1/directory/units").await;
    assert_eq!(closed.status, 401, "{}", closed.body);
    server.shutdown().await;
    assert!(TcpStream::connect(http).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_their_own_listener() {
    let (_dir, _config, server) = serving().await;
    let addrs = server.addrs();
    get(addrs.http.expect("http"), "/livez").await;
    let metrics = get(addrs.metrics.expect("metrics"), "/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("pakawaaz_http_requests_total"), "{}", metrics.body);
    assert!(metrics.body.contains("route=\"/livez\""));
    assert_eq!(get(addrs.metrics.expect("metrics"), "/readyz").await.status, 200);
    assert_eq!(get(addrs.metrics.expect("metrics"), "/v1/server").await.status, 404, "nothing else is served there");
    assert_eq!(get(addrs.http.expect("http"), "/metrics").await.status, 404);
    server.shutdown().await;
}

/// Or no fact would ever be deleted again where a network was switched off.
#[tokio::test(flavor = "multi_thread")]
async fn facts_are_read_for_the_network_also_where_there_is_none() {
    let (_dir, config, server) = serving().await;
    assert!(!config.cellular.enabled);
    let metrics = server.addrs().metrics.expect("metrics");
    for consumer in ["cellular.cards", "cellular.logins"] {
        let wanted = format!("pakawaaz_outbox_lag{{consumer=\"{consumer}\"}} 0");
        while !get(metrics, "/metrics").await.body.contains(&wanted) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_and_its_page_are_served() {
    let (_dir, _config, server) = serving().await;
    let http = server.addrs().http.expect("http");
    let contract = get(http, "/openapi.json").await;
    assert_eq!(contract.body, pakawaaz_server::web::openapi::text().expect("text"));
    let page = get(http, "/docs").await;
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(page.body.contains("/v1/directory/officials") && !page.body.contains("<script"));
    // Every link inside the page leads somewhere.
    for link in page.body.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.body.contains(&format!("id=\"{link}\"")), "#{link}");
    }
    assert_eq!(get(http, "/docs/style.css").await.status, 200);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_and_waiting_facts_turn_readiness_red() {
    let dir = tempfile::tempdir().expect("directory");
    let mut config = config(dir.path());
    install(&config).await;
    config.health.min_free_mib = u64::MAX;
    config.health.max_outbox_lag = -1;
    let server = Server::start(config).await.expect("starts");
    let ready = get(server.addrs().http.expect("http"), "/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("outbox.lagging"), "{}", ready.body);
    assert!(ready.body.contains("disk.low") && ready.body.contains("\"database\":\"ok\""), "{}", ready.body);
    assert_eq!(get(server.addrs().http.expect("http"), "/livez").await.status, 200);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_gone_turns_readiness_red_and_lets_nobody_in() {
    let database = TestDatabase::create(Engine::Postgres).await;
    let dir = tempfile::tempdir().expect("directory");
    let mut config = config(dir.path());
    config.database.url = database.url().to_owned();
    install(&config).await;
    let server = Server::start(config).await.expect("starts");
    let http = server.addrs().http.expect("http");
    assert_eq!(get(http, "/readyz").await.status, 200);
    database.remove().await; // with everybody still connected
    // The last good answer is kept for half a second.
    let ready = loop {
        let ready = get(http, "/readyz").await;
        if ready.status != 200 {
            break ready;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(ready.status == 503 && ready.body.contains("storage."), "{}", ready.body);
    assert_eq!(get(http, "/livez").await.status, 200);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded() {
    let dir = tempfile::tempdir().expect("directory");
    let mut config = config(dir.path());
    config.limits.connections = 2;
    install(&config).await;
    let server = Server::start(config).await.expect("starts");
    let http = server.addrs().http.expect("http");
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(http).await.expect("connects");
        stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("writes");
        let mut answer = [0u8; 12];
        stream.read_exact(&mut answer).await.expect("answers");
        assert_eq!(&answer, b"HTTP/1.1 200");
        kept.push(stream);
    }
    let mut third = TcpStream::connect(http).await.expect("the kernel accepts");
    let _ = third.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(third.read(&mut [0u8; 1]).await.unwrap_or(0), 0, "closed without an answer");
    assert_eq!(server.connections(), 2);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_idle_connections_at_once() {
    let (_dir, _config, server) = serving().await;
    let mut idle = TcpStream::connect(server.addrs().http.expect("http")).await.expect("connects");
    idle.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("writes");
    idle.read_exact(&mut [0u8; 12]).await.expect("answers");
    // Far below the drain time of ten seconds: nothing was waited for.
    tokio::time::timeout(Duration::from_secs(8), server.shutdown()).await.expect("in time");
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.expect("closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_never_says_hello_cannot_hold_up_the_end() {
    let dir = tempfile::tempdir().expect("directory");
    let mut config = config(dir.path());
    config.limits.drain_seconds = 3;
    install(&config).await;
    let server = Server::start(config).await.expect("starts");
    let mut socket = TcpStream::connect(server.addrs().http.expect("http")).await.expect("connects");
    let upgrade = "GET /v1/events HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    socket.write_all(upgrade.as_bytes()).await.expect("writes");
    let mut answer = [0u8; 12];
    socket.read_exact(&mut answer).await.expect("answers");
    assert_eq!(&answer, b"HTTP/1.1 101");
    assert_eq!(server.connections(), 1, "an upgraded connection still counts");
    tokio::time::timeout(Duration::from_secs(8), server.shutdown()).await.expect("in time");
}

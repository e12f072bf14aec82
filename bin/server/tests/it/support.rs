//! A fresh installation, and a small HTTP client without any magic.

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use pakawaaz_server::init::{self, Administrator, PrintedVoucher, Request};
use pakawaaz_server::{Config, RunningServer, Server, SystemClock};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Everything on free loopback ports.
pub fn config(dir: &Path) -> Config {
    let mut config = Config { data_dir: dir.join("data"), ..Config::default() };
    config.http.plain = "127.0.0.1:0".into();
    config.http.tls = "127.0.0.1:0".into();
    config.http.metrics = "127.0.0.1:0".into();
    config.http.hosts = vec!["localhost".into(), "127.0.0.1".into()];
    config.health.min_free_mib = 1;
    config
}

pub fn administrators() -> Vec<Administrator> {
    ["amna.khan:Amna Khan", "bilal.ahmed:Bilal Ahmed"].map(|a| a.parse().expect("administrator")).into()
}

pub fn request(administrators: Vec<Administrator>) -> Request {
    Request { administrators, url: Some("http://127.0.0.1:8480".into()), sims: None }
}

pub async fn install(config: &Config) -> Vec<PrintedVoucher> {
    init::run(config, &request(administrators()), Arc::new(SystemClock)).await.expect("init")
}

/// Installed and serving.
pub async fn serving() -> (TempDir, Config, RunningServer) {
    let dir = tempfile::tempdir().expect("directory");
    let config = config(dir.path());
    install(&config).await;
    let server = Server::start(config.clone()).await.expect("starts");
    (dir, config, server)
}

pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

/// GET over a new plain connection.
pub async fn get(address: SocketAddr, path: &str) -> Answer {
    let stream = TcpStream::connect(address).await.expect("connects");
    get_over(stream, &address.to_string(), path).await
}

/// GET over a stream, with HTTP/1.1.
pub async fn get_over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, host: &str, path: &str) -> Answer {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("HTTP");
    tokio::spawn(connection);
    let request = http::Request::get(path).header("host", host).body(Empty::<Bytes>::new()).expect("request");
    let (parts, body) = sender.send_request(request).await.expect("answer").into_parts();
    let body = body.collect().await.expect("body").to_bytes();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).expect("text"),
    }
}

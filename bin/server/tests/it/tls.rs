//! TLS: what is negotiated, by whom the certificate is, and that nothing older is spoken.

use crate::support::{get_over, serving};
use axum::Router;
use axum::routing::get;
use pakawaaz_base::Clock;
use pakawaaz_http::ConnectionInfo;
use pakawaaz_server::net::limits::Connections;
use pakawaaz_server::net::listener::{EXPORTER_LABEL, Listening};
use pakawaaz_server::net::tls::{ServerCertificate, acceptor, provider};
use pakawaaz_server::{Addresses, Config, SystemClock, installation};
use pakawaaz_trust::{DeviceSigner, SigningKey};
use rand::rngs::OsRng;
use rustls::{ClientConfig, NamedGroup, ProtocolVersion, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

/// A client that pins the installation's root.
fn client(config: &Config, groups: &[NamedGroup], versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    let root = installation::secrets(config).expect("secrets").ca_chain[0].to_vec();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root)).expect("root");
    let all = rustls::crypto::aws_lc_rs::ALL_KX_GROUPS;
    let mut provider = provider();
    provider.kx_groups = groups.iter().filter_map(|g| all.iter().find(|k| k.name() == *g).copied()).collect();
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

async fn connect(addrs: Addresses, client: ClientConfig, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(addrs.https.expect("https")).await?;
    let name = ServerName::try_from(name.to_owned()).expect("name");
    TlsConnector::from(Arc::new(client)).connect(name, stream).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hybrid_group_is_preferred_and_the_certificate_leads_to_the_root() {
    let (_dir, config, server) = serving().await;
    // The client would rather not; the server's order decides (a HelloRetryRequest fetches the share).
    let groups = [NamedGroup::X25519, NamedGroup::X25519MLKEM768];
    for (name, groups) in [("localhost", &groups[1..]), ("127.0.0.1", &groups[1..]), ("localhost", &groups[..])] {
        let stream = connect(server.addrs(), client(&config, groups, rustls::ALL_VERSIONS), name).await.expect("TLS");
        let session = stream.get_ref().1;
        assert_eq!(session.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        if groups.len() == 1 {
            let group = session.negotiated_key_exchange_group().expect("group").name();
            assert_eq!(group, NamedGroup::X25519MLKEM768);
        }
        let answer = get_over(stream, name, "/readyz").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    // A client of today's default offers the hybrid share first and gets it.
    let groups = [NamedGroup::X25519MLKEM768, NamedGroup::X25519];
    let stream =
        connect(server.addrs(), client(&config, &groups, rustls::ALL_VERSIONS), "localhost").await.expect("TLS");
    let group = stream.get_ref().1.negotiated_key_exchange_group().expect("group").name();
    assert_eq!(group, NamedGroup::X25519MLKEM768);
    drop(stream);
    server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_names_roots_and_older_versions_fail() {
    let (_dir, config, server) = serving().await;
    let groups = [NamedGroup::X25519];
    let fine = client(&config, &groups, rustls::ALL_VERSIONS);
    assert!(connect(server.addrs(), fine, "elsewhere.example").await.is_err(), "not in the certificate");
    let old = client(&config, &groups, &[&rustls::version::TLS12]);
    assert!(connect(server.addrs(), old, "localhost").await.is_err(), "TLS 1.2");
    let (_other_dir, other, other_server) = serving().await;
    let foreign = client(&other, &groups, rustls::ALL_VERSIONS);
    assert!(connect(server.addrs(), foreign, "localhost").await.is_err(), "another installation's root");
    other_server.shutdown().await;
    server.shutdown().await;
}

/// The value that native clients sign at login: both ends must export the same, and each connection another.
#[tokio::test(flavor = "multi_thread")]
async fn both_ends_export_the_same_channel_binding() {
    let dir = tempfile::tempdir().expect("directory");
    let config = crate::support::config(dir.path());
    crate::support::install(&config).await;
    let secrets = installation::secrets(&config).expect("secrets");
    let key = SigningKey::generate(&mut OsRng);
    let names = ["localhost".to_owned()];
    let leaf = secrets.tls_certificate(&key.public_key(), &names, SystemClock.now(), &mut OsRng).expect("leaf");
    let chain = vec![leaf, secrets.ca_chain[1].to_vec()];
    let certificate = ServerCertificate::new(chain, &key.to_pkcs8().expect("key")).expect("certificate");
    let echo = |info: ConnectionInfo| async move { hex::encode(info.tls_exporter.expect("exporter")) };
    let listening = Listening {
        connections: Connections::new(10, 10, 10),
        limits: config.limits.clone(),
        stop: CancellationToken::new(),
        abort: CancellationToken::new(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let addrs = Addresses { https: Some(listener.local_addr().expect("address")), ..Addresses::default() };
    let router = Router::new().route("/", get(echo));
    let running = tokio::spawn(listening.clone().run(listener, Some(acceptor(certificate).expect("acceptor")), router));

    let mut seen = std::collections::HashSet::new();
    for _ in 0..2 {
        let client = client(&config, &[NamedGroup::X25519MLKEM768], rustls::ALL_VERSIONS);
        let stream = connect(addrs, client, "localhost").await.expect("TLS");
        let ours = stream.get_ref().1.export_keying_material([0u8; 32], EXPORTER_LABEL, None).expect("exports");
        assert_eq!(get_over(stream, "localhost", "/").await.body, hex::encode(ours));
        assert!(seen.insert(ours));
    }
    listening.stop.cancel();
    running.await.expect("ends");
    listening.connections.none_left().await;
}

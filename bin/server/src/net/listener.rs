//! The accept loop and the life of a connection.

use super::limits::{Connections, Counted, Place};
use crate::config::LimitsConfig;
use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use pakawaaz_http::ConnectionInfo;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Label of the exporter (RFC 5705, RFC 8446 §7.5) that native clients bind their login to.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-pakawaaz-login";
/// Pause after a failed `accept`, which mostly means that file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Bytes of a request's head, and the most that one connection buffers before handlers see them.
const HTTP1_BUFFER: usize = 32 * 1024;
const HTTP2_STREAMS: u32 = 64;
const HTTP2_WINDOW: u32 = 128 * 1024;

/// What every listener of a server shares.
#[derive(Clone)]
pub struct Listening {
    /// Places.
    pub connections: Connections,
    /// Time limits.
    pub limits: LimitsConfig,
    /// Cancelled when no more connections are accepted and running requests should be the last.
    pub stop: CancellationToken,
    /// Cancelled when they took too long.
    pub abort: CancellationToken,
}

impl Listening {
    /// Accepts until `stop`. With `tls`, every connection starts with a handshake, off this loop.
    pub async fn run(self, listener: TcpListener, tls: Option<TlsAcceptor>, router: Router) {
        loop {
            let accepted = tokio::select! {
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(kind = ?error.kind(), "accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // Refused without an answer: under attack every byte costs.
            let Some(place) = self.connections.admit(peer.ip()) else { continue };
            let _ = stream.set_nodelay(true);
            tokio::spawn(self.clone().connection(stream, peer, place, tls.clone(), router.clone()));
        }
    }

    async fn connection(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        place: Place,
        tls: Option<TlsAcceptor>,
        router: Router,
    ) {
        let stream = Counted::new(stream, place);
        let Some(tls) = tls else {
            let info = ConnectionInfo { peer, tls_exporter: None, secure: false };
            return self.http(stream, info, router).await;
        };
        let handshake = async {
            // The wait for a permit counts as part of the handshake's time.
            let _permit = self.connections.handshakes().acquire_owned().await.ok()?;
            tls.accept(stream).await.ok()
        };
        let limit = Duration::from_secs(self.limits.handshake_seconds);
        let accepted = tokio::select! {
            () = self.stop.cancelled() => return,
            accepted = tokio::time::timeout(limit, handshake) => accepted.ok().flatten(),
        };
        let Some(stream) = accepted else {
            metrics::counter!("pakawaaz_tls_handshakes_failed_total").increment(1);
            return;
        };
        let exporter = stream.get_ref().1.export_keying_material([0u8; 32], EXPORTER_LABEL, None).ok();
        let info = ConnectionInfo { peer, tls_exporter: exporter, secure: true };
        self.http(stream, info, router).await;
    }

    async fn http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        self,
        stream: S,
        info: ConnectionInfo,
        router: Router,
    ) {
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(info);
            router.clone().oneshot(request.map(Body::new))
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(self.limits.header_seconds))
            .max_buf_size(HTTP1_BUFFER)
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(HTTP2_STREAMS)
            .initial_stream_window_size(HTTP2_WINDOW)
            .initial_connection_window_size(HTTP2_WINDOW * 4)
            .max_header_list_size(HTTP1_BUFFER as u32)
            .keep_alive_interval(Duration::from_secs(self.limits.header_seconds))
            .keep_alive_timeout(Duration::from_secs(self.limits.header_seconds));
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        // An error is the other side's: it went away or spoke nonsense.
        tokio::select! {
            _ = connection.as_mut() => return,
            () = self.stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            _ = connection => {}
            () = self.abort.cancelled() => {}
        }
    }
}

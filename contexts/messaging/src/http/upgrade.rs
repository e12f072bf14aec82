//! From an HTTP request to a WebSocket whose client has not said yet who it is.
//!
//! The largest frame of the protocol is megabytes; a stranger gets [`SMALL_HELLO`]. The WebSocket layer knows one limit
//! for the whole life of a connection, so the bytes are counted below it until [`Gate::open`].

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION,
    UPGRADE,
};
use http::{StatusCode, Version};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use pakawaaz_base::ErrorClass;
use pakawaaz_contract::MAX_FRAME;
use pakawaaz_http::Problem;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// Bytes that a client may send before it is known: a Hello with the positions of some two thousand conversations.
pub const SMALL_HELLO: usize = 64 * 1024;
/// The same for a device in very many conversations, of which only [`LARGE_AT_ONCE`] are read at a time.
pub const LARGE_HELLO: usize = 1024 * 1024;
/// Hellos above [`SMALL_HELLO`] read at the same time on a node.
pub const LARGE_AT_ONCE: usize = 32;

/// The socket of one client.
pub type Socket = WebSocketStream<Gate<TokioIo<Upgraded>>>;

/// Answers a WebSocket handshake (RFC 6455 §4.2) and runs `then` with the socket.
///
/// Errors: 400 `messaging.no_upgrade` when the request asks for something else.
pub fn upgrade(
    mut request: Request,
    large: Arc<Semaphore>,
    then: impl FnOnce(Socket) -> BoxFuture<'static, ()> + Send + 'static,
) -> Result<Response, Problem> {
    let refuse =
        || Problem::new(ErrorClass::Invalid, "messaging.no_upgrade").detail("a WebSocket handshake belongs here");
    let headers = request.headers();
    let asked = request.version() == Version::HTTP_11
        && names(headers, CONNECTION, "upgrade")
        && names(headers, UPGRADE, "websocket")
        && headers.get(SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| asked).ok_or_else(refuse)?;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).map_err(|_| refuse())?;
    let upgrading = request.extensions_mut().remove::<OnUpgrade>().ok_or_else(refuse)?;
    tokio::spawn(async move {
        // An error: the client went away before it had the answer.
        let Ok(upgraded) = upgrading.await else { return };
        let gate = Gate::new(TokioIo::new(upgraded), large);
        then(WebSocketStream::from_raw_socket(gate, Role::Server, Some(config())).await).await;
    });
    let headers = [
        (CONNECTION, HeaderValue::from_static("upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_ACCEPT, accept),
    ];
    Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        // Small buffers: the default for reading is 128 KiB for each of ten thousand connections.
        .read_buffer_size(2 * 1024)
        .write_buffer_size(4 * 1024)
        .max_write_buffer_size(MAX_FRAME + 1024 * 1024)
        .max_message_size(Some(MAX_FRAME))
        .max_frame_size(Some(MAX_FRAME))
}

/// Whether a header's comma-separated list holds the word, in any case.
fn names(headers: &HeaderMap, name: HeaderName, word: &str) -> bool {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
}

/// A stream that breaks when a client which is not known yet sends too much.
#[derive(Debug)]
pub struct Gate<S> {
    stream: S,
    /// `None`: the client is known.
    closed: Option<Closed>,
}

#[derive(Debug)]
struct Closed {
    read: usize,
    large: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Closed {
    /// Counts what arrived.
    fn take(&mut self, bytes: usize) -> io::Result<()> {
        self.read += bytes;
        if self.read > SMALL_HELLO && self.permit.is_none() {
            self.permit = Some(self.large.clone().try_acquire_owned().map_err(|_| too_much())?);
        }
        if self.read > LARGE_HELLO { Err(too_much()) } else { Ok(()) }
    }
}

fn too_much() -> io::Error {
    metrics::counter!("pakawaaz_messaging_hellos_too_large_total").increment(1);
    io::Error::new(io::ErrorKind::InvalidData, "too much before Hello")
}

impl<S> Gate<S> {
    /// Over the stream of a client that is not known. `large` is shared by all of a node.
    pub fn new(stream: S, large: Arc<Semaphore>) -> Self {
        Self { stream, closed: Some(Closed { read: 0, large, permit: None }) }
    }

    /// The client is known: from now on only the limits of the protocol hold.
    pub fn open(&mut self) {
        self.closed = None;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gate<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let ready = Pin::new(&mut self.stream).poll_read(cx, buf);
        match (&ready, &mut self.closed) {
            (Poll::Ready(Ok(())), Some(closed)) => Poll::Ready(closed.take(buf.filled().len() - before)),
            _ => ready,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    async fn read(gate: &mut Gate<&[u8]>, bytes: usize) -> io::Result<usize> {
        let mut all = vec![0; bytes];
        gate.read_exact(&mut all).await
    }

    #[tokio::test]
    async fn a_stranger_may_say_little_and_few_strangers_more() {
        let (data, large) = (vec![0u8; 2 * LARGE_HELLO], Arc::new(Semaphore::new(1)));
        let gate = || Gate::new(&data[..], large.clone());
        let (mut one, mut other, mut third) = (gate(), gate(), gate());
        assert!(read(&mut one, SMALL_HELLO).await.is_ok() && read(&mut other, SMALL_HELLO).await.is_ok());
        assert!(read(&mut one, 1).await.is_ok());
        assert!(read(&mut other, 1).await.is_err(), "somebody else's large Hello is being read");
        assert!(read(&mut one, LARGE_HELLO).await.is_err());
        drop(one);
        assert!(read(&mut third, LARGE_HELLO).await.is_ok(), "there is room again");
        third.open();
        assert!(read(&mut third, LARGE_HELLO).await.is_ok(), "a known client may go on");
        assert_eq!(large.available_permits(), 1);
    }

    #[test]
    fn lists_in_headers_are_read_word_by_word() {
        let mut headers = HeaderMap::new();
        headers.append(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        assert!(names(&headers, CONNECTION, "upgrade"));
        assert!(!names(&headers, UPGRADE, "websocket"));
        headers.append(UPGRADE, HeaderValue::from_static("websockets"));
        assert!(!names(&headers, UPGRADE, "websocket"));
    }
}

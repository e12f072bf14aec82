//! [`Transport`] over TCP and TLS: HTTP/1.1 requests and the WebSocket.

use crate::address::ServerAddress;
use crate::tls::{self, CaPin};
use futures::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use pakawaaz_client::transport::{Connection, EventSocket, HttpRequest, HttpResponse, Transport, TransportError};
use pakawaaz_contract::{EVENTS_PATH, MAX_FRAME};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_tungstenite::tungstenite::{self, Message, protocol::WebSocketConfig};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// The same for chunks of files, which a slow line takes long for.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(300);
/// Connections kept for later requests: as many as chunks of a file are on their way at once, and one more.
const KEPT: usize = 5;
const MAX_BODY: usize = 64 * 1024 * 1024;
/// RFC 5705 label of the login's channel binding; the server uses the same.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-pakawaaz-login";

/// The way to one server. Requests share a few kept-alive connections; a login opens its own.
pub struct NativeTransport {
    address: ServerAddress,
    tls: Option<TlsConnector>,
    idle: Mutex<Vec<NativeConnection>>,
}

impl NativeTransport {
    /// A transport to `address`, trusting the root with `pin` (unused on plain HTTP).
    ///
    /// # Errors
    /// [`TransportError::Broken`] when TLS cannot be set up at all.
    pub fn new(address: ServerAddress, pin: CaPin) -> Result<Self, TransportError> {
        let tls = if address.tls() {
            let config = tls::client_config(pin).map_err(|_| TransportError::Broken("TLS is not available".into()))?;
            Some(TlsConnector::from(config))
        } else {
            None
        };
        Ok(Self { address, tls, idle: Mutex::new(Vec::new()) })
    }

    /// The server's address.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    async fn stream(&self) -> Result<Stream, TransportError> {
        let (host, port) = self.address.socket_target();
        let connect = async {
            let tcp = TcpStream::connect((host.as_str(), port)).await.map_err(|_| TransportError::Unreachable)?;
            tcp.set_nodelay(true).map_err(|_| TransportError::Broken("socket option refused".into()))?;
            let Some(connector) = &self.tls else { return Ok(Stream { io: Box::new(tcp), exporter: None }) };
            let name = ServerName::try_from(self.address.server_name().to_owned())
                .map_err(|_| TransportError::Broken("host name cannot be in a certificate".into()))?;
            let tls = connector.connect(name, tcp).await.map_err(classify_tls)?;
            let exporter = tls
                .get_ref()
                .1
                .export_keying_material([0u8; 32], EXPORTER_LABEL, None)
                .map_err(|_| TransportError::Broken("TLS exporter not available".into()))?;
            Ok(Stream { io: Box::new(tls), exporter: Some(exporter) })
        };
        tokio::time::timeout(CONNECT_TIMEOUT, connect).await.map_err(|_| TransportError::TimedOut)?
    }
}

fn classify_tls(error: std::io::Error) -> TransportError {
    let certificate = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<tokio_rustls::rustls::Error>())
        .is_some_and(|e| matches!(e, tokio_rustls::rustls::Error::InvalidCertificate(_)));
    if certificate { TransportError::Untrusted } else { TransportError::Broken("TLS handshake failed".into()) }
}

trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

struct Stream {
    io: Box<dyn Io>,
    exporter: Option<[u8; 32]>,
}

/// One HTTP/1.1 connection.
pub struct NativeConnection {
    sender: SendRequest<Full<Bytes>>,
    exporter: Option<[u8; 32]>,
    host: Arc<str>,
}

impl Connection for NativeConnection {
    fn channel_binding(&self) -> Option<[u8; 32]> {
        self.exporter
    }

    async fn send(&mut self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut builder = http::Request::builder()
            .method(request.method.as_str())
            .uri(request.path.as_str())
            .header(http::header::HOST, &*self.host);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let patience = if request.path.contains("/chunks/") { CHUNK_TIMEOUT } else { RESPONSE_TIMEOUT };
        let request = builder
            .body(Full::new(Bytes::from(request.body)))
            .map_err(|_| TransportError::Broken("the request cannot be written".into()))?;
        let exchange = async {
            self.sender.ready().await.map_err(|_| TransportError::Broken("connection closed".into()))?;
            let response = self.sender.send_request(request).await.map_err(|e| {
                TransportError::Broken(
                    if e.is_incomplete_message() { "connection closed early" } else { "no valid answer" }.into(),
                )
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_BODY)
                .collect()
                .await
                .map_err(|_| TransportError::Broken("the answer broke off or is too large".into()))?
                .to_bytes();
            let headers = head
                .headers
                .iter()
                .filter_map(|(n, v)| Some((n.as_str().to_owned(), v.to_str().ok()?.to_owned())))
                .collect();
            Ok(HttpResponse { status: head.status.as_u16(), headers, body: body.into() })
        };
        tokio::time::timeout(patience, exchange).await.map_err(|_| TransportError::TimedOut)?
    }
}

impl Transport for NativeTransport {
    type Connection = NativeConnection;
    type Socket = NativeSocket;

    fn origin(&self) -> String {
        self.address.to_string()
    }

    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let kept = {
            let mut idle = self.idle.lock().await;
            // A kept-alive connection that the server has closed meanwhile would fail the request for nothing.
            idle.retain(|connection| !connection.sender.is_closed());
            idle.pop()
        };
        let mut connection = match kept {
            Some(connection) => connection,
            None => self.open().await?,
        };
        let answer = connection.send(request).await?;
        if !connection.sender.is_closed() {
            let mut idle = self.idle.lock().await;
            if idle.len() < KEPT {
                idle.push(connection);
            }
        }
        Ok(answer)
    }

    async fn open(&self) -> Result<NativeConnection, TransportError> {
        let stream = self.stream().await?;
        let (sender, driver) = http1::handshake(TokioIo::new(stream.io))
            .await
            .map_err(|_| TransportError::Broken("no HTTP connection".into()))?;
        // Ends by itself when the sender is dropped; its error reaches the sender too.
        tokio::spawn(async move {
            let _ = driver.await;
        });
        Ok(NativeConnection { sender, exporter: stream.exporter, host: self.address.authority().into() })
    }

    async fn connect_events(&self) -> Result<NativeSocket, TransportError> {
        let stream = self.stream().await?;
        let scheme = if self.address.tls() { "wss" } else { "ws" };
        let config = WebSocketConfig::default()
            .max_message_size(Some(MAX_FRAME))
            .max_frame_size(Some(MAX_FRAME))
            .read_buffer_size(16 * 1024)
            .write_buffer_size(0);
        let url = format!("{scheme}://{}{EVENTS_PATH}", self.address.authority());
        let handshake = tokio_tungstenite::client_async_with_config(url, stream.io, Some(config));
        let (socket, _) = tokio::time::timeout(CONNECT_TIMEOUT, handshake)
            .await
            .map_err(|_| TransportError::TimedOut)?
            .map_err(|_| TransportError::Broken("the WebSocket was refused".into()))?;
        Ok(NativeSocket(socket))
    }
}

/// The WebSocket.
pub struct NativeSocket(tokio_tungstenite::WebSocketStream<Box<dyn Io>>);

impl EventSocket for NativeSocket {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), TransportError> {
        self.0.send(Message::Binary(message.into())).await.map_err(socket_error)
    }

    async fn recv(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        loop {
            match self.0.next().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes.to_vec())),
                // Text and pings are not part of the protocol; tungstenite answers pings itself.
                Some(Ok(_)) => {}
                Some(Err(e)) => return Err(socket_error(e)),
            }
        }
    }
}

fn socket_error(error: tungstenite::Error) -> TransportError {
    TransportError::Broken(
        match error {
            tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => "the WebSocket is closed",
            tungstenite::Error::Capacity(_) => "a frame is too large",
            _ => "the WebSocket broke",
        }
        .into(),
    )
}

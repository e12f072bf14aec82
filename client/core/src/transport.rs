//! How the core reaches the server. Implemented at the edge: TLS and WebSocket natively, `fetch` in a browser.

/// HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// DELETE.
    Delete,
}

impl Method {
    /// As on the wire and in a DPoP proof's `htm`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// A request. The transport adds `Host` and `Content-Length`, nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Path and query, from `/v1/`.
    pub path: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
}

// Headers carry tokens and bodies carry secrets, so neither is ever printed.
impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpRequest").field("method", &self.method).finish_non_exhaustive()
    }
}

/// A response, whatever its status.
#[derive(Clone)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, complete (the transport caps it at 64 MiB).
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// The first header of that (lower case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

impl std::fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The network failed. The text must be log-safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nobody answers at the address.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The server's certificate does not lead to the pinned root.
    #[error("the server's certificate is not the pinned one")]
    Untrusted,
    /// The connection broke or the answer was no HTTP.
    #[error("the connection failed: {0}")]
    Broken(String),
    /// No answer in time.
    #[error("the server did not answer in time")]
    TimedOut,
}

/// One connection that the core holds on to, so that a login can be bound to it.
pub trait Connection {
    /// RFC 5705 exporter value of this very connection, label `EXPORTER-pakawaaz-login`, no context, 32 bytes.
    /// None on plain HTTP.
    fn channel_binding(&self) -> Option<[u8; 32]>;
    /// Sends a request on this connection and reads the answer; never silently reconnects.
    async fn send(&mut self, request: HttpRequest) -> Result<HttpResponse, TransportError>;
}

/// The WebSocket `/v1/events`.
pub trait EventSocket {
    /// Sends one binary message.
    async fn send(&mut self, message: Vec<u8>) -> Result<(), TransportError>;
    /// The next binary message; none when the server closed. Must be cancel-safe: the core drops this future
    /// whenever it has something to send.
    async fn recv(&mut self) -> Result<Option<Vec<u8>>, TransportError>;
}

/// The way to one server.
pub trait Transport {
    /// See [`Connection`].
    type Connection: Connection;
    /// See [`EventSocket`].
    type Socket: EventSocket;

    /// `https://authority` (or `http://authority` on loopback), without a trailing slash. Prefix of every DPoP `htu`;
    /// in a browser also the page's origin.
    fn origin(&self) -> String;
    /// Sends a request over any connection.
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, TransportError>;
    /// Opens a connection of its own.
    async fn open(&self) -> Result<Self::Connection, TransportError>;
    /// Opens the WebSocket at [`pakawaaz_contract::EVENTS_PATH`].
    async fn connect_events(&self) -> Result<Self::Socket, TransportError>;
}

impl<T: Transport + ?Sized> Transport for std::rc::Rc<T> {
    type Connection = T::Connection;
    type Socket = T::Socket;
    fn origin(&self) -> String {
        (**self).origin()
    }
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        (**self).http(request).await
    }
    async fn open(&self) -> Result<Self::Connection, TransportError> {
        (**self).open().await
    }
    async fn connect_events(&self) -> Result<Self::Socket, TransportError> {
        (**self).connect_events().await
    }
}

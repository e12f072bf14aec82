//! The native transport with a tap: a real client makes the connection and proves its session, then the benchmark
//! takes over the socket; or a real client encrypts, and the benchmark keeps what it would have sent.

use pakawaaz_client::transport::{EventSocket, HttpRequest, HttpResponse, Transport, TransportError};
use pakawaaz_client_native::NativeTransport;
use pakawaaz_client_native::transport::{NativeConnection, NativeSocket};
use pakawaaz_contract::frames::{ClientFrame, ServerFrame};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use tokio::sync::Notify;

/// What happens to the socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: an ordinary client.
    #[default]
    Through,
    /// Once the server says Ready, the socket is taken from the client.
    HandOver,
    /// Messages are kept instead of sent.
    Record,
}

/// Shared by the transport, its sockets and the benchmark.
#[derive(Default)]
pub struct Tap {
    /// What happens to the next frames.
    pub mode: Cell<Mode>,
    /// The socket taken over.
    pub socket: RefCell<Option<NativeSocket>>,
    /// Messages kept.
    pub recorded: RefCell<Vec<ClientFrame>>,
    /// Something was kept.
    pub kept: Notify,
    /// Tokens renewed over HTTP.
    pub refreshes: Cell<u32>,
}

/// The transport.
pub struct Tapped {
    inner: NativeTransport,
    tap: Rc<Tap>,
}

impl Tapped {
    /// Over a native transport.
    pub fn new(inner: NativeTransport, tap: Rc<Tap>) -> Self {
        Self { inner, tap }
    }
}

impl Transport for Tapped {
    type Connection = NativeConnection;
    type Socket = TappedSocket;

    fn origin(&self) -> String {
        self.inner.origin()
    }
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        if request.path == "/v1/token/refresh" {
            self.tap.refreshes.set(self.tap.refreshes.get() + 1);
        }
        self.inner.http(request).await
    }
    async fn open(&self) -> Result<NativeConnection, TransportError> {
        self.inner.open().await
    }
    async fn connect_events(&self) -> Result<TappedSocket, TransportError> {
        Ok(TappedSocket { inner: Some(self.inner.connect_events().await?), tap: Rc::clone(&self.tap) })
    }
}

/// The socket; empty once it was taken over.
pub struct TappedSocket {
    inner: Option<NativeSocket>,
    tap: Rc<Tap>,
}

fn taken() -> TransportError {
    TransportError::Broken("the benchmark has taken the socket".into())
}

impl EventSocket for TappedSocket {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), TransportError> {
        if self.tap.mode.get() == Mode::Record
            && let Ok(frame @ ClientFrame::Send { .. }) = ClientFrame::decode(&message)
        {
            self.tap.recorded.borrow_mut().push(frame);
            self.tap.kept.notify_one();
            return Ok(());
        }
        self.inner.as_mut().ok_or_else(taken)?.send(message).await
    }

    async fn recv(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        let received = self.inner.as_mut().ok_or_else(taken)?.recv().await?;
        if self.tap.mode.get() == Mode::HandOver
            && let Some(bytes) = &received
            && matches!(ServerFrame::decode(bytes), Ok(ServerFrame::Ready { .. }))
        {
            *self.tap.socket.borrow_mut() = self.inner.take();
            return Ok(None);
        }
        Ok(received)
    }
}

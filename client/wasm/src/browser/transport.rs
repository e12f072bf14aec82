//! The way to the server that served this page: `fetch` and WebSocket, same origin only.

use super::js;
use futures::StreamExt as _;
use futures::channel::mpsc::{self, UnboundedReceiver};
use futures::future::{Either, select};
use js_sys::{Array, ArrayBuffer, Promise, Uint8Array};
use pakawaaz_client::transport::{HttpRequest, HttpResponse};
use pakawaaz_client::{Connection, EventSocket, Transport, TransportError};
use pakawaaz_contract::EVENTS_PATH;
use std::pin::pin;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, BinaryType, Blob, CloseEvent, Headers, MessageEvent, Request, RequestInit, Response, WebSocket,
};

/// Largest body believed (the transport's promise to the core).
const MAX_BODY: f64 = 64.0 * 1024.0 * 1024.0;
/// From here on a body goes as a blob. The copy that a request makes of bytes lives in the page until its garbage is
/// collected, which nothing urges the engine to do: a file's chunks piled up to the size of the file. A blob's bytes lie
/// in the browser's process.
const LARGE_BODY: usize = 64 * 1024;
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> Promise;
}

/// `fetch` and WebSocket to this page's origin.
#[derive(Clone)]
pub struct BrowserTransport {
    origin: String,
}

impl BrowserTransport {
    /// To the origin of this page.
    ///
    /// # Errors
    /// [`TransportError::Broken`] outside of any origin.
    pub fn here() -> Result<Self, TransportError> {
        let origin = js::global("location").and_then(|l| js::get(&l, "origin")).ok().and_then(|o| o.as_string());
        match origin {
            Some(origin) if origin.starts_with("http") => Ok(Self { origin }),
            _ => Err(TransportError::Broken("no origin".into())),
        }
    }
}

/// Ends a request whose answer nobody waits for any more.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        // After the answer this does nothing.
        self.0.abort();
    }
}

fn broken(_: JsValue) -> TransportError {
    TransportError::Broken("the request failed".into())
}

/// The bytes outside of this page's memory. It has no media type, as the bytes have none.
fn blob(bytes: &[u8]) -> Result<Blob, TransportError> {
    let parts = Array::new();
    parts.push(&js::view(bytes));
    Blob::new_with_u8_array_sequence(&parts).map_err(broken)
}

async fn exchange(origin: &str, request: HttpRequest) -> Result<HttpResponse, TransportError> {
    let abort = Abort(AbortController::new().map_err(broken)?);
    let headers = Headers::new().map_err(broken)?;
    for (name, value) in &request.headers {
        headers.append(name, value).map_err(broken)?;
    }
    let url = format!("{origin}{}", request.path);
    let init = RequestInit::new();
    init.set_method(request.method.as_str());
    init.set_headers(&headers);
    init.set_signal(Some(&abort.0.signal()));
    // No cookies, no cache, no following: a request means what its proof says, or nothing.
    for (name, value) in
        [("credentials", "omit"), ("cache", "no-store"), ("redirect", "error"), ("mode", "same-origin")]
    {
        js_sys::Reflect::set(&init, &name.into(), &value.into()).map_err(broken)?;
    }
    if request.body.len() > LARGE_BODY {
        init.set_body(&JsValue::from(blob(&request.body)?));
    } else if !request.body.is_empty() {
        init.set_body(&js::view(&request.body));
    }
    // This copies the body, unless it is a blob.
    let asked = Request::new_with_str_and_init(&url, &init).map_err(broken)?;
    let answered = async {
        // `fetch` says TypeError for everything from a refused connection to a name that is not found.
        let response = JsFuture::from(fetch(&asked)).await.map_err(|_| TransportError::Unreachable)?;
        let response: Response = response.dyn_into().map_err(broken)?;
        let length = response.headers().get("content-length").ok().flatten().and_then(|l| l.parse::<u64>().ok());
        if length.is_some_and(|l| l as f64 > MAX_BODY) {
            return Err(TransportError::Broken("the answer is too large".into()));
        }
        let body = response.array_buffer().map_err(broken)?;
        let body = JsFuture::from(body).await.map_err(|_| TransportError::Broken("the answer broke off".into()))?;
        let body: ArrayBuffer = body.dyn_into().map_err(broken)?;
        if f64::from(body.byte_length()) > MAX_BODY {
            return Err(TransportError::Broken("the answer is too large".into()));
        }
        Ok(HttpResponse {
            status: response.status(),
            headers: header_list(&response.headers()),
            body: js::bytes(&body),
        })
    };
    match select(pin!(answered), pin!(js::sleep(RESPONSE_TIMEOUT))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(TransportError::TimedOut),
    }
}

fn header_list(headers: &Headers) -> Vec<(String, String)> {
    let Ok(Some(entries)) = js_sys::try_iter(headers) else { return Vec::new() };
    let pair = |entry: JsValue| {
        let entry: Array = entry.dyn_into().ok()?;
        Some((entry.get(0).as_string()?.to_ascii_lowercase(), entry.get(1).as_string()?))
    };
    entries.filter_map(|entry| pair(entry.ok()?)).collect()
}

/// A browser gives no connection of its own and no exporter: logins bind the origin and the pinned server key.
pub struct BrowserConnection {
    origin: String,
}

impl Connection for BrowserConnection {
    fn channel_binding(&self) -> Option<[u8; 32]> {
        None
    }
    async fn send(&mut self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        exchange(&self.origin, request).await
    }
}

impl Transport for BrowserTransport {
    type Connection = BrowserConnection;
    type Socket = BrowserSocket;

    fn origin(&self) -> String {
        self.origin.clone()
    }
    async fn http(&self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        exchange(&self.origin, request).await
    }
    async fn open(&self) -> Result<BrowserConnection, TransportError> {
        Ok(BrowserConnection { origin: self.origin.clone() })
    }
    async fn connect_events(&self) -> Result<BrowserSocket, TransportError> {
        // http → ws, https → wss.
        let url = format!("ws{}{EVENTS_PATH}", self.origin.trim_start_matches("http"));
        let mut socket = BrowserSocket::open(&url)?;
        let opened = async {
            match socket.events.next().await {
                Some(Event::Open) => Ok(()),
                _ => Err(TransportError::Unreachable),
            }
        };
        match select(pin!(opened), pin!(js::sleep(CONNECT_TIMEOUT))).await {
            Either::Left((opened, _)) => opened?,
            Either::Right(_) => return Err(TransportError::TimedOut),
        }
        Ok(socket)
    }
}

enum Event {
    Open,
    Message(Vec<u8>),
    Closed,
}

/// The WebSocket. What arrives waits in a queue, so that a dropped `recv` loses nothing.
pub struct BrowserSocket {
    socket: WebSocket,
    events: UnboundedReceiver<Event>,
    ended: bool,
    _open: Closure<dyn FnMut()>,
    _message: Closure<dyn FnMut(MessageEvent)>,
    _close: Closure<dyn FnMut(CloseEvent)>,
}

impl BrowserSocket {
    fn open(url: &str) -> Result<Self, TransportError> {
        let socket = WebSocket::new(url).map_err(broken)?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let (sender, events) = mpsc::unbounded();
        // Nobody listening means that the socket is being dropped.
        let tell = move |event| drop(sender.unbounded_send(event));
        let told = tell.clone();
        let open = Closure::<dyn FnMut()>::new(move || told(Event::Open));
        let told = tell.clone();
        let message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
            // Text is not part of the protocol.
            if let Ok(bytes) = event.data().dyn_into::<ArrayBuffer>() {
                told(Event::Message(Uint8Array::new(&bytes).to_vec()));
            }
        });
        let close = Closure::<dyn FnMut(CloseEvent)>::new(move |_| tell(Event::Closed));
        socket.set_onopen(Some(open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(close.as_ref().unchecked_ref()));
        Ok(Self { socket, events, ended: false, _open: open, _message: message, _close: close })
    }
}

impl Drop for BrowserSocket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        let _ = self.socket.close();
    }
}

impl EventSocket for BrowserSocket {
    async fn send(&mut self, message: Vec<u8>) -> Result<(), TransportError> {
        if self.socket.ready_state() != WebSocket::OPEN {
            return Err(TransportError::Broken("the WebSocket is closed".into()));
        }
        self.socket.send_with_u8_array(&message).map_err(|_| TransportError::Broken("the WebSocket broke".into()))
    }
    async fn recv(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        while !self.ended {
            match self.events.next().await {
                Some(Event::Message(bytes)) => return Ok(Some(bytes)),
                Some(Event::Open) => {}
                Some(Event::Closed) | None => self.ended = true,
            }
        }
        Ok(None)
    }
}

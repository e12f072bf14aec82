//! The WebSocket `/v1/events`: one task reads and answers, one writes.
//!
//! The writer alternates between answers (a bounded queue) and pages of the device's stream, and waits for the client
//! to take each frame: a client that does not read costs one page of memory, and is closed after a while. The reader
//! submits messages in the order they came and does not wait for one before submitting the next.

use crate::service::acknowledge::Ack;
use crate::service::follow::Follower;
use crate::{Accepted, CommitRequest, Messaging, MessagingError, SendRequest, SocketHello};
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures::{FutureExt, SinkExt, StreamExt};
use pakawaaz_base::{Actor, StableError};
use pakawaaz_contract::frames::{ClientFrame, ServerFrame};
use pakawaaz_contract::{EVENTS_PATH, MAX_FRAME, PROTOCOL_VERSION};
use pakawaaz_http::{CloseReason, ConnectionInfo, Problem, Signal, Subscription};
use rand::RngCore;
use rand::rngs::OsRng;
use tokio::sync::mpsc;

/// Answers that may wait for the writer.
const ANSWERS: usize = 64;
/// Requests of one socket in flight.
const IN_FLIGHT: usize = 64;
/// Bytes of requests of one socket in flight, after which the next is not read. One may be as large as a frame.
const IN_FLIGHT_BYTES: usize = 2 * 1024 * 1024;

/// What the requests of one socket in flight hold in memory.
#[derive(Default)]
struct Load {
    requests: usize,
    bytes: usize,
}

impl Load {
    fn has_room(&self) -> bool {
        self.requests < IN_FLIGHT && self.bytes < IN_FLIGHT_BYTES
    }
    fn begin(&mut self, bytes: usize) {
        self.requests += 1;
        self.bytes += bytes;
    }
    fn end(&mut self, bytes: usize) {
        self.requests -= 1;
        self.bytes -= bytes;
    }
}

/// Open the event stream
///
/// A WebSocket of CBOR frames (`pakawaaz-contract`, module `frames`). The first frame from the client authenticates.
#[utoipa::path(get, path = "/v1/events", tag = "messaging", responses((status = 101, description = "WebSocket")))]
pub async fn open(
    State(messaging): State<Messaging>,
    connection: ConnectionInfo,
    headers: axum::http::HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    let scheme = if connection.secure { "https" } else { "http" };
    let host = headers.get(axum::http::header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let htu = format!("{scheme}://{host}{EVENTS_PATH}");
    upgrade
        // Small buffers: tungstenite's default for reading is 128 KiB for each of ten thousand connections.
        .read_buffer_size(4 * 1024)
        .write_buffer_size(4 * 1024)
        .max_write_buffer_size(MAX_FRAME + 1024 * 1024)
        .max_message_size(MAX_FRAME)
        .max_frame_size(MAX_FRAME)
        .on_upgrade(move |socket| async move {
            metrics::counter!("pakawaaz_messaging_sockets_opened_total").increment(1);
            run(messaging, socket, htu).await;
        })
}

async fn run(messaging: Messaging, socket: WebSocket, htu: String) {
    let (sink, mut stream) = socket.split();
    let mut out = Out { sink, patience: messaging.inner.config.write_timeout };
    let hello = greet(&messaging, &mut out, &mut stream, htu).await;
    let (actor, follower, subscription) = match hello {
        Ok(greeted) => greeted,
        Err(Ended::Gone) => return,
        Err(Ended::Refused(code)) => return out.close(code).await,
    };
    let (answers, queue) = mpsc::channel(ANSWERS);
    let reading = read(messaging.clone(), actor, stream, answers);
    let writing = write(messaging, out, queue, follower, subscription);
    // Whichever ends first ends the other: without a reader nobody acknowledges, without a writer nobody is answered.
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}

enum Ended {
    Gone,
    Refused(String),
}

impl<E: StableError> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Refused(error.code().into())
    }
}

struct Out {
    sink: SplitSink<WebSocket, Message>,
    patience: std::time::Duration,
}

impl Out {
    async fn frame(&mut self, frame: &ServerFrame) -> Result<(), Ended> {
        self.bytes(frame.encode().into()).await
    }
    async fn bytes(&mut self, bytes: Bytes) -> Result<(), Ended> {
        match tokio::time::timeout(self.patience, self.sink.send(Message::Binary(bytes))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended::Gone),
        }
    }
    async fn close(mut self, code: impl Into<String>) {
        let _ = self.frame(&ServerFrame::Closing { code: code.into() }).await;
        let _ = tokio::time::timeout(self.patience, self.sink.close()).await;
    }
}

/// Challenge, Hello, Ready.
async fn greet(
    messaging: &Messaging,
    out: &mut Out,
    stream: &mut SplitStream<WebSocket>,
    htu: String,
) -> Result<(Actor, Follower, Subscription), Ended> {
    let mut nonce = [0u8; 32];
    OsRng.fill_bytes(&mut nonce);
    out.frame(&ServerFrame::Challenge { nonce: nonce.into(), time: messaging.now() }).await?;
    let first = tokio::time::timeout(messaging.inner.config.hello_timeout, stream.next()).await;
    let bytes = match first {
        Ok(Some(Ok(Message::Binary(bytes)))) => bytes,
        Ok(_) => return Err(Ended::Gone),
        Err(_) => return Err(Ended::Refused("messaging.hello_timeout".into())),
    };
    let Ok(ClientFrame::Hello { version, access_token, dpop, positions, inbox }) = ClientFrame::decode(&bytes) else {
        return Err(Ended::Refused("messaging.bad_frame".into()));
    };
    if version != PROTOCOL_VERSION {
        return Err(Ended::Refused("messaging.protocol_version".into()));
    }
    let nonce = URL_SAFE_NO_PAD.encode(nonce);
    let hello = SocketHello { access_token, dpop, nonce, htu, now: messaging.now() };
    let refused = |problem: Problem| Ended::Refused(problem.code.into_owned());
    let actor = messaging.inner.ports.socket_auth.authenticate_hello(hello).await.map_err(refused)?;
    let subscription = messaging.inner.ports.hub.subscribe(actor.device).map_err(refused)?;
    let follower = messaging.follow(actor.device, &positions, inbox).await?;
    let key_packages = messaging.key_packages_left(actor.device).await?;
    out.frame(&ServerFrame::Ready { key_packages }).await?;
    Ok((actor, follower, subscription))
}

async fn write(
    messaging: Messaging,
    mut out: Out,
    mut answers: mpsc::Receiver<ServerFrame>,
    mut follower: Follower,
    mut subscription: Subscription,
) {
    let code = match push(&messaging, &mut out, &mut answers, &mut follower, &mut subscription).await {
        Err(Ended::Gone) | Ok(()) => return,
        Err(Ended::Refused(code)) => code,
    };
    drop(follower);
    out.close(code).await;
}

async fn push(
    messaging: &Messaging,
    out: &mut Out,
    answers: &mut mpsc::Receiver<ServerFrame>,
    follower: &mut Follower,
    subscription: &mut Subscription,
) -> Result<(), Ended> {
    // Not all sockets of a node at the same moment.
    let poll = messaging.inner.config.poll.mul_f64(0.75 + f64::from(OsRng.next_u32() % 500) / 1000.0);
    let mut caught_up = false;
    loop {
        // Answers first: somebody waits for them.
        while let Ok(answer) = answers.try_recv() {
            say(out, answer).await?;
        }
        let page = follower.next().await?;
        if !page.is_empty() {
            for bytes in page {
                out.bytes(bytes).await?;
            }
            // A close must not wait for the end of a long backlog.
            if let Some(Signal::Close(reason)) = subscription.next().now_or_never() {
                return Err(Ended::Refused(closing_code(reason).into()));
            }
            follower.woken().await?;
            continue;
        }
        if !caught_up {
            caught_up = true;
            out.frame(&ServerFrame::CaughtUp).await?;
        }
        tokio::select! {
            answer = answers.recv() => match answer {
                Some(answer) => say(out, answer).await?,
                None => return Ok(()),
            },
            signal = subscription.next() => match signal {
                Signal::Wake => follower.woken().await?,
                Signal::Close(reason) => return Err(Ended::Refused(closing_code(reason).into())),
            },
            () = tokio::time::sleep(poll) => follower.look_at_everything().await?,
        }
    }
}

/// Sends an answer of the reader; its Closing ends the socket.
async fn say(out: &mut Out, answer: ServerFrame) -> Result<(), Ended> {
    match answer {
        ServerFrame::Closing { code } => Err(Ended::Refused(code)),
        answer => out.frame(&answer).await,
    }
}

fn closing_code(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Replaced => "messaging.replaced",
        CloseReason::Revoked => "identity.revoked",
        CloseReason::LoggedOut => "identity.session_ended",
        CloseReason::Shutdown => "http.shutting_down",
    }
}

type Answering = BoxFuture<'static, Option<ServerFrame>>;

async fn read(
    messaging: Messaging,
    actor: Actor,
    mut stream: SplitStream<WebSocket>,
    answers: mpsc::Sender<ServerFrame>,
) {
    let idle = messaging.inner.config.idle_timeout;
    let mut running = FuturesUnordered::new();
    let mut load = Load::default();
    loop {
        let message = tokio::select! {
            Some((size, answer)) = running.next(), if !running.is_empty() => {
                load.end(size);
                if let Some(answer) = answer && answers.send(answer).await.is_err() {
                    return;
                }
                continue;
            }
            message = tokio::time::timeout(idle, stream.next()), if load.has_room() => message,
        };
        let bytes = match message {
            Ok(Some(Ok(Message::Binary(bytes)))) => bytes,
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => continue,
            // Closed, broken, text, or silent for too long.
            _ => return,
        };
        let Ok(frame) = ClientFrame::decode(&bytes) else {
            let _ = answers.send(ServerFrame::Closing { code: "messaging.bad_frame".into() }).await;
            // The writer says it and ends us both.
            return std::future::pending().await;
        };
        let mut answering = answer(messaging.clone(), actor.clone(), frame);
        // Polled once here, so that messages enter their batch in the order they came in.
        match futures::poll!(&mut answering) {
            std::task::Poll::Ready(Some(answer)) => {
                if answers.send(answer).await.is_err() {
                    return;
                }
            }
            std::task::Poll::Ready(None) => {}
            std::task::Poll::Pending => {
                let size = bytes.len();
                load.begin(size);
                running.push(answering.map(move |answer| (size, answer)));
            }
        }
    }
}

fn answer(messaging: Messaging, actor: Actor, frame: ClientFrame) -> Answering {
    async move {
        let (request, result) = match frame {
            ClientFrame::Ping => return Some(ServerFrame::Pong),
            ClientFrame::Hello { .. } => return Some(ServerFrame::Closing { code: "messaging.bad_frame".into() }),
            ClientFrame::Ack { groups, inbox } => {
                let ack = Ack { device: actor.device, groups, inbox };
                if let Err(error) = messaging.acknowledge(ack).await {
                    // Not lost: the same entries come again after a reconnect.
                    tracing::debug!(code = error.code(), "acknowledgement not stored");
                }
                return None;
            }
            ClientFrame::Send { request, group, message, epoch, mls } => {
                let send = SendRequest { group, message, epoch, mls };
                (request, messaging.send(actor.device, send).await)
            }
            ClientFrame::Commit { request, group, message, epoch, mls, welcome, welcome_to, group_info } => {
                let commit = CommitRequest { group, message, epoch, mls, welcome, welcome_to, group_info };
                // In a task of its own: a connection that breaks must not stop it between storing and telling.
                let done = tokio::spawn(async move { messaging.commit(&actor, commit).await }).await;
                (request, done.unwrap_or(Err(MessagingError::State)))
            }
            ClientFrame::RejectCommit { request, group, seq, statement } => {
                let done = tokio::spawn(async move { messaging.reject_commit(&actor, group, seq, &statement).await });
                (request, done.await.unwrap_or(Err(MessagingError::State)))
            }
        };
        Some(reply(request, result))
    }
    .boxed()
}

fn reply(request: u64, result: Result<Accepted, MessagingError>) -> ServerFrame {
    match result {
        Ok(Accepted { seq, at, log_hash }) => ServerFrame::Accepted { request, seq, at, log_hash },
        Err(error) => {
            metrics::counter!("pakawaaz_messaging_rejected_total", "code" => error.code()).increment(1);
            let epoch = match error {
                MessagingError::EpochConflict { current } => Some(current),
                _ => None,
            };
            let retry_after_ms = (error.class() == pakawaaz_base::ErrorClass::Unavailable).then_some(1000);
            ServerFrame::Rejected { request, code: error.code().into(), epoch, retry_after_ms }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_requests_of_one_socket_do_not_pile_up() {
        let mut load = Load::default();
        load.begin(MAX_FRAME);
        assert!(!load.has_room(), "one frame of the largest size at a time");
        load.end(MAX_FRAME);
        for _ in 0..IN_FLIGHT {
            assert!(load.has_room());
            load.begin(1024);
        }
        assert!(!load.has_room());
    }
}

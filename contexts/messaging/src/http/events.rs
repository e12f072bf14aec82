//! The WebSocket `/v1/events`: one task reads and answers, one writes.
//!
//! The writer alternates between answers (a bounded queue) and pages of the device's stream, and waits for the client
//! to take each frame: a client that does not read costs one page of memory, and is closed after a while. The reader
//! submits messages in the order they came and does not wait for one before submitting the next.

use super::Admission;
use super::upgrade::{Socket, upgrade};
use crate::service::acknowledge::Ack;
use crate::service::follow::{Arrived, Follower};
use crate::service::typing::TypingLimit;
use crate::{Accepted, CommitRequest, Messaging, MessagingError, SendRequest, SocketHello, SocketSession};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures::{FutureExt, SinkExt, StreamExt};
use pakawaaz_base::{Actor, ErrorClass, GroupId, StableError};
use pakawaaz_contract::frames::{ClientFrame, ServerFrame};
use pakawaaz_contract::{EVENTS_PATH, PROTOCOL_VERSION};
use pakawaaz_http::{CloseReason, ConnectionInfo, Problem, Signal, Subscription};
use rand::RngCore;
use rand::rngs::OsRng;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// Answers that may wait for the writer.
const ANSWERS: usize = 64;
/// Requests of one socket in flight.
const IN_FLIGHT: usize = 64;
/// Bytes of requests of one socket in flight, after which the next is not read. One may be as large as a frame.
const IN_FLIGHT_BYTES: usize = 2 * 1024 * 1024;

/// When to repeat what failed for a moment.
const RETRY_AFTER_MS: u64 = 1000;
/// How often is looked again whether revocations are known, while they are not.
const HOLD: Duration = Duration::from_millis(100);

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
/// A WebSocket of CBOR frames (`pakawaaz-contract`, module `frames`). The first frame from the client authenticates; it
/// must come soon and be small. Sockets that have not authenticated are limited by source address.
#[utoipa::path(get, path = "/v1/events", tag = "messaging", responses(
    (status = 101, description = "WebSocket"),
    (status = 400, body = Problem, description = "messaging.no_upgrade"),
    (status = 429, body = Problem, description = "http.throttled")
))]
pub async fn open(
    State(messaging): State<Messaging>,
    State(admission): State<Admission>,
    connection: ConnectionInfo,
    request: Request,
) -> Result<Response, Problem> {
    let source = connection.peer.ip();
    admission.throttle.check(source, messaging.now())?;
    let scheme = if connection.secure { "https" } else { "http" };
    let host = request.headers().get(http::header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let htu = format!("{scheme}://{host}{EVENTS_PATH}");
    let large = admission.large_hellos.clone();
    upgrade(request, large, move |socket| {
        metrics::counter!("pakawaaz_messaging_sockets_opened_total").increment(1);
        async move {
            let clock = messaging.clone();
            // Whoever proves who it is has cost nothing.
            let known = move || admission.throttle.give_back(source, clock.now());
            // Boxed on its own, so that a socket does not carry the room for its greeting through its whole life.
            if let Some(greeted) = Box::pin(greet(messaging.clone(), socket, htu, known)).await {
                run(messaging, greeted).await;
            }
        }
        .boxed()
    })
}

async fn run(messaging: Messaging, greeted: Greeted) {
    let Greeted { out, stream, session, follower, subscription } = greeted;
    let (answers, queue) = mpsc::channel(ANSWERS);
    let reading = read(messaging.clone(), session.clone(), stream, answers);
    let writing = write(messaging, session, out, queue, follower, subscription);
    // Whichever ends first ends the other: without a reader nobody acknowledges, without a writer nobody is answered.
    tokio::select! {
        () = reading => {}
        () = writing => {}
    }
}

/// A client that is known.
struct Greeted {
    out: Out,
    stream: SplitStream<Socket>,
    session: SocketSession,
    follower: Follower,
    subscription: Subscription,
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

fn refused(problem: Problem) -> Ended {
    Ended::Refused(problem.code.into_owned())
}

struct Out {
    sink: SplitSink<Socket, Message>,
    patience: Duration,
}

impl Out {
    /// Puts a frame into the buffer, which is written when it is full or flushed: one call to the system for many
    /// frames. Waits for the client to take what came before.
    async fn frame(&mut self, frame: &ServerFrame) -> Result<(), Ended> {
        self.bytes(frame.encode().into()).await
    }
    async fn bytes(&mut self, bytes: Bytes) -> Result<(), Ended> {
        match tokio::time::timeout(self.patience, self.sink.feed(Message::Binary(bytes))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended::Gone),
        }
    }
    /// Writes what is in the buffer. Before every wait for anything but the client.
    async fn flush(&mut self) -> Result<(), Ended> {
        match tokio::time::timeout(self.patience, self.sink.flush()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Ended::Gone),
        }
    }
    async fn close(mut self, code: impl Into<String>) {
        let _ = self.frame(&ServerFrame::Closing { code: code.into() }).await;
        let _ = tokio::time::timeout(self.patience, self.sink.close()).await;
    }
}

/// Challenge, Hello, Ready. `None`: refused, told so, and closed. Calls `known` once the client has proven itself.
async fn greet(messaging: Messaging, mut socket: Socket, htu: String, known: impl FnOnce()) -> Option<Greeted> {
    let patience = messaging.inner.config.write_timeout;
    let hello = hello(&messaging, &mut socket, htu).await;
    if hello.is_ok() {
        socket.get_mut().open();
        known();
    }
    let (sink, stream) = socket.split();
    let mut out = Out { sink, patience };
    let admitted = match hello {
        Ok(hello) => admit(&messaging, &mut out, hello).await,
        Err(ended) => Err(ended),
    };
    match admitted {
        Ok((session, follower, subscription)) => Some(Greeted { out, stream, session, follower, subscription }),
        Err(Ended::Gone) => None,
        Err(Ended::Refused(code)) => {
            out.close(code).await;
            None
        }
    }
}

/// What a Hello that proves somebody says.
struct Hello {
    session: SocketSession,
    positions: Vec<(GroupId, u64)>,
    inbox: u64,
}

async fn hello(messaging: &Messaging, socket: &mut Socket, htu: String) -> Result<Hello, Ended> {
    let mut nonce = [0u8; 32];
    OsRng.fill_bytes(&mut nonce);
    let challenge = ServerFrame::Challenge { nonce: nonce.into(), time: messaging.now() }.encode();
    // One deadline for both: a stranger that does not even take the challenge gets no more time.
    let exchange = async {
        socket.send(Message::Binary(challenge.into())).await.ok()?;
        socket.next().await?.ok()
    };
    let bytes = match tokio::time::timeout(messaging.inner.config.hello_timeout, exchange).await {
        Ok(Some(Message::Binary(bytes))) => bytes,
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
    let session = messaging.inner.ports.socket_auth.authenticate_hello(hello).await.map_err(refused)?;
    Ok(Hello { session, positions, inbox })
}

async fn admit(
    messaging: &Messaging,
    out: &mut Out,
    hello: Hello,
) -> Result<(SocketSession, Follower, Subscription), Ended> {
    let Hello { session, positions, inbox } = hello;
    let device = session.actor.device;
    let subscription = messaging.inner.ports.hub.subscribe(device).map_err(refused)?;
    // Again, now that whatever ends from here on closes the subscription: what ended in between found no socket.
    messaging.inner.ports.socket_auth.check(&session).map_err(refused)?;
    let (follower, arrived) = messaging.follow(device, &positions, inbox).await?;
    let Arrived { key_packages, unnamed } = arrived;
    out.frame(&ServerFrame::Ready { key_packages, unnamed }).await?;
    out.flush().await?;
    Ok((session, follower, subscription))
}

async fn write(
    messaging: Messaging,
    session: SocketSession,
    mut out: Out,
    mut answers: mpsc::Receiver<Answer>,
    mut follower: Follower,
    mut subscription: Subscription,
) {
    let code = match push(&messaging, &session, &mut out, &mut answers, &mut follower, &mut subscription).await {
        Err(Ended::Gone) | Ok(()) => return,
        Err(Ended::Refused(code)) => code,
    };
    drop(follower);
    out.close(code).await;
}

/// Whether the session is still good; `false` while nobody can tell.
fn permitted(messaging: &Messaging, session: &SocketSession) -> Result<bool, Ended> {
    match messaging.inner.ports.socket_auth.check(session) {
        Ok(()) => Ok(true),
        Err(problem) if problem.status == 503 => Ok(false),
        Err(problem) => Err(refused(problem)),
    }
}

async fn push(
    messaging: &Messaging,
    session: &SocketSession,
    out: &mut Out,
    answers: &mut mpsc::Receiver<Answer>,
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
        let passing = messaging.inner.fanout.wake.passing(session.actor.device);
        // Lost while nobody can tell whether the session is good.
        if !passing.is_empty() && permitted(messaging, session)? {
            for frame in &passing {
                out.frame(frame).await?;
            }
        }
        let page = follower.next().await?;
        if !page.is_empty() {
            // Held back while nobody can tell; answers and the end still go out.
            while !permitted(messaging, session)? {
                out.flush().await?;
                tokio::select! {
                    answer = answers.recv() => match answer {
                        Some(answer) => say(out, answer).await?,
                        None => return Ok(()),
                    },
                    signal = subscription.next() => if let Signal::Close(reason) = signal {
                        return Err(Ended::Refused(closing_code(reason).into()));
                    },
                    () = tokio::time::sleep(HOLD) => {}
                }
            }
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
        out.flush().await?;
        tokio::select! {
            answer = answers.recv() => match answer {
                Some(answer) => say(out, answer).await?,
                None => return Ok(()),
            },
            signal = subscription.next() => match signal {
                Signal::Wake => follower.woken().await?,
                Signal::Close(reason) => return Err(Ended::Refused(closing_code(reason).into())),
            },
            () = tokio::time::sleep(poll) => Box::pin(follower.look_at_everything()).await?,
        }
    }
}

/// Passes on an answer of the reader; its Closing ends the socket.
async fn say(out: &mut Out, answer: Answer) -> Result<(), Ended> {
    match *answer {
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

/// Boxed: the queue of answers has room for many, and most sockets are silent.
type Answer = Box<ServerFrame>;
type Answering = BoxFuture<'static, Option<ServerFrame>>;

async fn read(
    messaging: Messaging,
    session: SocketSession,
    mut stream: SplitStream<Socket>,
    answers: mpsc::Sender<Answer>,
) {
    let idle = messaging.inner.config.idle_timeout;
    let mut running = FuturesUnordered::new();
    let mut load = Load::default();
    let mut typing = TypingLimit::new(messaging.now());
    loop {
        let message = tokio::select! {
            Some((size, answer)) = running.next(), if !running.is_empty() => {
                load.end(size);
                if let Some(answer) = answer && answers.send(Box::new(answer)).await.is_err() {
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
            return end(&answers, "messaging.bad_frame").await;
        };
        // In memory, so cheap enough for every frame: what has ended is not obeyed, however it was told.
        match messaging.inner.ports.socket_auth.check(&session) {
            Ok(()) => {}
            Err(problem) if problem.status == 503 => {
                if let Some(request) = request_of(&frame) {
                    let code = problem.code.into_owned();
                    let refused =
                        ServerFrame::Rejected { request, code, epoch: None, retry_after_ms: Some(RETRY_AFTER_MS) };
                    if answers.send(Box::new(refused)).await.is_err() {
                        return;
                    }
                    continue;
                }
            }
            Err(problem) => return end(&answers, &problem.code).await,
        }
        if matches!(frame, ClientFrame::Typing { .. }) && !typing.take(messaging.now()) {
            continue;
        }
        let mut answering = answer(messaging.clone(), session.actor.clone(), frame);
        // Polled once here, so that messages enter their batch in the order they came in.
        match futures::poll!(&mut answering) {
            std::task::Poll::Ready(Some(answer)) => {
                if answers.send(Box::new(answer)).await.is_err() {
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

/// Has the writer say why and end both of us.
async fn end(answers: &mpsc::Sender<Answer>, code: &str) {
    let _ = answers.send(Box::new(ServerFrame::Closing { code: code.into() })).await;
    std::future::pending().await
}

/// The number under which the client wants its answer.
fn request_of(frame: &ClientFrame) -> Option<u64> {
    match frame {
        ClientFrame::Send { request, .. }
        | ClientFrame::Commit { request, .. }
        | ClientFrame::RejectCommit { request, .. } => Some(*request),
        _ => None,
    }
}

fn answer(messaging: Messaging, actor: Actor, frame: ClientFrame) -> Answering {
    async move {
        let (request, result) = match frame {
            ClientFrame::Ping => return Some(ServerFrame::Pong),
            ClientFrame::Hello { .. } => return Some(ServerFrame::Closing { code: "messaging.bad_frame".into() }),
            ClientFrame::Ack { groups, inbox } => {
                messaging.note_acknowledged(Ack { device: actor.device, groups, inbox });
                return None;
            }
            ClientFrame::Typing { group, on } => {
                // Nobody waits for it: what goes wrong is lost.
                let _ = messaging.typing(&actor, group, on).await;
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
            let retry_after_ms = (error.class() == ErrorClass::Unavailable).then_some(RETRY_AFTER_MS);
            ServerFrame::Rejected { request, code: error.code().into(), epoch, retry_after_ms }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_contract::MAX_FRAME;

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

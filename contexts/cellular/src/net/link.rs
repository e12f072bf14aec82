//! The core's end of the link to the user plane (`bin/upf`): a Unix socket with frames of `pakawaaz_user_plane::link`.
//!
//! The link comes back by itself. What was asked while it was down is lost, and after a break nobody knows what of the last
//! requests arrived: so the core begins anew each time, with [`UserPlaneRequest::ReleaseAll`] and all sessions after it. Each
//! connection has a number, and what was asked for another one is not sent: its answers would be taken for answers to what
//! the core asks anew, and they name ends of tunnels that are gone a moment later.

use pakawaaz_user_plane::link::{Decoder, encode};
use pakawaaz_user_plane::rules::{UserPlaneReply, UserPlaneRequest};
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Requests that may wait; more wait at whoever asks.
pub const WAITING: usize = 16 * 1024;
/// Between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(250);
/// Requests written at once.
const AT_ONCE: usize = 256;
/// How long the user plane may leave what was written unread, or be silent after it had done so.
const PATIENCE: Duration = Duration::from_secs(5);
/// Why the link is down when it did.
const HANGS: &str = "it does not read";

/// What happens on the link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkEvent {
    /// The user plane is there, on the connection of this number; it waits for `ReleaseAll`.
    Up(u64),
    /// It says something.
    Reply(UserPlaneReply),
    /// It is gone.
    Down,
}

/// What is asked of the user plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The connection that it is for: the last that [`LinkEvent::Up`] told of.
    pub connection: u64,
    /// What.
    pub request: UserPlaneRequest,
}

/// Keeps the link up until `stop`, or until nobody listens any more. Connects and writes only while `may` says so: a core that
/// may have been replaced takes the user plane from nobody.
pub async fn run(
    path: PathBuf,
    mut requests: mpsc::Receiver<Asked>,
    events: mpsc::Sender<LinkEvent>,
    may: impl Fn() -> bool + Send + Sync,
    stop: CancellationToken,
) {
    let (mut connection, mut hung) = (0, false);
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            stream = connect(&path, &mut requests, hung, &may) => match stream {
                Some(stream) => stream,
                None => return,
            },
        };
        connection += 1;
        if !tell(&events, LinkEvent::Up(connection), &mut requests).await {
            return;
        }
        tracing::info!("the user plane is connected");
        let (read, write) = stream.into_split();
        let why = tokio::select! {
            // What was asked just before, such as the release of all sessions, has been written by whoever stops us.
            () = stop.cancelled() => return,
            why = receive(read, &events) => why,
            why = send(write, connection, &mut requests, &may) => why,
        };
        tracing::warn!(reason = why, "the link to the user plane is down");
        hung = why == HANGS;
        if !tell(&events, LinkEvent::Down, &mut requests).await {
            return;
        }
    }
}

/// Tells the core. Requests of now are for a connection that is gone, and come to nothing. Whether anybody listens.
async fn tell(events: &mpsc::Sender<LinkEvent>, event: LinkEvent, requests: &mut mpsc::Receiver<Asked>) -> bool {
    tokio::select! {
        told = events.send(event) => told.is_ok(),
        () = drain(requests) => false,
    }
}

/// Tries until the user plane is there, and until it says something if it had hung. Requests come to nothing meanwhile. None
/// when nobody can ask any more.
async fn connect(
    path: &std::path::Path,
    requests: &mut mpsc::Receiver<Asked>,
    hung: bool,
    may: &impl Fn() -> bool,
) -> Option<UnixStream> {
    let connected = async {
        loop {
            if may()
                && let Ok(stream) = UnixStream::connect(path).await
                && (!hung || matches!(timeout(PATIENCE, stream.readable()).await, Ok(Ok(()))))
            {
                return stream;
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::select! {
        stream = connected => Some(stream),
        () = drain(requests) => None,
    }
}

/// Takes requests until nobody can ask any more.
async fn drain(requests: &mut mpsc::Receiver<Asked>) {
    while requests.recv().await.is_some() {}
}

async fn receive(mut read: OwnedReadHalf, events: &mpsc::Sender<LinkEvent>) -> &'static str {
    let mut decoder = Decoder::default();
    let mut bytes = vec![0; 16 * 1024];
    loop {
        match read.read(&mut bytes).await {
            Ok(0) | Err(_) => return "it closed the connection",
            Ok(length) => decoder.feed(bytes.get(..length).unwrap_or_default()),
        }
        loop {
            match decoder.take::<UserPlaneReply>() {
                Ok(Some(reply)) => {
                    if events.send(LinkEvent::Reply(reply)).await.is_err() {
                        return "the core has ended";
                    }
                }
                Ok(None) => break,
                Err(_) => return "it sent a malformed frame",
            }
        }
    }
}

async fn send(
    mut write: OwnedWriteHalf,
    connection: u64,
    requests: &mut mpsc::Receiver<Asked>,
    may: &impl Fn() -> bool,
) -> &'static str {
    let (mut batch, mut bytes) = (Vec::new(), Vec::new());
    while requests.recv_many(&mut batch, AT_ONCE).await > 0 {
        for asked in batch.drain(..).filter(|asked| asked.connection == connection) {
            if encode(&asked.request, &mut bytes).is_err() {
                return "a request is too large";
            }
        }
        if !may() {
            return "the core may not act any more";
        }
        match timeout(PATIENCE, write.write_all(&bytes)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return "the socket failed",
            Err(_) => return HANGS,
        }
        bytes.clear();
    }
    "the core has ended"
}

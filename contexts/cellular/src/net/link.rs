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
use tokio_util::sync::CancellationToken;

/// Requests that may wait; more wait at whoever asks.
pub const WAITING: usize = 16 * 1024;
/// Between two attempts to connect.
const AGAIN: Duration = Duration::from_millis(250);
/// Requests written at once.
const AT_ONCE: usize = 256;

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
    let mut connection = 0;
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            stream = connect(&path, &mut requests, &may) => match stream {
                Some(stream) => stream,
                None => return,
            },
        };
        connection += 1;
        if events.send(LinkEvent::Up(connection)).await.is_err() {
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
        if events.send(LinkEvent::Down).await.is_err() {
            return;
        }
    }
}

/// Tries until the user plane is there. Requests come to nothing meanwhile. None when nobody can ask any more.
async fn connect(
    path: &std::path::Path,
    requests: &mut mpsc::Receiver<Asked>,
    may: &impl Fn() -> bool,
) -> Option<UnixStream> {
    loop {
        if may()
            && let Ok(stream) = UnixStream::connect(path).await
        {
            return Some(stream);
        }
        let pause = tokio::time::sleep(AGAIN);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                request = requests.recv() => drop(request?),
            }
        }
    }
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
        if write.write_all(&bytes).await.is_err() {
            return "the socket failed";
        }
        bytes.clear();
    }
    "the core has ended"
}

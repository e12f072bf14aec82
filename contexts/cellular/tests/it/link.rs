//! The link to the user plane: it comes back, and nothing old is ever sent on it.

use pakawaaz_cellular::net::link::{self, Asked, LinkEvent};
use pakawaaz_user_plane::link::{Decoder, encode};
use pakawaaz_user_plane::rules::{SessionRef, UserPlaneReply, UserPlaneRequest};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

fn idle(session: u64) -> UserPlaneRequest {
    UserPlaneRequest::Idle { session: SessionRef(session) }
}

async fn read(stream: &mut UnixStream, decoder: &mut Decoder) -> UserPlaneRequest {
    loop {
        if let Some(request) = decoder.take().unwrap() {
            return request;
        }
        let mut bytes = [0; 1024];
        let length = stream.read(&mut bytes).await.unwrap();
        assert_ne!(length, 0, "the link stays");
        decoder.feed(&bytes[..length]);
    }
}

#[tokio::test]
async fn it_comes_back_and_begins_with_everything_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("upf.sock");
    let (ask, asked) = mpsc::channel(8);
    let (tell, mut told) = mpsc::channel(8);
    let stop = CancellationToken::new();
    let running = tokio::spawn(link::run(path.clone(), asked, tell, || true, stop.clone()));
    // Nobody is there yet: this comes to nothing, and does not fill the queue.
    for session in 0..100 {
        tokio::time::timeout(Duration::from_secs(30), ask.send(Asked { connection: 0, request: idle(session) }))
            .await
            .unwrap()
            .unwrap();
    }
    let listener = UnixListener::bind(&path).unwrap();
    for connection in 1..=2 {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert_eq!(told.recv().await, Some(LinkEvent::Up(connection)));
        // The core did not know yet that the connection before was gone.
        let before =
            [UserPlaneRequest::ReleaseAll, idle(1)].map(|request| Asked { connection: connection - 1, request });
        let now = [UserPlaneRequest::ReleaseAll, idle(2)].map(|request| Asked { connection, request });
        for asked in before.into_iter().chain(now) {
            ask.send(asked).await.unwrap();
        }
        let mut decoder = Decoder::default();
        assert_eq!(read(&mut stream, &mut decoder).await, UserPlaneRequest::ReleaseAll, "connection {connection}");
        assert_eq!(read(&mut stream, &mut decoder).await, idle(2));
        let (reply, mut bytes) = (UserPlaneReply::TunnelLost { session: SessionRef(2) }, Vec::new());
        encode(&reply, &mut bytes).unwrap();
        stream.write_all(&bytes).await.unwrap();
        assert_eq!(told.recv().await, Some(LinkEvent::Reply(reply)));
        // Cut off, or nonsense: either way it is down, and tries again.
        if connection == 1 {
            drop(stream);
        } else {
            stream.write_all(&[0xff; 8]).await.unwrap();
        }
        assert_eq!(told.recv().await, Some(LinkEvent::Down));
    }
    stop.cancel();
    running.await.unwrap();
}

/// The process is stopped, or busy for ever: its socket stays open, and its kernel accepts.
#[tokio::test(start_paused = true)]
async fn a_user_plane_that_does_not_read_is_gone_until_it_says_something() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("upf.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let (ask, asked) = mpsc::channel(8);
    let (tell, mut told) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let running = tokio::spawn(link::run(path.clone(), asked, tell, || true, stop.clone()));
    assert_eq!(told.recv().await, Some(LinkEvent::Up(1)));
    // More than a socket takes; and who asks is not held up for longer than the link is patient.
    let asking = async {
        for session in 0..100_000 {
            ask.send(Asked { connection: 1, request: idle(session) }).await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asking).await.expect("nobody waits for a user plane that hangs");
    let mut soon = async || tokio::time::timeout(Duration::from_secs(60), told.recv()).await.ok().flatten();
    assert_eq!(soon().await, Some(LinkEvent::Down));
    assert_eq!(soon().await, None, "that it can be connected to says nothing");
    let reply = UserPlaneReply::TunnelLost { session: SessionRef(2) };
    let mut bytes = Vec::new();
    encode(&reply, &mut bytes).unwrap();
    // It goes on, and finds all those connections, of which one is still open.
    let goes_on = async {
        let mut streams = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(&bytes).await;
            streams.push(stream);
        }
    };
    let told = async {
        assert_eq!(soon().await, Some(LinkEvent::Up(2)));
        assert_eq!(soon().await, Some(LinkEvent::Reply(reply)));
    };
    tokio::select! {
        () = goes_on => {}
        () = told => {}
    }
    stop.cancel();
    running.await.unwrap();
}

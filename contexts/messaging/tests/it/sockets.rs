//! The WebSocket, over a real connection.

use crate::support::{Acting, World};
use async_trait::async_trait;
use futures::{SinkExt, StreamExt};
use pakawaaz_base::{Actor, Bytes, DeviceId, ErrorClass, GroupId};
use pakawaaz_contract::PROTOCOL_VERSION;
use pakawaaz_contract::frames::{ClientFrame, Notice, ServerFrame};
use pakawaaz_conversation::testing::TestDevice;
use pakawaaz_http::{
    Authenticator, CloseReason, ConnectionInfo, Edge, Problem, RequestHead, Throttle, ThrottleOptions,
};
use pakawaaz_messaging::{MIGRATIONS, http};
use pakawaaz_storesuite::store_test;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

struct NoHttp;
#[async_trait]
impl Authenticator for NoHttp {
    async fn authenticate(&self, _: RequestHead) -> Result<Actor, Problem> {
        Err(Problem::new(ErrorClass::Unauthenticated, "test.no_http"))
    }
}

impl World {
    async fn serve(&self) -> SocketAddr {
        self.serve_for(1_000_000).await
    }
    /// With room for so many sockets of strangers.
    async fn serve_for(&self, strangers: u32) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let edge = Edge { authenticator: Arc::new(NoHttp), clock: self.clock.clone() };
        let info = ConnectionInfo { peer: address, tls_exporter: None, secure: false };
        let throttle = Throttle::new(ThrottleOptions { burst: strangers, per_second: 0.001, max_sources: 10 });
        let router = edge.wrap(http::router(self.messaging.clone(), Arc::new(throttle))).layer(axum::Extension(info));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }
}

struct Client {
    socket: WebSocketStream<TcpStream>,
    next: u64,
}

impl Client {
    async fn open(address: SocketAddr) -> (Self, Bytes) {
        let stream = TcpStream::connect(address).await.unwrap();
        let url = format!("ws://{address}/v1/events");
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
        let mut client = Self { socket, next: 0 };
        let ServerFrame::Challenge { nonce, .. } = client.frame().await.unwrap() else { panic!("no challenge") };
        (client, nonce)
    }
    async fn connect(address: SocketAddr, device: DeviceId, positions: &[(GroupId, u64)], inbox: u64) -> Self {
        let (mut client, nonce) = Self::open(address).await;
        client.hello(device, &nonce, positions, inbox).await;
        let ready = client.frame().await;
        assert!(matches!(ready, Some(ServerFrame::Ready { .. })), "{ready:?}");
        client
    }
    async fn hello(&mut self, device: DeviceId, nonce: &Bytes, positions: &[(GroupId, u64)], inbox: u64) {
        let text = serde_json::to_string(nonce).unwrap();
        let hello = ClientFrame::Hello {
            version: PROTOCOL_VERSION,
            access_token: device.to_string(),
            dpop: text.trim_matches('"').to_owned(),
            positions: positions.to_vec(),
            inbox,
        };
        self.put(&hello).await;
    }
    async fn put(&mut self, frame: &ClientFrame) {
        self.socket.send(Message::Binary(frame.encode().into())).await.unwrap();
    }
    /// `None` when the server has closed.
    async fn frame(&mut self) -> Option<ServerFrame> {
        loop {
            let next =
                tokio::time::timeout(Duration::from_secs(20), self.socket.next()).await.expect("a frame in time");
            match next {
                Some(Ok(Message::Binary(bytes))) => return Some(ServerFrame::decode(&bytes).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }
    async fn until_caught_up(&mut self) -> Vec<ServerFrame> {
        let mut frames = Vec::new();
        loop {
            match self.frame().await.expect("open") {
                ServerFrame::CaughtUp => return frames,
                frame => frames.push(frame),
            }
        }
    }
    async fn send(&mut self, w: &World, by: &TestDevice, group: GroupId, text: &[u8]) -> u64 {
        self.next += 1;
        let r = w.send_request(by, group, text);
        let frame = ClientFrame::Send { request: self.next, group, message: r.message, epoch: r.epoch, mls: r.mls };
        self.put(&frame).await;
        self.next
    }
}

store_test!(typing_passes_to_connected_members_and_is_kept_nowhere, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob, stranger) = (w.device(), w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let address = w.serve().await;
    let mut a = Client::connect(address, alice.device, &[], 0).await;
    a.until_caught_up().await;
    // Nobody else is connected: it is gone.
    a.put(&ClientFrame::Typing { group, on: true }).await;
    a.put(&ClientFrame::Ping).await;
    assert_eq!(a.frame().await, Some(ServerFrame::Pong));

    let mut b = Client::connect(address, bob.device, &[], 0).await;
    let before = b.until_caught_up().await;
    assert!(!before.iter().any(|f| matches!(f, ServerFrame::Typing { .. })), "{before:?}");
    let mut s = Client::connect(address, stranger.device, &[], 0).await;
    s.until_caught_up().await;
    // No member, so nobody hears it.
    s.put(&ClientFrame::Typing { group, on: true }).await;
    s.put(&ClientFrame::Ping).await;
    assert_eq!(s.frame().await, Some(ServerFrame::Pong));
    for on in [true, false] {
        a.put(&ClientFrame::Typing { group, on }).await;
        assert_eq!(b.frame().await, Some(ServerFrame::Typing { group, official: alice.official, on }));
    }
    // Its author hears nothing of it, and a socket that says it without end is not obeyed.
    for _ in 0..200 {
        a.put(&ClientFrame::Typing { group, on: true }).await;
    }
    a.put(&ClientFrame::Ping).await;
    assert_eq!(a.frame().await, Some(ServerFrame::Pong));
    b.put(&ClientFrame::Ping).await;
    let mut heard = 0;
    while let Some(ServerFrame::Typing { .. }) = b.frame().await {
        heard += 1;
    }
    assert!(heard < 50, "{heard} of 200");
});

store_test!(messages_travel_and_a_reconnect_resumes, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let address = w.serve().await;
    let mut a = Client::connect(address, alice.device, &[], 0).await;
    let mut b = Client::connect(address, bob.device, &[], 0).await;
    a.until_caught_up().await;
    // Bob's stream begins with his Welcome.
    let first = b.until_caught_up().await;
    assert!(matches!(&first[..], [ServerFrame::Inbox { position: 1, notice: Notice::Welcome { seq: 1, .. }, .. }]));

    let mut seqs = Vec::new();
    for i in 0..10u8 {
        a.send(&w, &alice, group, &[i]).await;
    }
    let mut accepted = 0;
    while accepted < 10 {
        match a.frame().await.unwrap() {
            // In the order they were sent, although they were not waited for.
            ServerFrame::Accepted { request, seq, .. } => {
                assert_eq!(request + 1, seq);
                accepted += 1;
            }
            ServerFrame::Log(entry) => assert_eq!(entry.group, group),
            other => panic!("{other:?}"),
        }
    }
    for i in 0..10u8 {
        let Some(ServerFrame::Log(entry)) = b.frame().await else { panic!("no entry") };
        assert_eq!(bob.receive(group, &entry.mls), Ok(Some(vec![i])));
        seqs.push(entry.seq);
    }
    assert_eq!(seqs, (2..12).collect::<Vec<_>>());
    // Stored up to 7 when the connection breaks.
    b.put(&ClientFrame::Ack { groups: vec![(group, 7)], inbox: 1 }).await;
    b.put(&ClientFrame::Ping).await;
    assert_eq!(b.frame().await, Some(ServerFrame::Pong));
    drop(b);
    let last = a.send(&w, &alice, group, b"meanwhile").await;
    // Durable before the reconnect, or "caught up" may rightly come without it.
    while !matches!(a.frame().await.unwrap(), ServerFrame::Accepted { request, .. } if request == last) {}

    let log_seqs = |frames: Vec<ServerFrame>| -> Vec<u64> {
        let seq = |frame| match frame {
            ServerFrame::Log(entry) => entry.seq,
            other => panic!("{other:?}"),
        };
        frames.into_iter().map(seq).collect()
    };
    // The acknowledgement is stored in its own time; the client's own position is authoritative downwards.
    let mut b = Client::connect(address, bob.device, &[(group, 5)], 1).await;
    let again = log_seqs(b.until_caught_up().await);
    assert!(again.starts_with(&[6, 7, 8]) || again.starts_with(&[2]), "{again:?}");
    assert_eq!(again.last(), Some(&12));
});

store_test!(who_comes_back_is_told_of_groups_that_it_gave_no_position_of, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let (named, lost, left) =
        (w.group(&alice, &[&bob]).await, w.group(&alice, &[&bob]).await, w.group(&alice, &[&bob]).await);
    let index = w.leaf(&alice, left, &bob);
    let request = w.commit_request(&alice, left, alice.commit(left, &[], &[index]), &[]);
    w.messaging.commit(&alice.actor(), request).await.unwrap();
    let address = w.serve().await;
    for (positions, expected) in [(vec![(named, 1)], vec![lost]), (vec![(named, 1), (lost, 1), (left, 1)], vec![])] {
        let (mut client, nonce) = Client::open(address).await;
        client.hello(bob.device, &nonce, &positions, 0).await;
        let Some(ServerFrame::Ready { unnamed, .. }) = client.frame().await else { panic!("not ready") };
        assert_eq!(unnamed, expected);
    }
});

store_test!(a_newcomer_hears_of_its_group_while_connected, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let address = w.serve().await;
    let mut b = Client::connect(address, bob.device, &[], 0).await;
    b.until_caught_up().await;
    let group = w.group(&alice, &[]).await;
    let commit = alice.commit(group, &[bob.key_package()], &[]);
    let request = w.commit_request(&alice, group, commit, &[&bob]);
    w.messaging.commit(&alice.actor(), request).await.unwrap();
    alice.merge(group);
    w.send(&alice, group, b"first").await.unwrap();
    let Some(ServerFrame::Inbox { notice: Notice::Welcome { welcome, epoch, seq, .. }, .. }) = b.frame().await else {
        panic!("no welcome")
    };
    let tree = w.messaging.epoch_tree(&bob.actor(), group, epoch).await.unwrap();
    bob.join(&welcome, &tree.ratchet_tree);
    let Some(ServerFrame::Log(entry)) = b.frame().await else { panic!("no entry") };
    assert_eq!(entry.seq, seq + 1);
    assert_eq!(bob.receive(group, &entry.mls), Ok(Some(b"first".to_vec())));
});

store_test!(commits_and_refusals_over_the_socket, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let address = w.serve().await;
    let mut a = Client::connect(address, alice.device, &[], 0).await;
    a.until_caught_up().await;
    let stale = w.send_request(&alice, group, b"stale");
    let r = w.commit_request(&alice, group, alice.commit(group, &[], &[]), &[]);
    let commit = ClientFrame::Commit {
        request: 7,
        group,
        message: r.message,
        epoch: r.epoch,
        mls: r.mls,
        welcome: r.welcome,
        welcome_to: r.welcome_to,
        group_info: r.group_info,
    };
    a.put(&commit).await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.push(a.frame().await.unwrap());
    }
    assert!(seen.iter().any(|f| matches!(f, ServerFrame::Accepted { request: 7, seq: 2, .. })));
    assert!(seen.iter().any(|f| matches!(f, ServerFrame::Log(entry) if entry.seq == 2)));
    let frame = ClientFrame::Send { request: 8, group, message: stale.message, epoch: stale.epoch, mls: stale.mls };
    a.put(&frame).await;
    let refused = ServerFrame::Rejected {
        request: 8,
        code: "messaging.epoch_conflict".into(),
        epoch: Some(2),
        retry_after_ms: None,
    };
    assert_eq!(a.frame().await, Some(refused));
});

store_test!(strangers_garbage_and_ended_sessions_are_closed, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let alice = w.device();
    let address = w.serve().await;
    let closing = |code: &str| Some(ServerFrame::Closing { code: code.into() });

    let (mut client, nonce) = Client::open(address).await;
    client.hello(DeviceId::from_bytes([9; 16]), &nonce, &[], 0).await;
    assert_eq!(client.frame().await, closing("identity.bad_token"));
    assert_eq!(client.frame().await, None);

    let (mut client, _) = Client::open(address).await;
    client.hello(alice.device, &Bytes(vec![1; 32]), &[], 0).await;
    assert_eq!(client.frame().await, closing("identity.bad_token"), "a proof over another nonce");

    let (mut client, _) = Client::open(address).await;
    client.put(&ClientFrame::Ping).await;
    assert_eq!(client.frame().await, closing("messaging.bad_frame"), "nothing before Hello");

    let mut client = Client::connect(address, alice.device, &[], 0).await;
    client.until_caught_up().await;
    client.socket.send(Message::Binary(vec![0xff; 40].into())).await.unwrap();
    assert_eq!(client.frame().await, closing("messaging.bad_frame"));

    let mut first = Client::connect(address, alice.device, &[], 0).await;
    first.until_caught_up().await;
    let mut second = Client::connect(address, alice.device, &[], 0).await;
    assert_eq!(first.frame().await, closing("messaging.replaced"));
    second.until_caught_up().await;
    w.hub.close(alice.device, CloseReason::Revoked);
    assert_eq!(second.frame().await, closing("identity.revoked"));
    assert_eq!(second.frame().await, None);
});

store_test!(strangers_say_little_and_are_few, MIGRATIONS, |db| async move {
    let mut w = World::new(db);
    w.messaging = w.node_with(|config| config.hello_timeout = Duration::from_millis(200));
    let (alice, bob) = (w.device(), w.device());
    let address = w.serve_for(3).await;

    // As large as a frame may be later: neither read nor kept.
    let (mut large, _) = Client::open(address).await;
    let sent = large.socket.send(Message::Binary(vec![0; pakawaaz_contract::MAX_FRAME].into())).await;
    assert!(sent.is_err() || large.frame().await.is_none(), "cut off before the end of the frame");
    let (mut silent, _) = Client::open(address).await;
    assert_eq!(silent.frame().await, Some(ServerFrame::Closing { code: "messaging.hello_timeout".into() }));

    // Whoever authenticates is no stranger and costs nothing.
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(Client::connect(address, alice.device, &[], 0).await);
        open.push(Client::connect(address, bob.device, &[], 0).await);
    }
    let (_third, _) = Client::open(address).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let refused = tokio_tungstenite::client_async(format!("ws://{address}/v1/events"), stream).await;
    let Err(tokio_tungstenite::tungstenite::Error::Http(response)) = refused else { panic!("{refused:?}") };
    assert_eq!(response.status(), 429);
    assert!(response.headers().contains_key("retry-after"));
});

store_test!(a_session_that_ends_while_it_connects_gets_no_socket, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let alice = w.device();
    let address = w.serve().await;
    w.identity.ends_while_connecting.store(true, Ordering::SeqCst);
    let (mut client, nonce) = Client::open(address).await;
    client.hello(alice.device, &nonce, &[], 0).await;
    assert_eq!(client.frame().await, Some(ServerFrame::Closing { code: "identity.session_ended".into() }));
    assert!(!w.hub.is_connected(alice.device));
});

store_test!(what_has_ended_is_neither_obeyed_nor_served, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let address = w.serve().await;
    let mut a = Client::connect(address, alice.device, &[], 0).await;
    let mut b = Client::connect(address, bob.device, &[], 0).await;
    a.until_caught_up().await;
    b.until_caught_up().await;

    // Nobody can tell: refused for the moment, and held back.
    w.identity.blind.store(true, Ordering::SeqCst);
    let request = a.send(&w, &alice, group, b"later").await;
    let Some(ServerFrame::Rejected { request: refused, code, retry_after_ms, .. }) = a.frame().await else {
        panic!("not refused")
    };
    assert_eq!((refused, code.as_str(), retry_after_ms), (request, "identity.revocations_stale", Some(1000)));
    w.send(&alice, group, b"over another node").await.unwrap();
    b.put(&ClientFrame::Ping).await;
    assert_eq!(b.frame().await, Some(ServerFrame::Pong), "nothing comes before it");
    w.identity.blind.store(false, Ordering::SeqCst);
    let Some(ServerFrame::Log(entry)) = b.frame().await else { panic!("not delivered afterwards") };
    assert_eq!(bob.receive(group, &entry.mls), Ok(Some(b"over another node".to_vec())));

    // Ended, although nobody told the sockets.
    let closing = Some(ServerFrame::Closing { code: "identity.session_ended".into() });
    w.identity.ended.lock().unwrap().extend([alice.device, bob.device]);
    let before = w.messaging.group(&alice.actor(), group).await.unwrap().head_seq;
    a.send(&w, &alice, group, b"refused").await;
    while let Some(frame) = a.frame().await {
        assert!(matches!(frame, ServerFrame::Log(_)) || Some(&frame) == closing.as_ref(), "{frame:?}");
    }
    assert_eq!(w.messaging.group(&alice.actor(), group).await.unwrap().head_seq, before);
    w.send(&alice, group, b"not for bob any more").await.unwrap();
    assert_eq!(b.frame().await, closing);
});

store_test!(whoever_is_known_may_say_much, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let alice = w.device();
    let address = w.serve().await;
    let mut a = Client::connect(address, alice.device, &[], 0).await;
    a.until_caught_up().await;
    // More in all than any stranger may say; positions in invented groups mean nothing.
    let groups: Vec<_> = (0..4000).map(|_| (w.realm.group_id(), 1)).collect();
    let much = ClientFrame::Ack { groups, inbox: 0 };
    let times = 2 * 1024 * 1024 / much.encode().len() + 1;
    for _ in 0..times {
        a.put(&much).await;
    }
    a.put(&ClientFrame::Ping).await;
    assert_eq!(a.frame().await, Some(ServerFrame::Pong));
});

store_test!(what_passes_is_not_served_to_an_ended_session, MIGRATIONS, |db| async move {
    let w = World::new(db);
    let (alice, bob) = (w.device(), w.device());
    let group = w.group(&alice, &[&bob]).await;
    let address = w.serve().await;
    let mut a = Client::connect(address, alice.device, &[], 0).await;
    let mut b = Client::connect(address, bob.device, &[], 0).await;
    a.until_caught_up().await;
    b.until_caught_up().await;
    // Nobody told the sockets.
    w.identity.ended.lock().unwrap().insert(bob.device);
    a.put(&ClientFrame::Typing { group, on: true }).await;
    assert_eq!(b.frame().await, Some(ServerFrame::Closing { code: "identity.session_ended".into() }));
});

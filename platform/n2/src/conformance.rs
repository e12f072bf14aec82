//! What every transport of N2 does. Each function is one rule; [`all`] checks them one after the other.

#![allow(clippy::panic, clippy::expect_used, reason = "a failing rule has to stop the test that runs it")]

use crate::{Association, DownBecause, Endpoint, Event, LARGEST, PPID, Packet, SendError, WAITING};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Makes a core's endpoint and gNBs that connect to it.
pub trait Transport {
    /// A core.
    fn listen(&mut self) -> Pin<Box<dyn Future<Output = Endpoint> + '_>>;
    /// A gNB that connects to the core of the last [`Transport::listen`].
    fn connect(&mut self) -> Pin<Box<dyn Future<Output = Endpoint> + '_>>;
}

/// Longer than anything here takes; a rule that hangs has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// Every rule.
pub async fn all(transport: &mut impl Transport) {
    whole_and_in_order(transport).await;
    sizes_up_to_the_largest(transport).await;
    associations_are_kept_apart(transport).await;
    other_protocols_are_dropped(transport).await;
    what_was_sent_before_the_end_arrives(transport).await;
    the_end_is_told_once(transport).await;
    a_peer_that_does_not_read_is_cut_off(transport).await;
    numbers_are_not_used_again(transport).await;
}

async fn next(endpoint: &mut Endpoint) -> Event {
    tokio::time::timeout(PATIENCE, endpoint.next()).await.expect("something happens").expect("the transport lives")
}

async fn up(endpoint: &mut Endpoint) -> (Association, u16) {
    match next(endpoint).await {
        Event::Up { association, streams, peer } => {
            assert!(streams >= 2, "one stream for the gNB's own signalling and one for phones");
            assert!(!peer.is_empty());
            (association, streams)
        }
        other => panic!("expected Up, got {other:?}"),
    }
}

async fn down(endpoint: &mut Endpoint) -> (Association, DownBecause) {
    loop {
        match next(endpoint).await {
            Event::Down { association, because } => return (association, because),
            Event::Message { .. } => {}
            other => panic!("expected Down, got {other:?}"),
        }
    }
}

async fn pair(transport: &mut impl Transport) -> (Endpoint, Association, Endpoint, Association) {
    let mut core = transport.listen().await;
    let mut gnb = transport.connect().await;
    let (at_core, at_gnb) = (up(&mut core).await.0, up(&mut gnb).await.0);
    (core, at_core, gnb, at_gnb)
}

async fn whole_and_in_order(transport: &mut impl Transport) {
    let (mut core, at_core, mut gnb, at_gnb) = pair(transport).await;
    for n in 0..500u32 {
        let (stream, bytes) = ((n % 2) as u16, n.to_be_bytes().repeat(1 + n as usize % 7));
        gnb.sender().send(at_gnb, stream, bytes.clone()).expect("sent");
        core.sender().send(at_core, stream, bytes).expect("sent");
    }
    for endpoint in [&mut core, &mut gnb] {
        let mut expected = [0u32, 1];
        for _ in 0..500 {
            let Event::Message { stream, bytes, .. } = next(endpoint).await else { panic!("expected a message") };
            let n = &mut expected[usize::from(stream)];
            assert_eq!(bytes, n.to_be_bytes().repeat(1 + *n as usize % 7), "stream {stream}");
            *n += 2;
        }
    }
}

async fn sizes_up_to_the_largest(transport: &mut impl Transport) {
    let (mut core, _, gnb, at_gnb) = pair(transport).await;
    for size in [1, 1_400, 1_500, 9_000, 65_535, 65_537, LARGEST] {
        gnb.sender().send(at_gnb, 1, vec![0x5a; size]).expect("sent");
        let Event::Message { bytes, .. } = next(&mut core).await else { panic!("expected a message") };
        assert!(bytes.len() == size && bytes.iter().all(|b| *b == 0x5a), "{size} bytes");
    }
    assert_eq!(gnb.sender().send(at_gnb, 1, vec![0; LARGEST + 1]), Err(SendError::TooLarge));
    assert_eq!(gnb.sender().send(at_gnb, u16::MAX, vec![0]), Err(SendError::NoSuchStream));
}

async fn associations_are_kept_apart(transport: &mut impl Transport) {
    let (mut core, first, mut gnb, _) = pair(transport).await;
    let mut other = transport.connect().await;
    let (second, _) = up(&mut core).await;
    let (at_other, _) = up(&mut other).await;
    assert_ne!(first, second);
    core.sender().send(second, 0, vec![2]).expect("sent");
    core.sender().send(first, 0, vec![1]).expect("sent");
    other.sender().send(at_other, 0, vec![3]).expect("sent");
    assert!(matches!(next(&mut gnb).await, Event::Message { bytes, .. } if bytes == [1]));
    assert!(matches!(next(&mut other).await, Event::Message { bytes, .. } if bytes == [2]));
    assert!(
        matches!(next(&mut core).await, Event::Message { association, bytes, .. } if association == second && bytes == [3])
    );
}

async fn other_protocols_are_dropped(transport: &mut impl Transport) {
    let (mut core, association, gnb, at_gnb) = pair(transport).await;
    let packet = |ppid| Packet { stream: 0, ppid, bytes: vec![7] };
    gnb.sender().send_packet(at_gnb, packet(PPID + 1)).expect("sent");
    gnb.sender().send_packet(at_gnb, packet(PPID)).expect("sent");
    assert_eq!(next(&mut core).await, Event::Foreign { association, ppid: PPID + 1 });
    assert!(matches!(next(&mut core).await, Event::Message { bytes, .. } if bytes == [7]));
}

async fn what_was_sent_before_the_end_arrives(transport: &mut impl Transport) {
    let (mut core, association, gnb, at_gnb) = pair(transport).await;
    for n in 0..100 {
        gnb.sender().send(at_gnb, 1, vec![n]).expect("sent");
    }
    gnb.sender().abort(at_gnb);
    assert_eq!(gnb.sender().send(at_gnb, 1, vec![0]), Err(SendError::Gone));
    for n in 0..100 {
        assert!(matches!(next(&mut core).await, Event::Message { bytes, .. } if bytes == [n]), "message {n}");
    }
    assert_eq!(down(&mut core).await.0, association);
}

async fn the_end_is_told_once(transport: &mut impl Transport) {
    let (mut core, at_core, mut gnb, at_gnb) = pair(transport).await;
    core.sender().abort(at_core);
    core.sender().abort(at_core);
    assert_eq!(down(&mut core).await, (at_core, DownBecause::Aborted));
    assert_eq!(down(&mut gnb).await.0, at_gnb);
    assert_eq!(core.sender().associations(), 0);
    // The core's endpoint goes on: the next gNB is the next thing that happens.
    let _again = transport.connect().await;
    up(&mut core).await;
}

async fn a_peer_that_does_not_read_is_cut_off(transport: &mut impl Transport) {
    let (mut core, association, gnb, _) = pair(transport).await;
    let sender = core.sender();
    let mut refused = None;
    // The gNB's own queues and the kernel's buffers take some.
    for _ in 0..200 * WAITING {
        if let Err(error) = sender.send(association, 1, vec![0; 4096]) {
            refused = Some(error);
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(refused, Some(SendError::Stalled));
    assert_eq!(down(&mut core).await, (association, DownBecause::Stalled));
    drop(gnb);
}

async fn numbers_are_not_used_again(transport: &mut impl Transport) {
    let mut core = transport.listen().await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let mut gnb = transport.connect().await;
        let (association, _) = up(&mut core).await;
        assert!(seen.insert(association));
        let (at_gnb, _) = up(&mut gnb).await;
        gnb.sender().abort(at_gnb);
        assert_eq!(down(&mut core).await.0, association);
    }
}

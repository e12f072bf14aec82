//! Runs in the guest: the conformance suite of N2 over the kernel's SCTP, and what only SCTP has.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "a test that runs on another machine")]

use pakawaaz_n2::conformance::{self, Transport};
use pakawaaz_n2::sctp::{self, Settings};
use pakawaaz_n2::{DownBecause, Endpoint, Event};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

struct Kernel(Option<SocketAddr>);
impl Transport for Kernel {
    fn listen(&mut self) -> Pin<Box<dyn Future<Output = Endpoint> + '_>> {
        Box::pin(async {
            let any = "127.0.0.1:0".parse().expect("an address");
            let (endpoint, address) = sctp::listen(&[any], Settings::default()).expect("listens");
            self.0 = Some(address);
            endpoint
        })
    }
    fn connect(&mut self) -> Pin<Box<dyn Future<Output = Endpoint> + '_>> {
        let address = self.0.expect("listens");
        Box::pin(async move { sctp::connect(&[], &[address], Settings::default()).await.expect("connects") })
    }
}

async fn next(endpoint: &mut Endpoint) -> Event {
    let soon = tokio::time::timeout(Duration::from_secs(60), endpoint.next());
    soon.await.expect("something happens").expect("the transport lives")
}

fn sh(command: &str) {
    assert!(Command::new("sh").args(["-c", command]).status().expect("starts").success(), "{command}");
}

fn addresses(of: [&str; 2], port: u16) -> Vec<SocketAddr> {
    of.iter().map(|a| SocketAddr::new(a.parse().expect("an address"), port)).collect()
}

/// The gNB, in a namespace of its own: says what it hears on its standard input, a line a message, and when it is alone.
async fn gnb(port: u16) {
    let (from, to) = (addresses(["10.9.1.2", "10.9.2.2"], 0), addresses(["10.9.1.1", "10.9.2.1"], port));
    let mut endpoint = sctp::connect(&from, &to, Settings::default()).await.expect("connects");
    let Event::Up { association, .. } = next(&mut endpoint).await else { panic!("no association") };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            line = lines.next_line() => {
                let line = line.expect("is read").expect("goes on");
                endpoint.sender().send(association, 1, line.into_bytes()).expect("sent");
            }
            event = endpoint.next() => {
                let Some(Event::Down { because, .. }) = event else { panic!("what is this: {event:?}") };
                println!("the gNB: {because:?}");
                // The task that reads the standard input cannot be ended otherwise.
                std::process::exit(0);
            }
        }
    }
}

/// Two paths; one is cut: the association and its messages go on over the other. The second is cut: both sides notice.
async fn one_of_two_paths_is_cut() {
    let (mut core, bound) =
        sctp::listen(&addresses(["10.9.1.1", "10.9.2.1"], 0), Settings::default()).expect("listens");
    let mut child = tokio::process::Command::new("/bin/ip")
        .args(["netns", "exec", "gnb", "n2-guest", "gnb", &bound.port().to_string()])
        .stdin(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut to_gnb = child.stdin.take().expect("piped");
    assert!(matches!(next(&mut core).await, Event::Up { .. }));
    // The second path is used once a heartbeat has been answered on it.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for (cut, text) in [("true", "two paths"), ("/bin/ip -n gnb link set b1 down", "one path")] {
        sh(cut);
        to_gnb.write_all(format!("{text}\n").as_bytes()).await.expect("written");
        let event = next(&mut core).await;
        assert!(matches!(&event, Event::Message { bytes, .. } if bytes == text.as_bytes()), "{text}: {event:?}");
    }
    sh("/bin/ip -n gnb link set b2 down");
    to_gnb.write_all(b"no path\n").await.expect("written");
    let Event::Down { because, .. } = next(&mut core).await else { panic!("still there") };
    assert_eq!(because, DownBecause::Lost);
    assert!(child.wait().await.expect("ends").success());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if let Some(port) = std::env::args().nth(2) {
        return gnb(port.parse().expect("a port")).await;
    }
    conformance::all(&mut Kernel(None)).await;
    println!("passed: conformance over kernel SCTP");
    one_of_two_paths_is_cut().await;
    println!("passed: multi-homing and a lost association");
}

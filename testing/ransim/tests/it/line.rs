//! The program itself against control plane and user plane over real sockets: framed N2 over loopback, GTP-U over UDP.

use crate::bench::{DNN, Vault, network};
use pakawaaz_aka::{SoftwareUsim, SqnState};
use pakawaaz_base::Millis;
use pakawaaz_control_plane::ControlPlane;
use pakawaaz_control_plane::identifiers::AssociationId;
use pakawaaz_control_plane::io::{Input, Output};
use pakawaaz_n2::{Event, framed};
use pakawaaz_ransim::packet::{self, Content, Packet};
use pakawaaz_ransim::sims;
use pakawaaz_user_plane::allow_list::file;
use pakawaaz_user_plane::rules::UserPlaneReply;
use pakawaaz_user_plane::{Limits, Sink, UserPlane};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::process::Command;

const LIST: &str = r#"
format = 1
serial = 1

[[data_network]]
name = "officials"
phones = ["10.45.0.0/16", "fd00:45::/48"]
resolvers = []
mtu = 1400

[[data_network.allow]]
about = "signs of life"
networks = ["10.99.0.0/24", "fd00:99::/64"]
protocol = "echo"
"#;

/// Addresses of this test's own on loopback, so that the port of GTP-U is free.
fn user_plane_address(test: u8) -> SocketAddr {
    SocketAddr::from(([127, 77, test, 1], 2152))
}

/// Core, user plane and a server that answers echo requests, in one task that ends with the runtime.
struct Line {
    core: ControlPlane,
    plane: UserPlane,
    vault: Vault,
    out: Wire,
    rng: ChaCha20Rng,
    started: tokio::time::Instant,
}

#[derive(Default)]
struct Wire {
    network: VecDeque<Vec<u8>>,
    gnb: VecDeque<(SocketAddr, Vec<u8>)>,
    control: VecDeque<UserPlaneReply>,
}

impl Sink for Wire {
    fn network(&mut self, packet: &[u8]) {
        self.network.push_back(packet.to_vec());
    }
    fn gnb(&mut self, to: SocketAddr, _dscp: u8, header: &[u8], packet: &[u8]) {
        self.gnb.push_back((to, [header, packet].concat()));
    }
    fn control(&mut self, reply: UserPlaneReply) {
        self.control.push_back(reply);
    }
}

impl Line {
    fn new(test: u8, cards: &[SoftwareUsim]) -> Self {
        let started = tokio::time::Instant::now();
        let now = Millis(1_760_000_000_000);
        let state = SqnState::provisioned(now.minus(Duration::from_secs(3600)));
        let cards = cards.iter().map(|card| (card.sim().imsi.as_str().to_owned(), (card.clone(), state))).collect();
        let lists = file::parse(LIST).unwrap();
        Self {
            core: ControlPlane::new(Arc::new(network(4))).unwrap(),
            plane: UserPlane::new(user_plane_address(test).ip(), Limits::default(), lists, now),
            vault: Vault::new(cards, false),
            out: Wire::default(),
            rng: ChaCha20Rng::seed_from_u64(3),
            started,
        }
    }

    fn now(&self) -> Millis {
        Millis(1_760_000_000_000).plus(self.started.elapsed())
    }

    fn input(&mut self, input: Input<'_>, sender: &pakawaaz_n2::Sender) {
        let mut out = Vec::new();
        let now = self.now();
        self.core.handle(input, now, &mut self.rng, &mut out);
        for output in out {
            match output {
                Output::Send { association, stream, bytes } => {
                    let _ = sender.send(pakawaaz_n2::Association(association.0), stream, bytes);
                }
                Output::Close { association } => sender.abort(pakawaaz_n2::Association(association.0)),
                Output::Vault { ue, request, ask } => {
                    let reply = self.vault.answer(&ask, now, &mut self.rng).map(Box::new);
                    self.input(Input::Vault { ue, request, reply }, sender);
                }
                Output::UserPlane(request) => {
                    self.plane.request(request, now, &mut self.rng, &mut self.out);
                    while let Some(reply) = self.out.control.pop_front() {
                        self.input(Input::UserPlane(reply), sender);
                    }
                }
                _ => {}
            }
        }
    }

    /// A server on the data network.
    fn serve(&mut self) {
        while let Some(bytes) = self.out.network.pop_front() {
            let Some(Packet { from, to, content: Content::EchoRequest { id, sequence, payload } }) =
                packet::read(&bytes)
            else {
                continue;
            };
            let content = Content::EchoReply { id, sequence, payload };
            let answer = packet::write(&Packet { from: to, to: from, content }).unwrap();
            let now = self.now();
            self.plane.from_network(&answer, now, &mut self.out);
        }
    }

    async fn run(mut self, test: u8, ready: tokio::sync::oneshot::Sender<SocketAddr>) {
        let (mut endpoint, address) = framed::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let n3 = UdpSocket::bind(user_plane_address(test)).await.unwrap();
        let sender = endpoint.sender();
        ready.send(address).unwrap();
        let mut buffer = vec![0; 65_536];
        loop {
            tokio::select! {
                event = endpoint.next() => match event {
                    Some(Event::Up { association, peer, streams }) => {
                        let association = AssociationId(association.0);
                        self.input(Input::Up { association, peer, streams }, &sender);
                    }
                    Some(Event::Message { association, stream, bytes }) => {
                        let association = AssociationId(association.0);
                        self.input(Input::Message { association, stream, bytes: &bytes }, &sender);
                    }
                    Some(Event::Down { association, .. }) => {
                        self.input(Input::Down { association: AssociationId(association.0) }, &sender);
                    }
                    Some(Event::Foreign { .. }) => {}
                    None => return,
                },
                received = n3.recv_from(&mut buffer) => {
                    let (length, from) = received.unwrap();
                    let now = self.now();
                    self.plane.from_gnb(from, &buffer[..length], now, &mut self.out);
                    self.serve();
                }
                () = tokio::time::sleep(Duration::from_millis(50)) => {
                    let now = self.now();
                    self.plane.tick(now, &mut self.out);
                    self.input(Input::Tick, &sender);
                }
            }
            while let Some(reply) = self.out.control.pop_front() {
                self.input(Input::UserPlane(reply), &sender);
            }
            while let Some((to, datagram)) = self.out.gnb.pop_front() {
                n3.send_to(&datagram, to).await.unwrap();
            }
        }
    }
}

/// Runs the program against a line, and gives what it printed.
async fn run(test: u8, phones: u32, arguments: &[&str]) -> String {
    let cards = sims::make("41001", 1, phones, &mut ChaCha20Rng::seed_from_u64(9)).unwrap();
    let file = std::env::temp_dir().join(format!("pakawaaz-ransim-{}-{test}.csv", std::process::id()));
    std::fs::write(&file, sims::write_csv(&cards).as_bytes()).unwrap();
    let line = Line::new(test, &cards);
    let key = hex::encode(line.vault.key.public_key().to_octets());
    let (ready, address) = tokio::sync::oneshot::channel();
    let core = tokio::spawn(line.run(test, ready));
    let core_address = address.await.unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_pakawaaz-ransim"))
        .args(["run", "--quiet", "--timeout", "60", "--core", &core_address, "--dnn", DNN])
        .args(["--home-key", &format!("a:7:{key}"), "--n3", &format!("127.77.{test}.101")])
        .args(["--phones", &phones.to_string(), "--sims"])
        .arg(&file)
        .args(arguments)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    core.abort();
    std::fs::remove_file(&file).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.contains("FAILED"), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_sends_pings_through_real_tunnels() {
    let text = run(1, 10, &["--gnbs", "2", "--tac", "1,2", "--scenario", "traffic", "--target", "10.99.0.10"]).await;
    assert!(text.contains("echo: 50 sent, 50 answered, 0 lost, 0 strange"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ipv6_phones_learn_their_prefix_and_ping() {
    let arguments = ["--scenario", "traffic", "--session", "v6", "--target", "fd00:99::10", "--pings", "3"];
    let text = run(2, 4, &arguments).await;
    assert!(text.contains("echo: 12 sent, 12 answered, 0 lost"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_runs_cycles() {
    let text = run(3, 10, &["--gnbs", "2", "--scenario", "cycle", "--cycles", "3", "--rate", "1000"]).await;
    assert!(text.contains("30 rounds"), "{text}");
}

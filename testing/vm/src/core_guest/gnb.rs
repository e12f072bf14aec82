//! A gNB with its phones, as a process of its own in the gNB's namespace: one command a line comes in, one answer goes out
//! when it is done. A command that does not get done ends the process.

use crate::site::{CORE, GNB, GNB_USER_PLANE, SERVICE};
use pakawaaz_aka::SoftwareUsim;
use pakawaaz_base::Millis;
use pakawaaz_n2::sctp;
use pakawaaz_ransim::gnb::{GnbConfig, GnbEvent, PhoneId};
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::packet::{self, Content, Packet};
use pakawaaz_ransim::phone::{Concealment, Event, Phone, PhoneConfig, SessionWish};
use pakawaaz_ransim::sims;
use pakawaaz_ransim::traffic::{N3, N3Event, N3Sender, uplink_flow};
use pakawaaz_ransim::world::{GnbId, Happened, World};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::mpsc;

/// Longer than everything here takes on an emulated machine, so that a failure ends.
const GIVE_UP: Duration = Duration::from_secs(90);
/// How long an echo request may be without answer until it is sent again.
const ASK_AGAIN: Duration = Duration::from_secs(5);
const TAC: u32 = 1;

struct Site {
    radio: World<Links>,
    /// The gNB of the last `connect`: one identity, and a new association each time.
    gnb: Option<GnbId>,
    config: Arc<PhoneConfig>,
    plmn: oxirush_security::Plmn,
    cards: Vec<SoftwareUsim>,
    /// By the number of the card.
    phones: BTreeMap<usize, PhoneId>,
    /// What happened and nobody has asked for yet.
    happened: Vec<Happened>,
    n3: mpsc::Receiver<N3Event>,
    to_n3: N3Sender,
}

#[expect(clippy::disallowed_methods, reason = "the edge: here time comes from the machine")]
fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn sockets(of: [&str; 2], port: u16) -> Vec<SocketAddr> {
    of.iter().map(|a| SocketAddr::new(a.parse().expect("an address"), port)).collect()
}

/// Reads commands until there are no more.
pub async fn run(world: &Value) {
    let text = |name: &str| world[name].as_str().expect("it is told").to_owned();
    let (mcc, mnc) = ("410", "99");
    let plmn = oxirush_security::Plmn::new(mcc, mnc).expect("a network");
    let mut config = PhoneConfig::new(plmn, Concealment::parse(&text("home_key")).expect("a key"));
    config.sessions = vec![SessionWish::default()];
    let mut listening = N3::bind(GNB_USER_PLANE.parse().expect("an address")).await.expect("the port of GTP-U");
    let to_n3 = listening.sender();
    let (feed, n3) = mpsc::channel(64);
    tokio::spawn(async move {
        while let Ok(event) = listening.recv(|_| true).await {
            if feed.send(event).await.is_err() {
                return;
            }
        }
    });
    let mut site = Site {
        radio: World::new(Links::default(), 7),
        gnb: None,
        config: Arc::new(config),
        plmn,
        cards: sims::read(&std::fs::read(text("sims")).expect("a batch")).expect("cards"),
        phones: BTreeMap::new(),
        happened: Vec::new(),
        n3,
        to_n3,
    };
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        let line = tokio::select! {
            line = lines.next_line() => line.expect("is read"),
            () = site.go_on() => continue,
        };
        let Some(line) = line else { return };
        let words: Vec<&str> = line.split_whitespace().collect();
        let done = tokio::time::timeout(GIVE_UP, site.obey(&words)).await;
        match done {
            Ok(answer) => println!("{answer}"),
            Err(_) => panic!("{line:?} was not done; since the last command: {:?}", site.happened),
        }
    }
}

impl Site {
    async fn obey(&mut self, words: &[&str]) -> String {
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<usize>().ok()).expect("a number");
        match words[0] {
            "connect" => self.connect().await,
            "lost" => {
                let gnb = self.gnb.expect("connected");
                self.until(|h| matches!(h, Happened::Gnb(of, GnbEvent::Lost) if *of == gnb)).await;
                "lost".to_owned()
            }
            "register" => self.register(number(1)).await,
            "idle" => {
                let id = self.phones[&number(1)];
                self.radio.go_idle(id, now());
                self.until_phone(id, |event| matches!(event, Event::Idle)).await
            }
            "service" => {
                let id = self.phones[&number(1)];
                let psi = self.radio.phone(id).and_then(|p| p.sessions().next()).expect("a session").psi;
                self.radio.data_waiting(id, psi, now());
                let events = self.until_phone(id, |event| matches!(event, Event::ServiceAccepted)).await;
                while self.radio.path(id, psi).is_none() {
                    self.go_on().await;
                }
                events
            }
            "deregister" => {
                let id = self.phones[&number(1)];
                self.radio.deregister(id, now());
                self.until_phone(id, |event| matches!(event, Event::Deregistered(_))).await
            }
            "ping" => format!("{} answered", self.pings(self.phones[&number(1)], number(2) as u16).await),
            other => panic!("{other:?} is no command"),
        }
    }

    /// A new association, from both addresses to both addresses; all phones camp at its gNB.
    async fn connect(&mut self) -> String {
        let (from, to) = (sockets(GNB, 0), sockets(CORE, pakawaaz_n2::PORT));
        let endpoint = sctp::connect(&from, &to, sctp::Settings::default()).await.expect("connects");
        self.radio.wire.add(endpoint);
        let mut config = GnbConfig::new(self.plmn, 1, TAC, GNB_USER_PLANE.parse().expect("an address"));
        config.inactivity = None;
        let gnb = self.radio.add_gnb(config).expect("fits");
        self.until(|h| matches!(h, Happened::Gnb(of, GnbEvent::Ready { .. }) if *of == gnb)).await;
        for id in self.phones.values() {
            self.radio.move_phone(*id, gnb, now());
        }
        self.happened.clear();
        self.gnb = Some(gnb);
        "connected".to_owned()
    }

    async fn register(&mut self, number: usize) -> String {
        let gnb = self.gnb.expect("connected");
        let card = self.cards[number].clone();
        let phone = Phone::new(self.config.clone(), card, &format!("35000000{number:08}")).expect("a phone");
        let id = self.radio.add_phone(phone, gnb, now()).expect("there is the gNB");
        self.phones.insert(number, id);
        self.radio.power_on(id, now());
        self.until_phone(id, |event| matches!(event, Event::SessionUp { .. })).await
    }

    /// One turn of the radio: what can be done, and a wait when nothing came of it.
    async fn go_on(&mut self) {
        let (at, before) = (now(), self.happened.len());
        self.radio.step(at);
        self.happened.extend(self.radio.take_events());
        if self.happened.len() > before {
            return;
        }
        let due = self.radio.deadline().map_or(Duration::from_secs(1), |due| due.since(now()));
        tokio::select! {
            () = self.radio.wire.wait() => {}
            () = tokio::time::sleep(due.max(Duration::from_millis(1))) => {}
        }
    }

    /// Goes on until it has happened; gives what happened until then.
    async fn until(&mut self, wanted: impl Fn(&Happened) -> bool) -> Vec<Happened> {
        loop {
            if let Some(at) = self.happened.iter().position(&wanted) {
                return self.happened.drain(..=at).collect();
            }
            self.go_on().await;
        }
    }

    /// The same for one phone; its events by name.
    async fn until_phone(&mut self, id: PhoneId, wanted: impl Fn(&Event) -> bool) -> String {
        let happened = self.until(|h| matches!(h, Happened::Phone(of, event) if *of == id && wanted(event))).await;
        let names = happened.iter().filter_map(|h| match h {
            Happened::Phone(of, event) if *of == id => Some(format!("{event:?}")),
            _ => None,
        });
        names.collect::<Vec<_>>().join(" ")
    }

    /// Echo requests through the user plane to the service, one after the other; how many were answered.
    async fn pings(&mut self, id: PhoneId, count: u16) -> u16 {
        let mut answered = 0;
        for sequence in 0..count {
            let session = self.radio.phone(id).and_then(|p| p.sessions().next()).expect("a session").clone();
            let path = self.radio.path(id, session.psi).expect("a tunnel");
            let content = Content::EchoRequest { id: id.0 as u16, sequence, payload: vec![0x5a; 56] };
            let from = IpAddr::V4(session.ipv4.expect("an address"));
            let bytes = packet::write(&Packet { from, to: SERVICE.parse().expect("an address"), content });
            let bytes = bytes.expect("one family");
            let flow = uplink_flow(&session, &bytes).expect("a flow");
            loop {
                self.to_n3.send(path.uplink, flow, &bytes).await.expect("sent");
                let answer = async {
                    while let Some(event) = self.n3.recv().await {
                        let N3Event::Packet(received) = event else { continue };
                        let read = packet::read(&received.packet).map(|packet| packet.content);
                        if matches!(read, Some(Content::EchoReply { sequence: of, .. }) if of == sequence) {
                            return received.teid == path.teid;
                        }
                    }
                    false
                };
                // The user plane holds what overtakes the core for a second only, and N2 may be slower: its paths are cut.
                if let Ok(right) = tokio::time::timeout(ASK_AGAIN, answer).await {
                    answered += u16::from(right);
                    break;
                }
            }
        }
        answered
    }
}

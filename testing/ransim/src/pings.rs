//! The traffic scenario: every phone sends echo requests through its tunnel and counts what comes back.

use anyhow::{Context as _, Result};
use pakawaaz_base::Millis;
use pakawaaz_ransim::gnb::PhoneId;
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::measure::Times;
use pakawaaz_ransim::packet::{self, Content, Packet};
use pakawaaz_ransim::traffic::{N3, N3Event, N3Sender, uplink_flow};
use pakawaaz_ransim::world::{GnbId, World};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;
use tokio::sync::mpsc;

/// Between two requests of one phone.
const PACE: Duration = Duration::from_millis(200);
/// How long the last answers are waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// Things received on N3 that may wait.
const WAITING: usize = 8192;

pub struct Pings {
    target: IpAddr,
    wanted: u16,
    senders: Vec<N3Sender>,
    events: mpsc::Receiver<(GnbId, N3Event)>,
    arrived: VecDeque<(GnbId, N3Event)>,
    prefixes: HashMap<PhoneId, Ipv6Addr>,
    sent_at: HashMap<(PhoneId, u16), Millis>,
    round: u16,
    next: Option<Millis>,
    over: bool,
    sent: u64,
    answered: u64,
    strange: u64,
    times: Times,
}

impl Pings {
    pub async fn new(target: IpAddr, wanted: u16, world: &World<Links>) -> Result<Self> {
        let (feed, events) = mpsc::channel(WAITING);
        let mut senders = Vec::new();
        for (i, gnb) in (0..).zip(world.gnbs()) {
            let mut n3 = N3::bind(gnb.config().n3).await.context("listening on a gNB's N3 address")?;
            senders.push(n3.sender());
            let feed = feed.clone();
            tokio::spawn(async move {
                while let Ok(event) = n3.recv(|_| true).await {
                    if feed.send((GnbId(i), event)).await.is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self {
            target,
            wanted,
            senders,
            events,
            arrived: VecDeque::new(),
            prefixes: HashMap::new(),
            sent_at: HashMap::new(),
            round: 0,
            next: None,
            over: false,
            sent: 0,
            answered: 0,
            strange: 0,
            times: Times::default(),
        })
    }

    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Until something has come, or the next round is due.
    pub async fn wait(&mut self) {
        if !self.arrived.is_empty() {
            return;
        }
        tokio::select! {
            event = self.events.recv() => self.arrived.extend(event),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
    }

    pub async fn step(&mut self, world: &mut World<Links>, now: Millis) {
        while let Ok(event) = self.events.try_recv() {
            self.arrived.push_back(event);
        }
        while let Some((gnb, event)) = self.arrived.pop_front() {
            self.received(world, gnb, event, now);
        }
        if self.over || self.next.is_some_and(|next| now < next) {
            return;
        }
        if self.round == self.wanted {
            self.over = true;
            return;
        }
        let asking = self.target.is_ipv6() && self.prefixes.len() < world.phones() && self.next.is_none();
        let phones: Vec<PhoneId> = world.all_phones().map(|(id, _)| id).collect();
        for id in phones {
            self.send(world, id, asking, now).await;
        }
        self.next = Some(now.plus(PACE));
        if !asking {
            self.round += 1;
            if self.round == self.wanted {
                self.next = Some(now.plus(PATIENCE));
            }
        }
    }

    async fn send(&mut self, world: &mut World<Links>, id: PhoneId, asking: bool, now: Millis) {
        let Some(session) = world.phone(id).and_then(|phone| phone.sessions().next().cloned()) else { return };
        let Some(path) = world.path(id, session.psi) else { return world.data_waiting(id, session.psi, now) };
        let packet = if asking {
            let Some(from) = session.link_local() else { return };
            let all_routers = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
            Packet { from: from.into(), to: all_routers.into(), content: Content::RouterSolicitation }
        } else {
            let from = match self.target {
                IpAddr::V4(_) => session.ipv4.map(IpAddr::from),
                IpAddr::V6(_) => self.prefixes.get(&id).map(|prefix| {
                    let mut octets = prefix.octets();
                    octets[8..].copy_from_slice(&session.interface_id.unwrap_or([0, 0, 0, 0, 0, 0, 0, 1]));
                    IpAddr::from(octets)
                }),
            };
            let Some(from) = from else { return };
            let content = Content::EchoRequest { id: id.0 as u16, sequence: self.round, payload: vec![0x5a; 56] };
            Packet { from, to: self.target, content }
        };
        let Some(bytes) = packet::write(&packet) else { return };
        let Some(qfi) = uplink_flow(&session, &bytes) else { return };
        let Some(sender) = self.senders.get(path.gnb.0 as usize) else { return };
        if sender.send(path.uplink, qfi, &bytes).await.is_ok() && !asking {
            self.sent += 1;
            self.sent_at.insert((id, self.round), now);
        }
        world.user_data(id, now);
    }

    fn received(&mut self, world: &mut World<Links>, gnb: GnbId, event: N3Event, now: Millis) {
        let N3Event::Packet(received) = event else {
            self.strange += 1;
            return;
        };
        let Some((id, _)) = world.owner_of_teid(gnb, received.teid) else {
            self.strange += 1;
            return;
        };
        world.user_data(id, now);
        match packet::read(&received.packet).map(|packet| packet.content) {
            Some(Content::EchoReply { sequence, .. }) => match self.sent_at.remove(&(id, sequence)) {
                Some(at) => {
                    self.answered += 1;
                    self.times.add(now.since(at));
                }
                None => self.strange += 1,
            },
            Some(Content::RouterAdvertisement { prefix: Some(prefix) }) => {
                self.prefixes.insert(id, prefix);
            }
            _ => self.strange += 1,
        }
    }
}

impl fmt::Display for Pings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |percent| self.times.percentile(percent).unwrap_or_default();
        write!(
            f,
            "echo: {} sent, {} answered, {} lost, {} strange; p50 {} ms, p99 {} ms",
            self.sent,
            self.answered,
            self.sent - self.answered,
            self.strange,
            at(50),
            at(99),
        )
    }
}

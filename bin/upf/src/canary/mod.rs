//! The canary: tries in production what the tests of isolation try in namespaces, through the real user plane.
//!
//! ```text
//!  canary's gNB ══ GTP-U ══ user plane ── TUN ── kernel's rules ── N6 ── services
//!       │                       │          ▲                        ┊
//!       │ every probe           │ counts   │ every probe again      ┊ sink: looks at what leaves
//! ```
//!
//! It has a session with an address that the core gives to nobody, for as long as a round takes. Each forbidden probe is tried
//! twice: from its gNB, where the user plane has to refuse it, and behind the user plane, where the kernel's rules have to. What
//! leaves on N6 is seen by a [sink](sink), and what the user plane did by the session's counters. A probe that must pass (a TCP
//! handshake with a service, before and after all others) shows that the way is open and that the sink sees. What it must
//! find closed does not come from the allow-list, so that a list that allows too much is found out.

pub mod desk;
pub mod packets;
pub mod probes;
pub mod sink;

use anyhow::Result;
use desk::Ask;
use packets::g_pdu;
use pakawaaz_gtpu::{MessageType, PORT, decode};
use pakawaaz_user_plane::packet::protocol;
use pakawaaz_user_plane::rules::{
    BitRate, BitRates, Isolation, LONGEST_FINDING, QosFlow, SessionRef, SessionRules, Tunnel, Usage,
};
use probes::{Line, Marker, Probe};
use rand::RngCore as _;
use sink::Sink;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdUdpSocket};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};

/// No session of the core's is called so: it counts from one.
pub const SESSION: SessionRef = SessionRef(u64::MAX);
/// The gNB's end of the tunnel.
const TEID: u32 = 1;
/// Its flow.
const QFI: u8 = 9;
/// Probes that are on their way at once.
const AT_ONCE: usize = 64;
/// How long probes may take until the user plane has counted them, and an answer until it is there.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(5);
/// How often an allowed probe is tried.
const TRIES: u32 = 3;
/// Rounds in a row that may prove nothing before somebody is told.
const UNPROVEN: u32 = 3;
/// After such a round the next one comes sooner: the core may just have begun anew.
const SOONER: Duration = Duration::from_secs(10);
/// Names of probes in a finding.
const NAMED: usize = 5;

/// What it needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// From the end of a round to the next.
    pub every: Duration,
    /// Data network.
    pub dnn: String,
    /// Its address.
    pub ipv4: Option<Ipv4Addr>,
    /// Its /64.
    pub ipv6: Option<Ipv6Addr>,
    /// Where its gNB is.
    pub gnb: IpAddr,
    /// TCP services that must be reached.
    pub services: Vec<SocketAddr>,
    /// Ports of those services' hosts that must not be reached, by TCP and UDP.
    pub closed_ports: Vec<u16>,
    /// More that must not be reached.
    pub closed: Vec<SocketAddr>,
    /// Networks of phones, from the allow-list: a phone is not reached from a phone.
    pub phones: Vec<pakawaaz_user_plane::rules::IpNet>,
    /// The user plane's own addresses on N6: they are no service.
    pub own: Vec<IpAddr>,
}

/// What was opened while there were privileges.
pub struct Opened {
    /// The gNB's GTP-U socket, outside of the namespace.
    pub gnb: StdUdpSocket,
    /// Sees what leaves.
    pub sink: Sink,
}

/// Why a round proved nothing.
type Unproven = String;

/// The canary, between two rounds.
struct Canary {
    settings: Settings,
    n3: SocketAddr,
    gnb: UdpSocket,
    sink: Sink,
    /// What the sink has seen in this round.
    seen: BTreeSet<(Line, u16)>,
    desk: mpsc::Sender<Ask>,
}

/// Runs rounds until the user plane ends. Inside the runtime.
pub fn start(settings: Settings, n3: SocketAddr, opened: Opened, desk: mpsc::Sender<Ask>) -> Result<()> {
    let Opened { gnb, sink } = opened;
    let canary = Canary { settings, n3, gnb: UdpSocket::from_std(gnb)?, sink, seen: BTreeSet::new(), desk };
    tokio::spawn(canary.run());
    Ok(())
}

impl Canary {
    async fn run(mut self) {
        let mut unproven = 0;
        loop {
            let found = match self.round().await {
                Ok(found) => {
                    unproven = 0;
                    Some(found)
                }
                Err(why) => match self.leaked() {
                    Some(broken) => Some(finding(0, Some(broken))),
                    None => {
                        unproven += 1;
                        tracing::warn!(why, unproven, "a round of the canary has proven nothing");
                        let text = format!("isolation was not proven for {unproven} rounds: {why}");
                        (unproven >= UNPROVEN).then(|| finding(0, Some(text)))
                    }
                },
            };
            if self.desk.send(Ask::End(found)).await.is_err() {
                return;
            }
            let every = self.settings.every;
            tokio::time::sleep(if unproven > 0 { every.min(SOONER) } else { every }).await;
        }
    }

    async fn round(&mut self) -> Result<Isolation, Unproven> {
        self.seen.clear();
        let mut marker = Marker::default();
        rand::rngs::OsRng.fill_bytes(&mut marker);
        let teid = self.begin().await?;
        self.forget_what_came();
        let mut tried = 0;
        if let Some(broken) = self.allowed(teid, marker).await? {
            return Ok(finding(tried, Some(broken)));
        }
        for some in probes::forbidden(&self.settings, marker, Line::UserPlane).chunks(AT_ONCE) {
            tried += some.len() as u32;
            let on = self.refused(teid, some).await?;
            if on > 0 {
                // The kernel may take a moment, or may have stopped it, which is no reason to be content.
                tokio::time::sleep(10 * LOOK).await;
                self.look(marker);
                let first = some.first().map_or("", |first| first.name.as_str());
                let unseen = || format!("the user plane let through {on} packets that it must not, from {first:?} on");
                return Ok(finding(tried, Some(self.leaked().unwrap_or_else(unseen))));
            }
        }
        for some in probes::forbidden(&self.settings, marker, Line::Kernel).chunks(AT_ONCE) {
            let packets: Vec<Vec<u8>> =
                some.iter().filter(|probe| !probe.user_plane_only).map(|probe| probe.packet.clone()).collect();
            tried += packets.len() as u32;
            self.ask(|reply| Ask::Inject(packets, reply)).await?;
            self.look(marker);
        }
        // What is allowed comes after all others and takes the same way: when it is answered, they have been dealt with.
        let broken = self.allowed(teid, marker).await?;
        self.look(marker);
        Ok(finding(tried, self.leaked().or(broken)))
    }

    /// A session; gives the user plane's end of the tunnel.
    async fn begin(&self) -> Result<u32, Unproven> {
        let rate = BitRates { uplink: BitRate(1_000_000_000), downlink: BitRate(1_000_000_000) };
        let flow = QosFlow { qfi: QFI, five_qi: 9, guaranteed: None, maximum: None, precedence: 255, filters: vec![] };
        let rules = SessionRules {
            session: SESSION,
            dnn: self.settings.dnn.clone(),
            ipv4: self.settings.ipv4,
            ipv6: self.settings.ipv6,
            interface_id: [0, 0, 0, 0, 0, 0, 0, 0xca],
            ambr: rate,
            flows: vec![flow],
            downlink: Some(Tunnel { address: self.settings.gnb, teid: TEID }),
        };
        let begun = self.ask(|reply| Ask::Begin(Box::new(rules), reply)).await?;
        begun.map_err(|because| format!("the user plane refused the canary's session ({because:?})"))
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Ask) -> Result<T, Unproven> {
        let (reply, answer) = oneshot::channel();
        let ended = || "the user plane is ending".to_owned();
        self.desk.send(question(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())
    }

    async fn usage(&self) -> Result<Usage, Unproven> {
        // The core releases everything when it begins anew.
        self.ask(Ask::Usage).await?.ok_or_else(|| "the session was released in the middle".to_owned())
    }

    async fn send(&self, teid: u32, packet: &[u8]) -> Result<(), Unproven> {
        let sent = self.gnb.send_to(&g_pdu(teid, QFI, packet), self.n3).await;
        sent.map(|_| ()).map_err(|error| format!("the canary's gNB cannot send: {error}"))
    }

    /// What must pass: one TCP segment to each service, which is answered, and seen by the sink. What is wrong otherwise.
    async fn allowed(&mut self, teid: u32, marker: Marker) -> Result<Option<String>, Unproven> {
        for service in self.settings.services.clone() {
            let Some(own) = probes::own(&self.settings, service.is_ipv4()) else { continue };
            let mut port = [0; 2];
            rand::rngs::OsRng.fill_bytes(&mut port);
            let local = SocketAddr::new(own, u16::from_be_bytes(port) | 0x8000);
            let data = probes::data(marker, Line::Allowed, 0);
            let (before, mut sent) = (self.usage().await?, 1);
            self.look(marker);
            self.seen.retain(|(line, _)| *line != Line::Allowed);
            let mut answered = false;
            for _ in 0..TRIES {
                self.send(teid, &packets::tcp(local, service, packets::SYN, &data)).await?;
                sent += 1;
                answered = tokio::time::timeout(PATIENCE, self.answer(local, service)).await.is_ok();
                if answered {
                    break;
                }
            }
            if !answered {
                return Ok(Some(format!("what is allowed does not pass: no answer from TCP {service}")));
            }
            // So that the service need not wait for the rest of the handshake.
            self.send(teid, &packets::tcp(local, service, packets::RST, &[])).await?;
            // All of it has been counted, so that none of it is taken for a probe that comes next.
            self.looked_at(before, sent, |_| false).await?;
            self.look(marker);
            if !self.seen.iter().any(|(line, _)| *line == Line::Allowed) {
                return Err("the sink does not see what passes".into());
            }
        }
        Ok(None)
    }

    /// Waits for a segment of a service.
    async fn answer(&self, local: SocketAddr, service: SocketAddr) {
        let mut bytes = vec![0; 2048];
        loop {
            let Ok((length, _)) = self.gnb.recv_from(&mut bytes).await else {
                tokio::time::sleep(LOOK).await;
                continue;
            };
            let Ok(message) = decode(&bytes[..length]) else { continue };
            if message.kind == MessageType::GPdu
                && message.teid == TEID
                && packets::ends(message.payload) == Some((protocol::TCP, service, local))
            {
                return;
            }
        }
    }

    /// What must be refused, from the gNB: how many were not.
    async fn refused(&self, teid: u32, some: &[Probe]) -> Result<u64, Unproven> {
        let before = self.usage().await?;
        for probe in some {
            self.send(teid, &probe.packet).await?;
        }
        self.looked_at(before, some.len() as u64, |on| on > 0).await
    }

    /// Waits until the user plane has counted so many packets since `before`, or as many went on as are enough; how many
    /// went on.
    async fn looked_at(&self, before: Usage, wanted: u64, enough: impl Fn(u64) -> bool) -> Result<u64, Unproven> {
        let mut waited = Duration::ZERO;
        loop {
            let now = self.usage().await?;
            let on = now.uplink_packets - before.uplink_packets;
            let stopped = |usage: &Usage| usage.refused_packets + usage.policed_packets;
            let looked_at = stopped(&now) - stopped(&before) + on;
            if looked_at >= wanted || enough(on) {
                return Ok(on);
            }
            if waited >= PATIENCE {
                return Err(format!("{} of {wanted} probes were lost before they were looked at", wanted - looked_at));
            }
            tokio::time::sleep(LOOK).await;
            waited += LOOK;
        }
    }

    /// Takes what the sink has seen until now.
    fn look(&mut self, marker: Marker) {
        let seen = self.sink.seen(marker);
        self.seen.extend(seen);
    }

    /// What was seen that must not be.
    fn leaked(&self) -> Option<String> {
        [(Line::UserPlane, "user plane"), (Line::Kernel, "kernel")].into_iter().find_map(|(line, who)| {
            // The same names as those of the round.
            let probes = probes::forbidden(&self.settings, Marker::default(), line);
            let seen = self.seen.iter().filter(|(of, _)| *of == line);
            let named = seen.filter_map(|(_, index)| probes.iter().find(|probe| probe.index == *index));
            let names: BTreeSet<String> = named.map(|probe| probe.name.clone()).collect();
            (!names.is_empty()).then(|| format!("the {who} let through what it must not: {}", list(&names)))
        })
    }

    /// What came between two rounds.
    fn forget_what_came(&mut self) {
        self.sink.seen(Marker::default());
        let mut bytes = [0; 2048];
        while self.gnb.try_recv_from(&mut bytes).is_ok() {}
    }
}

fn list(names: &BTreeSet<String>) -> String {
    let some: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let more = names.len().saturating_sub(NAMED);
    if more > 0 { format!("{} and {more} more", some.join(", ")) } else { some.join(", ") }
}

fn finding(probes: u32, broken: Option<String>) -> Isolation {
    let broken = broken.map(|mut text| {
        let end = (0..=LONGEST_FINDING).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.truncate(end);
        text
    });
    Isolation { probes, broken }
}

impl Settings {
    /// Of the gNB's GTP-U socket.
    pub fn gnb_address(&self) -> SocketAddr {
        SocketAddr::new(self.gnb, PORT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_short_and_names_the_first() {
        let names: BTreeSet<String> = (0..7).map(|n| format!("probe {n}")).collect();
        assert_eq!(list(&names), "probe 0, probe 1, probe 2, probe 3, probe 4 and 2 more");
        let long = finding(1, Some("ä".repeat(LONGEST_FINDING))).broken.expect("text");
        assert!(long.len() <= LONGEST_FINDING && long.ends_with('ä'));
        assert_eq!(finding(1, Some("short".into())).broken.as_deref(), Some("short"));
    }
}

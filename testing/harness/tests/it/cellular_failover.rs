//! Two server processes over one PostgreSQL, or over two of which one follows the other: one runs the core, the other waits.

use crate::cellular_support::{Site, say};
use pakawaaz_harness::server::free_port;
use pakawaaz_harness::{Options, ServerProcess};
use pakawaaz_ransim::gnb::{GnbEvent, PhoneId};
use pakawaaz_ransim::phone::{Event, State};
use pakawaaz_ransim::world::{GnbId, Happened};
use pakawaaz_storesuite::Server as Postgres;
use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Seconds; short enough for a test, long enough for a machine that has other tests to do.
const LEASE: &str = "12";
/// Phones of each test.
const PHONES: usize = 5;
/// The gNB that every site begins with.
const GNB: GnbId = GnbId(0);

/// What a phone has: its key set, its next downlink COUNT, its address.
type Had = (u8, u32, Ipv4Addr);

/// A site whose server shares its database with a second one.
struct Pair {
    site: Site,
    /// The second server, when it runs.
    second: Option<ServerProcess>,
    /// Where the second one's core listens.
    n2: SocketAddr,
    phones: Vec<PhoneId>,
}

impl Pair {
    async fn start(database: &Postgres) -> Option<Self> {
        let settings = vec![("PAKAWAAZ_CELLULAR__LEASE_SECONDS".to_owned(), LEASE.to_owned())];
        let database = Some(database.url().to_owned());
        let mut site = Site::over(Options { database, settings, ..Options::default() }).await?;
        let mut phones = Vec::new();
        for _ in 0..PHONES {
            let card = site.spare();
            let phone = site.phone_of(card, GNB).await;
            site.idle(phone).await;
            phones.push(phone);
        }
        let n2 = SocketAddr::from(([127, 0, 0, 1], free_port()));
        Some(Self { site, second: None, n2, phones })
    }

    /// Starts the second server, with the same keys, over this database.
    fn start_second(&mut self, database: &str) {
        let data = self.site.world.dir().join("second/data");
        copy(&self.site.world.data(), &data);
        let mut settings = self.site.world.settings().to_vec();
        for (key, value) in [
            ("PAKAWAAZ_HTTP__PLAIN", format!("127.0.0.1:{}", free_port())),
            ("PAKAWAAZ_CELLULAR__N2_LISTEN", format!("[\"{}\"]", self.n2)),
            ("PAKAWAAZ_DATABASE__URL", database.to_owned()),
        ] {
            settings.push((key.to_owned(), value));
        }
        self.second = Some(ServerProcess::start(&data, &settings));
    }

    /// A metric of the second server.
    fn metric(&self, name: &str) -> f64 {
        let address = self.second.as_ref().unwrap().ready["metrics"].as_str().unwrap().to_owned();
        let mut socket = TcpStream::connect(&address).unwrap();
        write!(socket, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).trim().parse().unwrap()
    }

    fn had(&self) -> HashMap<PhoneId, Had> {
        let of = |id: &PhoneId| {
            let phone = self.site.radio.phone(*id).unwrap();
            let (ksi, _, downlink) = phone.security().unwrap();
            (*id, (ksi, downlink, phone.sessions().next().unwrap().ipv4.unwrap()))
        };
        self.phones.iter().map(of).collect()
    }

    /// Every phone comes to this gNB and back into service with one service request: same keys, same session, and no message
    /// count that it has seen.
    async fn all_come_back(&mut self, gnb: GnbId, before: &HashMap<PhoneId, Had>) {
        for (number, id) in (1..).zip(self.phones.clone()) {
            self.site.radio.move_phone(id, gnb, self.site.now());
            let events = self.site.service(id).await;
            let other = |event: &&Event| {
                !matches!(event, Event::ServiceAccepted | Event::GutiChanged | Event::ConfigurationUpdated)
            };
            assert_eq!(events.iter().find(other), None, "{events:?}");
            let (had, has) = (before[&id], self.had()[&id]);
            assert_eq!((had.0, had.2), (has.0, has.2), "the same keys and the same session");
            assert!(has.1 > had.1, "{has:?} after {had:?}");
            assert!(self.site.pings(id, number).await);
        }
    }
}

/// Everything below a folder, but what belongs to a running process.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    std::fs::set_permissions(to, std::fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).unwrap();
        }
    }
}

fn signal(server: &ServerProcess, name: &str) {
    assert!(Command::new("kill").args([name, &server.pid().to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_node_takes_over_from_one_that_was_killed() {
    let postgres = Postgres::start(true).unwrap();
    let Some(mut pair) = Pair::start(&postgres).await else { return };
    pair.start_second(postgres.url());
    // It waits: a gNB that comes to it is sent away.
    let gnb = pair.site.gnb_of(2, pair.n2).await;
    pair.site.until(|happened| matches!(happened, Happened::Gnb(of, GnbEvent::Lost) if *of == gnb)).await;
    assert_eq!(pair.metric("pakawaaz_cellular_core_active"), 0.0);
    let before = pair.had();

    pair.site.world.server.kill();
    let killed = tokio::time::Instant::now();
    pair.site.until(|happened| matches!(happened, Happened::Gnb(GNB, GnbEvent::Lost))).await;
    pair.site.again(gnb, pair.n2).await;
    say(&format!(
        "with a lease of {LEASE} s the other node had a gNB {:?} after the end of the first",
        killed.elapsed()
    ));
    assert_eq!(pair.metric("pakawaaz_cellular_core_active"), 1.0);
    assert_eq!(pair.metric("pakawaaz_cellular_takeovers_total"), 1.0);
    pair.all_come_back(gnb, &before).await;
    let raised = "SELECT COUNT(*) FROM cellular_alarm WHERE kind = 'takeover' AND cleared_at IS NULL";
    assert_eq!(postgres.psql(raised).unwrap(), "1");
    assert_eq!(postgres.psql("SELECT epoch FROM cellular_lease").unwrap(), "2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_only_stopped_comes_back_and_does_nothing() {
    let postgres = Postgres::start(true).unwrap();
    let Some(mut pair) = Pair::start(&postgres).await else { return };
    pair.start_second(postgres.url());
    let before = pair.had();
    signal(&pair.site.world.server, "-STOP");
    let gnb = pair.site.gnb_of(2, pair.n2).await;
    pair.site.until(|happened| matches!(happened, Happened::Gnb(of, GnbEvent::Lost) if *of == gnb)).await;
    pair.site.again(gnb, pair.n2).await;
    pair.all_come_back(gnb, &before).await;

    // One phone goes back to the first node's gNB, whose association has never ended, and asks for service there. Another one's
    // registration waits there as well.
    let victim = pair.phones[0];
    pair.site.idle(victim).await;
    let kept = "SELECT string_agg(imsi || md5(sealed), ',' ORDER BY imsi) FROM cellular_ue";
    pair.site.radio.move_phone(victim, GNB, pair.site.now());
    pair.site.radio.data_waiting(victim, 1, pair.site.now());
    let card = pair.site.spare();
    let config = pair.site.radio.phone(victim).unwrap().config().clone();
    let newcomer = pakawaaz_ransim::phone::Phone::new(config.into(), card, "3500000000000999").unwrap();
    let newcomer = pair.site.radio.add_phone(newcomer, GNB, pair.site.now()).unwrap();
    pair.site.radio.power_on(newcomer, pair.site.now());
    let contexts = postgres.psql(kept).unwrap();

    signal(&pair.site.world.server, "-CONT");
    let mut seen = Vec::new();
    pair.site
        .until(|happened| {
            seen.push(happened.clone());
            matches!(happened, Happened::Gnb(GNB, GnbEvent::Lost))
        })
        .await;
    // Whatever the phones did next, no message of the first node's core has reached them.
    let silent = |happened: &&Happened| {
        !matches!(
            happened,
            Happened::Gnb(..) | Happened::Phone(_, Event::Idle | Event::ServiceTimedOut | Event::RegistrationTimedOut)
        )
    };
    assert_eq!(seen.iter().find(silent), None, "{seen:?}");
    assert_eq!(postgres.psql(kept).unwrap(), contexts, "nothing was written");
    assert_eq!(postgres.psql("SELECT epoch FROM cellular_lease").unwrap(), "2");
    // It waits now, and says so; and it has not taken the user plane back.
    let first = pair.site.world.first.clone();
    while first.run(&["admin", "cellular", "ues"]).error().as_deref() != Some("cellular.standby") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(first.ok(&["admin", "cellular", "network", "show"])["core"], "standby");
    let rest = pair.phones[1..].to_vec();
    for (number, id) in (100..).zip(rest) {
        assert!(pair.site.pings(id, number).await);
    }
    // The phone that knocked in vain comes back to the second node like any other: its old and its new name are both known.
    pair.site.radio.move_phone(victim, gnb, pair.site.now());
    while pair.site.radio.phone(victim).unwrap().state() != State::Registered {
        pair.site.until_phone(victim, |_| true).await;
    }
    pair.site.service(victim).await;
    assert!(pair.site.pings(victim, 200).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_following_database_has_every_phone_when_it_takes_over() {
    let postgres = Postgres::start(true).unwrap();
    let following = postgres.follow().unwrap();
    let Some(mut pair) = Pair::start(&postgres).await else { return };
    assert_eq!(postgres.psql("SELECT sync_state FROM pg_stat_replication").unwrap(), "sync");
    // Machine room gone: database and server, at one moment, as soon as one more phone has been told of its session.
    let card = pair.site.spare();
    let last = pair.site.phone_of(card, GNB).await;
    pair.phones.push(last);
    let before = pair.had();
    postgres.kill();
    pair.site.world.server.kill();
    following.promote().unwrap();
    pair.start_second(following.url());
    pair.site.until(|happened| matches!(happened, Happened::Gnb(GNB, GnbEvent::Lost))).await;
    pair.site.again(GNB, pair.n2).await;
    pair.all_come_back(GNB, &before).await;
    assert_eq!(following.psql("SELECT COUNT(*) FROM cellular_phone").unwrap(), (PHONES + 1).to_string());
}

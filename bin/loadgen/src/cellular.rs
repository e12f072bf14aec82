//! The 5G core through the whole server: real process, real database, framed N2 on loopback, simulated gNBs and phones. Every
//! context is durable before the message that depends on it, which is what this costs compared with the core alone.

use crate::city::{City, say};
use crate::clock::{self, Moment};
use crate::machine;
use crate::radio::{self, GNB, TAC};
use crate::report::Report;
use anyhow::{Context as _, Result, ensure};
use pakawaaz_aka::SoftwareUsim;
use pakawaaz_ransim::gnb::GnbConfig;
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::phone::{Phone, SessionWish};
use pakawaaz_ransim::scenario::{Driver, Plan, Scenario};
use pakawaaz_ransim::world::{GnbId, World};
use pakawaaz_storesuite::Server;
use pakawaaz_user_plane::link::{Decoder, encode};
use pakawaaz_user_plane::rules::{Tunnel, UserPlaneReply, UserPlaneRequest};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// The core under load.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Phones.
    #[arg(long, default_value_t = 500)]
    phones: usize,
    /// gNBs that they are spread over.
    #[arg(long, default_value_t = 4)]
    gnbs: u32,
    /// Rounds of each phone: registration with SUCI A and 5G AKA, session, service request, deregistration.
    #[arg(long, default_value_t = 20)]
    cycles: u32,
    /// PostgreSQL instead of SQLite: a server of its own with every commit on the disk, gone afterwards.
    #[arg(long, conflicts_with = "database")]
    postgresql: bool,
    /// An empty PostgreSQL database instead of SQLite, such as postgres://user:password@host/name.
    #[arg(long)]
    database: Option<String>,
}

/// What has not happened then is an error.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs the benchmark.
pub async fn run(options: &Options) -> Result<Report> {
    ensure!(options.phones > 0 && options.gnbs > 0 && options.cycles > 0, "counts must be at least 1");
    machine::allow_files(1024)?;
    let folder = tempfile::tempdir().context("a folder for the user plane's socket")?;
    let socket = folder.path().join("upf.sock");
    let listener = UnixListener::bind(&socket).context("the user plane's socket")?;
    let user_plane = tokio::task::spawn_local(serve(listener));
    let (mut settings, core) = radio::settings()?;
    settings.push(("PAKAWAAZ_CELLULAR__USER_PLANE".into(), socket.display().to_string()));
    let postgresql = options.postgresql.then(|| Server::start(true)).transpose()?;
    let database = postgresql.as_ref().map(|server| server.url().to_owned()).or_else(|| options.database.clone());
    let engine = database.as_deref().map_or("SQLite", |_| "PostgreSQL");
    settings.extend(database.map(|url| ("PAKAWAAZ_DATABASE__URL".to_owned(), url)));
    let city = City::build_with(1, None, settings).await?;
    let mut config = radio::prepare(&city, options.gnbs).await?;
    config.sessions = vec![SessionWish::default()];
    let config = Arc::new(config);
    let cards = city.spare_cards(1_000_000, 2 * options.phones).await?;
    let (storm, round) = cards.split_at(options.phones);

    say(&format!("{} phones register at once", options.phones))?;
    let plan = Plan { scenario: Scenario::Storm, per_second: 1, cycles: 1, hold: Duration::ZERO };
    let first = drive(&city, core, plan, options, &config, storm).await?;
    say(&format!("{} others go round {} times", options.phones, options.cycles))?;
    let plan = Plan { scenario: Scenario::Cycle, per_second: 100_000, cycles: options.cycles, hold: Duration::ZERO };
    let rounds = drive(&city, core, plan, options, &config, round).await?;
    user_plane.abort();

    let (registered, cycles) = (options.phones as f64, rounds.rounds as f64);
    let mut report = Report::new("cellular");
    report.add("registrations", "Phones registered at once, each with a session", registered / first.seconds, "/s");
    report.add("registrations_core", "… for a second of server CPU (one core)", registered / first.cpu, "/s");
    report.add("cycles", "Cycles: register, session, idle, service request, deregister", cycles / rounds.seconds, "/s");
    report.add("cycles_core", "… for a second of server CPU (one core)", cycles / rounds.cpu, "/s");
    report.add("cycle_cpu", "Server CPU for one cycle", rounds.cpu * 1000.0 / cycles, "ms");
    report.add("busy", "Cores that the server kept busy in cycles", rounds.cpu / rounds.seconds, "");
    report.add("registration_p50", "One registration in cycles, p50", f64::from(rounds.p50), "ms");
    report.add("registration_p99", "One registration in cycles, p99", f64::from(rounds.p99), "ms");
    report.add("failures", "Refusals and failures", (first.failures + rounds.failures) as f64, "");
    report.add("phones", "Phones at the same time", registered, "");
    report.fact("engine", "Database", engine);
    report.note(
        "Framed N2 on loopback; the simulator runs on the same machine. The user plane answers and carries nothing.",
    );
    report.note("Sequence numbers, contexts and AKMA keys are durable before anything that depends on them leaves.");
    machine::describe(&mut report);
    Ok(report)
}

/// What came of a plan.
struct Done {
    seconds: f64,
    cpu: f64,
    rounds: u64,
    failures: u64,
    p50: u32,
    p99: u32,
}

async fn drive(
    city: &City,
    core: SocketAddr,
    plan: Plan,
    options: &Options,
    config: &Arc<pakawaaz_ransim::phone::PhoneConfig>,
    cards: &[pakawaaz_aka::SoftwareSim],
) -> Result<Done> {
    let mut links = Links::default();
    for _ in 0..options.gnbs {
        links.add_framed(core).await.context("connecting a gNB")?;
    }
    let mut world = World::new(links, 7);
    for number in 0..options.gnbs {
        let mut gnb = GnbConfig::new(config.plmn, GNB + number, TAC, IpAddr::V4(Ipv4Addr::LOCALHOST));
        gnb.inactivity = None;
        world.add_gnb(gnb)?;
    }
    for (number, card) in (0u32..).zip(cards) {
        let phone = Phone::new(Arc::clone(config), SoftwareUsim::new(card.clone()), &format!("35000003{number:08}"))?;
        world.add_phone(phone, GnbId(number % options.gnbs), clock::wall())?;
    }
    let wait = async {
        while !world.is_ready() {
            world.wire.wait().await;
            world.step(clock::wall());
        }
        let (started, cpu) = (Moment::now(), machine::cpu_time(city.server.pid()?)?);
        let mut driver = Driver::new(plan, &world, clock::wall());
        loop {
            let now = clock::wall();
            world.step(now);
            while driver.step(&mut world, now) {
                world.step(now);
            }
            if driver.is_over(now) {
                break;
            }
            let due = [world.deadline(), driver.deadline()].into_iter().flatten().min();
            let nap = due.map_or(Duration::from_millis(200), |due| due.since(now)).min(Duration::from_millis(200));
            tokio::select! {
                () = world.wire.wait() => {}
                () = tokio::time::sleep(nap.max(Duration::from_millis(1))) => {}
            }
        }
        let cpu = machine::cpu_time(city.server.pid()?)?.saturating_sub(cpu).as_secs_f64();
        let registrations = world.measure().times.get("registration");
        let at = |percent| registrations.and_then(|times| times.percentile(percent)).unwrap_or_default();
        anyhow::Ok(Done {
            seconds: started.elapsed().as_secs_f64(),
            cpu: cpu.max(0.001),
            rounds: driver.rounds(),
            failures: world.measure().failed(),
            p50: at(50),
            p99: at(99),
        })
    };
    tokio::time::timeout(PATIENCE, wait).await.context("the phones do not come to an end")?
}

/// A user plane that has room for every session and carries nothing.
async fn serve(listener: UnixListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = answer(stream).await;
    }
}

async fn answer(mut stream: UnixStream) -> std::io::Result<()> {
    let (mut decoder, mut bytes, mut replies, mut teid) = (Decoder::default(), vec![0; 64 * 1024], Vec::new(), 0u32);
    loop {
        let length = stream.read(&mut bytes).await?;
        if length == 0 {
            return Ok(());
        }
        decoder.feed(&bytes[..length]);
        while let Ok(Some(request)) = decoder.take::<UserPlaneRequest>() {
            let UserPlaneRequest::Establish(rules) = request else { continue };
            teid += 1;
            let uplink = Tunnel { address: IpAddr::V4(Ipv4Addr::LOCALHOST), teid };
            let reply = UserPlaneReply::Established { session: rules.session, uplink };
            encode(&reply, &mut replies).map_err(|_| std::io::ErrorKind::InvalidData)?;
        }
        stream.write_all(&replies).await?;
        replies.clear();
    }
}

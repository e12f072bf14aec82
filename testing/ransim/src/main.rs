//! Command line of the simulator: gNBs and phones against a core, with progress and a summary.

mod pings;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand, ValueEnum};
use oxirush_security::Plmn;
use pakawaaz_base::Millis;
use pakawaaz_ransim::gnb::{GnbConfig, PhoneId};
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::phone::{Concealment, Phone, PhoneConfig, SessionKind, SessionWish};
use pakawaaz_ransim::scenario::{Driver, Plan, Scenario};
use pakawaaz_ransim::sims;
use pakawaaz_ransim::world::{GnbId, World};
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Simulates gNBs and phones against a 5G core: real NAS security, real GTP-U.
///
/// Makes cards with `make-sims`, and with `run` connects gNBs to a core and has the phones of these cards do something. Prints a
/// summary; ends with 1 when not all phones got where the scenario wants them in time.
#[derive(Parser)]
#[command(name = "pakawaaz-ransim", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Connects gNBs to a core and has their phones do something.
    Run(Box<Run>),
    /// Makes a batch of Milenage cards (CSV, as the platform imports it). The file holds plaintext keys.
    MakeSims(MakeSims),
}

#[derive(Clone, Copy, ValueEnum)]
enum ScenarioName {
    /// Register at --rate, open sessions, stay for --hold.
    Attach,
    /// All phones register at once, as after a power cut.
    Storm,
    /// Register, session, idle, service request, deregister: --cycles times each.
    Cycle,
    /// Register at --rate and stay silent for --hold.
    Idle,
    /// Register, open a session, and send --pings echo requests each to --target through it.
    Traffic,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SessionName {
    /// No session.
    None,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
    /// Both in one session.
    V4v6,
}

#[derive(clap::Args)]
struct Run {
    /// The core's N2: ADDRESS:PORT of the framed loopback transport, or sctp:ADDRESS:PORT for the kernel's SCTP.
    #[arg(long)]
    core: String,
    /// gNBs.
    #[arg(long, default_value_t = 1)]
    gnbs: u32,
    /// Phones; the first so many cards are used.
    #[arg(long, default_value_t = 1)]
    phones: u32,
    /// SIM file: CSV batch, JSON array or JSON lines.
    #[arg(long)]
    sims: PathBuf,
    /// What the phones do.
    #[arg(long, value_enum, default_value = "attach")]
    scenario: ScenarioName,
    /// Network as MCC-MNC.
    #[arg(long, default_value = "410-01")]
    plmn: String,
    /// Home network public key: a:ID:HEX or b:ID:HEX for SUCI profile A or B, as `pakawaaz admin sims suci-keys` prints it, or
    /// null for the null scheme, which our core refuses.
    #[arg(long, default_value = "null")]
    home_key: String,
    /// Tracking areas; gNBs take them in turn.
    #[arg(long, value_delimiter = ',', default_value = "1")]
    tac: Vec<u32>,
    /// Identity of the first gNB (24 bits); the others follow.
    #[arg(long, default_value_t = 1)]
    first_gnb: u32,
    /// N3 address of the first gNB; the others count up.
    #[arg(long, default_value = "127.0.1.1")]
    n3: IpAddr,
    /// Session that each phone opens.
    #[arg(long, value_enum, default_value = "v4")]
    session: SessionName,
    /// Data network of the session.
    #[arg(long)]
    dnn: Option<String>,
    /// Phones that begin each second.
    #[arg(long, default_value_t = 100)]
    rate: u32,
    /// Rounds of each phone in the cycle scenario.
    #[arg(long, default_value_t = 1)]
    cycles: u32,
    /// Seconds to stay when all have arrived.
    #[arg(long, default_value_t = 0)]
    hold: u64,
    /// Seconds of silence after which a gNB releases a phone; 0: never.
    #[arg(long, default_value_t = 20)]
    inactivity: u64,
    /// Seconds after which the run has failed.
    #[arg(long, default_value_t = 600)]
    timeout: u64,
    /// Where phones of the traffic scenario send ICMP echo requests.
    #[arg(long)]
    target: Option<IpAddr>,
    /// How many each phone sends.
    #[arg(long, default_value_t = 5)]
    pings: u16,
    /// Seed of the world's randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// No progress lines.
    #[arg(long)]
    quiet: bool,
}

#[derive(clap::Args)]
struct MakeSims {
    /// Network as MCC-MNC.
    #[arg(long, default_value = "410-01")]
    plmn: String,
    /// Cards.
    #[arg(long)]
    count: u32,
    /// Number of the first.
    #[arg(long, default_value_t = 1)]
    first: u32,
    /// The file; it must not exist.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(run) => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .context("starting")
            .and_then(|runtime| runtime.block_on(go(&run))),
        Command::MakeSims(make) => make_sims(&make).map(|()| true),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn plmn(text: &str) -> Result<Plmn> {
    let (mcc, mnc) = text.split_once('-').context("a network is MCC-MNC, for example 410-01")?;
    Plmn::new(mcc, mnc).map_err(|_| anyhow::anyhow!("a network is MCC-MNC, for example 410-01"))
}

fn make_sims(make: &MakeSims) -> Result<()> {
    let mut rng = rand::rngs::OsRng;
    let cards = sims::make(plmn(&make.plmn)?.digits(), make.first, make.count, &mut rng)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&make.out).context("creating the SIM file")?;
    file.write_all(sims::write_csv(&cards).as_bytes()).context("writing the SIM file")?;
    Ok(())
}

// The edge: here time comes from the machine.
#[expect(clippy::disallowed_methods)]
fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The address `step` after `first`.
fn nth(first: IpAddr, step: u32) -> IpAddr {
    match first {
        IpAddr::V4(first) => IpAddr::from(u32::from(first).wrapping_add(step).to_be_bytes()),
        IpAddr::V6(first) => IpAddr::from(u128::from(first).wrapping_add(step.into()).to_be_bytes()),
    }
}

async fn connect(run: &Run) -> Result<Links> {
    let mut links = Links::default();
    for _ in 0..run.gnbs {
        match run.core.strip_prefix("sctp:") {
            #[cfg(target_os = "linux")]
            Some(core) => {
                let core: SocketAddr = core.parse().context("the core's address")?;
                links.add_sctp(&[core]).await.context("connecting to the core")?;
            }
            #[cfg(not(target_os = "linux"))]
            Some(_) => bail!("SCTP is there on Linux only"),
            None => {
                let core: SocketAddr = run.core.parse().context("the core's address")?;
                links.add_framed(core).await.context("connecting to the core")?;
            }
        }
    }
    Ok(links)
}

fn populate(run: &Run, world: &mut World<Links>) -> Result<()> {
    let network = plmn(&run.plmn)?;
    let Some(first_tac) = run.tac.first() else { bail!("there is no tracking area") };
    for i in 0..run.gnbs {
        let tac = run.tac.get(i as usize % run.tac.len()).unwrap_or(first_tac);
        let mut config = GnbConfig::new(network, run.first_gnb + i, *tac, nth(run.n3, i));
        config.inactivity = (run.inactivity > 0).then(|| Duration::from_secs(run.inactivity));
        world.add_gnb(config)?;
    }
    let mut config = PhoneConfig::new(network, Concealment::parse(&run.home_key)?);
    let kind = match run.session {
        SessionName::None => None,
        SessionName::V4 => Some(SessionKind::Ipv4),
        SessionName::V6 => Some(SessionKind::Ipv6),
        SessionName::V4v6 => Some(SessionKind::Ipv4v6),
    };
    config.sessions.extend(kind.map(|kind| SessionWish { kind, dnn: run.dnn.clone(), ..SessionWish::default() }));
    let config = Arc::new(config);
    let cards = sims::read(&std::fs::read(&run.sims).context("reading the SIM file")?)?;
    if cards.len() < run.phones as usize {
        bail!("the SIM file has {} cards, fewer than phones", cards.len());
    }
    for (i, card) in (0..run.phones).zip(cards) {
        let phone = Phone::new(Arc::clone(&config), card, &format!("35693803{i:06}01"))?;
        world.add_phone(phone, GnbId(i % run.gnbs.max(1)), now())?;
    }
    Ok(())
}

async fn go(run: &Run) -> Result<bool> {
    if run.gnbs == 0 {
        bail!("there has to be a gNB");
    }
    let mut world = World::new(connect(run).await?, run.seed);
    populate(run, &mut world)?;
    let plan = Plan {
        scenario: match run.scenario {
            ScenarioName::Attach => Scenario::Attach,
            ScenarioName::Storm => Scenario::Storm,
            ScenarioName::Cycle => Scenario::Cycle,
            ScenarioName::Idle => Scenario::Idle,
            ScenarioName::Traffic => Scenario::Traffic,
        },
        per_second: run.rate,
        cycles: run.cycles,
        hold: Duration::from_secs(run.hold),
    };
    let mut pings = match (run.target, plan.scenario) {
        (Some(target), Scenario::Traffic) => Some(pings::Pings::new(target, run.pings, &world).await?),
        (None, Scenario::Traffic) => bail!("the traffic scenario needs --target"),
        _ => None,
    };
    let began = now();
    let mut driver: Option<Driver> = None;
    let (mut said, limit) = (began, Duration::from_secs(run.timeout));
    let over = loop {
        let at = now();
        world.step(at);
        match &mut driver {
            None if world.is_ready() => driver = Some(Driver::new(plan, &world, at)),
            None => drop(world.take_events()),
            Some(driver) => {
                while driver.step(&mut world, at) {
                    world.step(at);
                }
                if let (Some(pings), Some(_)) = (&mut pings, driver.settled_at()) {
                    pings.step(&mut world, at).await;
                }
                let traffic_over = pings.as_ref().is_none_or(pings::Pings::is_over);
                if driver.is_over(at) && traffic_over {
                    break true;
                }
            }
        }
        if at.since(began) > limit {
            break false;
        }
        if !run.quiet && at.since(said) >= Duration::from_secs(1) {
            said = at;
            progress(&world, driver.as_ref(), at.since(began));
        }
        let due = [world.deadline(), driver.as_ref().and_then(Driver::deadline)].into_iter().flatten().min();
        let nap = due.map_or(Duration::from_millis(200), |due| due.since(at)).min(Duration::from_millis(200));
        let traffic = async {
            match &mut pings {
                Some(pings) => pings.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = world.wire.wait() => {}
            () = traffic => {}
            () = tokio::time::sleep(nap.max(Duration::from_millis(1))) => {}
            _ = tokio::signal::ctrl_c() => break false,
        }
    };
    let arrived = driver.as_ref().and_then(Driver::settled_at);
    let phones: Vec<PhoneId> = world.all_phones().map(|(id, _)| id).collect();
    for id in phones {
        world.power_off(id, now());
    }
    summary(&world, driver.as_ref(), arrived.map(|at| at.since(began)), pings.as_ref())?;
    // What was said last goes out before the associations end.
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(over)
}

fn progress(world: &World<Links>, driver: Option<&Driver>, time: Duration) {
    let connected: usize = world.gnbs().iter().map(|gnb| gnb.connected()).sum();
    let _ = writeln!(
        std::io::stderr(),
        "{:>5.1} s  begun {:>6}  there {:>6}  registered {:>6}  connected {:>6}  sessions {:>6}  failures {}",
        time.as_secs_f32(),
        driver.map_or(0, Driver::started),
        driver.map_or(0, Driver::settled),
        world.registered(),
        connected,
        world.sessions(),
        world.measure().failed(),
    );
}

fn summary(
    world: &World<Links>,
    driver: Option<&Driver>,
    arrived: Option<Duration>,
    pings: Option<&pings::Pings>,
) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match (driver, arrived) {
        (Some(driver), Some(time)) => {
            let seconds = time.as_secs_f64().max(0.001);
            writeln!(out, "{} phones there after {seconds:.2} s", driver.settled())?;
            if driver.rounds() > 0 {
                writeln!(out, "{} rounds, {:.0} per second", driver.rounds(), driver.rounds() as f64 / seconds)?;
            } else {
                writeln!(out, "{:.0} per second", driver.settled() as f64 / seconds)?;
            }
        }
        (Some(driver), None) => {
            writeln!(out, "NOT OVER: {} of {} phones there", driver.settled(), world.phones())?;
        }
        (None, _) => writeln!(out, "NOT OVER: the core did not take the gNBs")?,
    }
    if let Some(pings) = pings {
        writeln!(out, "{pings}")?;
    }
    write!(out, "{}", world.measure())?;
    Ok(())
}

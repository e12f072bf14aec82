//! What the cellular core does in a second, with phones that behave like phones: SUCI of profile A (opened with X25519 by
//! the vault, whose work is part of every figure), 5G AKA, NIA2 and NEA2 on every message.
//!
//! ```text
//! cargo run --release -p pakawaaz-ransim --example network_bench -- all
//! ```
//!
//! | command | figure |
//! |---|---|
//! | `cycles` | registration, session, release, service request, deregistration: how many a second of one core |
//! | `idle` | resident bytes of the core for each phone that is registered and idle with a session |
//! | `storm` | seconds until all phones that come at once are there with their sessions |
//!
//! The core is one thread (over memory) or one process (framed, SCTP): what is counted is its time on a processor, all of
//! it, so that neither the simulator nor a busy machine is in the figure. Nothing is stored, and no user plane carries
//! data.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::disallowed_methods, dead_code)]

#[path = "../tests/it/bench.rs"]
mod bench;
#[path = "../tests/it/recorder.rs"]
mod recorder;

use bench::{Vault, home_key, network, one_session, plmn};
use clap::{Parser, Subcommand, ValueEnum};
use pakawaaz_aka::{SoftwareUsim, SqnState};
use pakawaaz_base::Millis;
use pakawaaz_control_plane::ControlPlane;
use pakawaaz_control_plane::identifiers::AssociationId;
use pakawaaz_control_plane::io::{Input, Output, WhoIs};
use pakawaaz_n2::{Association, Endpoint, Event, Sender, framed, memory, sctp};
use pakawaaz_ransim::gnb::{GnbConfig, PhoneId};
use pakawaaz_ransim::link::Links;
use pakawaaz_ransim::phone::{Concealment, Phone, PhoneConfig};
use pakawaaz_ransim::scenario::{Driver, Plan, Scenario};
use pakawaaz_ransim::sims;
use pakawaaz_ransim::world::{GnbId, World};
use pakawaaz_user_plane::rules::{Tunnel, UserPlaneReply, UserPlaneRequest};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::io::{BufRead as _, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Figures of the cellular core.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Everything that needs no other kernel.
    All,
    /// Whole cycles.
    Cycles(Load),
    /// Memory of idle phones.
    Idle(Load),
    /// All phones at once.
    Storm(Load),
    /// The core in a process of its own.
    #[command(hide = true)]
    Core(Load),
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq, Debug)]
enum Transport {
    Memory,
    Framed,
    Sctp,
}

#[derive(clap::Args, Clone, Copy)]
struct Load {
    #[arg(long, value_enum, default_value = "memory")]
    transport: Transport,
    #[arg(long, default_value_t = 16)]
    gnbs: u32,
    #[arg(long, default_value_t = 200)]
    phones: u32,
    /// Rounds of each phone.
    #[arg(long, default_value_t = 50)]
    cycles: u32,
    /// Seconds after which a run has failed.
    #[arg(long, default_value_t = 300)]
    timeout: u64,
}

fn main() {
    let load = |transport, phones, cycles| Load { transport, gnbs: 16, phones, cycles, timeout: 300 };
    match Arguments::parse().what {
        What::All => {
            cycles(load(Transport::Memory, 200, 50));
            cycles(load(Transport::Framed, 200, 50));
            storm(load(Transport::Memory, 10_000, 1));
            idle(load(Transport::Framed, 10_000, 1));
        }
        What::Cycles(load) => cycles(load),
        What::Idle(load) => idle(load),
        What::Storm(load) => storm(load),
        What::Core(load) => core_process(load),
    }
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Millis(i64::try_from(since.as_millis()).unwrap())
}

/// The same cards on both sides.
fn cards(phones: u32) -> Vec<SoftwareUsim> {
    sims::make(plmn().digits(), 1, phones, &mut ChaCha20Rng::seed_from_u64(11)).unwrap()
}

// ---- the core ----

/// Concealed identities that the vault of this process has opened.
static OPENED: AtomicU32 = AtomicU32::new(0);

struct Core {
    plane: ControlPlane,
    vault: Vault,
    rng: ChaCha20Rng,
    sender: Sender,
}

impl Core {
    fn new(load: &Load, sender: Sender) -> Self {
        let state = SqnState::provisioned(now().minus(Duration::from_secs(3600)));
        let cards = cards(load.phones).into_iter().map(|card| (card.sim().imsi.as_str().to_owned(), (card, state)));
        let plane = ControlPlane::new(Arc::new(network(load.gnbs))).unwrap();
        Self { plane, vault: Vault::new(cards.collect(), false), rng: ChaCha20Rng::seed_from_u64(3), sender }
    }

    fn input(&mut self, input: Input<'_>, now: Millis) {
        let mut out = Vec::new();
        self.plane.handle(input, now, &mut self.rng, &mut out);
        for output in out {
            match output {
                Output::Send { association, stream, bytes } => {
                    let _ = self.sender.send(Association(association.0), stream, bytes);
                }
                Output::Vault { ue, request, ask } => {
                    OPENED.fetch_add(u32::from(matches!(ask.who, WhoIs::Suci(_))), Ordering::Relaxed);
                    let reply = self.vault.answer(&ask, now, &mut self.rng).map(Box::new);
                    self.input(Input::Vault { ue, request, reply }, now);
                }
                Output::UserPlane(UserPlaneRequest::Establish(rules)) => {
                    let teid = 0x1000 + u32::try_from(rules.session.0).unwrap();
                    let uplink = Tunnel { address: [127, 0, 2, 1].into(), teid };
                    let reply = UserPlaneReply::Established { session: rules.session, uplink };
                    self.input(Input::UserPlane(reply), now);
                }
                _ => {}
            }
        }
    }

    fn event(&mut self, event: Event) {
        let now = now();
        match event {
            Event::Up { association, peer, streams } => {
                self.input(Input::Up { association: AssociationId(association.0), peer, streams }, now);
            }
            Event::Message { association, stream, bytes } => {
                let association = AssociationId(association.0);
                self.input(Input::Message { association, stream, bytes: &bytes }, now);
            }
            Event::Down { association, .. } => {
                self.input(Input::Down { association: AssociationId(association.0) }, now);
            }
            Event::Foreign { .. } => {}
        }
    }
}

async fn serve(mut endpoint: Endpoint, load: Load) {
    let mut core = Core::new(&load, endpoint.sender());
    loop {
        let due = core.plane.next_deadline().map_or(Duration::from_secs(1), |due| due.since(now()));
        tokio::select! {
            event = endpoint.next() => match event {
                Some(event) => core.event(event),
                None => return,
            },
            () = tokio::time::sleep(due.min(Duration::from_secs(1))) => core.input(Input::Tick, now()),
        }
        // What has come meanwhile costs no turn of its own.
        for _ in 0..256 {
            let Some(event) = endpoint.try_next() else { break };
            core.event(event);
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Where this thread's time on a processor is told: below `/proc`.
fn this_thread() -> String {
    std::fs::read_link("/proc/thread-self").unwrap().to_string_lossy().into_owned()
}

fn core_process(load: Load) {
    let loopback: SocketAddr = "127.0.0.1:0".parse().unwrap();
    runtime().block_on(async {
        let (endpoint, address) = match load.transport {
            Transport::Sctp => sctp::listen(&[loopback], sctp::Settings::default()).unwrap(),
            _ => framed::listen(loopback).await.unwrap(),
        };
        println!("{address} {}", this_thread());
        // It lives as long as somebody holds its standard input.
        std::thread::spawn(|| {
            let _ = std::io::stdin().read(&mut [0]);
            std::process::exit(0);
        });
        serve(endpoint, load).await;
    });
}

/// A running core, seen from the simulator.
struct Running {
    task: String,
    child: Option<Child>,
}

impl Running {
    /// Time on a processor so far.
    fn spent(&self) -> Duration {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", self.task)).unwrap();
        Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
    }
    /// Resident bytes of its process.
    fn resident(&self) -> u64 {
        let process = self.task.split('/').next().unwrap();
        let text = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap();
        text.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Starts a core and connects the gNBs to it.
async fn start(load: &Load) -> (Running, Links) {
    let mut links = Links::default();
    if load.transport == Transport::Memory {
        let (send, receive) = std::sync::mpsc::channel();
        let load = *load;
        std::thread::spawn(move || {
            runtime().block_on(async {
                // Both halves of the transport run beside the core and are counted with it.
                let (endpoint, exchange) = memory::listen();
                let gnbs: Vec<Endpoint> = (0..load.gnbs).map(|n| exchange.connect(&format!("gnb-{n}"))).collect();
                send.send((this_thread(), gnbs)).unwrap();
                serve(endpoint, load).await;
            });
        });
        let (task, gnbs) = receive.recv().unwrap();
        gnbs.into_iter().for_each(|endpoint| links.add(endpoint));
        return (Running { task, child: None }, links);
    }
    let transport = if load.transport == Transport::Sctp { "sctp" } else { "framed" };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["core", "--transport", transport])
        .args(["--gnbs", &load.gnbs.to_string(), "--phones", &load.phones.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let (address, task) = line.trim().split_once(' ').unwrap();
    let address: SocketAddr = address.parse().unwrap();
    for _ in 0..load.gnbs {
        match load.transport {
            Transport::Sctp => links.add_sctp(&[address]).await.unwrap(),
            _ => links.add_framed(address).await.unwrap(),
        }
    }
    (Running { task: task.to_owned(), child: Some(child) }, links)
}

// ---- the simulator ----

fn populate(load: &Load, links: Links) -> World<Links> {
    let mut world = World::new(links, 5);
    for i in 0..load.gnbs {
        let mut config = GnbConfig::new(plmn(), i + 1, 1 + i % 2, [127, 0, 1, 1].into());
        config.inactivity = None;
        world.add_gnb(config).unwrap();
    }
    let key = home_key(false).public_key();
    let mut config = PhoneConfig::new(plmn(), Concealment::Ecies { id: 7, key: Arc::new(key) });
    one_session(&mut config);
    let config = Arc::new(config);
    for (i, card) in (0..).zip(cards(load.phones)) {
        let phone = Phone::new(Arc::clone(&config), card, &format!("35693803{i:06}01")).unwrap();
        world.add_phone(phone, GnbId(i % load.gnbs), now()).unwrap();
    }
    world
}

/// Steps until `over`, or panics when it takes too long.
async fn until(world: &mut World<Links>, load: &Load, mut over: impl FnMut(&mut World<Links>, Millis) -> bool) {
    let began = Instant::now();
    loop {
        let at = now();
        world.step(at);
        if over(world, at) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(load.timeout), "not over: {}", world.measure());
        tokio::task::yield_now().await;
        tokio::select! {
            () = world.wire.wait() => {}
            () = tokio::time::sleep(Duration::from_millis(2)) => {}
        }
    }
}

struct Done {
    wall: Duration,
    spent: Duration,
    resident: (u64, u64),
    failures: u64,
}

/// Runs a scenario; `rest`: all phones become idle at the end.
fn run(load: Load, scenario: Scenario, rest: bool) -> Done {
    runtime().block_on(async {
        let (core, links) = start(&load).await;
        let mut world = populate(&load, links);
        until(&mut world, &load, |world, _| world.is_ready()).await;
        let plan = Plan { scenario, per_second: 4000, cycles: load.cycles, hold: Duration::ZERO };
        let (before, resident, began) = (core.spent(), core.resident(), Instant::now());
        let mut driver = Driver::new(plan, &world, now());
        until(&mut world, &load, |world, at| {
            while driver.step(world, at) {
                world.step(at);
            }
            driver.settled_at().is_some()
        })
        .await;
        let (wall, spent) = (began.elapsed(), core.spent() - before);
        if rest {
            for id in 0..load.phones {
                world.go_idle(PhoneId(id), now());
            }
            let idle = |world: &mut World<Links>, _| world.gnbs().iter().all(|gnb| gnb.connected() == 0);
            until(&mut world, &load, idle).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let failures = world.measure().failed();
        if failures > 0 {
            println!("{}", world.measure());
        }
        Done { wall, spent, resident: (resident, core.resident()), failures }
    })
}

fn cycles(load: Load) {
    let done = run(load, Scenario::Cycle, false);
    let rounds = f64::from(load.phones * load.cycles);
    // The core of another process counts for itself.
    let opened = f64::from(OPENED.swap(0, Ordering::Relaxed));
    assert!(load.transport != Transport::Memory || opened >= rounds, "every registration has a SUCI to be opened");
    println!(
        "cycle over {:?}: {:.0} a second of one core ({:.0} us each, vault and transport included); {:.0} a second beside \
         the simulator, {} failures",
        load.transport,
        rounds / done.spent.as_secs_f64(),
        done.spent.as_secs_f64() * 1e6 / rounds,
        rounds / done.wall.as_secs_f64(),
        done.failures
    );
}

fn storm(load: Load) {
    let done = run(load, Scenario::Storm, false);
    println!(
        "storm of {} phones over {:?}: all there with their sessions after {:.1} s ({:.1} s of the core), {} failures",
        load.phones,
        load.transport,
        done.wall.as_secs_f64(),
        done.spent.as_secs_f64(),
        done.failures
    );
}

fn idle(load: Load) {
    let load = Load {
        transport: if load.transport == Transport::Memory { Transport::Framed } else { load.transport },
        ..load
    };
    let done = run(load, Scenario::Storm, true);
    println!(
        "registered and idle with a session: {} bytes resident for each of {} phones ({} MiB before, {} MiB after), {} failures",
        done.resident.1.saturating_sub(done.resident.0) / u64::from(load.phones),
        load.phones,
        done.resident.0 >> 20,
        done.resident.1 >> 20,
        done.failures
    );
}

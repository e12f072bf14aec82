//! Messages: accepted after a durable commit, then delivered, over authenticated WebSockets.
//!
//! Real clients enrol, log in, make the groups and encrypt. Then the benchmark takes over their sockets and plays the
//! encrypted messages, each time under a new message id, because MLS on the clients is not what is measured. The
//! server does exactly what it does for any client.

use crate::city::{City, Device, say};
use crate::clock::Moment;
use crate::report::{Latencies, Report};
use crate::tap::Mode;
use crate::{engine, machine};
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use pakawaaz_base::{Bytes, GroupId, MessageId};
use pakawaaz_client::transport::EventSocket as _;
use pakawaaz_client_native::transport::NativeSocket;
use pakawaaz_contract::frames::{ClientFrame, LogKind, ServerFrame};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::watch;

/// Messages each device encrypts beforehand; then it starts again with the first.
const RECORDED: usize = 32;
/// A device acknowledges after so many entries.
const ACK_EVERY: u64 = 64;
const WARM_UP: Duration = Duration::from_secs(1);
/// How long messages on their way may take to arrive once nobody sends any more.
const DRAIN: Duration = Duration::from_secs(20);

/// Messages through the server.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// One-to-one conversations; both sides send.
    #[arg(long, default_value_t = 50)]
    pairs: usize,
    /// Messages of one device that may wait for their acceptance at full rate.
    #[arg(long, default_value_t = 16)]
    window: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Characters of a message's text.
    #[arg(long, default_value_t = 120)]
    text: usize,
    /// Folder on the disk to measure; default: the folder for temporary files.
    #[arg(long)]
    data_in: Option<PathBuf>,
}

/// What every device is to do.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pace {
    Rest,
    /// As fast as acceptances allow.
    Window(usize),
    /// One message in each interval.
    Every(Duration),
}

/// Counts over all devices.
#[derive(Default)]
struct Counts {
    accepted: Cell<u64>,
    delivered: Cell<u64>,
    sent: Cell<u64>,
    acceptance: RefCell<Latencies>,
    delivery: RefCell<Latencies>,
    /// Message ids on their way to the other device, with the moment they were sent.
    under_way: RefCell<HashMap<MessageId, Moment>>,
    rejected: RefCell<BTreeMap<String, u64>>,
    broken: RefCell<Option<String>>,
}

fn more(cell: &Cell<u64>) {
    cell.set(cell.get() + 1);
}

/// One device: an authenticated socket and what it can say.
struct Seat {
    socket: NativeSocket,
    number: u32,
    group: GroupId,
    epoch: u64,
    messages: Vec<Bytes>,
    counts: Rc<Counts>,
    next: u64,
    in_flight: HashMap<u64, Moment>,
    unacked: u64,
}

impl Seat {
    async fn live(mut self, mut pace: watch::Receiver<Pace>) {
        if let Err(e) = self.run(&mut pace).await {
            *self.counts.broken.borrow_mut() = Some(format!("{e:#}"));
        }
    }

    async fn run(&mut self, pace: &mut watch::Receiver<Pace>) -> Result<()> {
        let mut timer = tokio::time::interval(Duration::from_secs(3600));
        loop {
            let now = *pace.borrow();
            if let Pace::Window(window) = now {
                while self.in_flight.len() < window {
                    self.send().await?;
                }
            }
            tokio::select! {
                received = self.socket.recv() => {
                    let bytes = received?.context("the server closed a socket")?;
                    self.take(&bytes).await?;
                }
                _ = timer.tick(), if matches!(now, Pace::Every(_)) => self.send().await?,
                changed = pace.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    if let Pace::Every(interval) = *pace.borrow() {
                        // Devices start at different moments of the interval, as people would.
                        let start = interval.mul_f64(f64::from(self.number % 997) / 997.0);
                        timer = tokio::time::interval_at(tokio::time::Instant::now() + start, interval);
                    }
                }
            }
        }
    }

    async fn send(&mut self) -> Result<()> {
        self.next += 1;
        let mut id = [0xa5u8; 16];
        id[..4].copy_from_slice(&self.number.to_be_bytes());
        id[8..].copy_from_slice(&self.next.to_be_bytes());
        let message = MessageId::from_bytes(id);
        let mls = self.messages[self.next as usize % self.messages.len()].clone();
        let frame = ClientFrame::Send { request: self.next, group: self.group, message, epoch: self.epoch, mls };
        let now = Moment::now();
        self.in_flight.insert(self.next, now);
        self.counts.under_way.borrow_mut().insert(message, now);
        more(&self.counts.sent);
        Ok(self.socket.send(frame.encode()).await?)
    }

    async fn take(&mut self, bytes: &[u8]) -> Result<()> {
        match ServerFrame::decode(bytes)? {
            ServerFrame::Accepted { request, .. } => {
                if let Some(at) = self.in_flight.remove(&request) {
                    more(&self.counts.accepted);
                    self.counts.acceptance.borrow_mut().push(at.elapsed());
                }
            }
            ServerFrame::Rejected { request, code, .. } => {
                self.in_flight.remove(&request);
                *self.counts.rejected.borrow_mut().entry(code).or_default() += 1;
            }
            ServerFrame::Log(entry) if entry.kind == LogKind::Application => {
                // The sender may see its own entry again; only the other device's counts as delivered.
                if entry.message.as_bytes()[..4] != self.number.to_be_bytes()
                    && let Some(at) = self.counts.under_way.borrow_mut().remove(&entry.message)
                {
                    more(&self.counts.delivered);
                    self.counts.delivery.borrow_mut().push(at.elapsed());
                }
                self.unacked += 1;
                if self.unacked >= ACK_EVERY {
                    self.unacked = 0;
                    let ack = ClientFrame::Ack { groups: vec![(self.group, entry.seq)], inbox: 0 };
                    self.socket.send(ack.encode()).await?;
                }
            }
            ServerFrame::Closing { code } => anyhow::bail!("the server closed a socket: {code}"),
            _ => {}
        }
        Ok(())
    }
}

/// Runs the benchmark.
pub async fn run(options: &Options) -> Result<Report> {
    ensure!(options.pairs > 0 && options.window > 0 && options.seconds > 0, "counts must be at least 1");
    let lasts = Duration::from_secs(options.seconds);
    machine::allow_files(4096 + 4 * options.pairs)?;
    let city = City::build(2 * options.pairs, options.data_in.as_deref()).await?;
    say(&format!("making {} conversations, encrypting", options.pairs))?;
    let seats: Vec<Vec<Prepared>> = stream::iter(city.officials.chunks(2))
        .map(|pair| prepare(pair, options.text))
        .buffered(4)
        .try_collect()
        .await?;

    let counts = Rc::new(Counts::default());
    let (pace, _) = watch::channel(Pace::Rest);
    let mut size = 0;
    for (number, prepared) in seats.into_iter().flatten().enumerate() {
        size = size.max(prepared.messages.iter().map(|m| m.len()).max().unwrap_or(0));
        let seat = Seat {
            socket: prepared.device.socket().await?,
            number: number as u32,
            group: prepared.group,
            epoch: prepared.epoch,
            messages: prepared.messages,
            counts: Rc::clone(&counts),
            next: 0,
            in_flight: HashMap::new(),
            unacked: 0,
        };
        tokio::task::spawn_local(seat.live(pace.subscribe()));
    }

    say("full rate")?;
    let full = measure(&city, &counts, &pace, Pace::Window(options.window), lasts).await?;
    let devices = 2 * options.pairs;
    say("half rate")?;
    let interval = Duration::from_secs_f64(devices as f64 / (full.accepted / 2.0).max(1.0));
    let half = measure(&city, &counts, &pace, Pace::Every(interval), lasts).await?;
    say("the engine alone")?;
    let (dir, groups, in_flight) = (city.server.dir().to_owned(), options.pairs, devices * options.window);
    let raw =
        tokio::task::spawn_blocking(move || engine::rows_per_second(&dir, groups, in_flight, size, lasts)).await??;

    let mut report = Report::new("messages");
    report.add("accepted", "Accepted after durable commit, full rate", full.accepted, "/s");
    report.add("delivered", "Delivered to the other device, full rate", full.delivered, "/s");
    for (name, key50, key99, rate, delivery) in [
        ("full", "accept_p50_full", "accept_p99_full", &full.acceptance, false),
        ("full", "deliver_p50_full", "deliver_p99_full", &full.delivery, true),
        ("half", "accept_p50_half", "accept_p99_half", &half.acceptance, false),
        ("half", "deliver_p50_half", "deliver_p99_half", &half.delivery, true),
    ] {
        let what = if delivery { "Delivered" } else { "Accepted" };
        let mut latencies = rate.clone();
        report.add(key50, &format!("{what}, {name} rate, p50"), latencies.quantile_ms(0.5), "ms");
        report.add(key99, &format!("{what}, {name} rate, p99"), latencies.quantile_ms(0.99), "ms");
    }
    report.add("half_accepted", "Accepted, half rate", half.accepted, "/s");
    report.add("half_delivered", "Delivered, half rate", half.delivered, "/s");
    report.add("engine", "Engine's raw group commit in the same run", raw, "rows/s");
    report.add("ratio", "Accepted as a share of it", 100.0 * full.accepted / raw, "%");
    report.add("server_cpu", "Server CPU for a message, full rate", full.cpu_us, "µs");
    report.add("size", "Encrypted message", size as f64, "bytes");
    report.add("devices", "Devices, all sending and receiving", devices as f64, "");
    report.note(
        "The load generator runs on the same machine and takes its share of the cores; clients encrypted beforehand.",
    );
    machine::describe(&mut report);
    Ok(report)
}

struct Measured {
    accepted: f64,
    delivered: f64,
    acceptance: Latencies,
    delivery: Latencies,
    cpu_us: f64,
}

async fn measure(
    city: &City,
    counts: &Counts,
    pace: &watch::Sender<Pace>,
    what: Pace,
    lasts: Duration,
) -> Result<Measured> {
    let _ = pace.send(what);
    tokio::time::sleep(WARM_UP).await;
    let (started, cpu) = (Moment::now(), machine::cpu_time(city.server.pid()?)?);
    let (accepted, delivered) = (counts.accepted.get(), counts.delivered.get());
    *counts.acceptance.borrow_mut() = Latencies::default();
    *counts.delivery.borrow_mut() = Latencies::default();
    tokio::time::sleep(lasts).await;
    let seconds = started.elapsed().as_secs_f64();
    let (accepted, delivered) = (counts.accepted.get() - accepted, counts.delivered.get() - delivered);
    let cpu = machine::cpu_time(city.server.pid()?)?.saturating_sub(cpu);
    let (acceptance, delivery) = (counts.acceptance.borrow().clone(), counts.delivery.borrow().clone());
    let _ = pace.send(Pace::Rest);
    let resting = Moment::now();
    while counts.delivered.get() < counts.sent.get() {
        if let Some(error) = counts.broken.borrow().as_deref() {
            anyhow::bail!("{error}");
        }
        ensure!(
            resting.elapsed() < DRAIN,
            "{} of {} messages did not arrive; refused: {:?}",
            counts.sent.get() - counts.delivered.get(),
            counts.sent.get(),
            counts.rejected.borrow()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ensure!(acceptance.len() > 0, "nothing was accepted");
    Ok(Measured {
        accepted: accepted as f64 / seconds,
        delivered: delivered as f64 / seconds,
        acceptance,
        delivery,
        cpu_us: cpu.as_secs_f64() * 1e6 / accepted as f64,
    })
}

struct Prepared {
    device: Rc<Device>,
    group: GroupId,
    epoch: u64,
    messages: Vec<Bytes>,
}

/// A conversation of two, with messages of both encrypted in its present epoch.
async fn prepare(pair: &[Rc<Device>], text: usize) -> Result<Vec<Prepared>> {
    let [one, other] = pair else { anyhow::bail!("pairs are of two") };
    // The other side publishes its key packages first.
    other.sync().await.context("publishing key packages")?;
    let group = one.client.new_conversation(&[other.official], None).await.context("a conversation")?;
    let mut before = 0;
    for _ in 0..10 {
        one.sync().await?;
        other.sync().await?;
        let epochs = [epoch(one, group).await?, epoch(other, group).await?];
        if epochs[0] > 0 && epochs[0] == epochs[1] && epochs[0] == before {
            break;
        }
        before = epochs[0];
    }
    let mut prepared = Vec::new();
    for device in [one, other] {
        let (epoch, messages) = record(device, group, text).await?;
        ensure!(epoch == before, "the conversation changed while messages were encrypted");
        prepared.push(Prepared { device: Rc::clone(device), group, epoch, messages });
    }
    Ok(prepared)
}

async fn epoch(device: &Device, group: GroupId) -> Result<u64> {
    let all = device.client.conversations().await?;
    Ok(all.iter().find(|c| c.group == group).map_or(0, |c| c.epoch))
}

async fn record(device: &Device, group: GroupId, text: usize) -> Result<(u64, Vec<Bytes>)> {
    for n in 0..RECORDED {
        device.client.send(group, &format!("{n:0text$}")).await?;
    }
    device.tap.mode.set(Mode::Record);
    let all = async {
        while device.tap.recorded.borrow().len() < RECORDED {
            device.tap.kept.notified().await;
        }
    };
    let mut ignore = |_| {};
    let ended = tokio::select! {
        ended = device.client.sync_once(&mut ignore) => ended,
        () = all => Ok(()),
    };
    device.tap.mode.set(Mode::Through);
    ended.context("encrypting")?;
    let frames = device.tap.recorded.take();
    let mut epoch = 0;
    let mut messages = Vec::with_capacity(frames.len());
    for frame in frames {
        if let ClientFrame::Send { epoch: e, mls, .. } = frame {
            epoch = e;
            messages.push(mls);
        }
    }
    ensure!(!messages.is_empty(), "the client encrypted nothing");
    Ok((epoch, messages))
}

//! What the user plane carries: in memory, and over TUN and UDP beside iperf3 over a plain TUN in the same run.

use crate::canary::packets::g_pdu;
use crate::lab::{self, Gnb, Lab, Namespace, Phone};
use crate::server::Forward;
use crate::tools;
use anyhow::{Context as _, Result};
use pakawaaz_base::Millis;
use pakawaaz_gtpu::PORT;
use pakawaaz_user_plane::allow_list::file;
use pakawaaz_user_plane::rules::{UserPlaneReply, UserPlaneRequest};
use pakawaaz_user_plane::{Limits, Sink, UserPlane, Verdict, packet};
use rand::rngs::OsRng;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Phones of the measurement in memory.
const PHONES: u16 = 10_000;

/// Measures and prints a table.
pub fn run(out: &mut dyn Write, seconds: u64, memory_only: bool) -> Result<()> {
    let for_each = Duration::from_secs(seconds);
    if cfg!(debug_assertions) {
        writeln!(out, "This is a debug build: the figures say little. Build with --release.")?;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    writeln!(out, "Load of this machine before: {}", load.split_whitespace().next().unwrap_or("unknown"))?;
    writeln!(out, "In memory, by the time that one core works on it, {PHONES} phones in turns:")?;
    for (what, uplink, payload) in [
        ("from phones, 64-byte payload", true, 64),
        ("from phones, 1350-byte payload", true, 1350),
        ("to phones, 64-byte payload", false, 64),
        ("to phones, 1350-byte payload", false, 1350),
    ] {
        let (packets, bytes, time) = in_memory(uplink, payload, for_each)?;
        let per_second = packets as f64 / time.as_secs_f64();
        let rate = 8.0 * bytes as f64 / time.as_secs_f64() / 1e9;
        let nanos = time.as_nanos() as f64 / packets as f64;
        writeln!(out, "  {what:<32} {per_second:>12.0} packets/s {rate:>8.2} Gbit/s {nanos:>7.0} ns each")?;
    }
    if memory_only {
        return Ok(());
    }
    if let Some(why) = lab::missing() {
        return Ok(writeln!(out, "Over TUN and UDP: not measured, {why}.")?);
    }
    if !tools::is_installed("iperf3") {
        return Ok(writeln!(out, "Over TUN and UDP: not measured, {}.", tools::missing("iperf3"))?);
    }
    real(out, seconds)
}

struct Nothing(u64);

impl Sink for Nothing {
    fn network(&mut self, packet: &[u8]) {
        self.0 += std::hint::black_box(packet).len() as u64;
    }
    fn gnb(&mut self, _: SocketAddr, _: u8, header: &[u8], packet: &[u8]) {
        std::hint::black_box(header);
        self.0 += std::hint::black_box(packet).len() as u64;
    }
    fn control(&mut self, _: UserPlaneReply) {}
}

struct Teids(Vec<u32>);

impl Sink for Teids {
    fn network(&mut self, _: &[u8]) {}
    fn gnb(&mut self, _: SocketAddr, _: u8, _: &[u8], _: &[u8]) {}
    fn control(&mut self, reply: UserPlaneReply) {
        if let UserPlaneReply::Established { uplink, .. } = reply {
            self.0.push(uplink.teid);
        }
    }
}

/// Packets, inner bytes and time of work.
fn in_memory(uplink: bool, payload: usize, limit: Duration) -> Result<(u64, u64, Duration)> {
    let own = IpAddr::from([127, 0, 0, 1]);
    let lists = file::parse(lab::ALLOW_LIST)?;
    let mut plane = UserPlane::new(own, Limits::default(), lists, Millis(0));
    let mut teids = Teids(Vec::new());
    for number in 0..PHONES {
        let [high, low] = (number + 2).to_be_bytes();
        let rules = lab::session(number.into(), &format!("10.45.{high}.{low}"), u32::from(number) + 1);
        plane.request(UserPlaneRequest::Establish(Box::new(rules)), Millis(0), &mut OsRng, &mut teids);
    }
    let gnb = SocketAddr::new(IpAddr::from([127, 0, 0, 2]), PORT);
    let mut out = Nothing(0);
    let mut prepared = Vec::new();
    for (number, teid) in (0..PHONES).zip(teids.0) {
        let [high, low] = (number + 2).to_be_bytes();
        let up = udp([10, 45, high, low], 40_000, [10, 99, 255, 1], 5000, payload);
        let down = udp([10, 99, 255, 1], 5000, [10, 45, high, low], 40_000, payload);
        let up = g_pdu(teid, 9, &up);
        // Opens the stream, so that what comes back is expected.
        anyhow::ensure!(plane.from_gnb(gnb, &up, Millis(0), &mut out) == Verdict::Forwarded, "a packet was refused");
        prepared.push(if uplink { up } else { down });
    }
    out.0 = 0;
    let (clock, before) = (Forward::begin(), worked());
    let mut packets = 0;
    while clock.now().as_u64() < limit.as_millis() as u64 {
        let now = clock.now();
        for bytes in &prepared {
            let verdict = if uplink {
                plane.from_gnb(gnb, bytes, now, &mut out)
            } else {
                plane.from_network(bytes, now, &mut out)
            };
            packets += u64::from(verdict == Verdict::Forwarded);
        }
    }
    Ok((packets, out.0, worked().saturating_sub(before)))
}

/// Time that this thread had a core: what others do on the machine changes it little.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// A UDP packet of IPv4 without UDP checksum.
fn udp(from: [u8; 4], source: u16, to: [u8; 4], port: u16, payload: usize) -> Vec<u8> {
    let length = 28 + payload;
    let mut out = vec![0; length];
    out[0] = 0x45;
    out[2..4].copy_from_slice(&(length as u16).to_be_bytes());
    out[8] = 64;
    out[9] = packet::protocol::UDP;
    out[12..16].copy_from_slice(&from);
    out[16..20].copy_from_slice(&to);
    let sum = packet::checksum(&out[..20], 0);
    out[10..12].copy_from_slice(&sum.to_be_bytes());
    out[20..22].copy_from_slice(&source.to_be_bytes());
    out[22..24].copy_from_slice(&port.to_be_bytes());
    out[24..26].copy_from_slice(&(length as u16 - 20).to_be_bytes());
    out
}

/// Words for iperf3, and what they measure.
const MEASURED: &[(&str, &str)] = &[
    ("TCP from the phone", ""),
    ("TCP to the phone", "-R"),
    ("UDP from the phone, 1200 bytes", "-u -b 0 -l 1200"),
    ("UDP to the phone, 1200 bytes", "-u -b 0 -l 1200 -R"),
    ("UDP from the phone, 64 bytes", "-u -b 0 -l 64"),
];

fn real(out: &mut dyn Write, seconds: u64) -> Result<()> {
    writeln!(out, "iperf3 between a phone and a service, both with the kernel's stack, {seconds} s each:")?;
    let head = "received";
    writeln!(out, "  {:<32} {head:>34} {head:>34}", "")?;
    writeln!(out, "  {:<32} {:>34} {:>34}", "", "a TUN copied to a TUN", "TUN, gNB, GTP-U, user plane")?;
    let plain = Plain::new()?;
    let lab = Lab::new()?;
    let gnb = Gnb::new(&lab)?;
    let program = std::env::current_exe()?;
    let mut upf = lab.start(&program)?;
    let uplink = upf.establish(lab::session(1, "10.45.0.2", 1))?;
    let phone = Phone::new(gnb, uplink.teid, &["10.45.0.2/32"])?;
    for (what, words) in MEASURED {
        let baseline = iperf(&plain.near, &plain.far, "10.9.0.2", words, seconds)?;
        let ours = iperf(&phone.namespace, &lab.core, lab::SERVICE, words, seconds)?;
        let share = 100.0 * ours.bits_per_second / baseline.bits_per_second;
        writeln!(out, "  {what:<32} {:>34} {:>34} ({share:.0} %)", baseline.text(), ours.text())?;
    }
    Ok(())
}

struct Measured {
    bits_per_second: f64,
    packets_per_second: Option<f64>,
}

impl Measured {
    fn text(&self) -> String {
        let rate = format!("{:.2} Gbit/s", self.bits_per_second / 1e9);
        match self.packets_per_second {
            Some(packets) => format!("{rate}, {packets:.0} packets/s"),
            None => rate,
        }
    }
}

/// A server in one namespace and a client in another; what the receiver got.
fn iperf(client: &Namespace, server: &Namespace, address: &str, words: &str, seconds: u64) -> Result<Measured> {
    let mut serving = Ended(
        server
            .command("iperf3")
            .args(["-s", "-1", "-B", address])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?,
    );
    let arguments = format!("-c {address} -t {seconds} -J {words}");
    let mut answer = serde_json::Value::Null;
    // The server needs a moment, and says nothing when it is there.
    for _ in 0..50 {
        let (_, text) = client.run("iperf3", &arguments)?;
        answer = serde_json::from_str(&text).unwrap_or_default();
        if answer["end"]["sum_received"].is_object() || answer["end"]["sum"].is_object() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = serving.0.wait();
    let end = &answer["end"];
    let received = if end["sum_received"].is_object() { &end["sum_received"] } else { &end["sum"] };
    let bits_per_second = received["bits_per_second"].as_f64().context("iperf3 measured nothing")?;
    let packets_per_second = match (received["packets"].as_f64(), received["lost_packets"].as_f64()) {
        (Some(sent), Some(lost)) => {
            Some((sent - lost) / received["seconds"].as_f64().context("iperf3 measured nothing")?)
        }
        _ => None,
    };
    Ok(Measured { bits_per_second, packets_per_second })
}

/// A child that does not outlive us.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Two namespaces with a TUN device each, and threads that copy between them: what TUN costs without us.
struct Plain {
    near: Namespace,
    far: Namespace,
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Plain {
    fn new() -> Result<Self> {
        let (near, far) = (Namespace::new("near")?, Namespace::new("far")?);
        let a = Arc::new(lab::tun(&near, "plain", &["10.9.0.1/24"])?);
        let b = Arc::new(lab::tun(&far, "plain", &["10.9.0.2/24"])?);
        let stop = Arc::new(AtomicBool::new(false));
        let copies = [(a.clone(), b.clone()), (b, a)];
        let threads = copies.map(|(from, to)| {
            let stop = stop.clone();
            std::thread::spawn(move || copy(&from, &to, &stop))
        });
        Ok(Self { near, far, stop, threads: threads.into() })
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn copy(from: &tun_rs::SyncDevice, to: &tun_rs::SyncDevice, stop: &AtomicBool) {
    let mut bytes = vec![0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        if !lab::readable(from, Duration::from_millis(50)) {
            continue;
        }
        while let Ok(length) = from.recv(&mut bytes) {
            let _ = to.send(&bytes[..length]);
        }
    }
}

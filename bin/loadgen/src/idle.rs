//! Idle connected devices: the server's memory for each, and how fast all come back after the server was restarted.

use crate::city::{City, say};
use crate::clock::Moment;
use crate::machine;
use crate::report::{Latencies, Report};
use anyhow::{Result, ensure};
use futures::{StreamExt as _, stream};
use pakawaaz_client_native::transport::NativeSocket;
use std::rc::Rc;
use std::time::Duration;

/// Idle devices.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Devices.
    #[arg(long, default_value_t = 1000)]
    devices: usize,
    /// Devices that try to come back at the same time.
    #[arg(long, default_value_t = 256)]
    at_once: usize,
}

/// Pause before a failed attempt is repeated, and how often that is done.
const PAUSE: Duration = Duration::from_millis(250);
const ATTEMPTS: u32 = 20;
/// Until a started server is at rest.
const REST: Duration = Duration::from_secs(2);
/// Until what was only needed to connect is given back: the server keeps an idle HTTP connection for 15 seconds.
const SETTLE: Duration = Duration::from_secs(18);

/// Runs the benchmark.
pub async fn run(options: &Options) -> Result<Report> {
    ensure!(options.devices > 0 && options.at_once > 0, "counts must be at least 1");
    // Besides its socket a device keeps its HTTP connection until the server ends it, 15 seconds later.
    machine::allow_files(options.devices + options.devices.min(9_000) + 512)?;
    let mut city = City::build(options.devices, None).await?;
    say("each connects once")?;
    drop(connect_all(&city, options.at_once).await?);
    // A fresh process: what enrolment needed must not hide what connections need. It is also the storm's cause.
    city.server.start()?;
    tokio::time::sleep(REST).await;
    let before = machine::resident(city.server.pid()?)?;
    let cpu = machine::cpu_time(city.server.pid()?)?;
    say(&format!("{} devices come back", options.devices))?;
    let started = Moment::now();
    let Connected { sockets, mut each, retries } = connect_all(&city, options.at_once).await?;
    let storm = started.elapsed();
    let cpu = machine::cpu_time(city.server.pid()?)?.saturating_sub(cpu);
    tokio::time::sleep(SETTLE).await;
    let after = machine::resident(city.server.pid()?)?;
    let n = options.devices as f64;
    let refreshed: u32 = city.officials.iter().map(|d| d.tap.refreshes.get()).sum();

    let mut report = Report::new("idle");
    report.add("devices", "Idle connected devices", sockets.len() as f64, "");
    report.add("memory", "Server memory for each", after.saturating_sub(before) as f64 / n / 1024.0, "KiB");
    report.add("resident", "Server memory altogether", after as f64 / 1024.0 / 1024.0, "MiB");
    report.add("storm", "All back after a restart, by token", storm.as_secs_f64(), "s");
    report.add("storm_rate", "Devices coming back", n / storm.as_secs_f64(), "/s");
    report.add("storm_p99", "One device coming back, p99", each.quantile_ms(0.99), "ms");
    report.add("storm_cpu", "Server CPU for each", cpu.as_secs_f64() * 1000.0 / n, "ms");
    report.add("retries", "Attempts that failed and were repeated", f64::from(retries), "");
    report.add("refreshed", "Devices that had to renew their token first", f64::from(refreshed), "");
    report.note("Memory is the growth of the server's resident set from no connection to all, divided by all, 18 s after the storm.");
    report.note("Plain HTTP on loopback; the storm's time includes the clients' own work on the same machine.");
    machine::describe(&mut report);
    Ok(report)
}

struct Connected {
    sockets: Vec<NativeSocket>,
    each: Latencies,
    retries: u32,
}

/// Connects every device, as its client does: by token, and again when that failed for a moment.
async fn connect_all(city: &City, at_once: usize) -> Result<Connected> {
    let mut all = Connected { sockets: Vec::new(), each: Latencies::default(), retries: 0 };
    let mut coming = stream::iter(city.officials.iter().map(Rc::clone))
        .map(|device| async move {
            let at = Moment::now();
            let mut retries = 0;
            loop {
                match device.socket().await {
                    Ok(socket) => return Ok((socket, at.elapsed(), retries)),
                    Err(e) if retries == ATTEMPTS => return Err(e),
                    Err(_) => retries += 1,
                }
                tokio::time::sleep(PAUSE).await;
            }
        })
        .buffer_unordered(at_once);
    while let Some(connected) = coming.next().await {
        let (socket, took, retries) = connected?;
        all.sockets.push(socket);
        all.each.push(took);
        all.retries += retries;
    }
    Ok(all)
}

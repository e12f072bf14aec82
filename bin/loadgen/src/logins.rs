//! Full logins with password, SIM and device: three rounds, each a request, over a connection of its own.

use crate::city::{City, say};
use crate::clock::Moment;
use crate::machine;
use crate::report::{Latencies, Report};
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, stream};
use std::rc::Rc;

/// Logins.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Devices.
    #[arg(long, default_value_t = 50)]
    devices: usize,
    /// Logins of each device.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
}

/// Runs the benchmark.
pub async fn run(options: &Options) -> Result<Report> {
    ensure!(options.devices > 0 && options.rounds > 0, "counts must be at least 1");
    machine::allow_files(1024 + 2 * options.devices)?;
    let city = City::build(options.devices, None).await?;
    say("logging in")?;
    let (started, cpu) = (Moment::now(), machine::cpu_time(city.server.pid()?)?);
    let mut each = Latencies::default();
    let mut logins = stream::iter(city.officials.iter().map(Rc::clone))
        .map(|device| async move {
            let mut took = Vec::with_capacity(options.rounds);
            for _ in 0..options.rounds {
                let at = Moment::now();
                device.login().await.context("a login")?;
                took.push(at.elapsed());
            }
            anyhow::Ok(took)
        })
        .buffer_unordered(options.devices);
    while let Some(took) = logins.next().await {
        took?.into_iter().for_each(|one| each.push(one));
    }
    drop(logins);
    let seconds = started.elapsed().as_secs_f64();
    let cpu = machine::cpu_time(city.server.pid()?)?.saturating_sub(cpu).as_secs_f64();
    let n = each.len() as f64;

    let mut report = Report::new("logins");
    report.add("per_core", "Full logins for a second of server CPU (one core)", n / cpu, "/s");
    report.add("cpu", "Server CPU for one login", cpu * 1000.0 / n, "ms");
    report.add("rate", "Full logins, clients on the same machine", n / seconds, "/s");
    report.add("p50", "One login, p50", each.quantile_ms(0.5), "ms");
    report.add("p99", "One login, p99", each.quantile_ms(0.99), "ms");
    report.add("logins", "Logins", n, "");
    report.add("devices", "Devices at the same time", options.devices as f64, "");
    report.note("The client's password stretching (Argon2id) is set to its cheapest; the server does none.");
    report.note("Plain HTTP on loopback, so without the TLS handshake.");
    machine::describe(&mut report);
    Ok(report)
}

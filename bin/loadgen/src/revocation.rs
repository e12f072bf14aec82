//! Revocation: from the second administrator's approval to the end of the official's socket.

use crate::city::{City, say};
use crate::clock::Moment;
use crate::machine;
use crate::report::{Latencies, Report};
use anyhow::{Context as _, Result, ensure};
use pakawaaz_client::transport::EventSocket as _;
use pakawaaz_client_native::transport::NativeSocket;
use pakawaaz_trust::Subject;
use std::time::Duration;

/// Revocations.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Officials revoked, one after the other.
    #[arg(long, default_value_t = 20)]
    count: usize,
}

/// A socket that is still open after this is an error, not a figure.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs the benchmark.
pub async fn run(options: &Options) -> Result<Report> {
    ensure!(options.count > 0, "counts must be at least 1");
    let city = City::build(options.count, None).await?;
    say("revoking")?;
    let mut from_request = Latencies::default();
    let mut from_answer = Latencies::default();
    for device in &city.officials {
        let mut socket = device.socket().await?;
        let subject = Subject::Official(device.official);
        let proposal = city.first.client.propose_revocations(&[subject], 0).await.context("proposing")?;
        let requested = Moment::now();
        let approve = async {
            city.second.client.approve_proposal(proposal.proposal).await.context("approving")?;
            Ok(Moment::now())
        };
        let (answered, dead) = tokio::join!(approve, tokio::time::timeout(PATIENCE, closed(&mut socket)));
        let answered = answered as Result<Moment>;
        let dead = dead.context("a revoked official's socket stays open")?;
        let after_request = requested.elapsed().saturating_sub(dead.elapsed());
        from_request.push(after_request);
        from_answer.push(answered?.elapsed().saturating_sub(dead.elapsed()));
    }
    let mut report = Report::new("revocation");
    report.add("p50", "Approval requested to socket dead, p50", from_request.quantile_ms(0.5), "ms");
    report.add("max", "Approval requested to socket dead, slowest", from_request.quantile_ms(1.0), "ms");
    report.add("answer_max", "Approval answered to socket dead, slowest", from_answer.quantile_ms(1.0), "ms");
    report.add("count", "Revocations", from_request.len() as f64, "");
    report.note("One node, SQLite. Zero after the answer means that the socket died first.");
    machine::describe(&mut report);
    Ok(report)
}

/// When the server has ended the connection.
async fn closed(socket: &mut NativeSocket) -> Moment {
    while let Ok(Some(_)) = socket.recv().await {}
    Moment::now()
}

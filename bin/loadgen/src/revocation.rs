//! What ends a login, and how soon: an official or a card that is revoked, from the second administrator's approval; a phone
//! that says goodbye with its integrity protected, from the moment that it was said. Until the official's socket is dead and
//! their token, and its renewal, are refused.

use crate::city::{City, Device, say};
use crate::clock::Moment;
use crate::machine;
use crate::radio::{self, Radio};
use crate::report::{Latencies, Report};
use anyhow::{Context as _, Result, ensure};
use pakawaaz_client::ClientError;
use pakawaaz_client::transport::EventSocket as _;
use pakawaaz_client_native::transport::NativeSocket;
use pakawaaz_trust::Subject;
use std::time::Duration;

/// Revocations.
#[derive(clap::Args, Debug)]
pub struct Options {
    /// Officials cut off, one after the other.
    #[arg(long, default_value_t = 20)]
    count: usize,
    /// What cuts them off.
    #[arg(long, value_enum, default_value_t = By::Official)]
    by: By,
}

/// What ends a login.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The official is revoked.
    Official,
    /// Their card is revoked; its phone is registered in the server's own 5G core, and is detached too.
    Card,
    /// Their phone leaves that core: a deregistration under the phone's keys.
    Phone,
}

/// A socket that is still open after this is an error, not a figure.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two tries of a token.
const TRY_EVERY: Duration = Duration::from_millis(2);

/// Runs the benchmark.
pub async fn run(options: &Options) -> Result<Report> {
    ensure!(options.count > 0, "counts must be at least 1");
    match options.by {
        By::Official => official(options).await,
        by => with_phones(options, by).await,
    }
}

async fn official(options: &Options) -> Result<Report> {
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

/// By card or phone: a core in the server, and a simulated phone for each official.
async fn with_phones(options: &Options, by: By) -> Result<Report> {
    let (settings, core) = radio::settings()?;
    let city = City::build_with(options.count, None, settings).await?;
    let mut radio = Radio::connect(&city, core).await?;
    let cards = city.first.client.sims().await.context("listing cards")?.sims;
    say("phones register, and leave")?;
    let (mut dead, mut refused, mut detached) = (Latencies::default(), Latencies::default(), Latencies::default());
    for device in &city.officials {
        let usim = device.card();
        let imsi = usim.sim().imsi.as_str().to_owned();
        let phone = radio.phone(usim).await?;
        let mut socket = device.socket().await?;
        let mut proposal = None;
        if by == By::Card {
            let card = cards.iter().find(|card| card.imsi == imsi).context("a card that the server knows")?.sim;
            let subjects = [Subject::Sim(card)];
            proposal = Some(city.first.client.propose_revocations(&subjects, 0).await.context("proposing")?);
        }
        let began = Moment::now();
        if by == By::Phone {
            radio.deregister(phone);
        }
        let approve = async {
            if let Some(proposal) = proposal {
                city.second.client.approve_proposal(proposal.proposal).await.context("approving")?;
            }
            anyhow::Ok(())
        };
        let leaving = async {
            radio.gone(phone).await?;
            anyhow::Ok(Moment::now())
        };
        let socket_dead = tokio::time::timeout(PATIENCE, closed(&mut socket));
        let token_dead = tokio::time::timeout(PATIENCE, token_refused(device));
        let (approved, left, at_socket, at_token) = tokio::join!(approve, leaving, socket_dead, token_dead);
        approved?;
        let after = |at: Moment| began.elapsed().saturating_sub(at.elapsed());
        detached.push(after(left?));
        dead.push(after(at_socket.context("the socket stays open")?));
        refused.push(after(at_token.context("the token goes on being taken")??));
    }
    let (title, from) = match by {
        By::Phone => ("revocation by phone", "Deregistration sent"),
        By::Card | By::Official => ("revocation by card", "Approval requested"),
    };
    let mut report = Report::new(title);
    report.add("socket_p50", &format!("{from} to socket dead, p50"), dead.quantile_ms(0.5), "ms");
    report.add("socket_max", &format!("{from} to socket dead, slowest"), dead.quantile_ms(1.0), "ms");
    report.add("token_p50", &format!("{from} to token refused, p50"), refused.quantile_ms(0.5), "ms");
    report.add("token_max", &format!("{from} to token refused, slowest"), refused.quantile_ms(1.0), "ms");
    report.add("phone_max", &format!("{from} to the phone knowing, slowest"), detached.quantile_ms(1.0), "ms");
    report.add("count", "Logins ended", dead.len() as f64, "");
    report.note(
        "One node, SQLite, framed N2 on loopback, a simulated phone. A token is tried every few milliseconds; refused",
    );
    report.note("means that renewing it was refused as well.");
    machine::describe(&mut report);
    Ok(report)
}

/// When the server has refused the token, and its renewal, for good.
async fn token_refused(device: &Device) -> Result<Moment> {
    loop {
        match device.client.me().await {
            Err(ClientError::LoginRequired) => return Ok(Moment::now()),
            Err(e) if !e.is_temporary() => return Err(e).context("trying a token"),
            _ => tokio::time::sleep(TRY_EVERY).await,
        }
    }
}

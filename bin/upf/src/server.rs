//! The loop: packets, the control plane, time.

use crate::canary::desk::{Desk, Rounds};
use crate::canary::{self, Settings};
use crate::config::{Checked, Config};
use crate::control::{Event, Link};
use crate::forwarding::Wires;
use crate::metrics;
use crate::setup::Ready;
use anyhow::{Context as _, Result};
use pakawaaz_base::Millis;
use pakawaaz_user_plane::UserPlane;
use pakawaaz_user_plane::rules::{UserPlaneReply, UserPlaneRequest};
use rand::rngs::OsRng;
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::MissedTickBehavior;

const TICK: Duration = Duration::from_secs(1);
const METRICS_EVERY: u64 = 10;

/// Time that only goes forward, in the user plane's unit.
pub struct Forward(Instant);

impl Forward {
    /// Begins now.
    #[expect(clippy::disallowed_methods, reason = "the edge: here time comes from")]
    pub fn begin() -> Self {
        Self(Instant::now())
    }
    /// Since it began.
    pub fn now(&self) -> Millis {
        Millis(i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// Forwards until `stop` is there.
pub async fn run(config: &Config, checked: &Checked, ready: Ready, stop: impl Future<Output = ()>) -> Result<()> {
    let clock = Forward::begin();
    let Ready { n3, tun, listener, lists, canary: opened } = ready;
    let phones = lists.phones();
    let mut wires = Wires::new(n3, tun)?;
    let mut link = Link::new(listener, &config.link.uids)?;
    let mut plane = UserPlane::new(checked.n3.ip(), checked.limits.clone(), lists, clock.now());
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut alone = Alone::new(config.link.grace_seconds);
    let mut seconds = 0;
    let (mut desk, (asks, mut asked)) = (Desk::default(), tokio::sync::mpsc::channel(4));
    if let (Some(settings), Some(opened)) = (&checked.canary, opened) {
        let own = checked.inner.iter().map(|(address, _)| *address).collect();
        canary::start(Settings { phones, own, ..settings.clone() }, checked.n3, opened, asks)?;
    }
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            ready = wires.ready() => {
                ready.context("waiting for packets")?;
                wires.pump(&mut plane, clock.now()).context("reading packets")?;
            }
            event = link.event() => match event {
                Event::Connected => {
                    // Said to whoever is there when there is nothing to know: sessions that it believes in are gone.
                    if of_phones(&plane) == 0 {
                        wires.replies().push(UserPlaneReply::Restarted);
                    }
                    wires.with(|out| plane.remind(out));
                    if let Some(Settings { ipv4, ipv6, .. }) = checked.canary {
                        wires.replies().push(UserPlaneReply::Canary { ipv4, ipv6 });
                    }
                    desk.remind(&mut wires);
                    wires.replies().extend(plane.allow_lists().told().into_iter().map(UserPlaneReply::Allowed));
                }
                Event::Requests(requests) => {
                    for request in requests {
                        wires.with(|out| plane.request(request, clock.now(), &mut OsRng, out));
                    }
                }
                Event::Gone => {}
            },
            Some(ask) = asked.recv() => {
                let before = desk.rounds();
                desk.serve(ask, &mut plane, &mut wires, clock.now());
                if desk.rounds() != before {
                    write_metrics(config, &plane, &wires, link.is_connected(), Some(desk.rounds()));
                }
            }
            _ = ticks.tick() => {
                seconds += 1;
                wires.with(|out| plane.tick(clock.now(), out));
                if alone.second_passed(link.is_connected()) && of_phones(&plane) > 0 {
                    tracing::warn!("no control plane for too long: all sessions end");
                    wires.with(|out| plane.request(UserPlaneRequest::ReleaseAll, clock.now(), &mut OsRng, out));
                }
                if seconds % METRICS_EVERY == 1 {
                    write_metrics(config, &plane, &wires, link.is_connected(), checked.canary.is_some().then(|| desk.rounds()));
                }
            }
        }
        link.send(wires.replies());
    }
    tracing::info!("stopping");
    write_metrics(config, &plane, &wires, link.is_connected(), checked.canary.is_some().then(|| desk.rounds()));
    // What else was made belongs to the namespace and ends with the process.
    let _ = std::fs::remove_file(&config.link.socket);
    Ok(())
}

fn write_metrics(config: &Config, plane: &UserPlane, wires: &Wires, connected: bool, canary: Option<Rounds>) {
    let file = &config.metrics.file;
    if file.as_os_str().is_empty() {
        return;
    }
    if let Err(error) = metrics::write(file, &metrics::text(plane.counters(), wires.lost(), connected, canary)) {
        tracing::warn!(%error, "the metrics cannot be written");
    }
}

/// Sessions without the canary's.
fn of_phones(plane: &UserPlane) -> usize {
    plane.sessions() - usize::from(plane.usage(canary::SESSION).is_some())
}

/// How long there has been no control plane.
struct Alone {
    grace: u64,
    seconds: u64,
}

impl Alone {
    fn new(grace: u64) -> Self {
        Self { grace, seconds: 0 }
    }
    /// Whether the grace is over.
    fn second_passed(&mut self, connected: bool) -> bool {
        self.seconds = if connected { 0 } else { self.seconds + 1 };
        self.seconds > self.grace
    }
}

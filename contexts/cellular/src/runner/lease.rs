//! Has one node at a time run the core: waits for the lease, keeps it, and says at any time whether it still holds.

use super::writer::let_gnbs_go;
use super::{Health, Open};
use crate::model::lease::{Free, Held, Terms, Waiting};
use crate::{Cellular, CellularError, store};
use pakawaaz_base::{Millis, StableError as _};
use pakawaaz_n2::{Endpoint, Event, Sender};
use pakawaaz_storage::Engine;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Who this is among the nodes, and how long a lease lasts.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub name: String,
    pub terms: Terms,
}

/// A time in which this node runs the core. All clones are the same.
#[derive(Clone)]
pub(crate) struct Tenure {
    held: watch::Sender<Held>,
    began: Instant,
    /// Why it could be taken.
    pub why: Free,
    /// Cancelled when it is lost, or the core is to stop.
    pub over: CancellationToken,
}

impl Tenure {
    fn new(held: Held, began: Instant, why: Free, stop: &CancellationToken) -> Self {
        Self { held: watch::Sender::new(held), began, why, over: stop.child_token() }
    }

    /// For tests of what does not depend on it.
    #[cfg(test)]
    pub(super) fn alone(epoch: i64) -> Self {
        Self::new(Held::alone(epoch), Instant::now(), Free::GivenUp, &CancellationToken::new())
    }

    /// Which core this is.
    pub(crate) fn epoch(&self) -> i64 {
        self.held.borrow().epoch
    }

    /// Whether the core may act now.
    pub(crate) fn is_valid(&self) -> bool {
        self.held.borrow().is_valid(since(self.began))
    }

    /// Waits until the core may act; `false`: never again.
    pub(super) async fn valid(&self) -> bool {
        let mut held = self.held.subscribe();
        loop {
            if self.is_valid() {
                return true;
            }
            tokio::select! {
                () = self.over.cancelled() => return false,
                changed = held.changed() => if changed.is_err() { return false },
            }
        }
    }

    /// Somebody else has it: nothing of this core may happen any more.
    pub(super) fn lose(&self) {
        self.held.send_modify(|held| held.lost = true);
        self.over.cancel();
    }

    /// Whether somebody else has it.
    pub(super) fn is_lost(&self) -> bool {
        self.held.borrow().lost
    }
}

fn since(began: Instant) -> Millis {
    Millis(0).plus(began.elapsed())
}

/// Waits until this node may run the core. gNBs that connect meanwhile are sent away. None when it is to stop before that.
pub(super) async fn acquire(
    cellular: &Cellular,
    node: &Node,
    n2: &mut Endpoint,
    stop: &CancellationToken,
) -> Option<Tenure> {
    let (clock, mut waiting) = (Instant::now(), Waiting::new(node.terms));
    metrics::gauge!("pakawaaz_cellular_core_active").set(0.0);
    let mut told = false;
    loop {
        match attempt(cellular, node, &mut waiting, clock, stop).await {
            Ok(Some(tenure)) => return Some(tenure),
            Ok(None) if !told => {
                tracing::info!("another node runs the core; waiting");
                told = true;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(code = error.code(), "the core's lease cannot be read; will retry"),
        }
        if !wait(n2, node.terms.every().max(Duration::from_millis(50)), stop).await {
            return None;
        }
    }
}

async fn attempt(
    cellular: &Cellular,
    node: &Node,
    waiting: &mut Waiting,
    clock: Instant,
    stop: &CancellationToken,
) -> Result<Option<Tenure>, CellularError> {
    let db = &cellular.inner.db;
    let row = store::lease::get(db.read().await?.conn()).await?;
    // The file of an embedded database belongs to one process.
    let alone = db.engine() == Engine::Sqlite;
    let why = match waiting.see(&row, &node.name, since(clock)) {
        Some(why) => why,
        None if alone => Free::Own,
        None => return Ok(None),
    };
    let began = since(clock);
    let mut tx = db.begin().await?;
    if !store::lease::take(tx.conn(), &row, &node.name).await? {
        return Ok(None);
    }
    tx.commit().await?;
    let epoch = row.epoch + 1;
    if why == Free::Silent {
        metrics::counter!("pakawaaz_cellular_takeovers_total").increment(1);
        tracing::warn!(epoch, "the node that ran the core has fallen silent; this one takes over");
    }
    metrics::gauge!("pakawaaz_cellular_core_active").set(1.0);
    metrics::gauge!("pakawaaz_cellular_core_epoch").set(epoch as f64);
    let held = if alone { Held::alone(epoch) } else { Held::new(epoch, node.terms, began) };
    Ok(Some(Tenure::new(held, clock, why, stop)))
}

/// Waits a while, with whoever connects sent away. `false` when it is to stop.
pub(super) async fn wait(n2: &mut Endpoint, pause: Duration, stop: &CancellationToken) -> bool {
    let sender = n2.sender();
    let pause = tokio::time::sleep(pause);
    tokio::pin!(pause);
    loop {
        tokio::select! {
            () = stop.cancelled() => return false,
            () = &mut pause => return true,
            event = n2.next() => match event {
                Some(Event::Up { association, .. }) => sender.abort(association),
                Some(_) => {}
                None => {
                    tracing::error!("N2 has ended");
                    return false;
                }
            },
        }
    }
}

/// Keeps the lease until it is lost or the core ends. A core that cannot renew it in time lets its gNBs go and does nothing more
/// until it can; nobody else has begun until then, and if somebody has, that is found out here.
pub(super) async fn keep(
    cellular: Cellular,
    tenure: Tenure,
    terms: Terms,
    health: Arc<Health>,
    n2: Sender,
    open: Open,
) {
    if cellular.inner.db.engine() == Engine::Sqlite {
        return;
    }
    tokio::select! {
        () = tenure.over.cancelled() => {}
        () = renew_always(&cellular, &tenure, terms) => let_gnbs_go(&n2, &open),
        () = watch_end(&tenure, &health, &n2, &open) => {}
    }
}

/// Renews until somebody else has it.
async fn renew_always(cellular: &Cellular, tenure: &Tenure, terms: Terms) {
    let epoch = tenure.epoch();
    let mut began = since(tenure.began);
    loop {
        tokio::time::sleep(terms.pause(began, since(tenure.began))).await;
        began = since(tenure.began);
        match tokio::time::timeout(terms.holds(), renew(cellular, epoch)).await {
            Ok(Ok(true)) => tenure.held.send_modify(|held| held.renewed(began)),
            Ok(Ok(false)) => {
                tracing::error!(epoch, "another node has taken the core over");
                return tenure.lose();
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }
}

/// Notices at once that the lease has ended, also while an attempt to renew it goes on, and that it is there again.
async fn watch_end(tenure: &Tenure, health: &Health, n2: &Sender, open: &Open) {
    let mut changes = tenure.held.subscribe();
    loop {
        let left = changes.borrow_and_update().left(since(tenure.began));
        if health.lease(left.is_some()) && left.is_none() {
            tracing::warn!(epoch = tenure.epoch(), "the core's lease cannot be renewed; gNBs are let go until it can");
            let_gnbs_go(n2, open);
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(left.unwrap_or_default()), if left.is_some() => {}
        }
    }
}

async fn renew(cellular: &Cellular, epoch: i64) -> Result<bool, CellularError> {
    let mut tx = cellular.inner.db.begin().await?;
    let ours = store::lease::renew(tx.conn(), epoch).await?;
    tx.commit().await?;
    Ok(ours)
}

/// The core has ended in order: another one need not wait.
pub(super) async fn give_up(cellular: &Cellular, tenure: &Tenure) {
    let given = async {
        let mut tx = cellular.inner.db.begin().await?;
        store::lease::give_up(tx.conn(), tenure.epoch()).await?;
        Ok::<_, CellularError>(tx.commit().await?)
    };
    if given.await.is_err() {
        tracing::warn!("the core's lease could not be given up; another node has to wait for its end");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pakawaaz_n2::memory;
    use std::collections::HashSet;
    use std::sync::Mutex;

    /// It used to be noticed only when the attempt to renew was over: until then other signs of recovery let gNBs in, who had
    /// to go again a moment later.
    #[tokio::test(start_paused = true)]
    async fn a_lease_that_ends_while_it_is_being_renewed_is_over_at_once() {
        let terms = Terms::new(Duration::from_secs(6));
        let tenure =
            Tenure::new(Held::new(1, terms, Millis(0)), Instant::now(), Free::GivenUp, &CancellationToken::new());
        let (mut n2, exchange) = memory::listen();
        let mut gnb = exchange.connect("10.0.0.9:1234");
        assert!(matches!(gnb.next().await, Some(Event::Up { .. })));
        let Some(Event::Up { association, .. }) = n2.next().await else { panic!("no association") };
        let (health, open) = (Health::new(), Open::new(Mutex::new(HashSet::from([association]))));
        let mut good = health.good.subscribe();
        let (watched, sender) = (tenure.clone(), n2.sender());
        let watching = tokio::spawn({
            let (health, open) = (health.clone(), open.clone());
            async move { watch_end(&watched, &health, &sender, &open).await }
        });
        tokio::time::sleep(terms.holds() - Duration::from_millis(1)).await;
        assert!(*good.borrow_and_update() && gnb.try_next().is_none());
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert!(!*good.borrow_and_update());
        assert!(matches!(gnb.next().await, Some(Event::Down { .. })));
        // Contexts can be written again: that alone is not enough.
        health.writes(false);
        health.writes(true);
        assert!(!good.has_changed().unwrap());
        tenure.held.send_modify(|held| held.renewed(since(tenure.began)));
        good.changed().await.unwrap();
        assert!(*good.borrow());
        tenure.lose();
        good.changed().await.unwrap();
        assert!(!*good.borrow());
        watching.abort();
    }
}

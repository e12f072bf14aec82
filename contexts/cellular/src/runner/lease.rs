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
    let epoch = tenure.epoch();
    loop {
        tokio::select! {
            () = tenure.over.cancelled() => return,
            () = tokio::time::sleep(terms.every()) => {}
        }
        let began = since(tenure.began);
        let renewed = tokio::select! {
            () = tenure.over.cancelled() => return,
            renewed = tokio::time::timeout(terms.holds(), renew(&cellular, epoch)) => renewed,
        };
        match renewed {
            Ok(Ok(true)) => {
                tenure.held.send_modify(|held| held.renewed(began));
            }
            Ok(Ok(false)) => {
                tracing::error!(epoch, "another node has taken the core over");
                tenure.lose();
                return let_gnbs_go(&n2, &open);
            }
            Ok(Err(_)) | Err(_) => {}
        }
        let valid = tenure.is_valid();
        if health.lease(valid) && !valid {
            tracing::warn!(epoch, "the core's lease cannot be renewed; gNBs are let go until it can");
            let_gnbs_go(&n2, &open);
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

//! The task that performs what the core wants: first everything durable, then messages and requests, in their order.

use super::Open;
use super::rows::Rows;
use crate::Cellular;
use crate::CellularError;
use crate::model::alarms::Alarm;
use pakawaaz_base::StableError as _;
use pakawaaz_control_plane::io::Output;
use pakawaaz_n2::{Association, Sender};
use pakawaaz_user_plane::rules::UserPlaneRequest;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Batches that share a commit.
const AT_ONCE: usize = 512;
/// Failures until gNBs are let go.
const PATIENCE: u32 = 4;
/// Between two attempts to write, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What one input led to.
pub(super) struct Batch {
    /// In order.
    pub outputs: Vec<Output>,
    /// Alarms to write.
    pub alarms: Vec<Alarm>,
    /// Told when all of it is durable and sent.
    pub done: Option<oneshot::Sender<()>>,
}

pub(super) struct Writer {
    pub cellular: Cellular,
    pub n2: Sender,
    pub user_plane: mpsc::Sender<UserPlaneRequest>,
    /// Whether contexts can be written.
    pub healthy: watch::Sender<bool>,
    pub open: Open,
    pub stop: CancellationToken,
}

impl Writer {
    /// Until the core has ended and everything is done.
    pub(super) async fn run(self, mut batches: mpsc::Receiver<Batch>) {
        let mut together = Vec::new();
        while batches.recv_many(&mut together, AT_ONCE).await > 0 {
            let rows = Rows::of(&together, &self.cellular.inner.seal);
            if !rows.is_empty() && !self.write(&rows).await {
                // Stopping, and the database is gone: nothing of this has happened for anybody.
                return;
            }
            for batch in together.drain(..) {
                for output in batch.outputs {
                    self.perform(output).await;
                }
                if let Some(done) = batch.done {
                    let _ = done.send(());
                }
            }
        }
    }

    /// Writes until it is durable. `false` when it is to stop before that.
    async fn write(&self, rows: &Rows) -> bool {
        let (mut pause, longest) = PAUSES;
        let mut failures: u32 = 0;
        loop {
            let Err(error) = self.attempt(rows).await else { break };
            failures = failures.saturating_add(1);
            tracing::warn!(code = error.code(), failures, "contexts cannot be written; will retry");
            if failures == PATIENCE {
                self.healthy.send_replace(false);
                self.let_gnbs_go();
            }
            if self.stop.is_cancelled() && failures >= 2 {
                return false;
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(longest);
        }
        if failures >= PATIENCE {
            self.healthy.send_replace(true);
        }
        true
    }

    async fn attempt(&self, rows: &Rows) -> Result<(), CellularError> {
        let mut tx = self.cellular.inner.db.begin().await?;
        rows.write(&mut tx, self.cellular.now()).await?;
        Ok(tx.commit().await?)
    }

    /// Phones would wait for answers that do not come: gNBs that lose their core send them elsewhere, or bar the cell.
    fn let_gnbs_go(&self) {
        let open: Vec<Association> = self.open.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        for association in open {
            self.n2.abort(association);
        }
    }

    async fn perform(&self, output: Output) {
        match output {
            Output::Send { association, stream, bytes } => {
                // An association that has gone, or does not read, is announced as down.
                if self.n2.send(Association(association.0), stream, bytes).is_err() {
                    metrics::counter!("pakawaaz_cellular_unsent_total").increment(1);
                }
            }
            Output::Close { association } => self.n2.abort(Association(association.0)),
            Output::UserPlane(request) => {
                // Waits for room; the link ends only when we do.
                let _ = self.user_plane.send(request).await;
            }
            Output::Keep(_)
            | Output::Forget { .. }
            | Output::Fact(_)
            | Output::Alarm(_)
            | Output::Vault { .. }
            | Output::Traced { .. } => {}
        }
    }
}

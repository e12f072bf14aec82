//! The task that performs what the core wants: first everything durable, then messages and requests, in their order.

use super::rows::Rows;
use super::traces::EndedTrace;
use super::{Health, Open, Tenure};
use crate::Cellular;
use crate::CellularError;
use crate::model::alarms::Alarm;
use crate::net::link::Asked;
use crate::store;
use pakawaaz_base::StableError as _;
use pakawaaz_control_plane::io::Output;
use pakawaaz_n2::{Association, Sender};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
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
    /// The connection to the user plane that its requests are for.
    pub connection: u64,
    /// Alarms to write.
    pub alarms: Vec<Alarm>,
    /// Traces that have ended by themselves.
    pub ended_traces: Vec<EndedTrace>,
    /// Told when all of it is durable and sent.
    pub done: Option<oneshot::Sender<()>>,
}

pub(super) struct Writer {
    pub cellular: Cellular,
    pub n2: Sender,
    pub user_plane: mpsc::Sender<Asked>,
    pub health: Arc<Health>,
    pub open: Open,
    /// Without it nothing is written and nothing sent.
    pub tenure: Tenure,
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
                    // Looked at before each: a machine may be stopped between any two.
                    if !self.tenure.is_valid() && !self.tenure.valid().await {
                        return;
                    }
                    self.perform(output, batch.connection).await;
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
            if error == CellularError::Standby {
                tracing::error!("another node has taken the core over; nothing of this was written");
                self.tenure.lose();
                let_gnbs_go(&self.n2, &self.open);
                return false;
            }
            failures = failures.saturating_add(1);
            tracing::warn!(code = error.code(), failures, "contexts cannot be written; will retry");
            if failures == PATIENCE {
                self.health.writes(false);
                let_gnbs_go(&self.n2, &self.open);
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
            self.health.writes(true);
        }
        true
    }

    async fn attempt(&self, rows: &Rows) -> Result<(), CellularError> {
        let mut tx = self.cellular.inner.db.begin().await?;
        if !store::lease::fence(&mut tx, self.tenure.epoch()).await? {
            return Err(CellularError::Standby);
        }
        rows.write(&mut tx, self.cellular.now()).await?;
        Ok(tx.commit().await?)
    }

    async fn perform(&self, output: Output, connection: u64) {
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
                let _ = self.user_plane.send(Asked { connection, request }).await;
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

/// Phones would wait for answers that do not come: gNBs that lose their core send them elsewhere, or bar the cell.
pub(super) fn let_gnbs_go(n2: &Sender, open: &Open) {
    let open: Vec<Association> = open.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
    for association in open {
        n2.abort(association);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DrawnVector, HomeNetwork};
    use pakawaaz_base::Millis;
    use pakawaaz_base::time::ManualClock;
    use pakawaaz_control_plane::identifiers::{AssociationId, Imsi};
    use pakawaaz_control_plane::io::{UeSnapshot, VaultRefusal, VaultRequest};
    use pakawaaz_login::SealKey;
    use pakawaaz_n2::{Event, memory};
    use pakawaaz_storesuite::{Db, Engine};
    use pakawaaz_user_plane::rules::UserPlaneRequest;

    struct Nobody;

    #[async_trait::async_trait]
    impl HomeNetwork for Nobody {
        async fn vector(&self, _: VaultRequest) -> Result<DrawnVector, VaultRefusal> {
            Err(VaultRefusal::Unknown)
        }
    }

    async fn count(db: &Db, sql: &'static str) -> i64 {
        let (count,): (i64,) = sqlx::query_as(sql).fetch_one(db.read().await.unwrap().conn()).await.unwrap();
        count
    }

    /// The database itself holds the commit back, for as long as the test likes: no clock decides.
    #[test]
    fn nothing_leaves_before_what_it_follows_is_durable() {
        let migrations = [pakawaaz_audit::MIGRATIONS, crate::MIGRATIONS].concat();
        pakawaaz_storesuite::run(Engine::Postgres, &migrations, |db| async move {
            let clock = Arc::new(ManualClock::at(Millis(1_800_000_000_000)));
            let (seal, home) = (SealKey::new([7; 32]), Arc::new(Nobody));
            let cellular = Cellular::start(db.clone(), clock, seal, home).await.unwrap();
            let (mut n2, exchange) = memory::listen();
            let mut gnb = exchange.connect("10.0.0.9:1234");
            let Some(Event::Up { association, .. }) = n2.next().await else { panic!("no association") };
            assert!(matches!(gnb.next().await, Some(Event::Up { .. })));
            let (user_plane, mut requests) = mpsc::channel(8);
            let (batches, batched) = mpsc::channel(8);
            let writer = Writer {
                cellular,
                n2: n2.sender(),
                user_plane,
                health: Health::new(),
                open: Open::default(),
                tenure: Tenure::alone(0),
                stop: CancellationToken::new(),
            };
            let mut holding = db.begin().await.unwrap();
            sqlx::query("LOCK TABLE cellular_ue IN EXCLUSIVE MODE").execute(holding.conn()).await.unwrap();
            let writing = tokio::spawn(writer.run(batched));
            let snapshot =
                UeSnapshot { imsi: Imsi::new("410990000000001").unwrap(), tmsi: 9, context: vec![1, 2, 3].into() };
            let (done, mut told) = oneshot::channel();
            let outputs = vec![
                Output::Keep(Box::new(snapshot)),
                Output::Send { association: AssociationId(association.0), stream: 0, bytes: vec![1] },
                Output::UserPlane(UserPlaneRequest::ReleaseAll),
            ];
            let (alarms, ended_traces) = (Vec::new(), Vec::new());
            batches.send(Batch { outputs, connection: 3, alarms, ended_traces, done: Some(done) }).await.unwrap();
            let waits = "SELECT COUNT(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
                         WHERE NOT l.granted AND c.relname = 'cellular_ue'";
            while count(&db, waits).await == 0 {
                tokio::task::yield_now().await;
            }
            assert!(gnb.try_next().is_none() && requests.try_recv().is_err() && told.try_recv().is_err());
            holding.rollback().await.unwrap();
            assert!(matches!(gnb.next().await, Some(Event::Message { bytes, .. }) if bytes == [1]));
            assert_eq!(count(&db, "SELECT COUNT(*) FROM cellular_ue").await, 1, "durable when it leaves");
            let asked = Asked { connection: 3, request: UserPlaneRequest::ReleaseAll };
            assert_eq!(requests.recv().await, Some(asked));
            told.await.unwrap();
            drop(batches);
            writing.await.unwrap();
        });
    }
}

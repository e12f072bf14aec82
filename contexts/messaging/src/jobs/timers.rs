//! Removals that are due, and things that have had their time.

use crate::store::{groups, key_packages};
use crate::{Messaging, MessagingError};
use pakawaaz_base::StableError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often due removals are looked for without being told (by a restart or another node).
const REMOVALS: Duration = Duration::from_secs(1);
/// How often expired rows are deleted.
const PRUNE: Duration = Duration::from_secs(3600);
/// How long an epoch's tree is kept for those who were welcomed into it.
const TREE_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Runs until `shutdown`.
pub async fn run(messaging: Messaging, shutdown: CancellationToken) {
    let mut prune = tokio::time::interval(PRUNE);
    prune.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let result = tokio::select! {
            () = shutdown.cancelled() => {
                // What is lost here is only sent again.
                let _ = messaging.store_acknowledged().await;
                return;
            }
            _ = prune.tick() => messaging.prune().await.map(|_| ()),
            () = messaging.inner.removals.notified() => messaging.propose_removals().await.map(|_| ()),
            () = tokio::time::sleep(REMOVALS) => messaging.propose_removals().await.map(|_| ()),
        };
        if let Err(error) = result {
            tracing::warn!(code = error.code(), "messaging job failed; will retry");
        }
    }
}

impl Messaging {
    /// Deletes expired key packages and old trees; returns the number of rows.
    pub async fn prune(&self) -> Result<u64, MessagingError> {
        let now = self.now();
        let mut tx = self.inner.db.begin().await?;
        let mut rows = key_packages::prune(tx.conn(), now).await?;
        rows += groups::prune_trees(tx.conn(), now.minus(TREE_LIFE)).await?;
        tx.commit().await?;
        Ok(rows)
    }
}

//! What runs beside the requests: `bin/server` starts it once.

use crate::Files;
use pakawaaz_base::StableError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often ended files are deleted.
const PURGE: Duration = Duration::from_secs(600);
/// How often blobs and rows are compared.
const SCAN: Duration = Duration::from_secs(24 * 3600);
/// The first comparison waits for the start to be over.
const FIRST_SCAN: Duration = Duration::from_secs(300);

/// Runs until `shutdown`.
pub async fn run(files: Files, shutdown: CancellationToken) {
    let mut purge = tokio::time::interval(PURGE);
    let mut scan = tokio::time::interval_at(tokio::time::Instant::now() + FIRST_SCAN, SCAN);
    purge.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    scan.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let result = tokio::select! {
            () = shutdown.cancelled() => return,
            _ = purge.tick() => files.purge().await.map(drop),
            _ = scan.tick() => files.scan().await.map(drop),
        };
        if let Err(error) = result {
            tracing::warn!(code = error.code(), "files job failed; will retry");
        }
    }
}

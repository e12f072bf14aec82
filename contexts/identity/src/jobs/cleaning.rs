//! Deletes what has expired, once a minute.

use crate::Identity;
use pakawaaz_base::StableError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);

/// Runs until `shutdown`.
pub async fn run(identity: Identity, shutdown: CancellationToken) {
    loop {
        if let Err(error) = identity.clean().await {
            tracing::warn!(code = error.code(), "cleaning failed; will retry");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

//! Marks appointments that are over, once a minute. Nobody is shown as a holder meanwhile: reading looks at the clock.

use crate::Directory;
use pakawaaz_base::StableError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(60);

/// Runs until `shutdown`.
pub async fn run(directory: Directory, shutdown: CancellationToken) {
    loop {
        match directory.end_expired().await {
            Ok(0) => {}
            Ok(ended) => tracing::info!(ended, "appointments expired"),
            Err(error) => tracing::warn!(code = error.code(), "ending appointments failed; will retry"),
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

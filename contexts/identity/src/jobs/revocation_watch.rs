//! Asks for new revocations five times a second. A lost wake-up cannot matter: there are none.

use crate::Identity;
use pakawaaz_base::StableError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(200);
/// An answer that takes longer than this counts as none; the next question may find a working connection.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Runs until `shutdown`. While the database does not answer, tokens stop being believed after two seconds.
pub async fn run(identity: Identity, shutdown: CancellationToken) {
    let mut failing = false;
    loop {
        let failure = match tokio::time::timeout(PATIENCE, identity.follow_revocations()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.code()),
            Err(_) => Some("identity.revocations_slow"),
        };
        metrics::gauge!("pakawaaz_identity_revocations_stale").set(f64::from(u8::from(failure.is_some())));
        match failure {
            Some(code) if !failing => tracing::error!(code, "revocations cannot be read: nobody is let in"),
            None if failing => tracing::info!("revocations are read again"),
            _ => {}
        }
        failing = failure.is_some();
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

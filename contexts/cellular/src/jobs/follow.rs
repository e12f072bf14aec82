//! Obeys what this or another node has written: cards to detach, another network; and forgets old alarms and keys.

use crate::{Cellular, CellularError};
use pakawaaz_base::StableError;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Bounds the delay for what another node wrote.
const POLL: Duration = Duration::from_millis(250);
/// Polls between two looks at the network.
const NETWORK_EVERY: u32 = 4;
/// Polls between two deletions of old alarms: an hour.
const PRUNE_EVERY: u32 = 4 * 3600;
/// Alarms that were cleared are kept this long.
const KEEP_ALARMS: Duration = Duration::from_secs(90 * 86_400);

/// Runs until `stop`.
pub async fn run(cellular: Cellular, stop: CancellationToken) {
    let mut round: u32 = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = cellular.inner.cuts.notified() => {}
            () = tokio::time::sleep(POLL) => {}
        }
        round = round.wrapping_add(1);
        match step(&cellular, round).await {
            // The core is being stopped, or not started yet.
            Ok(()) | Err(CellularError::Off | CellularError::Standby) => {}
            Err(error) => tracing::warn!(code = error.code(), "cellular job failed; will retry"),
        }
    }
}

async fn step(cellular: &Cellular, round: u32) -> Result<(), CellularError> {
    cellular.detach_cut_cards().await?;
    if round.is_multiple_of(NETWORK_EVERY) {
        cellular.follow_network().await?;
    }
    if round.is_multiple_of(PRUNE_EVERY) {
        cellular.prune_alarms(cellular.now().minus(KEEP_ALARMS)).await?;
        cellular.prune_akma().await?;
    }
    Ok(())
}

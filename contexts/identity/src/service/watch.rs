//! Following the revocation sequence: what ends anywhere ends here within a quarter second.

use super::Identity;
use crate::error::Result;
use crate::model::live::Ended;
use crate::store::{devices, revocations, roles};
use pakawaaz_http::CloseReason;
use pakawaaz_login::token::ACCESS_LIFETIME;
use std::time::Duration;

/// Ends are kept in memory for as long as a token issued before them could live, and a margin for clocks.
const REMEMBER: Duration = Duration::from_secs(ACCESS_LIFETIME.as_secs() + 5 * 60);

impl Identity {
    /// Takes in everything committed so far. Called by the watch, and by this node after its own revocations.
    pub async fn follow_revocations(&self) -> Result<()> {
        let _one_at_a_time = self.inner.following.lock().await;
        // Taken before the read: the view is complete as of this moment.
        let asked_at = self.now();
        let mut read = self.db().read().await?;
        let first_time = !self.live().fresh(asked_at, Duration::MAX);
        if first_time {
            let from = revocations::position_before(read.conn(), asked_at.minus(REMEMBER)).await?;
            let (all, pending) = (roles::all(read.conn()).await?, roles::pending_devices(read.conn()).await?);
            let mut live = self.live_mut();
            live.start_at(from);
            live.set_roles(all, pending);
        }
        loop {
            let seen = self.live().seen();
            let events = revocations::after(read.conn(), seen).await?;
            if events.is_empty() {
                break;
            }
            if events.iter().any(|e| matches!(e.what, Ended::Roles(_) | Ended::Official(_))) {
                // Read after the events, so at least as new as they are.
                let (all, pending) = (roles::all(read.conn()).await?, roles::pending_devices(read.conn()).await?);
                self.live_mut().set_roles(all, pending);
            }
            // Cutting a device ends its sessions as well; its socket hears the graver of the two, whichever is first.
            let cut: std::collections::HashSet<_> =
                events.iter().filter(|e| !matches!(e.what, Ended::Session(_))).filter_map(|e| e.device).collect();
            for event in &events {
                if !self.live_mut().apply(event) {
                    continue;
                }
                metrics::counter!("pakawaaz_identity_revocations_total").increment(1);
                let reason = match event.what {
                    Ended::Session(_) if !event.device.is_some_and(|d| cut.contains(&d)) => CloseReason::LoggedOut,
                    _ => CloseReason::Revoked,
                };
                if let Some(device) = event.device {
                    self.inner.closer.close(device, reason);
                }
                if let Ended::Official(official) = event.what {
                    for device in devices::of_official(read.conn(), official).await? {
                        self.inner.closer.close(device.device, CloseReason::Revoked);
                    }
                }
            }
        }
        let mut live = self.live_mut();
        live.confirm(asked_at);
        live.forget_before(asked_at.minus(REMEMBER));
        Ok(())
    }

    /// Whether revocations were read lately; `/readyz` asks.
    pub fn revocations_fresh(&self) -> bool {
        self.live().fresh(self.now(), super::STALE_AFTER)
    }
}

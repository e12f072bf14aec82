//! Deleting what has expired, ending what has aged, and noticing a clock that was set back.

use super::Identity;
use super::cut::Cut;
use crate::error::Result;
use crate::store::{self, attempts, proposals, sessions};
use std::time::Duration;

/// Ended sessions are kept this long for whoever asks what happened.
const KEEP_SESSIONS: Duration = Duration::from_secs(30 * 24 * 3600);
/// A clock may step back by this much (time synchronisation) without an alarm.
const CLOCK_STEP: Duration = Duration::from_secs(60);

impl Identity {
    /// One round of cleaning.
    pub async fn clean(&self) -> Result<()> {
        let now = self.now();
        let mut tx = self.db().begin().await?;
        let latest = store::note_time(tx.conn(), now).await?;
        let set_back = latest.since(now) > CLOCK_STEP;
        metrics::gauge!("pakawaaz_identity_clock_set_back").set(f64::from(u8::from(set_back)));
        if set_back {
            // Deleting by a wrong clock does no harm, but everything that expires lives longer: say it loudly.
            tracing::error!(by_ms = latest.0 - now.0, "the clock was set back; tokens and vouchers live too long");
        }
        attempts::clean(tx.conn(), now).await?;
        sessions::delete_before(tx.conn(), now.minus(KEEP_SESSIONS)).await?;
        let expired = proposals::expire(tx.conn(), now).await?;
        tx.commit().await?;
        // Whoever logged in together ages together: not 500 a minute, or sockets would outlive their sessions.
        loop {
            let mut cut = Cut::default();
            let mut tx = self.db().begin().await?;
            let more = cut.aged_sessions(&mut tx, now).await?;
            cut.commit(self, tx, now).await?;
            if !more {
                break;
            }
        }
        self.audit_uses().await?;
        if expired > 0 {
            tracing::info!(expired, "proposals expired");
        }
        Ok(())
    }
}

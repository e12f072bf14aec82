//! Every use of a card's keys is in the audit log: once an hour, how often each card's were used since the last time, and
//! what the vault itself has counted. Uses that only the vault knows are somebody else's.
//!
//! The counts are written in the transaction that persists the sequence number, so none is missing. A row for each
//! vector would make the log as long as the network is busy, and bury what administrators do.

use super::Identity;
use crate::error::Result;
use crate::store::{self, sims};
use pakawaaz_base::SimId;

/// Cards in one entry, which has to stay below the log's limit of 16 KiB.
const CARDS_IN_ONE: u32 = 200;

impl Identity {
    /// Once an hour, by whichever node notices first. What a crash leaves out comes with the next hour.
    pub(super) async fn audit_uses(&self) -> Result<()> {
        let now = self.now();
        let mut tx = self.db().begin().await?;
        let Some(since) = store::next_hour(tx.conn(), "vectors", now).await? else { return Ok(()) };
        tx.commit().await?;
        self.audit_vault().await?;
        let mut after: Option<SimId> = None;
        loop {
            let mut tx = self.db().begin().await?;
            let used = sims::take_uses(tx.conn(), after, CARDS_IN_ONE).await?;
            let Some((last, _)) = used.last() else { return Ok(()) };
            after = Some(*last);
            let cards: Vec<_> = used
                .iter()
                .map(|(sim, uses)| serde_json::json!([sim.to_string(), uses.vectors, uses.resynchronisations]))
                .collect();
            let subject = format!("{} cards", cards.len());
            let detail = serde_json::json!({ "since": since.as_i64(), "sim_vectors_resynchronisations": cards });
            self.audit(&mut tx, None, "identity.sim_keys_used", subject, detail, now).await?;
            tx.commit().await?;
        }
    }

    /// The vault's own counters, when it is a process of its own.
    async fn audit_vault(&self) -> Result<()> {
        let (subject, detail) = match self.sim_vault().report().await {
            Ok(None) => return Ok(()),
            Ok(Some(report)) => {
                let counters = report.uses.values().into_iter().map(|(name, value)| (name.to_owned(), value.into()));
                let mut detail: serde_json::Map<_, _> = counters.collect();
                detail.insert("starts".into(), report.starts.into());
                (report.key.iter().map(|byte| format!("{byte:02x}")).collect(), detail)
            }
            // That it could not be asked is worth knowing as well.
            Err(_) => (String::new(), [("unavailable".to_owned(), true.into())].into_iter().collect()),
        };
        let (now, subject) = (self.now(), format!("vault:{subject}"));
        let mut tx = self.db().begin().await?;
        self.audit(&mut tx, None, "identity.vault_used", subject, detail.into(), now).await?;
        tx.commit().await?;
        Ok(())
    }
}

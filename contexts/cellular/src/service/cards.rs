//! Cards that were cut off elsewhere leave the network.

use super::Cellular;
use crate::runner::Ask;
use crate::{CellularError, store};
use pakawaaz_contract::facts::CardCut;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::io::Command;
use pakawaaz_storage::Tx;

/// Cards that are detached in one go.
const AT_ONCE: i64 = 100;

impl Cellular {
    /// Takes note that a card was cut off, in the transaction that heard of it: its AKMA key goes now, whether a core runs or
    /// not. The core detaches the phone within a quarter second, wherever it runs, also after a crash.
    pub(crate) async fn card_cut(&self, tx: &mut Tx, fact: &CardCut) -> Result<(), CellularError> {
        // A card that cannot be one of ours is no reason to hold up all facts behind it.
        let Some(imsi) = Imsi::new(&fact.imsi) else { return Ok(()) };
        // In the order of the other place that takes both rows.
        store::akma::forget(tx.conn(), &[imsi]).await?;
        store::cuts::put(tx.conn(), &imsi, fact.at).await?;
        let cellular = self.clone();
        tx.after_commit(move || cellular.inner.cuts.notify_one());
        Ok(())
    }

    /// Detaches what waits to be. Does nothing where no core runs.
    pub(crate) async fn detach_cut_cards(&self) -> Result<(), CellularError> {
        if !self.has_core() {
            return Ok(());
        }
        loop {
            let waiting = store::cuts::waiting(self.inner.db.read().await?.conn(), AT_ONCE).await?;
            if waiting.is_empty() {
                return Ok(());
            }
            for (imsi, at) in waiting {
                // Answered when it is durable that the phone has gone.
                self.ask(|done| Ask::Command(Command::Revoke { imsi }, done)).await?;
                let mut tx = self.inner.db.begin().await?;
                // Again: a registration that was on its way may have written a key since the card was cut off.
                store::akma::forget(tx.conn(), &[imsi]).await?;
                store::cuts::done(tx.conn(), &imsi, at).await?;
                tx.commit().await?;
            }
        }
    }
}

//! SIM batches and the list of cards.

use super::Identity;
use crate::error::{Error, Result};
use crate::model::sim::Sim;
use crate::model::sim_csv::{self, BadRow};
use crate::sim_vault::sealed;
use crate::store::sims;
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Actor, Millis, Role, SimId};
use pakawaaz_contract::admin::{SimImportResponse, SimList, SimRecord};
use pakawaaz_sim_vault::{Ask, Secret};
use pakawaaz_storage::Tx;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

impl Identity {
    /// Imports a batch, whole or not at all. The secrets are sealed before anything is stored.
    ///
    /// Errors: [`Error::BadRow`] with the line and the reason.
    pub async fn import_sims(&self, actor: &Actor, csv: &[u8]) -> Result<SimImportResponse> {
        if !actor.has(Role::SimManager) {
            return Err(Error::Forbidden);
        }
        self.import(Some(AuditActor::from(actor)), csv).await
    }

    /// The same, done by the installation itself: only `pakawaaz-server init`. The first administrators need SIMs
    /// before anybody can log in.
    pub async fn install_sims(&self, csv: &[u8]) -> Result<SimImportResponse> {
        self.import(None, csv).await
    }

    async fn import(&self, actor: Option<AuditActor>, csv: &[u8]) -> Result<SimImportResponse> {
        let rows = sim_csv::parse(csv, self.settings().tuak)?;
        let now = self.now();
        let mut cards = Vec::with_capacity(rows.len());
        let ids: Vec<SimId> = rows.iter().map(|_| SimId::new(now, &mut OsRng)).collect();
        let asks = rows.iter().zip(&ids);
        let asks = asks.map(|(row, id)| Ask::SealCard { card: *id, algorithm: Secret::new(&row.algorithm.encode()) });
        let answers = self.sim_vault().ask(asks.collect()).await?;
        if answers.len() != rows.len() {
            return Err(Error::VaultUnavailable);
        }
        for ((row, sim), answer) in rows.iter().zip(ids).zip(answers) {
            let (iccid, imsi) = (row.iccid.clone(), row.imsi.clone());
            cards.push((row.line, Sim::new(sim, (iccid, imsi), row.algorithm.name(), sealed(answer)?, now)));
        }
        let detail = serde_json::json!({ "count": cards.len() });
        let mut tx = self.db().begin().await?;
        self.store_cards(&mut tx, actor, &cards, ("identity.sims_imported", detail), now).await?;
        tx.commit().await?;
        Ok(SimImportResponse { imported: cards.len() as u32 })
    }

    /// New cards with their rows in a batch: all, or an error after which nothing may be committed.
    pub(super) async fn store_cards(
        &self,
        tx: &mut Tx,
        actor: Option<AuditActor>,
        cards: &[(u64, Sim)],
        (action, detail): (&'static str, serde_json::Value),
        now: Millis,
    ) -> Result<()> {
        for (line, card) in cards {
            if !sims::insert(tx.conn(), card, now).await? {
                return Err(BadRow::new(*line, "the ICCID or the IMSI is known already").into());
            }
        }
        let batch = short_hash(cards.iter().map(|(_, card)| card.iccid.as_str()));
        self.audit(tx, actor, action, batch, detail, now).await?;
        metrics::counter!("pakawaaz_identity_sims_imported_total").increment(cards.len() as u64);
        Ok(())
    }

    /// Every card, without secrets, by ICCID.
    pub async fn list_sims(&self, actor: &Actor) -> Result<SimList> {
        if !actor.has(Role::SimManager) {
            return Err(Error::Forbidden);
        }
        let mut read = self.db().read().await?;
        let sims = sims::list(read.conn()).await?;
        Ok(SimList {
            sims: sims
                .into_iter()
                .map(|s| SimRecord {
                    status: s.status().into(),
                    sim: s.sim,
                    iccid: s.iccid,
                    imsi: s.imsi,
                    algorithm: s.algorithm,
                    official: s.official,
                })
                .collect(),
        })
    }
}

/// Names a batch by its cards: the same cards give the same name.
fn short_hash<'a>(iccids: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for iccid in iccids {
        hash.update(iccid.as_bytes());
        hash.update(b"\n");
    }
    let hash: [u8; 32] = hash.finalize().into();
    let hex: String = hash[..8].iter().map(|b| format!("{b:02x}")).collect();
    format!("batch:{hex}")
}

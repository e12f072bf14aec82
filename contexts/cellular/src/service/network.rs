//! What operators decide about the network.

use super::{Cellular, Decided, Standing, require_administrator, require_operator};
use crate::model::network::{compile, plmn};
use crate::model::places;
use crate::runner::Ask;
use crate::{CellularError, store};
use pakawaaz_base::Actor;
use pakawaaz_contract::cellular::{CellularCore, CellularNetwork, CellularNetworkState, SetCellularNetworkRequest};
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::io::Command;
use std::sync::Arc;

/// Phones that are told of a change in one go.
const PAGE: usize = 500;

impl Cellular {
    /// The decisions in force.
    ///
    /// Errors: `Forbidden`.
    pub fn network(&self, actor: &Actor) -> Result<CellularNetworkState, CellularError> {
        require_operator(actor)?;
        let decided = self.decided();
        let (version, network) = (decided.version, decided.document.clone());
        Ok(CellularNetworkState { version, network, core: self.show_standing() })
    }

    /// Puts another document in force: gNBs are told, those that are not on the list any more are let go, and sessions of
    /// data networks that have gone end.
    ///
    /// Errors: `Forbidden`, every `Bad…`, `PoolOverlap`, `Changed`, `PlmnInUse`, `CanaryInPool`.
    pub async fn set_network(
        &self,
        actor: &Actor,
        request: SetCellularNetworkRequest,
    ) -> Result<CellularNetworkState, CellularError> {
        require_administrator(actor)?;
        let SetCellularNetworkRequest { version, network: mut document } = request;
        places::tidy(&mut document);
        let compiled = compile(&document)?;
        let mut tx = self.inner.db.begin().await?;
        let before = store::network::get(tx.conn()).await?;
        let (stored, old) = before.unwrap_or_else(|| (0, crate::model::network::initial()));
        if stored != version {
            return Err(CellularError::Changed);
        }
        // One that is there already is an alarm, and holds up no other change.
        let was = compile(&old).ok().and_then(|old| self.pool_of_canary(&old.network));
        if was.is_none() && self.pool_of_canary(&compiled.network).is_some() {
            return Err(CellularError::CanaryInPool);
        }
        if plmn(&old.plmn)? != compiled.network.plmn && store::ues::any(tx.conn()).await? {
            return Err(CellularError::PlmnInUse);
        }
        if !store::network::set(tx.conn(), version, &document, self.now()).await? {
            return Err(CellularError::Changed);
        }
        let version = version + 1;
        let detail = serde_json::json!({ "version": version, "changed": changed(&old, &document) });
        self.audit(&mut tx, actor, "cellular.network_changed", "network".into(), detail).await?;
        tx.commit().await?;
        self.put_in_force(Decided { version, document: document.clone(), compiled });
        Ok(CellularNetworkState { version, network: document, core: self.show_standing() })
    }

    fn show_standing(&self) -> CellularCore {
        match self.standing() {
            Standing::Off => CellularCore::Off,
            Standing::Standby => CellularCore::Standby,
            Standing::Active(_) => CellularCore::Active,
        }
    }

    /// Another node may have changed it.
    pub(crate) async fn follow_network(&self) -> Result<(), CellularError> {
        let known = self.decided().version;
        let mut read = self.inner.db.read().await?;
        if store::network::version(read.conn()).await? == known {
            return Ok(());
        }
        if let Some((version, document)) = store::network::get(read.conn()).await? {
            let compiled = compile(&document)?;
            self.put_in_force(Decided { version, document, compiled });
        }
        Ok(())
    }

    fn put_in_force(&self, decided: Decided) {
        let decided = Arc::new(decided);
        self.inner.decided.send_if_modified(|now| {
            let newer = decided.version > now.version;
            if newer {
                *now = decided;
            }
            newer
        });
    }

    /// Tells the core what every registered card may do now, after the network has changed.
    pub(crate) async fn renew_subscriptions(&self) -> Result<(), CellularError> {
        let mut after: Option<Imsi> = None;
        loop {
            let page = self.ask(|reply| Ask::Cards { after, limit: PAGE, reply }).await?;
            let Some(last) = page.last().copied() else { return Ok(()) };
            for imsi in page {
                let subscription = Arc::new(self.subscription(&imsi).await?);
                self.ask(|done| Ask::Command(Command::Subscription { imsi, subscription }, done)).await?;
            }
            after = Some(last);
        }
    }
}

/// Names of what differs, for the audit log.
fn changed(old: &CellularNetwork, new: &CellularNetwork) -> Vec<String> {
    let (Ok(old), Ok(new)) = (serde_json::to_value(old), serde_json::to_value(new)) else { return Vec::new() };
    let fields = new.as_object().into_iter().flatten();
    fields.filter(|(name, value)| old.get(name.as_str()) != Some(value)).map(|(name, _)| name.clone()).collect()
}

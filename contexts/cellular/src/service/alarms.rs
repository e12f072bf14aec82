//! Alarms for the operator.

use super::{Cellular, require_operator};
use crate::runner::Ask;
use crate::{CellularError, store};
use pakawaaz_base::{Actor, Millis};
use pakawaaz_contract::cellular::CellularAlarmList;

/// Alarms that are cleared and still shown.
const SHOWN: i64 = 100;

impl Cellular {
    /// All alarms that are not cleared, then the last that are.
    ///
    /// Errors: `Forbidden`.
    pub async fn alarms(&self, actor: &Actor) -> Result<CellularAlarmList, CellularError> {
        require_operator(actor)?;
        let mut read = self.inner.db.read().await?;
        let mut alarms = store::alarms::active(read.conn()).await?;
        alarms.extend(store::alarms::cleared(read.conn(), SHOWN).await?);
        Ok(CellularAlarmList { alarms: alarms.iter().map(crate::model::alarms::Alarm::show).collect() })
    }

    /// Clears an alarm: somebody has seen to it. It is raised anew should it go on. Written down first: whatever happens
    /// meanwhile, none is cleared of which the audit log does not say who wanted it.
    ///
    /// Errors: `Forbidden`, `NotFound`, `Off`, `Busy`.
    pub async fn clear_alarm(&self, actor: &Actor, id: &str) -> Result<(), CellularError> {
        require_operator(actor)?;
        let id = read_id(id).ok_or(CellularError::NotFound)?;
        self.core()?;
        let mut tx = self.inner.db.begin().await?;
        if !store::alarms::is_active(tx.conn(), &id).await? {
            return Err(CellularError::NotFound);
        }
        let name = format!("{:032x}", u128::from_be_bytes(id));
        self.audit(&mut tx, actor, "cellular.alarm_cleared", name, serde_json::json!({})).await?;
        tx.commit().await?;
        let cleared = self.ask(|reply| Ask::ClearAlarm(id, reply)).await?;
        // Somebody was faster in the meantime.
        if cleared { Ok(()) } else { Err(CellularError::NotFound) }
    }

    /// Forgets alarms that were cleared before.
    pub(crate) async fn prune_alarms(&self, before: Millis) -> Result<(), CellularError> {
        let mut tx = self.inner.db.begin().await?;
        store::alarms::prune(tx.conn(), before).await?;
        Ok(tx.commit().await?)
    }
}

fn read_id(text: &str) -> Option<[u8; 16]> {
    let digits = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u128::from_str_radix(text, 16).ok().map(u128::to_be_bytes)).flatten()
}

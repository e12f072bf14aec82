//! Alarm records: kept for good and shown to the user.

use crate::db::{Db, Tx};
use crate::store::{Range, Store};
use crate::views::{Alarm, AlarmKind};
use crate::{ClientError, Platform, keys};
use pakawaaz_base::{DeviceId, GroupId, OfficialId};
use rand_core::RngCore;

/// Where an alarm was raised.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) group: Option<GroupId>,
    pub(crate) seq: Option<u64>,
    pub(crate) device: Option<DeviceId>,
    pub(crate) official: Option<OfficialId>,
}

/// Writes an alarm and returns it for the event.
pub(crate) fn raise<S: Store, P: Platform>(tx: &mut Tx<'_, S, P>, kind: AlarmKind, place: Place) -> Alarm {
    let at = tx.db().platform().now();
    let Place { group, seq, device, official } = place;
    let alarm = Alarm { kind, at, group, seq, device, official };
    let salt = tx.db().rng().next_u32();
    tx.put(keys::alarm(at, salt), &alarm);
    alarm
}

pub(crate) async fn all<S: Store, P: Platform>(db: &Db<S, P>) -> Result<Vec<Alarm>, ClientError> {
    let rows = db.scan(Range::prefix(keys::ALARMS).newest_first()).await?;
    Ok(rows.into_iter().map(|(_, alarm)| alarm).collect())
}

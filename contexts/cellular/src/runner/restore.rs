//! What was kept, read back at the start. Contexts rest sealed, bound to their card and name.

use super::{Tenure, traces};
use crate::model::alarms::Alarm;
use crate::store::ues::UeRow;
use crate::{Cellular, CellularError, store};
use pakawaaz_base::Millis;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::io::UeSnapshot;
use pakawaaz_login::SealKey;
use rand::rngs::OsRng;

/// Rows read at once.
const PAGE: i64 = 1000;
/// What is sealed.
const PURPOSE: &str = "cellular context";

/// Everything that was kept.
#[derive(Default)]
pub(super) struct RestoredContexts {
    pub snapshots: Vec<UeSnapshot>,
    /// Rows that do not open.
    pub unreadable: usize,
    /// Alarms that are not cleared.
    pub alarms: Vec<Alarm>,
}

/// Reads it.
pub(super) async fn read(cellular: &Cellular, tenure: &Tenure) -> Result<RestoredContexts, CellularError> {
    let mut tx = cellular.inner.db.begin().await?;
    if !store::lease::fence(&mut tx, tenure.epoch()).await? {
        tenure.lose();
        return Err(CellularError::Standby);
    }
    store::phones::tidy(tx.conn()).await?;
    traces::end_all(&mut tx, cellular.now()).await?;
    tx.commit().await?;
    let mut found = RestoredContexts::default();
    let mut read = cellular.inner.db.read().await?;
    found.alarms = store::alarms::active(read.conn()).await?;
    let mut after = String::new();
    loop {
        let rows = store::ues::page(read.conn(), &after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(found) };
        last.imsi.as_str().clone_into(&mut after);
        for row in rows {
            match open(&cellular.inner.seal, row) {
                Some(snapshot) => found.snapshots.push(snapshot),
                None => found.unreadable += 1,
            }
        }
    }
}

/// Seals a context for its row.
pub(super) fn seal(key: &SealKey, snapshot: &UeSnapshot) -> Result<UeRow, CellularError> {
    let name = name(&snapshot.imsi, snapshot.tmsi);
    let sealed = key.seal(PURPOSE, &name, Millis(i64::MAX), &snapshot.context, &mut OsRng);
    let sealed = sealed.map_err(|_| CellularError::Seal)?;
    Ok(UeRow { imsi: snapshot.imsi, tmsi: snapshot.tmsi, sealed })
}

fn open(key: &SealKey, row: UeRow) -> Option<UeSnapshot> {
    let UeRow { imsi, tmsi, sealed } = row;
    let opened = key.open(PURPOSE, &name(&imsi, tmsi), &sealed, Millis(0)).ok()?;
    Some(UeSnapshot { imsi, tmsi, context: opened.plaintext })
}

fn name(imsi: &Imsi, tmsi: u32) -> Vec<u8> {
    [&tmsi.to_be_bytes(), imsi.as_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_opens_for_its_own_card_and_name_only() {
        let key = SealKey::new([7; 32]);
        let (imsi, other) = (Imsi::new("410990000000001").unwrap(), Imsi::new("410990000000002").unwrap());
        let snapshot = UeSnapshot { imsi, tmsi: 9, context: vec![1, 2, 3].into() };
        let row = seal(&key, &snapshot).unwrap();
        assert!(!row.sealed.windows(3).any(|part| part == [1, 2, 3]), "nothing in clear");
        assert_eq!(open(&key, row.clone()), Some(snapshot));
        assert_eq!(open(&key, UeRow { imsi: other, ..row.clone() }), None);
        assert_eq!(open(&key, UeRow { tmsi: 8, ..row.clone() }), None);
        assert_eq!(open(&SealKey::new([8; 32]), row), None);
    }
}

//! Adds a unit to the tree.

use super::{Directory, require_manager};
use crate::DirectoryError;
use crate::model::{names, search::fold, units};
use crate::store;
use pakawaaz_base::{Actor, OrgUnitId};
use pakawaaz_contract::directory::{CreateUnitRequest, OrgUnit};
use rand::rngs::OsRng;

impl Directory {
    /// Creates a unit. Asking again with the same facts gives the unit that exists.
    ///
    /// Errors: `Forbidden`, `BadName`, `UnitNotFound` (the parent), `KindMustDescend`, `UnitExists` (same
    /// English name below the same parent, other facts).
    pub async fn create_unit(&self, actor: &Actor, request: CreateUnitRequest) -> Result<OrgUnit, DirectoryError> {
        require_manager(actor)?;
        let name = names::required(&request.name)?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let parent = match request.parent {
            None => None,
            Some(parent) => Some(store::units::kind(tx.conn(), parent).await?.ok_or(DirectoryError::UnitNotFound)?),
        };
        units::check_place(parent, request.kind)?;
        let unit = OrgUnit { unit: OrgUnitId::new(now, &mut OsRng), parent: request.parent, kind: request.kind, name };
        let key = fold(&unit.name.en);
        if !store::units::insert(tx.conn(), &unit, &key, now).await? {
            let existing = store::units::by_name(tx.conn(), unit.parent, &key).await?;
            tx.rollback().await?;
            return existing.filter(|e| e.kind == unit.kind && e.name == unit.name).ok_or(DirectoryError::UnitExists);
        }
        let detail = serde_json::json!({ "kind": unit.kind, "parent": unit.parent });
        Self::audit(&mut tx, now, Some(actor), "directory.unit_created", unit.unit.to_string(), detail).await?;
        tx.commit().await?;
        Ok(unit)
    }
}

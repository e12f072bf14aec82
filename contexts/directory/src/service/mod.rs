//! Use cases, one file each.

pub mod appointments;
pub mod browse;
pub mod create_official;
pub mod create_post;
pub mod create_unit;
pub mod search;

use crate::DirectoryError;
use pakawaaz_audit::Entry;
use pakawaaz_base::{Actor, AuditId, Clock, Millis, Role};
use pakawaaz_storage::{Db, Tx};
use rand::rngs::OsRng;
use std::sync::Arc;

/// The directory. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    db: Db,
    clock: Arc<dyn Clock>,
}

impl Directory {
    /// A service over a migrated database.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }

    /// Writes the audit entry of an act; last statement before the commit.
    async fn audit(
        tx: &mut Tx,
        at: Millis,
        actor: Option<&Actor>,
        action: &'static str,
        subject: String,
        detail: serde_json::Value,
    ) -> Result<(), DirectoryError> {
        let id = AuditId::new(at, &mut OsRng);
        pakawaaz_audit::append(tx, Entry { id, at, actor: actor.map(Into::into), action, subject, detail }).await?;
        Ok(())
    }
}

fn require_manager(actor: &Actor) -> Result<(), DirectoryError> {
    if actor.has(Role::DirectoryManager) { Ok(()) } else { Err(DirectoryError::Forbidden) }
}

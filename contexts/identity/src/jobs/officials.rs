//! Directory's officials become accounts.

use crate::Identity;
use async_trait::async_trait;
use pakawaaz_contract::facts::OfficialCreated;
use pakawaaz_storage::outbox::HandlerError;
use pakawaaz_storage::{OutboxEvent, OutboxHandler, Tx};

/// Outbox handler of `directory.official_created`.
pub struct Officials(pub Identity);

#[async_trait]
impl OutboxHandler for Officials {
    fn consumer(&self) -> &'static str {
        "identity.officials"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == OfficialCreated::KIND
    }

    async fn handle(&self, tx: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError> {
        let fact: OfficialCreated = event.parse()?;
        Ok(self.0.official_created(tx, &fact).await?)
    }
}

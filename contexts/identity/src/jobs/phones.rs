//! Phones that left the network end what their cards have proven.

use crate::Identity;
use async_trait::async_trait;
use pakawaaz_contract::facts::PhoneLeft;
use pakawaaz_storage::outbox::HandlerError;
use pakawaaz_storage::{OutboxEvent, OutboxHandler, Tx};

/// Outbox handler of `cellular.phone_left`.
pub struct Phones(pub Identity);

#[async_trait]
impl OutboxHandler for Phones {
    fn consumer(&self) -> &'static str {
        "identity.phones"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == PhoneLeft::KIND
    }

    async fn handle(&self, tx: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError> {
        let fact: PhoneLeft = event.parse()?;
        Ok(self.0.phone_left(tx, &fact).await?)
    }
}

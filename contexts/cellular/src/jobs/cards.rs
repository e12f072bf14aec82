//! Cards that are suspended or revoked leave the network.

use crate::Cellular;
use async_trait::async_trait;
use pakawaaz_contract::facts::CardCut;
use pakawaaz_storage::outbox::HandlerError;
use pakawaaz_storage::{OutboxEvent, OutboxHandler, Tx};

/// Outbox handler of `identity.card_cut`.
pub struct Cards(pub Cellular);

#[async_trait]
impl OutboxHandler for Cards {
    fn consumer(&self) -> &'static str {
        "cellular.cards"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == CardCut::KIND
    }

    async fn handle(&self, tx: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError> {
        let fact: CardCut = event.parse()?;
        Ok(self.0.card_cut(tx, &fact).await?)
    }
}

//! Logins through phones that do not fit them become alarms.

use crate::Cellular;
use async_trait::async_trait;
use pakawaaz_contract::facts::NetworkDisagrees;
use pakawaaz_storage::outbox::HandlerError;
use pakawaaz_storage::{OutboxEvent, OutboxHandler, Tx};

/// Outbox handler of `identity.network_disagrees`.
pub struct Logins(pub Cellular);

#[async_trait]
impl OutboxHandler for Logins {
    fn consumer(&self) -> &'static str {
        "cellular.logins"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == NetworkDisagrees::KIND
    }

    async fn handle(&self, _: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError> {
        let fact: NetworkDisagrees = event.parse()?;
        Ok(self.0.login_disagrees(&fact)?)
    }
}

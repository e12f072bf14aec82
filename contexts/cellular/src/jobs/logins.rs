//! Logins through phones that do not fit them become alarms.

use crate::{Cellular, CellularError};
use async_trait::async_trait;
use pakawaaz_contract::facts::NetworkDisagrees;
use pakawaaz_storage::outbox::HandlerError;
use pakawaaz_storage::{OutboxEvent, OutboxHandler, Tx};
use std::time::Duration;

/// Without a core for so long there is no network whose alarm this would be, and other facts wait behind it.
const NO_NETWORK_AFTER: Duration = Duration::from_secs(24 * 3600);

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
        match self.0.login_disagrees(&fact) {
            Err(CellularError::Off) if self.0.now().since(event.created_at) > NO_NETWORK_AFTER => Ok(()),
            told => Ok(told?),
        }
    }
}

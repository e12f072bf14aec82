//! Identity's signed appointments change who holds a post.

use crate::Directory;
use async_trait::async_trait;
use pakawaaz_contract::facts::AppointmentSigned;
use pakawaaz_storage::outbox::HandlerError;
use pakawaaz_storage::{OutboxEvent, OutboxHandler, Tx};

/// Outbox handler of `identity.appointment_signed`.
pub struct Appointments(pub Directory);

#[async_trait]
impl OutboxHandler for Appointments {
    fn consumer(&self) -> &'static str {
        "directory.appointments"
    }

    fn wants(&self, kind: &str) -> bool {
        kind == AppointmentSigned::KIND
    }

    async fn handle(&self, tx: &mut Tx, event: &OutboxEvent) -> Result<(), HandlerError> {
        let fact: AppointmentSigned = event.parse()?;
        Ok(self.0.appointment_signed(tx, &fact).await?)
    }
}

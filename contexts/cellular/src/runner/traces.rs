//! Ends of traces that no administrator has asked for, for the audit log.

use crate::model::traces::TraceId;
use crate::{CellularError, store};
use pakawaaz_base::{AuditId, Millis};
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_storage::Tx;
use rand::rngs::OsRng;
use serde_json::json;

/// A trace has ended by itself.
#[derive(Clone, Debug)]
pub(super) struct EndedTrace {
    pub id: TraceId,
    pub imsi: Imsi,
    pub at: Millis,
    pub because: &'static str,
    /// How many were written down, where that is known.
    pub messages: Option<usize>,
}

impl EndedTrace {
    /// Into the audit log, once. Call it last: the log's chain is locked until the end of the transaction.
    pub(super) async fn write(&self, tx: &mut Tx) -> Result<(), CellularError> {
        store::traces::ended(tx.conn(), &self.id).await?;
        let entry = pakawaaz_audit::Entry {
            id: AuditId::new(self.at, &mut OsRng),
            at: self.at,
            actor: None,
            action: "cellular.trace_ended",
            subject: self.imsi.as_str().to_owned(),
            detail: json!({ "because": self.because, "messages": self.messages }),
        };
        pakawaaz_audit::append(tx, entry).await?;
        Ok(())
    }
}

/// A core begins: whatever another one was writing down has ended with it, and it could not say so when it was killed.
pub(super) async fn end_all(tx: &mut Tx, at: Millis) -> Result<(), CellularError> {
    for (id, imsi) in store::traces::open(tx.conn()).await? {
        let because = "the core was restarted";
        EndedTrace { id, imsi, at, because, messages: None }.write(tx).await?;
    }
    Ok(())
}

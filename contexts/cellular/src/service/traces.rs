//! Traces of single phones. They show an official's movements: administrators only, and every start, end and reading is in the
//! audit log. Nothing begins and nothing is handed out that the audit log refuses.

use super::{Cellular, read_imsi, require_administrator};
use crate::model::traces::{Trace, TraceId};
use crate::runner::Ask;
use crate::{CellularError, store};
use pakawaaz_base::{Actor, AuditId};
use pakawaaz_contract::cellular::{
    CellularTrace, CellularTraceList, CellularTraceMessage, CellularTraceReadRequest, CellularTraceRequest,
    CellularTraceState,
};
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::trace::{self, Entry};
use rand::rngs::OsRng;
use serde_json::json;

impl Cellular {
    /// Traces that go on, and those that have ended and can still be read.
    ///
    /// Errors: `Forbidden`, `Off`, `Busy`.
    pub async fn traces(&self, actor: &Actor) -> Result<CellularTraceList, CellularError> {
        require_administrator(actor)?;
        let traces = self.ask(Ask::Traces).await?;
        Ok(CellularTraceList { traces: traces.iter().map(|(imsi, trace)| state(imsi, trace)).collect() })
    }

    /// Begins to write down what a phone and the core say to each other. Ends by itself after an hour.
    ///
    /// Errors: `Forbidden`, `BadImsi`, `TooManyTraces`, `Off`, `Busy`.
    pub async fn start_trace(
        &self,
        actor: &Actor,
        request: &CellularTraceRequest,
    ) -> Result<CellularTraceState, CellularError> {
        require_administrator(actor)?;
        let imsi = read_imsi(&request.imsi)?;
        if !self.ask(|reply| Ask::TraceFits(imsi, reply)).await? {
            return Err(CellularError::TooManyTraces);
        }
        // The row is what a core that begins knows of those that a killed one has left open.
        let id = *AuditId::new(self.now(), &mut OsRng).as_bytes();
        let mut tx = self.inner.db.begin().await?;
        store::traces::begun(tx.conn(), &id, &imsi).await?;
        self.audit(&mut tx, actor, "cellular.trace_started", imsi.as_str().to_owned(), json!({})).await?;
        tx.commit().await?;
        match self.ask(|reply| Ask::TraceOn(imsi, id, reply)).await? {
            Some(trace) => Ok(state(&imsi, &trace)),
            // Somebody was faster in the meantime.
            None => {
                self.audit_stop(actor, &id, &imsi).await?;
                Err(CellularError::TooManyTraces)
            }
        }
    }

    /// Ends a trace. What was written down can be read for another hour.
    ///
    /// Errors: `Forbidden`, `BadImsi`, `NotFound` (none goes on), `Off`, `Busy`.
    pub async fn stop_trace(&self, actor: &Actor, request: &CellularTraceRequest) -> Result<(), CellularError> {
        require_administrator(actor)?;
        let imsi = read_imsi(&request.imsi)?;
        // Ended first: nothing more is written down even if the audit log refuses.
        let id = self.ask(|reply| Ask::TraceOff(imsi, reply)).await?.ok_or(CellularError::NotFound)?;
        self.audit_stop(actor, &id, &imsi).await
    }

    /// What was written down.
    ///
    /// Errors: `Forbidden`, `BadImsi`, `NotFound` (there is no trace of this phone), `Off`, `Busy`.
    pub async fn read_trace(
        &self,
        actor: &Actor,
        request: &CellularTraceReadRequest,
    ) -> Result<CellularTrace, CellularError> {
        require_administrator(actor)?;
        let imsi = read_imsi(&request.imsi)?;
        let mut trace = self.ask(|reply| Ask::Trace(imsi, reply)).await?.ok_or(CellularError::NotFound)?;
        let detail = json!({ "messages": trace.entries.len(), "capture": request.capture });
        let mut tx = self.inner.db.begin().await?;
        self.audit(&mut tx, actor, "cellular.trace_read", imsi.as_str().to_owned(), detail).await?;
        tx.commit().await?;
        let state = state(&imsi, &trace);
        let entries: &[Entry] = trace.entries.make_contiguous();
        Ok(CellularTrace {
            state,
            messages: entries.iter().map(message).collect(),
            ladder: trace::ladder(entries),
            capture: request.capture.then(|| trace::pcap(entries).into()),
        })
    }

    async fn audit_stop(&self, actor: &Actor, id: &TraceId, imsi: &Imsi) -> Result<(), CellularError> {
        let mut tx = self.inner.db.begin().await?;
        store::traces::ended(tx.conn(), id).await?;
        self.audit(&mut tx, actor, "cellular.trace_stopped", imsi.as_str().to_owned(), json!({})).await?;
        Ok(tx.commit().await?)
    }
}

fn state(imsi: &Imsi, trace: &Trace) -> CellularTraceState {
    CellularTraceState {
        imsi: imsi.as_str().to_owned(),
        on: trace.on,
        began: trace.began,
        until: trace.until,
        count: trace.entries.len() as u64,
        dropped: trace.dropped,
    }
}

fn message(entry: &Entry) -> CellularTraceMessage {
    CellularTraceMessage { at: entry.at, downlink: entry.downlink, name: entry.name.clone() }
}

//! Traces of single phones. They show an official's movements: administrators only, and every start, end and reading is in the
//! audit log. Nothing begins and nothing is handed out that the audit log refuses.

use super::{Cellular, read_imsi, require_administrator};
use crate::CellularError;
use crate::model::traces::Trace;
use crate::runner::Ask;
use pakawaaz_base::Actor;
use pakawaaz_contract::cellular::{
    CellularTrace, CellularTraceList, CellularTraceMessage, CellularTraceReadRequest, CellularTraceRequest,
    CellularTraceState,
};
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::trace::{self, Entry};

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
        self.audit_trace(actor, "cellular.trace_started", &imsi, serde_json::json!({})).await?;
        // Somebody may have been faster in the meantime.
        let trace = self.ask(|reply| Ask::TraceOn(imsi, reply)).await?.ok_or(CellularError::TooManyTraces)?;
        Ok(state(&imsi, &trace))
    }

    /// Ends a trace. What was written down can be read for another hour.
    ///
    /// Errors: `Forbidden`, `BadImsi`, `NotFound` (none goes on), `Off`, `Busy`.
    pub async fn stop_trace(&self, actor: &Actor, request: &CellularTraceRequest) -> Result<(), CellularError> {
        require_administrator(actor)?;
        let imsi = read_imsi(&request.imsi)?;
        // Ended first: nothing more is written down even if the audit log refuses.
        if !self.ask(|reply| Ask::TraceOff(imsi, reply)).await? {
            return Err(CellularError::NotFound);
        }
        self.audit_trace(actor, "cellular.trace_stopped", &imsi, serde_json::json!({})).await
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
        let detail = serde_json::json!({ "messages": trace.entries.len(), "capture": request.capture });
        self.audit_trace(actor, "cellular.trace_read", &imsi, detail).await?;
        let state = state(&imsi, &trace);
        let entries: &[Entry] = trace.entries.make_contiguous();
        Ok(CellularTrace {
            state,
            messages: entries.iter().map(message).collect(),
            ladder: trace::ladder(entries),
            capture: request.capture.then(|| trace::pcap(entries).into()),
        })
    }

    async fn audit_trace(
        &self,
        actor: &Actor,
        action: &'static str,
        imsi: &Imsi,
        detail: serde_json::Value,
    ) -> Result<(), CellularError> {
        let mut tx = self.inner.db.begin().await?;
        self.audit(&mut tx, actor, action, imsi.as_str().to_owned(), detail).await?;
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

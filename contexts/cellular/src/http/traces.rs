//! Traces of single phones. Identities of cards travel in bodies.

use crate::Cellular;
use axum::extract::State;
use http::StatusCode;
use pakawaaz_contract::cellular::{
    CellularTrace, CellularTraceList, CellularTraceReadRequest, CellularTraceRequest, CellularTraceState,
};
use pakawaaz_http::{Authenticated, Json, Problem};

/// Traces that go on or can still be read
#[utoipa::path(get, path = "/v1/admin/cellular/traces", tag = "cellular", security(("dpop" = [])), responses(
    (status = 200, body = CellularTraceList),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn list(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
) -> Result<Json<CellularTraceList>, Problem> {
    Ok(Json(cellular.traces(&actor).await?))
}

/// Begin to write down one phone's procedures
///
/// Ends by itself after an hour. In the audit log, as the end and each reading are.
#[utoipa::path(post, path = "/v1/admin/cellular/traces/start", tag = "cellular", security(("dpop" = [])),
    request_body = CellularTraceRequest, responses(
    (status = 200, body = CellularTraceState),
    (status = 400, body = Problem, description = "cellular.bad_imsi"),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 409, body = Problem, description = "cellular.too_many_traces"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn start(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(request): Json<CellularTraceRequest>,
) -> Result<Json<CellularTraceState>, Problem> {
    Ok(Json(cellular.start_trace(&actor, &request).await?))
}

/// End a trace
///
/// What was written down can be read for another hour.
#[utoipa::path(post, path = "/v1/admin/cellular/traces/stop", tag = "cellular", security(("dpop" = [])),
    request_body = CellularTraceRequest, responses(
    (status = 204),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 404, body = Problem, description = "cellular.not_found: it does not go on"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn stop(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(request): Json<CellularTraceRequest>,
) -> Result<StatusCode, Problem> {
    cellular.stop_trace(&actor, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read a trace
///
/// NAS is readable in it, and no key is.
#[utoipa::path(post, path = "/v1/admin/cellular/traces/read", tag = "cellular", security(("dpop" = [])),
    request_body = CellularTraceReadRequest, responses(
    (status = 200, body = CellularTrace),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 404, body = Problem, description = "cellular.not_found: there is no trace of this phone"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn read(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(request): Json<CellularTraceReadRequest>,
) -> Result<Json<CellularTrace>, Problem> {
    Ok(Json(cellular.read_trace(&actor, &request).await?))
}

//! `/v1/admin/…` of this context.

use super::Api;
use crate::error::Error;
use crate::model::dual_control::status_from_text;
use crate::model::suci::Scheme;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use pakawaaz_base::{OfficialId, ProposalId};
use pakawaaz_contract::admin::{
    AccountRecord, ApproveRequest, AuditPage, PersonaliseRequest, PersonaliseResponse, Proposal, ProposalList,
    ProposalRequest, SimImportResponse, SimList, SuciKeyList, SuciKeyRecord, SuciKeyRequest, SuspendRequest,
};
use pakawaaz_http::{Authenticated, Json, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

/// Propose an act that needs two administrators.
#[utoipa::path(post, path = "/v1/admin/proposals", tag = "administration", request_body = ProposalRequest,
    responses((status = 200, body = Proposal), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn propose(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Json(request): Json<ProposalRequest>,
) -> Result<Json<Proposal>, Problem> {
    Ok(Json(api.identity.propose(&actor, &request).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct ProposalQuery {
    /// `open`, `executed`, `withdrawn` or `expired`; all without it.
    status: Option<String>,
}

/// Proposals, newest first.
#[utoipa::path(get, path = "/v1/admin/proposals", tag = "administration", params(ProposalQuery),
    responses((status = 200, body = ProposalList), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn proposals(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Query(query): Query<ProposalQuery>,
) -> Result<Json<ProposalList>, Problem> {
    let status = match query.status.as_deref() {
        None => None,
        Some(text) => Some(status_from_text(text).ok_or(Error::Malformed("status"))?),
    };
    Ok(Json(api.identity.proposals(&actor, status).await?))
}

/// Sign a proposal as another administrator; the second signature carries it out.
#[utoipa::path(post, path = "/v1/admin/proposals/{proposal}/approve", tag = "administration",
    params(("proposal" = ProposalId, Path,)), request_body = ApproveRequest,
    responses((status = 200, body = Proposal), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn approve(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(proposal): Path<ProposalId>,
    Json(request): Json<ApproveRequest>,
) -> Result<Json<Proposal>, Problem> {
    Ok(Json(api.identity.approve(&actor, proposal, &request).await?))
}

/// Withdraw or refuse an open proposal.
#[utoipa::path(post, path = "/v1/admin/proposals/{proposal}/withdraw", tag = "administration",
    params(("proposal" = ProposalId, Path,)),
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn withdraw(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(proposal): Path<ProposalId>,
) -> Result<StatusCode, Problem> {
    api.identity.withdraw(&actor, proposal).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cut off an official, a device or a SIM at once.
#[utoipa::path(post, path = "/v1/admin/suspend", tag = "administration", request_body = SuspendRequest,
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn suspend(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Json(request): Json<SuspendRequest>,
) -> Result<StatusCode, Problem> {
    api.identity.suspend(&actor, request.subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lift a suspension.
#[utoipa::path(post, path = "/v1/admin/unsuspend", tag = "administration", request_body = SuspendRequest,
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn unsuspend(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Json(request): Json<SuspendRequest>,
) -> Result<StatusCode, Problem> {
    api.identity.unsuspend(&actor, request.subject).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Import a SIM batch. Nothing is stored unless every row is good.
#[utoipa::path(post, path = "/v1/admin/sims/import", tag = "administration",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = SimImportResponse), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn import_sims(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Json<SimImportResponse>, Problem> {
    let media = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if media.split(';').next().map(str::trim) != Some("text/csv") {
        return Err(Problem::new(pakawaaz_base::ErrorClass::Invalid, "http.media_type")
            .status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .detail("the body must be text/csv"));
    }
    let body = body.map_err(|rejection| {
        let problem = Problem::new(pakawaaz_base::ErrorClass::Invalid, "http.too_large");
        problem.status(rejection.status()).detail("the body is too large or could not be read")
    })?;
    Ok(Json(api.identity.import_sims(&actor, &body).await?))
}

/// Make new cards: files for whoever makes them, and the cards known from then on.
#[utoipa::path(post, path = "/v1/admin/sims/personalise", tag = "administration", request_body = PersonaliseRequest,
    responses((status = 200, body = PersonaliseResponse), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn personalise_sims(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Json(request): Json<PersonaliseRequest>,
) -> Result<Json<PersonaliseResponse>, Problem> {
    Ok(Json(api.identity.personalise_sims(&actor, &request).await?))
}

/// The files of a batch of new cards have arrived: they need not be kept any longer.
#[utoipa::path(post, path = "/v1/admin/sims/personalise/{batch}/received", tag = "administration",
    params(("batch" = String, Path,)),
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn sims_received(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(batch): Path<String>,
) -> Result<StatusCode, Problem> {
    api.identity.sims_received(&actor, &batch).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every SIM, without secrets.
#[utoipa::path(get, path = "/v1/admin/sims", tag = "administration",
    responses((status = 200, body = SimList), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn sims(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
) -> Result<Json<SimList>, Problem> {
    Ok(Json(api.identity.list_sims(&actor).await?))
}

/// Keys that open concealed identities: their public halves.
#[utoipa::path(get, path = "/v1/admin/suci-keys", tag = "administration",
    responses((status = 200, body = SuciKeyList), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn suci_keys(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
) -> Result<Json<SuciKeyList>, Problem> {
    Ok(Json(api.identity.suci_keys(&actor).await?))
}

/// Make such a key.
#[utoipa::path(post, path = "/v1/admin/suci-keys", tag = "administration", request_body = SuciKeyRequest,
    responses((status = 200, body = SuciKeyRecord), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn make_suci_key(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Json(request): Json<SuciKeyRequest>,
) -> Result<Json<SuciKeyRecord>, Problem> {
    let scheme = Scheme::from_text(&request.scheme).ok_or(Error::Malformed("scheme"))?;
    Ok(Json(api.identity.make_suci_key(&actor, scheme).await?))
}

/// New cards do not get this key any more; it still opens.
#[utoipa::path(post, path = "/v1/admin/suci-keys/{number}/retire", tag = "administration",
    params(("number" = u8, Path,)),
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn retire_suci_key(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(number): Path<u8>,
) -> Result<StatusCode, Problem> {
    api.identity.retire_suci_key(&actor, number).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The login side of an official.
#[utoipa::path(get, path = "/v1/admin/accounts/{official}", tag = "administration",
    params(("official" = OfficialId, Path,)),
    responses((status = 200, body = AccountRecord), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn account(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(official): Path<OfficialId>,
) -> Result<Json<AccountRecord>, Problem> {
    Ok(Json(api.identity.account(&actor, official).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
pub(super) struct AuditQuery {
    /// Entries after this position.
    after: Option<i64>,
    /// At most 500, 100 without it.
    limit: Option<i64>,
}

/// The audit log.
#[utoipa::path(get, path = "/v1/admin/audit", tag = "administration", params(AuditQuery),
    responses((status = 200, body = AuditPage), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn audit(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Query(query): Query<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    let page = api.identity.audit_page(&actor, query.after.unwrap_or(0), query.limit.unwrap_or(100)).await?;
    Ok(Json(page))
}

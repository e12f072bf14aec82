//! The official's own sessions.

use super::Api;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use pakawaaz_base::SessionId;
use pakawaaz_contract::identity::SessionList;
use pakawaaz_http::{Authenticated, Json, Problem};

/// The official's own sessions that go on.
#[utoipa::path(get, path = "/v1/sessions", tag = "session",
    responses((status = 200, body = SessionList), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn list(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
) -> Result<Json<SessionList>, Problem> {
    Ok(Json(api.identity.sessions_of(&actor).await?))
}

/// End one of the official's own sessions.
#[utoipa::path(post, path = "/v1/sessions/{session}/end", tag = "session",
    params(("session" = SessionId, Path)),
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn end(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(session): Path<SessionId>,
) -> Result<StatusCode, Problem> {
    api.identity.end_session(&actor, session).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Changing and resetting the password.

use super::Api;
use axum::extract::State;
use axum::http::StatusCode;
use pakawaaz_contract::identity::{PasswordFinishRequest, PasswordStartRequest, PasswordStartResponse};
use pakawaaz_http::{Authenticated, ConnectionInfo, Json, Problem};

/// Begin to change the password, within five minutes of a full login.
#[utoipa::path(post, path = "/v1/password/start", tag = "password", request_body = PasswordStartRequest,
    responses((status = 200, body = PasswordStartResponse), (status = "default", body = Problem)),
    security(("dpop" = [])))]
pub(super) async fn start(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Json(request): Json<PasswordStartRequest>,
) -> Result<Json<PasswordStartResponse>, Problem> {
    Ok(Json(api.identity.password_start(&actor, &request).await?))
}

/// Set the new password; every other session ends.
#[utoipa::path(post, path = "/v1/password/finish", tag = "password", request_body = PasswordFinishRequest,
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn finish(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Json(request): Json<PasswordFinishRequest>,
) -> Result<StatusCode, Problem> {
    api.identity.password_finish(&actor, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begin to set a forgotten password with a voucher of two administrators.
#[utoipa::path(post, path = "/v1/password/reset/start", tag = "password", request_body = PasswordStartRequest,
    responses((status = 200, body = PasswordStartResponse), (status = "default", body = Problem)))]
pub(super) async fn reset_start(
    State(api): State<Api>,
    connection: ConnectionInfo,
    Json(request): Json<PasswordStartRequest>,
) -> Result<Json<PasswordStartResponse>, Problem> {
    api.admit(&connection)?;
    Ok(Json(api.identity.password_reset_start(&request).await?))
}

/// Set the new password; every session ends.
#[utoipa::path(post, path = "/v1/password/reset/finish", tag = "password", request_body = PasswordFinishRequest,
    responses((status = 204), (status = "default", body = Problem)))]
pub(super) async fn reset_finish(
    State(api): State<Api>,
    connection: ConnectionInfo,
    Json(request): Json<PasswordFinishRequest>,
) -> Result<StatusCode, Problem> {
    api.admit(&connection)?;
    api.identity.password_reset_finish(&request).await?;
    Ok(StatusCode::NO_CONTENT)
}

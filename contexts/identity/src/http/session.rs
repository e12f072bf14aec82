//! Tokens and who one is.

use super::Api;
use super::connection::RequestUri;
use crate::error::Error;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use pakawaaz_contract::identity::{LogoutRequest, Me, RefreshRequest, Tokens};
use pakawaaz_http::{Authenticated, ConnectionInfo, Json, Problem};

/// Renew the tokens with a DPoP proof of the same key.
#[utoipa::path(post, path = "/v1/token/refresh", tag = "session", request_body = RefreshRequest,
    params(("DPoP" = String, Header, description = "RFC 9449 proof without `ath`")),
    responses((status = 200, body = Tokens), (status = "default", body = Problem)))]
pub(super) async fn refresh(
    State(api): State<Api>,
    connection: ConnectionInfo,
    RequestUri(uri): RequestUri,
    headers: HeaderMap,
    Json(request): Json<RefreshRequest>,
) -> Result<Json<Tokens>, Problem> {
    api.admit(&connection)?;
    let mut proofs = headers.get_all("dpop").iter();
    let proof = proofs.next().and_then(|value| value.to_str().ok()).ok_or(Error::TokenInvalid)?;
    if proofs.next().is_some() {
        return Err(Error::TokenInvalid.into());
    }
    Ok(Json(api.identity.refresh(&request, proof, &uri).await?))
}

/// End this session, or all.
#[utoipa::path(post, path = "/v1/logout", tag = "session", request_body = LogoutRequest,
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn logout(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Json(request): Json<LogoutRequest>,
) -> Result<StatusCode, Problem> {
    api.identity.logout(&actor, request.everywhere).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The caller.
#[utoipa::path(get, path = "/v1/me", tag = "session",
    responses((status = 200, body = Me), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn me(State(api): State<Api>, Authenticated(actor): Authenticated) -> Result<Json<Me>, Problem> {
    Ok(Json(api.identity.me(&actor).await?))
}

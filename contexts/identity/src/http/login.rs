//! The three rounds of the login, and what precedes them.

use super::Api;
use super::connection::LoginSource;
use axum::extract::State;
use pakawaaz_contract::identity::{
    LoginChallenge, LoginPasswordRequest, LoginSimRequest, LoginSimResponse, LoginStartRequest, LoginStartResponse,
    ServerInfo,
};
use pakawaaz_http::{ConnectionInfo, Json, Problem};

/// What a client must know before anything else.
#[utoipa::path(get, path = "/v1/server", tag = "login", responses((status = 200, body = ServerInfo)))]
pub(super) async fn server_info(State(api): State<Api>) -> Json<ServerInfo> {
    Json(api.identity.server_info())
}

/// First round: device and password begin.
#[utoipa::path(post, path = "/v1/login/start", tag = "login", request_body = LoginStartRequest,
    responses((status = 200, body = LoginStartResponse), (status = "default", body = Problem)))]
pub(super) async fn start(
    State(api): State<Api>,
    connection: ConnectionInfo,
    Json(request): Json<LoginStartRequest>,
) -> Result<Json<LoginStartResponse>, Problem> {
    api.admit(&connection)?;
    Ok(Json(api.identity.login_start(&request).await?))
}

/// Second round: the password is proven, the SIM is challenged.
#[utoipa::path(post, path = "/v1/login/password", tag = "login", request_body = LoginPasswordRequest,
    responses((status = 200, body = LoginChallenge), (status = "default", body = Problem)))]
pub(super) async fn password(
    State(api): State<Api>,
    connection: ConnectionInfo,
    Json(request): Json<LoginPasswordRequest>,
) -> Result<Json<LoginChallenge>, Problem> {
    api.admit(&connection)?;
    Ok(Json(api.identity.login_password(&request).await?))
}

/// Third round: the SIM is proven, tokens are issued.
#[utoipa::path(post, path = "/v1/login/sim", tag = "login", request_body = LoginSimRequest,
    responses((status = 200, body = LoginSimResponse), (status = "default", body = Problem)))]
pub(super) async fn sim(
    State(api): State<Api>,
    connection: ConnectionInfo,
    LoginSource(source): LoginSource,
    Json(request): Json<LoginSimRequest>,
) -> Result<Json<LoginSimResponse>, Problem> {
    api.admit(&connection)?;
    Ok(Json(api.identity.login_sim(&request, &source).await?))
}

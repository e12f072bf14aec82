//! Enrolment.

use super::Api;
use axum::extract::State;
use pakawaaz_contract::identity::{EnrolFinishRequest, EnrolFinishResponse, EnrolStartRequest, EnrolStartResponse};
use pakawaaz_http::{ConnectionInfo, Json, Problem};

/// Begin to enrol a device with a voucher.
#[utoipa::path(post, path = "/v1/enrolment/start", tag = "enrolment", request_body = EnrolStartRequest,
    responses((status = 200, body = EnrolStartResponse), (status = "default", body = Problem)))]
pub(super) async fn start(
    State(api): State<Api>,
    connection: ConnectionInfo,
    Json(request): Json<EnrolStartRequest>,
) -> Result<Json<EnrolStartResponse>, Problem> {
    api.admit(&connection)?;
    Ok(Json(api.identity.enrol_start(&request).await?))
}

/// Prove the SIM and the keys, and receive the certificates.
#[utoipa::path(post, path = "/v1/enrolment/finish", tag = "enrolment", request_body = EnrolFinishRequest,
    responses((status = 200, body = EnrolFinishResponse), (status = "default", body = Problem)))]
pub(super) async fn finish(
    State(api): State<Api>,
    connection: ConnectionInfo,
    Json(request): Json<EnrolFinishRequest>,
) -> Result<Json<EnrolFinishResponse>, Problem> {
    api.admit(&connection)?;
    Ok(Json(api.identity.enrol_finish(&request).await?))
}

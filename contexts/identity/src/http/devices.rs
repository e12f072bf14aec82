//! Devices and their certificates.

use super::Api;
use axum::extract::State;
use axum::http::StatusCode;
use pakawaaz_base::{DeviceId, OfficialId};
use pakawaaz_contract::identity::{
    CrossSignRequest, DeviceList, DeviceRecord, MlsCertificateRequest, MlsCertificateResponse, RevokeDeviceRequest,
};
use pakawaaz_http::{Authenticated, ConnectionInfo, Json, Path, Problem};

/// Devices of an official, with the evidence to believe them.
#[utoipa::path(get, path = "/v1/officials/{official}/devices", tag = "devices", params(("official" = OfficialId, Path,)),
    responses((status = 200, body = DeviceList), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn list(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(official): Path<OfficialId>,
) -> Result<Json<DeviceList>, Problem> {
    Ok(Json(api.identity.devices_of(&actor, official).await?))
}

/// One device, with the evidence to believe it.
#[utoipa::path(get, path = "/v1/devices/{device}", tag = "devices", params(("device" = DeviceId, Path,)),
    responses((status = 200, body = DeviceRecord), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn one(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(device): Path<DeviceId>,
) -> Result<Json<DeviceRecord>, Problem> {
    Ok(Json(api.identity.device_record(&actor, device).await?))
}

/// Vouch for a new device of your own.
#[utoipa::path(post, path = "/v1/devices/{device}/cross-sign", tag = "devices", params(("device" = DeviceId, Path,)),
    request_body = CrossSignRequest,
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn cross_sign(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(device): Path<DeviceId>,
    Json(request): Json<CrossSignRequest>,
) -> Result<StatusCode, Problem> {
    api.identity.cross_sign(&actor, device, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Revoke a device of your own, for good.
#[utoipa::path(post, path = "/v1/devices/{device}/revoke", tag = "devices", params(("device" = DeviceId, Path,)),
    request_body = RevokeDeviceRequest,
    responses((status = 204), (status = "default", body = Problem)), security(("dpop" = [])))]
pub(super) async fn revoke(
    State(api): State<Api>,
    Authenticated(actor): Authenticated,
    Path(device): Path<DeviceId>,
    Json(request): Json<RevokeDeviceRequest>,
) -> Result<StatusCode, Problem> {
    api.identity.revoke_own_device(&actor, device, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new MLS certificate, by the device key alone.
#[utoipa::path(post, path = "/v1/mls-certificate", tag = "devices", request_body = MlsCertificateRequest,
    responses((status = 200, body = MlsCertificateResponse), (status = "default", body = Problem)))]
pub(super) async fn mls_certificate(
    State(api): State<Api>,
    connection: ConnectionInfo,
    Json(request): Json<MlsCertificateRequest>,
) -> Result<Json<MlsCertificateResponse>, Problem> {
    api.admit(&connection)?;
    Ok(Json(api.identity.mls_certificate(&request).await?))
}

//! Key packages.

use crate::Messaging;
use axum::extract::State;
use pakawaaz_base::OfficialId;
use pakawaaz_contract::messaging::{ClaimedKeyPackages, KeyPackageCount, PublishKeyPackagesRequest};
use pakawaaz_http::{Authenticated, Json, Path, Problem};

/// Publish key packages of this device
#[utoipa::path(post, path = "/v1/key-packages", tag = "messaging", request_body = PublishKeyPackagesRequest, responses(
    (status = 200, body = KeyPackageCount),
    (status = 400, body = Problem, description = "messaging.bad_key_package, messaging.too_many_key_packages, messaging.device_not_active"),
    (status = 403, body = Problem, description = "messaging.device_cut")
))]
pub async fn publish(
    Authenticated(actor): Authenticated,
    State(messaging): State<Messaging>,
    Json(request): Json<PublishKeyPackagesRequest>,
) -> Result<Json<KeyPackageCount>, Problem> {
    Ok(Json(messaging.publish_key_packages(&actor, request).await?))
}

/// Claim one key package of each device of an official
///
/// A one-time key package is handed out once.
#[utoipa::path(post, path = "/v1/officials/{official}/key-packages/claim", tag = "messaging",
    params(("official" = OfficialId, Path, description = "The official")), responses(
    (status = 200, body = ClaimedKeyPackages),
    (status = 403, body = Problem, description = "messaging.device_cut")
))]
pub async fn claim(
    Authenticated(actor): Authenticated,
    State(messaging): State<Messaging>,
    Path(official): Path<OfficialId>,
) -> Result<Json<ClaimedKeyPackages>, Problem> {
    Ok(Json(messaging.claim_key_packages(&actor, official).await?))
}

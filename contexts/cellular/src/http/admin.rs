//! What operators see and change.

use crate::Cellular;
use axum::extract::State;
use http::StatusCode;
use pakawaaz_contract::cellular::{
    CellularAlarmList, CellularAllowLists, CellularDetachRequest, CellularGnbList, CellularNetworkState,
    CellularOverloadRequest, CellularQuery, CellularSubscriber, CellularSubscriberList, CellularUeList,
    SetCellularNetworkRequest,
};
use pakawaaz_http::{Authenticated, Json, Path, Problem};

/// The network in force
#[utoipa::path(get, path = "/v1/admin/cellular/network", tag = "cellular", security(("dpop" = [])), responses(
    (status = 200, body = CellularNetworkState), (status = 403, body = Problem, description = "cellular.forbidden")
))]
pub async fn network(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
) -> Result<Json<CellularNetworkState>, Problem> {
    Ok(Json(cellular.network(&actor)?))
}

/// Change the network
///
/// The whole document, made from the version that it names.
#[utoipa::path(put, path = "/v1/admin/cellular/network", tag = "cellular", security(("dpop" = [])),
    request_body = SetCellularNetworkRequest, responses(
    (status = 200, body = CellularNetworkState),
    (status = 400, body = Problem, description = "cellular.bad_plmn, cellular.bad_tac, cellular.pool_overlap, …"),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 409, body = Problem, description = "cellular.changed, cellular.plmn_in_use, cellular.canary_in_pool")
))]
pub async fn set_network(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(request): Json<SetCellularNetworkRequest>,
) -> Result<Json<CellularNetworkState>, Problem> {
    Ok(Json(cellular.set_network(&actor, request).await?))
}

/// Say what a card may do
///
/// Takes effect at once. A card that is blocked is detached, and what it has proven ends.
#[utoipa::path(put, path = "/v1/admin/cellular/subscribers", tag = "cellular", security(("dpop" = [])),
    request_body = CellularSubscriber, responses(
    (status = 204),
    (status = 400, body = Problem, description = "cellular.bad_imsi, cellular.bad_profile"),
    (status = 403, body = Problem, description = "cellular.forbidden")
))]
pub async fn set_subscriber(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(subscriber): Json<CellularSubscriber>,
) -> Result<StatusCode, Problem> {
    cellular.set_subscriber(&actor, &subscriber).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Cards with a profile of their own
#[utoipa::path(post, path = "/v1/admin/cellular/subscribers/query", tag = "cellular", security(("dpop" = [])),
    request_body = CellularQuery, responses(
    (status = 200, body = CellularSubscriberList),
    (status = 403, body = Problem, description = "cellular.forbidden")
))]
pub async fn subscribers(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(query): Json<CellularQuery>,
) -> Result<Json<CellularSubscriberList>, Problem> {
    Ok(Json(cellular.subscribers(&actor, &query).await?))
}

/// gNBs that are connected
#[utoipa::path(get, path = "/v1/admin/cellular/gnbs", tag = "cellular", security(("dpop" = [])), responses(
    (status = 200, body = CellularGnbList),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn gnbs(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
) -> Result<Json<CellularGnbList>, Problem> {
    Ok(Json(cellular.gnbs(&actor).await?))
}

/// What phones may reach
///
/// As the user plane enforces it now, from the file that was signed for it.
#[utoipa::path(get, path = "/v1/admin/cellular/allow-lists", tag = "cellular", security(("dpop" = [])), responses(
    (status = 200, body = CellularAllowLists),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn allow_lists(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
) -> Result<Json<CellularAllowLists>, Problem> {
    Ok(Json(cellular.allow_lists(&actor).await?))
}

/// Registered phones with their sessions
#[utoipa::path(post, path = "/v1/admin/cellular/ues/query", tag = "cellular", security(("dpop" = [])),
    request_body = CellularQuery, responses(
    (status = 200, body = CellularUeList),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn ues(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(query): Json<CellularQuery>,
) -> Result<Json<CellularUeList>, Problem> {
    Ok(Json(cellular.ues(&actor, &query).await?))
}

/// Have a phone leave the network
///
/// Nobody is logged out by it.
#[utoipa::path(post, path = "/v1/admin/cellular/detach", tag = "cellular", security(("dpop" = [])),
    request_body = CellularDetachRequest, responses(
    (status = 204),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 404, body = Problem, description = "cellular.not_found: it is not registered"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn detach(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(request): Json<CellularDetachRequest>,
) -> Result<StatusCode, Problem> {
    cellular.detach(&actor, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Have gNBs reduce signalling
///
/// They turn phones away until they are asked for 0 percent, or the core ends.
#[utoipa::path(post, path = "/v1/admin/cellular/overload", tag = "cellular", security(("dpop" = [])),
    request_body = CellularOverloadRequest, responses(
    (status = 204),
    (status = 400, body = Problem, description = "cellular.bad_overload"),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 503, body = Problem, description = "cellular.off, cellular.standby, cellular.busy")
))]
pub async fn overload(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Json(request): Json<CellularOverloadRequest>,
) -> Result<StatusCode, Problem> {
    cellular.overload(&actor, &request).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Alarms by TS 28.532
#[utoipa::path(get, path = "/v1/admin/cellular/alarms", tag = "cellular", security(("dpop" = [])), responses(
    (status = 200, body = CellularAlarmList), (status = 403, body = Problem, description = "cellular.forbidden")
))]
pub async fn alarms(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
) -> Result<Json<CellularAlarmList>, Problem> {
    Ok(Json(cellular.alarms(&actor).await?))
}

/// Clear an alarm
#[utoipa::path(post, path = "/v1/admin/cellular/alarms/{alarm}/clear", tag = "cellular", security(("dpop" = [])),
    params(("alarm" = String, Path, description = "Its identity")), responses(
    (status = 204),
    (status = 403, body = Problem, description = "cellular.forbidden"),
    (status = 404, body = Problem, description = "cellular.not_found")
))]
pub async fn clear_alarm(
    Authenticated(actor): Authenticated,
    State(cellular): State<Cellular>,
    Path(alarm): Path<String>,
) -> Result<StatusCode, Problem> {
    cellular.clear_alarm(&actor, &alarm).await?;
    Ok(StatusCode::NO_CONTENT)
}

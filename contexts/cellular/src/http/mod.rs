//! HTTP: extract → service → respond. Whoever manages cards sees the network; administrators decide about it.

mod admin;
mod traces;

use crate::Cellular;
use axum::Router;
use axum::routing::{get, post, put};
use pakawaaz_http::{Problem, body_limit};
use utoipa::OpenApi;

/// Largest request body: a document with a thousand gNBs, whose places have names in both languages.
const MAX_BODY: usize = 512 * 1024;

/// The routes; wrap them with `pakawaaz_http::Edge`.
pub fn router(cellular: Cellular) -> Router {
    Router::new()
        .route("/v1/admin/cellular/network", get(admin::network).put(admin::set_network))
        .route("/v1/admin/cellular/subscribers", put(admin::set_subscriber))
        .route("/v1/admin/cellular/subscribers/query", post(admin::subscribers))
        .route("/v1/admin/cellular/gnbs", get(admin::gnbs))
        .route("/v1/admin/cellular/allow-lists", get(admin::allow_lists))
        .route("/v1/admin/cellular/ues/query", post(admin::ues))
        .route("/v1/admin/cellular/detach", post(admin::detach))
        .route("/v1/admin/cellular/overload", post(admin::overload))
        .route("/v1/admin/cellular/traces", get(traces::list))
        .route("/v1/admin/cellular/traces/start", post(traces::start))
        .route("/v1/admin/cellular/traces/stop", post(traces::stop))
        .route("/v1/admin/cellular/traces/read", post(traces::read))
        .route("/v1/admin/cellular/alarms", get(admin::alarms))
        .route("/v1/admin/cellular/alarms/{alarm}/clear", post(admin::clear_alarm))
        .layer(body_limit(MAX_BODY))
        .with_state(cellular)
}

/// The routes' part of the contract.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(
            admin::network,
            admin::set_network,
            admin::set_subscriber,
            admin::subscribers,
            admin::gnbs,
            admin::allow_lists,
            admin::ues,
            admin::detach,
            admin::overload,
            admin::alarms,
            admin::clear_alarm,
            traces::list,
            traces::start,
            traces::stop,
            traces::read,
        ),
        components(schemas(Problem)),
        tags((name = "cellular", description = "The 5G core"))
    )]
    struct Api;
    Api::openapi()
}

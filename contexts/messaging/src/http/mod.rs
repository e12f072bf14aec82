//! HTTP and the WebSocket: extract → service → respond.

mod events;
mod groups;
mod key_packages;
mod upgrade;

use crate::Messaging;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use pakawaaz_http::{Problem, Throttle, body_limit};
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa::OpenApi;

/// Largest request body: a hundred key packages in base64.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// State of every handler.
#[derive(Clone, FromRef)]
struct Api {
    messaging: Messaging,
    admission: Admission,
}

/// What holds strangers back.
#[derive(Clone)]
struct Admission {
    /// Of sockets that have not authenticated, by source address.
    throttle: Arc<Throttle>,
    /// Permits for the few Hellos above the usual size.
    large_hellos: Arc<Semaphore>,
}

/// The routes; wrap them with `pakawaaz_http::Edge`. `throttle` limits sockets that have not authenticated, per source
/// address; one that authenticates costs nothing.
pub fn router(messaging: Messaging, throttle: Arc<Throttle>) -> Router {
    let admission = Admission { throttle, large_hellos: Arc::new(Semaphore::new(upgrade::LARGE_AT_ONCE)) };
    Router::new()
        .route("/v1/key-packages", post(key_packages::publish))
        .route("/v1/officials/{official}/key-packages/claim", post(key_packages::claim))
        .route("/v1/groups", post(groups::create).get(groups::list))
        .route("/v1/groups/{group}", get(groups::state))
        .route("/v1/groups/{group}/epochs/{epoch}/tree", get(groups::tree))
        .route(pakawaaz_contract::EVENTS_PATH, get(events::open))
        .layer(body_limit(MAX_BODY))
        .with_state(Api { messaging, admission })
}

/// The routes' part of the contract.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(
            key_packages::publish,
            key_packages::claim,
            groups::create,
            groups::list,
            groups::state,
            groups::tree,
            events::open,
        ),
        components(schemas(Problem)),
        tags((name = "messaging", description = "Key packages, groups and the event stream"))
    )]
    struct Api;
    Api::openapi()
}

//! Routes: extract → service → respond.

mod admin;
mod connection;
mod devices;
mod enrolment;
mod login;
mod openapi;
mod password;
mod phone;
mod session;
mod sessions;

pub use openapi::openapi;

use crate::Identity;
use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use pakawaaz_http::{ConnectionInfo, Problem, Throttle, body_limit};
use std::sync::Arc;

/// Largest SIM batch in bytes.
const MAX_CSV: usize = 16 * 1024 * 1024;

/// State of every handler.
#[derive(Clone, FromRef)]
struct Api {
    identity: Identity,
    throttle: Arc<Throttle>,
}

impl Api {
    /// Limits what can be asked without a session, by source address.
    fn admit(&self, connection: &ConnectionInfo) -> Result<(), Problem> {
        self.throttle.check(connection.peer.ip(), self.identity.now())
    }
}

/// All routes of this context. `throttle` limits the ones that need no session, per source address.
pub fn router(identity: Identity, throttle: Arc<Throttle>) -> Router {
    let import = Router::new().route("/v1/admin/sims/import", post(admin::import_sims)).layer(body_limit(MAX_CSV));
    Router::new()
        .route("/v1/server", get(login::server_info))
        .route("/v1/enrolment/start", post(enrolment::start))
        .route("/v1/enrolment/finish", post(enrolment::finish))
        .route("/v1/login/start", post(login::start))
        .route("/v1/login/password", post(login::password))
        .route("/v1/login/sim", post(login::sim))
        .route("/v1/token/refresh", post(session::refresh))
        .route("/v1/logout", post(session::logout))
        .route("/v1/me", get(session::me))
        .route("/v1/me/phone", get(phone::mine))
        .route("/v1/sessions", get(sessions::list))
        .route("/v1/sessions/{session}/end", post(sessions::end))
        .route("/v1/password/start", post(password::start))
        .route("/v1/password/finish", post(password::finish))
        .route("/v1/password/reset/start", post(password::reset_start))
        .route("/v1/password/reset/finish", post(password::reset_finish))
        .route("/v1/officials/{official}/devices", get(devices::list))
        .route("/v1/devices/{device}", get(devices::one))
        .route("/v1/devices/{device}/cross-sign", post(devices::cross_sign))
        .route("/v1/devices/{device}/revoke", post(devices::revoke))
        .route("/v1/mls-certificate", post(devices::mls_certificate))
        .route("/v1/admin/proposals", post(admin::propose).get(admin::proposals))
        .route("/v1/admin/proposals/{proposal}/approve", post(admin::approve))
        .route("/v1/admin/proposals/{proposal}/withdraw", post(admin::withdraw))
        .route("/v1/admin/suspend", post(admin::suspend))
        .route("/v1/admin/unsuspend", post(admin::unsuspend))
        .route("/v1/admin/sims", get(admin::sims))
        .route("/v1/admin/sims/personalise", post(admin::personalise_sims))
        .route("/v1/admin/sims/personalise/{batch}/received", post(admin::sims_received))
        .route("/v1/admin/suci-keys", get(admin::suci_keys).post(admin::make_suci_key))
        .route("/v1/admin/suci-keys/{number}/retire", post(admin::retire_suci_key))
        .route("/v1/admin/accounts/{official}", get(admin::account))
        .route("/v1/admin/audit", get(admin::audit))
        .merge(import)
        .with_state(Api { identity, throttle })
}

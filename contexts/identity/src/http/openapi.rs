//! The contract of these routes.

use super::{admin, devices, enrolment, login, password, phone, session, sessions};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(
    login::server_info,
    enrolment::start,
    enrolment::finish,
    login::start,
    login::password,
    login::sim,
    session::refresh,
    session::logout,
    session::me,
    phone::mine,
    sessions::list,
    sessions::end,
    password::start,
    password::finish,
    password::reset_start,
    password::reset_finish,
    devices::list,
    devices::one,
    devices::cross_sign,
    devices::revoke,
    devices::mls_certificate,
    admin::propose,
    admin::proposals,
    admin::approve,
    admin::withdraw,
    admin::suspend,
    admin::unsuspend,
    admin::import_sims,
    admin::sims,
    admin::personalise_sims,
    admin::sims_received,
    admin::suci_keys,
    admin::make_suci_key,
    admin::retire_suci_key,
    admin::account,
    admin::audit,
))]
struct Paths;

/// OpenAPI of this context; bin/server merges it and declares the `dpop` security scheme.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Paths::openapi()
}

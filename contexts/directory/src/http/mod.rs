//! HTTP: extract → service → respond. Everybody who is logged in reads; directory managers write.

mod admin;
mod read;

use crate::Directory;
use axum::Router;
use axum::routing::{get, post};
use pakawaaz_http::{Problem, body_limit};
use utoipa::OpenApi;

/// Largest request body; names are short.
const MAX_BODY: usize = 16 * 1024;

/// The routes; wrap them with `pakawaaz_http::Edge`.
pub fn router(directory: Directory) -> Router {
    Router::new()
        .route("/v1/directory/units", get(read::units))
        .route("/v1/directory/posts", get(read::posts))
        .route("/v1/directory/posts/{post}", get(read::post))
        .route("/v1/directory/officials", get(read::officials))
        .route("/v1/directory/officials/{official}", get(read::official))
        .route("/v1/admin/units", post(admin::create_unit))
        .route("/v1/admin/posts", post(admin::create_post))
        .route("/v1/admin/officials", post(admin::create_official))
        .layer(body_limit(MAX_BODY))
        .with_state(directory)
}

/// The routes' part of the contract.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(
            read::units,
            read::posts,
            read::post,
            read::officials,
            read::official,
            admin::create_unit,
            admin::create_post,
            admin::create_official,
        ),
        components(schemas(Problem)),
        tags((name = "directory", description = "Who works where"))
    )]
    struct Api;
    Api::openapi()
}

//! HTTP: extract → service → respond.

mod chunks;
mod uploads;

use crate::Files;
use axum::Router;
use axum::routing::{get, post, put};
use pakawaaz_http::{Problem, body_limit};
use utoipa::OpenApi;

/// Largest JSON body. A chunk's own limit is its exact length, known before it is read.
const MAX_BODY: usize = 4 * 1024;

/// Whether this is the path of a chunk: its transfer takes as long as the line is slow, so it has other time limits
/// than a request for a decision.
pub fn is_chunk_path(path: &str) -> bool {
    path.strip_prefix("/v1/files/").is_some_and(|rest| rest.contains("/chunks/"))
}

/// The routes; wrap them with `pakawaaz_http::Edge`.
pub fn router(files: Files) -> Router {
    let json = Router::new()
        .route("/v1/files", post(uploads::create).get(uploads::usage))
        .route("/v1/files/{file}", get(uploads::state).delete(uploads::remove))
        .route("/v1/files/{file}/complete", post(uploads::complete))
        .layer(body_limit(MAX_BODY));
    Router::new()
        .route("/v1/files/{file}/chunks/{number}", put(chunks::store).get(chunks::fetch))
        .merge(json)
        .with_state(files)
}

/// The routes' part of the contract.
pub fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(
        paths(
            uploads::create,
            uploads::usage,
            uploads::state,
            uploads::complete,
            uploads::remove,
            chunks::store,
            chunks::fetch,
        ),
        components(schemas(Problem)),
        tags((name = "files", description = "Opaque encrypted files"))
    )]
    struct Api;
    Api::openapi()
}

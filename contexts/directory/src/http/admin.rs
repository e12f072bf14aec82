//! What directory managers may change.

use crate::Directory;
use axum::extract::State;
use pakawaaz_contract::directory::{
    CreateOfficialRequest, CreatePostRequest, CreateUnitRequest, Official, OrgUnit, Post,
};
use pakawaaz_http::{Authenticated, Json, Problem};

/// Create a unit
///
/// The same facts again give the unit that exists.
#[utoipa::path(post, path = "/v1/admin/units", tag = "directory", security(("dpop" = [])), request_body = CreateUnitRequest, responses(
    (status = 200, body = OrgUnit),
    (status = 400, body = Problem, description = "directory.bad_name, directory.kind_must_descend"),
    (status = 403, body = Problem, description = "directory.forbidden"),
    (status = 404, body = Problem, description = "directory.unit_not_found"),
    (status = 409, body = Problem, description = "directory.unit_exists")
))]
pub async fn create_unit(
    Authenticated(actor): Authenticated,
    State(directory): State<Directory>,
    Json(request): Json<CreateUnitRequest>,
) -> Result<Json<OrgUnit>, Problem> {
    Ok(Json(directory.create_unit(&actor, request).await?))
}

/// Create a vacant post
///
/// A holder is appointed by a proposal of the kind `appointments`.
#[utoipa::path(post, path = "/v1/admin/posts", tag = "directory", security(("dpop" = [])), request_body = CreatePostRequest, responses(
    (status = 200, body = Post),
    (status = 400, body = Problem, description = "directory.bad_name, directory.bad_grade"),
    (status = 403, body = Problem, description = "directory.forbidden"),
    (status = 404, body = Problem, description = "directory.unit_not_found")
))]
pub async fn create_post(
    Authenticated(actor): Authenticated,
    State(directory): State<Directory>,
    Json(request): Json<CreatePostRequest>,
) -> Result<Json<Post>, Problem> {
    Ok(Json(directory.create_post(&actor, request).await?))
}

/// Create an official
///
/// The same facts again give the official that exists.
#[utoipa::path(post, path = "/v1/admin/officials", tag = "directory", security(("dpop" = [])), request_body = CreateOfficialRequest, responses(
    (status = 200, body = Official),
    (status = 400, body = Problem, description = "directory.bad_name, directory.bad_username"),
    (status = 403, body = Problem, description = "directory.forbidden"),
    (status = 409, body = Problem, description = "directory.username_taken")
))]
pub async fn create_official(
    Authenticated(actor): Authenticated,
    State(directory): State<Directory>,
    Json(request): Json<CreateOfficialRequest>,
) -> Result<Json<Official>, Problem> {
    Ok(Json(directory.create_official(&actor, request).await?))
}

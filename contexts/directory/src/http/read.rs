//! What every official may read.

use crate::Directory;
use axum::extract::State;
use pakawaaz_base::{OfficialId, OrgUnitId, PostId};
use pakawaaz_contract::directory::{Official, OfficialPage, OrgTree, Post, PostList};
use pakawaaz_http::{Authenticated, Json, Path, Problem, Query};
use serde::Deserialize;
use utoipa::IntoParams;

/// Organisation tree
///
/// Parents come before children.
#[utoipa::path(get, path = "/v1/directory/units", tag = "directory", security(("dpop" = [])), responses(
    (status = 200, body = OrgTree), (status = 401, body = Problem)
))]
pub async fn units(_: Authenticated, State(directory): State<Directory>) -> Result<Json<OrgTree>, Problem> {
    Ok(Json(directory.tree().await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PostQuery {
    /// The unit.
    unit: OrgUnitId,
}

/// Posts of a unit
///
/// Highest grade first, with the present holders.
#[utoipa::path(get, path = "/v1/directory/posts", tag = "directory", security(("dpop" = [])), params(PostQuery), responses(
    (status = 200, body = PostList), (status = 404, body = Problem, description = "directory.unit_not_found")
))]
pub async fn posts(
    _: Authenticated,
    State(directory): State<Directory>,
    Query(query): Query<PostQuery>,
) -> Result<Json<PostList>, Problem> {
    Ok(Json(directory.posts(query.unit).await?))
}

/// One post
///
/// With the present holder and what was signed last about it.
#[utoipa::path(get, path = "/v1/directory/posts/{post}", tag = "directory", security(("dpop" = [])),
    params(("post" = PostId, Path, description = "The post")), responses(
    (status = 200, body = Post), (status = 404, body = Problem, description = "directory.post_not_found")
))]
pub async fn post(
    _: Authenticated,
    State(directory): State<Directory>,
    Path(post): Path<PostId>,
) -> Result<Json<Post>, Problem> {
    Ok(Json(directory.post(post).await?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// What to look for: part of a name, username, post or unit, in English or Urdu. Empty lists everybody.
    #[serde(default)]
    q: String,
    /// Officials on a page, 1 to 100.
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// Search officials
///
/// Best match first, then the higher grade.
#[utoipa::path(get, path = "/v1/directory/officials", tag = "directory", security(("dpop" = [])), params(SearchQuery), responses(
    (status = 200, body = OfficialPage), (status = 400, body = Problem, description = "directory.bad_cursor")
))]
pub async fn officials(
    _: Authenticated,
    State(directory): State<Directory>,
    Query(query): Query<SearchQuery>,
) -> Result<Json<OfficialPage>, Problem> {
    Ok(Json(directory.search(&query.q, query.limit, query.after.as_deref()).await?))
}

/// One official
#[utoipa::path(get, path = "/v1/directory/officials/{official}", tag = "directory", security(("dpop" = [])),
    params(("official" = OfficialId, Path, description = "The official")), responses(
    (status = 200, body = Official), (status = 404, body = Problem, description = "directory.official_not_found")
))]
pub async fn official(
    _: Authenticated,
    State(directory): State<Directory>,
    Path(official): Path<OfficialId>,
) -> Result<Json<Official>, Problem> {
    Ok(Json(directory.official(official).await?))
}

//! Announcing, asking, completing, deleting.

use crate::Files;
use axum::extract::State;
use http::StatusCode;
use pakawaaz_base::FileId;
use pakawaaz_contract::files::{CompletedFile, CreateFileRequest, CreatedFile, FileState, FileUsage};
use pakawaaz_http::{Authenticated, Json, Path, Problem};

/// Announce an upload
///
/// Its bytes count against the quota from now on. Idempotent by access hash.
#[utoipa::path(post, path = "/v1/files", tag = "files", security(("dpop" = [])), request_body = CreateFileRequest, responses(
    (status = 200, body = CreatedFile),
    (status = 400, body = Problem, description = "files.bad_size, files.too_large, files.bad_access_hash"),
    (status = 403, body = Problem, description = "files.quota"),
    (status = 409, body = Problem, description = "files.too_many_uploads, files.already_announced")
))]
pub async fn create(
    Authenticated(actor): Authenticated,
    State(files): State<Files>,
    Json(request): Json<CreateFileRequest>,
) -> Result<Json<CreatedFile>, Problem> {
    Ok(Json(files.create(&actor, request).await?))
}

/// Quota and use
#[utoipa::path(get, path = "/v1/files", tag = "files", security(("dpop" = [])), responses((status = 200, body = FileUsage)))]
pub async fn usage(
    Authenticated(actor): Authenticated,
    State(files): State<Files>,
) -> Result<Json<FileUsage>, Problem> {
    Ok(Json(files.usage(&actor).await?))
}

/// State of an own upload
#[utoipa::path(get, path = "/v1/files/{file}", tag = "files", security(("dpop" = [])),
    params(("file" = FileId, Path, description = "The file")), responses(
    (status = 200, body = FileState), (status = 404, body = Problem, description = "files.not_found")
))]
pub async fn state(
    Authenticated(actor): Authenticated,
    State(files): State<Files>,
    Path(file): Path<FileId>,
) -> Result<Json<FileState>, Problem> {
    Ok(Json(files.state(&actor, file).await?))
}

/// Complete an upload
///
/// Idempotent. From now on it can be downloaded and not be changed.
#[utoipa::path(post, path = "/v1/files/{file}/complete", tag = "files", security(("dpop" = [])),
    params(("file" = FileId, Path, description = "The file")), responses(
    (status = 200, body = CompletedFile), (status = 404, body = Problem, description = "files.not_found"),
    (status = 409, body = Problem, description = "files.incomplete")
))]
pub async fn complete(
    Authenticated(actor): Authenticated,
    State(files): State<Files>,
    Path(file): Path<FileId>,
) -> Result<Json<CompletedFile>, Problem> {
    Ok(Json(files.complete(&actor, file).await?))
}

/// Delete a file
///
/// Its uploader, or an administrator (which is audited).
#[utoipa::path(delete, path = "/v1/files/{file}", tag = "files", security(("dpop" = [])),
    params(("file" = FileId, Path, description = "The file")), responses(
    (status = 204), (status = 404, body = Problem, description = "files.not_found")
))]
pub async fn remove(
    Authenticated(actor): Authenticated,
    State(files): State<Files>,
    Path(file): Path<FileId>,
) -> Result<StatusCode, Problem> {
    files.remove(&actor, file).await?;
    Ok(StatusCode::NO_CONTENT)
}

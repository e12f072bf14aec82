//! Chunks in and out.

use crate::model::access;
use crate::{Files, FilesError};
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use pakawaaz_base::FileId;
use pakawaaz_contract::files::ACCESS_HEADER;
use pakawaaz_http::{Authenticated, Path, Problem};
use std::time::Duration;

/// A body that does not move for so long is given up: it holds a place that others wait for.
const STALLED: Duration = Duration::from_secs(20);

/// Store a chunk
///
/// Idempotent: the same bytes again are fine, others are refused. The body is the sealed chunk of exactly its length.
#[utoipa::path(put, path = "/v1/files/{file}/chunks/{number}", tag = "files", security(("dpop" = [])),
    params(("file" = FileId, Path, description = "The file"), ("number" = u32, Path, description = "Which, from 0")),
    request_body(content = String, content_type = "application/octet-stream"), responses(
    (status = 204, description = "Stored durably"),
    (status = 400, body = Problem, description = "files.bad_chunk, files.body"),
    (status = 404, body = Problem, description = "files.not_found"),
    (status = 409, body = Problem, description = "files.chunk_differs, files.complete"),
    (status = 429, body = Problem, description = "files.busy")
))]
pub async fn store(
    Authenticated(actor): Authenticated,
    State(files): State<Files>,
    Path((file, number)): Path<(FileId, u32)>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let expected = files.expect_chunk(&actor, file, number).await?;
    let bytes = read(body, expected.length).await?;
    files.put_chunk(expected, bytes).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads a body of exactly `length` bytes.
async fn read(mut body: Body, length: usize) -> Result<Bytes, FilesError> {
    let mut bytes = BytesMut::with_capacity(length);
    loop {
        let frame = tokio::time::timeout(STALLED, body.frame()).await.map_err(|_| FilesError::Body)?;
        let Some(frame) = frame else { break };
        if let Ok(data) = frame.map_err(|_| FilesError::Body)?.into_data() {
            if bytes.len() + data.len() > length {
                return Err(FilesError::BadChunk);
            }
            bytes.extend_from_slice(&data);
        }
    }
    if bytes.len() == length { Ok(bytes.freeze()) } else { Err(FilesError::BadChunk) }
}

/// Fetch a chunk
///
/// For every official who shows the access value that came with the message.
#[utoipa::path(get, path = "/v1/files/{file}/chunks/{number}", tag = "files", security(("dpop" = [])),
    params(("file" = FileId, Path, description = "The file"), ("number" = u32, Path, description = "Which, from 0"),
        ("pakawaaz-file-access" = String, Header, description = "Unpadded base64url of the 32 access bytes")),
    responses(
    (status = 200, content_type = "application/octet-stream", body = String),
    (status = 400, body = Problem, description = "files.bad_chunk"),
    (status = 404, body = Problem, description = "files.not_found, files.damaged")
))]
pub async fn fetch(
    _: Authenticated,
    State(files): State<Files>,
    Path((file, number)): Path<(FileId, u32)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let shown = headers.get(ACCESS_HEADER).and_then(|v| v.to_str().ok()).and_then(access::parse);
    let chunk = files.download(file, number, shown).await?;
    let mut response = Body::from_stream(chunk.bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(chunk.size));
    // Ciphertext, but the access value must be shown again for it.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

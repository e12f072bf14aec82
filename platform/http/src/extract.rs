//! Extractors whose rejections are problems.

use crate::Problem;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use pakawaaz_base::ErrorClass;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Layer that limits request bodies (2 MiB without it); larger ones get `http.too_large`.
pub fn body_limit(bytes: usize) -> DefaultBodyLimit {
    DefaultBodyLimit::max(bytes)
}

/// A JSON body, in or out.
///
/// Codes: `http.bad_json` (400), `http.too_large` (413), `http.media_type` (415), `http.body` (400, the
/// connection broke).
#[derive(Clone, Copy, Debug, Default)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(json_problem(&rejection)),
        }
    }
}

/// serde's messages quote the offending value, so none of them is passed on.
fn json_problem(rejection: &JsonRejection) -> Problem {
    let invalid = |code| Problem::new(ErrorClass::Invalid, code);
    match rejection {
        JsonRejection::JsonSyntaxError(_) => invalid("http.bad_json").detail("the body is not JSON"),
        JsonRejection::JsonDataError(_) => invalid("http.bad_json").detail("the body has the wrong shape"),
        JsonRejection::MissingJsonContentType(_) => invalid("http.media_type")
            .status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
            .detail("the body must be application/json"),
        other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            invalid("http.too_large").status(StatusCode::PAYLOAD_TOO_LARGE).detail("the body is too large")
        }
        _ => invalid("http.body").detail("the body could not be read"),
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Query parameters; `http.bad_query` (400) when they do not fit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(_) => {
                Err(Problem::new(ErrorClass::Invalid, "http.bad_query").detail("the query parameters do not fit"))
            }
        }
    }
}

/// Path parameters; `http.no_such_route` (404) when they do not parse, like any other unknown path.
#[derive(Clone, Copy, Debug, Default)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(_)) => {
                Err(Problem::new(ErrorClass::NotFound, "http.no_such_route"))
            }
            Err(_) => Err(crate::connection::misconfigured("path parameters")),
        }
    }
}

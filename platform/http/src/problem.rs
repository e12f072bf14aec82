//! RFC 9457 problem details with a stable code.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pakawaaz_base::{ErrorClass, StableError};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An error as clients see it (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// `urn:pakawaaz:error:<code>`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub kind: Box<str>,
    /// Short English sentence for the class of error.
    pub title: Cow<'static, str>,
    /// HTTP status.
    pub status: u16,
    /// Stable code, `context.reason`.
    pub code: Cow<'static, str>,
    /// What happened, without names, content or values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When to try again, milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// Further response headers (a DPoP nonce, for example).
    #[serde(skip)]
    #[schema(ignore)]
    pub headers: Option<Box<HeaderMap>>,
}

impl Problem {
    /// A problem with the status of its class.
    pub fn new(class: ErrorClass, code: &'static str) -> Self {
        let (status, title) = match class {
            ErrorClass::Invalid => (StatusCode::BAD_REQUEST, "The request is malformed"),
            ErrorClass::Unauthenticated => (StatusCode::UNAUTHORIZED, "Not logged in"),
            ErrorClass::Forbidden => (StatusCode::FORBIDDEN, "Not allowed"),
            ErrorClass::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            ErrorClass::Conflict => (StatusCode::CONFLICT, "The state has moved on"),
            ErrorClass::Throttled => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            ErrorClass::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable"),
            ErrorClass::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
        };
        Self {
            kind: format!("urn:pakawaaz:error:{code}").into(),
            title: title.into(),
            status: status.as_u16(),
            code: code.into(),
            detail: None,
            retry_after_ms: None,
            headers: None,
        }
    }

    /// The problem for an error. Its text becomes the detail, except for internal errors, which are logged
    /// by code and kept from the client.
    pub fn from_error(error: &dyn StableError) -> Self {
        let problem = Self { retry_after_ms: error.retry_after_ms(), ..Self::new(error.class(), error.code()) };
        if error.class() == ErrorClass::Internal {
            tracing::error!(code = error.code(), %error, "internal error");
            return problem;
        }
        problem.detail(error.to_string())
    }

    /// With a log-safe explanation.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    /// With another status of the same class (413, 415).
    pub fn status(self, status: StatusCode) -> Self {
        Self { status: status.as_u16(), ..self }
    }

    /// With a time after which trying again makes sense.
    pub fn retry_after_ms(self, milliseconds: u64) -> Self {
        Self { retry_after_ms: Some(milliseconds), ..self }
    }

    /// With a response header.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.get_or_insert_default().insert(name, value);
        self
    }
}

impl<E: StableError> From<E> for Problem {
    fn from(error: E) -> Self {
        Self::from_error(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after_ms {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.div_ceil(1000)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("DPoP algs=\"ES256\""));
        }
        if let Some(further) = self.headers {
            for (name, value) in further.iter() {
                headers.insert(name, value.clone());
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[derive(Debug, PartialEq, thiserror::Error)]
    enum Failure {
        #[error("the epoch has moved on")]
        Conflict,
        #[error("row 17 has the wrong shape")]
        Broken,
        #[error("wait")]
        Wait,
    }
    impl StableError for Failure {
        fn code(&self) -> &'static str {
            match self {
                Self::Conflict => "messaging.epoch_conflict",
                Self::Broken => "messaging.broken",
                Self::Wait => "identity.back_off",
            }
        }
        fn class(&self) -> ErrorClass {
            match self {
                Self::Conflict => ErrorClass::Conflict,
                Self::Broken => ErrorClass::Internal,
                Self::Wait => ErrorClass::Throttled,
            }
        }
        fn retry_after_ms(&self) -> Option<u64> {
            (*self == Self::Wait).then_some(4_001)
        }
    }

    async fn json(problem: Problem) -> (http::response::Parts, serde_json::Value) {
        let (parts, body) = problem.into_response().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        (parts, serde_json::from_slice(&bytes).unwrap())
    }

    #[tokio::test]
    async fn an_error_becomes_problem_json() {
        let (parts, body) = json(Failure::Conflict.into()).await;
        assert_eq!(parts.status, 409);
        assert_eq!(parts.headers[CONTENT_TYPE], "application/problem+json");
        assert_eq!(
            body,
            serde_json::json!({
                "type": "urn:pakawaaz:error:messaging.epoch_conflict",
                "title": "The state has moved on",
                "status": 409,
                "code": "messaging.epoch_conflict",
                "detail": "the epoch has moved on",
            })
        );
        assert_eq!(serde_json::from_value::<Problem>(body).unwrap(), Problem::from(Failure::Conflict));
    }

    #[tokio::test]
    async fn internal_errors_keep_their_text_to_themselves() {
        let (parts, body) = json(Failure::Broken.into()).await;
        assert_eq!(parts.status, 500);
        assert_eq!(body.get("detail"), None);
        assert_eq!(body["code"], "messaging.broken");
    }

    #[tokio::test]
    async fn an_error_that_knows_when_to_come_back_says_so() {
        let (parts, body) = json(Failure::Wait.into()).await;
        assert_eq!((parts.status.as_u16(), &parts.headers[RETRY_AFTER]), (429, &HeaderValue::from_static("5")));
        assert_eq!(body["retry_after_ms"], 4_001);
    }

    #[tokio::test]
    async fn headers_tell_when_to_retry_and_how_to_log_in() {
        let (parts, body) = json(Problem::new(ErrorClass::Throttled, "http.throttled").retry_after_ms(1001)).await;
        assert_eq!(parts.headers[RETRY_AFTER], "2");
        assert_eq!(body["retry_after_ms"], 1001);
        let nonce = (HeaderName::from_static("dpop-nonce"), HeaderValue::from_static("n"));
        let (parts, _) = json(Problem::new(ErrorClass::Unauthenticated, "a.b").header(nonce.0, nonce.1)).await;
        assert_eq!(parts.headers["dpop-nonce"], "n");
        assert!(parts.headers.contains_key(WWW_AUTHENTICATE));
    }
}

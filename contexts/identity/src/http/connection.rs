//! What handlers need to know of the connection and the URL.

use crate::service::LoginConnection;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use pakawaaz_base::ErrorClass;
use pakawaaz_http::{ConnectionInfo, Problem};

/// The authority the client used: of the request line (HTTP/2) or the Host header.
fn authority(parts: &Parts) -> Option<String> {
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    match uri.authority() {
        Some(authority) => Some(authority.as_str().to_owned()),
        None => parts.headers.get(HOST)?.to_str().ok().map(str::to_owned),
    }
}

/// `scheme://authority/path` as the client sees it.
pub(super) struct RequestUri(pub String);

impl<S: Send + Sync> FromRequestParts<S> for RequestUri {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let connection = ConnectionInfo::from_request_parts(parts, state).await?;
        let authority = authority(parts).ok_or_else(|| Problem::new(ErrorClass::Invalid, "http.no_host"))?;
        let path = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0).path();
        let scheme = if connection.secure { "https" } else { "http" };
        Ok(Self(format!("{scheme}://{authority}{path}")))
    }
}

/// What binds a login to its connection.
pub(super) struct LoginSource(pub LoginConnection);

impl<S: Send + Sync> FromRequestParts<S> for LoginSource {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let connection = ConnectionInfo::from_request_parts(parts, state).await?;
        Ok(Self(LoginConnection {
            tls_exporter: connection.tls_exporter,
            origin: parts.headers.get(ORIGIN).and_then(|value| value.to_str().ok()).map(str::to_owned),
            authority: authority(parts),
            loopback: !connection.secure && connection.peer.ip().is_loopback(),
            address: Some(connection.peer.ip()),
        }))
    }
}

//! What the server knows about the connection a request came over.

use crate::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;
use pakawaaz_base::ErrorClass;
use std::net::SocketAddr;

/// Inserted into the request's extensions by whoever accepts connections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Address of the other side.
    pub peer: SocketAddr,
    /// TLS exporter of this connection (RFC 9266 `tls-exporter` and our login label), for channel binding.
    pub tls_exporter: Option<[u8; 32]>,
    /// Whether the client speaks TLS (to us, or to a trusted proxy in front).
    pub secure: bool,
}

impl std::fmt::Debug for ConnectionInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The exporter value binds logins to this connection: not for logs.
        f.debug_struct("ConnectionInfo").field("peer", &self.peer).field("secure", &self.secure).finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ConnectionInfo {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().copied().ok_or_else(|| misconfigured("connection info"))
    }
}

/// Something the server should have put into the request's extensions is missing: fail closed.
pub(crate) fn misconfigured(what: &'static str) -> Problem {
    tracing::error!(what, "missing request extension");
    Problem::new(ErrorClass::Internal, "http.misconfigured")
}

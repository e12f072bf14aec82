//! The layers every request passes, in the one right order.

use crate::connection::misconfigured;
use crate::observe::{observe, panic_problem};
use crate::{Authenticator, Problem};
use axum::extract::FromRequestParts;
use axum::{Extension, Router, middleware};
use http::StatusCode;
use http::request::Parts;
use pakawaaz_base::{Clock, ErrorClass, Millis};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// What handlers and extractors need from the outside.
#[derive(Clone)]
pub struct Edge {
    /// Checks credentials.
    pub authenticator: Arc<dyn Authenticator>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Edge {
    /// Wraps a complete router: request id, span and metrics, panics and unknown routes as problems, and
    /// what [`crate::Authenticated`] and [`Now`] look for. The acceptor still has to insert
    /// [`crate::ConnectionInfo`].
    pub fn wrap(self, router: Router) -> Router {
        router
            .fallback(|| async { Problem::new(ErrorClass::NotFound, "http.no_such_route") })
            .method_not_allowed_fallback(|| async {
                Problem::new(ErrorClass::Invalid, "http.method_not_allowed").status(StatusCode::METHOD_NOT_ALLOWED)
            })
            .layer(Extension(self.authenticator))
            .layer(Extension(self.clock))
            .layer(CatchPanicLayer::custom(panic_problem))
            .layer(middleware::from_fn(observe))
    }
}

/// Extractor: the current time from the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now(pub Millis);

impl<S: Send + Sync> FromRequestParts<S> for Now {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let clock = parts.extensions.get::<Arc<dyn Clock>>().ok_or_else(|| misconfigured("clock"))?;
        Ok(Self(clock.now()))
    }
}

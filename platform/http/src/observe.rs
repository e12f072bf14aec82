//! Request id, span and metrics; panics as problems.

use crate::Problem;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, Method};
use pakawaaz_base::ErrorClass;
use rand::RngCore;
use std::any::Any;
use tracing::Instrument;

/// Response header with the request's id, to find its log lines.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of this request, in its extensions. Made here, never taken from the client, who could otherwise
/// write into our logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Middleware: gives the request an id and a span, and counts it by route template, method and status.
pub async fn observe(mut request: Request, next: Next) -> Response {
    let started = tokio::time::Instant::now();
    let mut random = [0u8; 8];
    rand::thread_rng().fill_bytes(&mut random);
    let id = format!("{:016x}", u64::from_be_bytes(random));
    // The template (`/v1/groups/{group}`), because the path itself holds identifiers.
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = method_label(request.method());
    request.extensions_mut().insert(RequestId(id.clone()));

    let span = tracing::info_span!("request", id = %id, method, route = %route);
    let mut response = next.run(request).instrument(span.clone()).await;

    let status = response.status();
    let elapsed = started.elapsed();
    let _entered = span.enter();
    if status.is_server_error() {
        tracing::warn!(status = status.as_u16(), ms = elapsed.as_millis() as u64, "answered");
    } else {
        tracing::debug!(status = status.as_u16(), ms = elapsed.as_millis() as u64, "answered");
    }
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.as_str().to_owned())];
    metrics::counter!("pakawaaz_http_requests_total", &labels).increment(1);
    metrics::histogram!("pakawaaz_http_request_seconds", &labels).record(elapsed.as_secs_f64());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Clients can invent methods; labels must stay few.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        _ => "other",
    }
}

/// The answer to a request whose handler panicked. The panic's text may hold values, so it stays out.
pub(crate) fn panic_problem(_panic: Box<dyn Any + Send + 'static>) -> Response {
    metrics::counter!("pakawaaz_http_panics_total").increment(1);
    tracing::error!("a handler panicked");
    Problem::new(ErrorClass::Internal, "http.panic").into_response()
}

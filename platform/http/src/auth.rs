//! Who is calling: the port that identity implements, and the extractor that handlers take.

use crate::connection::misconfigured;
use crate::{ConnectionInfo, Now, Problem};
use async_trait::async_trait;
use axum::extract::{FromRequestParts, OptionalFromRequestParts, OriginalUri};
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use pakawaaz_base::{Actor, ErrorClass, Millis, Role};
use std::sync::Arc;

/// The parts of a request that authentication looks at.
#[derive(Clone)]
pub struct RequestHead {
    /// HTTP method (DPoP `htm`).
    pub method: Method,
    /// The URI as the client sees it, `scheme://authority/path` without query and fragment (DPoP `htu`,
    /// RFC 9449 §4.3). The authority is the client's claim: compare it with the configured ones.
    pub uri: String,
    /// Value of `Authorization`.
    pub authorization: Option<String>,
    /// Value of `DPoP`.
    pub dpop: Option<String>,
    /// The current time.
    pub now: Millis,
}

impl std::fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Headers hold tokens, the path holds identifiers.
        f.debug_struct("RequestHead").field("method", &self.method).finish_non_exhaustive()
    }
}

/// Turns credentials into an actor, or refuses.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Checks the token and the proof that belongs to this very request.
    async fn authenticate(&self, head: RequestHead) -> Result<Actor, Problem>;
}

/// Extractor: the authenticated actor. `Option<Authenticated>` is `None` without an `Authorization` header,
/// but still refuses wrong credentials.
#[derive(Clone, Debug)]
pub struct Authenticated(pub Actor);

impl<S: Send + Sync> FromRequestParts<S> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if let Some(known) = parts.extensions.get::<Authenticated>() {
            return Ok(known.clone()); // a middleware asked before: a DPoP proof is good only once
        }
        let authenticator =
            parts.extensions.get::<Arc<dyn Authenticator>>().cloned().ok_or_else(|| misconfigured("authenticator"))?;
        let head = request_head(parts, state).await?;
        let authenticated = Self(authenticator.authenticate(head).await?);
        parts.extensions.insert(authenticated.clone());
        Ok(authenticated)
    }
}

impl<S: Send + Sync> OptionalFromRequestParts<S> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Problem> {
        if !parts.headers.contains_key(AUTHORIZATION) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}

async fn request_head<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RequestHead, Problem> {
    let connection = ConnectionInfo::from_request_parts(parts, state).await?;
    let Now(now) = Now::from_request_parts(parts, state).await?;
    // Inside a nested router `parts.uri` has lost its prefix; the client signed the whole path.
    let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
    let authority = match uri.authority() {
        Some(authority) => authority.as_str().to_owned(),
        None => single(&parts.headers, HOST)?
            .ok_or_else(|| Problem::new(ErrorClass::Invalid, "http.no_host").detail("the Host header is missing"))?,
    };
    let scheme = if connection.secure { "https" } else { "http" };
    Ok(RequestHead {
        method: parts.method.clone(),
        uri: format!("{scheme}://{authority}{}", uri.path()),
        authorization: single(&parts.headers, AUTHORIZATION)?,
        dpop: single(&parts.headers, HeaderName::from_static("dpop"))?,
        now,
    })
}

/// The header's value; two of them, or bytes that are no text, are refused rather than guessed about.
fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    let refuse = || Problem::new(ErrorClass::Invalid, "http.bad_header").detail("a header is repeated or not text");
    if values.next().is_some() {
        return Err(refuse());
    }
    first.map(|value| value.to_str().map(str::to_owned).map_err(|_| refuse())).transpose()
}

/// Role checks that answer with a problem.
pub trait RequireRole {
    /// Refuses unless the actor holds `role`.
    fn require_role(&self, role: Role) -> Result<(), Problem>;
    /// Refuses unless the actor holds one of `roles`.
    fn require_any_role(&self, roles: &[Role]) -> Result<(), Problem>;
}

impl RequireRole for Actor {
    fn require_role(&self, role: Role) -> Result<(), Problem> {
        self.require_any_role(&[role])
    }

    fn require_any_role(&self, roles: &[Role]) -> Result<(), Problem> {
        if roles.iter().any(|role| self.has(*role)) {
            Ok(())
        } else {
            Err(Problem::new(ErrorClass::Forbidden, "http.role_required").detail("this needs a role you do not hold"))
        }
    }
}

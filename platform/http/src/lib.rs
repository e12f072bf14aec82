//! Problem details, authentication extractor, throttling, device event hub.
//!
//! **Invariants**
//! - Every error leaves as RFC 9457 problem details with a stable code ([`Problem`]); internal errors say
//!   nothing about themselves.
//! - Logs, spans and metric labels carry route templates, never paths with identifiers, and no header values.
//! - A handler that takes [`Authenticated`] cannot run without an [`Authenticator`] having agreed.

pub mod auth;
pub mod connection;
pub mod edge;
pub mod extract;
pub mod hub;
pub mod observe;
pub mod problem;
pub mod throttle;

pub use auth::{Authenticated, Authenticator, RequestHead, RequireRole};
pub use connection::ConnectionInfo;
pub use edge::{Edge, Now};
pub use extract::{Json, Path, Query, body_limit};
pub use hub::{CloseReason, Hub, Signal, Subscription};
pub use problem::Problem;
pub use throttle::{Throttle, ThrottleOptions};

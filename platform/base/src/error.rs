//! Error conventions: every error that leaves a crate has a stable code and is safe to log.

/// How a caller should treat an error; decides the HTTP status and the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The request is malformed (400, exit 2).
    Invalid,
    /// Not logged in, or no longer (401, exit 3).
    Unauthenticated,
    /// Logged in, but not allowed (403, exit 4).
    Forbidden,
    /// No such thing, or not for this caller (404, exit 5).
    NotFound,
    /// The state has moved on; re-read and try again (409, exit 6).
    Conflict,
    /// Too much, too fast (429, exit 7).
    Throttled,
    /// A dependency is down; nothing was done (503, exit 8).
    Unavailable,
    /// A bug or a broken invariant (500, exit 70).
    Internal,
}

/// An error with a stable, documented code.
///
/// `Display` of an implementor must be log-safe: no names, content, keys, tokens or file paths of users.
pub trait StableError: std::error::Error {
    /// `context.reason`, for example `messaging.epoch_conflict`; never changes once released.
    fn code(&self) -> &'static str;
    /// How to treat it.
    fn class(&self) -> ErrorClass;
    /// After how many milliseconds trying again makes sense, when the error knows.
    fn retry_after_ms(&self) -> Option<u64> {
        None
    }
}

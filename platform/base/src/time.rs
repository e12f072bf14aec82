//! Time as a value. Milliseconds since the Unix epoch, UTC, in a signed 64-bit integer.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// The value for SQL and the wire.
    pub fn as_i64(self) -> i64 {
        self.0
    }
    /// The value as unsigned; instants before 1970 become 0.
    pub fn as_u64(self) -> u64 {
        self.0.max(0) as u64
    }
    /// Whole seconds since the epoch (JWT `iat`, X.509).
    pub fn as_secs(self) -> u64 {
        self.as_u64() / 1000
    }
    /// From whole seconds since the epoch.
    pub fn from_secs(secs: u64) -> Self {
        Self((secs.min(i64::MAX as u64 / 1000) * 1000) as i64)
    }
    /// This instant plus `d`, saturating.
    pub fn plus(self, d: Duration) -> Self {
        Self(self.0.saturating_add(d.as_millis().min(i64::MAX as u128) as i64))
    }
    /// This instant minus `d`, saturating.
    pub fn minus(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(d.as_millis().min(i64::MAX as u128) as i64))
    }
    /// Time passed since `earlier`; zero when it lies in the future.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).max(0) as u64)
    }
}

/// Where the current time comes from. Implemented only at the edge.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Millis;
}

/// A clock set by hand, for tests and simulations.
#[derive(Debug, Default)]
pub struct ManualClock(std::sync::atomic::AtomicI64);

impl ManualClock {
    /// A clock standing at `now`.
    pub fn at(now: Millis) -> Self {
        Self(std::sync::atomic::AtomicI64::new(now.0))
    }
    /// Moves the clock forward by `d`.
    pub fn advance(&self, d: Duration) {
        self.0.fetch_add(d.as_millis() as i64, std::sync::atomic::Ordering::SeqCst);
    }
    /// Sets the clock.
    pub fn set(&self, now: Millis) {
        self.0.store(now.0, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(std::sync::atomic::Ordering::SeqCst))
    }
}

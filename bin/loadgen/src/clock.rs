//! Time: what a benchmark is about, and the one thing it may read by itself.

use pakawaaz_base::{Clock as _, Millis};
use pakawaaz_client_native::platform::SystemClock;
use std::time::{Duration, Instant};

/// A moment.
#[derive(Clone, Copy, Debug)]
pub struct Moment(Instant);

impl Moment {
    /// This one.
    #[allow(clippy::disallowed_methods, reason = "the edge: a program that measures")]
    pub fn now() -> Self {
        Self(Instant::now())
    }
    /// How long ago it was.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Wall-clock time.
pub fn wall() -> Millis {
    SystemClock.now()
}

//! Time, for the figures that the demo prints and for the vouchers it asks for.

use pakawaaz_base::{Clock as _, Millis};
use pakawaaz_client_native::platform::SystemClock;
use std::time::{Duration, Instant};

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[allow(clippy::disallowed_methods, reason = "the edge: a program that shows how long it takes")]
    pub fn start() -> Self {
        Self(Instant::now())
    }
    /// How long so far.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Wall-clock time.
pub fn now() -> Millis {
    SystemClock.now()
}

//! The machine's steady clock, read here and nowhere else.

use pakawaaz_base::Millis;
use std::time::{Duration, Instant};

/// A point in time that only counts on, whatever happens to the date.
#[derive(Clone, Copy, Debug)]
pub struct Start(Instant);

impl Start {
    /// Now.
    #[allow(clippy::disallowed_methods, reason = "the edge of the program")]
    pub fn now() -> Self {
        Self(Instant::now())
    }
    /// Time since then.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
    /// The same for what counts in milliseconds.
    pub fn millis(self) -> Millis {
        Millis(i64::try_from(self.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

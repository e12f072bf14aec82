//! What a client holds in memory only.

/// Volatile state; everything else is in the store.
#[derive(Default)]
pub(crate) struct Inner {}

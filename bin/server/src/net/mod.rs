//! Listening: our own accept loop, so that TLS handshakes, limits and channel binding are in our hands.

pub mod limits;
pub mod listener;
pub mod tls;

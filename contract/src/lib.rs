//! The contract between the server and every client: requests, responses, WebSocket frames, facts.
//!
//! HTTP bodies are JSON; byte strings are unpadded base64url there. The WebSocket `/v1/events` carries
//! [`frames`] as CBOR in binary messages. Signed statements, certificates and MLS messages travel as opaque
//! bytes: their codecs live in `protocol/`. [`facts`] are what contexts tell each other through the outbox.

pub mod admin;
pub mod cellular;
pub mod directory;
pub mod facts;
pub mod files;
pub mod frames;
pub mod fuzz;
pub mod identity;
pub mod messaging;

pub use pakawaaz_base::{Assurance, Bytes, Millis, Role};

/// Version of the login and frame protocols spoken by this build.
pub const PROTOCOL_VERSION: u16 = 1;
/// Path of the WebSocket.
pub const EVENTS_PATH: &str = "/v1/events";
/// Largest WebSocket frame in bytes, either way (a commit of a 1,000-member hybrid group fits).
pub const MAX_FRAME: usize = 8 * 1024 * 1024;
/// Largest application message (MLS PrivateMessage) in bytes.
pub const MAX_APPLICATION_MESSAGE: usize = 256 * 1024;

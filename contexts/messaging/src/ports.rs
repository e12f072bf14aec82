//! What this context asks of others; connected in `bin/server`.

use crate::MessagingError;
use async_trait::async_trait;
use pakawaaz_base::{Actor, DeviceId, Millis, OfficialId};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_http::Problem;

/// Where a device stands, as identity knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceStanding {
    /// The device.
    pub device: DeviceId,
    /// Its official.
    pub official: OfficialId,
    /// Its status.
    pub status: DeviceStatus,
}

/// Questions about devices (answered by identity). A failure is [`MessagingError::Dependency`].
#[async_trait]
pub trait Devices: Send + Sync + 'static {
    /// The devices of an official that may be leaves.
    async fn active_devices(&self, official: OfficialId) -> Result<Vec<DeviceId>, MessagingError>;
    /// The standing of these devices; unknown ones are left out.
    async fn standings(&self, devices: &[DeviceId]) -> Result<Vec<DeviceStanding>, MessagingError>;
}

/// The credentials of a WebSocket's Hello.
#[derive(Clone)]
pub struct SocketHello {
    /// Access token.
    pub access_token: String,
    /// DPoP proof (`htm` GET) that must hold `nonce` and `ath`.
    pub dpop: String,
    /// The challenge's nonce, base64url without padding, as in the proof.
    pub nonce: String,
    /// The socket's URL with http(s) scheme, as the client sees it.
    pub htu: String,
    /// The current time.
    pub now: Millis,
}

impl std::fmt::Debug for SocketHello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SocketHello")
    }
}

/// Who a WebSocket belongs to.
#[derive(Clone, Debug)]
pub struct SocketSession {
    /// The actor.
    pub actor: Actor,
    /// When the access token of its Hello was issued.
    pub issued_at: Millis,
}

/// Authenticates a WebSocket (answered by identity).
#[async_trait]
pub trait SocketAuth: Send + Sync + 'static {
    /// The session, or the problem to close with.
    async fn authenticate_hello(&self, hello: SocketHello) -> Result<SocketSession, Problem>;
    /// Whether the session is still good, from memory: asked for every frame. A problem of status 503 means that nobody
    /// can tell at the moment.
    fn check(&self, session: &SocketSession) -> Result<(), Problem>;
}

//! One context's questions, answered by another: small adapters, no decisions.

use async_trait::async_trait;
use pakawaaz_base::{DeviceId, OfficialId};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_http::{CloseReason, Hub, Problem};
use pakawaaz_identity::{ActiveDevice, HelloProof, Identity, SocketCloser};
use pakawaaz_messaging::{DeviceStanding, Devices, MessagingError, SocketAuth, SocketHello, SocketSession};

/// identity ends sockets through the hub.
pub struct Sockets(pub Hub);

impl SocketCloser for Sockets {
    fn close(&self, device: DeviceId, reason: CloseReason) {
        self.0.close(device, reason);
    }
}

/// identity answers messaging.
pub struct AskIdentity(pub Identity);

#[async_trait]
impl Devices for AskIdentity {
    async fn active_devices(&self, official: OfficialId) -> Result<Vec<DeviceId>, MessagingError> {
        let devices = self.0.active_devices(official).await.map_err(|_| MessagingError::Dependency)?;
        Ok(devices.into_iter().map(|device| device.device).collect())
    }

    async fn standings(&self, devices: &[DeviceId]) -> Result<Vec<DeviceStanding>, MessagingError> {
        let mut standings = Vec::with_capacity(devices.len());
        for device in devices {
            let found = self.0.device(*device).await.map_err(|_| MessagingError::Dependency)?;
            standings.extend(found.as_ref().map(standing));
        }
        Ok(standings)
    }
}

/// What is neither active nor revoked may not be a leaf now, whatever the reason.
fn standing(device: &ActiveDevice) -> DeviceStanding {
    let status = if device.revocation.is_some() {
        DeviceStatus::Revoked
    } else if device.active {
        DeviceStatus::Active
    } else {
        DeviceStatus::Suspended
    };
    DeviceStanding { device: device.device, official: device.official, status }
}

#[async_trait]
impl SocketAuth for AskIdentity {
    async fn authenticate_hello(&self, hello: SocketHello) -> Result<SocketSession, Problem> {
        let SocketHello { access_token, dpop, nonce, htu, .. } = &hello;
        let proof = HelloProof { access_token, dpop, nonce, uri: htu };
        // A socket outlives its access token: what ends the session ends the socket.
        let (actor, issued_at) = self.0.authenticate_hello(proof).await?;
        Ok(SocketSession { actor, issued_at })
    }

    fn check(&self, session: &SocketSession) -> Result<(), Problem> {
        Ok(self.0.still_live(&session.actor, session.issued_at)?)
    }
}

//! The official's own devices and those of others.

use crate::views::DeviceView;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{DeviceId, OfficialId};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Devices of `official`, verified as far as possible.
    ///
    /// # Errors
    /// Transport errors, [`ClientError::Refused`].
    pub async fn devices(&self, official: Option<OfficialId>) -> Result<Vec<DeviceView>, ClientError> {
        let _ = official;
        Err(ClientError::LoginRequired)
    }
    /// The code of a waiting device: shown on both screens and compared by the official before approving.
    ///
    /// # Errors
    /// [`ClientError::NoSuchDevice`].
    pub async fn device_code(&self, device: DeviceId) -> Result<String, ClientError> {
        let _ = device;
        Err(ClientError::LoginRequired)
    }
    /// Cross-signs a waiting device of this official, then adds it to every conversation. `code` is what the waiting
    /// device shows (spaces do not matter).
    ///
    /// # Errors
    /// [`ClientError::CodeMismatch`] when the server showed another key than the device has.
    pub async fn approve_device(&self, device: DeviceId, code: &str) -> Result<(), ClientError> {
        let _ = (device, code);
        Err(ClientError::LoginRequired)
    }
    /// Revokes another device of this official with a signed statement.
    ///
    /// # Errors
    /// [`ClientError::NoSuchDevice`], [`ClientError::Refused`].
    pub async fn revoke_device(&self, device: DeviceId, reason: u8) -> Result<(), ClientError> {
        let _ = (device, reason);
        Err(ClientError::LoginRequired)
    }
}

//! Changing the password, and resetting it with a voucher of two administrators.

use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_trust::Voucher;

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Sets a new password; needs a full login within the last five minutes. Every other session ends.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::LoginRequired`].
    pub async fn change_password(&self, new: &str) -> Result<(), ClientError> {
        let _ = new;
        Err(ClientError::LoginRequired)
    }
    /// Sets a new password with a password voucher; needs no session, only this enrolled device.
    ///
    /// # Errors
    /// [`ClientError::Refused`].
    pub async fn reset_password(&self, voucher: &Voucher, new: &str) -> Result<(), ClientError> {
        let _ = (voucher, new);
        Err(ClientError::LoginRequired)
    }
}

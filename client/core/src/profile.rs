//! The profile: created by enrolment, opened offline with the PIN.

use crate::vault::Vault;
use crate::views::WhoAmI;
use crate::{Client, ClientError, Platform, Store, Transport};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Whether the store holds a profile.
    ///
    /// # Errors
    /// Store errors.
    pub async fn is_enrolled(&self) -> Result<bool, ClientError> {
        Ok(self.db.header().await?.is_some())
    }
    /// Opens the profile. Works offline.
    ///
    /// # Errors
    /// [`ClientError::NotEnrolled`], [`ClientError::WrongPin`].
    pub async fn unlock(&self, pin: &str) -> Result<(), ClientError> {
        let header = self.db.header().await?.ok_or(ClientError::NotEnrolled)?;
        self.db.set_vault(Some(Vault::open(&header, pin, &self.platform().device_secret())?));
        Ok(())
    }
    /// Closes it: keys leave memory.
    pub fn lock(&self) {
        self.db.set_vault(None);
    }
    /// Changes the PIN.
    ///
    /// # Errors
    /// [`ClientError::WrongPin`], [`ClientError::WeakPin`].
    pub async fn change_pin(&self, old: &str, new: &str) -> Result<(), ClientError> {
        let header = self.db.header().await?.ok_or(ClientError::NotEnrolled)?;
        let secret = self.platform().device_secret();
        let header = Vault::change_pin(&header, old, new, &secret, &mut self.db.rng())?;
        self.db.put_header(&header).await
    }
    /// Who this is. Works offline.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub async fn whoami(&self) -> Result<WhoAmI, ClientError> {
        Err(ClientError::NotEnrolled)
    }
}

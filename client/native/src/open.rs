//! A client over a profile folder: the one way shells build it.

use crate::address::ServerAddress;
use crate::profile::{Profile, ProfileError};
use crate::{NativePlatform, NativeTransport};
use pakawaaz_client::{Client, StoreError, TransportError};
use pakawaaz_client_store_sqlite::SqliteStore;
use pakawaaz_contract::identity::ChannelMode;
use std::path::Path;

/// The client as native shells use it.
pub type NativeClient = Client<SqliteStore, NativeTransport, NativePlatform>;

/// A profile and the client over it. The profile's lock lives as long as this.
pub struct OpenProfile {
    /// The client.
    pub client: NativeClient,
    /// The folder and its lock.
    pub profile: Profile,
}

/// Why a profile cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// TLS.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

impl OpenProfile {
    /// Makes a new, empty profile in `dir` for the server of a voucher.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn create(dir: &Path, server: ServerAddress, ca_pin: [u8; 32]) -> Result<Self, OpenError> {
        Self::over(Profile::create(dir, server, ca_pin)?, None).await
    }

    /// Opens an existing profile. The client still has to be unlocked with the PIN.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(dir: &Path) -> Result<Self, OpenError> {
        Self::open_with_phone(dir, None).await
    }

    /// The same, with the file of [`NativePlatform::with_phone_key`].
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open_with_phone(dir: &Path, phone_key: Option<&Path>) -> Result<Self, OpenError> {
        Self::over(Profile::open(dir)?, phone_key).await
    }

    async fn over(profile: Profile, phone_key: Option<&Path>) -> Result<Self, OpenError> {
        let store = SqliteStore::open(&profile.store_path()).await?;
        let transport = NativeTransport::new(profile.server().clone(), profile.ca_pin())?;
        let platform = NativePlatform::new(profile.device_secret());
        let platform = match phone_key {
            Some(file) => platform.with_phone_key(file),
            None => platform,
        };
        Ok(Self { client: Client::new(store, transport, platform), profile })
    }

    /// How this profile's logins are bound to their connection.
    pub fn channel_mode(&self) -> ChannelMode {
        if self.profile.server().tls() { ChannelMode::TlsExporter } else { ChannelMode::Loopback }
    }
}

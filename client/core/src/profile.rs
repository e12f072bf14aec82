//! The profile: made by enrolment, opened offline with the PIN.

use crate::login::Session;
use crate::vault::Vault;
use crate::views::WhoAmI;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{Assurance, Bytes, DeviceId, Millis, OfficialId};
use pakawaaz_contract::directory::BilingualName;
use pakawaaz_contract::identity::{ChannelMode, DeviceStatus};
use pakawaaz_login::KsfParams;
use pakawaaz_trust::{SigningKey, TrustAnchors};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use zeroize::{Zeroize, Zeroizing};

/// What this device knows about itself; one sealed row.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub anchors: TrustAnchors,
    pub origin: String,
    pub ca_chain: Vec<Bytes>,
    pub external_sender: Bytes,
    pub official: OfficialId,
    pub username: String,
    pub device: DeviceId,
    pub label: String,
    pub status: DeviceStatus,
    pub assurance: Assurance,
    pub channel: ChannelMode,
    pub ksf: KsfParams,
    /// PKCS#8 of the P-256 device key (software keys; a hardware key will stand here as a reference).
    pub device_key: Bytes,
    /// Ed25519 seed of the MLS key. It stays the same for the life of the device, so that openmls recognises the old
    /// leaf when the device comes back by external commit.
    pub mls_seed: Bytes,
    pub device_certificate: Bytes,
    pub mls_certificate: Option<Bytes>,
    /// When the shorter certificate of the MLS credential ends; zero without one.
    pub mls_ends: Millis,
}

impl Drop for Profile {
    fn drop(&mut self) {
        self.device_key.0.zeroize();
        self.mls_seed.0.zeroize();
    }
}

impl Profile {
    pub(crate) fn signer(&self) -> Result<SigningKey, ClientError> {
        Ok(SigningKey::from_pkcs8(&self.device_key)?)
    }
    pub(crate) fn code(&self) -> Result<String, ClientError> {
        use pakawaaz_trust::DeviceSigner as _;
        let key = self.signer()?.public_key();
        Ok(pakawaaz_trust::short_code(&self.anchors.realm, self.official, &key))
    }
}

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
        self.inner.forget();
        Ok(())
    }
    /// The key of the open profile, for another process of the same profile (a browser's other tab) to go on with
    /// when this one ends. It must never be written down.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub fn vault_key(&self) -> Result<Zeroizing<[u8; 32]>, ClientError> {
        self.db.vault_key()
    }
    /// Opens the profile with a key that another process handed over.
    ///
    /// # Errors
    /// [`ClientError::WrongPin`] when it is not the key of this profile.
    pub async fn unlock_with(&self, key: Zeroizing<[u8; 32]>) -> Result<(), ClientError> {
        self.db.set_vault(Some(Vault::from_key(key)));
        self.inner.forget();
        match self.profile().await {
            Ok(_) => Ok(()),
            Err(e) => {
                self.lock();
                Err(if matches!(e, ClientError::Damaged) { ClientError::WrongPin } else { e })
            }
        }
    }
    /// A sealed row of the shell (a browser's software SIM).
    ///
    /// # Errors
    /// Store errors, [`ClientError::Locked`].
    pub async fn shell_row(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, ClientError> {
        self.db.get_raw(&keys::shell(name)).await
    }
    /// Writes a sealed row of the shell; durable when this returns.
    ///
    /// # Errors
    /// As [`Client::shell_row`].
    pub async fn put_shell_row(&self, name: &str, value: Zeroizing<Vec<u8>>) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        tx.put_raw(keys::shell(name), value);
        tx.commit().await
    }
    /// Whether the profile is open.
    pub fn is_unlocked(&self) -> bool {
        self.db.is_unlocked()
    }
    /// Closes it: keys leave memory.
    pub fn lock(&self) {
        self.db.set_vault(None);
        self.inner.forget();
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
    /// The profile, from memory after the first time.
    pub(crate) async fn profile(&self) -> Result<Rc<Profile>, ClientError> {
        if let Some(profile) = self.inner.profile() {
            return Ok(profile);
        }
        let profile: Profile = self.db.get(keys::PROFILE).await?.ok_or(ClientError::NotEnrolled)?;
        let profile = Rc::new(profile);
        self.inner.set_profile(profile.clone());
        Ok(profile)
    }
    /// Stores a changed profile.
    pub(crate) async fn update_profile(&self, change: impl FnOnce(&mut Profile)) -> Result<(), ClientError> {
        let mut profile = Profile::clone(&*self.profile().await?);
        change(&mut profile);
        let mut tx = self.db.tx();
        tx.put(keys::PROFILE.to_vec(), &profile);
        tx.commit().await?;
        self.inner.set_profile(Rc::new(profile));
        Ok(())
    }
    /// Who this is. Works offline.
    ///
    /// # Errors
    /// [`ClientError::Locked`].
    pub async fn whoami(&self) -> Result<WhoAmI, ClientError> {
        let profile = self.profile().await?;
        let session: Option<Session> = self.db.get(keys::SESSION).await?;
        let now = self.server_now();
        let ends = session.map(|s| s.tokens.session_ends_at).filter(|ends| *ends > now);
        let known = self.known_official(profile.official).await?;
        let (name, rank, posts) = match known {
            Some(known) => (known.name, known.rank, known.posts),
            None => {
                let name = BilingualName { en: profile.username.clone(), ur: String::new() };
                (name, BilingualName::default(), Vec::new())
            }
        };
        Ok(WhoAmI {
            official: profile.official,
            username: profile.username.clone(),
            name,
            rank,
            posts,
            device: profile.device,
            label: profile.label.clone(),
            status: profile.status,
            assurance: profile.assurance,
            realm: profile.anchors.realm.clone(),
            origin: profile.origin.clone(),
            session_ends_at: ends,
            fingerprint: profile.code()?,
        })
    }
    /// Server time as well as it is known.
    pub(crate) fn server_now(&self) -> Millis {
        Millis(self.platform().now().as_i64().saturating_add(self.inner.offset()))
    }
}

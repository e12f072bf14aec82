//! For tests of this crate: a profile without an enrolment, so that a test world can be made in a moment.

use crate::login::Session;
use crate::profile::Profile;
use crate::vault::{PinCost, Vault};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{Assurance, Bytes, DeviceId, Millis, OfficialId, SessionId};
use pakawaaz_contract::identity::{ChannelMode, DeviceStatus, Tokens};
use pakawaaz_login::KsfParams;
use pakawaaz_trust::{SigningKey, TrustAnchors};

/// The PIN of every such profile.
pub const PIN: &str = "123456";

/// What enrolment and login would have left behind.
pub struct TestProfile {
    /// Pinned root.
    pub anchors: TrustAnchors,
    /// Root first.
    pub ca_chain: Vec<Bytes>,
    /// Ed25519 key of the delivery service.
    pub external_sender: [u8; 32],
    /// Whose.
    pub official: OfficialId,
    /// Login name.
    pub username: String,
    /// Which device.
    pub device: DeviceId,
    /// Its key.
    pub device_key: SigningKey,
    /// Seed of its MLS key.
    pub mls_seed: [u8; 32],
    /// X.509 DER.
    pub device_certificate: Vec<u8>,
    /// X.509 DER.
    pub mls_certificate: Vec<u8>,
    /// When that ends.
    pub mls_ends: Millis,
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Stores a profile and a session that lasts a year.
    ///
    /// # Errors
    /// Store errors.
    pub async fn install(&self, made: TestProfile) -> Result<(), ClientError> {
        let secret = self.platform().device_secret();
        let (vault, header) = Vault::create(PIN, &secret, PinCost::TESTS, &mut self.db.rng())?;
        self.db.set_vault(Some(vault));
        let now = self.platform().now();
        let year = now.plus(std::time::Duration::from_secs(365 * 24 * 3600));
        let session = Session {
            tokens: Tokens {
                access_token: "access".into(),
                expires_at: year,
                refresh_token: "refresh".into(),
                session_ends_at: year,
                session: SessionId::new(now, &mut self.db.rng()),
            },
            token_key: Bytes(SigningKey::generate(&mut self.db.rng()).to_pkcs8()?.to_vec()),
            logged_in_at: now,
            offset: 0,
        };
        let profile = Profile {
            anchors: made.anchors,
            origin: self.transport.origin(),
            ca_chain: made.ca_chain,
            external_sender: made.external_sender.into(),
            official: made.official,
            username: made.username,
            device: made.device,
            label: "test".into(),
            status: DeviceStatus::Active,
            assurance: Assurance::SoftwareNative,
            channel: ChannelMode::Loopback,
            ksf: KsfParams::CHEAP,
            device_key: Bytes(made.device_key.to_pkcs8()?.to_vec()),
            mls_seed: made.mls_seed.into(),
            device_certificate: made.device_certificate.into(),
            mls_certificate: Some(made.mls_certificate.into()),
            mls_ends: made.mls_ends,
        };
        let mut tx = self.db.tx();
        tx.put_header(header);
        tx.put(keys::PROFILE.to_vec(), &profile);
        tx.put(keys::SESSION.to_vec(), &session);
        tx.commit().await
    }
}

//! For tests and measurements: a profile without an enrolment, so that a world can be made in a moment; a server that
//! nobody reaches; conversations as long as one likes.

mod long;
mod nowhere;

pub use nowhere::Nowhere;

use crate::login::Session;
use crate::profile::Profile;
use crate::records::{OutBody, ReceiptRecord, UnreadRecord};
use crate::store::Range;
use crate::vault::{PinCost, Vault};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{Assurance, Bytes, DeviceId, GroupId, Millis, OfficialId, SessionId};
use pakawaaz_contract::identity::{ChannelMode, DeviceStatus, Tokens};
use pakawaaz_conversation::Body;
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
    /// Sends what a client of other makers may send: nothing is checked.
    ///
    /// # Errors
    /// Store errors.
    pub async fn send_body_unchecked(&self, group: GroupId, body: Body) -> Result<(), ClientError> {
        let body = match body {
            Body::Edit { target, text, mentions } => OutBody::Edit { target, text, mentions },
            Body::Delete { target } => OutBody::Delete { target },
            _ => return Err(ClientError::Damaged),
        };
        let item = self.item(group, body);
        let mut tx = self.db.tx();
        tx.put(keys::outbox(item.message), &item);
        tx.commit().await
    }

    /// Stores a line as another version wrote it.
    ///
    /// # Errors
    /// Store errors.
    pub async fn put_line_as(&self, group: GroupId, seq: u64, row: &impl serde::Serialize) -> Result<(), ClientError> {
        let mut tx = self.db.tx();
        tx.put(keys::line(group, seq, 0), row);
        tx.commit().await
    }

    /// Rewrites what is unread as versions did that had no row for each message.
    ///
    /// # Errors
    /// Store errors, [`ClientError::NoSuchConversation`].
    pub async fn unread_as_before(&self, group: GroupId) -> Result<(), ClientError> {
        let mut record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let mut tx = self.db.tx();
        for (key, row) in self.db.scan::<UnreadRecord>(Range::prefix(&keys::unread_of(group))).await? {
            record.unread_ids.push(row.message);
            tx.delete(key);
        }
        tx.put(keys::group(group), &record);
        tx.commit().await
    }

    /// Rewrites what is to be acknowledged as versions did that had no row for each message.
    ///
    /// # Errors
    /// Store errors, [`ClientError::NoSuchConversation`].
    pub async fn receipts_as_before(&self, group: GroupId) -> Result<(), ClientError> {
        let mut record = self.group_record(group).await?.ok_or(ClientError::NoSuchConversation)?;
        let mut tx = self.db.tx();
        for (key, row) in self.db.scan::<ReceiptRecord>(Range::prefix(&keys::receipts(group))).await? {
            if row.read { &mut record.to_read } else { &mut record.to_deliver }.push(row.message);
            tx.delete(key);
        }
        tx.put(keys::group(group), &record);
        tx.commit().await
    }

    /// Rewrites who is believed as versions did that had one row for all.
    ///
    /// # Errors
    /// Store errors.
    pub async fn known_as_before(&self) -> Result<(), ClientError> {
        let known = self.known().await?;
        let mut tx = self.db.tx();
        for prefix in [keys::KNOWN, keys::ENDED] {
            self.db.scan_raw(Range::prefix(prefix)).await?.into_iter().for_each(|(key, _)| tx.delete(key));
        }
        tx.put(keys::KNOWN.to_vec(), &known);
        tx.commit().await
    }

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

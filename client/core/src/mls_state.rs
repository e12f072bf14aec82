//! The MLS engine's life: loading it from the store, its certificate, its key packages, and storing what it changed.

use crate::db::Tx;
use crate::http::post;
use crate::inner::Mls;
use crate::mls::{Identity, MlsEngine as _, MlsSigner, OpenMls};
use crate::profile::Profile;
use crate::store::Range;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use futures::lock::MutexGuard;
use pakawaaz_base::{Bytes, GroupId, Millis};
use pakawaaz_contract::identity::{DeviceStatus, MlsCertificateRequest, MlsCertificateResponse};
use pakawaaz_contract::messaging::{KeyPackageCount, PublishKeyPackagesRequest};
use pakawaaz_mls_storage::keys as mls_keys;
use pakawaaz_trust::x509::{CLOCK_SKEW, CaChain, MlsCertificate};
use pakawaaz_trust::{DeviceSigner as _, SignLabel, TrustError, mls_certificate};
use rand_core::{RngCore as _, SeedableRng as _};
use std::collections::HashSet;
use std::time::Duration;

/// A certificate with less than this left is renewed.
const RENEW_WITHIN: Duration = Duration::from_secs(3 * 24 * 3600);
/// One-time key packages to keep at the server.
const KEEP: u32 = 40;
/// How long the private half of a key package is kept after its time: a Welcome made within its time may lie in the inbox
/// of a device that was off. What comes later is a conversation to come back to, which needs no key package.
const KEPT_AFTER: Duration = Duration::from_secs(30 * 24 * 3600);
/// Publish more when fewer are left.
const LOW: u32 = 15;

/// The engine, held by one user.
pub(crate) type Guard<'a> = MutexGuard<'a, Option<Mls>>;

fn mls_signing_key(profile: &Profile) -> Result<ed25519_dalek::SigningKey, ClientError> {
    let seed = zeroize::Zeroizing::new(profile.mls_seed.array::<32>().ok_or(ClientError::Damaged)?);
    Ok(ed25519_dalek::SigningKey::from_bytes(&seed))
}

fn identity(profile: &Profile) -> Result<Identity, ClientError> {
    let certificate = profile.mls_certificate.as_ref().ok_or(ClientError::NotApproved)?;
    let key = mls_signing_key(profile)?;
    let public = key.verifying_key().to_bytes();
    Ok(Identity {
        credential: pakawaaz_conversation::leaf::credential(certificate, &profile.device_certificate, &public),
        signer: MlsSigner(key),
        ends: profile.mls_ends,
        external_sender: profile.external_sender.array().ok_or(ClientError::Damaged)?,
    })
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// The engine, loaded; one user at a time.
    pub(crate) async fn mls(&self) -> Result<Guard<'_>, ClientError> {
        let mut guard = self.inner.mls.lock().await;
        if guard.as_ref().is_some_and(|mls| mls.engine.is_dirty()) {
            // The last user was dropped half-way: only what is durable counts.
            *guard = None;
        }
        if guard.is_none() {
            let profile = self.profile().await?;
            let mut seed = [0u8; 32];
            self.db.rng().fill_bytes(&mut seed);
            let mut engine = OpenMls::new(identity(&profile)?, rand_chacha::ChaCha20Rng::from_seed(seed));
            engine.load(self.mls_rows(&[mls_keys::SHARED]).await?);
            *guard = Some(Mls { engine, loaded: HashSet::new() });
        }
        Ok(guard)
    }
    async fn mls_rows(&self, prefix: &[u8]) -> Result<Vec<crate::db::PlainRow>, ClientError> {
        let rows = self.db.scan_raw(Range::prefix(&keys::mls(prefix))).await?;
        Ok(rows.into_iter().map(|(key, value)| (key[keys::MLS.len()..].to_vec(), value)).collect())
    }
    /// The same with a group's rows loaded.
    pub(crate) async fn mls_of(&self, group: GroupId) -> Result<Guard<'_>, ClientError> {
        let mut guard = self.mls().await?;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        if mls.loaded.insert(group) {
            let rows = self.mls_rows(&mls_keys::group_prefix(group.as_bytes())).await?;
            mls.engine.load(rows);
        }
        Ok(guard)
    }
    /// Stores a transaction together with what the engine changed. On failure the engine is thrown away and loaded
    /// again from what is durable.
    pub(crate) async fn commit_mls(&self, guard: &mut Option<Mls>, mut tx: Tx<'_, S, P>) -> Result<(), ClientError> {
        if let Some(mls) = guard.as_ref() {
            let (puts, deletes) = mls.engine.changes();
            for (key, value) in puts {
                tx.put_raw(keys::mls(&key), value);
            }
            for key in deletes {
                tx.delete(keys::mls(&key));
            }
        }
        match tx.commit().await {
            Ok(()) => {
                if let Some(mls) = guard.as_mut() {
                    mls.engine.saved();
                }
                Ok(())
            }
            Err(e) => {
                *guard = None;
                Err(e)
            }
        }
    }

    /// Renews the MLS certificate when it is missing or nears its end. Needs the device key only, no session.
    pub(crate) async fn ensure_certificate(&self) -> Result<(), ClientError> {
        let profile = self.profile().await?;
        let fresh = profile.mls_ends > self.server_now().plus(RENEW_WITHIN);
        if fresh && profile.mls_certificate.is_some() {
            return Ok(());
        }
        match self.renew_certificate().await {
            // The old one still serves.
            Err(e) if e.is_temporary() && profile.mls_ends > self.server_now() => Ok(()),
            other => other,
        }
    }

    async fn renew_certificate(&self) -> Result<(), ClientError> {
        let profile = self.profile().await?;
        let signer = profile.signer()?;
        let mls_key = mls_signing_key(&profile)?.verifying_key().to_bytes();
        let mut nonce = [0u8; 16];
        self.db.rng().fill_bytes(&mut nonce);
        let at = self.server_now();
        let realm = &profile.anchors.realm;
        let key_signature = mls_certificate::sign_key(&signer, realm, profile.device, &mls_key);
        let payload = mls_certificate::request_payload(realm, profile.device, &mls_key, at, &nonce, &key_signature);
        let body = MlsCertificateRequest {
            device: profile.device,
            mls_key: mls_key.into(),
            at,
            nonce: nonce.into(),
            mls_key_signature: key_signature.into(),
            signature: signer.sign(SignLabel::MlsCertificateRequest, &payload).into(),
        };
        let answer: MlsCertificateResponse = self.plain(post("/v1/mls-certificate", &body)).await?;
        self.hear_time(answer.time).await?;
        let now = self.judged_now().await?;
        let ca = CaChain::verify_pinned(&profile.ca_chain, &profile.anchors, now)?;
        let chain = [answer.mls_certificate.clone(), answer.device_certificate.clone()];
        let leaf = pakawaaz_trust::x509::verify_leaf(&chain, &mls_key, &profile.anchors, &ca, now, CLOCK_SKEW)?;
        if leaf.device != profile.device || leaf.official != profile.official || leaf.device_key != signer.public_key()
        {
            return Err(ClientError::Trust(TrustError::Mismatch));
        }
        let ends = MlsCertificate::parse(&answer.mls_certificate)?.not_after.min(leaf.not_after);
        self.update_profile(|p| {
            p.mls_certificate = Some(answer.mls_certificate);
            p.device_certificate = answer.device_certificate;
            p.mls_ends = ends;
            p.status = DeviceStatus::Active;
        })
        .await?;
        if let Some(mls) = self.inner.mls.lock().await.as_mut() {
            let profile = self.profile().await?;
            mls.engine.set_identity(identity(&profile)?);
        }
        Ok(())
    }

    /// Publishes key packages when few are left. Their private halves are stored before the server hears of them.
    pub(crate) async fn refill_key_packages(&self, left: u32) -> Result<(), ClientError> {
        if left >= LOW {
            return Ok(());
        }
        self.publish_key_packages(KEEP - left, left == 0).await.map(drop)
    }

    /// Publishes `count` key packages, and one of last resort if asked.
    pub(crate) async fn publish_key_packages(
        &self,
        count: u32,
        last_resort: bool,
    ) -> Result<KeyPackageCount, ClientError> {
        let now = self.server_now();
        let mut guard = self.mls().await?;
        let mls = guard.as_mut().ok_or(ClientError::Locked)?;
        // By the clock that says less: the server alone cannot have them forgotten early.
        mls.engine.forget_key_packages(now.min(self.platform().now()).minus(KEPT_AFTER))?;
        let mut key_packages: Vec<Bytes> = Vec::new();
        for _ in 0..count {
            key_packages.push(mls.engine.key_package(false, now)?);
        }
        let last_resort = if last_resort { Some(mls.engine.key_package(true, now)?) } else { None };
        self.commit_mls(&mut guard, self.db.tx()).await?;
        drop(guard);
        self.post("/v1/key-packages", &PublishKeyPackagesRequest { key_packages, last_resort }).await
    }

    /// What has to be in order before anybody can add this device: certificate and key packages.
    pub(crate) async fn ensure_reachable(&self) -> Result<(), ClientError> {
        let before: Millis = self.profile().await?.mls_ends;
        self.ensure_certificate().await?;
        if self.profile().await?.mls_ends != before {
            // Published ones end with the old certificate.
            self.publish_key_packages(KEEP, true).await?;
        }
        Ok(())
    }
}

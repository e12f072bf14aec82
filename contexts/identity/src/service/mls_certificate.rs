//! Renewing the short-lived MLS certificate by the device key alone.
//!
//! A device that was offline for weeks renews before it logs in, so this needs no session. The request is good for
//! ten minutes of clock difference and its nonce for one use.

use super::Identity;
use crate::error::{Error, Result};
use crate::model::device::Device;
use crate::store::{accounts, attempts, devices};
use pakawaaz_base::{Bytes, Millis};
use pakawaaz_contract::identity::{DeviceStatus, MlsCertificateRequest, MlsCertificateResponse};
use pakawaaz_trust::mls_certificate::request_payload;
use pakawaaz_trust::x509::{CLOCK_SKEW, DeviceCertificate};
use pakawaaz_trust::{SignLabel, verify};
use rand::rngs::OsRng;
use std::time::Duration;

/// A device certificate is renewed when less than this is left of it.
const RENEW_WITHIN: Duration = Duration::from_secs(60 * 24 * 3600);

impl Identity {
    /// Issues a new MLS certificate.
    ///
    /// Errors: [`Error::LoginFailed`] for an unknown device or a wrong signature; only a right one learns about the
    /// device's state ([`Error::DeviceNotActive`], [`Error::Suspended`]), its clock ([`Error::ClockSkew`]) and a repeated nonce.
    pub async fn mls_certificate(&self, request: &MlsCertificateRequest) -> Result<MlsCertificateResponse> {
        let now = self.now();
        let mls_key: [u8; 32] = request.mls_key.array().ok_or(Error::Malformed("MLS key"))?;
        let key_signature: [u8; 64] = request.mls_key_signature.array().ok_or(Error::Malformed("signature"))?;
        if request.nonce.len() != 16 {
            return Err(Error::Malformed("nonce"));
        }
        let found = devices::get(self.db().read().await?.conn(), request.device).await?;
        let device_key = found.ok_or(Error::LoginFailed)?.key;
        let payload = request_payload(
            self.realm(),
            request.device,
            &request.mls_key,
            request.at,
            &request.nonce,
            &request.mls_key_signature,
        );
        verify(&device_key, SignLabel::MlsCertificateRequest, &payload, &request.signature)
            .map_err(|_| Error::LoginFailed)?;
        if request.at > now.plus(CLOCK_SKEW) || request.at < now.minus(CLOCK_SKEW) {
            return Err(Error::ClockSkew);
        }

        let mut tx = self.db().begin().await?;
        // Again, inside: a revocation may have come in between.
        let mut device = devices::get(tx.conn(), request.device).await?.ok_or(Error::LoginFailed)?;
        let account = accounts::get(tx.conn(), device.official).await?.ok_or(Error::DeviceNotActive)?;
        if !account.usable() || !device.active() {
            return Err(Error::cut_off(account.revoked || device.status != DeviceStatus::Active));
        }
        // Kept for as long as the request could come back.
        let keep_until = request.at.plus(CLOCK_SKEW).plus(CLOCK_SKEW);
        if !attempts::use_nonce(tx.conn(), request.device, &request.nonce, keep_until).await? {
            return Err(Error::Conflict("nonce"));
        }
        let mls_certificate = self.renew(&mut device, &mls_key, &key_signature, now)?;
        device.mls_key = mls_key.to_vec();
        device.mls_key_signature = key_signature.to_vec();
        devices::set_certificates(tx.conn(), &device).await?;
        tx.commit().await?;
        metrics::counter!("pakawaaz_identity_mls_certificates_total").increment(1);
        Ok(MlsCertificateResponse {
            mls_certificate: Bytes(mls_certificate),
            device_certificate: Bytes(device.certificate),
            time: now,
        })
    }

    /// The new MLS certificate; the device's own is renewed in place when it nears its end.
    fn renew(&self, device: &mut Device, mls_key: &[u8; 32], signature: &[u8; 64], now: Millis) -> Result<Vec<u8>> {
        let key = device.key.as_slice().try_into().map_err(|_| Error::Damaged("device key"))?;
        let (issuer, realm, mut rng) = (self.issuer()?, self.realm(), OsRng);
        let (official, id) = (device.official, device.device);
        let mls = issuer.mls_certificate(realm, official, id, &key, mls_key, signature, now, &mut rng)?;
        if device.certificate_ends_at < now.plus(RENEW_WITHIN) {
            let renewed = issuer.device_certificate(realm, official, id, &key, now, &mut rng)?;
            device.certificate_ends_at = DeviceCertificate::parse(&renewed)?.not_after;
            device.certificate = renewed;
        }
        Ok(mls)
    }
}

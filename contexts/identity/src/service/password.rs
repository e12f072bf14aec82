//! Changing the password, and resetting a forgotten one with a voucher of two administrators.

use super::Identity;
use super::cut::Cut;
use crate::error::{Error, Result};
use crate::store::sessions::Which;
use crate::store::{accounts, attempts, devices, grants, sessions};
use ciborium::{from_reader, into_writer};
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Actor, Bytes, DeviceId, Millis, OfficialId, VoucherId};
use pakawaaz_contract::identity::{DeviceStatus, PasswordFinishRequest, PasswordStartRequest, PasswordStartResponse};
use pakawaaz_login::OpaqueServer;
use pakawaaz_trust::enrol::{password_payload, verify_password_voucher};
use pakawaaz_trust::{Grant, GrantKind, SignLabel, Signed, Statement, verify};
use rand::rngs::OsRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;

const SEAL_CHANGE: &str = "password change";
const SEAL_RESET: &str = "password reset";
/// How long the two steps may take.
const LASTS: Duration = Duration::from_secs(10 * 60);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    official: OfficialId,
    device: DeviceId,
    username: String,
    voucher: Option<VoucherId>,
}

impl Identity {
    /// `POST /v1/password/start`.
    ///
    /// Errors: [`Error::LoginTooOld`] more than five minutes after the last full login.
    pub async fn password_start(&self, actor: &Actor, request: &PasswordStartRequest) -> Result<PasswordStartResponse> {
        let now = self.now();
        self.require_fresh_login(actor, now).await?;
        let account = accounts::get(self.db().read().await?.conn(), actor.official).await?;
        let username = account.ok_or(Error::SessionEnded)?.username;
        let state = State { official: actor.official, device: actor.device, username, voucher: None };
        self.password_begin(SEAL_CHANGE, actor.session.as_bytes(), state, &request.registration_request, now)
    }

    /// `POST /v1/password/finish`: every other session ends.
    pub async fn password_finish(&self, actor: &Actor, request: &PasswordFinishRequest) -> Result<()> {
        let now = self.now();
        self.require_fresh_login(actor, now).await?;
        let state = self.password_state(SEAL_CHANGE, actor.session.as_bytes(), &request.state, now)?;
        if state.official != actor.official || state.device != actor.device {
            return Err(Error::AttemptExpired);
        }
        let file = self.signed_password(&state, request).await?.1;
        let mut cut = Cut::default();
        let mut tx = self.db().begin().await?;
        // A recorded request must not set an old password again.
        let id = once(&request.state);
        if !attempts::take(tx.conn(), &id, "password_change", now.plus(LASTS * 2)).await? {
            return Err(Error::AttemptExpired);
        }
        accounts::set_password(tx.conn(), actor.official, &file, now).await?;
        let others = Which::OfficialExcept(actor.official, actor.session);
        cut.sessions(&mut tx, others, "password", now).await?;
        let (subject, none) = (actor.official.to_string(), serde_json::json!({}));
        self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.password_changed", subject, none, now).await?;
        cut.commit(self, tx, now).await
    }

    /// `POST /v1/password/reset/start`, on an enrolled device.
    ///
    /// Errors: [`Error::VoucherInvalid`], [`Error::VoucherUsed`].
    pub async fn password_reset_start(&self, request: &PasswordStartRequest) -> Result<PasswordStartResponse> {
        let now = self.now();
        let voucher = request.voucher.ok_or(Error::Malformed("voucher"))?;
        let device = request.device.ok_or(Error::Malformed("device"))?;
        let grant = self.password_grant(voucher, now).await?;
        let mut read = self.db().read().await?;
        let account = accounts::get(read.conn(), grant.official).await?.filter(|a| a.usable());
        let account = account.ok_or(Error::VoucherInvalid)?;
        let device = devices::get(read.conn(), device).await?;
        let device = device.filter(|d| d.official == grant.official && d.active()).ok_or(Error::VoucherInvalid)?;
        let state = State {
            official: grant.official,
            device: device.device,
            username: account.username,
            voucher: Some(voucher),
        };
        self.password_begin(SEAL_RESET, b"", state, &request.registration_request, now)
    }

    /// `POST /v1/password/reset/finish`: every session ends.
    pub async fn password_reset_finish(&self, request: &PasswordFinishRequest) -> Result<()> {
        let now = self.now();
        let state = self.password_state(SEAL_RESET, b"", &request.state, now)?;
        let voucher = state.voucher.ok_or(Error::AttemptExpired)?;
        let grant = self.password_grant(voucher, now).await?;
        let (payload, file) = self.signed_password(&state, request).await?;
        let signature = request.voucher_signature.as_deref().ok_or(Error::VoucherInvalid)?;
        verify_password_voucher(&grant.voucher_key, &payload, signature).map_err(|_| Error::VoucherInvalid)?;
        let mut cut = Cut::default();
        let mut tx = self.db().begin().await?;
        if !grants::consume(tx.conn(), voucher, now).await? {
            return Err(Error::VoucherUsed);
        }
        accounts::set_password(tx.conn(), state.official, &file, now).await?;
        cut.sessions(&mut tx, Which::Official(state.official), "password", now).await?;
        let actor = AuditActor { official: state.official, device: state.device };
        let (subject, detail) = (state.official.to_string(), serde_json::json!({ "voucher": voucher }));
        self.audit(&mut tx, Some(actor), "identity.password_reset", subject, detail, now).await?;
        cut.commit(self, tx, now).await
    }

    async fn require_fresh_login(&self, actor: &Actor, now: Millis) -> Result<()> {
        let session = sessions::get(self.db().read().await?.conn(), actor.session).await?;
        let session = session.filter(|s| s.ended_at.is_none()).ok_or(Error::SessionEnded)?;
        if now.since(session.authenticated_at) > super::FRESH_LOGIN { Err(Error::LoginTooOld) } else { Ok(()) }
    }

    async fn password_grant(&self, voucher: VoucherId, now: Millis) -> Result<Grant> {
        let stored = grants::get(self.db().read().await?.conn(), voucher).await?.ok_or(Error::VoucherInvalid)?;
        let Statement::Grant(grant) = Signed::from_bytes(&stored.signed)?.statement()? else {
            return Err(Error::Damaged("grant"));
        };
        if grant.kind != GrantKind::Password || stored.not_after <= now {
            return Err(Error::VoucherInvalid);
        }
        if stored.used_at.is_some() { Err(Error::VoucherUsed) } else { Ok(grant) }
    }

    fn password_begin(
        &self,
        purpose: &'static str,
        id: &[u8],
        state: State,
        registration_request: &[u8],
        now: Millis,
    ) -> Result<PasswordStartResponse> {
        let registration_response = self.vault().opaque().register(registration_request, &state.username)?;
        let mut plain = Vec::new();
        into_writer(&state, &mut plain).map_err(|_| Error::Vault("encoding"))?;
        let sealed = self.vault().state_key().seal(purpose, id, now.plus(LASTS), &plain, &mut OsRng)?;
        Ok(PasswordStartResponse {
            registration_response: Bytes(registration_response),
            state: Bytes(sealed),
            username: state.username,
        })
    }

    fn password_state(&self, purpose: &'static str, id: &[u8], sealed: &[u8], now: Millis) -> Result<State> {
        let opened = self.vault().state_key().open(purpose, id, sealed, now)?;
        from_reader(opened.plaintext.as_slice()).map_err(|_| Error::AttemptExpired)
    }

    /// The signed payload and the password file, once the device's signature is right.
    async fn signed_password(&self, state: &State, request: &PasswordFinishRequest) -> Result<(Vec<u8>, Vec<u8>)> {
        let device = devices::get(self.db().read().await?.conn(), state.device).await?;
        let device = device.ok_or(Error::DeviceNotActive)?;
        if !device.may_log_in() {
            return Err(Error::cut_off(device.status == DeviceStatus::Revoked));
        }
        let payload = password_payload(self.realm(), &state.username, &request.state, &request.registration_upload);
        verify(&device.key, SignLabel::Password, &payload, &request.signature)?;
        Ok((payload, OpaqueServer::password_file(&request.registration_upload)?))
    }
}

/// Names a sealed state.
fn once(state: &[u8]) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(state).into();
    let mut id = [0u8; 16];
    id.copy_from_slice(&hash[..16]);
    id
}

//! First round: the device speaks, OPAQUE begins.
//!
//! OPAQUE lets whoever gets KE2 test *one* password alone, without telling us the result. So every start by an
//! enrolled device counts as a failure until its KE3 arrives, and the back-off stands here, before KE2 leaves.

use super::Identity;
use super::login_writes::Write;
use crate::error::{Error, Result};
use crate::model::account::valid_username;
use crate::store::accounts;
use pakawaaz_base::{Bytes, LoginId};
use pakawaaz_contract::identity::{ChannelMode, DeviceStatus, LoginStartRequest, LoginStartResponse};
use pakawaaz_login::{Account, StartRequest};
use pakawaaz_trust::keys::PublicKeyBytes;
use pakawaaz_trust::{SignLabel, verify};
use rand::rngs::OsRng;

/// The contract's mode as the signed statements have it.
pub(super) fn trust_channel(mode: ChannelMode) -> pakawaaz_trust::ChannelMode {
    match mode {
        ChannelMode::TlsExporter => pakawaaz_trust::ChannelMode::TlsExporter,
        ChannelMode::Origin => pakawaaz_trust::ChannelMode::Origin,
        ChannelMode::Loopback => pakawaaz_trust::ChannelMode::Loopback,
    }
}

impl Identity {
    /// `POST /v1/login/start`.
    ///
    /// A caller without a valid device signature gets the same answer, at the same cost, whoever exists. One with it
    /// may hear [`Error::DeviceNotActive`], [`Error::Suspended`] or [`Error::Wait`].
    pub async fn login_start(&self, request: &LoginStartRequest) -> Result<LoginStartResponse> {
        let now = self.now();
        // What can be nobody's name need not be looked for; PostgreSQL refuses some of it outright.
        if !valid_username(&request.username) {
            return Err(Error::Malformed("username"));
        }
        let start = StartRequest {
            version: request.version,
            username: request.username.clone(),
            device: request.device,
            ke1: request.ke1.to_vec(),
            token_key: request.token_key.array().ok_or(Error::Malformed("token key"))?,
            nonce: request.nonce.array().ok_or(Error::Malformed("nonce"))?,
            channel: trust_channel(request.channel),
            signature: request.signature.array().ok_or(Error::Malformed("signature"))?,
        };
        let named = accounts::named(self.db().read().await?.conn(), &request.username, request.device).await?;
        let (account, device) = named;
        let device = device.filter(|d| account.as_ref().is_some_and(|a| a.official == d.official));
        let key = device.as_ref().and_then(|d| PublicKeyBytes::try_from(d.key.as_slice()).ok());
        let known = key.is_some();
        // An unknown device costs a verification too.
        let checked = key.unwrap_or_else(|| self.vault().issuing_key().public_key());
        let signed = start.signed(self.realm());
        let signature_good = verify(&checked, SignLabel::LoginRound1, &signed, &start.signature).is_ok();

        if let (Some(account), Some(device), true) = (&account, &device, known & signature_good) {
            if !account.usable() || !device.may_log_in() {
                return Err(Error::cut_off(account.revoked || device.status == DeviceStatus::Revoked));
            }
            // Again where it is counted; here it spares the database those who are waiting.
            account.may_try(now)?;
            if device.channel == request.channel {
                self.inner.writes.submit(Write::Guess { official: account.official, now }).await?;
            }
        }
        let usable = account.as_ref().is_some_and(crate::model::account::Account::usable);
        let device = device.filter(|d| usable && d.may_log_in());
        let facts = Account {
            official: account.as_ref().filter(|_| usable).map(|a| a.official),
            device: device.and_then(|d| Some((key?, trust_channel(d.channel)))),
            password_file: account.filter(|_| usable).and_then(|a| a.password_file),
        };
        let login = LoginId::new(now, &mut OsRng);
        let answer = self.login_server().start(&start, &facts, login, now, &mut OsRng)?;
        metrics::counter!("pakawaaz_identity_login_rounds_total", "round" => "start").increment(1);
        Ok(LoginStartResponse {
            login,
            state: Bytes(answer.state),
            ke2: Bytes(answer.ke2),
            nonce: Bytes::from(answer.nonce),
        })
    }
}

//! Changing the password, and resetting it with a voucher of two administrators.

use crate::http::post;
use crate::login::login_error;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::Bytes;
use pakawaaz_contract::identity::{PasswordFinishRequest, PasswordStartRequest, PasswordStartResponse};
use pakawaaz_login::Registration;
use pakawaaz_trust::{DeviceSigner as _, SignLabel, Voucher, enrol};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Sets a new password; needs a full login within the last five minutes. Every other session ends.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::LoginRequired`].
    pub async fn change_password(&self, new: &str) -> Result<(), ClientError> {
        let (registration, message) = Registration::start(new.as_bytes(), &mut self.db.rng()).map_err(login_error)?;
        let start = PasswordStartRequest { registration_request: Bytes(message), voucher: None, device: None };
        let answer: PasswordStartResponse = self.post("/v1/password/start", &start).await?;
        let finish = self.new_password(registration, answer, None).await?;
        self.post_empty("/v1/password/finish", &finish).await
    }

    /// Sets a new password with a password voucher; needs no session, only this enrolled device.
    ///
    /// # Errors
    /// [`ClientError::Refused`].
    pub async fn reset_password(&self, voucher: &Voucher, new: &str) -> Result<(), ClientError> {
        let profile = self.profile().await?;
        let (registration, message) = Registration::start(new.as_bytes(), &mut self.db.rng()).map_err(login_error)?;
        let start = PasswordStartRequest {
            registration_request: Bytes(message),
            voucher: Some(voucher.voucher),
            device: Some(profile.device),
        };
        let answer: PasswordStartResponse = self.plain(post("/v1/password/reset/start", &start)).await?;
        let finish = self.new_password(registration, answer, Some(voucher)).await?;
        let http = post("/v1/password/reset/finish", &finish);
        crate::http::check(self.transport.http(http).await?).map(drop)
    }

    async fn new_password(
        &self,
        registration: Registration,
        answer: PasswordStartResponse,
        voucher: Option<&Voucher>,
    ) -> Result<PasswordFinishRequest, ClientError> {
        let profile = self.profile().await?;
        if answer.username != profile.username {
            return Err(ClientError::BadAnswer);
        }
        let realm = &profile.anchors.realm;
        let upload = registration
            .finish(&answer.registration_response, &profile.username, realm, profile.ksf, &mut self.db.rng())
            .map_err(login_error)?;
        let payload = enrol::password_payload(realm, &profile.username, &answer.state, &upload);
        Ok(PasswordFinishRequest {
            state: answer.state,
            registration_upload: Bytes(upload),
            signature: profile.signer()?.sign(SignLabel::Password, &payload).into(),
            voucher_signature: voucher.map(|v| v.key().sign(SignLabel::Password, &payload).into()),
        })
    }
}

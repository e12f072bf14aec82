//! Renewing tokens: rotation, reuse detection, age.

use super::Identity;
use super::cut::Cut;
use super::login_writes::{Write, Written};
use crate::error::{Error, Result};
use crate::model::refresh::split;
use crate::store::sessions;
use crate::store::sessions::Which;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pakawaaz_contract::identity::{RefreshRequest, Tokens};
use pakawaaz_login::dpop;
use subtle::ConstantTimeEq as _;

impl Identity {
    /// `POST /v1/token/refresh`. `uri` is the request's URL as the client sees it.
    ///
    /// Errors: [`Error::TokenInvalid`] for a token or proof that is not ours, [`Error::SessionEnded`] after reuse, log-out
    /// or age, [`Error::DeviceNotActive`] after the official, the device or the SIM was revoked, [`Error::Suspended`] while one
    /// of them is suspended.
    pub async fn refresh(&self, request: &RefreshRequest, dpop_proof: &str, uri: &str) -> Result<Tokens> {
        let now = self.now();
        self.check_authority(uri)?;
        let asked = dpop::Request { htm: "POST", htu: uri, access_token: None, nonce: None };
        let proof = dpop::verify(dpop_proof, &asked, None, now).map_err(|_| Error::TokenInvalid)?;
        let token = URL_SAFE_NO_PAD.decode(&request.refresh_token).map_err(|_| Error::TokenInvalid)?;
        let presented = split(&token).ok_or(Error::TokenInvalid)?;

        let found = sessions::get(self.db().read().await?.conn(), presented.session).await?;
        let found = found.ok_or(Error::TokenInvalid)?;
        // Authentic for its generation, and presented by the key it was given to; otherwise it ends nothing.
        let expected = self.refresh_mac(&found, presented.generation)?;
        let authentic = bool::from(expected.ct_eq(&presented.mac)) && found.token_key == proof.key;
        if !authentic {
            return Err(Error::TokenInvalid);
        }
        // After authentication, so that strangers cannot fill the cache.
        self.use_once(&proof.jkt, &proof.jti, now)?;
        let write = Write::Refresh { session: presented.session, generation: presented.generation, now };
        match self.inner.writes.submit(write).await? {
            Written::Session(session, assurance) => self.tokens(&session, assurance, now),
            Written::Reused => {
                tracing::warn!(session = %found.session, "a refresh token was used twice; the session ends");
                metrics::counter!("pakawaaz_identity_refresh_reuse_total").increment(1);
                let mut cut = Cut::default();
                let mut tx = self.db().begin().await?;
                cut.sessions(&mut tx, Which::Session(found.session), "refresh_reuse", now).await?;
                cut.commit(self, tx, now).await?;
                Err(Error::SessionEnded)
            }
            _ => Err(Error::Damaged("batch")),
        }
    }
}

//! Renewing tokens: rotation, reuse detection, age.

use super::Identity;
use super::cut::Cut;
use crate::error::{Error, Result};
use crate::model::refresh::{Decision, decide, split};
use crate::store::sessions::Which;
use crate::store::{accounts, devices, sessions, sims};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pakawaaz_contract::identity::{RefreshRequest, Tokens};
use pakawaaz_login::dpop;
use subtle::ConstantTimeEq as _;

impl Identity {
    /// `POST /v1/token/refresh`. `uri` is the request's URL as the client sees it.
    ///
    /// Errors: [`Error::TokenInvalid`] for a token or proof that is not ours, [`Error::SessionEnded`] after reuse, log-out,
    /// suspension or age.
    pub async fn refresh(&self, request: &RefreshRequest, dpop_proof: &str, uri: &str) -> Result<Tokens> {
        let now = self.now();
        self.check_authority(uri)?;
        let asked = dpop::Request { htm: "POST", htu: uri, access_token: None, nonce: None };
        let proof = dpop::verify(dpop_proof, &asked, None, now).map_err(|_| Error::TokenInvalid)?;
        let token = URL_SAFE_NO_PAD.decode(&request.refresh_token).map_err(|_| Error::TokenInvalid)?;
        let presented = split(&token).ok_or(Error::TokenInvalid)?;

        let mut tx = self.db().begin().await?;
        let engine = tx.engine();
        let found = sessions::get(tx.conn(), presented.session).await?.ok_or(Error::TokenInvalid)?;
        // Authentic for its generation, and presented by the key it was given to; otherwise it ends nothing.
        let expected = self.refresh_mac(&found, presented.generation)?;
        let authentic = bool::from(expected.ct_eq(&presented.mac)) && found.token_key == proof.key;
        if !authentic {
            return Err(Error::TokenInvalid);
        }
        // After authentication, so that strangers cannot fill the cache.
        self.use_once(&proof.jkt, &proof.jti, now)?;
        // Always in this order (official, device, SIM, session), or two transactions could wait for each other.
        let account = accounts::get_for_update(tx.conn(), engine, found.official).await?;
        let device = devices::get_for_update(tx.conn(), engine, found.device).await?;
        let sim = sims::get(tx.conn(), found.sim).await?;
        let mut session =
            sessions::get_for_update(tx.conn(), engine, found.session).await?.ok_or(Error::TokenInvalid)?;
        let usable = account.is_some_and(|a| a.usable()) && sim.is_some_and(|s| s.usable());
        let Some(device) = device.filter(|d| usable && d.may_log_in()) else { return Err(Error::SessionEnded) };
        match decide(&session.chain, presented.generation, now) {
            Decision::Rotate => {
                session.chain.generation =
                    session.chain.generation.checked_add(1).ok_or(Error::Damaged("refresh generation"))?;
                sessions::rotate(tx.conn(), session.session, session.chain.generation, now).await?;
                devices::seen(tx.conn(), session.device, now).await?;
                let tokens = self.tokens(&session, device.assurance, now)?;
                tx.commit().await?;
                Ok(tokens)
            }
            Decision::Repeat => self.tokens(&session, device.assurance, now),
            Decision::Reused => {
                tracing::warn!(session = %session.session, "a refresh token was used twice; the session ends");
                metrics::counter!("pakawaaz_identity_refresh_reuse_total").increment(1);
                let mut cut = Cut::default();
                cut.sessions(&mut tx, Which::Session(session.session), "refresh_reuse", now).await?;
                cut.commit(self, tx, now).await?;
                Err(Error::SessionEnded)
            }
            Decision::Over => Err(Error::SessionEnded),
        }
    }
}

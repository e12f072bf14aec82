//! Making tokens for a session.

use super::Identity;
use crate::error::{Error, Result};
use crate::model::refresh::{Presented, join};
use crate::store::sessions::Session;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pakawaaz_base::{Assurance, Millis};
use pakawaaz_contract::identity::Tokens;
use pakawaaz_login::AccessClaims;
use rand::rngs::OsRng;

impl Identity {
    /// Access token and the refresh token of the session's current generation.
    pub(super) fn tokens(&self, session: &Session, assurance: Assurance, now: Millis) -> Result<Tokens> {
        let token_key = session.token_key.as_slice().try_into().map_err(|_| Error::Damaged("token key"))?;
        let mut claims = AccessClaims::new(
            self.realm(),
            session.official,
            session.device,
            session.session,
            assurance,
            &token_key,
            session.authenticated_at,
            now,
            &mut OsRng,
        );
        // Nothing outlives its session.
        claims.exp = claims.exp.min(session.chain.ends_at.as_secs());
        let mac = self.refresh_mac(session, session.chain.generation)?;
        let refresh = join(&Presented { session: session.session, generation: session.chain.generation, mac });
        Ok(Tokens {
            expires_at: claims.expires_at(),
            access_token: self.vault().sign_token(&claims)?,
            refresh_token: URL_SAFE_NO_PAD.encode(refresh),
            session_ends_at: session.chain.ends_at,
            session: session.session,
        })
    }

    /// What makes a refresh token of `generation` authentic.
    pub(super) fn refresh_mac(&self, session: &Session, generation: u32) -> Result<[u8; 32]> {
        let input = [
            session.session.as_bytes().as_slice(),
            &generation.to_be_bytes(),
            &session.token_key,
            &session.refresh_seed,
        ]
        .concat();
        self.vault().derive("pakawaaz refresh token v1", &input)
    }
}

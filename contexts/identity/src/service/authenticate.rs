//! From credentials to an actor: token, proof of its key, and nothing ended since.

use super::{Identity, STALE_AFTER};
use crate::error::{Error, Result};
use crate::model::live::Refusal;
use crate::model::replay::Seen;
use async_trait::async_trait;
use pakawaaz_base::{Actor, Millis};
use pakawaaz_http::{Authenticator, Problem, RequestHead};
use pakawaaz_login::{AccessClaims, dpop};
use sha2::{Digest, Sha256};

/// What a WebSocket's first frame proves.
#[derive(Clone, Copy)]
pub struct HelloProof<'a> {
    /// Access token.
    pub access_token: &'a str,
    /// DPoP proof.
    pub dpop: &'a str,
    /// The server's nonce for this socket.
    pub nonce: &'a str,
    /// URL of the socket with the http(s) scheme.
    pub uri: &'a str,
}

impl Identity {
    /// A WebSocket's first frame: the browser cannot set headers, so the nonce takes their place.
    ///
    /// Returns the actor and when the access token was issued.
    pub async fn authenticate_hello(&self, hello: HelloProof<'_>) -> Result<(Actor, Millis)> {
        let asked = dpop::Request {
            htm: "GET",
            htu: hello.uri,
            access_token: Some(hello.access_token),
            nonce: Some(hello.nonce),
        };
        let claims = self.check(hello.access_token, hello.dpop, &asked)?;
        let issued_at = Millis::from_secs(claims.iat);
        Ok((self.actor(claims)?, issued_at))
    }

    /// Whether what [`Identity::authenticate_hello`] admitted has not ended since. From memory.
    ///
    /// Errors: [`Error::SessionEnded`]; [`Error::RevocationsStale`] while nobody can tell.
    pub fn still_live(&self, actor: &Actor, issued_at: Millis) -> Result<()> {
        let judged = self.live().judge(actor.official, actor.device, actor.session, issued_at, self.now(), STALE_AFTER);
        judged.map_err(refused)
    }

    fn check(&self, token: &str, proof: &str, asked: &dpop::Request<'_>) -> Result<AccessClaims> {
        let now = self.now();
        self.check_authority(asked.htu)?;
        let claims = self.inner.tokens.verify(token, now).map_err(|_| Error::TokenInvalid)?;
        let proof = dpop::verify(proof, asked, Some(&claims.cnf.jkt), now).map_err(|_| Error::TokenInvalid)?;
        self.use_once(&proof.jkt, &proof.jti, now)?;
        Ok(claims)
    }

    fn actor(&self, claims: AccessClaims) -> Result<Actor> {
        let live = self.live();
        let issued_at = Millis::from_secs(claims.iat);
        live.judge(claims.sub, claims.client_id, claims.sid, issued_at, self.now(), STALE_AFTER).map_err(refused)?;
        Ok(Actor {
            official: claims.sub,
            device: claims.client_id,
            session: claims.sid,
            roles: live.roles(claims.sub, claims.client_id),
            assurance: claims.acr,
        })
    }

    /// Refuses a proof seen before. Each node remembers for itself: a proof replayed to another node within two
    /// minutes also needs the connection it was stolen from, since proofs travel inside TLS.
    pub(super) fn use_once(&self, jkt: &str, jti: &str, now: Millis) -> Result<()> {
        let mut hash = Sha256::new();
        hash.update(jkt.as_bytes());
        hash.update([0]);
        hash.update(jti.as_bytes());
        match self.replays().check(hash.finalize().into(), now) {
            Seen::New => Ok(()),
            Seen::Repeated => Err(Error::TokenInvalid),
            Seen::Full => Err(Error::Busy),
        }
    }

    /// The authority in a URL is the client's claim: only ours count.
    pub(super) fn check_authority(&self, url: &str) -> Result<()> {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if self.knows_authority(authority) { Ok(()) } else { Err(Error::TokenInvalid) }
    }
}

fn refused(refusal: Refusal) -> Error {
    match refusal {
        Refusal::Ended => Error::SessionEnded,
        Refusal::Stale => Error::RevocationsStale,
    }
}

#[async_trait]
impl Authenticator for Identity {
    async fn authenticate(&self, head: RequestHead) -> Result<Actor, Problem> {
        let token = head.authorization.as_deref().and_then(dpop_scheme).ok_or(Error::TokenInvalid)?;
        let proof = head.dpop.as_deref().ok_or(Error::TokenInvalid)?;
        let asked = dpop::Request { htm: head.method.as_str(), htu: &head.uri, access_token: Some(token), nonce: None };
        let claims = self.check(token, proof, &asked)?;
        Ok(self.actor(claims)?)
    }
}

/// The token of `DPoP <token>`; the scheme in any case (RFC 9110 §11.1).
fn dpop_scheme(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("dpop").then_some(token)
}

//! Logging in with three factors, and keeping the session.

use crate::http::{post, request};
use crate::standing::CutOff;
use crate::transport::{HttpRequest, Method};
use crate::{Client, ClientError, Connection, Platform, SimCard, Step, Store, Transport, keys};
use pakawaaz_aka::UsimError;
use pakawaaz_base::{Bytes, Millis};
use pakawaaz_contract::identity::{
    ChannelMode, LoginChallenge, LoginPasswordRequest, LoginSimRequest, LoginSimResponse, LoginStartRequest,
    LoginStartResponse, LogoutRequest, Me, RefreshRequest, SimAnswer, Tokens,
};
use pakawaaz_login::channel::Seen;
use pakawaaz_login::client::{Answer, Challenged, LoginClient, LoginParams, PasswordSent};
use pakawaaz_login::dpop;
use pakawaaz_login::transcript::{Challenge, StartResponse};
use pakawaaz_login::{LoginError, PhoneKey};
use pakawaaz_trust::x509::CaChain;
use pakawaaz_trust::{DeviceSigner as _, SigningKey};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use std::time::Duration;
use zeroize::Zeroize;

/// The server's word for a phone's key that it does not know.
const PHONE_UNKNOWN: &str = "identity.akma_unknown";

/// An access token with less than this left is renewed first.
const FRESH: Duration = Duration::from_secs(30);

/// A logged-in session; one sealed row.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    pub tokens: Tokens,
    /// PKCS#8 of the token key, to which the tokens are bound.
    pub token_key: Bytes,
    /// When the three factors were proven.
    pub logged_in_at: Millis,
    /// Server time minus local time then, so that a wrong clock does not matter after a restart either.
    pub offset: i64,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.token_key.0.zeroize();
        self.tokens.access_token.zeroize();
        self.tokens.refresh_token.zeroize();
    }
}

pub(crate) fn login_error(e: LoginError) -> ClientError {
    match e {
        // The client finds out itself, before the server does: the same answer either way.
        LoginError::WrongPassword => {
            ClientError::Refused { code: "identity.wrong_password".into(), status: 401, retry_after_ms: None }
        }
        LoginError::Confirmation => ClientError::Login("the server could not prove itself"),
        LoginError::SimRefused => ClientError::Sim("the SIM refused the challenge"),
        LoginError::ResyncUsed => ClientError::Sim("the SIM is out of step"),
        LoginError::Malformed(what) => ClientError::Login(what),
        _ => ClientError::Login("protocol"),
    }
}

pub(crate) fn usim_error(e: UsimError) -> ClientError {
    ClientError::Sim(match e {
        UsimError::MacFailure => "the challenge is not from the SIM's home network",
        _ => "no usable SIM",
    })
}

/// The channel binding of the connection a proof travels on.
pub(crate) fn channel_binding(
    mode: ChannelMode,
    exporter: Option<[u8; 32]>,
    origin: &str,
    issuing: &[u8; 32],
) -> Result<Vec<u8>, ClientError> {
    let seen = match mode {
        ChannelMode::TlsExporter => {
            return match &exporter {
                Some(value) => Seen::TlsExporter(value).binding(trust_mode(mode)).map_err(login_error),
                // Never weaker than enrolled: a proxy that ends TLS is what the binding is there to catch.
                None => Err(ClientError::Login("this device logs in over TLS only")),
            };
        }
        ChannelMode::Origin => Seen::Origin(origin, issuing),
        ChannelMode::Loopback => Seen::Loopback(origin, issuing),
    };
    seen.binding(trust_mode(mode)).map_err(login_error)
}

pub(crate) fn trust_mode(mode: ChannelMode) -> pakawaaz_trust::ChannelMode {
    match mode {
        ChannelMode::TlsExporter => pakawaaz_trust::ChannelMode::TlsExporter,
        ChannelMode::Origin => pakawaaz_trust::ChannelMode::Origin,
        ChannelMode::Loopback => pakawaaz_trust::ChannelMode::Loopback,
    }
}

fn challenge(c: &LoginChallenge) -> Result<Challenge, ClientError> {
    Ok(Challenge {
        rand: c.rand.array().ok_or(ClientError::BadAnswer)?,
        autn: c.autn.array().ok_or(ClientError::BadAnswer)?,
        network_name: c.network_name.clone(),
        state: c.state.0.clone(),
    })
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Logs in with password, SIM and device key.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `identity.wrong_password`, `identity.sim_rejected`, …; [`ClientError::Login`]
    /// when the server could not prove itself; [`ClientError::Sim`].
    pub async fn login<C: SimCard + ?Sized>(&self, password: &str, usim: &mut C) -> Result<(), ClientError> {
        let done = self.three_factors(password, usim).await;
        self.last_step(done.is_ok());
        done
    }

    async fn three_factors<C: SimCard + ?Sized>(&self, password: &str, usim: &mut C) -> Result<(), ClientError> {
        self.step(Step::Device);
        let profile = self.profile().await?;
        let signer = profile.signer()?;
        let info = self.server_info().await?;
        if info.realm != profile.anchors.realm {
            return Err(ClientError::Trust(pakawaaz_trust::TrustError::WrongRealm));
        }
        let ca = CaChain::verify_pinned(&info.ca_chain, &profile.anchors, self.server_now())?;
        let token_key = SigningKey::generate(&mut self.db.rng());
        let params = LoginParams {
            realm: profile.anchors.realm.clone(),
            username: profile.username.clone(),
            device: profile.device,
            channel: trust_mode(profile.channel),
            token_key: token_key.public_key(),
            ksf: profile.ksf,
        };
        // All rounds on one connection: the last one must be bound to it.
        let mut connection = self.transport.open().await?;
        let (client, start) =
            LoginClient::start(params, password.as_bytes(), &signer, &mut self.db.rng()).map_err(login_error)?;
        let body = LoginStartRequest {
            version: start.version,
            username: start.username.clone(),
            device: start.device,
            ke1: start.ke1.clone().into(),
            token_key: start.token_key.into(),
            nonce: start.nonce.into(),
            channel: profile.channel,
            signature: start.signature.into(),
        };
        let answer: LoginStartResponse = self.plain_on(&mut connection, post("/v1/login/start", &body)).await?;
        let response = StartResponse {
            login: answer.login,
            state: answer.state.0.clone(),
            ke2: answer.ke2.0.clone(),
            nonce: answer.nonce.array().ok_or(ClientError::BadAnswer)?,
        };
        self.step(Step::Password);
        let (sent, second) = client.password(&response, &signer, &mut self.db.rng()).map_err(login_error)?;
        let body = LoginPasswordRequest {
            login: answer.login,
            state: answer.state,
            ke3: second.ke3.into(),
            signature: second.signature.into(),
        };
        let first: LoginChallenge = self.plain_on(&mut connection, post("/v1/login/password", &body)).await?;
        self.step(Step::Sim);
        let issuing = ca.issuing_spki_hash()?;
        let binding =
            channel_binding(profile.channel, connection.channel_binding(), &self.transport.origin(), &issuing)?;
        let tokens = self.prove_sim(&mut connection, &profile.anchors.realm, sent, first, usim, &binding).await?;
        self.step(Step::Session);
        let now = self.server_now();
        let session = Session {
            tokens,
            token_key: Bytes(token_key.to_pkcs8()?.to_vec()),
            logged_in_at: now,
            offset: self.inner.offset(),
        };
        self.keep_session(session).await?;
        let chain = info.ca_chain;
        if chain != profile.ca_chain {
            // A new issuing CA, verified above.
            self.update_profile(|p| p.ca_chain = chain).await?;
        }
        Ok(())
    }

    /// Proves the SIM by the phone's key. None: the server does not know it, and still waits for the card's answer.
    async fn prove_by_phone(
        &self,
        connection: &mut T::Connection,
        challenged: &Challenged,
        phone: &PhoneKey,
        current: &LoginChallenge,
        binding: &[u8],
    ) -> Result<Option<Tokens>, ClientError> {
        let (waiting, proof) = challenged.akma(phone, binding).map_err(login_error)?;
        let a_kid = phone.a_kid.to_string();
        let (proof, confirmation) = (proof.proof.into(), proof.confirmation.into());
        let answer = SimAnswer::Akma { a_kid, proof, confirmation };
        let body = LoginSimRequest { login: challenged.login(), state: current.state.clone(), answer };
        match self.plain_on(connection, post("/v1/login/sim", &body)).await {
            Ok(LoginSimResponse::Done { confirmation, tokens, .. }) => {
                waiting.finish(&confirmation).map_err(login_error)?;
                Ok(Some(tokens))
            }
            Ok(LoginSimResponse::Challenge(_)) => Err(ClientError::BadAnswer),
            Err(ClientError::Refused { code, .. }) if code == PHONE_UNKNOWN => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn prove_sim<C: SimCard + ?Sized>(
        &self,
        connection: &mut T::Connection,
        realm: &str,
        mut sent: PasswordSent,
        mut current: LoginChallenge,
        usim: &mut C,
        binding: &[u8],
    ) -> Result<Tokens, ClientError> {
        // Once: a phone whose key the server does not know will not have a better one in a moment.
        let mut phone = self.platform().phone_key(realm).await;
        loop {
            let login = sent.login();
            let challenged = sent.challenge(&challenge(&current)?).map_err(login_error)?;
            if let Some(phone) = phone.take()
                && let Some(tokens) = self.prove_by_phone(connection, &challenged, &phone, &current, binding).await?
            {
                return Ok(tokens);
            }
            let response = usim.authenticate(challenged.rand(), challenged.autn()).await.map_err(usim_error)?;
            match challenged.answer(response, binding).map_err(login_error)? {
                Answer::Proof(waiting, proof) => {
                    let answer =
                        SimAnswer::Proof { proof: proof.proof.into(), confirmation: proof.confirmation.into() };
                    let body = LoginSimRequest { login, state: current.state, answer };
                    return match self.plain_on(connection, post("/v1/login/sim", &body)).await? {
                        LoginSimResponse::Done { confirmation, tokens, .. } => {
                            // Tokens of a server that cannot confirm are never kept.
                            waiting.finish(&confirmation).map_err(login_error)?;
                            Ok(tokens)
                        }
                        LoginSimResponse::Challenge(_) => Err(ClientError::BadAnswer),
                    };
                }
                Answer::Resync(again, auts) => {
                    let answer = SimAnswer::Resync { auts: auts.into() };
                    let body = LoginSimRequest { login, state: current.state, answer };
                    match self.plain_on(connection, post("/v1/login/sim", &body)).await? {
                        LoginSimResponse::Challenge(next) => (sent, current) = (again, next),
                        LoginSimResponse::Done { .. } => return Err(ClientError::BadAnswer),
                    }
                }
            }
        }
    }

    async fn keep_session(&self, session: Session) -> Result<Rc<Session>, ClientError> {
        let mut tx = self.db.tx();
        tx.put(keys::SESSION.to_vec(), &session);
        tx.commit().await?;
        let session = Rc::new(session);
        self.inner.cut_off.set(None);
        self.inner.set_session(Some(session.clone()));
        Ok(session)
    }

    async fn drop_session(&self) -> Result<(), ClientError> {
        self.inner.set_session(None);
        let mut tx = self.db.tx();
        tx.delete(keys::SESSION.to_vec());
        tx.commit().await
    }

    async fn stored_session(&self) -> Result<Rc<Session>, ClientError> {
        if let Some(session) = self.inner.session() {
            return Ok(session);
        }
        let session: Session = self.db.get(keys::SESSION).await?.ok_or(ClientError::LoginRequired)?;
        self.inner.set_offset(session.offset);
        let session = Rc::new(session);
        self.inner.set_session(Some(session.clone()));
        Ok(session)
    }

    /// A session whose access token is fresh.
    pub(crate) async fn session(&self) -> Result<Rc<Session>, ClientError> {
        let session = self.stored_session().await?;
        if session.tokens.expires_at > self.server_now().plus(FRESH) {
            return Ok(session);
        }
        self.refresh().await
    }

    /// Makes sure there is a session with a fresh access token; refreshes when needed.
    ///
    /// # Errors
    /// [`ClientError::LoginRequired`] when the three factors are needed again.
    pub async fn ensure_session(&self) -> Result<(), ClientError> {
        self.session().await.map(drop)
    }

    /// Trades the refresh token for new tokens.
    pub(crate) async fn refresh(&self) -> Result<Rc<Session>, ClientError> {
        let before = self.stored_session().await?.tokens.refresh_token.clone();
        let _one = self.inner.refreshing.lock().await;
        let session = self.stored_session().await?;
        if session.tokens.refresh_token != before {
            // Somebody else refreshed while this waited.
            return Ok(session);
        }
        if session.tokens.session_ends_at <= self.server_now() {
            self.drop_session().await?;
            return Err(ClientError::LoginRequired);
        }
        let body = RefreshRequest { refresh_token: before };
        let mut http = post("/v1/token/refresh", &body);
        let proof = self.dpop(&session, "POST", "/v1/token/refresh", None, None)?;
        http.headers.push(("dpop".into(), proof));
        match self.plain::<Tokens>(http).await {
            Ok(tokens) => {
                let mut next = Session::clone(&session);
                next.tokens = tokens;
                next.offset = self.inner.offset();
                self.keep_session(next).await
            }
            Err(ClientError::Refused { status: 400 | 401 | 403, code, .. }) => {
                self.inner.cut_off.set(CutOff::from_code(&code));
                self.drop_session().await?;
                Err(ClientError::LoginRequired)
            }
            Err(e) => Err(e),
        }
    }

    /// A DPoP proof of the session's token key (RFC 9449), by the server's clock.
    pub(crate) fn dpop(
        &self,
        session: &Session,
        method: &str,
        path: &str,
        access_token: Option<&str>,
        nonce: Option<&str>,
    ) -> Result<String, ClientError> {
        let key = SigningKey::from_pkcs8(&session.token_key)?;
        let htu = format!("{}{path}", self.transport.origin());
        let target = dpop::Request { htm: method, htu: &htu, access_token, nonce };
        dpop::create(&key, &target, self.server_now(), &mut self.db.rng()).map_err(login_error)
    }

    /// Adds token and proof to a request.
    pub(crate) fn with_token(&self, mut http: HttpRequest, session: &Session) -> Result<HttpRequest, ClientError> {
        let token = &session.tokens.access_token;
        let path = http.path.split('?').next().unwrap_or_default().to_owned();
        let proof = self.dpop(session, http.method.as_str(), &path, Some(token), None)?;
        http.headers.push(("authorization".into(), format!("DPoP {token}")));
        http.headers.push(("dpop".into(), proof));
        Ok(http)
    }

    /// Ends this session, or every session of the official.
    ///
    /// # Errors
    /// Transport errors; the local session is forgotten in any case.
    pub async fn logout(&self, everywhere: bool) -> Result<(), ClientError> {
        let told = self.post_empty("/v1/logout", &LogoutRequest { everywhere }).await;
        self.drop_session().await?;
        match told {
            Err(ClientError::LoginRequired) => Ok(()),
            other => other,
        }
    }

    /// What the server says about this session; the device's standing is remembered.
    ///
    /// # Errors
    /// [`ClientError::LoginRequired`].
    pub async fn me(&self) -> Result<Me, ClientError> {
        let me: Me = crate::http::json(self.authorised(request(Method::Get, "/v1/me")).await?)?;
        if me.status != self.profile().await?.status {
            self.update_profile(|p| p.status = me.status).await?;
        }
        Ok(me)
    }
}

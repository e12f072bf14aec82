//! Third round: the SIM is proven over this very connection; the session opens.

use super::Identity;
use super::login_password::challenge;
use super::login_writes::{Card, Draw, Opening, Write, Written};
use crate::error::{Error, Result};
use crate::store::accounts::Factor;
use pakawaaz_aka::{Auts, Ind, Purpose};
use pakawaaz_base::{Bytes, Millis, OfficialId, SessionId};
use pakawaaz_contract::identity::{LoginSimRequest, LoginSimResponse, SimAnswer};
use pakawaaz_login::channel::Seen;
use pakawaaz_login::{Completed, SimProof};
use pakawaaz_trust::ChannelMode;
use rand::RngCore;
use rand::rngs::OsRng;
use std::net::IpAddr;

/// What the server sees of the connection that carries the third round.
#[derive(Clone, Default)]
pub struct LoginConnection {
    /// Exporter of its TLS session, label `EXPORTER-pakawaaz-login`.
    pub tls_exporter: Option<[u8; 32]>,
    /// Value of `Origin`.
    pub origin: Option<String>,
    /// Authority of the request (`host:port`).
    pub authority: Option<String>,
    /// Whether it is plain HTTP from this very machine.
    pub loopback: bool,
    /// Where it comes from.
    pub address: Option<IpAddr>,
}

fn sim_proof(proof: &Bytes, confirmation: &Bytes) -> Result<SimProof> {
    Ok(SimProof {
        proof: proof.array().ok_or(Error::Malformed("proof"))?,
        confirmation: confirmation.array().ok_or(Error::Malformed("confirmation"))?,
    })
}

impl Identity {
    /// `POST /v1/login/sim`.
    ///
    /// Errors: [`Error::SimRejected`], [`Error::WrongConnection`] (both count), [`Error::DeviceNotActive`],
    /// [`Error::Suspended`], [`Error::AttemptExpired`]; [`Error::AkmaUnknown`] (does not count), after which the same
    /// challenge may be answered.
    pub async fn login_sim(&self, request: &LoginSimRequest, seen: &LoginConnection) -> Result<LoginSimResponse> {
        let now = self.now();
        metrics::counter!("pakawaaz_identity_login_rounds_total", "round" => "sim").increment(1);
        let state = self.login_server().sim(request.login, &request.state, now)?;
        let official = state.official();
        match &request.answer {
            SimAnswer::Proof { proof, confirmation } => {
                let sent = sim_proof(proof, confirmation)?;
                let binding = self.channel_binding(state.channel(), seen)?;
                match state.verify(&sent, &binding) {
                    Ok(completed) => self.open_session(completed, None, seen).await,
                    Err(error) => Err(self.sim_failed(official, error.into()).await),
                }
            }
            SimAnswer::Akma { a_kid, proof, confirmation } => {
                let sent = sim_proof(proof, confirmation)?;
                let binding = self.channel_binding(state.channel(), seen)?;
                match self.verify_akma(state, a_kid, &sent, &binding).await {
                    Ok((completed, proven_at)) => self.open_session(completed, Some(proven_at), seen).await,
                    Err(error) => Err(self.sim_failed(official, error).await),
                }
            }
            SimAnswer::Resync { auts } => {
                let auts: [u8; 14] = auts.array().ok_or(Error::Malformed("AUTS"))?;
                let asked = state.rand();
                let verified = state.resync(&auts)?;
                let draw = Draw {
                    once: Some((*request.login.as_bytes(), "resync")),
                    card: Card::Of { official, device: verified.device },
                    password_right: false,
                    ind: Ind::allocate(Purpose::Login, self.settings().site),
                    want: self.login_want(verified.device)?,
                    resync: Some((asked, Auts::from_bytes(auts))),
                    now,
                };
                match self.draw_eap(draw).await {
                    Ok(vector) => {
                        let next = verified.challenge(&self.login_server(), &vector, &mut OsRng)?;
                        Ok(LoginSimResponse::Challenge(challenge(next)))
                    }
                    Err(Error::SimUnavailable) => Err(Error::DeviceNotActive),
                    Err(error @ Error::SimRejected) => Err(self.sim_failed(official, error).await),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Counts a failed SIM proof; what is told is the failure itself, or that it could not be counted.
    async fn sim_failed(&self, official: OfficialId, error: Error) -> Error {
        if !matches!(error, Error::SimRejected | Error::WrongConnection) {
            return error;
        }
        let failure = Write::Failure { official, factor: Factor::Sim, now: self.now() };
        match self.inner.writes.submit(failure).await {
            Ok(_) => error,
            Err(down) => down,
        }
    }

    /// The binding as this end sees it, in the mode that the device signed at its enrolment.
    fn channel_binding(&self, mode: ChannelMode, seen: &LoginConnection) -> Result<Vec<u8>> {
        let pin = &self.inner.issuing_pin;
        let url;
        let seen = match mode {
            ChannelMode::TlsExporter => Seen::TlsExporter(seen.tls_exporter.as_ref().ok_or(Error::WrongConnection)?),
            ChannelMode::Origin => {
                let origin = seen.origin.as_deref().ok_or(Error::WrongConnection)?;
                if !self.knows_authority(origin) {
                    return Err(Error::WrongConnection);
                }
                Seen::Origin(origin, pin)
            }
            ChannelMode::Loopback => {
                let authority = seen.authority.as_deref().ok_or(Error::WrongConnection)?;
                if !self.settings().allow_loopback || !seen.loopback || !self.knows_authority(authority) {
                    return Err(Error::WrongConnection);
                }
                url = format!("http://{authority}");
                Seen::Loopback(&url, pin)
            }
        };
        Ok(seen.binding(mode)?)
    }

    async fn open_session(
        &self,
        completed: Completed,
        by_phone: Option<Millis>,
        seen: &LoginConnection,
    ) -> Result<LoginSimResponse> {
        let network = self.login_network(completed.device, seen.address).await?;
        let now = self.now();
        let mut refresh_seed = [0u8; 32];
        OsRng.fill_bytes(&mut refresh_seed);
        let opening = Opening {
            session: SessionId::new(now, &mut OsRng),
            official: completed.official,
            device: completed.device,
            token_key: completed.token_key,
            refresh_seed,
            ends_at: now.plus(self.settings().session_lasts),
            by_phone,
            network: network.clone(),
        };
        let open = Write::Open { login: completed.login, opening: Box::new(opening), now };
        let Written::Session(session, assurance) = self.inner.writes.submit(open).await? else {
            return Err(Error::Damaged("batch"));
        };
        let tokens = self.tokens(&session, assurance, now)?;
        let by = if by_phone.is_some() { "akma" } else { "card" };
        metrics::counter!("pakawaaz_identity_logins_total", "sim" => by).increment(1);
        Ok(LoginSimResponse::Done { confirmation: Bytes::from(completed.confirmation), tokens, network })
    }
}

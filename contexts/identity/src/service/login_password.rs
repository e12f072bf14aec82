//! Second round: the password is proven; only now is a vector drawn.

use super::Identity;
use super::login_writes::{Card, Draw, Write, Written};
use crate::error::{Error, Result};
use crate::sim_vault::eap;
use pakawaaz_aka::{EapVector, Ind, Purpose};
use pakawaaz_base::{Bytes, DeviceId};
use pakawaaz_contract::identity::{LoginChallenge, LoginPasswordRequest};
use pakawaaz_login::{Challenge, PasswordOutcome, PasswordRequest, eap_inputs};
use pakawaaz_sim_vault::{Answer, Want};
use rand::rngs::OsRng;

impl Identity {
    /// `POST /v1/login/password`.
    ///
    /// Errors: [`Error::LoginFailed`] for everybody without a valid device signature; [`Error::WrongPassword`],
    /// [`Error::DeviceNotActive`], [`Error::Suspended`] for those with one; [`Error::AttemptExpired`] for a round played twice.
    pub async fn login_password(&self, request: &LoginPasswordRequest) -> Result<LoginChallenge> {
        let now = self.now();
        let sent = PasswordRequest {
            ke3: request.ke3.to_vec(),
            signature: request.signature.array().ok_or(Error::Malformed("signature"))?,
        };
        let outcome = self.login_server().password(request.login, &request.state, &sent, now)?;
        metrics::counter!("pakawaaz_identity_login_rounds_total", "round" => "password").increment(1);
        let verified = match outcome {
            PasswordOutcome::Verified(verified) => verified,
            // Counted when it started.
            PasswordOutcome::WrongPassword { .. } => return Err(Error::WrongPassword),
            PasswordOutcome::Refused => return Err(Error::LoginFailed),
        };
        let draw = Draw {
            once: Some((*request.login.as_bytes(), "password")),
            card: Card::Of { official: verified.official, device: verified.device },
            password_right: true,
            ind: Ind::allocate(Purpose::Login, self.settings().site),
            want: self.login_want(verified.device)?,
            resync: None,
            now,
        };
        let vector = match self.draw_eap(draw).await {
            Ok(vector) => vector,
            Err(Error::SimUnavailable) => return Err(Error::DeviceNotActive),
            // The password was right. Without this, whoever tries until the vault is back would be told to wait.
            Err(error @ (Error::VaultUnavailable | Error::Busy)) => {
                self.inner.writes.submit(Write::Right { official: verified.official }).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        Ok(challenge(verified.challenge(&self.login_server(), &vector, &mut OsRng)?))
    }

    /// A vector whose sequence number is durable.
    pub(super) async fn draw(&self, draw: Draw) -> Result<Answer> {
        match self.inner.writes.submit(Write::Draw(Box::new(draw))).await? {
            Written::Vector(answer) => Ok(*answer),
            _ => Err(Error::Damaged("batch")),
        }
    }

    /// The same for a login or an enrolment.
    pub(super) async fn draw_eap(&self, draw: Draw) -> Result<EapVector> {
        eap(&self.draw(draw).await?)
    }

    /// What a login or an enrolment of this device draws.
    pub(super) fn login_want(&self, device: DeviceId) -> Result<Want> {
        let (network, identity) = eap_inputs(self.realm(), device)?;
        Ok(Want::EapAkaPrime { network, identity: identity.as_str().to_owned() })
    }
}

pub(super) fn challenge(c: Challenge) -> LoginChallenge {
    LoginChallenge {
        rand: Bytes::from(c.rand),
        autn: Bytes::from(c.autn),
        network_name: c.network_name,
        state: Bytes(c.state),
    }
}

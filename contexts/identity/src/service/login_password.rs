//! Second round: the password is proven; only now is a vector drawn.

use super::Identity;
use super::login_writes::{Card, Draw, Write, Written};
use crate::error::{Error, Result};
use pakawaaz_aka::{AuthVector, Ind, Purpose, Rand};
use pakawaaz_base::Bytes;
use pakawaaz_contract::identity::{LoginChallenge, LoginPasswordRequest};
use pakawaaz_login::{Challenge, PasswordOutcome, PasswordRequest};
use rand::rngs::OsRng;

impl Identity {
    /// `POST /v1/login/password`.
    ///
    /// Errors: [`Error::LoginFailed`] for everybody without a valid device signature; [`Error::WrongPassword`],
    /// [`Error::DeviceNotActive`] for those with one; [`Error::AttemptExpired`] for a round played twice.
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
            rand: Rand::random(&mut OsRng),
            resync: None,
            now,
        };
        let vector = self.draw(draw).await.map_err(|error| match error {
            Error::SimUnavailable => Error::DeviceNotActive,
            other => other,
        })?;
        Ok(challenge(verified.challenge(&self.login_server(), &vector, &mut OsRng)?))
    }

    /// A vector whose sequence number is durable.
    pub(super) async fn draw(&self, draw: Draw) -> Result<AuthVector> {
        match self.inner.writes.submit(Write::Draw(Box::new(draw))).await? {
            Written::Vector(vector) => Ok(*vector),
            _ => Err(Error::Damaged("batch")),
        }
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

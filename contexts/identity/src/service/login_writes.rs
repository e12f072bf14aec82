//! The durable steps of logins and renewals, many in one commit.
//!
//! A login writes three times: the guess is counted, the sequence number is persisted, the session is opened. One
//! fsync for each would be a few hundred logins a second; together they are thousands.

use super::ENROLMENT_LASTS;
use crate::error::{Error, Result};
use crate::model::backoff::wait_after;
use crate::model::refresh::{Decision, decide};
use crate::store::accounts::{self, Factor};
use crate::store::sessions::Session;
use crate::store::{attempts, devices, sessions, sims};
use crate::vault::Vault;
use async_trait::async_trait;
use pakawaaz_aka::{AuthVector, Auts, Ind, Rand, next_sqn};
use pakawaaz_base::{Assurance, LoginId, Millis, OfficialId, SessionId, SimId};
use pakawaaz_storage::{BatchHandler, Tx};
use std::sync::Arc;

/// One durable step.
pub(super) enum Write {
    /// A device asks for KE2: with it somebody can test one password, unseen by us. So every start counts as a
    /// failure until KE3 proves the opposite.
    Guess { official: OfficialId, now: Millis },
    /// A factor failed.
    Failure { official: OfficialId, factor: Factor, now: Millis },
    /// A vector is drawn. `password_of` had a right password just before.
    Draw(Box<Draw>),
    /// An authentic refresh token of this generation was presented by the right key.
    Refresh { session: SessionId, generation: u32, now: Millis },
    /// All factors are proven.
    Open { login: LoginId, session: Box<Session>, now: Millis },
}

/// A vector to draw.
pub(super) struct Draw {
    /// Login or enrolment.
    pub attempt: [u8; 16],
    /// May be taken once for each attempt.
    pub step: &'static str,
    /// Whose password was right.
    pub password_of: Option<OfficialId>,
    /// For which card.
    pub sim: SimId,
    /// Its counter.
    pub ind: Ind,
    /// Fresh.
    pub rand: Rand,
    /// The challenge before and the card's answer, to resynchronise first.
    pub resync: Option<(Rand, Auts)>,
    /// Now.
    pub now: Millis,
}

/// What comes back once it is durable.
pub(super) enum Written {
    Counted,
    Vector(Box<AuthVector>),
    /// The session as it is now, and its device's assurance.
    Refreshed(Box<Session>, Assurance),
    /// A token used twice: the session is to be ended.
    Reused,
    Opened,
}

pub(super) struct LoginWrites {
    pub vault: Arc<dyn Vault>,
}

#[async_trait]
impl BatchHandler for LoginWrites {
    type Request = Write;
    type Response = Written;
    type Error = Error;

    async fn apply(&self, tx: &mut Tx, requests: &[Write]) -> Result<Vec<Result<Written>>> {
        let mut results = Vec::with_capacity(requests.len());
        for request in requests {
            let result = match request {
                Write::Guess { official, now } => self.guess(tx, *official, *now).await,
                Write::Failure { official, factor, now } => self.failure(tx, *official, *factor, *now).await,
                Write::Draw(draw) => self.draw(tx, draw).await,
                Write::Refresh { session, generation, now } => self.refresh(tx, *session, *generation, *now).await,
                Write::Open { login, session, now } => self.open(tx, *login, session, *now).await,
            };
            match result {
                // The database failed: none of this transaction can be relied upon.
                Err(Error::Storage(error)) => return Err(error.into()),
                refused_or_done => results.push(refused_or_done),
            }
        }
        Ok(results)
    }
}

impl LoginWrites {
    /// The back-off is judged where the guess is counted: of many starts at once each sees those before it.
    async fn guess(&self, tx: &mut Tx, official: OfficialId, now: Millis) -> Result<Written> {
        let engine = tx.engine();
        let account = accounts::get_for_update(tx.conn(), engine, official).await?.ok_or(Error::DeviceNotActive)?;
        account.may_try(now)?;
        self.failure(tx, official, Factor::Password, now).await
    }

    async fn failure(&self, tx: &mut Tx, official: OfficialId, factor: Factor, now: Millis) -> Result<Written> {
        let failures = accounts::count_failure(tx.conn(), official, factor).await?;
        let wait = wait_after(failures);
        if !wait.is_zero() {
            accounts::set_retry_at(tx.conn(), official, now.plus(wait)).await?;
        }
        Ok(Written::Counted)
    }

    /// Everything that can be refused comes before the first write.
    async fn draw(&self, tx: &mut Tx, draw: &Draw) -> Result<Written> {
        let engine = tx.engine();
        let sim = sims::get_for_update(tx.conn(), engine, draw.sim).await?.ok_or(Error::SimUnavailable)?;
        if !sim.usable() {
            return Err(Error::SimUnavailable);
        }
        let mut state = sim.sqn;
        if let Some((rand, auts)) = &draw.resync {
            let sqn_ms = self.vault.resynchronise(draw.sim, &sim.sealed, rand, auts)?;
            state = state.resynchronised(draw.now, sqn_ms);
        }
        let (state, sqn) = next_sqn(state, draw.now, draw.ind)?;
        let vector = self.vault.vector(draw.sim, &sim.sealed, draw.rand, sqn)?;
        // Longer than the attempt can live, so that an expired row is never needed again.
        let expires_at = draw.now.plus(ENROLMENT_LASTS * 2);
        if !attempts::take(tx.conn(), &draw.attempt, draw.step, expires_at).await? {
            return Err(Error::AttemptExpired);
        }
        sims::set_sqn(tx.conn(), draw.sim, state).await?;
        if let Some(official) = draw.password_of {
            accounts::password_was_right(tx.conn(), official).await?;
        }
        Ok(Written::Vector(Box::new(vector)))
    }

    async fn refresh(&self, tx: &mut Tx, id: SessionId, generation: u32, now: Millis) -> Result<Written> {
        let engine = tx.engine();
        let found = sessions::get(tx.conn(), id).await?.ok_or(Error::SessionEnded)?;
        // Locked in the order of README.md, the session last.
        let account = accounts::get_for_update(tx.conn(), engine, found.official).await?;
        let device = devices::get_for_update(tx.conn(), engine, found.device).await?;
        let sim = sims::get(tx.conn(), found.sim).await?;
        let session = sessions::get_for_update(tx.conn(), engine, id).await?;
        let usable = account.is_some_and(|a| a.usable()) && sim.is_some_and(|s| s.usable());
        let (Some(mut session), Some(device)) = (session, device.filter(|d| usable && d.may_log_in())) else {
            return Err(Error::SessionEnded);
        };
        match decide(&session.chain, generation, now) {
            Decision::Rotate => {
                let next = generation.checked_add(1).ok_or(Error::Damaged("refresh generation"))?;
                session.chain.generation = next;
                session.chain.rotated_at = now;
                sessions::rotate(tx.conn(), id, next, now).await?;
                devices::seen(tx.conn(), session.device, now).await?;
                Ok(Written::Refreshed(Box::new(session), device.assurance))
            }
            Decision::Repeat => Ok(Written::Refreshed(Box::new(session), device.assurance)),
            Decision::Reused => Ok(Written::Reused),
            Decision::Over => Err(Error::SessionEnded),
        }
    }

    /// Opens a session, unless something was cut meanwhile. The rows stay locked until the commit, so a suspension
    /// comes before (and is seen here) or after (and ends this session).
    async fn open(&self, tx: &mut Tx, login: LoginId, session: &Session, now: Millis) -> Result<Written> {
        let engine = tx.engine();
        let account = accounts::get_for_update(tx.conn(), engine, session.official).await?;
        let device = devices::get_for_update(tx.conn(), engine, session.device).await?;
        let sim = sims::get_for_update(tx.conn(), engine, session.sim).await?;
        // A login that proved a password which has been replaced since would outlive the sessions that ended with it.
        let replaced = account.as_ref().and_then(|a| a.password_set_at).is_some_and(|at| at > begun_at(login));
        if replaced {
            return Err(Error::AttemptExpired);
        }
        let usable = account.is_some_and(|a| a.usable())
            && device.is_some_and(|d| d.may_log_in() && d.official == session.official && d.sim == session.sim)
            && sim.is_some_and(|s| s.usable() && s.official == Some(session.official));
        if !usable {
            return Err(Error::DeviceNotActive);
        }
        if !sessions::insert(tx.conn(), login, session).await? {
            return Err(Error::AttemptExpired);
        }
        accounts::forget_failures(tx.conn(), session.official).await?;
        devices::seen(tx.conn(), session.device, now).await?;
        Ok(Written::Opened)
    }
}

/// When a login began: its id is a UUID version 7 (RFC 9562 §5.7), made by us and authenticated with the sealed state.
fn begun_at(login: LoginId) -> Millis {
    Millis(login.as_bytes()[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte)))
}

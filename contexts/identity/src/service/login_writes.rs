//! The durable steps of logins and renewals, many in one commit.
//!
//! A login writes three times: the guess is counted, the sequence number is persisted, the session is opened. One
//! fsync for each would be a few hundred logins a second; together they are thousands. Each step is decided in memory
//! on rows that stay locked until the commit, in the order in which the requests came.

use super::ENROLMENT_LASTS;
use super::draws::{Drawn, draw_all, may_log_in};
use super::login_rows::Rows;
use crate::error::{Error, Result};
use crate::model::backoff::wait_after;
use crate::model::refresh::{Chain, Decision, decide};
use crate::sim_vault::SimVault;
use crate::store::accounts::Factor;
use crate::store::attempts::Step;
use crate::store::sessions::Session;
use async_trait::async_trait;
use pakawaaz_aka::{Auts, Ind, Rand};
use pakawaaz_base::{Assurance, DeviceId, LoginId, Millis, OfficialId, SessionId, SimId};
use pakawaaz_contract::facts::NetworkDisagrees;
use pakawaaz_contract::identity::{LoginNetwork, NetworkAgreement};
use pakawaaz_sim_vault::{Answer, Want};
use pakawaaz_storage::{BatchHandler, Tx};
use pakawaaz_trust::keys::PublicKeyBytes;
use std::sync::Arc;

/// One durable step.
pub(super) enum Write {
    /// A device asks for KE2: with it somebody can test one password, unseen by us. So every start counts as a
    /// failure until KE3 proves the opposite.
    Guess { official: OfficialId, now: Millis },
    /// The password was proven, and what comes next could not be: no fault of whoever guessed.
    Right { official: OfficialId },
    /// A factor failed.
    Failure { official: OfficialId, factor: Factor, now: Millis },
    /// A vector is drawn.
    Draw(Box<Draw>),
    /// An authentic refresh token of this generation was presented by the right key.
    Refresh { session: SessionId, generation: u32, now: Millis },
    /// All factors are proven.
    Open { login: LoginId, opening: Box<Opening>, now: Millis },
}

/// A vector to draw.
pub(super) struct Draw {
    /// May be done once: a step of a login or of an enrolment, the resynchronisation after a challenge.
    pub once: Option<([u8; 16], &'static str)>,
    /// For which card.
    pub card: Card,
    /// Whether the password of the card's official was right just before.
    pub password_right: bool,
    /// Its counter.
    pub ind: Ind,
    /// What for.
    pub want: Want,
    /// The challenge before and the card's answer, to resynchronise first.
    pub resync: Option<(Rand, Auts)>,
    /// Now.
    pub now: Millis,
}

/// Which card is challenged.
#[derive(Clone, Copy)]
pub(super) enum Card {
    /// This one.
    Known(SimId),
    /// This one, in a phone that asks for access to a network: as long as it is bound as it was seen to be, and its
    /// official is not cut off.
    Carried { sim: SimId, official: Option<OfficialId> },
    /// The one that a device proves, as long as device and official may log in.
    Of { official: OfficialId, device: DeviceId },
}

/// A session to open.
pub(super) struct Opening {
    pub session: SessionId,
    pub official: OfficialId,
    pub device: DeviceId,
    pub token_key: PublicKeyBytes,
    pub refresh_seed: [u8; 32],
    pub ends_at: Millis,
    /// When the card had proven itself to the network, if its phone answered for it.
    pub by_phone: Option<Millis>,
    /// The phone behind whose address the login came from.
    pub network: Option<LoginNetwork>,
}

/// What comes back once it is durable.
pub(super) enum Written {
    Counted,
    Vector(Box<Answer>),
    /// The session as it is now, opened or renewed, and its device's assurance.
    Session(Box<Session>, Assurance),
    /// A token used twice: the session is to be ended.
    Reused,
}

pub(super) struct LoginWrites {
    pub vault: Arc<dyn SimVault>,
}

#[async_trait]
impl BatchHandler for LoginWrites {
    type Request = Write;
    type Response = Written;
    type Error = Error;

    async fn apply(&self, tx: &mut Tx, requests: &[Write]) -> Result<Vec<Result<Written>>> {
        let mut rows = Rows::load(tx, requests).await?;
        // The one thing that is waited for while rows are locked, and never for long.
        let drawn = draw_all(&*self.vault, &rows, requests).await;
        let results = requests.iter().zip(drawn).map(|(request, drawn)| apply_one(&mut rows, request, drawn)).collect();
        rows.store(tx).await?;
        Ok(results)
    }
}

/// A refusal leaves the rows as they were.
fn apply_one(rows: &mut Rows, request: &Write, drawn: Option<Result<Drawn>>) -> Result<Written> {
    match request {
        Write::Guess { official, now } => guess(rows, *official, *now),
        Write::Right { official } => {
            rows.change_account(*official).ok_or(Error::DeviceNotActive)?.password_was_right();
            Ok(Written::Counted)
        }
        Write::Failure { official, factor, now } => failure(rows, *official, *factor, *now),
        Write::Draw(request) => draw(rows, request, drawn.ok_or(Error::Damaged("batch"))??),
        Write::Refresh { session, generation, now } => refresh(rows, *session, *generation, *now),
        Write::Open { login, opening, now } => open(rows, *login, opening, *now),
    }
}

/// Takes over what was drawn. It could have been refused before ([`super::draws`]); the step is taken here.
fn draw(rows: &mut Rows, draw: &Draw, drawn: Drawn) -> Result<Written> {
    // Longer than the attempt can live, so that an expired row is never needed again.
    let expires_at = draw.now.plus(ENROLMENT_LASTS * 2);
    if let Some((attempt, step)) = draw.once
        && !rows.take(Step { attempt, step, expires_at })
    {
        return Err(Error::AttemptExpired);
    }
    if let Some(sim) = rows.change_sim(drawn.sim) {
        sim.sqn = drawn.state;
        sim.uses.vectors = sim.uses.vectors.saturating_add(1);
        let resynchronised = u64::from(draw.resync.is_some());
        sim.uses.resynchronisations = sim.uses.resynchronisations.saturating_add(resynchronised);
    }
    if let Card::Of { official, .. } = draw.card
        && draw.password_right
        && let Some(account) = rows.change_account(official)
    {
        account.password_was_right();
    }
    Ok(Written::Vector(Box::new(drawn.answer)))
}

/// The back-off is judged where the guess is counted: of many starts at once each sees those before it.
fn guess(rows: &mut Rows, official: OfficialId, now: Millis) -> Result<Written> {
    rows.accounts.get(&official).ok_or(Error::DeviceNotActive)?.may_try(now)?;
    failure(rows, official, Factor::Password, now)
}

fn failure(rows: &mut Rows, official: OfficialId, factor: Factor, now: Millis) -> Result<Written> {
    let account = rows.change_account(official).ok_or(Error::DeviceNotActive)?;
    match factor {
        Factor::Password => account.password_failures = account.password_failures.saturating_add(1),
        Factor::Sim => account.sim_failures = account.sim_failures.saturating_add(1),
    }
    let wait = wait_after(account.password_failures.saturating_add(account.sim_failures));
    if !wait.is_zero() {
        account.retry_at = now.plus(wait);
    }
    Ok(Written::Counted)
}

fn refresh(rows: &mut Rows, id: SessionId, generation: u32, now: Millis) -> Result<Written> {
    let session = rows.sessions.get(&id).ok_or(Error::SessionEnded)?;
    let (device_id, chain) = (session.device, session.chain);
    // Told apart for the very device that holds the token: it shows its owner why, whichever answer is first.
    let device = rows.devices.get(&device_id).ok_or(Error::DeviceNotActive)?;
    may_log_in(rows, session.official, device, session.sim)?;
    let assurance = device.assurance;
    let now_is = |session: &Session| Ok(Written::Session(Box::new(session.clone()), assurance));
    match decide(&chain, generation, now) {
        Decision::Rotate => {
            let next = generation.checked_add(1).ok_or(Error::Damaged("refresh generation"))?;
            rows.seen(device_id, now);
            let session = rows.change_session(id).ok_or(Error::SessionEnded)?;
            session.chain.generation = next;
            session.chain.rotated_at = now;
            now_is(session)
        }
        Decision::Repeat => now_is(session_of(rows, id)?),
        Decision::Reused => Ok(Written::Reused),
        Decision::Over => Err(Error::SessionEnded),
    }
}

fn session_of(rows: &Rows, id: SessionId) -> Result<&Session> {
    rows.sessions.get(&id).ok_or(Error::SessionEnded)
}

/// Opens a session, unless something was cut meanwhile. The rows stay locked until the commit, so a suspension comes
/// before (and is seen here) or after (and ends this session).
fn open(rows: &mut Rows, login: LoginId, opening: &Opening, now: Millis) -> Result<Written> {
    let account = rows.accounts.get(&opening.official);
    // A login that proved a password which has been replaced since would outlive the sessions that ended with it.
    if account.and_then(|a| a.password_set_at).is_some_and(|at| at > begun_at(login)) {
        return Err(Error::AttemptExpired);
    }
    let device = rows.devices.get(&opening.device).ok_or(Error::DeviceNotActive)?;
    let (sim, assurance) = (device.sim, device.assurance);
    let bound = rows.sims.get(&sim).is_some_and(|s| s.official == Some(opening.official));
    if device.official != opening.official || !bound {
        return Err(Error::DeviceNotActive);
    }
    may_log_in(rows, opening.official, device, sim)?;
    // The network's goodbye and the cut of a card take this row too, and end what such a key has opened by then.
    if let Some(proven_at) = opening.by_phone
        && rows.sims.get(&sim).is_none_or(|card| proven_at <= card.left_at)
    {
        return Err(Error::AkmaUnknown);
    }
    let session = Session {
        session: opening.session,
        official: opening.official,
        device: opening.device,
        sim,
        token_key: opening.token_key.to_vec(),
        refresh_seed: opening.refresh_seed.to_vec(),
        chain: Chain { generation: 0, rotated_at: now, ends_at: opening.ends_at, ended: false },
        authenticated_at: now,
        by_phone: opening.by_phone,
        ended_at: None,
        network: opening.network.clone(),
    };
    if !rows.open(login, session.clone()) {
        return Err(Error::AttemptExpired);
    }
    if let Some(LoginNetwork { agreement, .. }) = opening.network
        && agreement != NetworkAgreement::SamePhone
        && let Some(card) = rows.sims.get(&sim)
    {
        let fact = NetworkDisagrees { imsi: card.imsi.clone(), agreement, at: now };
        rows.disagrees(fact);
    }
    if let Some(account) = rows.accounts.get(&opening.official)
        && account.has_failures()
        && let Some(account) = rows.change_account(opening.official)
    {
        account.forget_failures();
    }
    rows.seen(opening.device, now);
    Ok(Written::Session(Box::new(session), assurance))
}

/// When a login began: its id is a UUID version 7 (RFC 9562 §5.7), made by us and authenticated with the sealed state.
fn begun_at(login: LoginId) -> Millis {
    Millis(login.as_bytes()[..6].iter().fold(0, |ms, byte| ms << 8 | i64::from(*byte)))
}

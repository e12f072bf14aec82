//! Vectors for a whole batch of logins and registrations, in one question to the vault (two when cards are
//! resynchronised).
//!
//! Asked first, decided afterwards: what the vault does not answer changes no row. A sequence number is stored together with
//! everything else that its draw changes, in the transaction after which the challenge leaves; one whose challenge never came
//! back is free for the next, since nobody has seen it.

use super::login_rows::Rows;
use super::login_writes::{Card, Draw, Write};
use crate::error::{Error, Result};
use crate::model::device::Standing;
use crate::sim_vault::{SimVault, checked};
use pakawaaz_aka::{Sqn, SqnState, next_sqn};
use pakawaaz_base::{OfficialId, SimId};
use pakawaaz_contract::identity::DeviceStatus;
use pakawaaz_sim_vault::{Answer, Ask};
use std::collections::{BTreeMap, BTreeSet};

/// What a draw leads to, unless it is refused.
pub(super) struct Drawn {
    /// The card.
    pub sim: SimId,
    /// Its counter afterwards.
    pub state: SqnState,
    /// The vault's.
    pub answer: Answer,
}

/// For each request what it draws; nothing for those that draw nothing.
pub(super) async fn draw_all(vault: &dyn SimVault, rows: &Rows, requests: &[Write]) -> Vec<Option<Result<Drawn>>> {
    let mut plans: Vec<Plan<'_>> = requests.iter().map(|request| Plan::new(rows, request)).collect();
    once_each(&mut plans);
    let asks = plans.iter().filter_map(Plan::resynchronise).collect();
    let mut answers = ask(vault, asks).await.into_iter();
    for plan in &mut plans {
        if plan.resynchronise().is_some() {
            plan.resynchronised(answers.next());
        }
    }
    // Several draws for one card count up from each other.
    let mut states = BTreeMap::new();
    let asks = plans.iter_mut().filter_map(|plan| plan.vector(&mut states)).collect();
    let mut answers = ask(vault, asks).await.into_iter();
    plans.into_iter().map(|plan| plan.drawn(&mut answers)).collect()
}

/// An answer or the same error for each.
async fn ask(vault: &dyn SimVault, asks: Vec<Ask>) -> Vec<Result<Answer>> {
    let count = asks.len();
    if count == 0 {
        return Vec::new();
    }
    match vault.ask(asks).await {
        Ok(answers) if answers.len() == count => answers.into_iter().map(checked).collect(),
        Ok(_) => vec![Err(Error::VaultUnavailable); count],
        Err(error) => vec![Err(error); count],
    }
}

enum Plan<'a> {
    /// No draw.
    Nothing,
    Refused(Error),
    /// May be drawn.
    Open {
        draw: &'a Draw,
        sim: SimId,
        sealed: &'a [u8],
        state: SqnState,
        sqn_ms: Option<Sqn>,
    },
    /// Asked for.
    Asked {
        sim: SimId,
        state: SqnState,
    },
}

impl<'a> Plan<'a> {
    fn new(rows: &'a Rows, request: &'a Write) -> Self {
        let Write::Draw(draw) = request else { return Self::Nothing };
        match card(rows, draw) {
            Ok(sim) => match rows.sims.get(&sim) {
                Some(row) => Self::Open { draw, sim, sealed: &row.sealed, state: row.sqn, sqn_ms: None },
                None => Self::Refused(Error::SimUnavailable),
            },
            Err(error) => Self::Refused(error),
        }
    }

    fn resynchronise(&self) -> Option<Ask> {
        let Self::Open { draw, sim, sealed, .. } = self else { return None };
        let (rand, auts) = draw.resync.as_ref()?;
        Some(Ask::Resynchronise { card: *sim, sealed: sealed.to_vec(), rand: rand.0, auts: auts.to_bytes() })
    }

    fn resynchronised(&mut self, answer: Option<Result<Answer>>) {
        let Self::Open { sqn_ms, .. } = self else { return };
        match answer.unwrap_or(Err(Error::VaultUnavailable)) {
            Ok(Answer::Resynchronised(sqn)) => *sqn_ms = Some(Sqn::from_bytes(sqn)),
            Ok(_) => *self = Self::Refused(Error::VaultUnavailable),
            Err(error) => *self = Self::Refused(error),
        }
    }

    fn vector(&mut self, states: &mut BTreeMap<SimId, SqnState>) -> Option<Ask> {
        let Self::Open { draw, sim, sealed, state, sqn_ms } = self else { return None };
        let (draw, sim) = (*draw, *sim);
        let mut before = states.get(&sim).copied().unwrap_or(*state);
        if let Some(sqn_ms) = sqn_ms {
            before = before.resynchronised(draw.now, *sqn_ms);
        }
        match next_sqn(before, draw.now, draw.ind) {
            Ok((state, sqn)) => {
                states.insert(sim, state);
                let (sealed, want) = (sealed.to_vec(), draw.want.clone());
                *self = Self::Asked { sim, state };
                Some(Ask::Vector { card: sim, sealed, sqn: sqn.to_bytes(), want })
            }
            Err(error) => {
                *self = Self::Refused(error.into());
                None
            }
        }
    }

    fn drawn(self, answers: &mut impl Iterator<Item = Result<Answer>>) -> Option<Result<Drawn>> {
        match self {
            Self::Nothing => None,
            Self::Refused(error) => Some(Err(error)),
            Self::Open { .. } => Some(Err(Error::VaultUnavailable)),
            Self::Asked { sim, state } => {
                let answer = answers.next().unwrap_or(Err(Error::VaultUnavailable));
                Some(answer.map(|answer| Drawn { sim, state, answer }))
            }
        }
    }
}

/// Of draws that may happen once, the first is asked for. All others are refused without one.
fn once_each(plans: &mut [Plan<'_>]) {
    let mut seen = BTreeSet::new();
    for plan in plans {
        if let Plan::Open { draw, .. } = plan
            && let Some(once) = draw.once
            && !seen.insert(once)
        {
            *plan = Plan::Refused(Error::AttemptExpired);
        }
    }
}

/// Whether a device and a card may open or renew a session for an official.
///
/// Errors: [`Error::Suspended`] when nothing but suspensions is in the way, [`Error::DeviceNotActive`] otherwise.
pub(super) fn may_log_in(rows: &Rows, official: OfficialId, device: &Standing, sim: SimId) -> Result<()> {
    let account = rows.accounts.get(&official).ok_or(Error::DeviceNotActive)?;
    let sim = rows.sims.get(&sim).ok_or(Error::DeviceNotActive)?;
    if account.usable() && device.may_log_in() && sim.usable() {
        return Ok(());
    }
    Err(Error::cut_off(account.revoked || device.status == DeviceStatus::Revoked || sim.revoked))
}

/// The card that may be challenged.
fn card(rows: &Rows, draw: &Draw) -> Result<SimId> {
    let id = match draw.card {
        Card::Known(sim) => sim,
        Card::Carried { sim, official } => {
            if rows.sims.get(&sim).is_some_and(|row| row.official != official) {
                return Err(Error::Conflict("card"));
            }
            let cut = |official| !rows.accounts.get(&official).is_some_and(|account| account.usable());
            if official.is_some_and(cut) {
                return Err(Error::SimUnavailable);
            }
            sim
        }
        Card::Of { official, device } => {
            let device = rows.devices.get(&device).filter(|d| d.official == official).ok_or(Error::DeviceNotActive)?;
            may_log_in(rows, official, device, device.sim)?;
            device.sim
        }
    };
    if !rows.sims.get(&id).is_some_and(|sim| sim.usable()) {
        return Err(Error::SimUnavailable);
    }
    if draw.once.is_some_and(|(attempt, step)| rows.taken(&attempt, step)) {
        return Err(Error::AttemptExpired);
    }
    Ok(id)
}

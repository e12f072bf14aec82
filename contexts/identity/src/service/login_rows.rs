//! The rows that a batch of logins works on: locked and read once for all of them, written back once.
//!
//! A statement costs a hop to the database's thread and back, whatever it does. Twenty logins that come together make
//! a dozen statements, not two hundred.

use super::login_writes::{Card, Write};
use crate::error::{Error, Result};
use crate::model::account::Account;
use crate::model::device::Standing;
use crate::model::sim::Sim;
use crate::store::attempts::Step;
use crate::store::sessions::Session;
use crate::store::{accounts, attempts, devices, sessions, sims};
use pakawaaz_base::{DeviceId, LoginId, Millis, OfficialId, SessionId, SimId};
use pakawaaz_contract::facts::NetworkDisagrees;
use pakawaaz_storage::{Tx, outbox};
use std::collections::{BTreeMap, BTreeSet};

/// Rows as they were read, then as the batch leaves them.
#[derive(Default)]
pub(super) struct Rows {
    pub accounts: BTreeMap<OfficialId, Account>,
    pub devices: BTreeMap<DeviceId, Standing>,
    pub sims: BTreeMap<SimId, Sim>,
    pub sessions: BTreeMap<SessionId, Session>,
    steps: BTreeSet<([u8; 16], String)>,
    logins: BTreeSet<LoginId>,
    changed: Changed,
}

#[derive(Default)]
struct Changed {
    accounts: BTreeSet<OfficialId>,
    sims: BTreeSet<SimId>,
    rotated: BTreeSet<SessionId>,
    seen: BTreeMap<DeviceId, Millis>,
    steps: Vec<Step>,
    opened: Vec<(LoginId, Session)>,
    disagreements: Vec<NetworkDisagrees>,
}

impl Rows {
    /// Locks what `requests` need until the transaction ends, in the order of README.md and within a table by id. What
    /// happens once (steps, logins) is looked up after the locks that everybody takes who does the same.
    pub async fn load(tx: &mut Tx, requests: &[Write]) -> Result<Self> {
        let conn = tx.conn();
        let (mut officials, mut wanted, mut cards) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut asked, mut attempts, mut logins) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for request in requests {
            match request {
                Write::Guess { official, .. } | Write::Right { official } | Write::Failure { official, .. } => {
                    officials.insert(*official);
                }
                Write::Draw(draw) => {
                    attempts.extend(draw.once.map(|(attempt, _)| attempt));
                    match draw.card {
                        Card::Known(sim) => _ = cards.insert(sim),
                        Card::Carried { sim, official } => {
                            officials.extend(official);
                            cards.insert(sim);
                        }
                        Card::Of { official, device } => {
                            officials.insert(official);
                            wanted.insert(device);
                        }
                    }
                }
                Write::Refresh { session, .. } => _ = asked.insert(*session),
                Write::Open { login, opening, .. } => {
                    officials.insert(opening.official);
                    wanted.insert(opening.device);
                    logins.insert(*login);
                }
            }
        }
        // Whose session it is does not change, so that may be read before the locks.
        for session in sessions::get_all(conn, &asked).await? {
            officials.insert(session.official);
            wanted.insert(session.device);
            cards.insert(session.sim);
        }
        let accounts = accounts::lock_all(conn, &officials).await?;
        let devices = devices::lock_all(conn, &wanted).await?;
        cards.extend(devices.values().map(|device| device.sim));
        Ok(Self {
            accounts,
            devices,
            sims: sims::lock_all(conn, &cards).await?,
            sessions: sessions::lock_all(conn, &asked).await?,
            steps: attempts::taken(conn, &attempts).await?,
            logins: sessions::logins_done(conn, &logins).await?,
            changed: Changed::default(),
        })
    }

    /// An account that is about to change.
    pub fn change_account(&mut self, official: OfficialId) -> Option<&mut Account> {
        let account = self.accounts.get_mut(&official)?;
        self.changed.accounts.insert(official);
        Some(account)
    }

    /// A card whose counter is about to change.
    pub fn change_sim(&mut self, sim: SimId) -> Option<&mut Sim> {
        let row = self.sims.get_mut(&sim)?;
        self.changed.sims.insert(sim);
        Some(row)
    }

    /// A session that is about to be renewed.
    pub fn change_session(&mut self, session: SessionId) -> Option<&mut Session> {
        let row = self.sessions.get_mut(&session)?;
        self.changed.rotated.insert(session);
        Some(row)
    }

    /// Whether a step of an attempt was taken before.
    pub fn taken(&self, attempt: &[u8; 16], step: &str) -> bool {
        self.steps.iter().any(|(other, name)| other == attempt && name == step)
    }

    /// Takes a step of an attempt. `false` when it was taken before.
    pub fn take(&mut self, step: Step) -> bool {
        let new = self.steps.insert((step.attempt, step.step.to_owned()));
        if new {
            self.changed.steps.push(step);
        }
        new
    }

    /// Adds the session of a login. `false` when this login has opened one already.
    pub fn open(&mut self, login: LoginId, session: Session) -> bool {
        let new = self.logins.insert(login);
        if new {
            self.changed.opened.push((login, session));
        }
        new
    }

    /// A login that is opened came through a phone that does not fit it.
    pub fn disagrees(&mut self, fact: NetworkDisagrees) {
        self.changed.disagreements.push(fact);
    }

    /// A device opened or renewed a session.
    pub fn seen(&mut self, device: DeviceId, now: Millis) {
        self.changed.seen.insert(device, now);
    }

    /// Writes back what changed.
    ///
    /// Errors: [`Error::AttemptExpired`] when something that happens once has happened under another lock; nothing of
    /// this transaction must stay then.
    pub async fn store(self, tx: &mut Tx) -> Result<()> {
        let Changed { accounts: touched, sims: drawn, rotated, seen, steps, opened, disagreements } = self.changed;
        for fact in &disagreements {
            outbox::append(tx, NetworkDisagrees::KIND, fact, fact.at)?;
        }
        let conn = tx.conn();
        let touched: Vec<&Account> = touched.iter().filter_map(|id| self.accounts.get(id)).collect();
        accounts::put_failures(conn, &touched).await?;
        devices::seen_all(conn, &seen.into_iter().collect::<Vec<_>>()).await?;
        let drawn: Vec<&Sim> = drawn.iter().filter_map(|id| self.sims.get(id)).collect();
        sims::set_counters(conn, &drawn).await?;
        let rotated: Vec<_> = rotated.iter().filter_map(|id| self.sessions.get(id)).collect();
        sessions::rotate_all(conn, &rotated).await?;
        let once = attempts::take_all(conn, &steps).await? && sessions::insert_all(conn, &opened).await?;
        if once { Ok(()) } else { Err(Error::AttemptExpired) }
    }
}

//! The vault without its socket: policy, limits, answers, counters, in this order.

use crate::clock::Start;
use crate::issue::Issuing;
use crate::key::WrappingKey;
use crate::ledger::Ledger;
use anyhow::Result;
use pakawaaz_aka::NetworkName;
use pakawaaz_sim_vault::{Answer, Ask, Limiter, Limits, Refusal, Report, answer};
use rand::rngs::OsRng;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// All that a connection needs; threads share it.
pub struct Vault {
    key: WrappingKey,
    issue: PathBuf,
    networks: Vec<NetworkName>,
    started: Start,
    limiter: Mutex<Limiter>,
    ledger: Mutex<Ledger>,
}

impl Vault {
    /// Over its key and its ledger. No networks means any.
    pub fn new(key: WrappingKey, networks: Vec<NetworkName>, limits: Limits, ledger: Ledger) -> Self {
        Self {
            key,
            issue: PathBuf::new(),
            networks,
            started: Start::now(),
            limiter: Mutex::new(Limiter::new(limits)),
            ledger: Mutex::new(ledger),
        }
    }

    /// The same, making cards with what is in this folder.
    #[must_use]
    pub fn issuing_from(mut self, folder: PathBuf) -> Self {
        self.issue = folder;
        self
    }

    /// Whether the key could be copied out of this process.
    pub fn is_software(&self) -> bool {
        self.key.0.is_software()
    }

    /// The answers, once they are counted.
    ///
    /// # Errors
    /// They cannot be counted. Nothing leaves then.
    pub fn answer(&self, asks: &[Ask]) -> Result<Vec<Answer>> {
        let answers: Vec<Answer> = asks.iter().map(|ask| self.one(ask)).collect();
        let mut ledger = self.ledger();
        let mut uses = ledger.report().uses;
        for (ask, answer) in asks.iter().zip(&answers) {
            uses.count(ask, answer);
        }
        ledger.record(uses)?;
        Ok(answers)
    }

    /// How much it was used.
    pub fn report(&self) -> Report {
        self.ledger().report()
    }

    fn one(&self, ask: &Ask) -> Answer {
        if let Ask::Vector { want, .. } = ask
            && !self.networks.is_empty()
            && !self.networks.contains(want.network())
        {
            return Answer::Refused(Refusal::Network);
        }
        // Its own clock counts on whatever happens to the machine's.
        let now = self.started.millis();
        let allowed = self.limiter.lock().unwrap_or_else(PoisonError::into_inner).allow(ask, now);
        let wrap = Issuing { key: &self.key, folder: &self.issue };
        if allowed { answer(ask, &wrap, &mut OsRng) } else { Answer::Refused(Refusal::TooMany) }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

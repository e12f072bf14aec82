//! The card's side: what every SIM can do, and a SIM in software (TS 33.102 §6.3.3, Annex C.2).

use crate::secret::{CipherKey, IntegrityKey, Res};
use crate::sqn::{DELTA, IND_COUNT, SEQ_MAX};
use crate::{AkaError, Amf, Autn, Auts, Iccid, Imsi, Ind, Rand, SoftwareSim, Sqn, UsimError};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// A card's answer to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsimResponse {
    /// The challenge is genuine and fresh.
    Success {
        /// Answer to the challenge. Our login never sends it.
        res: Res,
        /// Cipher key.
        ck: CipherKey,
        /// Integrity key.
        ik: IntegrityKey,
    },
    /// The challenge is genuine but its sequence number is used or too far ahead.
    SyncFailure {
        /// Tells the home network, and nobody else, where the card's counter stands.
        auts: Auts,
    },
}

/// A USIM: in software, in a card reader, or behind a bridge.
pub trait Usim {
    /// Answers a challenge (TS 31.102 §7.1.1.1, the 3G security context).
    ///
    /// # Errors
    /// [`UsimError::MacFailure`] when the challenge is not from the card's home network; the other variants
    /// when there is no usable card.
    fn authenticate(&mut self, rand: &Rand, autn: &Autn) -> Result<UsimResponse, UsimError>;
    /// The card's IMSI (EF_IMSI).
    ///
    /// # Errors
    /// When there is no usable card.
    fn imsi(&mut self) -> Result<Imsi, UsimError>;
    /// The card's ICCID (EF_ICCID).
    ///
    /// # Errors
    /// When there is no usable card.
    fn iccid(&mut self) -> Result<Iccid, UsimError>;
}

/// Which sequence numbers a card accepts (TS 33.102 C.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UsimPolicy {
    /// Δ: largest jump above the highest SEQ accepted so far; no limit when absent (C.2.1).
    pub delta: Option<u64>,
    /// L: a SEQ this much or more below the highest is too old, even if its IND has not seen it; no limit
    /// when absent (C.2.2).
    pub age_limit: Option<u64>,
}

impl Default for UsimPolicy {
    fn default() -> Self {
        Self { delta: Some(DELTA), age_limit: None }
    }
}

/// The card's counters: the highest SEQ accepted for each IND (TS 33.102 C.2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "[u64; 32]", into = "[u64; 32]")]
pub struct UsimState {
    seq: [u64; IND_COUNT],
}

impl TryFrom<[u64; 32]> for UsimState {
    type Error = AkaError;
    fn try_from(seq: [u64; 32]) -> Result<Self, AkaError> {
        if seq.iter().any(|s| *s > SEQ_MAX) {
            return Err(AkaError::OutOfRange { what: "SEQ", expected: "below 2^43" });
        }
        Ok(Self { seq })
    }
}
impl From<UsimState> for [u64; 32] {
    fn from(s: UsimState) -> Self {
        s.seq
    }
}

impl UsimState {
    /// SQN_MS: the highest number accepted with any IND.
    pub fn highest(&self) -> Sqn {
        let mut best = (0, 0u8);
        for (ind, seq) in (0u8..).zip(&self.seq) {
            if *seq > best.0 {
                best = (*seq, ind);
            }
        }
        let ind = Ind::new(best.1).expect("there are 32 counters");
        Sqn::new(best.0, ind).expect("counters are checked when read and come from a Sqn otherwise")
    }

    fn accepts(&self, sqn: Sqn, policy: UsimPolicy) -> bool {
        let highest = self.highest().seq();
        let seq = sqn.seq();
        seq > self.seq[usize::from(sqn.ind().as_u8())]
            && policy.delta.is_none_or(|d| seq.saturating_sub(highest) <= d)
            && policy.age_limit.is_none_or(|l| highest.saturating_sub(seq) < l)
    }

    fn accept(&mut self, sqn: Sqn) {
        self.seq[usize::from(sqn.ind().as_u8())] = sqn.seq();
    }
}

/// A USIM in software, for demonstrations, tests and load. Serialise it whole to survive a restart.
///
/// **Persist it after each success, before using the answer**: a card that forgets its counter accepts a
/// recorded challenge again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftwareUsim {
    sim: SoftwareSim,
    #[serde(default)]
    state: UsimState,
    #[serde(default)]
    policy: UsimPolicy,
}

impl SoftwareUsim {
    /// A new card: counters at zero, the usual Δ, no age limit.
    pub fn new(sim: SoftwareSim) -> Self {
        Self { sim, state: UsimState::default(), policy: UsimPolicy::default() }
    }
    /// The same card with another policy.
    #[must_use]
    pub fn with_policy(self, policy: UsimPolicy) -> Self {
        Self { policy, ..self }
    }
    /// The same card with counters read from elsewhere.
    #[must_use]
    pub fn with_state(self, state: UsimState) -> Self {
        Self { state, ..self }
    }
    /// Identity and secrets.
    pub fn sim(&self) -> &SoftwareSim {
        &self.sim
    }
    /// The counters; all that changes.
    pub fn state(&self) -> &UsimState {
        &self.state
    }
}

impl Usim for SoftwareUsim {
    fn authenticate(&mut self, rand: &Rand, autn: &Autn) -> Result<UsimResponse, UsimError> {
        let algorithm = &self.sim.algorithm;
        let answer = algorithm.f2345(rand);
        let sqn = autn.sqn(&answer.ak);
        let expected = algorithm.f1(rand, sqn, autn.amf());
        // Nothing above depends on whether the MAC is right; freshness is looked at only once it is.
        if !bool::from(expected.ct_eq(autn.mac())) {
            return Err(UsimError::MacFailure);
        }
        if !self.state.accepts(sqn, self.policy) {
            let sqn_ms = self.state.highest();
            let mac = algorithm.f1_star(rand, sqn_ms, Amf::ZERO);
            return Ok(UsimResponse::SyncFailure { auts: Auts::build(sqn_ms, &algorithm.f5_star(rand), mac) });
        }
        self.state.accept(sqn);
        Ok(UsimResponse::Success { res: answer.res, ck: answer.ck, ik: answer.ik })
    }
    fn imsi(&mut self) -> Result<Imsi, UsimError> {
        Ok(self.sim.imsi.clone())
    }
    fn iccid(&mut self) -> Result<Iccid, UsimError> {
        Ok(self.sim.iccid.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqn(seq: u64, ind: u8) -> Sqn {
        Sqn::new(seq, Ind::new(ind).expect("ind")).expect("seq")
    }

    fn state(entries: &[(u64, u8)]) -> UsimState {
        let mut s = UsimState::default();
        for (seq, ind) in entries {
            s.accept(sqn(*seq, *ind));
        }
        s
    }

    #[test]
    fn each_ind_counts_for_itself() {
        let s = state(&[(100, 0), (90, 1)]);
        let p = UsimPolicy::default();
        assert!(!s.accepts(sqn(100, 0), p) && s.accepts(sqn(101, 0), p));
        assert!(!s.accepts(sqn(90, 1), p) && s.accepts(sqn(91, 1), p));
        assert!(s.accepts(sqn(1, 2), p), "out of order, but new to this counter");
        assert!(!s.accepts(sqn(0, 2), p), "zero is where every counter starts");
        assert_eq!(s.highest(), sqn(100, 0));
    }

    #[test]
    fn delta_bounds_the_jump_from_the_highest_counter() {
        let s = state(&[(100, 0)]);
        let p = UsimPolicy { delta: Some(10), age_limit: None };
        assert!(s.accepts(sqn(110, 5), p) && !s.accepts(sqn(111, 5), p));
        assert!(s.accepts(sqn(SEQ_MAX, 5), UsimPolicy { delta: None, age_limit: None }));
    }

    #[test]
    fn the_age_limit_refuses_old_numbers_of_quiet_counters() {
        let s = state(&[(100, 0)]);
        let p = UsimPolicy { delta: None, age_limit: Some(10) };
        assert!(s.accepts(sqn(91, 5), p) && !s.accepts(sqn(90, 5), p));
    }

    #[test]
    fn stored_counters_are_checked() {
        let s = state(&[(100, 0), (SEQ_MAX, 31)]);
        let json = serde_json::to_string(&s).expect("serialises");
        assert_eq!(serde_json::from_str::<UsimState>(&json).expect("parses"), s);
        let beyond = json.replace(&SEQ_MAX.to_string(), &(SEQ_MAX + 1).to_string());
        assert!(serde_json::from_str::<UsimState>(&beyond).is_err());
        assert!(serde_json::from_str::<UsimState>("[1,2]").is_err());
    }
}

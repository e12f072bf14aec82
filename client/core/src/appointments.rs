//! Who holds which post: the server's claim, held against what two administrators signed.
//!
//! The newest verified statement about a post is remembered, so that a server cannot bring a former holder back, and so
//! that an appointment stays verified after one of its signers has left.

use crate::trust_store::Judge;
use crate::views::Standing;
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{Bytes, DeviceId, Millis, OfficialId, PostId};
use pakawaaz_contract::directory;
use pakawaaz_trust::{AdminLookup as _, Appointment, AppointmentKind, Signed, Statement, verify_appointment};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most unknown signers asked for at a time; a page of a lying server may name any number.
const MAX_SIGNERS: usize = 16;

/// The newest statement about a post that this device has verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Remembered {
    at: Millis,
    id: Bytes,
    official: OfficialId,
    /// SHA-256 of the payload.
    payload: Bytes,
}

/// What the server says about a post.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim<'a> {
    pub post: PostId,
    /// Who it says holds it; none = vacant.
    pub holder: Option<OfficialId>,
    /// With what evidence.
    pub appointment: Option<&'a directory::Appointment>,
}

impl Remembered {
    fn of(evidence: &Evidence) -> Self {
        let said = &evidence.said;
        let (id, payload) = (Bytes(said.id.to_vec()), Bytes(evidence.signed.payload_hash().to_vec()));
        Self { at: said.at, id, official: said.official, payload }
    }
    fn is(&self, evidence: &Evidence) -> bool {
        *self.payload == evidence.signed.payload_hash()
    }
    fn outdates(&self, said: &Appointment) -> bool {
        !said.newer_than(self.at, &self.id.array().unwrap_or_default())
    }
}

/// A claim's statement, readable and about the post, not yet believed.
struct Evidence {
    signed: Signed,
    said: Appointment,
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// The verdict on each claim, in order; what is newly verified is remembered.
    ///
    /// # Errors
    /// Store and transport errors. What does not verify is a verdict, not an error.
    pub(crate) async fn weigh(&self, claims: &[Claim<'_>]) -> Result<Vec<Standing>, ClientError> {
        let all: Vec<_> = claims.iter().map(evidence).collect();
        let mut newest: BTreeMap<PostId, Remembered> = BTreeMap::new();
        for claim in claims {
            if let Some(known) = self.db.get(&keys::appointment(claim.post)).await? {
                newest.insert(claim.post, known);
            }
        }
        let known = |e: &Evidence| newest.get(&e.said.post).is_some_and(|known| known.is(e));
        let fresh = all.iter().flatten().filter(|e| !known(e));
        let judge = self.judge_signers(fresh.flat_map(|e| e.signed.device_signers())).await?;
        let verify = |e: &Evidence| known(e) || verify_appointment(&e.signed, &judge.known, &judge.anchors).is_ok();
        let believed: Vec<_> = all.into_iter().map(|e| e.filter(verify)).collect();
        let mut tx = self.db.tx();
        for one in believed.iter().flatten() {
            let post = one.said.post;
            let replaces = newest.get(&post).is_none_or(|known| {
                // The end of somebody's time says nothing about anybody else's.
                let other = one.said.kind == AppointmentKind::Ended && known.official != one.said.official;
                !known.is(one) && !known.outdates(&one.said) && !other
            });
            if replaces {
                let remembered = Remembered::of(one);
                tx.put(keys::appointment(post), &remembered);
                newest.insert(post, remembered);
            }
        }
        tx.commit().await?;
        // Whichever clock is later: a server that sets its own back brings no expired appointment to life.
        let now = self.server_now().max(self.platform().now());
        let verdict = |(claim, one): (&Claim<'_>, Option<Evidence>)| match one {
            Some(one) => verdict(claim, &one, newest.get(&claim.post), now),
            None => Standing::Unverified,
        };
        Ok(claims.iter().zip(believed).map(verdict).collect())
    }

    /// A judge who has looked for the signers that were unknown.
    async fn judge_signers(&self, signers: impl Iterator<Item = DeviceId>) -> Result<Judge, ClientError> {
        let judge = self.judge().await?;
        let unknown: BTreeSet<_> = signers.filter(|device| judge.known.device(*device).is_none()).collect();
        let mut records = Vec::new();
        for device in unknown.into_iter().take(MAX_SIGNERS) {
            records.extend(self.device_record(device).await?);
        }
        if records.is_empty() { Ok(judge) } else { self.admit(judge, records).await }
    }
}

/// The statement of a claim, if it can be read and says what is shown beside it.
fn evidence(claim: &Claim<'_>) -> Option<Evidence> {
    let shown = claim.appointment?;
    let signed = Signed::from_bytes(&shown.statement).ok()?;
    let Ok(Statement::Appointment(said)) = signed.statement() else { return None };
    let same = said.post == claim.post
        && (said.official, said.not_before, said.not_after) == (shown.official, shown.not_before, shown.not_after)
        && kind(said.kind) == shown.kind;
    same.then_some(Evidence { signed, said })
}

/// The verdict on a claim whose statement is signed.
fn verdict(claim: &Claim<'_>, one: &Evidence, newest: Option<&Remembered>, now: Millis) -> Standing {
    let said = &one.said;
    if said.kind == AppointmentKind::Ended || claim.holder != Some(said.official) {
        Standing::Unverified
    } else if newest.is_some_and(|known| !known.is(one) && known.outdates(said)) {
        Standing::Outdated
    } else if said.in_force(now) {
        Standing::Verified
    } else if now >= said.not_after {
        Standing::Expired
    } else {
        Standing::Unverified
    }
}

fn kind(kind: AppointmentKind) -> directory::AppointmentKind {
    match kind {
        AppointmentKind::Substantive => directory::AppointmentKind::Substantive,
        AppointmentKind::Acting => directory::AppointmentKind::Acting,
        AppointmentKind::Ended => directory::AppointmentKind::Ended,
    }
}

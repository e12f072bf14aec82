//! Posts change hands by what two administrators signed, and fall vacant when it is over.
//!
//! Identity verifies signatures and carries proposals out; its facts arrive here through the outbox, in commit order.

use super::Directory;
use crate::DirectoryError;
use crate::model::appointments::{Decision, decide, kind_text};
use crate::store::{appointments, officials, posts, search};
use pakawaaz_base::{Bytes, Millis, OfficialId, PostId};
use pakawaaz_contract::facts::AppointmentSigned;
use pakawaaz_storage::Tx;
use pakawaaz_trust::{Appointment, Signed, Statement};

/// Whoever changes holders takes this first, so that two of them cannot wait for each other.
const APPOINTMENTS_LOCK: i64 = 0x70616b_61707074;
/// Posts vacated in one transaction.
const EXPIRED_AT_ONCE: i64 = 64;

/// A time during which an official held a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Who.
    pub official: OfficialId,
    /// From.
    pub since: Millis,
    /// To; none = still.
    pub until: Option<Millis>,
}

impl Directory {
    /// Identity: two administrators have signed an appointment. Idempotent: a statement takes effect once.
    ///
    /// A fact cannot be refused, so a statement that changes nothing is answered in the audit log.
    pub async fn appointment_signed(&self, tx: &mut Tx, fact: &AppointmentSigned) -> Result<(), DirectoryError> {
        let Ok(Statement::Appointment(one)) = Signed::from_bytes(&fact.statement).and_then(|s| s.statement()) else {
            tracing::error!(proposal = %fact.proposal, "a fact without an appointment");
            return Ok(());
        };
        let now = self.clock.now();
        tx.lock(APPOINTMENTS_LOCK).await?;
        if appointments::known(tx.conn(), &one.id).await? {
            return Ok(());
        }
        // What has expired gives way first, so that the history has the true end.
        self.end_if_expired(tx, one.post, now).await?;
        let Some(post) = posts::stored(tx.conn(), one.post).await? else {
            return Self::refused(tx, fact, &one, "no_such_post", now).await;
        };
        if !officials::exists(tx.conn(), one.official).await? {
            return Self::refused(tx, fact, &one, "no_such_official", now).await;
        }
        let newest = appointments::newest(tx.conn(), one.post).await?;
        let decision = decide(&one, newest, post.holding, now);
        if let Decision::Refuse(reason) = decision {
            return Self::refused(tx, fact, &one, reason, now).await;
        }
        appointments::insert(tx.conn(), &one, &fact.statement, now).await?;
        posts::set_appointment(tx.conn(), one.post, &one.id).await?;
        if decision != Decision::Renew {
            posts::vacate(tx.conn(), one.post, now).await?;
        }
        if decision == Decision::Hold {
            posts::hold(tx.conn(), one.post, one.official, &one.id, now).await?;
        }
        for official in post.holding.into_iter().chain([one.official]) {
            search::refresh(tx.conn(), official, now).await?;
        }
        let to = (decision != Decision::Vacate).then_some(one.official);
        let detail = serde_json::json!({
            "from": post.holding, "to": to, "kind": kind_text(one.kind), "until": one.not_after,
            "proposal": fact.proposal, "appointment": Bytes(one.id.to_vec()),
        });
        Self::audit(tx, now, None, "directory.post_holder_changed", one.post.to_string(), detail).await
    }

    /// Vacates posts whose appointments are over, a few in each transaction. Returns how many.
    pub async fn end_expired(&self) -> Result<u64, DirectoryError> {
        let mut ended = 0;
        loop {
            let now = self.clock.now();
            let over = posts::expired(self.db.read().await?.conn(), now, EXPIRED_AT_ONCE).await?;
            if over.is_empty() {
                return Ok(ended);
            }
            let mut tx = self.db.begin().await?;
            tx.lock(APPOINTMENTS_LOCK).await?;
            for post in over {
                ended += u64::from(self.end_if_expired(&mut tx, post, now).await?);
            }
            tx.commit().await?;
        }
    }

    /// Who held a post, newest first. Errors: `PostNotFound`.
    pub async fn holdings(&self, post: PostId) -> Result<Vec<Holding>, DirectoryError> {
        let mut read = self.db.read().await?;
        posts::stored(read.conn(), post).await?.ok_or(DirectoryError::PostNotFound)?;
        posts::history(read.conn(), post).await
    }

    /// The signed statements that took effect on a post, newest first (`trust::Signed`).
    pub async fn appointments(&self, post: PostId) -> Result<Vec<Bytes>, DirectoryError> {
        appointments::of_post(self.db.read().await?.conn(), post).await
    }

    /// Closes the open holding of a post if nothing signed carries it at `now`. Whether it did.
    async fn end_if_expired(&self, tx: &mut Tx, post: PostId, now: Millis) -> Result<bool, DirectoryError> {
        let Some(stored) = posts::stored(tx.conn(), post).await? else { return Ok(false) };
        let Some(official) = stored.holding.filter(|_| stored.holder(now).is_none()) else { return Ok(false) };
        let at = stored.expired_at(now);
        posts::vacate(tx.conn(), post, at).await?;
        search::refresh(tx.conn(), official, now).await?;
        let detail = serde_json::json!({ "official": official, "at": at });
        Self::audit(tx, now, None, "directory.appointment_expired", post.to_string(), detail).await?;
        Ok(true)
    }

    async fn refused(
        tx: &mut Tx,
        fact: &AppointmentSigned,
        one: &Appointment,
        reason: &'static str,
        now: Millis,
    ) -> Result<(), DirectoryError> {
        let detail = serde_json::json!({ "official": one.official, "reason": reason, "proposal": fact.proposal });
        Self::audit(tx, now, None, "directory.appointment_without_effect", one.post.to_string(), detail).await
    }
}

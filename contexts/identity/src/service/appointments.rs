//! Appointments to posts: signed here like everything that needs two administrators, then told to the directory.

use super::Identity;
use super::proposals::check_time;
use crate::error::{Error, Result};
use crate::store::{accounts, revocations};
use pakawaaz_base::{Bytes, Millis, ProposalId};
use pakawaaz_contract::facts::AppointmentSigned;
use pakawaaz_storage::{Tx, outbox};
use pakawaaz_trust::{Appointment, AppointmentKind, Statement};
use std::collections::BTreeSet;

impl Identity {
    /// Carries out a verified appointment: once, and for somebody who may still act for a post. Whether the post exists
    /// is the directory's knowledge; it answers a fact about no post of its own in the audit log.
    pub(super) async fn execute_appointment(
        &self,
        tx: &mut Tx,
        proposal: ProposalId,
        appointment: &Appointment,
        bytes: Vec<u8>,
        now: Millis,
    ) -> Result<()> {
        check_appointment(tx, appointment, now).await?;
        if !revocations::note_statement(tx.conn(), &appointment.id, &bytes, now).await? {
            return Err(Error::Conflict("appointment"));
        }
        let fact = AppointmentSigned { proposal, statement: Bytes(bytes), at: now };
        outbox::append(tx, AppointmentSigned::KIND, &fact, now)?;
        Ok(())
    }
}

/// Refuses what could never take effect, when proposed and again when carried out.
pub(super) async fn check_appointment(tx: &mut Tx, appointment: &Appointment, now: Millis) -> Result<()> {
    appointment.check_times()?;
    check_time(appointment.at, now)?;
    let account = accounts::get(tx.conn(), appointment.official).await?.ok_or(Error::NotFound("official"))?;
    if appointment.kind == AppointmentKind::Ended {
        return check_time(appointment.not_before, now);
    }
    if account.revoked {
        return Err(Error::ProposalInvalid("the official is revoked"));
    }
    if appointment.not_after <= now {
        return Err(Error::ProposalInvalid("the appointment has ended already"));
    }
    if !appointment.in_force(now) {
        return Err(Error::ProposalInvalid("an appointment cannot begin in the future"));
    }
    Ok(())
}

/// Two appointments to one post in one proposal would take effect in an order that nobody signed.
pub(super) fn distinct_posts(statements: &[Statement]) -> Result<()> {
    let mut posts = BTreeSet::new();
    for statement in statements {
        if let Statement::Appointment(appointment) = statement
            && !posts.insert(appointment.post)
        {
            return Err(Error::ProposalInvalid("two statements are about the same post"));
        }
    }
    Ok(())
}

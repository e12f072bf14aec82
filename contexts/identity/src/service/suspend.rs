//! Cutting off at once, by one administrator; reversible, and visibly by the server alone.

use super::Identity;
use super::cut::{Cut, activated};
use crate::error::{Error, Result};
use crate::model::dual_control::QUORUM;
use crate::store::{accounts, devices, roles, sims};
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Actor, Role};
use pakawaaz_contract::admin::Subject;
use pakawaaz_contract::identity::DeviceStatus;

/// Key of the lock under which administrators are counted.
const ADMINISTRATORS: i64 = 0x6164_6d69_6e73;

impl Identity {
    /// Suspends an official, a device or a SIM. Doing it twice changes nothing.
    ///
    /// Needs an administrator; a SIM manager may suspend SIMs. Nobody can suspend themselves (a slip would need a
    /// second administrator to undo), and no single person can leave fewer than two administrators who can act: one
    /// who suspends all the others could never be stopped.
    ///
    /// Errors: [`Error::LastAdministrators`].
    pub async fn suspend(&self, actor: &Actor, subject: Subject) -> Result<()> {
        self.may_suspend(actor, subject)?;
        let now = self.now();
        let mut cut = Cut::default();
        let mut tx = self.db().begin().await?;
        // On PostgreSQL two suspensions at the same moment must see each other.
        tx.lock(ADMINISTRATORS).await?;
        let able = roles::able_administrators(tx.conn()).await?;
        let changed = match subject {
            Subject::Official(official) => {
                if official == actor.official {
                    return Err(Error::Forbidden);
                }
                accounts::get(tx.conn(), official).await?.ok_or(Error::NotFound("official"))?;
                let changed = accounts::set_suspended(tx.conn(), official, true).await?;
                if changed {
                    cut.official(&mut tx, official, None, "suspended", now).await?;
                }
                changed
            }
            Subject::Device(id) => {
                if id == actor.device {
                    return Err(Error::Forbidden);
                }
                let device = devices::get(tx.conn(), id).await?.ok_or(Error::NotFound("device"))?;
                let changed = devices::set_suspended(tx.conn(), id, true).await?;
                if changed && device.status != DeviceStatus::Revoked {
                    cut.device(&mut tx, &device, None, "suspended", now).await?;
                }
                changed
            }
            Subject::Sim(id) => {
                sims::get(tx.conn(), id).await?.ok_or(Error::NotFound("sim"))?;
                let changed = sims::set_suspended(tx.conn(), id, true).await?;
                if changed {
                    cut.sim(&mut tx, id, None, "suspended", now).await?;
                }
                changed
            }
        };
        let left = roles::able_administrators(tx.conn()).await?;
        if left < able && left < QUORUM as i64 {
            return Err(Error::LastAdministrators); // dropping the transaction undoes it
        }
        if changed {
            let (kind, id) = describe(subject);
            let detail = serde_json::json!({ "kind": kind });
            self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.suspended", id, detail, now).await?;
        }
        cut.commit(self, tx, now).await
    }

    /// Lifts a suspension. Sessions stay ended; what was revoked stays revoked.
    pub async fn unsuspend(&self, actor: &Actor, subject: Subject) -> Result<()> {
        self.may_suspend(actor, subject)?;
        let now = self.now();
        let mut tx = self.db().begin().await?;
        let changed = match subject {
            Subject::Official(official) => {
                accounts::get(tx.conn(), official).await?.ok_or(Error::NotFound("official"))?;
                let changed = accounts::set_suspended(tx.conn(), official, false).await?;
                if changed {
                    for device in devices::of_official(tx.conn(), official).await?.iter().filter(|d| d.active()) {
                        activated(&mut tx, device, now)?;
                    }
                }
                changed
            }
            Subject::Device(id) => {
                devices::get(tx.conn(), id).await?.ok_or(Error::NotFound("device"))?;
                let changed = devices::set_suspended(tx.conn(), id, false).await?;
                let device = devices::get(tx.conn(), id).await?.ok_or(Error::NotFound("device"))?;
                let usable = accounts::get(tx.conn(), device.official).await?.is_some_and(|a| a.usable());
                if changed && device.active() && usable {
                    activated(&mut tx, &device, now)?;
                }
                changed
            }
            Subject::Sim(id) => {
                sims::get(tx.conn(), id).await?.ok_or(Error::NotFound("sim"))?;
                sims::set_suspended(tx.conn(), id, false).await?
            }
        };
        if changed {
            let (kind, id) = describe(subject);
            let detail = serde_json::json!({ "kind": kind });
            self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.unsuspended", id, detail, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    fn may_suspend(&self, actor: &Actor, subject: Subject) -> Result<()> {
        let role = match subject {
            Subject::Sim(_) => Role::SimManager,
            Subject::Official(_) | Subject::Device(_) => Role::Administrator,
        };
        if actor.has(role) { Ok(()) } else { Err(Error::Forbidden) }
    }
}

fn describe(subject: Subject) -> (&'static str, String) {
    match subject {
        Subject::Official(id) => ("official", id.to_string()),
        Subject::Device(id) => ("device", id.to_string()),
        Subject::Sim(id) => ("sim", id.to_string()),
    }
}

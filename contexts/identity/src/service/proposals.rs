//! Dual control: an act signed by two administrators' device keys, carried out with the second signature.

use super::Identity;
use super::appointments::{check_appointment, distinct_posts};
use super::cut::Cut;
use crate::error::{Error, Result};
use crate::model::dual_control::{MAX_OPEN, MAX_STATEMENTS, OPEN_FOR, QUORUM, belongs, kind_text};
use crate::store::roles::Signers;
use crate::store::{accounts, devices, grants, proposals, revocations, roles, sims};
use pakawaaz_audit::AuditActor;
use pakawaaz_base::{Actor, DeviceId, Millis, OfficialId, ProposalId, Role};
use pakawaaz_contract::admin::{ApproveRequest, Proposal, ProposalList, ProposalRequest, ProposalStatus};
use pakawaaz_storage::Tx;
use pakawaaz_trust::verify_role_change;
use pakawaaz_trust::x509::CLOCK_SKEW;
use pakawaaz_trust::{AdminLookup, Grant, GrantKind, Revocation, RoleChange, Signature, Signed, Signer};
use pakawaaz_trust::{Statement, Subject, count_administrators, verify_appointment, verify_grant, verify_revocation};
use rand::rngs::OsRng;
use std::collections::BTreeSet;
use std::time::Duration;

/// Longest life of an unused voucher.
const VOUCHER_LASTS: Duration = Duration::from_secs(90 * 24 * 3600);

impl Identity {
    /// Proposes an act; the statements carry the caller's signature already.
    pub async fn propose(&self, actor: &Actor, request: &ProposalRequest) -> Result<Proposal> {
        only_administrators(actor)?;
        let now = self.now();
        if request.statements.is_empty() || request.statements.len() > MAX_STATEMENTS {
            return Err(Error::ProposalInvalid("it must hold 1 to 256 statements"));
        }
        let mut tx = self.db().begin().await?;
        let signers = roles::signers(tx.conn(), [actor.device]).await?;
        let known = signers.admin(actor.device).filter(|a| a.valid).ok_or(Error::Forbidden)?;
        if proposals::open_of(tx.conn(), actor.official).await? >= MAX_OPEN {
            return Err(Error::ProposalInvalid("you have too many open proposals; withdraw some"));
        }
        let (mut stored, mut payloads, mut statements) = (Vec::new(), BTreeSet::new(), Vec::new());
        for bytes in &request.statements {
            let signed = Signed::from_bytes(bytes)?;
            let statement = signed.statement()?;
            if !belongs(request.kind, &statement) {
                return Err(Error::ProposalInvalid("a statement is of another kind"));
            }
            if !payloads.insert(signed.payload_hash()) {
                return Err(Error::ProposalInvalid("a statement is in it twice"));
            }
            // Exactly the proposer's signature: others are added by `approve`, by their makers.
            if signed.signatures.len() != 1 {
                return Err(Error::ProposalInvalid("a statement must carry the proposer's signature and no other"));
            }
            signed.verify_device(actor.device, &known.key)?;
            self.check_statement(&mut tx, &statement, now).await?;
            stored.push(signed.to_bytes()?);
            statements.push(statement);
        }
        distinct_posts(&statements)?;
        let id = ProposalId::new(now, &mut OsRng);
        let expires_at = now.plus(OPEN_FOR);
        proposals::insert(tx.conn(), id, request.kind, actor.official, &stored, now, expires_at).await?;
        proposals::add_signer(tx.conn(), id, actor.official, actor.device, now).await?;
        let detail = serde_json::json!({ "kind": kind_text(request.kind), "statements": stored.len() });
        self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.proposed", id.to_string(), detail, now).await?;
        let proposal = proposals::get_for_update(tx.conn(), self.db().engine(), id).await?;
        let proposal = proposal.ok_or(Error::Damaged("proposal"))?.proposal;
        tx.commit().await?;
        Ok(proposal)
    }

    /// Proposals, newest first.
    pub async fn proposals(&self, actor: &Actor, status: Option<ProposalStatus>) -> Result<ProposalList> {
        only_administrators(actor)?;
        let mut read = self.db().read().await?;
        Ok(ProposalList { proposals: proposals::list(read.conn(), status).await? })
    }

    /// Adds the caller's signatures; with two distinct administrators the act is carried out at once.
    ///
    /// Errors: [`Error::SecondAdministratorNeeded`] when the caller has signed before.
    pub async fn approve(&self, actor: &Actor, id: ProposalId, request: &ApproveRequest) -> Result<Proposal> {
        only_administrators(actor)?;
        let now = self.now();
        let mut tx = self.db().begin().await?;
        let stored = self.open_proposal(&mut tx, id, now).await?;
        let proposal = stored.proposal;
        if request.signatures.len() != proposal.statements.len() {
            return Err(Error::ProposalInvalid("one signature is needed for each statement"));
        }
        let known = roles::signers(tx.conn(), [actor.device]).await?;
        let known = known.admin(actor.device).filter(|a| a.valid).ok_or(Error::Forbidden)?;
        if !proposals::add_signer(tx.conn(), id, actor.official, actor.device, now).await? {
            return Err(Error::SecondAdministratorNeeded);
        }
        let mut statements = Vec::with_capacity(proposal.statements.len());
        let pairs = proposal.statements.iter().zip(&request.signatures);
        for (position, (bytes, signature)) in pairs.enumerate() {
            let mut signed = Signed::from_bytes(bytes)?;
            signed.add(Signature { signer: Signer::Device(actor.device), signature: signature.clone() })?;
            signed.verify_device(actor.device, &known.key)?;
            proposals::set_statement(tx.conn(), id, position, &signed.to_bytes()?).await?;
            statements.push(signed);
        }
        let named: Vec<DeviceId> = statements.iter().flat_map(Signed::device_signers).collect();
        let signers = roles::signers(tx.conn(), named).await?;
        // Who signed earlier may be no administrator any more: then another one has to sign.
        let enough = statements.iter().all(|s| count_administrators(s, &signers) >= QUORUM);
        let mut cut = Cut::default();
        if enough {
            for signed in &statements {
                self.execute(&mut tx, &mut cut, id, signed, &signers, now).await?;
            }
            proposals::close(tx.conn(), id, ProposalStatus::Executed, now).await?;
        }
        let by: Vec<OfficialId> = proposal.approved_by.iter().copied().chain([proposal.proposed_by]).collect();
        let action = if enough { "identity.proposal_executed" } else { "identity.proposal_signed" };
        let detail = serde_json::json!({
            "kind": kind_text(proposal.kind), "signed_before_by": by, "statements": audit_view(&statements),
        });
        self.audit(&mut tx, Some(AuditActor::from(actor)), action, id.to_string(), detail, now).await?;
        let done = proposals::get_for_update(tx.conn(), self.db().engine(), id).await?;
        let done = done.ok_or(Error::Damaged("proposal"))?.proposal;
        cut.commit(self, tx, now).await?;
        Ok(done)
    }

    /// Withdraws or refuses an open proposal; any administrator may.
    pub async fn withdraw(&self, actor: &Actor, id: ProposalId) -> Result<()> {
        only_administrators(actor)?;
        let now = self.now();
        let mut tx = self.db().begin().await?;
        self.open_proposal(&mut tx, id, now).await?;
        proposals::close(tx.conn(), id, ProposalStatus::Withdrawn, now).await?;
        let none = serde_json::json!({});
        self.audit(&mut tx, Some(AuditActor::from(actor)), "identity.proposal_withdrawn", id.to_string(), none, now)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn open_proposal(&self, tx: &mut Tx, id: ProposalId, now: Millis) -> Result<proposals::Stored> {
        let engine = self.db().engine();
        let stored = proposals::get_for_update(tx.conn(), engine, id).await?.ok_or(Error::NotFound("proposal"))?;
        if stored.proposal.status != ProposalStatus::Open || stored.expires_at <= now {
            return Err(Error::Conflict("proposal"));
        }
        Ok(stored)
    }

    /// Refuses early what could not be carried out later.
    async fn check_statement(&self, tx: &mut Tx, statement: &Statement, now: Millis) -> Result<()> {
        if statement.realm() != self.realm() {
            return Err(Error::ProposalInvalid("a statement is for another realm"));
        }
        match statement {
            Statement::Grant(grant) => self.check_grant(tx, grant, now).await,
            Statement::Revocation(revocation) => check_time(revocation.at, now),
            Statement::RoleChange(change) => check_time(change.at, now),
            Statement::Appointment(appointment) => check_appointment(tx, appointment, now).await,
            _ => Err(Error::ProposalInvalid("a statement is of another kind")),
        }
    }

    async fn check_grant(&self, tx: &mut Tx, grant: &Grant, now: Millis) -> Result<()> {
        let account = accounts::get(tx.conn(), grant.official).await?.ok_or(Error::NotFound("official"))?;
        if account.revoked {
            return Err(Error::ProposalInvalid("the official is revoked"));
        }
        check_time(grant.issued_at, now)?;
        if grant.not_after <= now || grant.not_after > now.plus(VOUCHER_LASTS) {
            return Err(Error::ProposalInvalid("a voucher must end within 90 days"));
        }
        let has_password = account.password_file.is_some();
        match grant.kind {
            GrantKind::First if has_password => {
                Err(Error::ProposalInvalid("the official has enrolled before: use an additional or recovery grant"))
            }
            GrantKind::Additional | GrantKind::Password if !has_password => {
                Err(Error::ProposalInvalid("the official has never enrolled: use a first grant"))
            }
            _ => Ok(()),
        }
    }

    async fn execute(
        &self,
        tx: &mut Tx,
        cut: &mut Cut,
        proposal: ProposalId,
        signed: &Signed,
        signers: &Signers,
        now: Millis,
    ) -> Result<()> {
        let bytes = signed.to_bytes()?;
        match signed.statement()? {
            Statement::Grant(_) => {
                let grant = verify_grant(signed, signers, self.anchors())?;
                self.check_grant(tx, &grant, now).await?;
                if !grants::insert(tx.conn(), &grant, &bytes, now).await? {
                    return Err(Error::Conflict("voucher"));
                }
                if grant.administrator && roles::grant(tx.conn(), grant.official, Role::Administrator, now).await? {
                    cut.roles(grant.official);
                }
                Ok(())
            }
            Statement::Revocation(_) => {
                let revocation = verify_revocation(signed, signers, self.anchors())?;
                self.execute_revocation(tx, cut, &revocation, &bytes, now).await
            }
            Statement::RoleChange(_) => {
                let change = verify_role_change(signed, signers, self.anchors())?;
                self.execute_role_change(tx, cut, &change, &bytes, now).await
            }
            Statement::Appointment(_) => {
                let appointment = verify_appointment(signed, signers, self.anchors())?;
                self.execute_appointment(tx, proposal, &appointment, bytes, now).await
            }
            _ => Err(Error::ProposalInvalid("a statement is of another kind")),
        }
    }

    async fn execute_revocation(
        &self,
        tx: &mut Tx,
        cut: &mut Cut,
        revocation: &Revocation,
        bytes: &[u8],
        now: Millis,
    ) -> Result<()> {
        if !revocations::note_statement(tx.conn(), &revocation.id, bytes, now).await? {
            return Err(Error::Conflict("revocation"));
        }
        match revocation.subject {
            Subject::Official(official) => {
                if !accounts::revoke(tx.conn(), official).await? {
                    return Err(Error::NotFound("official"));
                }
                let had_roles = roles::withdraw_all(tx.conn(), official).await?;
                cut.official(tx, official, Some(bytes), "revoked", now).await?;
                if had_roles {
                    cut.roles(official);
                    enough_administrators(tx).await?;
                }
            }
            Subject::Device(id) => {
                let device = devices::get(tx.conn(), id).await?.ok_or(Error::NotFound("device"))?;
                if !devices::revoke(tx.conn(), id, bytes).await? {
                    return Err(Error::Conflict("device"));
                }
                cut.device(tx, &device, Some(bytes), "revoked", now).await?;
            }
            Subject::Sim(id) => {
                if !sims::revoke(tx.conn(), id).await? {
                    return Err(Error::NotFound("sim"));
                }
                cut.sim(tx, id, Some(bytes), "revoked", now).await?;
            }
            Subject::Administrator(official) => {
                if !roles::withdraw(tx.conn(), official, Role::Administrator).await? {
                    return Err(Error::Conflict("role"));
                }
                cut.roles(official);
                enough_administrators(tx).await?;
            }
        }
        Ok(())
    }

    async fn execute_role_change(
        &self,
        tx: &mut Tx,
        cut: &mut Cut,
        change: &RoleChange,
        bytes: &[u8],
        now: Millis,
    ) -> Result<()> {
        if !revocations::note_statement(tx.conn(), &change.id, bytes, now).await? {
            return Err(Error::Conflict("role change"));
        }
        let account = accounts::get(tx.conn(), change.official).await?.ok_or(Error::NotFound("official"))?;
        if change.granted {
            if account.revoked {
                return Err(Error::ProposalInvalid("the official is revoked"));
            }
            roles::grant(tx.conn(), change.official, change.role, now).await?;
        } else {
            roles::withdraw(tx.conn(), change.official, change.role).await?;
            if change.role == Role::Administrator {
                enough_administrators(tx).await?;
            }
        }
        cut.roles(change.official);
        Ok(())
    }

    /// An official's own device is revoked by another of theirs; see `revoke_device.rs`.
    pub(super) async fn revoke_with_statement(
        &self,
        tx: &mut Tx,
        cut: &mut Cut,
        revocation: &Revocation,
        bytes: &[u8],
        now: Millis,
    ) -> Result<()> {
        check_time(revocation.at, now)?;
        self.execute_revocation(tx, cut, revocation, bytes, now).await
    }
}

fn only_administrators(actor: &Actor) -> Result<()> {
    if actor.has(Role::Administrator) { Ok(()) } else { Err(Error::Forbidden) }
}

/// Fewer than two administrators could never sign anything again.
async fn enough_administrators(tx: &mut Tx) -> Result<()> {
    let left = roles::administrators(tx.conn()).await?;
    if left < QUORUM as i64 { Err(Error::ProposalInvalid("two administrators must remain")) } else { Ok(()) }
}

/// Nobody signs for the future.
pub(super) fn check_time(at: Millis, now: Millis) -> Result<()> {
    if at > now.plus(CLOCK_SKEW) { Err(Error::ClockSkew) } else { Ok(()) }
}

/// The statements in words for the audit log: kinds and ids only. The first 50; all of them are in the proposal.
fn audit_view(statements: &[Signed]) -> Vec<serde_json::Value> {
    let view = |statement| match statement {
        Statement::Grant(g) => serde_json::json!({
            "grant": g.kind, "official": g.official, "voucher": g.voucher, "administrator": g.administrator,
        }),
        Statement::Revocation(r) => serde_json::json!({ "revoked": r.subject, "reason": r.reason }),
        Statement::RoleChange(c) => {
            serde_json::json!({ "official": c.official, "role": c.role, "granted": c.granted })
        }
        Statement::Appointment(a) => serde_json::json!({
            "post": a.post, "official": a.official, "appointment": a.kind, "until": a.not_after,
        }),
        _ => serde_json::Value::Null,
    };
    statements.iter().take(50).filter_map(|s| s.statement().ok()).map(view).collect()
}

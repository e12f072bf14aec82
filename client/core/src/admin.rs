//! Administration: statements under dual control and thin wrappers of the admin endpoints.

use crate::http::{json, request};
use crate::transport::Method;
use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{Millis, OfficialId, PostId, ProposalId, Role, VoucherId};
use pakawaaz_contract::admin::{
    AccountRecord, ApproveRequest, AuditPage, PersonaliseRequest, PersonaliseResponse, Proposal, ProposalKind,
    ProposalList, ProposalRequest, ProposalStatus, SimImportResponse, SimList, Subject, SuciKeyList, SuciKeyRecord,
    SuciKeyRequest, SuspendRequest,
};
use pakawaaz_contract::directory::{
    CreateOfficialRequest, CreatePostRequest, CreateUnitRequest, Official, OrgUnit, Post,
};
use pakawaaz_trust::{
    Appointment, AppointmentKind, DeviceSigner as _, Grant, GrantKind, Revocation, RoleChange, SignLabel, Signed,
    Statement, Voucher, VoucherKey, spki_hash,
};
use rand_core::RngCore as _;
use std::time::Duration;

/// How long an appointment lasts when nobody says otherwise.
pub const APPOINTMENT_LASTS: Duration = Duration::from_secs(3 * 365 * 24 * 3600);

/// A voucher that was proposed: hand it over only after the second administrator approved.
#[derive(Clone, Debug)]
pub struct NewVoucher {
    /// For whom.
    pub official: OfficialId,
    /// The voucher with its secret.
    pub voucher: Voucher,
}

/// An appointment to propose.
#[derive(Clone, Copy, Debug)]
pub struct NewAppointment {
    /// To which post.
    pub post: PostId,
    /// Who; whoever held the post holds it no longer. With [`AppointmentKind::Ended`] whose time ends.
    pub official: OfficialId,
    /// How.
    pub kind: AppointmentKind,
    /// Until when; none = [`APPOINTMENT_LASTS`] from now. Without meaning for an end.
    pub not_after: Option<Millis>,
}

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Makes one voucher for each official, signs the grants and proposes them.
    ///
    /// # Errors
    /// [`ClientError::Refused`], [`ClientError::LoginRequired`].
    pub async fn propose_vouchers(
        &self,
        officials: &[OfficialId],
        kind: GrantKind,
        administrator: bool,
        not_after: Millis,
    ) -> Result<(Proposal, Vec<NewVoucher>), ClientError> {
        let profile = self.profile().await?;
        let now = self.server_now();
        let mut statements = Vec::with_capacity(officials.len());
        let mut vouchers = Vec::with_capacity(officials.len());
        for official in officials.iter().copied() {
            let seed = VoucherKey::new_seed(&mut self.db.rng());
            let voucher = Voucher {
                url: profile.origin.clone(),
                realm: profile.anchors.realm.clone(),
                ca_pin: spki_hash(&profile.anchors.root_key)?,
                voucher: VoucherId::new(now, &mut self.db.rng()),
                kind,
                seed: *seed,
                not_after,
            };
            statements.push(Statement::Grant(Grant {
                realm: profile.anchors.realm.clone(),
                voucher: voucher.voucher,
                voucher_key: voucher.key().public_key(),
                official,
                kind,
                administrator,
                issued_at: now,
                not_after,
            }));
            vouchers.push(NewVoucher { official, voucher });
        }
        let proposal = self.propose(ProposalKind::Grants, &statements).await?;
        Ok((proposal, vouchers))
    }
    /// Signs revocations and proposes them.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn propose_revocations(
        &self,
        subjects: &[pakawaaz_trust::Subject],
        reason: u8,
    ) -> Result<Proposal, ClientError> {
        let profile = self.profile().await?;
        let at = self.server_now();
        let statement = |subject: &pakawaaz_trust::Subject| {
            let mut id = [0u8; 16];
            self.db.rng().fill_bytes(&mut id);
            let realm = profile.anchors.realm.clone();
            Statement::Revocation(Revocation { realm, id, subject: *subject, at, reason })
        };
        let statements: Vec<_> = subjects.iter().map(statement).collect();
        self.propose(ProposalKind::Revocations, &statements).await
    }
    /// Signs role changes and proposes them.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn propose_roles(&self, changes: &[(OfficialId, Role, bool)]) -> Result<Proposal, ClientError> {
        let profile = self.profile().await?;
        let at = self.server_now();
        let statement = |(official, role, granted): &(OfficialId, Role, bool)| {
            let mut id = [0u8; 16];
            self.db.rng().fill_bytes(&mut id);
            let realm = profile.anchors.realm.clone();
            Statement::RoleChange(RoleChange { realm, id, official: *official, role: *role, granted: *granted, at })
        };
        let statements: Vec<_> = changes.iter().map(statement).collect();
        self.propose(ProposalKind::Roles, &statements).await
    }
    /// Signs appointments to posts, or their ends, and proposes them; at most 256 at a time, each to another post.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`]; [`ClientError::Trust`] for one that ends before it begins or lasts too long.
    pub async fn propose_appointments(&self, appointments: &[NewAppointment]) -> Result<Proposal, ClientError> {
        let profile = self.profile().await?;
        let at = self.server_now();
        let mut statements = Vec::with_capacity(appointments.len());
        for new in appointments {
            let mut id = [0u8; 16];
            self.db.rng().fill_bytes(&mut id);
            let not_after = match new.kind {
                AppointmentKind::Ended => at,
                _ => new.not_after.unwrap_or_else(|| at.plus(APPOINTMENT_LASTS)),
            };
            let appointment = Appointment {
                realm: profile.anchors.realm.clone(),
                id,
                post: new.post,
                official: new.official,
                kind: new.kind,
                not_before: at,
                not_after,
                at,
            };
            appointment.check_times()?;
            statements.push(Statement::Appointment(appointment));
        }
        self.propose(ProposalKind::Appointments, &statements).await
    }
    /// Proposals, newest first.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn proposals(&self, status: Option<ProposalStatus>) -> Result<Vec<Proposal>, ClientError> {
        let status = match status {
            None => "",
            Some(ProposalStatus::Open) => "?status=open",
            Some(ProposalStatus::Executed) => "?status=executed",
            Some(ProposalStatus::Withdrawn) => "?status=withdrawn",
            Some(ProposalStatus::Expired) => "?status=expired",
        };
        let list: ProposalList = self.get(&format!("/v1/admin/proposals{status}")).await?;
        Ok(list.proposals)
    }
    /// Fetches another administrator's proposal and signs every statement of it, for programs: whoever shows it to a
    /// person first calls [`Client::approve`], or the server could show one proposal and have another signed.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn approve_proposal(&self, proposal: ProposalId) -> Result<Proposal, ClientError> {
        let found = self.proposals(Some(ProposalStatus::Open)).await?.into_iter().find(|p| p.proposal == proposal);
        let found = found.ok_or(ClientError::Refused {
            code: "client.no_such_proposal".into(),
            status: 404,
            retry_after_ms: None,
        })?;
        self.approve(&found).await
    }
    /// Signs every statement of a proposal exactly as given, so that what was shown is what is signed.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn approve(&self, shown: &Proposal) -> Result<Proposal, ClientError> {
        let profile = self.profile().await?;
        let signer = profile.signer()?;
        let mut signatures = Vec::with_capacity(shown.statements.len());
        for statement in &shown.statements {
            let signed = Signed::from_bytes(statement)?;
            if signed.statement()?.realm() != profile.anchors.realm {
                return Err(ClientError::Trust(pakawaaz_trust::TrustError::WrongRealm));
            }
            signatures.push(signer.sign(SignLabel::Statement, &signed.payload).into());
        }
        self.post(&format!("/v1/admin/proposals/{}/approve", shown.proposal), &ApproveRequest { signatures }).await
    }
    /// Withdraws an own proposal or refuses another's.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn withdraw_proposal(&self, proposal: ProposalId) -> Result<(), ClientError> {
        self.authorised(request(Method::Post, &format!("/v1/admin/proposals/{proposal}/withdraw"))).await.map(drop)
    }
    async fn propose(&self, kind: ProposalKind, statements: &[Statement]) -> Result<Proposal, ClientError> {
        let profile = self.profile().await?;
        let signer = profile.signer()?;
        let mut signed = Vec::with_capacity(statements.len());
        for statement in statements {
            let mut one = Signed::new(statement)?;
            one.sign_device(profile.device, &signer)?;
            signed.push(one.to_bytes()?.into());
        }
        self.post("/v1/admin/proposals", &ProposalRequest { kind, statements: signed }).await
    }
    /// Suspends at once, by the server only.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn suspend(&self, subject: Subject) -> Result<(), ClientError> {
        self.post_empty("/v1/admin/suspend", &SuspendRequest { subject }).await
    }
    /// Ends a suspension.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn unsuspend(&self, subject: Subject) -> Result<(), ClientError> {
        self.post_empty("/v1/admin/unsuspend", &SuspendRequest { subject }).await
    }
    /// Imports a SIM batch (CSV); all rows or none.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`]; the server's code and detail name the bad row.
    pub async fn import_sims(&self, csv: &[u8]) -> Result<SimImportResponse, ClientError> {
        let mut http = request(Method::Post, "/v1/admin/sims/import");
        http.headers.push(("content-type".into(), "text/csv".into()));
        http.body = csv.to_vec();
        json(self.authorised(http).await?)
    }
    /// Makes new cards; the answer's files are kept nowhere else.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn personalise_sims(&self, request: &PersonaliseRequest) -> Result<PersonaliseResponse, ClientError> {
        self.post("/v1/admin/sims/personalise", request).await
    }
    /// The files of a batch of new cards are safe here; the server need not keep them any longer.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn sims_received(&self, batch: &str) -> Result<(), ClientError> {
        self.post_empty(&format!("/v1/admin/sims/personalise/{batch}/received"), &()).await
    }
    /// SIMs, without secrets.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn sims(&self) -> Result<SimList, ClientError> {
        self.get("/v1/admin/sims").await
    }
    /// Keys with which cards conceal their identity on the air: their public halves.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn suci_keys(&self) -> Result<SuciKeyList, ClientError> {
        self.get("/v1/admin/suci-keys").await
    }
    /// Makes such a key of scheme `a` or `b`.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn make_suci_key(&self, scheme: &str) -> Result<SuciKeyRecord, ClientError> {
        self.post("/v1/admin/suci-keys", &SuciKeyRequest { scheme: scheme.to_owned() }).await
    }
    /// New cards do not get this key any more.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn retire_suci_key(&self, number: u8) -> Result<(), ClientError> {
        self.post_empty(&format!("/v1/admin/suci-keys/{number}/retire"), &()).await
    }
    /// The login side of an official.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn account(&self, official: OfficialId) -> Result<AccountRecord, ClientError> {
        self.get(&format!("/v1/admin/accounts/{official}")).await
    }
    /// Administrative acts after position `after`.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn audit(&self, after: i64, limit: u32) -> Result<AuditPage, ClientError> {
        self.get(&format!("/v1/admin/audit?after={after}&limit={limit}")).await
    }
    /// Creates a unit.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn create_unit(&self, request: &CreateUnitRequest) -> Result<OrgUnit, ClientError> {
        self.post("/v1/admin/units", request).await
    }
    /// Creates a post.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn create_post(&self, request: &CreatePostRequest) -> Result<Post, ClientError> {
        self.post("/v1/admin/posts", request).await
    }
    /// Creates an official.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn create_official(&self, request: &CreateOfficialRequest) -> Result<Official, ClientError> {
        self.post("/v1/admin/officials", request).await
    }
}

//! Administration: statements under dual control and thin wrappers of the admin endpoints.

use crate::{Client, ClientError, Platform, Store, Transport};
use pakawaaz_base::{Bytes, Millis, OfficialId, ProposalId, Role};
use pakawaaz_contract::admin::{
    AccountRecord, AuditPage, Proposal, ProposalStatus, SimImportResponse, SimList, Subject,
};
use pakawaaz_contract::directory::{
    AppointRequest, CreateOfficialRequest, CreatePostRequest, CreateUnitRequest, Official, OrgUnit, Post,
};
use pakawaaz_trust::{GrantKind, Voucher};

/// A voucher that was proposed: hand it over only after the second administrator approved.
#[derive(Clone, Debug)]
pub struct NewVoucher {
    /// For whom.
    pub official: OfficialId,
    /// The voucher with its secret.
    pub voucher: Voucher,
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
        let _ = (officials, kind, administrator, not_after);
        Err(ClientError::LoginRequired)
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
        let _ = (subjects, reason);
        Err(ClientError::LoginRequired)
    }
    /// Signs role changes and proposes them.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn propose_roles(&self, changes: &[(OfficialId, Role, bool)]) -> Result<Proposal, ClientError> {
        let _ = changes;
        Err(ClientError::LoginRequired)
    }
    /// Proposals, newest first.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn proposals(&self, status: Option<ProposalStatus>) -> Result<Vec<Proposal>, ClientError> {
        let _ = status;
        Err(ClientError::LoginRequired)
    }
    /// Signs every statement of another administrator's proposal. The caller has shown them to the administrator.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn approve_proposal(&self, proposal: ProposalId) -> Result<Proposal, ClientError> {
        let _ = proposal;
        Err(ClientError::LoginRequired)
    }
    /// Suspends at once, by the server only.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn suspend(&self, subject: Subject) -> Result<(), ClientError> {
        let _ = subject;
        Err(ClientError::LoginRequired)
    }
    /// Ends a suspension.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn unsuspend(&self, subject: Subject) -> Result<(), ClientError> {
        let _ = subject;
        Err(ClientError::LoginRequired)
    }
    /// Imports a SIM batch (CSV); all rows or none.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`]; the server's code and detail name the bad row.
    pub async fn import_sims(&self, csv: &[u8]) -> Result<SimImportResponse, ClientError> {
        let _ = csv;
        Err(ClientError::LoginRequired)
    }
    /// SIMs, without secrets.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn sims(&self) -> Result<SimList, ClientError> {
        Err(ClientError::LoginRequired)
    }
    /// The login side of an official.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn account(&self, official: OfficialId) -> Result<AccountRecord, ClientError> {
        let _ = official;
        Err(ClientError::LoginRequired)
    }
    /// Administrative acts after position `after`.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn audit(&self, after: i64, limit: u32) -> Result<AuditPage, ClientError> {
        let _ = (after, limit);
        Err(ClientError::LoginRequired)
    }
    /// Creates a unit.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn create_unit(&self, request: &CreateUnitRequest) -> Result<OrgUnit, ClientError> {
        let _ = request;
        Err(ClientError::LoginRequired)
    }
    /// Creates a post.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn create_post(&self, request: &CreatePostRequest) -> Result<Post, ClientError> {
        let _ = request;
        Err(ClientError::LoginRequired)
    }
    /// Appoints, replaces or removes the holder of a post.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn appoint(&self, post: pakawaaz_base::PostId, request: &AppointRequest) -> Result<Post, ClientError> {
        let _ = (post, request);
        Err(ClientError::LoginRequired)
    }
    /// Creates an official.
    ///
    /// # Errors
    /// As [`Client::propose_vouchers`].
    pub async fn create_official(&self, request: &CreateOfficialRequest) -> Result<Official, ClientError> {
        let _: Option<Bytes> = None;
        let _ = request;
        Err(ClientError::LoginRequired)
    }
}

//! Administration: proposals under dual control, SIM batches, suspension, roles, audit.

use pakawaaz_base::{AuditId, Bytes, DeviceId, Millis, OfficialId, ProposalId, Role, SimId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a proposal does once enough administrators have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalKind {
    /// Device vouchers (`Statement::Grant`), one or many.
    Grants,
    /// Revocations of officials, devices, SIMs or administrators (`Statement::Revocation`).
    Revocations,
    /// Role changes (`Statement::RoleChange`).
    Roles,
    /// Appointments to posts and their ends (`Statement::Appointment`), each to another post.
    Appointments,
}

/// `POST /v1/admin/proposals` (administrator).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProposalRequest {
    /// What it does.
    pub kind: ProposalKind,
    /// `trust::Signed` statements, each already signed by the caller's device key.
    pub statements: Vec<Bytes>,
}

/// `POST /v1/admin/proposals/{proposal}/approve`: the same statements with a second administrator's signature.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ApproveRequest {
    /// One signature for each statement, in order (P-256 r‖s, 64 bytes).
    pub signatures: Vec<Bytes>,
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalStatus {
    /// Waits for another administrator.
    Open,
    /// Carried out.
    Executed,
    /// Withdrawn or refused.
    Withdrawn,
    /// Nobody signed in time.
    Expired,
}

/// One proposal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Proposal {
    /// Its id.
    pub proposal: ProposalId,
    /// What it does.
    pub kind: ProposalKind,
    /// Where it stands.
    pub status: ProposalStatus,
    /// Who proposed.
    pub proposed_by: OfficialId,
    /// Who approved.
    pub approved_by: Vec<OfficialId>,
    /// When proposed.
    pub proposed_at: Millis,
    /// `trust::Signed` statements with the signatures so far.
    pub statements: Vec<Bytes>,
}

/// `GET /v1/admin/proposals?status=open`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProposalList {
    /// Newest first.
    pub proposals: Vec<Proposal>,
}

/// Whom or what an act is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum Subject {
    /// An official with all devices.
    Official(OfficialId),
    /// One device.
    Device(DeviceId),
    /// One SIM.
    Sim(SimId),
}

/// `POST /v1/admin/suspend` (one administrator, at once, by the server only) and `POST /v1/admin/unsuspend`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuspendRequest {
    /// Who or what.
    pub subject: Subject,
}

/// `POST /v1/admin/sims/import` takes `text/csv` with the header
/// `iccid,imsi,algorithm,k,opc_or_topc` (hex; algorithm `milenage` or `tuak`). Nothing is stored unless every row is good.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SimImportResponse {
    /// SIMs stored.
    pub imported: u32,
}

/// `POST /v1/admin/sims/personalise`: make new cards. Their secrets are drawn by the vault; K, OPc and ADM leave it only
/// encrypted under a transport key that it knows by name.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonaliseRequest {
    /// Name of the batch, also of its files: letters, digits, `-`, `_`, `.`.
    pub batch: String,
    /// How many, at most 10,000.
    pub count: u32,
    /// ICCID of the first card without its check digit: 18 or 19 digits. They count up; each gets its check digit.
    pub first_iccid: String,
    /// IMSI of the first card, 14 or 15 digits. They count up.
    pub first_imsi: String,
    /// `milenage` or `tuak`.
    pub algorithm: String,
    /// `bureau` (a file for a card bureau) or `pysim` (files for programmable cards).
    pub form: String,
    /// Name of the transport key in the vault.
    pub transport: String,
    /// Home network public key identifier; its public key goes onto the cards.
    pub suci_key: u8,
    /// Routing indicator, 1 to 4 digits.
    pub routing_indicator: String,
    /// Digits of the mobile network code, 2 or 3.
    pub mnc_digits: u8,
}

/// A file for whoever makes cards.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CardFile {
    /// Its name.
    pub name: String,
    /// Its content. Secrets in it are encrypted.
    pub text: String,
}

/// The cards were made, and are known from now on. The same request gets the same answer again until
/// `POST /v1/admin/sims/personalise/{batch}/received`, after which the server has the files no more.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PersonaliseResponse {
    /// SIMs stored.
    pub imported: u32,
    /// Check value of each transport key in use, hexadecimal: one for `bureau`, those of KI and OPC for `pysim`.
    pub check_values: Vec<String>,
    /// The files.
    pub files: Vec<CardFile>,
}

/// One SIM, without secrets.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SimRecord {
    /// Its id.
    pub sim: SimId,
    /// ICCID.
    pub iccid: String,
    /// IMSI.
    pub imsi: String,
    /// `milenage` or `tuak`.
    pub algorithm: String,
    /// Bound official.
    pub official: Option<OfficialId>,
    /// `available`, `bound`, `suspended`, `revoked`.
    pub status: String,
}

/// `GET /v1/admin/sims`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SimList {
    /// By ICCID.
    pub sims: Vec<SimRecord>,
}

/// `POST /v1/admin/suci-keys`: a key of the home network that opens concealed identities (TS 33.501 Annex C).
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuciKeyRequest {
    /// `a` (X25519) or `b` (secp256r1).
    pub scheme: String,
}

/// The public half of such a key: what cards are made with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SuciKeyRecord {
    /// Home network public key identifier.
    pub number: u8,
    /// `a` or `b`.
    pub scheme: String,
    /// 32 bytes for `a`, SEC1 compressed (33 bytes) for `b`.
    pub public: Bytes,
    /// When it was made.
    pub made_at: Millis,
    /// Since when new cards do not get it.
    pub retired_at: Option<Millis>,
}

/// `GET /v1/admin/suci-keys`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SuciKeyList {
    /// By number.
    pub keys: Vec<SuciKeyRecord>,
}

/// `GET /v1/admin/accounts/{official}`: the login side of an official.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AccountRecord {
    /// The official.
    pub official: OfficialId,
    /// Login name.
    pub username: String,
    /// `new` (never enrolled), `active`, `suspended`, `revoked`.
    pub status: String,
    /// Roles.
    pub roles: Vec<Role>,
    /// Failed password proofs by enrolled devices since the last success.
    pub password_failures: u32,
    /// Failed SIM proofs since the last success.
    pub sim_failures: u32,
}

/// One administrative act.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditEntry {
    /// Position in the chain, from 1.
    pub seq: i64,
    /// Its id.
    pub id: AuditId,
    /// When.
    pub at: Millis,
    /// Who; absent for the installation itself.
    pub actor: Option<OfficialId>,
    /// Stable name of the act, for example `identity.sims_imported`.
    pub action: String,
    /// What it was about (ids only).
    pub subject: String,
    /// Further facts.
    pub detail: serde_json::Value,
    /// SHA-256 over this entry and the previous hash.
    pub hash: Bytes,
}

/// `GET /v1/admin/audit?after=SEQ&limit=N`.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct AuditPage {
    /// In order.
    pub entries: Vec<AuditEntry>,
    /// Whether the chain verified up to the last entry shown.
    pub verified: bool,
}
